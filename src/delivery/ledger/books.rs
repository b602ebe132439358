//! Reading the books: for the one who writes them, and for others who only look.

mod reasons;

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row as Record, params};

pub use reasons::Reason;

use self::reasons::Tally;
use super::{
    Campaign, CampaignState, Counts, Due, GONE, Key, Row, SUPPRESSED, State, Wish, cannot, schema,
    steer,
};
use crate::error::Result;

/// The ledger, open for reading: needs no lock, and works while a campaign is being sent.
#[derive(Debug)]
pub struct Books(pub(super) Connection);

impl Books {
    /// Opens the ledger in a file; `None` when there is no such file.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        Ok(Some(Self(schema::open_read_only(path)?)))
    }

    /// A campaign by its id.
    pub fn campaign(&self, id: &str) -> Result<Option<Campaign>> {
        campaign(&self.0, id).map_err(|cause| cannot(&cause))
    }

    /// All campaigns, the latest first.
    pub fn campaigns(&self) -> Result<Vec<Campaign>> {
        campaigns(&self.0).map_err(|cause| cannot(&cause))
    }

    /// How many rows are in each state.
    pub fn counts(&self, key: Key) -> Result<Counts> {
        counts(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// The next `limit` rows after a seq, or from the first on.
    pub fn rows(&self, key: Key, after: Option<u32>, limit: u32) -> Result<Vec<Row>> {
        rows(&self.0, key, after, limit).map_err(|cause| cannot(&cause))
    }

    /// The next `limit` rows in a state, after a seq or from the first on.
    pub fn rows_in(
        &self,
        key: Key,
        state: State,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<Row>> {
        rows_in(&self.0, key, state, after, limit).map_err(|cause| cannot(&cause))
    }

    /// Why rows are deferred, failed, unknown, skipped or expired; the most frequent reasons of each.
    pub fn reasons(&self, key: Key) -> Result<Vec<Reason>> {
        reasons(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// How many mails each relay has taken.
    pub fn taken(&self, key: Key) -> Result<Vec<(String, u64)>> {
        taken(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// How a campaign is to go on.
    pub fn outlook(&self, key: Key) -> Result<Outlook> {
        outlook(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// The rows that are in doubt.
    pub fn unknown(&self, key: Key) -> Result<Vec<Row>> {
        unknown(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// When the next deferred row falls due.
    pub fn next_deferred(&self, key: Key) -> Result<Option<Timestamp>> {
        next_deferred(&self.0, key).map_err(|cause| cannot(&cause))
    }

    /// When the last intent for a relay was, to the second.
    pub fn last_intent(&self, relay: &str) -> Result<Option<Timestamp>> {
        last_intent(&self.0, relay).map_err(|cause| cannot(&cause))
    }
}

/// How a campaign is to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// The generation of its content and audience, from 0.
    pub generation: u32,
    /// When what is not sent is given up.
    pub deliver_by: Option<Timestamp>,
    /// What somebody wants that is not done yet.
    pub wanted: Option<Wish>,
}

const CAMPAIGN: &str = "SELECT key, id, content_hash, audience_hash, total, state, reason, created_at, started_at, finished_at, generation, slot, deliver_by FROM campaign";

pub(super) fn campaign(connection: &Connection, id: &str) -> rusqlite::Result<Option<Campaign>> {
    connection
        .prepare_cached(&format!("{CAMPAIGN} WHERE id = ?1"))?
        .query_row([id], read_campaign)
        .optional()
}

pub(super) fn campaigns(connection: &Connection) -> rusqlite::Result<Vec<Campaign>> {
    connection
        .prepare(&format!("{CAMPAIGN} ORDER BY key DESC"))?
        .query_map([], read_campaign)?
        .collect()
}

fn read_campaign(record: &Record<'_>) -> rusqlite::Result<Campaign> {
    let word: String = record.get("state")?;
    let state = CampaignState::read(&word, record.get("reason")?)
        .ok_or_else(|| rusqlite::Error::InvalidParameterName(word))?;
    Ok(Campaign {
        key: Key(record.get("key")?),
        id: record.get("id")?,
        content_hash: record.get("content_hash")?,
        audience_hash: record.get("audience_hash")?,
        total: record.get("total")?,
        state,
        created_at: time(record.get("created_at")?),
        started_at: record.get::<_, Option<i64>>("started_at")?.map(time),
        finished_at: record.get::<_, Option<i64>>("finished_at")?.map(time),
        generation: record.get("generation")?,
        slot: record.get::<_, Option<i64>>("slot")?.map(time),
        deliver_by: record.get::<_, Option<i64>>("deliver_by")?.map(time),
    })
}

pub(super) fn counts(connection: &Connection, key: Key) -> rusqlite::Result<Counts> {
    let mut counts = Counts::default();
    // Grouped by us: SQLite would sort a million states.
    let mut query = connection.prepare_cached("SELECT state FROM delivery WHERE campaign = ?1")?;
    let mut records = query.query([key])?;
    while let Some(record) = records.next()? {
        *counts.at(record.get(0)?) += 1;
    }
    Ok(counts)
}

const ROW: &str = "SELECT seq, state, attempts, code, reply, at, next_at, message_id FROM delivery";

pub(super) fn rows(
    connection: &Connection,
    key: Key,
    after: Option<u32>,
    limit: u32,
) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare_cached(&format!(
            "{ROW} WHERE campaign = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
        ))?
        .query_map(params![key, before_first(after), limit], read_row)?
        .collect()
}

fn rows_in(
    connection: &Connection,
    key: Key,
    state: State,
    after: Option<u32>,
    limit: u32,
) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare_cached(&format!(
            "{ROW} WHERE campaign = ?1 AND seq > ?2 AND state = ?4 ORDER BY seq LIMIT ?3"
        ))?
        .query_map(params![key, before_first(after), limit, state], read_row)?
        .collect()
}

fn reasons(connection: &Connection, key: Key) -> rusqlite::Result<Vec<Reason>> {
    let mut tally = Tally::default();
    let mut query = connection.prepare_cached(
        "SELECT state, code, reply FROM delivery WHERE campaign = ?1 AND state IN (3, 4, 5, 7, 8)",
    )?;
    let mut records = query.query([key])?;
    while let Some(record) = records.next()? {
        let reply: Option<String> = record.get(2)?;
        tally.add(record.get(0)?, record.get(1)?, &reply.unwrap_or_default());
    }
    Ok(tally.top())
}

fn taken(connection: &Connection, key: Key) -> rusqlite::Result<Vec<(String, u64)>> {
    connection
        .prepare_cached(
            "SELECT relay.name, count(*) FROM delivery JOIN relay ON relay.key = delivery.relay
             WHERE delivery.campaign = ?1 AND delivery.state = 2 GROUP BY relay.key ORDER BY relay.key",
        )?
        .query_map([key], |record| {
            Ok((record.get(0)?, record.get::<_, i64>(1)?.unsigned_abs()))
        })?
        .collect()
}

fn outlook(connection: &Connection, key: Key) -> rusqlite::Result<Outlook> {
    let found = connection
        .prepare_cached("SELECT generation, deliver_by, wanted FROM campaign WHERE key = ?1")?
        .query_row([key], |record| {
            Ok(Outlook {
                generation: record.get(0)?,
                deliver_by: record.get::<_, Option<i64>>(1)?.map(time),
                wanted: steer::read_wish(record.get(2)?),
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn unknown(connection: &Connection, key: Key) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare_cached(&format!(
            "{ROW} WHERE campaign = ?1 AND state = 5 ORDER BY seq"
        ))?
        .query_map([key], read_row)?
        .collect()
}

fn read_row(record: &Record<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: record.get("seq")?,
        state: record.get("state")?,
        attempts: record.get("attempts")?,
        code: record.get("code")?,
        reply: record.get("reply")?,
        at: record.get::<_, Option<i64>>("at")?.map(time),
        next_at: record.get::<_, Option<i64>>("next_at")?.map(time),
        message_id: record.get("message_id")?,
    })
}

pub(super) fn pending(
    connection: &Connection,
    key: Key,
    after: Option<u32>,
    limit: u32,
) -> rusqlite::Result<Vec<u32>> {
    connection
        .prepare_cached(
            "SELECT seq FROM delivery WHERE campaign = ?1 AND seq > ?2 AND state = 0 ORDER BY seq LIMIT ?3",
        )?
        .query_map(params![key, before_first(after), limit], |record| record.get(0))?
        .collect()
}

/// Those of some rows, which stand in order, that are still to be tried.
pub(super) fn open_among(
    connection: &Connection,
    key: Key,
    seqs: &[u32],
) -> rusqlite::Result<Vec<u32>> {
    let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else {
        return Ok(Vec::new());
    };
    let mut wanted = seqs.iter().peekable();
    let mut open = Vec::new();
    let mut query = connection.prepare_cached(
        "SELECT seq FROM delivery WHERE campaign = ?1 AND seq BETWEEN ?2 AND ?3 AND state IN (0, 3) ORDER BY seq",
    )?;
    let mut records = query.query(params![key, first, last])?;
    while let Some(record) = records.next()? {
        let seq: u32 = record.get(0)?;
        while wanted.next_if(|wanted| **wanted < seq).is_some() {}
        if wanted.next_if_eq(&&seq).is_some() {
            open.push(seq);
        }
    }
    Ok(open)
}

pub(super) fn left_out(connection: &Connection, key: Key) -> rusqlite::Result<Vec<u32>> {
    connection
        .prepare_cached(&format!(
            "SELECT seq FROM delivery WHERE campaign = ?1 AND {LEFT_OUT} ORDER BY seq"
        ))?
        .query_map(params![key, GONE, SUPPRESSED], |record| record.get(0))?
        .collect()
}

/// A row that is skipped because of its person, and not because somebody has decided about the row.
pub(super) const LEFT_OUT: &str = "state = 7 AND (reply = ?2 OR substr(reply, 1, length(?3)) = ?3)";

pub(super) fn deferred(
    connection: &Connection,
    key: Key,
    until: Timestamp,
) -> rusqlite::Result<Vec<Due>> {
    connection
        .prepare_cached(
            "SELECT seq, next_at, attempts FROM delivery WHERE campaign = ?1 AND state = 3 AND next_at <= ?2 ORDER BY next_at, seq",
        )?
        .query_map(params![key, until.as_millisecond()], |record| {
            Ok(Due {
                seq: record.get(0)?,
                at: time(record.get(1)?),
                attempts: record.get(2)?,
            })
        })?
        .collect()
}

pub(super) fn next_deferred(
    connection: &Connection,
    key: Key,
) -> rusqlite::Result<Option<Timestamp>> {
    let next: Option<i64> = connection.query_row(
        "SELECT min(next_at) FROM delivery WHERE campaign = ?1 AND state = 3",
        [key],
        |record| record.get(0),
    )?;
    Ok(next.map(time))
}

pub(super) fn last_intent(
    connection: &Connection,
    relay: &str,
) -> rusqlite::Result<Option<Timestamp>> {
    let second: Option<i64> = connection.query_row(
        "SELECT max(second) FROM relay_usage WHERE relay = ?1",
        [relay],
        |record| record.get(0),
    )?;
    Ok(second.map(|second| time(second.saturating_mul(1000))))
}

fn before_first(after: Option<u32>) -> i64 {
    after.map_or(-1, i64::from)
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}
