//! What a Postfix log says of our mails.
//!
//! `cleanup` names the Message-ID as the header comes in, before the end of the mail; only when `qmgr`
//! or a delivery agent speaks of the queue file has Postfix answered yes. A mail that the log does not
//! know was not taken, if the log is of the relay that had the others and reaches over the attempt.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use crate::error::{Error, Kind, Result};

/// The longest time from an attempt to its entry in our books: the deadline of a reply, and a bit.
const ATTEMPT: Duration = Duration::from_secs(11 * 60);

/// How much longer than an attempt a log must go on, to have what came of it.
const AFTER: Duration = Duration::from_secs(60);

/// To this many seconds the clock of the log is compared to ours: a time zone is made of such steps.
const ZONE: i64 = 15 * 60;

/// What the log says of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The relay took it, under this queue id.
    Taken(String),
    /// The relay began to take it; the log does not say how that ended.
    Begun(String),
    /// The relay did not take it.
    Absent,
    /// The log cannot tell: why.
    Unsaid(&'static str),
}

/// A log, as far as it is about mails of ours.
#[derive(Debug, Default)]
pub(super) struct MailLog {
    mails: HashMap<String, Entry>,
    span: Option<(Timestamp, Timestamp)>,
    /// How far its clock is ahead of ours, in seconds, by the mails that both know.
    ahead: Option<i64>,
}

#[derive(Debug)]
struct Entry {
    queue_id: String,
    at: Timestamp,
    taken: bool,
}

impl MailLog {
    /// Reads a log. Only Message-IDs that are `ours` are kept.
    ///
    /// # Errors
    /// [`Kind::Data`] when there is no line of Postfix in it.
    pub(super) fn read(
        log: impl Read,
        name: &str,
        ours: impl Fn(&str) -> bool,
        now: Timestamp,
    ) -> Result<Self> {
        let mut found = Self::default();
        // Which mail is behind a queue id, at this point of the log: the short ones are used again.
        let mut queue: HashMap<String, String> = HashMap::new();
        let mut lines = 0_u64;
        let mut log = BufReader::new(log);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = log.read_until(b'\n', &mut bytes).map_err(|cause| {
                Error::new(Kind::Io, format!("cannot read `{name}`")).because(&cause)
            })?;
            if read == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&bytes);
            let Some(line) = Line::read(text.trim_end(), now) else {
                continue;
            };
            lines += 1;
            found.span = Some(match found.span {
                Some((first, last)) => (first.min(line.at), last.max(line.at)),
                None => (line.at, line.at),
            });
            found.note(&line, &mut queue, &ours);
        }
        if lines == 0 {
            return Err(
                Error::data(format!("there is no line of Postfix in `{name}`")).hint(
                    "It is the mail log of the relay, often `/var/log/mail.log`; one that is compressed must be unpacked first.",
                ),
            );
        }
        Ok(found)
    }

    fn note(
        &mut self,
        line: &Line<'_>,
        queue: &mut HashMap<String, String>,
        ours: &impl Fn(&str) -> bool,
    ) {
        if line.program == "cleanup"
            && let Some(id) = line.rest.strip_prefix("message-id=")
        {
            let id = id.trim().trim_matches(['<', '>']);
            queue.remove(line.queue_id);
            if ours(id) {
                queue.insert(line.queue_id.to_owned(), id.to_owned());
                // A filter hands a mail to Postfix again, with the same Message-ID.
                self.mails.entry(id.to_owned()).or_insert_with(|| Entry {
                    queue_id: line.queue_id.to_owned(),
                    at: line.at,
                    taken: false,
                });
            }
            return;
        }
        let active = line.program == "qmgr"
            && (line.rest.starts_with("from=<") || line.rest.starts_with("removed"));
        let delivered = line.rest.starts_with("to=<") && line.rest.contains(" status=");
        if (active || delivered)
            && let Some(id) = queue.get(line.queue_id)
            && let Some(entry) = self.mails.get_mut(id)
            && !entry.taken
        {
            entry.taken = true;
            line.queue_id.clone_into(&mut entry.queue_id);
        }
    }

    /// Compares the log's clock with ours, by mails that we know were sent and when. Without any that
    /// both know, the log is of another relay, or of another time.
    pub(super) fn compare<'a>(&mut self, sent: impl Iterator<Item = (&'a str, Timestamp)>) {
        let mut ahead: Vec<i64> = sent
            .filter_map(|(id, at)| {
                let entry = self.mails.get(id).filter(|entry| entry.taken)?;
                Some(entry.at.as_second() - at.as_second())
            })
            .take(1000)
            .collect();
        ahead.sort_unstable();
        let median = ahead.get(ahead.len() / 2);
        self.ahead = median.map(|ahead| (ahead + ZONE / 2).div_euclid(ZONE) * ZONE);
    }

    /// Whether the log has been compared, so that it can tell who is not in it.
    pub(super) fn is_compared(&self) -> bool {
        self.ahead.is_some()
    }

    /// What the log says of a mail that our books say was tried until `at`, of a campaign that began
    /// at `begun`.
    pub(super) fn fate(&self, id: &str, at: Timestamp, begun: Timestamp) -> Fate {
        match self.mails.get(id) {
            Some(entry) if entry.taken => Fate::Taken(entry.queue_id.clone()),
            Some(entry) => Fate::Begun(entry.queue_id.clone()),
            None => {
                let (Some(ahead), Some((first, last))) = (self.ahead, self.span) else {
                    return Fate::Unsaid("the log knows no other mail of this campaign");
                };
                let theirs = |time: Timestamp| time.as_second() + ahead;
                let from = at.saturating_sub(ATTEMPT).unwrap_or(at).max(begun);
                let until = at.saturating_add(AFTER).unwrap_or(at);
                if theirs(from) < first.as_second() {
                    Fate::Unsaid("the log begins after it was tried")
                } else if theirs(until) > last.as_second() {
                    Fate::Unsaid("the log ends too soon after it was tried")
                } else {
                    Fate::Absent
                }
            }
        }
    }
}

