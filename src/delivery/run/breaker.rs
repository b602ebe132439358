//! When a person must look: what came of the last mails, and whether it makes sense to go on.
//!
//! Pure, told the time. What is asked about one mail never stops the rest; a run of the same trouble
//! does, before it costs the sender's name.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::{
    delivery::outcome::{Outcome, Refused},
    error::{Error, Kind},
};

/// When a run is stopped. Shares are of the last [`Thresholds::window`] mails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// How many mails are looked back at.
    pub window: usize,
    /// Shares of fewer mails say nothing.
    pub least: usize,
    /// So many refusals of the content or by policy in a row.
    pub refused_in_a_row: u32,
    /// So many mails without an answer in a row.
    pub unknown_in_a_row: u32,
    /// The most recipients that may be refused for good, in percent.
    pub failed: usize,
    /// The most refusals of the content or by policy, in percent.
    pub refused: usize,
    /// The most mails without an answer, in percent, from so many on.
    pub unknown: (usize, usize),
    /// The most that may be deferred, in percent, for so long.
    pub deferred: (usize, Duration),
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            window: 200,
            least: 50,
            refused_in_a_row: 5,
            unknown_in_a_row: 5,
            failed: 5,
            refused: 10,
            unknown: (1, 5),
            deferred: (20, Duration::from_secs(15 * 60)),
        }
    }
}

impl Thresholds {
    /// Never: for rehearsals, in which everything is meant to go wrong.
    #[must_use]
    pub fn never() -> Self {
        Self {
            window: 1,
            least: usize::MAX,
            refused_in_a_row: u32::MAX,
            unknown_in_a_row: u32::MAX,
            unknown: (100, usize::MAX),
            ..Self::default()
        }
    }

    fn is_never(&self) -> bool {
        self.least == usize::MAX
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Sent,
    Failed,
    Refused,
    Deferred,
    Unknown,
}

impl Kept {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Sent { .. } => Self::Sent,
            Outcome::Deferred { .. } => Self::Deferred,
            Outcome::Unknown { .. } => Self::Unknown,
            Outcome::Failed { refused, .. } => match refused {
                Refused::Recipient => Self::Failed,
                Refused::Policy | Refused::Content => Self::Refused,
            },
        }
    }
}

/// What came of the last mails.
#[derive(Debug)]
pub(super) struct Breaker {
    thresholds: Thresholds,
    last: VecDeque<Kept>,
    // Of the last ones, by kind.
    counts: [usize; 5],
    refused_in_a_row: u32,
    unknown_in_a_row: u32,
    deferring_since: Option<Instant>,
    // The last words of each kind, for the person who is called.
    words: [String; 5],
}

