//! What another process wants of a run: looked for in the ledger, once a second.

use std::time::Duration;

use jiff::Timestamp;

use super::{End, halt::Halt};
use crate::{
    delivery::ledger::{BY_A_PERSON, Key, Ledger, Wish},
    error::Result,
};

/// How often it is looked for.
const EACH: Duration = Duration::from_secs(1);

impl From<Wish> for End {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Pause => Self::Paused(BY_A_PERSON.to_owned()),
            Wish::Cancel => Self::Cancelled,
        }
    }
}

/// Watches until the run ends or is to end. An error of the ledger ends the watch alone: the workers
/// meet it, too, and say so.
pub(super) async fn watch(ledger: &Ledger, key: Key, halt: &Halt) {
    loop {
        tokio::select! {
            () = halt.ending() => return,
            () = tokio::time::sleep(EACH) => {}
        }
        match ledger.wanted(key).await {
            Ok(None) => {}
            Ok(Some(wish)) => return halt.end_with(wish.into()),
            Err(_) => return,
        }
    }
}

/// When nothing is in flight any more: does what was wanted, even in the last moment. A run that ended
/// complete, by a signal or of trouble has its own say; what was wanted then waits for the next.
pub(super) async fn carry_out(ledger: &Ledger, key: Key, end: End, now: Timestamp) -> Result<End> {
    if matches!(end, End::Complete | End::Stopped | End::Trouble(_)) {
        return Ok(end);
    }
    let Some(wish) = ledger.wanted(key).await? else {
        return Ok(match end {
            // What the watch had seen was taken back since, while mails in flight were finished.
            End::Paused(_) | End::Cancelled => End::Stopped,
            end => end,
        });
    };
    ledger.carry_out(key, wish, now).await?;
    Ok(wish.into())
}
