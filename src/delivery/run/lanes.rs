//! Whose turn it is: several relays share the mail by weight, and step in for each other.
//!
//! Pure, told the time. A lane is one relay. By stride scheduling each mail moves its lane on by
//! `1 / weight`, and no lane may be far ahead of those that are behind. A lane without weight has its
//! turn only while no other is open.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::error::Error;

/// A lane that took nothing for so long does not keep the others waiting.
const STUCK: Duration = Duration::from_secs(30);

/// How far ahead a lane may be, in mails of the lane with the least weight.
const AHEAD: f64 = 2.0;

/// Whether a lane may be used.
#[derive(Clone, Debug)]
pub(super) enum Gate {
    /// It works.
    Open,
    /// It may work again, which one mail is to show first.
    Probing,
    /// It is left alone for a while.
    Closed(Closing),
    /// A person must mend something first.
    Out(Error),
}

/// Why and for how long a lane is closed.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    pub(super) until: Instant,
    /// The same by the clock.
    pub(super) until_time: Timestamp,
    pub(super) why: Why,
    /// In the relay's words, or ours.
    pub(super) reason: String,
    pub(super) worth: Worth,
}

/// Why a lane is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// A quota is used up.
    Quota,
    /// The relay is out of reach, or takes nothing.
    Trouble,
}

/// Whether a run that has nothing else to do waits for a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    Waiting,
    AnotherRun,
}

/// What a lane that wants a mail is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// Not before that moment, unless something changes.
    Later(Option<Instant>),
    Never,
}

#[derive(Debug)]
struct Share {
    weight: u32,
    gate: Gate,
    /// How far it has come.
    pass: f64,
    took_at: Instant,
    in_hands: usize,
    /// It wanted a mail and there was none that it could take.
    idle: bool,
}

/// All lanes of a run.
#[derive(Debug)]
pub(super) struct Lanes {
    shares: Vec<Share>,
    ahead: f64,
}

impl Lanes {
    /// Lanes of such weights, all open. When none has any weight they all have the same.
    pub(super) fn new(weights: &[u32], now: Instant) -> Self {
        let even = weights.iter().all(|weight| *weight == 0);
        let shares: Vec<Share> = weights
            .iter()
            .map(|weight| Share {
                weight: if even { 1 } else { *weight },
                gate: Gate::Open,
                pass: 0.0,
                took_at: now,
                in_hands: 0,
                idle: false,
            })
            .collect();
        let least = shares.iter().map(|share| share.weight).filter(|w| *w > 0);
        Self {
            ahead: AHEAD / f64::from(least.min().unwrap_or(1)),
            shares,
        }
    }

    /// Whether a lane may take a mail.
    pub(super) fn turn(&mut self, lane: usize, now: Instant) -> Turn {
        for share in &mut self.shares {
            if matches!(&share.gate, Gate::Closed(closing) if closing.until <= now) {
                share.gate = Gate::Probing;
            }
        }
        let Some(share) = self.shares.get(lane) else {
            return Turn::Never;
        };
        match &share.gate {
            Gate::Out(_) => return Turn::Never,
            Gate::Closed(closing) => return Turn::Later(Some(closing.until)),
            Gate::Probing if share.in_hands > 0 => return Turn::Later(None),
            Gate::Probing | Gate::Open => {}
        }
        if share.weight == 0 {
            let others = self.shares.iter().filter(|share| share.weight > 0);
            let mut until = None;
            for other in others {
                match &other.gate {
                    Gate::Open => return Turn::Later(None),
                    Gate::Closed(closing) => until = earlier(until, Some(closing.until)),
                    // One that is trying itself has all other mails carried by us.
                    Gate::Probing | Gate::Out(_) => {}
                }
            }
            return Turn::Now;
        }
        let behind = self.shares.iter().filter(|other| {
            other.weight > 0
                && !other.idle
                && matches!(other.gate, Gate::Open)
                && now.saturating_duration_since(other.took_at) < STUCK
        });
        let slowest = behind.min_by(|one, two| one.pass.total_cmp(&two.pass));
        match slowest {
            Some(slowest) if share.pass > slowest.pass + self.ahead => {
                Turn::Later(Some(slowest.took_at + STUCK))
            }
            _ => Turn::Now,
        }
    }

    /// A lane has taken a mail.
    pub(super) fn took(&mut self, lane: usize, now: Instant) {
        // What it did not take while it could not is not made up for.
        let floor = self
            .shares
            .iter()
            .enumerate()
            .filter(|(other, share)| *other != lane && share.weight > 0 && share.is_at_work(now))
            .map(|(_, share)| share.pass)
            .min_by(f64::total_cmp);
        let Some(share) = self.shares.get_mut(lane) else {
            return;
        };
        if let Some(floor) = floor
            && (!share.is_at_work(now) || share.idle)
        {
            share.pass = share.pass.max(floor);
        }
        share.took_at = now;
        share.idle = false;
        share.in_hands += 1;
        share.pass += share.step();
    }

    /// A mail of a lane is settled.
    pub(super) fn settled(&mut self, lane: usize) {
        if let Some(share) = self.shares.get_mut(lane) {
            share.in_hands = share.in_hands.saturating_sub(1);
        }
    }

    /// A mail of a lane was not sent.
    pub(super) fn gave_back(&mut self, lane: usize) {
        self.settled(lane);
        if let Some(share) = self.shares.get_mut(lane) {
            share.pass -= share.step();
        }
    }

    /// There was no mail that a lane could take.
    pub(super) fn found_nothing(&mut self, lane: usize) {
        if let Some(share) = self.shares.get_mut(lane) {
            share.idle = true;
        }
    }

