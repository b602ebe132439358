//! The tables, and how the file is opened.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::{Generation, Key, NewCampaign, State, Terms, cannot_use, mark};
use crate::{
    error::{Error, Kind, Result},
    fs,
};

/// "LPL1": says of a file that it is a ledger of ours.
const APPLICATION_ID: i32 = 0x4c50_4c31;

/// The version of the tables.
const VERSION: i32 = 2;

/// `WITHOUT ROWID` keeps the rows in the order of their keys, and half as large.
const TABLES: &str = "
CREATE TABLE campaign(
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  content_hash TEXT NOT NULL,
  audience_hash TEXT NOT NULL,
  total INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  slot INTEGER,
  deliver_by INTEGER,
  wanted TEXT
) STRICT;
CREATE TABLE delivery(
  campaign INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  code INTEGER,
  reply TEXT,
  at INTEGER,
  next_at INTEGER,
  message_id TEXT,
  generation INTEGER NOT NULL DEFAULT 0,
  relay INTEGER,
  PRIMARY KEY(campaign, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_sending ON delivery(campaign) WHERE state = 1;
CREATE INDEX delivery_deferred ON delivery(campaign, next_at) WHERE state = 3;
CREATE INDEX delivery_unknown ON delivery(campaign) WHERE state = 5;
CREATE TABLE attempt(
  campaign INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  number INTEGER NOT NULL,
  state INTEGER NOT NULL,
  code INTEGER,
  reply TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY(campaign, seq, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE relay_usage(
  relay TEXT NOT NULL,
  second INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY(relay, second)
) STRICT, WITHOUT ROWID;
";

/// The tables that came with version 2.
const SINCE_2: &str = "
CREATE TABLE relay(
  key INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first_at INTEGER,
  not_before INTEGER,
  reason TEXT,
  share REAL
) STRICT;
CREATE TABLE run(
  issue TEXT NOT NULL,
  slot INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY(issue, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE note(
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// What the other tables of version 1 lack.
const FROM_1: &str = "
ALTER TABLE campaign ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN slot INTEGER;
ALTER TABLE campaign ADD COLUMN deliver_by INTEGER;
ALTER TABLE campaign ADD COLUMN wanted TEXT;
ALTER TABLE delivery ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN relay INTEGER;
CREATE INDEX delivery_unknown ON delivery(campaign) WHERE state = 5;
";

/// Where the books are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File(PathBuf),
    Memory,
}

impl Source {
    /// What it is called.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Memory => "in memory".to_owned(),
        }
    }
}

/// A ledger up to this size is looked over whenever it is opened, a larger one when the process before
/// did not close it.
const SMALL: u64 = 64 << 20;

/// Looks all pages over before anything is done by what stands in them.
pub(super) fn look_over(path: &Path) -> Result<()> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let was_cut_off = fs::stamp(Path::new(&wal)).is_some_and(|stamp| !stamp.is_empty());
    let Some(stamp) = fs::stamp(path).filter(|stamp| !stamp.is_empty()) else {
        return Ok(());
    };
    if !was_cut_off && stamp.length() > SMALL {
        return Ok(());
    }
    let name = path.display().to_string();
    let check = || -> rusqlite::Result<String> {
        let connection = Connection::open(path)?;
        mark::keep(&connection)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    match check().map_err(|cause| cannot_use(&name, &cause))?.as_str() {
        "ok" => Ok(()),
        fault => Err(Error::new(Kind::Io, format!("the ledger `{name}` is damaged"))
            .because_of(fault)
            .hint("Nothing was sent. Bring the ledger back from a copy, with the `-wal` file beside it: without it nobody can tell who has had their mail.")),
    }
}

/// Opens the ledger for writing, with its tables.
pub(super) fn open(source: &Source) -> Result<Connection> {
    let name = source.name();
    let connection = match source {
        Source::File(path) => {
            mark::check(path)?;
            // SQLite gives its side files the mode of the file itself.
            fs::write_new(path, b"", fs::Access::Private)?;
            Connection::open(path)
        }
        Source::Memory => Connection::open_in_memory(),
    };
    let connection = connection.map_err(|cause| cannot_use(&name, &cause))?;
    let prepare = || -> rusqlite::Result<i32> {
        mark::keep(&connection)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if (id, version) == (APPLICATION_ID, 1) {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {FROM_1} {SINCE_2} PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
            return Ok(VERSION);
        }
        if version != 0 {
            return Ok(version);
        }
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
        if tables > 0 {
            return Ok(version);
        }
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} {SINCE_2}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
        Ok(VERSION)
    };
    let version = prepare().map_err(|cause| cannot_use(&name, &cause))?;
    check(&connection, &name, version)?;
    // WAL lets others read while we write. FULL syncs at each commit; NORMAL would forget the last
    // intents in a power cut, and people would get their mail twice.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;",
        )
        .map_err(|cause| cannot_use(&name, &cause))?;
    Ok(connection)
}

/// Opens the ledger for reading alone; it may be in use.
pub(super) fn open_read_only(path: &Path) -> Result<Connection> {
    let name = path.display().to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i32)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, version))
    };
    let (connection, version) = open().map_err(|cause| cannot_use(&name, &cause))?;
    check(&connection, &name, version)?;
    Ok(connection)
}

