//! Stopping: by the user, or because it makes no sense to go on.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::End;

/// The user's stop. Asked for once, the mails in flight are finished; asked for twice, they are broken
/// off. Clones are the same stop.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<u8>>);

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Asks to stop, or once more.
    pub fn request(&self) {
        self.0.send_modify(|times| *times = times.saturating_add(1));
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until it has been asked for so many times.
    async fn asked(&self, times: u8) {
        // The sender is ours, so that it cannot go away.
        let _ = self.0.subscribe().wait_for(|asked| *asked >= times).await;
    }
}

/// What all workers look at: the user's stop, and our own reasons to end.
#[derive(Debug)]
pub(super) struct Halt {
    user: Stop,
    own: Stop,
    end: Mutex<Option<End>>,
}

impl Halt {
    pub(super) fn new(user: Stop) -> Self {
        Self {
            user,
            own: Stop::new(),
            end: Mutex::new(None),
        }
    }

    /// Ends the run; mails in flight are finished. The first reason counts.
    pub(super) fn end_with(&self, end: End) {
        let mut first = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(end);
        drop(first);
        self.halt();
    }

    /// Ends the run for a reason that is told otherwise.
    pub(super) fn halt(&self) {
        self.own.request();
    }

    /// Why the run ended, if not because there was nothing left to do.
    pub(super) fn end(&self) -> Option<End> {
        let first = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match &*first {
            Some(end) => Some(end.clone()),
            None => self.user.is_requested().then_some(End::Stopped),
        }
    }

    /// Whether nothing new is to be begun.
    pub(super) fn is_ending(&self) -> bool {
        self.user.is_requested() || self.own.is_requested()
    }

    /// Waits until nothing new is to be begun.
    pub(super) async fn ending(&self) {
        tokio::select! {
            () = self.user.asked(1) => {}
            () = self.own.asked(1) => {}
        }
    }

    /// Waits until everything is to be broken off.
    pub(super) async fn at_once(&self) {
        self.user.asked(2).await;
    }
}
