//! When an issue that recurs is due: `Mon 08:00 Europe/Berlin`, and the slots that follow from it.
//!
//! A slot is a moment in UTC; it is what one sending of the issue is called. Told the time, always.
//!
//! A clock that is set forward leaves out some times of day: a slot among them is the first moment
//! after the gap. A clock that is set back has some twice: the first of them is the slot.

mod days;

use std::ops::Range;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use self::days::Days;
use crate::error::{Error, nearest};

/// Days, a time of day and a time zone, perhaps from one date on and up to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    written: String,
    days: Days,
    time: Time,
    zone: TimeZone,
    starts: Option<Date>,
    until: Option<Date>,
}

/// What is wrong with a schedule, and the bytes of its text that are at fault.
#[derive(Debug)]
pub struct Fault {
    /// Where in the text.
    pub range: Range<usize>,
    /// What, without a place.
    pub error: Error,
}

impl Fault {
    fn new(range: Range<usize>, message: String, hint: impl Into<String>) -> Self {
        let error = Error::data(message).hint(hint);
        Self { range, error }
    }
}

/// Days beyond which no schedule has a gap: a month and a half would do.
const FARTHEST: usize = 70;

impl Schedule {
    /// Reads days, a time and a zone, parted by blanks.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let words: Vec<Range<usize>> = words(text).collect();
        let word = |range: &Range<usize>| &text[range.clone()];
        let all = || 0..text.len();
        if words
            .last()
            .is_some_and(|last| time_of(word(last)).is_some())
        {
            return Err(Fault::new(
                all(),
                format!("`{text}` names no time zone"),
                format!("Add where that is: `{text} Europe/Berlin`, or `UTC`."),
            ));
        }
        let [days @ .., at, zone] = words.as_slice() else {
            return Err(no_schedule(text));
        };
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return Err(no_schedule(text));
        };
        let days = first.start..last.end;
        let time = time_of(word(at)).ok_or_else(|| {
            Fault::new(
                at.clone(),
                format!("`{}` is no time of day", word(at)),
                "Write hours and minutes, up to `23:59`: `Mon 08:00 Europe/Berlin`.",
            )
        })?;
        let zone = zone_of(word(zone)).map_err(|error| Fault {
            range: zone.clone(),
            error,
        })?;
        Ok(Self {
            written: words.iter().map(word).collect::<Vec<_>>().join(" "),
            days: Days::parse(&text[days.clone()]).map_err(|error| Fault { range: days, error })?,
            time,
            zone,
            starts: None,
            until: None,
        })
    }

    /// The same, but not before one date and not after another.
    #[must_use]
    pub fn between(self, starts: Option<Date>, until: Option<Date>) -> Self {
        Self {
            starts,
            until,
            ..self
        }
    }

    /// The last slot at `now` or before.
    #[must_use]
    pub fn last_at_or_before(&self, now: Timestamp) -> Option<Timestamp> {
        // A gap of a whole day puts a slot on the day after.
        let tomorrow = self.day_of(now).tomorrow().unwrap_or(Date::MAX);
        let from = self.until.map_or(tomorrow, |until| until.min(tomorrow));
        days_from(from, |day| day.yesterday().ok())
            .take_while(|day| self.starts.is_none_or(|starts| *day >= starts))
            .filter(|day| self.days.contains(*day))
            .filter_map(|day| self.on(day))
            .find(|slot| *slot <= now)
    }

    /// The first slot after `now`.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let yesterday = self.day_of(now).yesterday().unwrap_or(Date::MIN);
        let from = self
            .starts
            .map_or(yesterday, |starts| starts.max(yesterday));
        days_from(from, |day| day.tomorrow().ok())
            .take_while(|day| self.until.is_none_or(|until| *day <= until))
            .filter(|day| self.days.contains(*day))
            .filter_map(|day| self.on(day))
            .find(|slot| *slot > now)
    }

    /// The day that it is where the schedule is at home.
    #[must_use]
    pub fn day_of(&self, moment: Timestamp) -> Date {
        self.zone.to_datetime(moment).date()
    }

    /// A slot as a clock on the wall there shows it: `Mon 2026-11-23 08:00 Europe/Berlin`.
    #[must_use]
    pub fn show(&self, slot: Timestamp) -> String {
        slot.to_zoned_datetime(self.zone.clone())
            .strftime("%a %Y-%m-%d %H:%M %Q")
            .to_string()
    }

    /// The slot of a day, if the calendar goes so far.
    fn on(&self, day: Date) -> Option<Timestamp> {
        let wanted: DateTime = day.to_datetime(self.time);
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(wanted).ok();
        match self.zone.to_ambiguous_timestamp(wanted).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Fold { before, .. } => at(before),
            AmbiguousOffset::Gap { before, after } => {
                // Read with either offset, the time lies on either side of the jump.
                let (early, late) = (at(after)?, at(before)?);
                self.zone
                    .following(early)
                    .map(|jump| jump.timestamp())
                    .take_while(|jump| *jump <= late)
                    .find(|jump| self.zone.to_offset(*jump) == after)
                    .or(Some(late))
            }
        }
    }
}

/// As it was written, with its bounds: what two runs compare to see whether it was changed.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)?;
        if let Some(starts) = self.starts {
            write!(f, " from {starts}")?;
        }
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        Ok(())
    }
}

fn no_schedule(text: &str) -> Fault {
    Fault::new(
        0..text.len(),
        format!("`{text}` is no schedule"),
        "Write days, a time and a time zone: `Mon 08:00 Europe/Berlin`.",
    )
}

fn days_from(first: Date, next: impl Fn(Date) -> Option<Date>) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), move |day| next(*day)).take(FARTHEST)
}

/// The words of a text, as ranges of its bytes.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    text.split_whitespace().map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        start..start + word.len()
    })
}

/// `8:00` or `08:00`.
fn time_of(word: &str) -> Option<Time> {
    let (hour, minute) = word.split_once(':')?;
    let number = |digits: &str, lengths: &[usize]| {
        let is_number =
            lengths.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|_| is_number)
    };
    Time::new(number(hour, &[1, 2])?, number(minute, &[2])?, 0, 0).ok()
}

fn zone_of(word: &str) -> Result<TimeZone, Error> {
    if let Ok(zone) = TimeZone::get(word)
        && !zone.is_unknown()
    {
        return Ok(zone);
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let error = Error::data(format!("there is no time zone `{word}`"));
    Err(match nearest(word, known.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
        None => {
            error.hint("Name a place of the time zone database, such as `Europe/Berlin`, or `UTC`.")
        }
    })
}

#[cfg(test)]
mod tests;