/// Opens the ledger for a short change, beside a process that may hold its lock.
pub(super) fn open_beside(path: &Path) -> Result<Connection> {
    let name = path.display().to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    mark::check(path)?;
    let open = || -> rusqlite::Result<(Connection, i32)> {
        let connection = Connection::open_with_flags(path, flags)?;
        mark::keep(&connection)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.execute_batch("PRAGMA synchronous = FULL;")?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, version))
    };
    let (connection, version) = open().map_err(|cause| cannot_use(&name, &cause))?;
    check(&connection, &name, version)?;
    Ok(connection)
}

fn check(connection: &Connection, name: &str, version: i32) -> Result<()> {
    let id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|cause| cannot_use(name, &cause))?;
    match (id, version) {
        (APPLICATION_ID, VERSION) => Ok(()),
        (APPLICATION_ID, ..VERSION) => Err(Error::new(
            Kind::Io,
            format!("the ledger `{name}` is of the earlier version {version}"),
        )
        .hint("The next `send` brings it up to date.")),
        (APPLICATION_ID, _) => Err(Error::new(
            Kind::Io,
            format!(
                "the ledger `{name}` is of version {version}; this program knows version {VERSION}"
            ),
        )
        .hint("Use the version of letterpress that wrote it, or a later one.")),
        _ => Err(
            Error::new(Kind::Io, format!("the file `{name}` is not a ledger"))
                .hint("It belongs to another program; name another file in `[ledger]`."),
        ),
    }
}

/// Enters a campaign and its rows; the caller has a transaction open.
pub(super) fn insert(
    connection: &Connection,
    campaign: &NewCampaign,
    total: u32,
    terms: Terms,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO campaign(id, content_hash, audience_hash, total, state, created_at, slot, deliver_by)
         VALUES(?1, ?2, ?3, ?4, 'scheduled', ?5, ?6, ?7)",
        params![
            campaign.id,
            campaign.content_hash,
            campaign.audience_hash,
            total,
            campaign.created_at.as_millisecond(),
            terms.slot.map(Timestamp::as_millisecond),
            terms.deliver_by.map(Timestamp::as_millisecond),
        ],
    )?;
    rows(connection, Key(connection.last_insert_rowid()), 0..total)
}

/// Changes to another generation, which may have rows more; false when the campaign is at another one
/// than that before it.
pub(super) fn grow(connection: &Connection, key: Key, next: &Generation) -> rusqlite::Result<bool> {
    let before: Option<u32> = connection
        .query_row(
            "SELECT total FROM campaign WHERE key = ?1 AND generation = ?2 - 1 AND total <= ?3",
            params![key, next.number, next.total],
            |record| record.get(0),
        )
        .optional()?;
    let Some(before) = before else {
        return Ok(false);
    };
    connection.execute(
        "UPDATE campaign SET generation = ?2, content_hash = ?3, audience_hash = ?4, total = ?5, deliver_by = ?6 WHERE key = ?1",
        params![
            key,
            next.number,
            next.content_hash,
            next.audience_hash,
            next.total,
            next.deliver_by.map(Timestamp::as_millisecond),
        ],
    )?;
    if before < next.total {
        // There is something to do again.
        connection.execute(
            "UPDATE campaign SET finished_at = NULL,
             state = CASE state WHEN 'complete' THEN 'interrupted' ELSE state END WHERE key = ?1",
            [key],
        )?;
    }
    rows(connection, key, before..next.total)?;
    Ok(true)
}

fn rows(connection: &Connection, key: Key, seqs: Range<u32>) -> rusqlite::Result<()> {
    let mut row =
        connection.prepare("INSERT INTO delivery(campaign, seq, state) VALUES(?1, ?2, ?3)")?;
    for seq in seqs {
        row.execute(params![key, seq, State::Pending])?;
    }
    Ok(())
}

/// Removes a campaign and its rows.
pub(super) fn forget(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    for table in ["delivery", "attempt"] {
        connection.execute(
            &format!(
                "DELETE FROM {table} WHERE campaign = (SELECT key FROM campaign WHERE id = ?1)"
            ),
            [id],
        )?;
    }
    connection.execute("DELETE FROM campaign WHERE id = ?1", [id])?;
    Ok(())
}
