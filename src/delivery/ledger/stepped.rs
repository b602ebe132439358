//! A ledger whose commits are made by hand: for tests that decide when a commit happens, and what a
//! crash between two of them leaves behind.

use std::{
    collections::VecDeque,
    sync::mpsc::{self, Receiver},
};

use rusqlite::Connection;

use super::{
    Ledger,
    schema::{self, Source},
    thread::{Op, Writer},
};
use crate::error::Result;

/// The writer of a [`Ledger`], without its thread.
pub(in crate::delivery) struct Stepper {
    inbox: Receiver<Op>,
    queue: VecDeque<Op>,
    writer: Writer<'static>,
}

/// An empty database in memory, as a disk that survives the process.
pub(in crate::delivery) fn disk() -> Result<Connection> {
    schema::open(&Source::Memory)
}

/// A ledger on that disk, and the hand that writes it.
pub(in crate::delivery) fn ledger(disk: Connection) -> (Ledger, Stepper) {
    let (ops, inbox) = mpsc::channel();
    let ledger = Ledger {
        name: "by hand".to_owned(),
        ops: Some(ops),
        thread: None,
        _lock: None,
    };
    let stepper = Stepper {
        inbox,
        queue: VecDeque::new(),
        writer: Writer::new(&Source::Memory, disk),
    };
    (ledger, stepper)
}

impl Stepper {
    /// How many operations wait for a commit.
    pub(in crate::delivery) fn waiting(&mut self) -> usize {
        self.queue.extend(self.inbox.try_iter());
        self.queue.len()
    }

    /// Commits the first `count` operations that wait, together.
    pub(in crate::delivery) fn commit(&mut self, count: usize) {
        let batch = self.queue.drain(..count).collect();
        self.writer.work(batch);
    }

    /// What is on stable storage.
    pub(in crate::delivery) fn disk(&self) -> &Connection {
        self.writer.connection()
    }

    /// The process ends here: what was not committed is gone.
    pub(in crate::delivery) fn crash(self) -> Connection {
        self.writer.into_connection()
    }
}