impl Breaker {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            last: VecDeque::new(),
            counts: [0; 5],
            refused_in_a_row: 0,
            unknown_in_a_row: 0,
            deferring_since: None,
            words: Default::default(),
        }
    }

    /// Notes what came of a mail.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when a person must look.
    pub(super) fn note(&mut self, outcome: &Outcome, now: Instant) -> Result<(), Error> {
        let kept = Kept::of(outcome);
        let words = match outcome {
            Outcome::Sent { .. } => "",
            Outcome::Deferred { reply, .. } | Outcome::Failed { reply, .. } => reply,
            Outcome::Unknown { reason } => reason,
        };
        if kept != Kept::Sent {
            words.clone_into(&mut self.words[kept as usize]);
        }
        self.last.push_back(kept);
        self.counts[kept as usize] += 1;
        if self.last.len() > self.thresholds.window
            && let Some(old) = self.last.pop_front()
        {
            self.counts[old as usize] -= 1;
        }
        match kept {
            Kept::Refused => self.refused_in_a_row += 1,
            Kept::Sent => self.refused_in_a_row = 0,
            _ => {}
        }
        match kept {
            Kept::Unknown => self.unknown_in_a_row += 1,
            _ => self.unknown_in_a_row = 0,
        }
        self.verdict(now)
    }

    fn verdict(&mut self, now: Instant) -> Result<(), Error> {
        let Thresholds {
            least,
            failed,
            refused,
            unknown: (unknown, unknown_least),
            deferred: (deferred, deferred_for),
            ..
        } = self.thresholds;
        if self.refused_in_a_row >= self.thresholds.refused_in_a_row {
            let row = self.refused_in_a_row;
            let what = format!(
                "{row} messages in a row were refused because of their content or by policy"
            );
            return Err(self.tripped(what, Kept::Refused));
        }
        if self.unknown_in_a_row >= self.thresholds.unknown_in_a_row {
            let row = self.unknown_in_a_row;
            let what = format!("{row} messages in a row were left unanswered");
            return Err(self.tripped(what, Kept::Unknown));
        }
        let counts = self.counts;
        let count = |kept: Kept| counts[kept as usize];
        if count(Kept::Unknown) >= unknown_least && self.is_more(Kept::Unknown, unknown) {
            return Err(self.too_many("left unanswered", Kept::Unknown));
        }
        if self.last.len() < least {
            return Ok(());
        }
        if self.is_more(Kept::Failed, failed) {
            let error = self.too_many("to recipients that are refused for good", Kept::Failed);
            return Err(error.hint("So many mean a list that is old or was not asked for; look at the reasons in `status`."));
        }
        if self.is_more(Kept::Refused, refused) {
            return Err(self.too_many(
                "refused because of their content or by policy",
                Kept::Refused,
            ));
        }
        if !self.is_more(Kept::Deferred, deferred) {
            self.deferring_since = None;
            return Ok(());
        }
        let since = *self.deferring_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= deferred_for {
            return Err(self.too_many("deferred", Kept::Deferred));
        }
        Ok(())
    }

    /// Asked when the canary is out and settled: with stricter thresholds, because nothing much has
    /// happened yet.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the rest should not go.
    pub(super) fn canary(&self) -> Result<(), Error> {
        if self.thresholds.is_never() {
            return Ok(());
        }
        for (kept, percent, what) in [
            (
                Kept::Refused,
                5,
                "refused because of their content or by policy",
            ),
            (Kept::Failed, 5, "to recipients that are refused for good"),
            (Kept::Unknown, 2, "left unanswered"),
            (Kept::Deferred, 20, "deferred"),
        ] {
            // One in a few may be bad luck.
            if self.counts[kept as usize] > 1 && self.is_more(kept, percent) {
                let first = format!(
                    "the first {} messages went out as a test, and",
                    self.last.len()
                );
                return Err(self.tripped(
                    format!("{first} {} were {what}", self.counts[kept as usize]),
                    kept,
                ));
            }
        }
        Ok(())
    }

    fn is_more(&self, kept: Kept, percent: usize) -> bool {
        self.counts[kept as usize] * 100 > self.last.len() * percent
    }

    fn too_many(&self, what: &str, kept: Kept) -> Error {
        let count = self.counts[kept as usize];
        let of = self.last.len();
        self.tripped(
            format!("{count} of the last {of} messages were {what}"),
            kept,
        )
    }

    fn tripped(&self, what: String, kept: Kept) -> Error {
        Error::new(Kind::Unavailable, what)
            .because_of(self.words[kept as usize].clone())
            .hint("See what the relay says and mend it, then go on with `resume`; the rest is still pending.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(letter: char) -> Outcome {
        let reply = "words".to_owned();
        let failed = |refused| Outcome::Failed {
            code: Some(550),
            reply: "words".to_owned(),
            refused,
        };
        match letter {
            's' => Outcome::Sent { code: 250, reply },
            'd' => Outcome::Deferred {
                code: Some(450),
                reply,
            },
            'u' => Outcome::Unknown { reason: reply },
            'f' => failed(Refused::Recipient),
            'p' => failed(Refused::Policy),
            _ => failed(Refused::Content),
        }
    }

    /// What trips it, and at which mail, from 1; the mails are a second apart.
    fn trips(story: &str) -> Option<(usize, String)> {
        let mut breaker = Breaker::new(Thresholds::default());
        let begun = Instant::now();
        story.chars().zip(1..).find_map(|(letter, number)| {
            let now = begun + Duration::from_secs(number as u64);
            let error = breaker.note(&outcome(letter), now).err()?;
            assert_eq!(error.kind(), Kind::Unavailable);
            Some((number, error.message().to_owned()))
        })
    }

    #[test]
    fn the_table() {
        let row = "5 messages in a row were";
        let refused = "refused because of their content or by policy";
        for (story, expected) in [
            ("s".repeat(500), None),
            ("cpcpc".to_owned(), Some((5, format!("{row} {refused}")))),
            // What happens to a recipient says nothing about the content.
            (
                "cfpdcfpfc".to_owned(),
                Some((9, format!("{row} {refused}"))),
            ),
            ("ccccscccc".to_owned(), None),
            (
                "uuuuu".to_owned(),
                Some((5, format!("{row} left unanswered"))),
            ),
            ("su".repeat(4), None),
            (
                "su".repeat(5),
                Some((
                    10,
                    "5 of the last 10 messages were left unanswered".to_owned(),
                )),
            ),
            // Too few to tell, then too many.
            ("f".repeat(49), None),
            (
                "f".repeat(50),
                Some((
                    50,
                    "50 of the last 50 messages were to recipients that are refused for good"
                        .to_owned(),
                )),
            ),
            ("s".repeat(200) + &"f".repeat(10), None),
            (
                "s".repeat(200) + &"f".repeat(11),
                Some((
                    211,
                    "11 of the last 200 messages were to recipients that are refused for good"
                        .to_owned(),
                )),
            ),
            ("sssssssssp".repeat(30), None),
            (
                "ssssp".repeat(30),
                Some((50, format!("10 of the last 50 messages were {refused}"))),
            ),
            // Deferring is fine for a while.
            ("d".repeat(50 + 899), None),
            (
                "d".repeat(50 + 900),
                Some((950, "200 of the last 200 messages were deferred".to_owned())),
            ),
            (
                "sssd".repeat(300),
                Some((950, "50 of the last 200 messages were deferred".to_owned())),
            ),
            ("ssssd".repeat(300), None),
        ] {
            assert_eq!(
                trips(&story),
                expected,
                "{}…",
                &story[..story.len().min(20)]
            );
        }
    }

    #[test]
    fn a_canary_is_judged_more_strictly() {
        for (story, is_fine) in [
            ("s".repeat(50), true),
            ("s".repeat(49) + "f", true),
            ("s".repeat(48) + "cc", true),
            ("s".repeat(47) + "ccc", false),
            ("s".repeat(48) + "uu", false),
            ("s".repeat(40) + &"d".repeat(10), true),
            ("s".repeat(39) + &"d".repeat(11), false),
        ] {
            let mut breaker = Breaker::new(Thresholds::default());
            for letter in story.chars() {
                let _ = breaker.note(&outcome(letter), Instant::now());
            }
            assert_eq!(breaker.canary().is_ok(), is_fine, "{story}");
        }
        let mut never = Breaker::new(Thresholds::never());
        for letter in "ucfd".repeat(300).chars() {
            never.note(&outcome(letter), Instant::now()).unwrap();
        }
        assert!(never.canary().is_ok());
    }
}
