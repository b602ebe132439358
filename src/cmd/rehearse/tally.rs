//! The proof: what the books say of each recipient, beside what has come to the receiver. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery::ledger::{Counts, State};

/// A recipient as the books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) email: String,
    pub(super) state: State,
    pub(super) attempts: u32,
    pub(super) message_id: Option<String>,
}

/// The Message-IDs of what the receiver took responsibility for, by recipient: one entry a copy.
pub(super) type Copies = BTreeMap<String, Vec<Option<String>>>;

/// A recipient whose fate the books do not know, and what the receiver knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) email: String,
    pub(super) copies: usize,
}

/// What came of it all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// The rows of the books.
    pub(super) recipients: u64,
    /// How often the receiver took responsibility for a mail to anybody.
    pub(super) accepted: u64,
    /// The books.
    pub(super) counts: Counts,
    /// Those who were deferred first, and accepted then.
    pub(super) persisted: u64,
    /// In the books as sent, and nothing came.
    pub(super) lost: Vec<String>,
    /// More than one copy came: how many.
    pub(super) doubled: Vec<(String, usize)>,
    /// In the books as unknown.
    pub(super) unknown: Vec<Doubt>,
    /// What the books say that is not so.
    pub(super) lies: Vec<String>,
}

impl Tally {
    /// Compares the books with the receiver's count.
    pub(super) fn of(rows: &[Row], copies: &Copies) -> Self {
        let mut tally = Self {
            recipients: rows.len() as u64,
            accepted: copies.values().map(|copies| copies.len() as u64).sum(),
            ..Self::default()
        };
        let mut known = BTreeSet::new();
        for row in rows {
            known.insert(row.email.as_str());
            let came = copies.get(&row.email).map_or(&[][..], Vec::as_slice);
            tally.enter(row, came);
        }
        for (email, came) in copies {
            if !known.contains(email.as_str()) {
                tally.lies.push(format!(
                    "`{email}` is not in the books, and got {}",
                    mails(came.len())
                ));
            }
        }
        tally
    }

    fn enter(&mut self, row: &Row, came: &[Option<String>]) {
        let Row { email, state, .. } = row;
        *self.counts.at(*state) += 1;
        if came.len() > 1 {
            self.doubled.push((email.clone(), came.len()));
        }
        match state {
            State::Sent if came.is_empty() => self.lost.push(email.clone()),
            State::Sent if !came.contains(&row.message_id) => self.lies.push(format!(
                "`{email}` got another mail than the one that the books name"
            )),
            State::Sent => self.persisted += u64::from(row.attempts > 1),
            State::Unknown => self.unknown.push(Doubt {
                email: email.clone(),
                copies: came.len(),
            }),
            _ if !came.is_empty() => self.lies.push(format!(
                "`{email}` is `{}` in the books, and got {}",
                state.word(),
                mails(came.len())
            )),
            _ => {}
        }
    }

    /// Those who are unknown and have had their mail.
    pub(super) fn unknown_and_accepted(&self) -> u64 {
        self.unknown.iter().filter(|doubt| doubt.copies > 0).count() as u64
    }

    /// Whether every row has come to its end, nobody is lost, nobody got it twice, and the books tell
    /// the truth.
    pub(super) fn holds(&self) -> bool {
        self.lost.is_empty()
            && self.doubled.is_empty()
            && self.lies.is_empty()
            && self.counts.settled() == self.counts.total()
    }
}

fn mails(count: usize) -> String {
    match count {
        1 => "a mail".to_owned(),
        count => format!("{count} mails"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(email: &str, state: State) -> Row {
        Row {
            email: email.to_owned(),
            state,
            attempts: 1,
            message_id: Some(format!("{email}.id")),
        }
    }

    fn copies(came: &[(&str, usize)]) -> Copies {
        came.iter()
            .map(|(email, count)| {
                let id = Some(format!("{email}.id"));
                ((*email).to_owned(), vec![id; *count])
            })
            .collect()
    }

    #[test]
    fn honest_books_hold() {
        let rows = [
            row("sent", State::Sent),
            Row {
                attempts: 3,
                ..row("late", State::Sent)
            },
            row("doubt-1", State::Unknown),
            row("doubt-0", State::Unknown),
            row("failed", State::Failed),
            row("skipped", State::Skipped),
            row("expired", State::Expired),
        ];
        let tally = Tally::of(&rows, &copies(&[("sent", 1), ("late", 1), ("doubt-1", 1)]));
        assert!(tally.holds());
        assert_eq!(
            tally,
            Tally {
                recipients: 7,
                accepted: 3,
                counts: Counts {
                    sent: 2,
                    unknown: 2,
                    failed: 1,
                    skipped: 1,
                    expired: 1,
                    ..Counts::default()
                },
                persisted: 1,
                unknown: vec![
                    Doubt {
                        email: "doubt-1".to_owned(),
                        copies: 1
                    },
                    Doubt {
                        email: "doubt-0".to_owned(),
                        copies: 0
                    },
                ],
                ..Tally::default()
            }
        );
        assert_eq!(tally.unknown_and_accepted(), 1);
    }

    #[test]
    fn who_is_sent_to_by_the_books_alone_is_lost() {
        let rows = [row("a", State::Sent), row("b", State::Sent)];
        let tally = Tally::of(&rows, &copies(&[("a", 1)]));
        assert_eq!(tally.lost, ["b"]);
        assert!(!tally.holds());
    }

    #[test]
    fn two_copies_are_one_too_many_whatever_the_books_say() {
        for state in State::ALL {
            let tally = Tally::of(&[row("a", state)], &copies(&[("a", 2)]));
            assert_eq!(tally.doubled, [("a".to_owned(), 2)], "{state:?}");
            assert!(!tally.holds());
        }
    }

    #[test]
    fn a_mail_to_somebody_who_had_none_by_the_books_is_a_lie() {
        for state in [
            State::Pending,
            State::Sending,
            State::Deferred,
            State::Failed,
            State::Skipped,
            State::Expired,
        ] {
            let tally = Tally::of(&[row("a", state)], &copies(&[("a", 1)]));
            let lie = format!("`a` is `{}` in the books, and got a mail", state.word());
            assert_eq!(tally.lies, [lie]);
            assert!(!tally.holds());
        }
    }

    #[test]
    fn so_is_another_mail_or_a_stranger() {
        let rows = [Row {
            message_id: Some("another".to_owned()),
            ..row("a", State::Sent)
        }];
        let tally = Tally::of(&rows, &copies(&[("a", 1), ("b", 1)]));
        assert_eq!(
            tally.lies,
            [
                "`a` got another mail than the one that the books name",
                "`b` is not in the books, and got a mail",
            ]
        );
        assert!(!tally.holds());
    }

    #[test]
    fn a_row_that_is_still_open_is_no_proof() {
        for state in [State::Pending, State::Sending, State::Deferred] {
            let tally = Tally::of(&[row("a", state)], &Copies::new());
            assert!(tally.lies.is_empty() && !tally.holds(), "{state:?}");
        }
    }
}
