//! What is due: hands each row to one worker, from the books and from what has come back.
//!
//! Nothing durable is claimed here; a row that is handed out is still pending in the books.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::sync::{Mutex, Notify};

use crate::{
    clock::Clock,
    delivery::ledger::{Due, Key, Ledger, State},
    error::Result,
};

/// How many rows are read from the books at once.
const PAGE: u32 = 1000;

/// A row in the hands of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) seq: u32,
    /// How often it was tried before.
    pub(super) attempts: u32,
    /// Its state in the books: pending or deferred.
    pub(super) state: State,
}

pub(super) struct Feed {
    ledger: Arc<Ledger>,
    clock: Arc<dyn Clock>,
    key: Key,
    patience: Duration,
    shelf: Mutex<Shelf>,
    changed: Notify,
}

struct Shelf {
    ready: VecDeque<Claim>,
    /// Deferred rows that are waited for.
    waiting: Vec<Due>,
    /// The deferred rows that are on the shelf or in hands, lest the books offer them again.
    taken: HashSet<u32>,
    /// The last pending row that was read, and whether it was the last of all.
    after: Option<u32>,
    read_all: bool,
    in_hands: usize,
    left: Option<u32>,
    strikes: HashMap<u32, u32>,
}

impl Feed {
    pub(super) fn new(
        ledger: Arc<Ledger>,
        clock: Arc<dyn Clock>,
        key: Key,
        patience: Duration,
        limit: Option<u32>,
    ) -> Self {
        Self {
            ledger,
            clock,
            key,
            patience,
            shelf: Mutex::new(Shelf {
                ready: VecDeque::new(),
                waiting: Vec::new(),
                taken: HashSet::new(),
                after: None,
                read_all: false,
                in_hands: 0,
                left: limit,
                strikes: HashMap::new(),
            }),
            changed: Notify::new(),
        }
    }

    /// The next row that is due; `None` when none will be, in this run. Waits for rows that fall due
    /// soon, and for those in other hands that may come back.
    pub(super) async fn next(&self) -> Result<Option<Claim>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = {
                let mut shelf = self.shelf.lock().await;
                if shelf.left == Some(0) {
                    if shelf.in_hands == 0 {
                        return Ok(None);
                    }
                    None
                } else {
                    if shelf.ready.is_empty() {
                        self.fill(&mut shelf).await?;
                    }
                    if let Some(claim) = shelf.ready.pop_front() {
                        shelf.in_hands += 1;
                        shelf.left = shelf.left.map(|left| left - 1);
                        return Ok(Some(claim));
                    }
                    if shelf.in_hands == 0 && shelf.waiting.is_empty() {
                        return Ok(None);
                    }
                    let now = self.clock.now();
                    shelf.waiting.iter().map(|due| due.at).min().map(|at| {
                        let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                        wait.max(Duration::from_millis(1))
                    })
                }
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
        }
    }

    /// Puts on the shelf what is due by the books, deferred rows first.
    async fn fill(&self, shelf: &mut Shelf) -> Result<()> {
        let now = self.clock.now();
        let soon = now.saturating_add(self.patience).unwrap_or(now);
        for due in self.ledger.deferred(self.key, soon).await? {
            if shelf.taken.insert(due.seq) {
                shelf.waiting.push(due);
            }
        }
        let waiting = std::mem::take(&mut shelf.waiting);
        let (due, waiting): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|due| due.at <= now);
        shelf.waiting = waiting;
        shelf.ready.extend(due.into_iter().map(|due| Claim {
            seq: due.seq,
            attempts: due.attempts,
            state: State::Deferred,
        }));
        while shelf.ready.is_empty() && !shelf.read_all {
            let page = self.ledger.pending(self.key, shelf.after, PAGE).await?;
            shelf.after = page.last().copied().or(shelf.after);
            shelf.read_all = page.is_empty();
            for seq in page {
                // A deferred row that came back from a broken exchange is pending now.
                if !shelf.taken.contains(&seq) {
                    shelf.ready.push_back(Claim {
                        seq,
                        attempts: 0,
                        state: State::Pending,
                    });
                }
            }
        }
        Ok(())
    }

    /// A row has been settled, in the books, too.
    pub(super) async fn done(&self, claim: Claim) {
        let mut shelf = self.shelf.lock().await;
        shelf.taken.remove(&claim.seq);
        shelf.strikes.remove(&claim.seq);
        shelf.in_hands -= 1;
        drop(shelf);
        self.changed.notify_waiters();
    }

    /// A row was left out; it does not count as tried.
    pub(super) async fn left_out(&self, claim: Claim) {
        let mut shelf = self.shelf.lock().await;
        shelf.left = shelf.left.map(|left| left + 1);
        drop(shelf);
        self.done(claim).await;
    }

    /// A row was not sent, and that was not its fault; the claim says how the books have it now. It goes to the end of the line, so that one
    /// that brings trouble does not keep the others waiting.
    pub(super) async fn put_back(&self, claim: Claim) {
        let mut shelf = self.shelf.lock().await;
        shelf.ready.push_back(claim);
        shelf.in_hands -= 1;
        shelf.left = shelf.left.map(|left| left + 1);
        drop(shelf);
        self.changed.notify_waiters();
    }

    /// Counts how often a connection ended with a row.
    pub(super) async fn strike(&self, claim: Claim) -> u32 {
        let mut shelf = self.shelf.lock().await;
        let strikes = shelf.strikes.entry(claim.seq).or_default();
        *strikes += 1;
        *strikes
    }

    /// Whether as many rows were tried as were asked for.
    pub(super) async fn is_at_its_limit(&self) -> bool {
        self.shelf.lock().await.left == Some(0)
    }
}
