//! What a relay's events say of our mails: those of Amazon SES (by SNS or EventBridge), SendGrid,
//! Postmark, Mailgun and KumoMTA, a JSON object a line, or in arrays.
//!
//! They agree on little but that a Message-ID is called one. So it is looked for under any such name,
//! and compared with those that we gave; whoever tells what became of our Message-ID has had the mail.

use std::collections::HashMap;

use serde_json::{Deserializer, Value};

use crate::error::{Error, Result};

/// Mails within mails: SNS has the event as a text in the event.
const DEEPEST: usize = 4;

/// Events that say that a mail was *not* taken.
const REFUSALS: [&str; 1] = ["rejection"];

/// What the events say.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Message-ID → the word for what became of it.
    pub(super) seen: HashMap<String, String>,
    /// Lines that are no JSON.
    pub(super) unread: usize,
}

impl Events {
    /// Reads a file of events. Only Message-IDs that are `ours` are kept.
    ///
    /// # Errors
    /// [`crate::error::Kind::Data`] when there is no event in it.
    pub(super) fn read(file: &[u8], name: &str, ours: impl Fn(&str) -> bool) -> Result<Self> {
        let mut found = Self::default();
        let mut events = 0_usize;
        let mut rest = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
        loop {
            let mut values = Deserializer::from_slice(rest).into_iter::<Value>();
            let mut broken = false;
            for value in values.by_ref() {
                match value {
                    Ok(value) => events += found.note_all(&value, &ours),
                    Err(_) => {
                        broken = true;
                        break;
                    }
                }
            }
            if !broken {
                break;
            }
            found.unread += 1;
            rest = &rest[values.byte_offset().min(rest.len())..];
            // A bad line costs itself alone. The blanks before it are not it.
            let begin = rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace())
                .unwrap_or(rest.len());
            let end = rest[begin..].iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) => rest = &rest[begin + end + 1..],
                None => break,
            }
        }
        if events == 0 {
            return Err(
                Error::data(format!("there is no event in `{name}`")).hint(
                    "It should hold a JSON object a line, or an array of them, as the relay's webhook has them.",
                ),
            );
        }
        Ok(found)
    }

    fn note_all(&mut self, value: &Value, ours: &impl Fn(&str) -> bool) -> usize {
        match value {
            Value::Array(events) => events.iter().map(|event| self.note_all(event, ours)).sum(),
            Value::Object(_) => {
                let word = word(value, 0).unwrap_or("event").to_lowercase();
                if !REFUSALS.contains(&word.as_str()) {
                    self.look(value, &word, ours, 0);
                }
                1
            }
            _ => 0,
        }
    }

    /// Looks for Message-IDs of ours in an event.
    fn look(&mut self, value: &Value, word: &str, ours: &impl Fn(&str) -> bool, depth: usize) {
        match value {
            Value::Array(all) => all
                .iter()
                .for_each(|value| self.look(value, word, ours, depth)),
            Value::Object(fields) => {
                // SES has headers as pairs.
                let pair = |name: &str| {
                    fields
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name))
                };
                if let (Some((_, Value::String(name))), Some((_, value))) =
                    (pair("name"), pair("value"))
                    && is_message_id(name)
                {
                    self.keep(value, word, ours);
                }
                for (key, value) in fields {
                    if is_message_id(key) {
                        self.keep(value, word, ours);
                    }
                    match value {
                        Value::String(text) => {
                            if let Some(inner) = inner(text, depth) {
                                let word = super::events::word(&inner, 0).unwrap_or(word);
                                self.look(&inner, &word.to_lowercase(), ours, depth + 1);
                            }
                        }
                        _ => self.look(value, word, ours, depth),
                    }
                }
            }
            _ => {}
        }
    }

    fn keep(&mut self, value: &Value, word: &str, ours: &impl Fn(&str) -> bool) {
        let ids = match value {
            Value::Array(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        for id in ids.iter().filter_map(Value::as_str) {
            let id = id.trim().trim_matches(['<', '>']);
            if ours(id) {
                // The first word is the one that says that it was taken.
                self.seen
                    .entry(id.to_owned())
                    .or_insert_with(|| word.to_owned());
            }
        }
    }
}

/// `Message-ID`, `messageId`, `message_id`, and SendGrid's `smtp-id`.
fn is_message_id(key: &str) -> bool {
    let plain: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    matches!(plain.as_str(), "messageid" | "smtpid")
}

/// An event that is a text within an event.
fn inner(text: &str, depth: usize) -> Option<Value> {
    (depth < DEEPEST && text.trim_start().starts_with('{'))
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}

/// What kind of event it is.
fn word(event: &Value, depth: usize) -> Option<&str> {
    const NAMES: [&str; 5] = [
        "eventType",
        "notificationType",
        "RecordType",
        "event",
        "type",
    ];
    let word = NAMES.iter().find_map(|name| event.get(name)?.as_str());
    word.or_else(|| {
        let nested = event.get("event-data").or_else(|| event.get("detail"))?;
        (depth == 0).then(|| self::word(nested, 1)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Events {
        let ours = |id: &str| id.ends_with("@news.example.com");
        Events::read(file.as_bytes(), "events.json", ours).unwrap()
    }

    fn seen(file: &str) -> Vec<(String, String)> {
        let mut seen: Vec<_> = read(file).seen.into_iter().collect();
        seen.sort();
        seen
    }

    fn pair(id: &str, word: &str) -> (String, String) {
        (format!("{id}@news.example.com"), word.to_owned())
    }

    #[test]
    fn each_relay_has_its_own_words() {
        for (file, word) in [
            // Amazon SES, by SNS: a text in a JSON.
            (
                r#"{"Type":"Notification","Message":"{\"notificationType\":\"Delivery\",\"mail\":{\"messageId\":\"0100-ses\",\"headers\":[{\"name\":\"From\",\"value\":\"x\"},{\"name\":\"Message-ID\",\"value\":\"<1@news.example.com>\"}]}}"}"#,
                "delivery",
            ),
            // Raw, and as EventBridge has it.
            (
                r#"{"eventType":"Bounce","mail":{"messageId":"0100-ses","commonHeaders":{"messageId":"<1@news.example.com>"}}}"#,
                "bounce",
            ),
            (
                r#"{"detail-type":"Email","detail":{"eventType":"Complaint","mail":{"commonHeaders":{"messageId":"<1@news.example.com>"}}}}"#,
                "complaint",
            ),
            // SendGrid: an array.
            (
                r#"[{"email":"a@example.com","event":"processed","smtp-id":"<1@news.example.com>","sg_message_id":"14c5"}]"#,
                "processed",
            ),
            // Mailgun.
            (
                r#"{"signature":{},"event-data":{"event":"failed","message":{"headers":{"message-id":"1@news.example.com"}}}}"#,
                "failed",
            ),
            // Postmark, with the headers kept.
            (
                r#"{"RecordType":"Delivery","MessageID":"883953f4","Headers":[{"Name":"Message-ID","Value":"<1@news.example.com>"}]}"#,
                "delivery",
            ),
            // KumoMTA, with the header logged.
            (
                r#"{"type":"Reception","id":"d7ef","headers":{"Message-ID":"<1@news.example.com>"}}"#,
                "reception",
            ),
        ] {
            assert_eq!(seen(file), [pair("1", word)], "{file}");
        }
    }

    #[test]
    fn a_refusal_and_the_mails_of_others_are_no_evidence() {
        assert_eq!(
            seen(
                r#"{"type":"Rejection","headers":{"Message-ID":"<1@news.example.com>"}}
                   {"event":"delivered","smtp-id":"<1@elsewhere.example>"}
                   {"event":"delivered","in-reply-to":"<1@news.example.com>"}"#
            ),
            []
        );
    }

    #[test]
    fn a_bad_line_costs_itself_alone() {
        let events = read(
            "{\"event\":\"a\",\"smtp-id\":\"<1@news.example.com>\"}\nnot json\n{\"broken\":\n\n{\"event\":\"b\",\"smtp-id\":\"<2@news.example.com>\"}\n",
        );
        assert!(events.unread >= 1);
        assert_eq!(events.seen.len(), 2);
        for nothing in ["", "[]", "4 5", "no events"] {
            let error = Events::read(nothing.as_bytes(), "x", |_| true).unwrap_err();
            assert_eq!(error.message(), "there is no event in `x`");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_in_a_file_breaks_its_reader(file in "[\\[\\]{}\",:a1 \n\\\\é]{0,60}") {
            let _ = Events::read(file.as_bytes(), "x", |_| true);
        }
    }
}
