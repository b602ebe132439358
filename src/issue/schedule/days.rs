//! On which days: every day, days of the week, days of the month, or the last Friday of it.

use jiff::civil::{Date, Weekday};

use crate::error::{Error, nearest};

/// Days of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Days {
    /// Days of the week, a bit each from Monday on.
    OfWeek(u8),
    /// Days of the month.
    OfMonth(Vec<Which>),
    /// Weekdays of the month: the first Monday, the last Friday.
    Weekday(Vec<Which>, Weekday),
}

/// Which of several, in the order of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Counted from 1.
    Nth(i8),
    Last,
}

const EVERY_DAY: u8 = 0b111_1111;

const NAMES: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const HINT: &str = "Write `daily`, days of the week (`Mon`, `Mon,Thu`, `Mon-Fri`), days of the month (`1st`, `1st,15th`, `last day`), or one of its weekdays (`first Mon`, `1st,3rd Thu`, `last Fri`).";

impl Days {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let lower = text.to_lowercase();
        // Blanks beside a comma or a hyphen part nothing.
        let mut plain: String = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        for mark in [",", "-"] {
            plain = plain
                .replace(&format!("{mark} "), mark)
                .replace(&format!(" {mark}"), mark);
        }
        let (first, second) = match plain.split_once(' ') {
            Some((first, second)) => (first, Some(second)),
            None => (plain.as_str(), None),
        };
        match (first, second) {
            ("daily" | "day", None) => Ok(Self::OfWeek(EVERY_DAY)),
            (days, None | Some("day" | "days")) if which(days.split(',').next()).is_some() => {
                Ok(Self::OfMonth(days_of_month(days)?))
            }
            (days, None) => Ok(Self::OfWeek(days_of_week(days)?)),
            (ordinals, Some(day)) if which(ordinals.split(',').next()).is_some() => {
                let day = weekday(day).ok_or_else(|| no_day(day))?;
                Ok(Self::Weekday(weekdays_of_month(ordinals)?, day))
            }
            _ => Err(no_days(text)),
        }
    }

    /// Whether a date is one of them.
    pub(super) fn contains(&self, date: Date) -> bool {
        let is_in = |which: &[Which], number: i8, is_last: bool| {
            which.contains(&Which::Nth(number)) || is_last && which.contains(&Which::Last)
        };
        let left = date.days_in_month() - date.day();
        match self {
            Self::OfWeek(bits) => bits & bit(date.weekday()) != 0,
            Self::OfMonth(which) => is_in(which, date.day(), left == 0),
            Self::Weekday(which, weekday) => {
                date.weekday() == *weekday && is_in(which, (date.day() + 6) / 7, left < 7)
            }
        }
    }
}

/// `mon`, `mon,thu`, `mon-fri`, `fri-mon`.
fn days_of_week(text: &str) -> Result<u8, Error> {
    let mut bits = 0;
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let day = |name: &str| weekday(name).ok_or_else(|| no_day(name));
        let (first, last) = (day(first)?, day(last)?);
        let length = (last.to_monday_zero_offset() - first.to_monday_zero_offset()).rem_euclid(7);
        bits |= (0..=length).fold(0, |bits, days| bits | bit(first.wrapping_add(days)));
    }
    Ok(bits)
}

/// `1st`, `15`, `1st,15th`, `last`. Each is one that every month has.
fn days_of_month(text: &str) -> Result<Vec<Which>, Error> {
    let day = |word| match which(Some(word)) {
        Some(Which::Nth(29..)) => Err(Error::data(format!("not every month has the day `{word}`"))
            .hint("Write a day up to `28th`, or `last day`.")),
        Some(day) => Ok(day),
        None => Err(no_days(word)),
    };
    text.split(',').map(day).collect()
}

/// `first`, `1st,3rd`, `last`. Each is one that every month has.
fn weekdays_of_month(text: &str) -> Result<Vec<Which>, Error> {
    let ordinal = |word| match which(Some(word)) {
        Some(Which::Nth(5..)) => Err(Error::data(format!(
            "not every month has the weekday `{word}`"
        ))
        .hint("Write `first` to `fourth`, or `last`.")),
        Some(ordinal) => Ok(ordinal),
        None => Err(no_days(word)),
    };
    text.split(',').map(ordinal).collect()
}

/// `1st`, `1`, `first`, `last`.
fn which(word: Option<&str>) -> Option<Which> {
    let word = word?;
    let named = ["first", "second", "third", "fourth", "fifth"];
    if let Some(at) = named.iter().position(|name| *name == word) {
        return Some(Which::Nth(i8::try_from(at + 1).ok()?));
    }
    if word == "last" {
        return Some(Which::Last);
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: i8 = digits
        .parse()
        .ok()
        .filter(|number| (1..=31).contains(number))?;
    let suffix = match (number % 10, number) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    let is_written_so = digits.bytes().all(|b| b.is_ascii_digit())
        && (word.len() == digits.len() || &word[digits.len()..] == suffix);
    is_written_so.then_some(Which::Nth(number))
}

/// `mon`, `monday`, and what lies between: `tues`, `thurs`.
fn weekday(name: &str) -> Option<Weekday> {
    let found = NAMES
        .iter()
        .find(|(long, _)| name.len() >= 3 && long.starts_with(name))?;
    Some(found.1)
}

fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

fn no_day(name: &str) -> Error {
    let error = Error::data(format!("`{name}` is no day of the week"));
    match nearest(name, NAMES.iter().map(|(long, _)| *long)) {
        Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
        None => error.hint(HINT),
    }
}

fn no_days(text: &str) -> Error {
    Error::data(format!("`{text}` says no days that letterpress knows")).hint(HINT)
}
