//! Steering from another process, and settling what is in doubt.
//!
//! A wish (to pause, to cancel) is written by a short transaction of its own, without the lock, because
//! a sender may hold that for a day. Whether somebody sends is read and the wish is written in one
//! transaction, and a run begins in one, too; so a wish is carried out at once, or seen by the run.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{Campaign, CampaignState, Key, Ledger, State, books, cannot, change, mark, schema};
use crate::error::Result;

/// The reason of a pause that a person asked for.
pub const BY_A_PERSON: &str = "paused by a person";

/// Why rows of a campaign that was called off are skipped.
const CANCELLED: &str = "cancelled";

/// What somebody wants of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That it stops until it is let go on.
    Pause,
    /// That it stops for good.
    Cancel,
}

impl Wish {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Cancel => "cancel",
        }
    }
}

/// What a row that was in doubt is, after all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The relay took it: how we know.
    Sent(String),
    /// It is to be sent again: why.
    Resend(String),
    /// It is left as it is: why.
    Skip(String),
}

/// A hand on the ledger's campaigns, beside a process that may be sending from it.
#[derive(Debug)]
pub struct Helm(Connection);

impl Helm {
    /// Opens the ledger in a file that is there, without its lock.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self(schema::open_beside(path)?))
    }

    /// Says what is wanted of a campaign. Where no run has it, that is done at once; otherwise the run
    /// is told, and does it when the mails in flight are finished. Returns the campaign as it stands
    /// then; one that is complete or cancelled stays so.
    pub fn wish(&mut self, id: &str, wish: Wish, now: Timestamp) -> Result<Option<Campaign>> {
        self.change(id, |connection, campaign| {
            match (&campaign.state, wish) {
                (CampaignState::Complete | CampaignState::Cancelled, _) => Ok(()),
                (CampaignState::Running, _) => set_wish(connection, campaign.key, Some(wish)),
                (_, Wish::Pause) => {
                    // The reason of a pause is worth more than that it was asked for twice.
                    if !matches!(campaign.state, CampaignState::Paused(_)) {
                        carry_out(connection, campaign.key, wish, now)?;
                    }
                    // A sender may be about to begin with it: the wish stays for it to see.
                    set_wish(connection, campaign.key, Some(wish))
                }
                (_, Wish::Cancel) => carry_out(connection, campaign.key, wish, now),
            }
        })
    }

    /// Lets a campaign that is paused go on, and takes a wish to pause it back.
    pub fn resume(&mut self, id: &str) -> Result<Option<Campaign>> {
        self.change(id, |connection, campaign| resume(connection, campaign.key))
    }

    fn change(
        &mut self,
        id: &str,
        change: impl FnOnce(&Connection, &Campaign) -> rusqlite::Result<()>,
    ) -> Result<Option<Campaign>> {
        let changed = (|| -> rusqlite::Result<Option<Campaign>> {
            let transaction = self
                .0
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Some(campaign) = books::campaign(&transaction, id)? else {
                return Ok(None);
            };
            change(&transaction, &campaign)?;
            let campaign = books::campaign(&transaction, id)?;
            transaction.commit()?;
            Ok(campaign)
        })();
        changed.map_err(|cause| cannot(&cause))
    }
}

impl Drop for Helm {
    fn drop(&mut self) {
        mark::leave(&self.0);
    }
}

impl Ledger {
    /// Begins a run, unless somebody wants otherwise: then that is done, and said.
    pub async fn set_out(&self, key: Key, now: Timestamp) -> Result<Option<Wish>> {
        self.ask(move |connection| {
            let (state, wanted) = wanted(connection, key)?;
            if state == CampaignState::Cancelled.word() {
                return Ok(Some(Wish::Cancel));
            }
            match wanted {
                Some(wish) => carry_out(connection, key, wish, now)?,
                None => change::set_state(connection, key, &CampaignState::Running, now)?,
            }
            Ok(wanted)
        })
        .await
    }

    /// What somebody wants of a campaign that is being sent.
    pub async fn wanted(&self, key: Key) -> Result<Option<Wish>> {
        self.ask(move |connection| Ok(wanted(connection, key)?.1))
            .await
    }

    /// Does what was wanted of a campaign. Only where nothing of it is in flight.
    pub async fn carry_out(&self, key: Key, wish: Wish, now: Timestamp) -> Result<()> {
        self.ask(move |connection| carry_out(connection, key, wish, now))
            .await
    }

