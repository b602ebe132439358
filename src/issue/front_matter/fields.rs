//! A table of front matter taken apart key by key, with every fault that is found on the way.

use std::{ops::Range, time::Duration};

use jiff::{SignedDuration, Timestamp, civil};

use super::{
    Located,
    tree::{Entry, Node, Value},
};
use crate::{
    error::{Error, nearest},
    place::Text,
};

/// The keys of a table that nobody has asked for yet, and the faults found so far.
pub(super) struct Fields<'t> {
    text: &'t Text,
    entries: Vec<Entry>,
    errors: Vec<Error>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(text: &'t Text, entries: Vec<Entry>) -> Self {
        Self {
            text,
            entries,
            errors: Vec::new(),
        }
    }

    /// Adds a fault at its place.
    pub(super) fn fault_at(&mut self, range: Range<usize>, error: Error) {
        self.errors.push(error.at(self.text.place(range)));
    }

    /// Where a key stands, when it was written.
    pub(super) fn key(&self, key: &str) -> Option<Range<usize>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(entry.key_range.clone())
    }

    /// A value; one that is absent or blank counts as not written.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        let node = self.entries.remove(at).node;
        match &node.value {
            Value::Absent => None,
            Value::Text(text) if text.trim().is_empty() => None,
            _ => Some(node),
        }
    }

    /// A text of one line.
    pub(super) fn text(&mut self, key: &str) -> Option<Located<String>> {
        let node = self.take(key)?;
        self.as_line(key, node)
    }

    /// A text without its place, its lines joined.
    pub(super) fn words(&mut self, key: &str) -> Option<String> {
        let node = self.take(key)?;
        let text = self.as_text(key, node)?.value;
        let words: Vec<&str> = text.lines().map(str::trim).collect();
        Some(words.join(" "))
    }

    /// A list of texts; a single text counts as a list of one.
    pub(super) fn texts(&mut self, key: &str) -> Vec<Located<String>> {
        match self.take(key) {
            None => Vec::new(),
            Some(Node {
                value: Value::List(items),
                ..
            }) => items
                .into_iter()
                .filter_map(|item| self.as_line(key, item))
                .collect(),
            Some(node) => self.as_line(key, node).into_iter().collect(),
        }
    }

    /// A date; the time that may follow it is left out.
    pub(super) fn date(&mut self, key: &str) -> Option<civil::Date> {
        let node = self.take(key)?;
        let date = moment(&node.value).and_then(|written| {
            let (date, time) = written.split_at_checked("2026-11-23".len())?;
            let is_time = time.is_empty() || time.starts_with(['T', 't', ' ']);
            date.parse().ok().filter(|_| is_time)
        });
        if date.is_none() {
            let error = Error::data(format!("`{key}` is not a date"))
                .hint("Write year, month and day: `2026-11-23`.");
            self.fault_at(node.range, error);
        }
        date
    }

    /// A moment in time: RFC 3339 with an explicit offset from UTC.
    pub(super) fn timestamp(&mut self, key: &str) -> Option<Timestamp> {
        let node = self.take(key)?;
        let written = moment(&node.value).unwrap_or_default().trim();
        let Err(cause) = written.parse::<Timestamp>() else {
            return written.parse().ok();
        };
        let example = "as in `2026-11-23T08:00:00+01:00`";
        let error = if written.parse::<civil::DateTime>().is_ok() {
            Error::data(format!("`{key}` does not say its offset from UTC")).hint(format!(
                "Add a time with its offset, {example}, or `Z` for UTC."
            ))
        } else {
            let error = Error::data(format!("`{key}` is not a moment in time"))
                .hint(format!("Write date, time and offset from UTC, {example}."));
            match node.value {
                Value::Text(_) | Value::Moment(_) => error.because(&cause),
                _ => error,
            }
        };
        self.fault_at(node.range, error);
        None
    }

    /// A span of time: `90m`, `12h`.
    pub(super) fn span(&mut self, key: &str) -> Option<Duration> {
        let node = self.take(key)?;
        let span = match &node.value {
            Value::Text(written) => written.trim().parse::<SignedDuration>().ok(),
            _ => None,
        };
        let span = span
            .and_then(|span| Duration::try_from(span).ok())
            .filter(|span| !span.is_zero());
        if span.is_none() {
            let error = Error::data(format!("`{key}` is no span of time"))
                .hint("Write it like `\"90m\"` or `\"12h\"`.");
            self.fault_at(node.range, error);
        }
        span
    }

    /// A table within the table, whose faults are added to these.
    pub(super) fn table<T>(
        &mut self,
        entries: Vec<Entry>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut inner = Fields::new(self.text, entries);
        let value = read(&mut inner);
        self.errors.append(&mut inner.errors);
        value
    }

    /// Refuses the keys that nobody asked for. `synonyms` are words of other tools and ours for them.
    pub(super) fn close(&mut self, known: &[&str], synonyms: &[(&str, &str)]) {
        for entry in std::mem::take(&mut self.entries) {
            let key = &entry.key;
            let hint = match meant(key, known, synonyms) {
                Some(meant) => format!("Did you mean `{meant}`?"),
                None => format!("The keys are {}.", enumerate(known)),
            };
            let error = Error::data(format!("unknown key `{key}`")).hint(hint);
            self.fault_at(entry.key_range, error);
        }
    }

    /// Refuses those of the keys that nobody asked for that are meant to be among some.
    pub(super) fn close_among(&mut self, some: &[&str], known: &[&str], synonyms: &[(&str, &str)]) {
        self.entries.retain(|entry| {
            let is_another = !known.contains(&entry.key.as_str());
            is_another && meant(&entry.key, known, synonyms).is_some_and(|key| some.contains(&key))
        });
        self.close(known, synonyms);
    }

    /// All faults, in the order of the file.
    pub(super) fn errors(mut self) -> Vec<Error> {
        self.errors
            .sort_by_key(|error| error.place().map_or(0, |place| place.range().start));
        self.errors
    }

    /// The error of a value of the wrong type.
    pub(super) fn wrong(&mut self, key: &str, wanted: &str, node: &Node) {
        let error = Error::data(format!("`{key}` is {}, not {wanted}", node.value.kind()));
        let error = match node.value {
            Value::Number | Value::Boolean | Value::Moment(_) if wanted == "text" => {
                error.hint("Put it in quotes.")
            }
            _ => error,
        };
        self.fault_at(node.range.clone(), error);
    }

    /// A value that must be text in one line: what becomes a header, a path or a name.
    pub(super) fn as_line(&mut self, key: &str, node: Node) -> Option<Located<String>> {
        let range = node.range.clone();
        let text = self.as_text(key, node)?;
        if text.value.contains(['\n', '\r']) {
            self.fault_at(
                range,
                Error::data(format!("`{key}` has more than one line")),
            );
            return None;
        }
        Some(text)
    }

    /// A value that must be text.
    fn as_text(&mut self, key: &str, node: Node) -> Option<Located<String>> {
        let Value::Text(text) = &node.value else {
            self.wrong(key, "text", &node);
            return None;
        };
        let value = text.trim().to_owned();
        let written = self.text.content().get(node.range.clone());
        let range = match written.and_then(|written| verbatim(written, &value)) {
            Some(at) => node.range.start + at..node.range.start + at + value.len(),
            None => node.range,
        };
        Some(Located {
            value,
            place: self.text.place(range),
        })
    }
}

