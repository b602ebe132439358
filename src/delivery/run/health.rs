//! How a relay is doing: how long to leave it alone, and since when it gives nothing but trouble.
//!
//! Pure, told the time.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    Retry,
    lanes::{Closing, Why, Worth},
};
use crate::delivery::ledger::Troubled;

/// Trouble that is so long ago says nothing about the present one.
const FORGOTTEN: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
pub(super) struct Health {
    retry: Retry,
    /// Since when nothing has gone well in this run.
    since: Option<Instant>,
    /// The same over all runs, as the books have it.
    troubled: Option<Troubled>,
    failures: u32,
    until: Option<Instant>,
}

impl Health {
    /// A relay as the books have it.
    pub(super) fn new(retry: Retry, troubled: Option<Troubled>, now: Timestamp) -> Self {
        let troubled = troubled.filter(|troubled| {
            let ago = Duration::try_from(now.duration_since(troubled.last));
            ago.is_ok_and(|ago| ago <= FORGOTTEN.max(retry.relay_longest * 2))
        });
        Self {
            retry,
            since: None,
            failures: troubled.map_or(0, |troubled| failures(&retry, troubled)),
            troubled,
            until: None,
        }
    }

    /// The relay gave trouble: how long to leave it alone. `None` when it is left alone already: the
    /// connections that fail together are one failure.
    pub(super) fn trouble(&mut self, why: &str, now: Instant, time: Timestamp) -> Option<Closing> {
        if self.until.is_some_and(|until| until > now) {
            return None;
        }
        self.note(now, time);
        let wait = doubled(self.retry.relay_first, self.failures).min(self.retry.relay_longest);
        self.failures += 1;
        self.until = Some(now + wait);
        Some(self.closing(wait, why, now, time))
    }

    /// The relay wants us to slow down: not trouble as long as it takes something in between.
    pub(super) fn throttled(
        &mut self,
        why: &str,
        now: Instant,
        time: Timestamp,
    ) -> Option<Closing> {
        self.note(now, time);
        let since = self.since.unwrap_or(now);
        let is_too_long = now.saturating_duration_since(since) >= self.retry.relay_patience;
        is_too_long.then(|| self.closing(self.retry.relay_longest, why, now, time))
    }

    fn note(&mut self, now: Instant, time: Timestamp) {
        self.since.get_or_insert(now);
        let since = self.troubled.map_or(time, |troubled| troubled.since);
        self.troubled = Some(Troubled {
            since: since.min(time),
            last: time,
        });
    }

    fn closing(&self, wait: Duration, why: &str, now: Instant, time: Timestamp) -> Closing {
        let until = now + wait;
        let patience = self.since.unwrap_or(now) + self.retry.relay_patience;
        Closing {
            until,
            until_time: time.saturating_add(wait).unwrap_or(Timestamp::MAX),
            why: Why::Trouble,
            reason: why.to_owned(),
            worth: match until <= patience && !self.is_lasting() {
                true => Worth::Waiting,
                false => Worth::AnotherRun,
            },
        }
    }

    /// For the books.
    pub(super) fn troubled(&self) -> Option<Troubled> {
        self.troubled
    }

    /// Whether it has lasted so long that a person must look.
    pub(super) fn is_lasting(&self) -> bool {
        self.troubled.is_some_and(|Troubled { since, last }| {
            Duration::try_from(last.duration_since(since))
                .is_ok_and(|lasted| lasted >= self.retry.relay_limit)
        })
    }

    /// The relay has given an answer about a mail: all trouble is over.
    pub(super) fn recovered(&mut self) {
        self.since = None;
        self.troubled = None;
        self.failures = 0;
        self.until = None;
    }
}

/// How often a relay must have failed to be in trouble for so long: a new run goes on where the one
/// before it has left off.
fn failures(retry: &Retry, troubled: Troubled) -> u32 {
    let lasted = Duration::try_from(troubled.last.duration_since(troubled.since));
    let lasted = lasted.unwrap_or_default();
    (0..20)
        .find(|times| doubled(retry.relay_first, *times) > lasted + retry.relay_first)
        .unwrap_or(20)
        .saturating_sub(1)
        + 1
}