    /// Lets a campaign that is paused go on.
    pub async fn resume(&self, key: Key) -> Result<()> {
        self.ask(move |connection| resume(connection, key)).await
    }

    /// Settles rows that are in doubt; those that are not stay as they are. Says how many were. A
    /// campaign that has something to send again is not complete any more.
    pub async fn resolve(
        &self,
        key: Key,
        verdicts: Vec<(u32, Verdict)>,
        now: Timestamp,
    ) -> Result<u64> {
        self.ask(move |connection| {
            let mut settled = 0;
            for (seq, verdict) in &verdicts {
                settled += u64::from(resolve(connection, key, *seq, verdict, now)?);
            }
            connection.execute(
                "UPDATE campaign SET state = 'interrupted', finished_at = NULL
                 WHERE key = ?1 AND state = 'complete'
                   AND EXISTS(SELECT 1 FROM delivery WHERE campaign = ?1 AND state = 0)",
                [key],
            )?;
            Ok(settled)
        })
        .await
    }
}

fn wanted(connection: &Connection, key: Key) -> rusqlite::Result<(String, Option<Wish>)> {
    let found = connection
        .prepare_cached("SELECT state, wanted FROM campaign WHERE key = ?1")?
        .query_row([key], |record| {
            Ok((record.get(0)?, read_wish(record.get(1)?)))
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// What the column says.
pub(super) fn read_wish(word: Option<String>) -> Option<Wish> {
    [Wish::Pause, Wish::Cancel]
        .into_iter()
        .find(|wish| Some(wish.word()) == word.as_deref())
}

/// A wish to cancel is not taken back by one to pause.
fn set_wish(connection: &Connection, key: Key, wish: Option<Wish>) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE campaign SET wanted = ?2 WHERE key = ?1 AND wanted IS NOT 'cancel'",
        params![key, wish.map(Wish::word)],
    )?;
    Ok(())
}

fn carry_out(
    connection: &Connection,
    key: Key,
    wish: Wish,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let state = match wish {
        Wish::Pause => CampaignState::Paused(BY_A_PERSON.to_owned()),
        Wish::Cancel => {
            // Every row comes to an end: a campaign that is over has nothing that is due.
            connection.execute(
                "UPDATE delivery SET state = ?2, code = NULL, reply = ?3, at = ?4, next_at = NULL
                 WHERE campaign = ?1 AND state IN (0, 3)",
                params![key, State::Skipped, CANCELLED, now.as_millisecond()],
            )?;
            connection.execute(
                "UPDATE campaign SET wanted = NULL, finished_at = coalesce(finished_at, ?2) WHERE key = ?1",
                params![key, now.as_millisecond()],
            )?;
            CampaignState::Cancelled
        }
    };
    change::set_state(connection, key, &state, now)
}

fn resume(connection: &Connection, key: Key) -> rusqlite::Result<()> {
    set_wish(connection, key, None)?;
    connection.execute(
        "UPDATE campaign SET state = 'interrupted', reason = NULL WHERE key = ?1 AND state = 'paused'",
        [key],
    )?;
    Ok(())
}

fn resolve(
    connection: &Connection,
    key: Key,
    seq: u32,
    verdict: &Verdict,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let (state, word, why) = match verdict {
        Verdict::Sent(why) => (State::Sent, "sent", why),
        Verdict::Resend(why) => (State::Pending, "resend", why),
        Verdict::Skip(why) => (State::Skipped, "skip", why),
    };
    // The number of the attempt stays, so that the history shows that it was tried before.
    let changed = connection
        .prepare_cached(
            "UPDATE delivery SET state = ?3, code = NULL, reply = ?4, at = ?5, next_at = NULL
             WHERE campaign = ?1 AND seq = ?2 AND state = 5",
        )?
        .execute(params![
            key,
            seq,
            state,
            format!("resolved: {why}"),
            now.as_millisecond()
        ])?;
    if changed == 0 {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "UPDATE attempt SET reply = coalesce(reply || '; ', '') || ?3
             WHERE campaign = ?1 AND seq = ?2
               AND number = (SELECT attempts FROM delivery WHERE campaign = ?1 AND seq = ?2)",
        )?
        .execute(params![key, seq, format!("resolved: {word}, {why}")])?;
    Ok(true)
}

#[cfg(test)]
mod tests;
