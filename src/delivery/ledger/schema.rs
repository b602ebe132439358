//! The tables, and how the file is opened.

use std::{path::PathBuf, time::Duration};

use rusqlite::{Connection, OpenFlags, params};

use super::{Key, NewCampaign, State, cannot};
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

/// What a ledger of version 1 lacks.
const FROM_1: &str = "
ALTER TABLE campaign ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN slot INTEGER;
ALTER TABLE campaign ADD COLUMN deliver_by INTEGER;
ALTER TABLE campaign ADD COLUMN wanted TEXT;
ALTER TABLE delivery ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN relay INTEGER;
CREATE INDEX delivery_unknown ON delivery(campaign) WHERE state = 5;
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
PRAGMA user_version = 2;
";

/// Where the books are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    File(PathBuf),
    Memory,
}

/// Opens the ledger for writing, with its tables.
pub(super) fn open(source: &Source) -> Result<Connection> {
    let connection = match source {
        Source::File(path) => {
            // SQLite gives its side files the mode of the file itself.
            fs::write_new(path, b"", fs::Access::Private)?;
            Connection::open(path)
        }
        Source::Memory => Connection::open_in_memory(),
    };
    let connection = connection.map_err(|cause| cannot(&cause))?;
    let prepare = || -> rusqlite::Result<i32> {
        connection.busy_timeout(Duration::from_secs(10))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if (id, version) == (APPLICATION_ID, 1) {
            connection.execute_batch(&format!("BEGIN IMMEDIATE; {FROM_1} COMMIT;"))?;
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
            "BEGIN IMMEDIATE; {TABLES}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
        Ok(VERSION)
    };
    let version = prepare().map_err(|cause| cannot(&cause))?;
    check(&connection, version)?;
    // WAL lets others read while we write. FULL syncs at each commit; NORMAL would forget the last
    // intents in a power cut, and people would get their mail twice.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;",
        )
        .map_err(|cause| cannot(&cause))?;
    Ok(connection)
}

/// Opens the ledger for reading alone; it may be in use.
pub(super) fn open_read_only(path: &std::path::Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i32)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, version))
    };
    let (connection, version) = open().map_err(|cause| cannot(&cause))?;
    check(&connection, version)?;
    Ok(connection)
}

/// Opens the ledger for a short change, beside a process that may hold its lock.
pub(super) fn open_beside(path: &std::path::Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(Connection, i32)> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.execute_batch("PRAGMA synchronous = FULL;")?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((connection, version))
    };
    let (connection, version) = open().map_err(|cause| cannot(&cause))?;
    check(&connection, version)?;
    Ok(connection)
}

fn check(connection: &Connection, version: i32) -> Result<()> {
    let id: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|cause| cannot(&cause))?;
    match (id, version) {
        (APPLICATION_ID, VERSION) => Ok(()),
        (APPLICATION_ID, _) => Err(Error::new(
            Kind::Io,
            format!("the ledger is of version {version}; this program knows version {VERSION}"),
        )
        .hint("Use the version of letterpress that wrote it, or a later one.")),
        _ => Err(Error::new(Kind::Io, "the file is not a ledger")
            .hint("It belongs to another program; name another file in `[ledger]`.")),
    }
}

/// Enters a campaign and its rows; the caller has a transaction open.
pub(super) fn insert(
    connection: &Connection,
    campaign: &NewCampaign,
    total: u32,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO campaign(id, content_hash, audience_hash, total, state, created_at)
         VALUES(?1, ?2, ?3, ?4, 'scheduled', ?5)",
        params![
            campaign.id,
            campaign.content_hash,
            campaign.audience_hash,
            total,
            campaign.created_at.as_millisecond(),
        ],
    )?;
    let key = Key(connection.last_insert_rowid());
    let mut row =
        connection.prepare("INSERT INTO delivery(campaign, seq, state) VALUES(?1, ?2, ?3)")?;
    for seq in 0..total {
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
