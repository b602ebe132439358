//! All brakes of a relay together, told the time.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        Group, Limits, Pace, Past, QuietHours, Quota, Rate,
        finish::{Course, course},
        headroom,
        quota::BUCKETS,
        throttle::{Meter, Throttle, forgiven},
        warmup::Ramp,
    },
    Step,
    crowd::Crowd,
    span,
};

/// Why nothing may go, and for how long. No slot of the pace is taken for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) wait: Duration,
    pub(super) reason: String,
}

#[derive(Debug)]
pub(super) struct State {
    // The milliseconds of the books at the origin. From there the books follow the time that has
    // passed, not the clock, which somebody may set.
    base: i64,
    ahead: i64,
    latest: i64,
    // The relay itself, then its groups.
    brakes: Vec<Brake>,
    quotas: Vec<(Rate, Quota)>,
    ramp: Option<Ramp>,
    quiet: Option<QuietHours>,
    closed: Option<(Duration, String)>,
    pub(super) crowd: Crowd,
}

impl State {
    pub(super) fn new(
        limits: &Limits,
        past: &Past,
        names: &[Option<Arc<str>>],
        now: Timestamp,
    ) -> Self {
        let base = now
            .as_millisecond()
            .saturating_add(past.ahead.saturating_mul(1000));
        let last = past.usage.last().map(|(second, _)| *second);
        let share = past.share.map_or(1.0, |share| {
            let pause = last.map_or(0, |last| base / 1000 - last);
            forgiven(share, Duration::from_secs(pause.max(0).unsigned_abs()))
        });
        let groups = names
            .iter()
            .zip(std::iter::once(Group::NONE).chain(limits.groups.all()));
        let brakes = groups.map(|(name, group)| match name {
            None => Brake::new(limits.rate, share, last, base, None),
            Some(name) => {
                let last = past.groups.get(&**name).copied();
                let rate = limits.groups.limit(group).rate.unwrap_or(Rate::Max);
                let label = limits.groups.name(group).map(str::to_owned);
                Brake::new(rate, 1.0, last, base, label)
            }
        });
        let quotas = limits.quotas.iter().filter_map(|rate| {
            let mut quota = Quota::new(*rate)?;
            for (second, n) in &past.usage {
                quota.count(*second, *n);
            }
            Some((*rate, quota))
        });
        let ramp = limits.warmup.map(|warmup| {
            let mut ramp = Ramp::new(warmup, past.first_use.unwrap_or(base / 1000), BUCKETS);
            for (second, n) in &past.usage {
                ramp.count(*second, *n);
            }
            ramp
        });
        let closed = past
            .closed
            .as_ref()
            .map(|(until, reason)| (span(now, *until), reason.clone()));
        Self {
            base,
            ahead: past.ahead,
            latest: last.unwrap_or(i64::MIN),
            brakes: brakes.collect(),
            quotas: quotas.collect(),
            ramp,
            quiet: limits.quiet.clone(),
            closed,
            crowd: Crowd::new(limits.connections),
        }
    }

    /// The second of the books that quotas go by.
    fn second(&self, now: Duration) -> i64 {
        let passed = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.base.saturating_add(passed).div_euclid(1000)
    }

    /// The second under which a message is entered: after a sleep of the machine, which does not count
    /// as time that has passed, it is the clock's. It never goes back.
    pub(super) fn book_second(&mut self, now: Duration, wall: Timestamp) -> i64 {
        let clock = wall.as_second().saturating_add(self.ahead);
        self.latest = self.latest.max(self.second(now)).max(clock);
        self.latest
    }

    fn brake(&mut self, group: Group) -> Option<&mut Brake> {
        match group {
            Group::NONE => None,
            group => self.brakes.get_mut(group.index()),
        }
    }

