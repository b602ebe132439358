//! The books: one row for each recipient of each campaign, on stable storage.
//!
//! A row goes `pending → sending → sent | deferred | failed | unknown`, or is `skipped` or `expired`.
//! `sending` is durable before the final dot of a message leaves the machine: that is what the promises
//! about losing and doubling rest on. One thread owns the database and commits what has queued up in
//! the meantime together; it is the only writer. Knows no addresses, no relays and no clock: seq
//! numbers and times come in.

mod books;
mod change;
mod mark;
mod relays;
mod row;
mod runs;
mod schema;
#[cfg(test)]
pub(in crate::delivery) mod stepped;
mod steer;
mod thread;
mod troubles;

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub use books::{Books, Outlook, Reason};
pub use relays::RelayState;
pub use row::{
    Attempt, Campaign, CampaignState, Counts, Due, Entry, Generation, Key, NewCampaign, Row, State,
    Terms,
};
pub use runs::{Diary, Run, RunState};
pub use steer::{BY_A_PERSON, Helm, Verdict, Wish};
pub use troubles::Troubled;

use crate::{
    error::{Error, Kind, Result},
    fs,
};
use thread::{Ask, Op};

/// Why a row is skipped whose person has left the list.
pub const GONE: &str = "no longer on the list";

/// How the reason begins of a row that is skipped because its person is suppressed.
pub const SUPPRESSED: &str = "suppressed: ";

/// Rows that are changed together.
const MANY: usize = 8192;

/// The ledger, open for writing: held by one process at a time.
#[derive(Debug)]
pub struct Ledger {
    name: String,
    ops: Option<mpsc::Sender<Op>>,
    thread: Option<JoinHandle<()>>,
    // Held until the thread is done: see `drop`.
    _lock: Option<fs::Lock>,
}

/// An intent on its way to stable storage.
#[derive(Debug)]
pub struct Intent(oneshot::Receiver<Result<()>>);

