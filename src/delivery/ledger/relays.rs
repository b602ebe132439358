//! What the books know of relays: what they were given and when, and how they stand.
//!
//! A relay's use is counted in seconds that never go back. Where the clock was set back, they go on
//! from where they were, as far ahead of the clock as they need to be (the note `clock`); when the
//! clock has caught up, or was set right again, they follow it. So a quota is neither used twice nor
//! waited for longer than it takes.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Key, Ledger};
use crate::{
    delivery::pace::{LONGEST_WINDOW, Past, Usage},
    error::Result,
};

/// A relay, as the books have it.
#[derive(Clone, Debug, PartialEq)]
pub struct RelayState {
    /// When it was first used.
    pub first_at: Option<Timestamp>,
    /// Until when it is closed.
    pub not_before: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// The share of its rate that it bore last.
    pub share: Option<f64>,
}

impl Ledger {
    /// What the limiter of a relay has to know. Forgets what is older than any quota asks for.
    pub async fn past(&self, relay: &str, now: Timestamp) -> Result<Past> {
        let relay = relay.to_owned();
        self.ask(move |connection| past(connection, &relay, now))
            .await
    }

    /// How many messages a name (of a relay, or `relay/group`) was given in which second, ascending.
    pub async fn usage(&self, name: &str) -> Result<Vec<(i64, u64)>> {
        let name = name.to_owned();
        self.ask(move |connection| usage(connection, &name, i64::MIN))
            .await
    }

    /// How a relay stands; `None` where nothing is known of it.
    pub async fn relay_state(&self, relay: &str) -> Result<Option<RelayState>> {
        let relay = relay.to_owned();
        self.ask(move |connection| relay_state(connection, &relay))
            .await
    }

    /// Nothing is to be given to a relay until then.
    pub async fn close_relay(&self, relay: &str, until: Timestamp, reason: &str) -> Result<()> {
        let (relay, reason) = (relay.to_owned(), reason.to_owned());
        self.ask(move |connection| {
            connection.execute(
                "INSERT INTO relay(name, not_before, reason) VALUES(?1, ?2, ?3)
                 ON CONFLICT(name) DO UPDATE SET not_before = ?2, reason = ?3",
                params![relay, until.as_millisecond(), reason],
            )
        })
        .await
        .map(drop)
    }

    /// Notes the share of its rate that a relay bears.
    pub async fn save_share(&self, relay: &str, share: f64) -> Result<()> {
        let relay = relay.to_owned();
        self.ask(move |connection| {
            connection.execute(
                "INSERT INTO relay(name, share) VALUES(?1, ?2)
                 ON CONFLICT(name) DO UPDATE SET share = ?2",
                params![relay, share],
            )
        })
        .await
        .map(drop)
    }

    /// Brings deferred rows near that are due later than the longest wait from now on, as they are when
    /// they were deferred by a clock that was ahead. Says how many there were.
    pub async fn pull_in(&self, key: Key, longest: Duration, now: Timestamp) -> Result<usize> {
        let latest = now.saturating_add(longest).unwrap_or(Timestamp::MAX);
        self.ask(move |connection| {
            connection.execute(
                "UPDATE delivery SET next_at = ?2 WHERE campaign = ?1 AND state = 3 AND next_at > ?2",
                params![key, latest.as_millisecond()],
            )
        })
        .await
    }
}

/// The number of the relay that a message goes through; its first use is noted.
pub(super) fn used(connection: &Connection, usage: &Usage) -> rusqlite::Result<i64> {
    let known: Option<i64> = connection
        .prepare_cached("SELECT key FROM relay WHERE name = ?1 AND first_at IS NOT NULL")?
        .query_row([&*usage.relay], |record| record.get(0))
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    connection
        .prepare_cached(
            "INSERT INTO relay(name, first_at) VALUES(?1, ?2)
             ON CONFLICT(name) DO UPDATE SET first_at = ?2 RETURNING key",
        )?
        .query_row(
            params![&*usage.relay, usage.second.saturating_mul(1000)],
            |record| record.get(0),
        )
}