/// The key that a key is meant to be: what other tools call it, or one that is spelled nearly so.
fn meant<'k>(key: &str, known: &[&'k str], synonyms: &[(&str, &'k str)]) -> Option<&'k str> {
    synonyms
        .iter()
        .find(|(theirs, _)| theirs.eq_ignore_ascii_case(key))
        .map(|(_, ours)| *ours)
        .or_else(|| nearest(key, known.iter().copied()))
}

/// Where a value begins in what was written for it, when it stands there letter by letter.
fn verbatim(written: &str, value: &str) -> Option<usize> {
    // Within the quotes first: the value of `"'a'"` begins at the inner one.
    let quotes = written
        .char_indices()
        .find(|(_, character)| !matches!(character, '"' | '\''))
        .map_or(0, |(at, _)| at);
    (0..=quotes)
        .rev()
        .find(|at| {
            let rest = written.get(*at..).unwrap_or_default();
            rest.trim_start().starts_with(value)
        })
        .map(|at| at + written[at..].len() - written[at..].trim_start().len())
        .or_else(|| written.find(value))
}

/// A date or a time, which YAML and quotes hand over as text.
fn moment(value: &Value) -> Option<&str> {
    match value {
        Value::Moment(written) => Some(written),
        Value::Text(written) => Some(written.trim()),
        _ => None,
    }
}

fn enumerate(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}