/// How long a recipient waits that was deferred for the `attempts`-th time: doubling, give or take a
/// fifth, so that those who were deferred together do not come back together.
pub(super) fn deferral(retry: &Retry, seq: u32, attempts: u32) -> Duration {
    let wait = doubled(retry.first, attempts.saturating_sub(1)).min(retry.longest);
    // A fixed shuffle (splitmix64): the same row waits the same time in every run of a test.
    let mut x = (u64::from(seq) << 32 | u64::from(attempts)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let percent = 80 + u32::try_from((x ^ (x >> 31)) % 41).unwrap_or_default();
    (wait * percent / 100).min(retry.longest)
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times.min(20)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a relay is tried that is always out of reach, as seconds from the first try, until a run
    /// would end.
    fn tries(health: &mut Health, begun: Timestamp, mut second: i64) -> (Vec<i64>, Closing) {
        let origin = Instant::now();
        let mut tries = Vec::new();
        loop {
            let now = origin + Duration::from_secs(second.unsigned_abs());
            let time = begun + Duration::from_secs(second.unsigned_abs());
            tries.push(second);
            let closing = health.trouble("refused", now, time).unwrap();
            // A second worker fails in the same moment.
            assert!(health.trouble("refused", now, time).is_none());
            if closing.worth == Worth::AnotherRun {
                return (tries, closing);
            }
            second += closing.until_time.duration_since(time).as_secs();
        }
    }

    #[test]
    fn a_relay_out_of_reach_is_tried_ever_less() {
        let begun = Timestamp::UNIX_EPOCH;
        let mut health = Health::new(Retry::default(), None, begun);
        let (seconds, closing) = tries(&mut health, begun, 0);
        assert_eq!(seconds, [0, 5, 15, 35]);
        assert_eq!(closing.until_time.as_second(), 75);
        // The next run does not begin again with five seconds.
        let troubled = health.troubled();
        let mut next = Health::new(Retry::default(), troubled, begun + Duration::from_secs(75));
        let (seconds, closing) = tries(&mut next, begun, 75);
        assert_eq!((seconds, closing.until_time.as_second()), (vec![75], 155));
        assert!(!next.is_lasting());
        // After a quarter of an hour a person is called, at whatever try comes next.
        let troubled = Troubled {
            last: begun + Duration::from_secs(615),
            ..troubled.unwrap()
        };
        let late = begun + Duration::from_secs(915);
        let mut last = Health::new(Retry::default(), Some(troubled), late);
        last.trouble("refused", Instant::now(), late).unwrap();
        assert!(last.is_lasting());
        // Old trouble is not this one.
        let tomorrow = late + Duration::from_secs(24 * 60 * 60);
        let mut fresh = Health::new(Retry::default(), Some(troubled), tomorrow);
        fresh.trouble("refused", Instant::now(), tomorrow).unwrap();
        assert!(!fresh.is_lasting());
    }

    #[test]
    fn an_answer_makes_the_trouble_forgotten() {
        let (now, time) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let mut health = Health::new(Retry::default(), None, time);
        health.trouble("x", now, time).unwrap();
        health.recovered();
        assert_eq!(health.troubled(), None);
        let closing = health.trouble("x", now, time).unwrap();
        assert_eq!(closing.until, now + Duration::from_secs(5));
    }

    #[test]
    fn a_relay_that_only_ever_throttles_is_given_up_for_this_run() {
        let (now, time) = (Instant::now(), Timestamp::UNIX_EPOCH);
        let mut health = Health::new(Retry::default(), None, time);
        assert!(health.throttled("slow down", now, time).is_none());
        let later = now + Duration::from_secs(59);
        assert!(health.throttled("slow down", later, time).is_none());
        health.recovered();
        let later = now + Duration::from_secs(61);
        assert!(health.throttled("slow down", later, time).is_none());
        let later = now + Duration::from_secs(121);
        let closing = health.throttled("slow down", later, time).unwrap();
        assert_eq!(closing.worth, Worth::AnotherRun);
    }

    #[test]
    fn deferrals_double_and_are_spread() {
        let retry = Retry::default();
        for attempts in 1..12 {
            let plain = doubled(retry.first, attempts - 1).min(retry.longest);
            let waits: Vec<Duration> = (0..500)
                .map(|seq| deferral(&retry, seq, attempts))
                .collect();
            let least = waits.iter().min().unwrap();
            let most = waits.iter().max().unwrap();
            assert!(
                *least >= plain * 80 / 100 && *least < plain * 82 / 100,
                "{attempts}: {least:?}"
            );
            assert!(
                *most <= (plain * 120 / 100).min(retry.longest),
                "{attempts}: {most:?}"
            );
            assert!(
                *most >= (plain * 118 / 100).min(retry.longest),
                "{attempts}: {most:?}"
            );
            assert_eq!(waits[7], deferral(&retry, 7, attempts));
        }
    }
}
