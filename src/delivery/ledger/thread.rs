//! The one writer: takes what has queued up, commits it together, and answers.
//!
//! No timer and no artificial delay: while one commit is being synced the next batch gathers by
//! itself. After a commit that failed nothing new is begun, but what relays have told us is kept and
//! written by a fresh connection as soon as that is possible.

use std::{
    collections::VecDeque,
    sync::mpsc::{Receiver, TryRecvError},
    time::{Duration, Instant},
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    Attempt, Entry, Key, cannot, cannot_use,
    change::{intent, record},
    mark,
    schema::{self, Source},
};
use crate::error::{Error, Result};

/// The most operations in one commit.
const BATCH: usize = 1024;

/// How many commit times are kept for the median.
const TIMES: usize = 4096;

/// Something to do.
pub(super) enum Op {
    Intent {
        key: Key,
        attempt: Attempt,
        done: oneshot::Sender<Result<()>>,
    },
    Record {
        key: Key,
        seq: u32,
        entry: Entry,
    },
    Ask(Ask),
    Flush {
        done: oneshot::Sender<Result<()>>,
    },
    Timing {
        done: oneshot::Sender<Option<Duration>>,
    },
}

/// A question or a change that is not on the hot path, with the way to answer it. The answer goes out
/// when the commit has succeeded.
pub(super) struct Ask(Question);

type Question = Box<dyn FnOnce(Result<&Connection>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<()>) + Send>;

impl Ask {
    pub(super) fn new<T: Send + 'static>(
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        done: oneshot::Sender<Result<T>>,
    ) -> Self {
        Self(Box::new(move |connection| {
            let answer = connection.and_then(|connection| {
                all_or_nothing(connection, question).map_err(|cause| cannot(&cause))
            });
            Box::new(move |commit| {
                // Nobody may be waiting any more.
                let _ = done.send(commit.and(answer));
            })
        }))
    }
}

/// What fails halfway leaves no trace in the transaction that others share.
fn all_or_nothing<T>(
    connection: &Connection,
    question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT ask")?;
    let answer = question(connection);
    let end = match answer {
        Ok(_) => "RELEASE ask",
        Err(_) => "ROLLBACK TO ask; RELEASE ask",
    };
    let ended = connection.execute_batch(end);
    let answer = answer?;
    ended.map(|()| answer)
}

/// Works until nobody can ask for anything any more.
pub(super) fn run(source: &Source, connection: Connection, inbox: &Receiver<Op>) {
    let mut writer = Writer::new(source, connection);
    while let Ok(first) = inbox.recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match inbox.try_recv() {
                Ok(op) => batch.push(op),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        writer.work(batch);
    }
    writer.settle();
    writer.close();
}

