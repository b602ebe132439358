//! Fewer connections when the relay says so. Told the time, measured from any fixed moment.

use std::time::Duration;

/// How many connections a relay bears.
#[derive(Debug)]
pub(super) struct Crowd {
    allowed: usize,
    most: usize,
    changed: Duration,
}

impl Crowd {
    /// The refusals of connections that were opened together are one.
    const COHORT: Duration = Duration::from_secs(2);
    /// How long it is before one more is tried.
    const PROBE: Duration = Duration::from_secs(300);

    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            allowed: most,
            most,
            changed: Duration::ZERO,
        }
    }

    pub(super) fn allowed(&self) -> usize {
        self.allowed
    }

    pub(super) fn crowded(&mut self, now: Duration) {
        let first = self.allowed == self.most;
        if first || now >= self.changed + Self::COHORT {
            self.allowed = self.allowed.saturating_sub(1).max(1);
            self.changed = now;
        }
    }

    pub(super) fn clean(&mut self, now: Duration) {
        if self.allowed < self.most && now >= self.changed + Self::PROBE {
            self.allowed += 1;
            self.changed = now;
        }
    }
}