    /// What lets nothing go, the longest wait first.
    pub(super) fn held(&mut self, group: Group, now: Duration, wall: Timestamp) -> Option<Held> {
        let second = self.second(now);
        let seconds = |wait: i64| Duration::from_secs(wait.max(0).unsigned_abs());
        let mut all: Vec<(Duration, Why)> = Vec::new();
        if let Some((until, _)) = &self.closed {
            all.push((until.saturating_sub(now), Why::Closed));
        }
        if let Some(end) = self.quiet.as_ref().and_then(|quiet| quiet.end(wall)) {
            let wait = Duration::try_from(end.duration_since(wall)).unwrap_or_default();
            all.push((wait, Why::Quiet));
        }
        for (index, (_, quota)) in self.quotas.iter_mut().enumerate() {
            all.push((seconds(quota.wait(second)), Why::Quota(index)));
        }
        if let Some(ramp) = &mut self.ramp {
            all.push((seconds(ramp.wait(second)), Why::Ramp));
        }
        for index in [0, group.index()] {
            if let Some(brake) = self.brakes.get(index) {
                all.push((
                    brake.throttle.until().saturating_sub(now),
                    Why::Throttled(index),
                ));
            }
        }
        let (wait, why) = all.into_iter().max_by_key(|(wait, _)| *wait)?;
        (!wait.is_zero()).then(|| Held {
            wait,
            reason: self.words(why, second),
        })
    }

    fn words(&self, why: Why, second: i64) -> String {
        match why {
            Why::Closed => match &self.closed {
                Some((_, reason)) => reason.clone(),
                None => String::new(),
            },
            Why::Quiet => match &self.quiet {
                Some(quiet) => format!("it is quiet at {quiet}"),
                None => String::new(),
            },
            Why::Quota(index) => match self.quotas.get(index) {
                Some((rate, _)) => format!("the quota of {rate} is used up"),
                None => String::new(),
            },
            Why::Ramp => match &self.ramp {
                Some(ramp) => format!(
                    "the warm-up allows {} messages on its day {}",
                    ramp.limit(second).unwrap_or_default(),
                    ramp.day(second).saturating_add(1),
                ),
                None => String::new(),
            },
            Why::Throttled(index) => {
                match self.brakes.get(index).and_then(|b| b.label.as_deref()) {
                    Some(group) => format!("mail to `{group}` was asked to slow down"),
                    None => "the relay asked to slow down".to_owned(),
                }
            }
        }
    }

    /// Takes the next slot of the pace; or says when the group is ready, if the relay is so sooner.
    pub(super) fn slot(&mut self, group: Group, now: Duration) -> Result<Duration, Duration> {
        let Some(relay) = self.brakes.first() else {
            return Ok(now);
        };
        let at = relay.earliest(now);
        if let Some(brake) = self.brake(group) {
            let ready = brake.earliest(now);
            if ready > at {
                return Err(ready);
            }
            brake.take(at);
        }
        if let Some(relay) = self.brakes.first_mut() {
            relay.take(at);
        }
        Ok(at)
    }

    /// One message leaves.
    pub(super) fn count(&mut self, now: Duration) {
        let second = self.second(now);
        for (_, quota) in &mut self.quotas {
            quota.count(second, 1);
        }
        if let Some(ramp) = &mut self.ramp {
            ramp.count(second, 1);
        }
    }

    /// A message that was counted at a moment did not leave.
    pub(super) fn uncount(&mut self, moment: Duration) {
        let second = self.second(moment);
        for (_, quota) in &mut self.quotas {
            quota.uncount(second);
        }
        if let Some(ramp) = &mut self.ramp {
            ramp.uncount(second);
        }
    }

    /// Whether a message to a group may go now, and nobody waits for that.
    pub(super) fn is_free(&mut self, group: Group, now: Duration) -> bool {
        let relay = self
            .brakes
            .first()
            .is_none_or(|relay| relay.earliest(now) <= now);
        relay && self.ready(group, now).is_none_or(|ready| ready <= now)
    }

    pub(super) fn ready(&mut self, group: Group, now: Duration) -> Option<Duration> {
        let brake = self.brake(group)?;
        Some(brake.earliest(now) + brake.interval() * brake.waiting)
    }

    pub(super) fn line(&mut self, group: Group, step: Step) {
        if let Some(brake) = self.brake(group) {
            brake.waiting = match step {
                Step::In => brake.waiting.saturating_add(1),
                Step::Out => brake.waiting.saturating_sub(1),
            };
        }
    }

    pub(super) fn holds(&self, group: Group, moment: Duration, now: Duration) -> bool {
        let brakes = [0, group.index()]
            .into_iter()
            .filter_map(|index| self.brakes.get(index));
        let closed = self
            .closed
            .as_ref()
            .map_or(Duration::ZERO, |(until, _)| *until);
        now >= closed && brakes.into_iter().all(|brake| brake.holds(moment, now))
    }

    pub(super) fn throttled(&mut self, group: Group, now: Duration) {
        if let Some(brake) = self.brakes.get_mut(group.index()) {
            brake.throttled(now);
        }
    }