pub(super) struct Writer<'a> {
    source: &'a Source,
    connection: Connection,
    // Why nothing new may be begun.
    broken: Option<Error>,
    // What relays said, but no commit has taken yet.
    owed: Vec<(Key, u32, Entry)>,
    times: VecDeque<Duration>,
    // Whether the file has its mark.
    marked: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(source: &'a Source, connection: Connection) -> Self {
        Self {
            source,
            connection,
            broken: None,
            owed: Vec::new(),
            times: VecDeque::new(),
            marked: false,
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    #[cfg(test)]
    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }

    /// Commits a batch together, and answers.
    pub(super) fn work(&mut self, batch: Vec<Op>) {
        if self.broken.is_some() {
            return self.refuse(batch);
        }
        let begun = Instant::now();
        let mut answers: Vec<Answer> = Vec::new();
        let mut records = Vec::new();
        let mut synced = false;
        let mut mismatch = None;
        let mut flushes = Vec::new();

        let commit = (|| -> rusqlite::Result<()> {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut failed = None;
            for op in batch {
                match op {
                    Op::Intent { key, attempt, done } => {
                        synced = true;
                        let changed = match failed {
                            None => intent(&transaction, key, &attempt),
                            Some(_) => Ok(false),
                        };
                        let answer = match changed {
                            Ok(true) => Ok(()),
                            Ok(false) => Err(Error::bug(format!("row {} is not due", attempt.seq))),
                            Err(cause) => {
                                let error = cannot(&cause);
                                failed.get_or_insert(cause);
                                Err(error)
                            }
                        };
                        answers.push(Box::new(move |commit: Result<()>| {
                            let _ = done.send(commit.and(answer));
                        }));
                    }
                    Op::Record { key, seq, entry } => {
                        synced = true;
                        if failed.is_none() {
                            match record(&transaction, key, seq, &entry) {
                                Ok(true) => {}
                                Ok(false) => mismatch = Some(seq),
                                Err(cause) => failed = Some(cause),
                            }
                        }
                        records.push((key, seq, entry));
                    }
                    Op::Ask(ask) => answers.push((ask.0)(Ok(&transaction))),
                    Op::Flush { done } => flushes.push(done),
                    Op::Timing { done } => {
                        let _ = done.send(median(&self.times));
                    }
                }
            }
            match failed {
                None => transaction.commit(),
                // Dropping the transaction rolls it back.
                Some(cause) => Err(cause),
            }
        })();

        let commit = commit.map_err(|cause| cannot_use(&self.source.name(), &cause));
        match &commit {
            Ok(()) if synced => {
                self.mark();
                if self.times.len() == TIMES {
                    self.times.pop_front();
                }
                self.times.push_back(begun.elapsed());
            }
            Ok(()) => {}
            Err(error) => {
                self.broken = Some(error.clone());
                self.owed = records;
            }
        }
        if let Some(seq) = mismatch {
            let error = Error::bug(format!("row {seq} was settled, but nobody was sending it"));
            self.broken.get_or_insert(error);
        }
        for answer in answers {
            answer(commit.clone());
        }
        for done in flushes {
            let _ = done.send(self.flushed());
        }
    }

    /// Marks the file before the first mail leaves.
    fn mark(&mut self) {
        if let (Source::File(path), false) = (self.source, self.marked) {
            // Without the mark nothing is lost but a warning, and the disk may be full.
            self.marked = mark::set(path).is_ok();
        }
    }

    /// Ends the work for good, unless something is wrong: then all stays as it is.
    fn close(&self) {
        if let (Source::File(path), None) = (self.source, &self.broken) {
            mark::close(&self.connection, path);
        }
    }

    /// After a failure: keeps what relays said, and begins nothing.
    fn refuse(&mut self, batch: Vec<Op>) {
        let error = self.broken.clone().unwrap_or_else(super::gone);
        for op in batch {
            match op {
                Op::Intent { done, .. } => {
                    let _ = done.send(Err(error.clone()));
                }
                Op::Record { key, seq, entry } => self.owed.push((key, seq, entry)),
                Op::Ask(ask) => (ask.0)(Err(error.clone()))(Err(error.clone())),
                Op::Flush { done } => {
                    self.settle();
                    let _ = done.send(self.flushed());
                }
                Op::Timing { done } => {
                    let _ = done.send(median(&self.times));
                }
            }
        }
    }

    fn flushed(&self) -> Result<()> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Tries to write what is owed. After a failed sync a connection cannot be trusted: what it takes
    /// for written may be lost. A new one reads the truth from the disk.
    fn settle(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        if matches!(self.source, Source::File(_)) {
            match schema::open(self.source) {
                Ok(connection) => self.connection = connection,
                Err(_) => return,
            }
        }
        let owed = &self.owed;
        let written = (|| -> rusqlite::Result<()> {
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (key, seq, entry) in owed {
                record(&transaction, *key, *seq, entry)?;
            }
            transaction.commit()
        })();
        if written.is_ok() {
            self.owed.clear();
        }
    }
}

fn median(times: &VecDeque<Duration>) -> Option<Duration> {
    let mut times: Vec<Duration> = times.iter().copied().collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