    /// A lane works (again).
    pub(super) fn open(&mut self, lane: usize) {
        if let Some(share) = self.shares.get_mut(lane)
            && !matches!(share.gate, Gate::Out(_))
        {
            share.gate = Gate::Open;
        }
    }

    /// A lane is left alone; the later moment counts.
    pub(super) fn close(&mut self, lane: usize, closing: Closing) {
        if let Some(share) = self.shares.get_mut(lane) {
            match &share.gate {
                Gate::Out(_) => {}
                Gate::Closed(known) if known.until >= closing.until => {}
                _ => share.gate = Gate::Closed(closing),
            }
        }
    }

    /// A lane is out for this run.
    pub(super) fn take_out(&mut self, lane: usize, error: Error) {
        if let Some(share) = self.shares.get_mut(lane) {
            share.gate = Gate::Out(error);
        }
    }

    /// What keeps all lanes from going on; `None` while one of them can, or will soon.
    pub(super) fn all_shut(&self) -> Option<Vec<&Gate>> {
        let shut = |share: &Share| match &share.gate {
            Gate::Open | Gate::Probing => false,
            Gate::Closed(closing) => closing.worth == Worth::AnotherRun,
            Gate::Out(_) => true,
        };
        self.shares
            .iter()
            .all(shut)
            .then(|| self.shares.iter().map(|share| &share.gate).collect())
    }

    /// How every lane stands.
    pub(super) fn gates(&self) -> Vec<Gate> {
        self.shares.iter().map(|share| share.gate.clone()).collect()
    }

    /// Which lanes carry mail now: those with weight, or where none of them is open, the others.
    pub(super) fn at_work(&self) -> Vec<bool> {
        let is_open = |share: &Share| matches!(share.gate, Gate::Open | Gate::Probing);
        let weighty = self
            .shares
            .iter()
            .any(|share| share.weight > 0 && is_open(share));
        let is_at_work = |share: &Share| is_open(share) && (share.weight > 0) == weighty;
        self.shares.iter().map(is_at_work).collect()
    }

    /// How many lanes are not out.
    pub(super) fn left(&self) -> usize {
        let is_left = |share: &&Share| !matches!(share.gate, Gate::Out(_));
        self.shares.iter().filter(is_left).count()
    }
}

impl Share {
    fn step(&self) -> f64 {
        1.0 / f64::from(self.weight.max(1))
    }

    fn is_at_work(&self, now: Instant) -> bool {
        matches!(self.gate, Gate::Open) && now.saturating_duration_since(self.took_at) < STUCK
    }
}

/// The earlier of two moments, where there is one.
pub(super) fn earlier(one: Option<Instant>, two: Option<Instant>) -> Option<Instant> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whoever asks, and however often, the shares are those of the weights.
        #[test]
        fn the_mail_is_shared_by_weight(
            weights in proptest::collection::vec(1..10_u32, 1..5),
            asking in proptest::collection::vec(0..4_usize, 4_000..4_001),
        ) {
            let now = Instant::now();
            let mut lanes = Lanes::new(&weights, now);
            let mut taken = vec![0_u32; weights.len()];
            for lane in asking {
                let lane = lane % weights.len();
                if lanes.turn(lane, now) == Turn::Now {
                    lanes.took(lane, now);
                    lanes.settled(lane);
                    taken[lane] += 1;
                }
            }
            let all: u32 = taken.iter().sum();
            let weight: u32 = weights.iter().sum();
            for (taken, share) in taken.iter().zip(&weights) {
                let off = f64::from(*taken) / f64::from(all) - f64::from(*share) / f64::from(weight);
                prop_assert!(off.abs() < 0.05, "{taken} of {all} at {share} of {weight}");
            }
        }
    }

    fn closing(until: Instant, worth: Worth) -> Closing {
        Closing {
            until,
            until_time: Timestamp::UNIX_EPOCH,
            why: Why::Trouble,
            reason: String::new(),
            worth,
        }
    }

    #[test]
    fn a_lane_without_weight_steps_in_only_while_no_other_is_open() {
        let now = Instant::now();
        let mut lanes = Lanes::new(&[1, 0], now);
        assert_eq!(lanes.turn(1, now), Turn::Later(None));
        let until = now + Duration::from_secs(10);
        lanes.close(0, closing(until, Worth::AnotherRun));
        assert_eq!(lanes.turn(0, now), Turn::Later(Some(until)));
        assert_eq!(lanes.turn(1, now), Turn::Now);
        assert!(lanes.all_shut().is_none());
        // One mail shows whether the other works again.
        assert_eq!(lanes.turn(0, until), Turn::Now);
        lanes.took(0, until);
        assert_eq!(lanes.turn(0, until), Turn::Later(None));
        assert_eq!(lanes.turn(1, until), Turn::Now);
        lanes.open(0);
        assert_eq!(lanes.turn(1, until), Turn::Later(None));
        lanes.take_out(0, Error::bug("x"));
        lanes.close(
            1,
            closing(until + Duration::from_secs(1), Worth::AnotherRun),
        );
        assert!(lanes.all_shut().is_some());
        assert_eq!(lanes.turn(0, until), Turn::Never);
    }

    #[test]
    fn a_lane_that_is_stuck_does_not_keep_the_others_waiting() {
        let now = Instant::now();
        let mut lanes = Lanes::new(&[1, 1], now);
        while lanes.turn(0, now) == Turn::Now {
            lanes.took(0, now);
        }
        assert_eq!(lanes.turn(0, now), Turn::Later(Some(now + STUCK)));
        assert_eq!(lanes.turn(0, now + STUCK), Turn::Now);
    }
}
