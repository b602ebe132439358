//! When an issue is due, out of its front matter: read alone where nothing else is asked for, so that
//! a draft with other faults is no trouble before its time.

use std::time::Duration;

use jiff::Timestamp;

use super::{ISSUE_KEYS, ISSUE_SYNONYMS, Located, fields::Fields, find};
use crate::{
    error::{Error, Result},
    issue::schedule::{Fault, Schedule},
    place::Text,
};

/// When an issue is due, if it says so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// Once.
    pub send_at: Option<Timestamp>,
    /// Again and again.
    pub every: Option<Schedule>,
    /// How late it may begin, where the settings have it otherwise.
    pub max_delay: Option<Duration>,
    /// How long after its beginning it is no news any more, where the settings have it otherwise.
    pub deliver_by: Option<Duration>,
}

const KEYS: [&str; 6] = [
    "send_at",
    "every",
    "starts",
    "until",
    "max_delay",
    "deliver_by",
];

/// When an issue is due. What else its front matter says is not looked at.
///
/// Fails when the front matter cannot be read, and with what is wrong in these keys, or in one that is
/// meant to be one of them.
pub fn timing(text: &Text) -> Result<Timing> {
    let Some(block) = find(text)? else {
        return Ok(Timing::default());
    };
    let mut fields = Fields::new(text, block.entries(text)?);
    let timing = Timing::read(&mut fields);
    fields.close_among(&KEYS, &ISSUE_KEYS, &ISSUE_SYNONYMS);
    Error::all(fields.errors()).map_or(Ok(timing), Err)
}

impl Timing {
    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        let [again, starts_key, until_key] =
            ["every", "starts", "until"].map(|key| fields.key(key));
        let send_at = fields.timestamp("send_at");
        let written = fields.text("every");
        let starts = fields.date("starts");
        let until = fields.date("until");
        if let (Some(key), Some(_), Some(_)) = (&again, &written, send_at) {
            let error = Error::data("`every` and `send_at` exclude each other").hint(
                "Keep `every` for an issue that goes out again and again, `send_at` for one that goes out once.",
            );
            fields.fault_at(key.clone(), error);
        }
        if let (Some(first), Some(last), Some(key)) = (starts, until, &until_key)
            && last < first
        {
            let error = Error::data(format!("`until` is before `starts`, which is {first}"));
            fields.fault_at(
                key.clone(),
                error.hint("Both days count; let `until` be the later."),
            );
        }
        for (key, bound) in [(starts_key, starts), (until_key, until)] {
            if let (Some(key), Some(_), None) = (key, bound, &again) {
                let error = Error::data("there is no `every` that this could bound");
                let hint = "Add `every`, as in `every = \"Mon 08:00 Europe/Berlin\"`.";
                fields.fault_at(key, error.hint(hint));
            }
        }
        Self {
            send_at,
            every: written.and_then(|written| {
                let every = schedule(fields, &written)?;
                Some(every.between(starts, until))
            }),
            max_delay: fields.span("max_delay"),
            deliver_by: fields.span("deliver_by"),
        }
    }
}

fn schedule(fields: &mut Fields<'_>, written: &Located<String>) -> Option<Schedule> {
    match Schedule::parse(&written.value) {
        Ok(schedule) => Some(schedule),
        Err(Fault { range, error }) => {
            let whole = written.place.range();
            // Where it stands letter by letter, the part that is at fault can be shown.
            let is_verbatim = written.place.text().content()[whole.clone()] == written.value;
            let part = match is_verbatim {
                true => whole.start + range.start..whole.start + range.end,
                false => whole,
            };
            fields.fault_at(part, error);
            None
        }
    }
}
