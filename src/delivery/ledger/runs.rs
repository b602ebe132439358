//! What cron has to remember between its runs: which slots were begun or missed, and what was said.
//!
//! Written in short transactions of its own, beside a process that sends: no lock is needed, because
//! nothing here says anything about a mail.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Books, Key, cannot, mark, schema};
use crate::{error::Result, fs};

/// What became of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It was seen in time: its issue is to be sent, be it later.
    Begun,
    /// It was seen too late, and its issue is not sent for it.
    Missed,
}

impl RunState {
    const ALL: [Self; 2] = [Self::Begun, Self::Missed];

    fn word(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Missed => "missed",
        }
    }
}

/// A slot of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which, to the second.
    pub slot: Timestamp,
    /// What became of it.
    pub state: RunState,
}

/// How many slots back anybody looks.
const RECENT: u32 = 64;

/// The part of the ledger that is cron's, open for writing.
#[derive(Debug)]
pub struct Diary(Connection);

impl Diary {
    /// Opens it in the file of a ledger.
    pub fn open(path: &Path) -> Result<Self> {
        schema::open(&schema::Source::File(path.to_owned())).map(Self)
    }

    /// Enters a slot of an issue; false when it stands there already, which is left as it is.
    pub fn enter(&self, issue: &str, run: Run, now: Timestamp) -> Result<bool> {
        let changed = self.0.execute(
            "INSERT INTO run(issue, slot, state, at) VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            params![
                issue,
                run.slot.as_second(),
                run.state.word(),
                now.as_millisecond()
            ],
        );
        Ok(changed.map_err(|cause| cannot(&cause))? > 0)
    }

    /// Notes something under a name; false when just that stood there already.
    pub fn note(&self, name: &str, value: &str) -> Result<bool> {
        let changed = self.0.execute(
            "INSERT INTO note(name, value) VALUES(?1, ?2)
             ON CONFLICT DO UPDATE SET value = excluded.value WHERE value != excluded.value",
            [name, value],
        );
        Ok(changed.map_err(|cause| cannot(&cause))? > 0)
    }

    /// Forgets what was noted under a name.
    pub fn forget(&self, name: &str) -> Result<()> {
        let changed = self.0.execute("DELETE FROM note WHERE name = ?1", [name]);
        changed.map(drop).map_err(|cause| cannot(&cause))
    }
}

impl Drop for Diary {
    fn drop(&mut self) {
        mark::leave(&self.0);
    }
}

impl Books {
    /// Opens the ledger in a file; `None` when there is none, or an empty file that is to become one.
    /// One of an earlier version is brought up to date.
    pub fn open_if_begun(path: &Path) -> Result<Option<Self>> {
        if fs::stamp(path).is_none_or(|stamp| stamp.is_empty()) {
            return Ok(None);
        }
        Self::open(path).or_else(|_| {
            Diary::open(path)?;
            Self::open(path)
        })
    }

    /// The latest slots of an issue, the latest first.
    pub fn runs(&self, issue: &str) -> Result<Vec<Run>> {
        runs(&self.0, issue).map_err(|cause| cannot(&cause))
    }

    /// All that was noted.
    pub fn notes(&self) -> Result<BTreeMap<String, String>> {
        notes(&self.0).map_err(|cause| cannot(&cause))
    }

    /// Whether a run would find something to do in a campaign that is not complete: a row that is due,
    /// one that was on its way, or nothing but the end to be noted.
    pub fn has_work(&self, key: Key, now: Timestamp) -> Result<bool> {
        has_work(&self.0, key, now).map_err(|cause| cannot(&cause))
    }
}

fn runs(connection: &Connection, issue: &str) -> rusqlite::Result<Vec<Run>> {
    connection
        .prepare_cached("SELECT slot, state FROM run WHERE issue = ?1 ORDER BY slot DESC LIMIT ?2")?
        .query_map(params![issue, RECENT], |record| {
            let word: String = record.get("state")?;
            let state = RunState::ALL.into_iter().find(|it| it.word() == word);
            let slot = Timestamp::from_second(record.get("slot")?);
            Ok(Run {
                slot: slot.unwrap_or(Timestamp::MAX),
                state: state.ok_or(rusqlite::Error::InvalidParameterName(word))?,
            })
        })?
        .collect()
}

