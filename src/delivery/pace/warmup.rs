//! The ramp of a new sending address: so many messages on the first day, more on each later one.

use super::Quota;
use crate::error::{Error, Kind, Result};

pub(super) const DAY: i64 = 24 * 60 * 60;

/// How much a new sending address is given in its first days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warmup {
    start: u32,
    growth: f64,
    max: u32,
}

impl Warmup {
    /// `start` messages on the first day, `growth` times as many on each later one, until that would be
    /// `max` or more: from then on there is no ramp.
    ///
    /// # Errors
    /// [`Kind::Settings`] for one that never begins or never ends; all that is wrong is said.
    pub fn new(start: u32, growth: f64, max: u32) -> Result<Self> {
        let mut errors = Vec::new();
        if start == 0 {
            errors.push(
                Error::new(Kind::Settings, "a warm-up of 0 messages never begins")
                    .hint("Let `start` be the messages of the first day, such as 200."),
            );
        }
        if !(growth.is_finite() && growth > 1.0) {
            errors.push(
                Error::new(
                    Kind::Settings,
                    format!("a warm-up that grows by {growth} never ends"),
                )
                .hint("Let `growth` be more than 1, such as 1.5 for half as many more each day."),
            );
        }
        if max < start {
            errors.push(
                Error::new(
                    Kind::Settings,
                    format!("a warm-up cannot go from {start} down to {max} messages a day"),
                )
                .hint("Let `max` be more than `start`."),
            );
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(Self { start, growth, max }),
        }
    }

    /// How many messages a day allows, the first being 0; `None` when the ramp is over.
    #[must_use]
    pub fn limit(&self, day: u32) -> Option<u64> {
        let exponent = i32::try_from(day).unwrap_or(i32::MAX);
        let limit = f64::from(self.start) * self.growth.powi(exponent);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between 0 and `max`"
        )]
        (limit < f64::from(self.max)).then_some(limit as u64)
    }
}

/// A warm-up that has begun, and what went out in its last 24 hours.
#[derive(Clone, Debug)]
pub(super) struct Ramp {
    warmup: Warmup,
    first: i64,
    quota: Quota,
}

impl Ramp {
    pub(super) fn new(warmup: Warmup, first: i64, buckets: i64) -> Self {
        Self {
            warmup,
            first,
            quota: Quota::of(0, DAY, buckets),
        }
    }

    pub(super) fn coarse(&self, buckets: i64) -> Self {
        Self {
            quota: self.quota.coarse(buckets),
            ..self.clone()
        }
    }

    pub(super) fn count(&mut self, second: i64, n: u64) {
        self.quota.count(second, n);
    }

    pub(super) fn uncount(&mut self, second: i64) {
        self.quota.uncount(second);
    }

    /// The day of the ramp, the first being 0.
    pub(super) fn day(&self, now: i64) -> u32 {
        u32::try_from(now.saturating_sub(self.first).max(0) / DAY).unwrap_or(u32::MAX)
    }

    /// What the ramp allows now; `None` when it is over.
    pub(super) fn limit(&self, now: i64) -> Option<u64> {
        self.warmup.limit(self.day(now))
    }

    pub(super) fn free(&mut self, now: i64) -> Option<u64> {
        let limit = self.limit(now)?;
        self.quota.set_limit(limit);
        Some(self.quota.free(now))
    }

    /// How many seconds until one more may go: because one leaves the last 24 hours, or because the
    /// next day of the ramp allows more.
    pub(super) fn wait(&mut self, now: i64) -> i64 {
        let Some(limit) = self.limit(now) else {
            return 0;
        };
        self.quota.set_limit(limit);
        let today = self.quota.wait(now);
        let day = self.day(now);
        let tomorrow = (self
            .first
            .saturating_add((i64::from(day) + 1).saturating_mul(DAY)))
            - now;
        if today <= tomorrow {
            return today;
        }
        let then = match self.warmup.limit(day + 1) {
            None => 0,
            Some(limit) => {
                self.quota.set_limit(limit);
                self.quota.wait(now)
            }
        };
        then.max(tomorrow).min(today)
    }
}
