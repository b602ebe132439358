//! The report of a rehearsal: a table for people, an object for programs.

use serde_json::{Value, json};

use super::{course::Course, tally::Tally};

/// How many recipients are named; the rest is counted.
const NAMED: usize = 20;

/// All that there is to tell.
pub(super) struct Account<'a> {
    pub(super) issue: &'a str,
    pub(super) seed: u64,
    pub(super) connections: usize,
    pub(super) tally: &'a Tally,
    pub(super) course: &'a Course,
    pub(super) kills_wanted: u32,
    pub(super) faults: &'a [(&'static str, u64)],
}

impl Account<'_> {
    /// Whether all that was promised was kept.
    pub(super) fn holds(&self) -> bool {
        self.tally.holds() && self.most_doubt() <= self.connections as u64
    }

    /// The most mails that one kill has left in doubt.
    fn most_doubt(&self) -> u64 {
        self.course.doubts.iter().copied().max().unwrap_or(0)
    }

    /// As programs read it.
    pub(super) fn json(&self) -> Value {
        let (tally, course) = (self.tally, self.course);
        let faults: serde_json::Map<String, Value> = self
            .faults
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect();
        json!({
            "issue": self.issue,
            "recipients": tally.recipients,
            "accepted": tally.accepted,
            "lost": tally.lost.len(),
            "doubled": tally.doubled.len(),
            "unknown": tally.counts.unknown,
            "kills": course.doubts.len(),
            "faults": faults,
            "holds": self.holds(),
            "sent": tally.counts.sent,
            "deferred_then_sent": tally.persisted,
            "failed": tally.counts.failed,
            "skipped": tally.counts.skipped,
            "expired": tally.counts.expired,
            "open": tally.counts.total() - tally.counts.settled(),
            "wrong": tally.lies,
            "lost_recipients": tally.lost,
            "doubled_recipients": tally.doubled.iter().map(|(email, copies)| {
                json!({"email": email, "copies": copies})
            }).collect::<Vec<_>>(),
            "unknown_recipients": tally.unknown.iter().map(|doubt| {
                json!({"email": doubt.email, "copies": doubt.copies})
            }).collect::<Vec<_>>(),
            "doubt_by_kill": course.doubts,
            "connections": self.connections,
            "runs": course.runs,
            "pauses": course.pauses,
            "seed": self.seed,
            "seconds": (course.took.as_secs_f64() * 1000.0).round() / 1000.0,
        })
    }

    /// As people read it.
    pub(super) fn words(&self) -> String {
        let (tally, course) = (self.tally, self.course);
        let counts = &tally.counts;
        let mut lines = vec![
            format!(
                "Rehearsed `{}` over {} in {:.1} s, seed {}.",
                self.issue,
                many(self.connections as u64, "connection"),
                course.took.as_secs_f64(),
                self.seed
            ),
            String::new(),
            entry(tally.recipients, "recipients", ""),
            entry(tally.accepted, "accepted", "counted at the receiver"),
            entry(tally.lost.len() as u64, "lost", ""),
            entry(tally.doubled.len() as u64, "doubled", ""),
            entry(counts.unknown, "unknown", &self.doubt()),
        ];
        for (count, what, why) in [
            (tally.persisted, "deferred", "at first, and accepted then"),
            (counts.failed, "failed", "refused for good"),
            (counts.skipped, "skipped", ""),
            (counts.expired, "expired", "not delivered in time"),
            (counts.pending, "pending", "not sent yet"),
            (counts.sending, "sending", "not settled"),
            (counts.deferred, "waiting", "deferred, and not sent yet"),
            (tally.lies.len() as u64, "wrong", "in the books"),
        ] {
            if count > 0 {
                lines.push(entry(count, what, why));
            }
        }
        if self.kills_wanted > 0 {
            lines.push(entry(course.doubts.len() as u64, "kills", &self.kills()));
        }
        if course.pauses > 0 {
            lines.push(entry(
                course.pauses.into(),
                "pauses",
                "in which a person would have looked at the relay",
            ));
        }
        if !self.faults.is_empty() {
            let dealt: Vec<String> = self
                .faults
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            let sum = self.faults.iter().map(|(_, count)| count).sum();
            lines.push(entry(sum, "faults", &dealt.join(" · ")));
        }
        lines.push(String::new());
        named(&mut lines, "Lost", &tally.lost, Clone::clone);
        named(&mut lines, "Doubled", &tally.doubled, |(email, copies)| {
            format!("{email} ({copies} copies)")
        });
        named(&mut lines, "Wrong in the books", &tally.lies, Clone::clone);
        named(&mut lines, "Unknown", &tally.unknown, |doubt| {
            let came = if doubt.copies > 0 {
                "it arrived"
            } else {
                "it did not arrive"
            };
            format!("{} ({came})", doubt.email)
        });
        lines.push(self.verdict().to_owned());
        lines.join("\n")
    }

    fn verdict(&self) -> &'static str {
        let tally = self.tally;
        match tally.counts.unknown {
            _ if !tally.holds() => "The promise is broken: this is a bug in letterpress.",
            _ if !self.holds() => {
                "A kill left more in doubt than there were connections: this is a bug in letterpress."
            }
            0 => "Nobody was lost, nobody got it twice.",
            _ => {
                "Nobody was lost, nobody got it twice; who is unknown is named and was not written to again."
            }
        }
    }

    fn doubt(&self) -> String {
        let unknown = self.tally.counts.unknown;
        let came = self.tally.unknown_and_accepted();
        match unknown {
            0 => String::new(),
            _ => format!(
                "no answer came: {came} had arrived, {} had not",
                unknown - came.min(unknown)
            ),
        }
    }

    fn kills(&self) -> String {
        let kills = self.course.doubts.len();
        let mut words = Vec::new();
        if kills > 0 {
            let sum: u64 = self.course.doubts.iter().sum();
            #[expect(clippy::cast_precision_loss, reason = "for reading")]
            let mean = sum as f64 / kills as f64;
            words.push(format!(
                "{mean:.1} mails in doubt after each, at most {}",
                self.most_doubt()
            ));
        }
        if kills < self.kills_wanted as usize {
            words.push("then there was nothing left to send".to_owned());
        }
        words.join("; ")
    }
}

