//! What is due: hands each row to one worker, from the books and from what has come back.
//!
//! Nothing durable is claimed here; a row that is handed out is still pending in the books.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::Notify, time::Instant};

use super::{
    Mails,
    shelf::{Claim, Next, Shelf},
};
use crate::{
    clock::Clock,
    delivery::{
        ledger::{Key, Ledger},
        pace::Group,
    },
    error::Result,
};

/// How many rows are read from the books at once.
const PAGE: u32 = 1000;

/// A row in the hands of a worker, and by which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) claim: Claim,
    pub(super) lane: usize,
    pub(super) group: Group,
}

/// What a worker gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    Task(Task),
    /// The canary is out and settled: see what came of it.
    Canary,
    /// Nothing yet; ask again.
    Again,
    /// Nothing more in this run.
    Done,
}

/// How often a worker that the relay has no room for asks again.
const CROWDED: Duration = Duration::from_secs(1);

pub(super) struct Feed {
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    mails: Arc<dyn Mails>,
    key: Key,
    patience: Duration,
    shelf: Mutex<Shelf>,
    // One worker reads the books; the others wait for what it finds.
    reading: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Feed {
    pub(super) fn new(
        ledger: Arc<Ledger>,
        clock: Arc<dyn Clock>,
        mails: Arc<dyn Mails>,
        key: Key,
        patience: Duration,
        shelf: Shelf,
    ) -> Self {
        Self {
            ledger,
            clock,
            mails,
            key,
            patience,
            shelf: Mutex::new(shelf),
            reading: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next row that is due for a lane. Waits for rows that fall due soon, for those in other hands
    /// that may come back, and for the lane's turn.
    pub(super) async fn next(
        &self,
        lane: usize,
        is_wanted: bool,
        ready: impl Fn(Group) -> Option<Instant> + Copy,
    ) -> Result<Fed> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let (next, due) = {
                let mut shelf = self.shelf();
                let due = match shelf.has_waiting() {
                    true => shelf.wake(self.clock.now(), |seq| self.domain(seq)),
                    false => None,
                };
                let next = match is_wanted || shelf.is_finished() {
                    true => shelf.next(lane, Instant::now(), ready),
                    false => Next::Wait(Some(Instant::now() + CROWDED)),
                };
                (next, due)
            };
            let until = match next {
                Next::Take(claim, group) => {
                    return Ok(Fed::Task(Task { claim, lane, group }));
                }
                Next::Done if self.look(Shelf::is_finished) && self.look_again().await? => continue,
                Next::Done => return Ok(Fed::Done),
                Next::Canary => return Ok(Fed::Canary),
                Next::Read => {
                    self.read().await?;
                    continue;
                }
                Next::Wait(until) => until,
            };
            let due = due.map(|at| {
                let wait = Duration::try_from(at.duration_since(self.clock.now()));
                Instant::now() + wait.unwrap_or_default().max(Duration::from_millis(1))
            });
            let until = super::lanes::earlier(until, due);
            if !is_wanted {
                tokio::time::sleep_until(until.unwrap_or_else(Instant::now)).await;
                return Ok(Fed::Again);
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
            }
        }
    }

    /// The next row for a lane, if one is at hand that may go at once.
    pub(super) fn at_once(
        &self,
        lane: usize,
        ready: impl Fn(Group) -> Option<Instant>,
    ) -> Option<Task> {
        let mut shelf = self.shelf();
        if shelf.has_waiting() {
            shelf.wake(self.clock.now(), |seq| self.domain(seq));
        }
        match shelf.next(lane, Instant::now(), ready) {
            Next::Take(claim, group) => Some(Task { claim, lane, group }),
            _ => None,
        }
    }

    fn domain(&self, seq: u32) -> Option<String> {
        self.mails.domain(seq)
    }

    /// Puts on the shelf what is due by the books, deferred rows first.
    async fn read(&self) -> Result<()> {
        let _reading = self.reading.lock().await;
        // Another worker may have read in the meantime.
        let Some(after) = self.shelf().to_read() else {
            return Ok(());
        };
        let now = self.clock.now();
        self.shelf().begin_reading();
        let deferred = self.ledger.deferred(self.key, self.soon(now)).await?;
        let page = self.ledger.pending(self.key, after, PAGE).await?;
        self.change(|shelf| {
            shelf.add_deferred(deferred);
            shelf.wake(now, |seq| self.domain(seq));
            shelf.add_pending(&page, |seq| self.domain(seq));
            shelf.end_reading();
        });
        Ok(())
    }

    /// A run that lasts may come to the time of rows that were not due at its beginning: says whether
    /// there are such.
    async fn look_again(&self) -> Result<bool> {
        let _reading = self.reading.lock().await;
        let soon = self.soon(self.clock.now());
        self.shelf().begin_reading();
        let deferred = self.ledger.deferred(self.key, soon).await?;
        self.change(|shelf| {
            shelf.add_deferred(deferred);
            shelf.end_reading();
        });
        Ok(self.look(Shelf::has_waiting))
    }

    /// What falls due until then is waited for.
    fn soon(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.patience).unwrap_or(Timestamp::MAX)
    }

    /// Changes the shelf, and tells those who wait for it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Shelf) -> T) -> T {
        let changed = change(&mut self.shelf());
        self.changed.notify_waiters();
        changed
    }

    /// A row has been settled, in the books, too.
    pub(super) fn done(&self, task: Task) {
        self.change(|shelf| shelf.done(task.lane, task.group, task.claim));
    }

    /// A row was deferred, in the books, too.
    pub(super) fn deferred(&self, task: Task, at: Timestamp) {
        let soon = (at <= self.soon(self.clock.now())).then_some(at);
        self.change(|shelf| shelf.deferred(task.lane, task.group, task.claim, soon));
    }

    /// A row was left out; it does not count as tried.
    pub(super) fn left_out(&self, task: Task) {
        self.change(|shelf| shelf.left_out(task.lane, task.group, task.claim));
    }

    /// A row was not sent, and that was not its fault; the claim says how the books have it now.
    pub(super) fn put_back(&self, task: Task) {
        self.change(|shelf| shelf.put_back(task.lane, task.group, task.claim));
    }

    /// A row was not even begun with.
    pub(super) fn hand_back(&self, task: Task) {
        self.change(|shelf| shelf.hand_back(task.lane, task.group, task.claim));
    }

    /// A row has its permit.
    pub(super) fn permitted(&self, task: Task) {
        if task.group != Group::NONE {
            self.change(|shelf| shelf.permitted(task.lane, task.group));
        }
    }

    /// Looks at the shelf.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Shelf) -> T) -> T {
        look(&self.shelf())
    }
}
