//! What Tera says is wrong, in our words and at the author's place.

use std::ops::Range;

use tera::{ErrorKind, ReportError};

use super::filters;
use crate::{
    error::{Error, nearest},
    place::Place,
};

/// The templates that Tera was given, and where they came from.
pub(super) trait Sources {
    /// A template as Tera was given it.
    fn template(&self, name: &str) -> Option<&str>;
    /// The author's place of a range of its bytes.
    fn place(&self, name: &str, range: Range<usize>) -> Option<Place>;
}

/// An error of Tera's.
pub(super) fn translated(error: &tera::Error, sources: &dyn Sources) -> Error {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            reported(report, sources)
        }
        // Unknown names are only told as text: one report after the other.
        ErrorKind::Msg(text) if text.contains(" --> ") => {
            let reports = text
                .split("\n\nerror: ")
                .map(|report| listed(report, sources));
            Error::all(reports).unwrap_or_else(|| Error::data(text.clone()))
        }
        ErrorKind::MissingParent { current, parent } => {
            let message = format!("there is no template `{parent}` to extend");
            at_start(current, message, sources)
        }
        ErrorKind::CircularInclude { tpl, include_chain } => at_start(
            tpl,
            format!("templates include each other: {}", include_chain.join(", ")),
            sources,
        ),
        ErrorKind::CircularExtend {
            tpl,
            inheritance_chain,
        } => at_start(
            tpl,
            format!(
                "templates extend each other: {}",
                inheritance_chain.join(", ")
            ),
            sources,
        ),
        other => Error::data(sentence_to_fragment(&other.to_string())),
    }
}

fn at_start(name: &str, message: String, sources: &dyn Sources) -> Error {
    let error = Error::data(message);
    match sources.place(name, 0..0) {
        Some(place) => error.at(place),
        None => error,
    }
}

/// A report of Tera's about one place.
pub(super) fn reported(report: &ReportError, sources: &dyn Sources) -> Error {
    let place = sources.place(report.filename(), report.span().range.clone());
    said(report.message(), place)
}

/// A report in Tera's own printing: the message, and ` --> name:line:column`.
fn listed(report: &str, sources: &dyn Sources) -> Error {
    let report = report.strip_prefix("error: ").unwrap_or(report);
    let mut lines = report.lines();
    let message = lines.next().unwrap_or_default();
    let place = lines.next().and_then(|line| {
        let mut parts = line.trim_start_matches([' ', '-', '>']).rsplitn(3, ':');
        let column: usize = parts.next()?.trim().parse().ok()?;
        let line: usize = parts.next()?.parse().ok()?;
        let name = parts.next()?;
        let template = sources.template(name)?;
        let before: usize = template
            .split_inclusive('\n')
            .take(line.checked_sub(1)?)
            .map(str::len)
            .sum();
        let in_line = template.get(before..)?.char_indices();
        let at = before + in_line.map(|(at, _)| at).nth(column.checked_sub(1)?)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let rest = &template[at..];
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        sources.place(name, at..at + length)
    });
    said(message, place)
}

/// Tera's message in our words, with a hint where a name is wrong.
fn said(message: &str, place: Option<Place>) -> Error {
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    let name = quoted(message);
    let (message, hint) = if let Some((_, known)) = message.split_once(" Available ") {
        let known = known.split_once(": ").map_or("", |(_, names)| names);
        let names = || known.split(", ").filter(|name| !name.starts_with("__"));
        let hint = match nearest(&name, names()) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => {
                let names: Vec<_> = names().map(|name| format!("`{name}`")).collect();
                format!("Known here: {}.", names.join(", "))
            }
        };
        (format!("`{name}` is not defined"), Some(hint))
    } else if message.starts_with("Unknown filter") {
        let near = nearest(&name, filters::NAMES);
        let hint = near.map(|near| format!("Did you mean `{near}`?"));
        (format!("there is no filter `{name}`"), hint)
    } else if let Some(what) = message.strip_prefix("Unknown ") {
        let what = what.split(' ').next();
        (
            format!("there is no {} `{name}`", what.unwrap_or("name")),
            None,
        )
    } else {
        (sentence_to_fragment(message), None)
    };
    let error = Error::data(message);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    match place {
        Some(place) => error.at(place),
        None => error,
    }
}

fn sentence_to_fragment(sentence: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    let mut characters = sentence.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