/// Counts a message, for its relay and for its group.
pub(super) fn count(connection: &Connection, usage: &Usage) -> rusqlite::Result<()> {
    let names = [Some(&usage.relay), usage.group.as_ref()];
    for name in names.into_iter().flatten() {
        connection
            .prepare_cached(
                "INSERT INTO relay_usage(relay, second, messages) VALUES(?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET messages = messages + 1",
            )?
            .execute(params![&**name, usage.second])?;
    }
    Ok(())
}

fn past(connection: &Connection, relay: &str, now: Timestamp) -> rusqlite::Result<Past> {
    let ahead = ahead(connection, now)?;
    let second = now.as_second().saturating_add(ahead);
    let longest = i64::try_from(LONGEST_WINDOW.as_secs()).unwrap_or(i64::MAX);
    // Twice as long as anybody asks for, lest a clock that is ahead for a while makes us forget.
    connection.execute(
        "DELETE FROM relay_usage WHERE second < ?1",
        [second.saturating_sub(longest.saturating_mul(2))],
    )?;
    let groups: BTreeMap<String, i64> = connection
        .prepare("SELECT relay, max(second) FROM relay_usage WHERE relay > ?1 AND relay < ?2 GROUP BY relay")?
        // All that begins with the relay's name and a slash: `0` follows `/`.
        .query_map([format!("{relay}/"), format!("{relay}0")], |record| {
            Ok((record.get(0)?, record.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let state = relay_state(connection, relay)?;
    let state = state.as_ref();
    Ok(Past {
        usage: usage(connection, relay, second.saturating_sub(longest + 60))?,
        groups,
        first_use: state
            .and_then(|state| state.first_at)
            .map(Timestamp::as_second),
        ahead,
        closed: state.and_then(|state| {
            let until = state.not_before.filter(|until| *until > now)?;
            Some((until, state.reason.clone().unwrap_or_default()))
        }),
        share: state.and_then(|state| state.share),
    })
}

/// How many seconds the books are ahead of the clock.
fn ahead(connection: &Connection, now: Timestamp) -> rusqlite::Result<i64> {
    let latest: Option<i64> =
        connection.query_row("SELECT max(second) FROM relay_usage", [], |record| {
            record.get(0)
        })?;
    let noted: Option<String> = connection
        .query_row(
            "SELECT value FROM note WHERE name = 'clock'",
            [],
            |record| record.get(0),
        )
        .optional()?;
    let noted: i64 = noted
        .and_then(|value| value.parse().ok())
        .unwrap_or_default();
    let behind = latest.map_or(0, |latest| latest.saturating_sub(now.as_second()));
    let ahead = match behind {
        ..=0 => 0,
        // The clock was set back since the last message.
        behind => noted.max(behind),
    };
    if ahead != noted {
        connection.execute(
            "INSERT INTO note(name, value) VALUES('clock', ?1)
             ON CONFLICT DO UPDATE SET value = excluded.value",
            [ahead.to_string()],
        )?;
    }
    Ok(ahead)
}

fn usage(connection: &Connection, name: &str, from: i64) -> rusqlite::Result<Vec<(i64, u64)>> {
    connection
        .prepare(
            "SELECT second, messages FROM relay_usage WHERE relay = ?1 AND second >= ?2 ORDER BY second",
        )?
        .query_map(params![name, from], |record| {
            Ok((record.get(0)?, record.get::<_, i64>(1)?.unsigned_abs()))
        })?
        .collect()
}

fn relay_state(connection: &Connection, relay: &str) -> rusqlite::Result<Option<RelayState>> {
    let time =
        |milliseconds: i64| Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    connection
        .query_row(
            "SELECT first_at, not_before, reason, share FROM relay WHERE name = ?1",
            [relay],
            |record| {
                Ok(RelayState {
                    first_at: record.get::<_, Option<i64>>(0)?.map(time),
                    not_before: record.get::<_, Option<i64>>(1)?.map(time),
                    reason: record.get(2)?,
                    share: record.get(3)?,
                })
            },
        )
        .optional()
}

#[cfg(test)]
mod tests;