fn notes(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    connection
        .prepare("SELECT name, value FROM note")?
        .query_map([], |record| Ok((record.get(0)?, record.get(1)?)))?
        .collect()
}

fn has_work(connection: &Connection, key: Key, now: Timestamp) -> rusqlite::Result<bool> {
    let now = now.as_millisecond();
    let (is_over, next, is_sending): (bool, Option<i64>, bool) = connection.query_row(
        "SELECT coalesce((SELECT deliver_by FROM campaign WHERE key = ?1) <= ?2, FALSE),
                (SELECT min(next_at) FROM delivery WHERE campaign = ?1 AND state = 3),
                EXISTS(SELECT 1 FROM delivery WHERE campaign = ?1 AND state = 1)",
        params![key, now],
        |record| Ok((record.get(0)?, record.get(1)?, record.get(2)?)),
    )?;
    if is_over || is_sending || next.is_none_or(|next| next <= now) {
        return Ok(true);
    }
    // Who is pending is at the end, as a rule: rows are sent in their order.
    let pending = connection
        .query_row(
            "SELECT seq FROM delivery WHERE campaign = ?1 AND state = 0 ORDER BY seq DESC LIMIT 1",
            [key],
            |record| record.get::<_, u32>(0),
        )
        .optional()?;
    Ok(pending.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{
        ledger::{Attempt, Entry, Ledger, NewCampaign, State},
        pace::Usage,
    };

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_slot_is_entered_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let diary = Diary::open(&path).unwrap();
        let run = |second, state| Run {
            slot: time(second),
            state,
        };
        assert!(
            diary
                .enter("a", run(60, RunState::Begun), time(61))
                .unwrap()
        );
        assert!(
            !diary
                .enter("a", run(60, RunState::Missed), time(62))
                .unwrap()
        );
        assert!(
            diary
                .enter("a", run(120, RunState::Missed), time(63))
                .unwrap()
        );
        assert!(
            diary
                .enter("b", run(60, RunState::Missed), time(64))
                .unwrap()
        );
        let books = Books::open(&path).unwrap().unwrap();
        assert_eq!(
            books.runs("a").unwrap(),
            [run(120, RunState::Missed), run(60, RunState::Begun)]
        );
        assert_eq!(books.runs("c").unwrap(), []);
    }

    #[test]
    fn a_note_is_news_when_it_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let diary = Diary::open(&path).unwrap();
        assert!(diary.note("a", "1").unwrap());
        assert!(!diary.note("a", "1").unwrap());
        assert!(diary.note("a", "2").unwrap());
        diary.forget("a").unwrap();
        assert!(diary.note("a", "2").unwrap());
        let books = Books::open(&path).unwrap().unwrap();
        let noted = books.notes().unwrap();
        assert_eq!(noted, BTreeMap::from([("a".to_owned(), "2".to_owned())]));
    }

    /// Cron writes while another process sends.
    #[tokio::test]
    async fn a_campaign_has_work_when_a_row_is_due() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path).unwrap();
        let campaign = NewCampaign {
            id: "a@all".into(),
            content_hash: "c".into(),
            audience_hash: "a".into(),
            created_at: time(1),
        };
        let key = ledger.begin(campaign, 2).await.unwrap().key;
        let books = Books::open(&path).unwrap().unwrap();
        let has_work = |now| books.has_work(key, time(now)).unwrap();
        let entry = |state, next: Option<i64>| Entry {
            state,
            code: None,
            reply: String::new(),
            at: time(5),
            next_at: next.map(time),
        };
        assert!(has_work(1));
        for seq in [0, 1] {
            let attempt = Attempt {
                seq,
                message_id: "x".to_owned(),
                usage: Usage::new("main", time(4)),
                now: time(4),
            };
            ledger.intent(key, attempt).durable().await.unwrap();
        }
        ledger.record(key, 0, entry(State::Deferred, Some(100)));
        ledger.flush().await.unwrap();
        // One is on its way.
        assert!(has_work(99));
        ledger.record(key, 1, entry(State::Sent, None));
        ledger.flush().await.unwrap();
        assert!(!has_work(99));
        assert!(has_work(100));
        Diary::open(&path).unwrap().note("a", "1").unwrap();
        ledger.expire(key, time(100)).await.unwrap();
        // All are settled, and the end is not noted.
        assert!(has_work(99));
    }
}