/// A line of Postfix that is about a mail or tells the time.
#[derive(Debug)]
struct Line<'a> {
    at: Timestamp,
    /// The last part of the program's name: `cleanup`.
    program: &'a str,
    /// Empty where the line is about no mail.
    queue_id: &'a str,
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// `Nov 23 10:00:00 host postfix/cleanup[12]: 4ABC: message-id=<a@b>`, or with a time as RFC 3339
    /// has it.
    fn read(text: &'a str, now: Timestamp) -> Option<Self> {
        let (at, rest) = stamp(text, now)?;
        let (_host, rest) = rest.trim_start().split_once(' ')?;
        let (program, rest) = rest.trim_start().split_once(": ")?;
        let program = program.split('[').next().unwrap_or(program);
        // Postfix calls itself `postfix/smtpd`, `postfix-out/smtpd`, `postfix/submission/smtpd`.
        let (_, program) = program.rsplit_once('/')?;
        let (queue_id, rest) = match rest.split_once(": ") {
            Some((id, rest)) if is_queue_id(id) => (id, rest),
            _ => ("", rest),
        };
        Some(Self {
            at,
            program,
            queue_id,
            rest,
        })
    }
}

fn is_queue_id(text: &str) -> bool {
    (5..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The time at the beginning of a line, and what follows it. One without a zone is read as UTC; one
/// without a year is the latest that is not to come.
fn stamp(text: &str, now: Timestamp) -> Option<(Timestamp, &str)> {
    let (word, rest) = text.split_once(' ')?;
    if word.contains('T')
        && let Ok(at) = word.parse()
    {
        return Some((at, rest));
    }
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = MONTHS.iter().position(|month| *month == word)?;
    let month = i8::try_from(month + 1).ok()?;
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (time, rest) = rest.trim_start().split_once(' ')?;
    let day: i8 = day.parse().ok()?;
    let mut parts = time.split(':').map(str::parse::<i8>);
    let mut part = || parts.next()?.ok();
    let (hour, minute, second) = (part()?, part()?, part()?);
    // The log may be a zone ahead of us.
    let latest = now.checked_add(26.hours()).unwrap_or(now);
    let year = TimeZone::UTC.to_datetime(latest).year();
    // The 29th of February may be some years back.
    (0..=8).find_map(|back| {
        let date = Date::new(year - back, month, day).ok()?;
        let time = jiff::civil::Time::new(hour, minute, second.min(59), 0).ok()?;
        let at = TimeZone::UTC.to_timestamp(date.to_datetime(time)).ok()?;
        (at <= latest).then_some((at, rest))
    })
}

#[cfg(test)]
mod tests;
