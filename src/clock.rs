//! The only clock. Everything else is told the time, so that tests can tell it too.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;

/// What the time is.
pub trait Clock: Send + Sync {
    /// The wall clock, in UTC.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock")]
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved: for tests and for builds that must not change.
#[derive(Clone, Debug)]
pub struct Manual(Arc<Mutex<Timestamp>>);

impl Manual {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let mut now = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
