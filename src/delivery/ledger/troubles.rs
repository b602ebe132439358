//! What a run leaves for the next one and for who looks on: since when a relay gives nothing but
//! trouble, and when the run is expected to be done.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Books, Key, Ledger, cannot};
use crate::error::Result;

/// A relay that gives nothing but trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Troubled {
    /// Since when.
    pub since: Timestamp,
    /// When it last did.
    pub last: Timestamp,
}

impl Ledger {
    /// Since when a relay gives nothing but trouble.
    pub async fn troubled(&self, relay: &str) -> Result<Option<Troubled>> {
        let name = trouble_of(relay);
        let note = self.ask(move |connection| read(connection, &name)).await?;
        Ok(note.as_deref().and_then(|note| {
            let (since, last) = note.split_once(' ')?;
            Some(Troubled {
                since: time(since)?,
                last: time(last)?,
            })
        }))
    }

    /// Notes that, or that it is over.
    pub async fn note_trouble(&self, relay: &str, troubled: Option<Troubled>) -> Result<()> {
        let value = troubled.map(|Troubled { since, last }| {
            format!("{} {}", since.as_millisecond(), last.as_millisecond())
        });
        self.note(trouble_of(relay), value).await
    }

    /// Notes when the run is expected to be done, or that nobody can tell.
    pub async fn expect(&self, key: Key, finish: Option<Timestamp>) -> Result<()> {
        let value = finish.map(|finish| finish.as_millisecond().to_string());
        self.note(finish_of(key), value).await
    }

    async fn note(&self, name: String, value: Option<String>) -> Result<()> {
        let write = move |connection: &Connection| match value {
            None => connection.execute("DELETE FROM note WHERE name = ?1", [name]),
            Some(value) => connection.execute(
                "INSERT OR REPLACE INTO note(name, value) VALUES(?1, ?2)",
                params![name, value],
            ),
        };
        self.ask(write).await.map(drop)
    }
}

impl Books {
    /// When the run that is under way is expected to be done; `None` when nobody can tell or there is
    /// none.
    pub fn expected(&self, key: Key) -> Result<Option<Timestamp>> {
        let note = read(&self.0, &finish_of(key)).map_err(|cause| cannot(&cause))?;
        Ok(note.as_deref().and_then(time))
    }
}

fn read(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT value FROM note WHERE name = ?1", [name], |record| {
            record.get(0)
        })
        .optional()
}

fn time(text: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}

fn trouble_of(relay: &str) -> String {
    format!("trouble {relay}")
}

fn finish_of(key: Key) -> String {
    format!("finish {}", key.0)
}