fn entry(count: u64, what: &str, why: &str) -> String {
    format!("  {what:<10} {count:>9}   {why}")
        .trim_end()
        .to_owned()
}

fn many(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn named<T>(lines: &mut Vec<String>, title: &str, all: &[T], name: impl Fn(&T) -> String) {
    if all.is_empty() {
        return;
    }
    lines.push(format!("{title}:"));
    lines.extend(all.iter().take(NAMED).map(|one| format!("  {}", name(one))));
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("  … and {more} more; `--json` names them all"));
    }
    lines.push(String::new());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::tally::{Copies, Row},
        *,
    };
    use crate::delivery::ledger::State;

    fn words(rows: &[(&str, State, usize)], doubts: &[u64]) -> (String, bool) {
        let mut copies = Copies::new();
        let rows: Vec<Row> = rows
            .iter()
            .map(|(email, state, came)| {
                let message_id = Some(format!("{email}.id"));
                copies.insert((*email).to_owned(), vec![message_id.clone(); *came]);
                Row {
                    email: (*email).to_owned(),
                    state: *state,
                    attempts: 1,
                    message_id,
                }
            })
            .collect();
        let account = Account {
            issue: "a",
            seed: 7,
            connections: 2,
            tally: &Tally::of(&rows, &copies),
            course: &Course {
                doubts: doubts.to_vec(),
                took: Duration::from_millis(1234),
                ..Course::default()
            },
            kills_wanted: 3,
            faults: &[("421", 2), ("half", 0)],
        };
        (account.words(), account.holds())
    }

    #[test]
    fn a_proof_that_holds() {
        let (words, holds) = words(
            &[
                ("ada", State::Sent, 1),
                ("ben", State::Unknown, 1),
                ("chi", State::Unknown, 0),
            ],
            &[2, 0],
        );
        assert!(holds);
        assert_eq!(
            words,
            "\
Rehearsed `a` over 2 connections in 1.2 s, seed 7.

  recipients         3
  accepted           2   counted at the receiver
  lost               0
  doubled            0
  unknown            2   no answer came: 1 had arrived, 1 had not
  kills              2   1.0 mails in doubt after each, at most 2; then there was nothing left to send
  faults             2   421 2 · half 0

Unknown:
  ben (it arrived)
  chi (it did not arrive)

Nobody was lost, nobody got it twice; who is unknown is named and was not written to again."
        );
    }

    #[test]
    fn a_proof_that_fails() {
        let rows = [
            ("ada", State::Sent, 0),
            ("ben", State::Sent, 2),
            ("chi", State::Failed, 1),
        ];
        let (words, holds) = words(&rows, &[]);
        assert!(!holds);
        let (_, named) = words.split_once("half 0\n\n").unwrap();
        assert_eq!(
            named,
            "\
Lost:
  ada

Doubled:
  ben (2 copies)

Wrong in the books:
  `chi` is `failed` in the books, and got a mail

The promise is broken: this is a bug in letterpress."
        );
    }

    #[test]
    fn more_doubt_than_connections_is_no_proof() {
        let (words, holds) = words(&[("ada", State::Sent, 1)], &[3]);
        assert!(!holds);
        assert!(words.ends_with("this is a bug in letterpress."), "{words}");
    }
}