impl Intent {
    /// Waits until it is there. An error means that the message must not be sent.
    pub async fn durable(self) -> Result<()> {
        self.0.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Ledger {
    /// Opens the ledger in a file, made where there is none, and takes its lock.
    ///
    /// # Errors
    /// [`Kind::TryLater`] when another process has it; [`Kind::Io`] when it cannot be read or written.
    pub fn open(path: &Path) -> Result<Self> {
        let lock = match fs::lock(&lock_path(path), &std::process::id().to_string())? {
            Ok(lock) => lock,
            Err(holder) => return Err(held(path, &holder)),
        };
        let source = schema::Source::File(path.to_owned());
        mark::check(path)?;
        schema::look_over(path)?;
        Self::start(source, path.display().to_string(), Some(lock))
    }

    /// A ledger that is forgotten when it is dropped: for trying things out.
    pub fn in_memory() -> Result<Self> {
        Self::start(schema::Source::Memory, "in memory".to_owned(), None)
    }

    fn start(source: schema::Source, name: String, lock: Option<fs::Lock>) -> Result<Self> {
        let connection = schema::open(&source)?;
        let (ops, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || thread::run(&source, connection, &inbox))
            .map_err(|cause| Error::new(Kind::Io, "cannot start the ledger").because(&cause))?;
        Ok(Self {
            name,
            ops: Some(ops),
            thread: Some(thread),
            _lock: lock,
        })
    }

    /// A campaign by its id.
    pub async fn campaign(&self, id: &str) -> Result<Option<Campaign>> {
        let id = id.to_owned();
        self.ask(move |connection| books::campaign(connection, &id))
            .await
    }

    /// All campaigns, the latest first.
    pub async fn campaigns(&self) -> Result<Vec<Campaign>> {
        self.ask(books::campaigns).await
    }

    /// Enters a campaign with `total` pending rows, `0..total`, all or nothing.
    pub async fn begin(&self, campaign: NewCampaign, total: u32) -> Result<Campaign> {
        let id = campaign.id.clone();
        let made = self.ask(move |connection| {
            if books::campaign(connection, &campaign.id)?.is_some() {
                return Ok(None);
            }
            schema::insert(connection, &campaign, total, Terms::default())?;
            books::campaign(connection, &campaign.id)
        });
        made.await?
            .ok_or_else(|| Error::bug(format!("campaign `{id}` is in the ledger already")))
    }

    /// Enters a campaign anew of which nothing was sent, all or nothing: what the books had of it is
    /// forgotten, but that it is paused. With the same content, audience and rows as before it stays as it is, and the terms
    /// alone are new.
    pub async fn enter(&self, campaign: NewCampaign, total: u32, terms: Terms) -> Result<Campaign> {
        let id = campaign.id.clone();
        let made = self.ask(move |connection| {
            let known = books::campaign(connection, &campaign.id)?;
            let same = known.as_ref().is_some_and(|known| {
                known.content_hash == campaign.content_hash
                    && known.audience_hash == campaign.audience_hash
                    && (known.total, known.generation) == (total, 0)
            });
            if same {
                change::set_terms(connection, &campaign.id, terms)?;
            } else {
                schema::forget(connection, &campaign.id)?;
                schema::insert(connection, &campaign, total, terms)?;
            }
            let made = books::campaign(connection, &campaign.id)?;
            // A pause is about the issue, whatever it says by now.
            if let (Some(made), Some(paused)) = (&made, known.map(|known| known.state))
                && matches!(paused, CampaignState::Paused(_))
            {
                change::set_state(connection, made.key, &paused, campaign.created_at)?;
            }
            books::campaign(connection, &campaign.id)
        });
        made.await?
            .ok_or_else(|| Error::bug(format!("campaign `{id}` did not get into the ledger")))
    }

    /// Goes on with another generation of a campaign, all or nothing: its hashes, and pending rows for
    /// those who are new.
    pub async fn grow(&self, key: Key, next: Generation) -> Result<()> {
        let number = next.number;
        let grown = self.ask(move |connection| schema::grow(connection, key, &next));
        match grown.await? {
            true => Ok(()),
            false => Err(Error::bug(format!(
                "the campaign cannot go on with generation {number}"
            ))),
        }
    }

    /// Forgets a campaign and its rows, as for a fresh run in the sandbox. What it used of the quotas
    /// stays used.
    pub async fn forget(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.ask(move |connection| schema::forget(connection, &id))
            .await
    }

    /// To be called while nothing is being sent: rows that were `sending` when an earlier process ended
    /// are `unknown` from now on, in all campaigns. Says how many there were.
    pub async fn recover(&self, now: Timestamp) -> Result<u64> {
        self.ask(move |connection| change::recover(connection, now))
            .await
    }

    /// The next `limit` pending rows after a seq, or from the first on.
    pub async fn pending(&self, key: Key, after: Option<u32>, limit: u32) -> Result<Vec<u32>> {
        self.ask(move |connection| books::pending(connection, key, after, limit))
            .await
    }

    /// The deferred rows that fall due by `until`, the earliest first.
    pub async fn deferred(&self, key: Key, until: Timestamp) -> Result<Vec<Due>> {
        self.ask(move |connection| books::deferred(connection, key, until))
            .await
    }

    /// When the next deferred row falls due.
    pub async fn next_deferred(&self, key: Key) -> Result<Option<Timestamp>> {
        self.ask(move |connection| books::next_deferred(connection, key))
            .await
    }

    /// Says that a row is about to be sent through a relay: queued at once, durable when the intent
    /// says so. Only a row that is pending or deferred can be.
    pub fn intent(&self, key: Key, attempt: Attempt) -> Intent {
        let (done, answer) = oneshot::channel();
        self.push(Op::Intent { key, attempt, done });
        Intent(answer)
    }

    /// Says what became of a row that is `sending`. Queued, and on stable storage before any intent
    /// that is queued later; [`Ledger::flush`] tells of failures.
    pub fn record(&self, key: Key, seq: u32, entry: Entry) {
        self.push(Op::Record { key, seq, entry });
    }

    /// Leaves a row out that is pending or deferred.
    pub async fn skip(&self, key: Key, seq: u32, reason: &str, now: Timestamp) -> Result<()> {
        let reason = reason.to_owned();
        self.ask(move |connection| change::skip(connection, key, seq, &reason, now))
            .await
    }

    /// Leaves many rows out that are pending or deferred; the seqs stand in order. A commit for each few
    /// thousand.
    pub async fn skip_all(
        &self,
        key: Key,
        seqs: &[u32],
        reason: &'static str,
        now: Timestamp,
    ) -> Result<()> {
        for some in seqs.chunks(MANY) {
            let some = some.to_vec();
            self.ask(move |connection| {
                some.iter()
                    .try_for_each(|seq| change::skip(connection, key, *seq, reason, now))
            })
            .await?;
        }
        Ok(())
    }

    /// The rows that were skipped because their people had left the list or were suppressed, in order.
    pub async fn left_out(&self, key: Key) -> Result<Vec<u32>> {
        self.ask(move |connection| books::left_out(connection, key))
            .await
    }

    /// Makes rows pending again that were skipped so; those that were not stay as they are. A campaign
    /// that has something to send again is not complete any more.
    pub async fn take_back(&self, key: Key, seqs: &[u32]) -> Result<()> {
        for some in seqs.chunks(MANY) {
            let some = some.to_vec();
            self.ask(move |connection| change::take_back(connection, key, &some))
                .await?;
        }
        Ok(())
    }

    /// Those of some rows, which stand in order, that are pending or deferred.
    pub async fn open_among(&self, key: Key, seqs: &[u32]) -> Result<Vec<u32>> {
        let mut open = Vec::new();
        for some in seqs.chunks(MANY) {
            let some = some.to_vec();
            let found = self.ask(move |connection| books::open_among(connection, key, &some));
            open.extend(found.await?);
        }
        Ok(open)
    }

    /// Gives up all rows that are pending or deferred, because their time has passed.
    pub async fn expire(&self, key: Key, now: Timestamp) -> Result<u64> {
        self.ask(move |connection| change::expire(connection, key, now))
            .await
    }

    /// Notes the state of a campaign.
    pub async fn set_state(&self, key: Key, state: CampaignState, now: Timestamp) -> Result<()> {
        self.ask(move |connection| change::set_state(connection, key, &state, now))
            .await
    }

    /// How many rows are in each state.
    pub async fn counts(&self, key: Key) -> Result<Counts> {
        self.ask(move |connection| books::counts(connection, key))
            .await
    }

    /// The next `limit` rows after a seq, or from the first on.
    pub async fn rows(&self, key: Key, after: Option<u32>, limit: u32) -> Result<Vec<Row>> {
        self.ask(move |connection| books::rows(connection, key, after, limit))
            .await
    }

    /// When the last intent for a relay was, to the second.
    pub async fn last_intent(&self, relay: &str) -> Result<Option<Timestamp>> {
        let relay = relay.to_owned();
        self.ask(move |connection| books::last_intent(connection, &relay))
            .await
    }

    /// Waits until all that was said so far is on stable storage; tells of any failure before.
    pub async fn flush(&self) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.push(Op::Flush { done });
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The median time of a durable commit so far.
    pub async fn commit_time(&self) -> Result<Option<Duration>> {
        let (done, answer) = oneshot::channel();
        self.push(Op::Timing { done });
        answer.await.map_err(|_| gone())
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, answer) = oneshot::channel();
        self.push(Op::Ask(Ask::new(question, done)));
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    fn push(&self, op: Op) {
        // Where the thread is gone, the answer will be missing; that is an error of its own.
        if let Some(ops) = &self.ops {
            let _ = ops.send(op);
        }
    }

    /// What the user calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Ledger {
    /// Lets the thread finish what is queued, then gives up the lock.
    fn drop(&mut self) {
        self.ops = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The process that holds a ledger, if there is one. (A ledger that is free is locked for a moment.)
pub fn holder(path: &Path) -> Result<Option<String>> {
    let lock = lock_path(path);
    Ok(fs::lock(&lock, &std::process::id().to_string())?.err())
}

fn lock_path(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

fn held(path: &Path, holder: &str) -> Error {
    let who = match holder.trim() {
        "" => "another process".to_owned(),
        pid => format!("process {pid}"),
    };
    Error::new(
        Kind::TryLater,
        format!("{who} is sending from the ledger `{}`", path.display()),
    )
    .hint("One process sends at a time; wait until it is done, then run the command again.")
}

fn gone() -> Error {
    Error::new(Kind::Io, "the ledger has stopped")
}

/// The error of an operation on the ledger. What SQLite says of the disk is passed on.
fn cannot(cause: &rusqlite::Error) -> Error {
    explained(Error::new(Kind::Io, "cannot use the ledger"), cause)
}

/// The same where we know which one.
fn cannot_use(name: &str, cause: &rusqlite::Error) -> Error {
    explained(
        Error::new(Kind::Io, format!("cannot use the ledger `{name}`")),
        cause,
    )
}

fn explained(error: Error, cause: &rusqlite::Error) -> Error {
    let error = error.because(cause);
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            error.hint("Free some space on the disk and run the command again.")
        }
        // On a full disk SQLite may fail before it writes, when it maps memory.
        Some(rusqlite::ErrorCode::SystemIoFailure) => error.hint(
            "See whether the disk is full or in trouble, and run the command again; nobody is sent to twice.",
        ),
        Some(
            rusqlite::ErrorCode::ReadOnly
            | rusqlite::ErrorCode::CannotOpen
            | rusqlite::ErrorCode::PermissionDenied,
        ) => error.hint(
            "See to it that this user may write the file and its folder: without the books nothing is sent.",
        ),
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            error.hint("It is damaged, or another program's file. Bring the ledger back from a copy: without it nobody can tell who has had their mail.")
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests;
