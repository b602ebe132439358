//! Slower when the relay says so, and carefully back. Told the time, measured from any fixed moment.

use std::{collections::VecDeque, time::Duration};

/// What is left of the rate after the relay asked for less.
const CUT: f64 = 0.7;

/// The replies of messages that left together are one request: one cut.
const COHORT: Duration = Duration::from_secs(2);

/// The first pause; each further one is twice as long, until the relay has been content for a while.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// How long the relay must be content before the rate goes up again.
const CLEAN: Duration = Duration::from_secs(10);

/// How often it goes up, and by how much of the full rate.
const RAISE_EVERY: Duration = Duration::from_secs(5);
const RAISE: f64 = 0.02;

/// The least share of the full rate.
const LEAST: f64 = 0.01;

/// In a pause of this length between two runs, half of what was cut is forgiven.
const FORGIVEN: f64 = 600.0;

/// The share of the full rate that a relay, or a group of domains, bears at the moment.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    share: f64,
    most: f64,
    // The last reply that asked for less.
    last: Option<Duration>,
    cut: Option<Duration>,
    raised: Duration,
    pause: Duration,
    until: Duration,
}

impl Throttle {
    /// A relay that bears a share of a rate that was configured.
    pub(super) fn new(share: f64) -> Self {
        let share = if share.is_finite() { share } else { 1.0 };
        Self {
            share: share.clamp(LEAST, 1.0),
            most: 1.0,
            // What an earlier run had cut is won back from the beginning of this one on.
            last: (share < 1.0).then_some(Duration::ZERO),
            cut: None,
            raised: Duration::ZERO,
            pause: FIRST_PAUSE,
            until: Duration::ZERO,
        }
    }

    /// From now on the full rate is only what was measured, and the share may pass it.
    pub(super) fn unbound(&mut self) {
        self.most = f64::INFINITY;
    }

    pub(super) fn share(&self) -> f64 {
        self.share
    }

    /// The end of the pause: no permit before.
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// The relay asks for less.
    pub(super) fn throttled(&mut self, now: Duration) {
        self.last = Some(now);
        // Nothing leaves in a pause: what comes in it is of the same cohort.
        if now < self.until || self.cut.is_some_and(|at| now < at + COHORT) {
            return;
        }
        self.share = (self.share * CUT).max(LEAST);
        self.cut = Some(now);
        self.until = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// The relay took a message.
    pub(super) fn clean(&mut self, now: Duration) {
        let Some(last) = self.last else { return };
        let from = last.max(self.until) + CLEAN;
        if now < from {
            return;
        }
        self.pause = FIRST_PAUSE;
        let since = self.raised.max(from.saturating_sub(RAISE_EVERY));
        let steps = now.saturating_sub(since).as_secs() / RAISE_EVERY.as_secs();
        if steps == 0 {
            return;
        }
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.raised = since + RAISE_EVERY * steps;
        self.share = (self.share + RAISE * f64::from(steps)).min(self.most);
        if self.share >= self.most {
            self.last = None;
        }
    }
}

/// What is left of a cut after a pause between two runs.
pub(super) fn forgiven(share: f64, pause: Duration) -> f64 {
    1.0 - (1.0 - share) * 0.5_f64.powf(pause.as_secs_f64() / FORGIVEN)
}

/// What went out in the last ten seconds: the rate of a relay that has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(VecDeque<(u64, u32)>);

impl Meter {
    const SPAN: u64 = 10;

    pub(super) fn count(&mut self, now: Duration) {
        let second = now.as_secs();
        match self.0.back_mut() {
            Some((latest, n)) if *latest == second => *n = n.saturating_add(1),
            _ => self.0.push_back((second, 1)),
        }
        while self
            .0
            .front()
            .is_some_and(|(first, _)| first + Self::SPAN < second)
        {
            self.0.pop_front();
        }
    }

    /// Messages a second, at least one.
    pub(super) fn rate(&self, now: Duration) -> f64 {
        let from = now.as_secs().saturating_sub(Self::SPAN);
        let recent = self.0.iter().filter(|(second, _)| *second >= from);
        let total: f64 = recent.clone().map(|(_, n)| f64::from(*n)).sum();
        let begun = recent.map(|(second, _)| *second).min().unwrap_or(from);
        let span = now.as_secs_f64() - Duration::from_secs(begun).as_secs_f64();
        (total / span.max(1.0)).max(1.0)
    }
}
