//! The mark beside a ledger that was not closed: the last mails of a run stand in its `-wal` file until
//! then. A copy of the ledger without that file looks sound, and would send them all again.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, config::DbConfig};

use crate::{
    error::{Error, Kind, Result},
    fs::{self, Access},
};

const WORDS: &[u8] =
    b"The ledger beside this file is in use, or was not closed. Keep its `-wal` file with it.\n";

fn beside(ledger: &Path, end: &str) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(end);
    path.into()
}

fn mark(ledger: &Path) -> PathBuf {
    beside(ledger, ".open")
}

/// Refuses a ledger that was not closed and has lost its last pages.
pub(super) fn check(ledger: &Path) -> Result<()> {
    let is_there = |path: &Path| fs::stamp(path).is_some_and(|stamp| !stamp.is_empty());
    if !is_there(&mark(ledger)) || is_there(&beside(ledger, "-wal")) {
        return Ok(());
    }
    if !is_there(ledger) {
        // Another ledger begins here.
        return fs::remove_file(&mark(ledger));
    }
    Err(Error::new(
        Kind::Io,
        format!(
            "the ledger `{}` was not closed, and its `-wal` file is gone, with the last mails that were sent",
            ledger.display()
        ),
    )
    .hint("Bring back the file that ends in `-wal` from where the ledger was copied.")
    .hint(format!(
        "If it is lost for good, remove `{}`. Whoever had their mail in the last run may then get it again.",
        mark(ledger).display()
    )))
}

/// Marks a ledger; its `-wal` file holds something by now.
pub(super) fn set(ledger: &Path) -> Result<()> {
    fs::write(&mark(ledger), WORDS, Access::Private)
}

/// Closes for good: with all pages in their place the mark is taken away, and the `-wal` file may go.
/// Where that fails, both stay.
pub(super) fn close(connection: &Connection, ledger: &Path) {
    let moved = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)? == row.get::<_, i64>(2)?,
        ))
    });
    if matches!(moved, Ok((0, true))) {
        // What stays is safe: the next run sees to it.
        let _ = fs::remove_file(&mark(ledger));
    }
    leave(connection);
}

/// Has the `-wal` file kept when a connection is closed, until the mark is gone.
pub(super) fn keep(connection: &Connection) -> rusqlite::Result<()> {
    set_kept(connection, true)
}

/// To be called before a connection is closed.
pub(super) fn leave(connection: &Connection) {
    let is_marked = connection
        .path()
        .is_some_and(|path| mark(Path::new(path)).exists());
    // Where this fails, the `-wal` file stays, which does no harm.
    let _ = set_kept(connection, is_marked);
}

fn set_kept(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    let setting = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    connection.set_db_config(setting, keep).map(drop)
}
