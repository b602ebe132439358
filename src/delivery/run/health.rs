//! How the relay is doing: how long to leave it alone, when to give it up, when to call a person.
//!
//! Shared by all workers; told the time.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::Retry;
use crate::{
    delivery::outcome::{Outcome, Refused},
    error::{Error, Kind},
};

/// So many of a kind in a row stop the run.
const BREAKER: u32 = 5;

#[derive(Debug)]
pub(super) struct Health {
    retry: Retry,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when nothing has gone well.
    since: Option<Instant>,
    failures: u32,
    not_before: Option<Instant>,
    refused: u32,
    unknown: u32,
}

impl Health {
    pub(super) fn new(retry: Retry) -> Self {
        Self {
            retry,
            state: Mutex::default(),
        }
    }

    /// The relay gave trouble.
    ///
    /// # Errors
    /// [`Kind::TryLater`] when it has done so for too long.
    pub(super) fn trouble(&self, why: &str, now: Instant) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *state.since.get_or_insert(now);
        if now - since >= self.retry.relay_patience {
            return Err(
                Error::new(Kind::TryLater, "the relay takes no mail at the moment")
                    .because_of(why)
                    .hint("Run the same command later; what is not sent yet is still pending."),
            );
        }
        // The connections that fail together are one failure.
        if state.not_before.is_none_or(|at| at <= now) {
            let wait =
                doubled(self.retry.relay_first, state.failures).min(self.retry.relay_longest);
            state.failures += 1;
            state.not_before = Some(now + wait);
        }
        Ok(())
    }

    /// Until when it is to be left alone.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .not_before
    }

    /// It has given an answer about a mail.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when too many in a row were not the ones hoped for.
    pub(super) fn answered(&self, outcome: &Outcome) -> Result<(), Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Outcome::Unknown { reason } = outcome {
            state.unknown += 1;
            if state.unknown >= BREAKER {
                return Err(tripped("left unanswered", reason));
            }
            return Ok(());
        }
        state.since = None;
        state.failures = 0;
        state.not_before = None;
        state.unknown = 0;
        match outcome {
            Outcome::Failed {
                reply,
                refused: Refused::Policy | Refused::Content,
                ..
            } => {
                state.refused += 1;
                if state.refused >= BREAKER {
                    return Err(tripped("refused because of their content", reply));
                }
            }
            Outcome::Sent { .. } => state.refused = 0,
            _ => {}
        }
        Ok(())
    }
}

fn tripped(what: &str, why: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("{BREAKER} messages in a row were {what}"),
    )
    .because_of(why)
    .hint("See what the relay says, mend it, and run the command again; the rest is still pending.")
}

/// How long a recipient waits that was deferred for the `attempts`-th time: doubling, give or take a
/// fifth, so that those who were deferred together do not come back together.
pub(super) fn deferral(retry: &Retry, seq: u32, attempts: u32) -> Duration {
    let wait = doubled(retry.first, attempts.saturating_sub(1)).min(retry.longest);
    // A fixed shuffle (splitmix64): the same row waits the same time in every run of a test.
    let mut x = (u64::from(seq) << 32 | u64::from(attempts)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let percent = 80 + u32::try_from((x ^ (x >> 31)) % 41).unwrap_or_default();
    (wait * percent / 100).min(retry.longest)
}

fn doubled(first: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times.min(20)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_relay_out_of_reach_is_tried_ever_less_and_given_up() {
        let health = Health::new(Retry::default());
        let begun = Instant::now();
        let mut tries = Vec::new();
        let error = loop {
            tries.push(begun.elapsed().as_secs());
            if let Err(error) = health.trouble("refused", Instant::now()) {
                break error;
            }
            // A second worker fails in the same moment.
            health.trouble("refused", Instant::now()).unwrap();
            tokio::time::sleep_until(health.not_before().unwrap()).await;
        };
        assert_eq!(tries, [0, 1, 3, 7, 15, 31, 61]);
        assert_eq!(error.kind(), Kind::TryLater);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_makes_the_trouble_forgotten() {
        let health = Health::new(Retry::default());
        health.trouble("x", Instant::now()).unwrap();
        tokio::time::sleep(Duration::from_secs(59)).await;
        let deferred = Outcome::Deferred {
            code: Some(450),
            reply: String::new(),
        };
        health.answered(&deferred).unwrap();
        assert_eq!(health.not_before(), None);
        tokio::time::sleep(Duration::from_secs(59)).await;
        health.trouble("x", Instant::now()).unwrap();
        assert_eq!(
            health.not_before(),
            Some(Instant::now() + Duration::from_secs(1))
        );
    }

    #[test]
    fn five_in_a_row_call_a_person() {
        let health = Health::new(Retry::default());
        let refused = |refused| Outcome::Failed {
            code: Some(554),
            reply: "spam".to_owned(),
            refused,
        };
        let sent = Outcome::Sent {
            code: 250,
            reply: String::new(),
        };
        for _ in 0..20 {
            health.answered(&refused(Refused::Recipient)).unwrap();
        }
        for _ in 0..4 {
            health.answered(&refused(Refused::Content)).unwrap();
        }
        health.answered(&sent).unwrap();
        for _ in 0..4 {
            health.answered(&refused(Refused::Content)).unwrap();
            // What happens to a recipient says nothing about the content.
            health.answered(&refused(Refused::Recipient)).unwrap();
        }
        let error = health.answered(&refused(Refused::Content)).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);

        let unknown = Outcome::Unknown {
            reason: "hung".to_owned(),
        };
        for _ in 0..4 {
            health.answered(&unknown).unwrap();
        }
        assert!(health.answered(&unknown).is_err());
    }

    #[test]
    fn deferrals_double_and_are_spread() {
        let retry = Retry::default();
        for attempts in 1..12 {
            let plain = doubled(retry.first, attempts - 1).min(retry.longest);
            let waits: Vec<Duration> = (0..500)
                .map(|seq| deferral(&retry, seq, attempts))
                .collect();
            let least = waits.iter().min().unwrap();
            let most = waits.iter().max().unwrap();
            assert!(
                *least >= plain * 80 / 100 && *least < plain * 82 / 100,
                "{attempts}: {least:?}"
            );
            assert!(
                *most <= (plain * 120 / 100).min(retry.longest),
                "{attempts}: {most:?}"
            );
            assert!(
                *most >= (plain * 118 / 100).min(retry.longest),
                "{attempts}: {most:?}"
            );
            assert_eq!(waits[7], deferral(&retry, 7, attempts));
        }
    }
}