    pub(super) fn clean(&mut self, group: Group, now: Duration) {
        self.crowd.clean(now);
        if let Some(relay) = self.brakes.first_mut() {
            relay.throttle.clean(now);
        }
        if let Some(brake) = self.brake(group) {
            brake.throttle.clean(now);
        }
    }

    pub(super) fn close(&mut self, until: Duration, reason: &str) {
        if self.closed.as_ref().is_none_or(|(at, _)| *at < until) {
            self.closed = Some((until, reason.to_owned()));
        }
    }

    pub(super) fn share(&self) -> f64 {
        self.brakes
            .first()
            .map_or(1.0, |relay| relay.throttle.share().min(1.0))
    }

    pub(super) fn finish(
        &self,
        due: u64,
        measured: Option<f64>,
        now: Duration,
        wall: Timestamp,
    ) -> Option<Timestamp> {
        let relay = self.brakes.first()?;
        let paced = (!relay.interval().is_zero()).then(|| 1.0 / relay.interval().as_secs_f64());
        let per_second = match (paced, measured) {
            (Some(paced), Some(measured)) => Some(paced.min(measured)),
            (paced, measured) => paced.or(measured),
        };
        let closed = self
            .closed
            .as_ref()
            .map_or(Duration::ZERO, |(until, _)| *until);
        let begin = closed.max(relay.throttle.until()).saturating_sub(now);
        course(
            Course {
                due,
                per_second,
                quotas: self.quotas.iter().map(|(_, quota)| quota.clone()).collect(),
                ramp: self.ramp.clone(),
                quiet: self.quiet.as_ref(),
                begin,
                ahead: self.second(now) - wall.as_second(),
            },
            wall,
        )
    }
}

enum Why {
    Closed,
    Quiet,
    Quota(usize),
    Ramp,
    Throttled(usize),
}

/// The pace of a relay or a group, and how much of it is borne.
#[derive(Debug)]
struct Brake {
    pace: Option<Pace>,
    headroom: Option<Duration>,
    throttle: Throttle,
    // Only where there is no rate.
    meter: Option<Meter>,
    // How many wait for a permit.
    waiting: u32,
    label: Option<String>,
}

impl Brake {
    fn new(rate: Rate, share: f64, last: Option<i64>, base: i64, label: Option<String>) -> Self {
        let mut pace = Pace::new(rate);
        let bounded = pace.is_some();
        if let (Some(pace), Some(last)) = (&mut pace, last) {
            // The last message left before the end of its second.
            let end = (last.saturating_add(1)).saturating_mul(1000);
            let gone = SignedDuration::from_millis(base.saturating_sub(end));
            let interval = SignedDuration::try_from(pace.interval()).unwrap_or(SignedDuration::MAX);
            let wait = Duration::try_from(interval.saturating_sub(gone)).unwrap_or(Duration::ZERO);
            // A clock that was set back by days must not stop the run for days.
            pace.not_before(wait.min(pace.interval() + Duration::from_secs(1)));
        }
        Self {
            pace,
            headroom: match rate {
                Rate::Max => None,
                Rate::Per { window, .. } => Some(headroom(window)),
            },
            throttle: Throttle::new(if bounded { share } else { 1.0 }),
            meter: (!bounded).then(Meter::default),
            waiting: 0,
            label,
        }
    }

    fn earliest(&self, now: Duration) -> Duration {
        let next = self.pace.as_ref().map_or(now, |pace| pace.earliest(now));
        next.max(self.throttle.until())
    }

    fn interval(&self) -> Duration {
        let interval = self.pace.as_ref().map_or(Duration::ZERO, Pace::interval);
        interval.div_f64(self.throttle.share())
    }

    fn take(&mut self, at: Duration) {
        if let Some(meter) = &mut self.meter {
            meter.count(at);
        }
        if let Some(pace) = &mut self.pace {
            pace.take(at, self.throttle.share());
        }
    }

    fn holds(&self, moment: Duration, now: Duration) -> bool {
        self.headroom
            .is_none_or(|headroom| now.saturating_sub(moment) < headroom)
            && moment >= self.throttle.until()
    }

    fn throttled(&mut self, now: Duration) {
        if let Some(meter) = &mut self.meter
            && self.pace.is_none()
        {
            // There is no rate to have less of: what went out until now becomes it.
            self.pace = Some(Pace::of(meter.rate(now)));
            self.throttle.unbound();
        }
        self.throttle.throttled(now);
    }
}
