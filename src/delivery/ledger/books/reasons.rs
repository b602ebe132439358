//! Why mails did not go out: replies that say the same of different people are one reason.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use super::super::State;

/// The most reasons that are told for a state.
const TOP: usize = 10;

/// The most that are kept apart while counting; a relay that says something new to everyone has no
/// reasons.
const KEPT: usize = 10_000;

/// The longest reason, in characters.
const LONGEST: usize = 160;

/// A reason, and for how many rows it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// How those rows stand.
    pub state: State,
    /// The relay's reply code.
    pub code: Option<u16>,
    /// The reply, with `…` for what is about one mail or person alone.
    pub reply: String,
    /// How many rows.
    pub count: u64,
}

/// Counts reasons.
#[derive(Debug, Default)]
pub(super) struct Tally(HashMap<(i64, Option<u16>, String), u64>);

impl Tally {
    pub(super) fn add(&mut self, state: State, code: Option<u16>, reply: &str) {
        let key = (state as i64, code, normalize(reply));
        let key = if self.0.len() < KEPT || self.0.contains_key(&key) {
            key
        } else {
            (key.0, key.1, "…".to_owned())
        };
        *self.0.entry(key).or_default() += 1;
    }

    /// The most frequent reasons of each state, in the order of the states.
    pub(super) fn top(self) -> Vec<Reason> {
        let mut states: BTreeMap<i64, Vec<Reason>> = BTreeMap::new();
        for ((number, code, reply), count) in self.0 {
            let Some(state) = State::ALL.into_iter().find(|state| *state as i64 == number) else {
                continue;
            };
            let reason = Reason {
                state,
                code,
                reply,
                count,
            };
            states.entry(number).or_default().push(reason);
        }
        let top = |mut reasons: Vec<Reason>| {
            reasons.sort_by(|a, b| {
                (Reverse(a.count), a.code, &a.reply).cmp(&(Reverse(b.count), b.code, &b.reply))
            });
            reasons.truncate(TOP);
            reasons
        };
        states.into_values().flat_map(top).collect()
    }
}

/// The reply without what is about one mail or person alone: addresses, numbers, the ids of queues.
/// The enhanced status stays.
fn normalize(reply: &str) -> String {
    let mut text = String::new();
    for word in reply.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_code = text.is_empty() && is_code(plain);
        let masked = if plain.is_empty() || is_code || !is_particular(plain) {
            word.to_owned()
        } else {
            word.replacen(plain, "…", 1)
        };
        // A run of such words is one.
        if masked == "…" && text.ends_with('…') {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&masked);
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text[..end].to_owned() + "…",
        None => text,
    }
}

fn is_particular(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if word.contains('@') {
        return true;
    }
    if digits == 0 || is_status(word) {
        return false;
    }
    // `IPv6` and `5xx` are words; `4711`, `10.0.0.1`, `4D1A2B3C4D` and `x12-20020a05.39` are not.
    digits == word.len() || digits >= 3 || word.contains([':', '='])
}

/// The code of a reply.
fn is_code(word: &str) -> bool {
    word.len() == 3 && word.starts_with(['2', '4', '5']) && word.parse::<u16>().is_ok()
}

/// An enhanced status: `5.1.1`.
fn is_status(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let number = |part: &str| (1..=3).contains(&part.len()) && part.parse::<u16>().is_ok();
    match parts.as_slice() {
        [class, subject, detail] => {
            matches!(*class, "2" | "4" | "5") && number(subject) && number(detail)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_about_one_mail_alone_is_masked() {
        for (reply, reason) in [
            (
                "5.1.1 <ada@example.com>: no such user",
                "5.1.1 <…>: no such user",
            ),
            (
                "5.1.1 The email account does not exist. https://support.example.com/mail/?p=NoSuchUser x12-20020a05600c.39 - gsmtp",
                "5.1.1 The email account does not exist. https://support.example.com/mail/?p=NoSuchUser … - gsmtp",
            ),
            (
                "4.7.1 try again in 299 seconds",
                "4.7.1 try again in … seconds",
            ),
            ("queued as 4D1A2B3C4D", "queued as …"),
            ("450 greylisted [192.0.2.1] 17 18", "450 greylisted […] …"),
            ("the mailbox\n is   full", "the mailbox is full"),
            ("no longer on the list", "no longer on the list"),
            ("IPv6 is not served", "IPv6 is not served"),
            ("", ""),
        ] {
            assert_eq!(normalize(reply), reason);
        }
        assert_eq!(normalize(&"é".repeat(500)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn the_most_frequent_come_first_and_ten_of_a_state_at_most() {
        let mut tally = Tally::default();
        for (number, word) in "abcdefghijklm".chars().enumerate() {
            for _ in 0..=number {
                tally.add(State::Failed, Some(550), &format!("{word} user"));
            }
        }
        tally.add(State::Deferred, None, "later");
        let top = tally.top();
        assert_eq!(top.len(), 11);
        assert_eq!((top[0].state, top[0].count), (State::Deferred, 1));
        assert_eq!((top[1].reply.as_str(), top[1].count), ("m user", 13));
    }

    #[test]
    fn a_relay_that_says_something_new_to_everyone_costs_no_memory() {
        let mut tally = Tally::default();
        let word = |mut number: usize| {
            let mut word = String::new();
            for _ in 0..6 {
                word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
                number /= 26;
            }
            word
        };
        for number in 0..KEPT + 100 {
            tally.add(State::Failed, None, &word(number));
        }
        assert_eq!(tally.top()[0].count, 100);
    }

    proptest::proptest! {
        #[test]
        fn any_reply_has_a_reason(reply in ".{0,200}") {
            let once = normalize(&reply);
            proptest::prop_assert!(once.chars().count() <= LONGEST + 1);
        }
    }
}
