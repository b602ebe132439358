//! What Tera says is wrong, in our words and at the author's place.

mod blocks;

use std::ops::Range;

use tera::{ErrorKind, ReportError};

use super::{context, filters};
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
    /// The names of all of them.
    fn names(&self) -> Vec<&str>;
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
            let error = at_start(current, message, sources);
            match nearest(parent, sources.names()) {
                Some(near) => error.hint(format!("Did you mean `{near}`?")),
                None => error,
            }
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
    placed(Error::data(message), sources.place(name, 0..0))
}

/// A report of Tera's about one place.
pub(super) fn reported(report: &ReportError, sources: &dyn Sources) -> Error {
    let name = report.filename();
    let range = report.span().range.clone();
    let template = sources.template(name).unwrap_or_default();
    // Where the file ends is no help; what was left open is.
    let open = is_about_the_end(report.message())
        .then(|| blocks::open(template))
        .flatten();
    if let Some(open) = open {
        let (message, hint) = open.words();
        return placed(
            Error::data(message).hint(hint),
            sources.place(name, open.range),
        );
    }
    let word = template.get(range.clone()).unwrap_or_default();
    if report.message().starts_with("Unknown tag") {
        let before = template.get(..range.start).unwrap_or_default();
        let before = before.rfind("{%").map_or(before, |at| &before[..at]);
        let (message, hint) = blocks::stray(word, blocks::open(before));
        return placed(Error::data(message).hint(hint), sources.place(name, range));
    }
    said(report.message(), word, sources.place(name, range), sources)
}

fn is_about_the_end(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.starts_with("unexpected end of input")
        || message.starts_with("unexpected end of raw block")
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
        sources.place(name, at..at + length_of_name(&template[at..]))
    });
    said(message, "", place, sources)
}

/// The bytes of the name at the start of `text`, in quotes or without.
fn length_of_name(text: &str) -> usize {
    let quote = text.chars().next().filter(|c| "\"'`".contains(*c));
    match quote.and_then(|quote| text[1..].find(quote)) {
        Some(end) => end + 2,
        None => text
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(text.len()),
    }
}

/// Tera's message in our words, with a hint where a name is wrong. `word` is what stands there.
fn said(message: &str, word: &str, place: Option<Place>, sources: &dyn Sources) -> Error {
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    let did_you_mean = |near: &str| format!("Did you mean `{near}`?");
    let name = quoted(message);
    let (message, hint) = if let Some((_, known)) = message.split_once(" Available ") {
        let known = known.split_once(": ").map_or("", |(_, names)| names);
        let names = || known.split(", ").filter(|name| !name.starts_with("__"));
        // What is filled in for each reader is known, too, though not to Tera.
        let of_reader = [
            "subscriber",
            "unsubscribe_url",
            "preferences_url",
            "view_url",
        ];
        let of_reader = of_reader
            .into_iter()
            .filter(|_| names().any(|name| name == "newsletter"));
        let names = || names().chain(of_reader.clone());
        let hint = match nearest(&name, names()) {
            Some(near) => did_you_mean(near),
            None => {
                let names: Vec<_> = names().map(|name| format!("`{name}`")).collect();
                format!("Known here: {}.", names.join(", "))
            }
        };
        (format!("`{name}` is not defined"), Some(hint))
    } else if message.starts_with("Unknown filter") {
        let hint = nearest(&name, filters::NAMES).map(did_you_mean);
        (format!("there is no filter `{name}`"), hint)
    } else if message.starts_with("Unknown template") {
        let hint = nearest(&name, sources.names()).map(did_you_mean);
        (format!("there is no template `{name}`"), hint)
    } else if message.starts_with("Unknown component") {
        let names = sources.names();
        let templates = names.iter().filter_map(|name| sources.template(name));
        let hint = nearest(&name, templates.flat_map(blocks::components)).map(did_you_mean);
        (format!("there is no component `{name}`"), hint)
    } else if message.starts_with("Unknown argument") {
        (format!("the component has no argument `{name}`"), None)
    } else if let Some(what) = message.strip_prefix("Unknown ") {
        let what = what.split(' ').next();
        (
            format!("there is no {} `{name}`", what.unwrap_or("name")),
            None,
        )
    } else if message.starts_with("Tried to render a variable that is undefined")
        || message.ends_with("on type `undefined`")
    {
        undefined(word)
    } else if let Some((found, expected)) = message
        .strip_prefix("Found ")
        .and_then(|rest| rest.trim_end_matches('.').split_once(" but expected "))
    {
        let is_mark = !expected.contains(|c: char| c == '`' || c.is_alphanumeric());
        let hint = match (found, expected) {
            (_, "}}" | "%}") => Some(format!("Write `{expected}` where the tag ends.")),
            ("string" | "integer" | "float" | "bool", "identifier") => {
                Some("Name each argument, as in `default(value=\"…\")`.".to_owned())
            }
            _ => None,
        };
        let expected = if is_mark {
            format!("`{expected}`")
        } else {
            expected.to_owned()
        };
        (format!("found {found} but expected {expected}"), hint)
    } else {
        (sentence_to_fragment(message), None)
    };
    let error = Error::data(message);
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error,
    };
    placed(error, place)
}

/// A value that is not there: a name that nothing has, or one that not everything has.
fn undefined(word: &str) -> (String, Option<String>) {
    // Tera marks either the last name of a path or the whole of it.
    let name = word.rsplit('.').next().unwrap_or_default().trim();
    if name.is_empty() {
        return ("this has no value".to_owned(), None);
    }
    let hint = if context::FIELDS.contains(&name) {
        Some("It is not always there: write `{% if … %}` around it, or add `| default(value=\"…\")`.".to_owned())
    } else {
        let known = context::FIELDS.into_iter().chain(context::ROOTS);
        nearest(name, known).map(|near| format!("Did you mean `{near}`?"))
    };
    (format!("`{name}` is not defined"), hint)
}

fn placed(error: Error, place: Option<Place>) -> Error {
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
