//! Every change of a row, as a compare-and-set: what is not in the expected state stays as it is.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Attempt, CampaignState, Entry, GONE, Key, SUPPRESSED, State, Terms, books::LEFT_OUT, relays,
};

/// The longest reply that is kept, in bytes.
const REPLY: usize = 500;

/// Notes that a row is about to be sent, and through which relay; false when it is not due.
pub(super) fn intent(
    connection: &Connection,
    key: Key,
    attempt: &Attempt,
) -> rusqlite::Result<bool> {
    let relay = relays::used(connection, &attempt.usage)?;
    let changed = connection
        .prepare_cached(
            "UPDATE delivery SET state = 1, attempts = attempts + 1, message_id = ?3, at = ?4, next_at = NULL,
             generation = (SELECT generation FROM campaign WHERE key = ?1), relay = ?5
             WHERE campaign = ?1 AND seq = ?2 AND state IN (0, 3)",
        )?
        .execute(params![
            key,
            attempt.seq,
            attempt.message_id,
            attempt.now.as_millisecond(),
            relay,
        ])?;
    if changed > 0 {
        relays::count(connection, &attempt.usage)?;
    }
    Ok(changed > 0)
}

/// Notes what became of a row; false when it was not being sent.
pub(super) fn record(
    connection: &Connection,
    key: Key,
    seq: u32,
    entry: &Entry,
) -> rusqlite::Result<bool> {
    if entry.state == State::Pending {
        let changed = connection
            .prepare_cached(
                "UPDATE delivery SET state = 0, attempts = attempts - 1, at = NULL, code = NULL, reply = NULL, next_at = NULL
                 WHERE campaign = ?1 AND seq = ?2 AND state = 1",
            )?
            .execute(params![key, seq])?;
        return Ok(changed > 0);
    }
    let changed = connection
        .prepare_cached(
            "UPDATE delivery SET state = ?3, code = ?4, reply = ?5, at = ?6, next_at = ?7
             WHERE campaign = ?1 AND seq = ?2 AND state = 1",
        )?
        .execute(params![
            key,
            seq,
            entry.state,
            entry.code,
            shorten(&entry.reply),
            entry.at.as_millisecond(),
            entry.next_at.map(Timestamp::as_millisecond),
        ])?;
    if changed == 0 {
        return Ok(false);
    }
    log_attempt(connection, key, seq)?;
    Ok(true)
}

/// Keeps the history of a row, unless it is one attempt that went well.
fn log_attempt(connection: &Connection, key: Key, seq: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO attempt(campaign, seq, number, state, code, reply, at)
             SELECT campaign, seq, attempts, state, code, reply, at FROM delivery
             WHERE campaign = ?1 AND seq = ?2 AND NOT (state = 2 AND attempts = 1)",
        )?
        .execute(params![key, seq])?;
    Ok(())
}

pub(super) fn skip(
    connection: &Connection,
    key: Key,
    seq: u32,
    reason: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE delivery SET state = 7, code = NULL, reply = ?3, at = ?4, next_at = NULL
             WHERE campaign = ?1 AND seq = ?2 AND state IN (0, 3)",
        )?
        .execute(params![key, seq, shorten(reason), now.as_millisecond()])?;
    Ok(())
}

pub(super) fn take_back(connection: &Connection, key: Key, seqs: &[u32]) -> rusqlite::Result<()> {
    let mut row = connection.prepare_cached(&format!(
        "UPDATE delivery SET state = 0, reply = NULL, at = NULL WHERE campaign = ?1 AND {LEFT_OUT} AND seq = ?4"
    ))?;
    for seq in seqs {
        row.execute(params![key, GONE, SUPPRESSED, seq])?;
    }
    connection.execute(
        "UPDATE campaign SET state = 'interrupted', finished_at = NULL
         WHERE key = ?1 AND state = 'complete'
           AND EXISTS(SELECT 1 FROM delivery WHERE campaign = ?1 AND state = 0)",
        [key],
    )?;
    Ok(())
}

pub(super) fn expire(connection: &Connection, key: Key, now: Timestamp) -> rusqlite::Result<u64> {
    let changed = connection.execute(
        "UPDATE delivery SET state = 8, at = ?2, next_at = NULL WHERE campaign = ?1 AND state IN (0, 3)",
        params![key, now.as_millisecond()],
    )?;
    Ok(changed as u64)
}

pub(super) fn recover(connection: &Connection, now: Timestamp) -> rusqlite::Result<u64> {
    let rows: Vec<(i64, u32, Option<i64>)> = connection
        .prepare("SELECT campaign, seq, at FROM delivery WHERE state = 1")?
        .query_map([], |record| {
            Ok((record.get(0)?, record.get(1)?, record.get(2)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    for (key, seq, at) in &rows {
        let entry = Entry {
            state: State::Unknown,
            code: None,
            reply: "the run ended before the relay answered".to_owned(),
            // When it was tried, which is what a mail log is asked for, and not when we found it.
            at: at
                .and_then(|at| Timestamp::from_millisecond(at).ok())
                .unwrap_or(now),
            next_at: None,
        };
        record(connection, Key(*key), *seq, &entry)?;
    }
    connection.execute(
        "UPDATE campaign SET state = 'interrupted' WHERE state = 'running'",
        [],
    )?;
    Ok(rows.len() as u64)
}

pub(super) fn set_terms(connection: &Connection, id: &str, terms: Terms) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE campaign SET slot = ?2, deliver_by = ?3 WHERE id = ?1",
        params![
            id,
            terms.slot.map(Timestamp::as_millisecond),
            terms.deliver_by.map(Timestamp::as_millisecond)
        ],
    )?;
    Ok(())
}

pub(super) fn set_state(
    connection: &Connection,
    key: Key,
    state: &CampaignState,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let now = now.as_millisecond();
    // A wish to pause is fulfilled by a pause, and any wish is idle once all is over.
    connection.execute(
        "UPDATE campaign SET state = ?2, reason = ?3, wanted = CASE
           WHEN ?2 IN ('complete', 'cancelled') OR (?2 = 'paused' AND wanted = 'pause') THEN NULL
           ELSE wanted END
         WHERE key = ?1",
        params![key, state.word(), state.reason()],
    )?;
    match state {
        CampaignState::Running => connection.execute(
            "UPDATE campaign SET started_at = coalesce(started_at, ?2) WHERE key = ?1",
            params![key, now],
        )?,
        CampaignState::Complete => connection.execute(
            "UPDATE campaign SET finished_at = coalesce(finished_at, ?2) WHERE key = ?1",
            params![key, now],
        )?,
        _ => 0,
    };
    Ok(())
}

fn shorten(reply: &str) -> &str {
    &reply[..reply.floor_char_boundary(REPLY)]
}
