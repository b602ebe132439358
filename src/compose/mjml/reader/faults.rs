//! What is wrong with a document that cannot be read, in words.

use crate::{
    compose::mjml::{
        elements::{self, Kind},
        tree::Element,
    },
    error::{Error, nearest},
    place::Place,
};

/// The rule that a finding about tags breaks.
const RULE: &str = "mjml-tags";

/// An element that is open when the document ends.
pub(super) fn unclosed(element: &Element) -> Error {
    Error::data(format!("`<{}>` is never closed", element.name))
        .at(element.place.clone())
        .rule(RULE)
        .hint(match elements::kind(&element.name) {
            Some(Kind::Leaf) => format!("Write `/>` where the tag `<{}` ends.", element.name),
            _ => format!("Write `</{}>` where it ends.", element.name),
        })
}

/// An end tag of an element that is open, around `open`, the innermost one.
pub(super) fn unmatched(name: &str, place: Place, open: &Element) -> Error {
    let hint = match elements::kind(&open.name) {
        _ if is_mistyped(name, &open.name) => mistyped(name, open),
        Some(Kind::Leaf) => format!("Write `/>` where the tag `<{}` ends.", open.name),
        _ => format!("Write `</{}>` before it.", open.name),
    };
    still_open(name, place, open).hint(hint)
}

/// An end tag of an element that is not open. `open` is the innermost one.
pub(super) fn orphan(name: &str, place: Place, open: Option<&Element>) -> Error {
    let hint = match open {
        Some(open) if is_mistyped(name, &open.name) => mistyped(name, open),
        _ if elements::kind(name).is_none() => "Take it out.".to_owned(),
        _ => format!("Take it out, or write the `<{name}>` that it closes."),
    };
    let error = match open {
        Some(open) => still_open(name, place, open),
        None => Error::data(format!("`</{name}>` closes nothing")).at(place),
    };
    error.rule(RULE).hint(hint)
}

fn still_open(name: &str, place: Place, open: &Element) -> Error {
    let opened = format!("`<{}>` of {}", open.name, relative(&open.place, &place));
    let message = format!("`</{name}>` closes nothing here: {opened} is still open");
    Error::data(message).at(place).rule(RULE)
}

/// What to write where the start tag and the end tag are to be the same.
fn mistyped(name: &str, open: &Element) -> String {
    match elements::kind(&open.name) {
        None => format!("Write `<{name}>` there."),
        Some(_) => format!("Write `</{}>`.", open.name),
    }
}

/// Whether one of a start and an end tag looks like a typing error for the other.
pub(super) fn is_mistyped(name: &str, open: &str) -> bool {
    let (right, wrong) = match (elements::kind(open), elements::kind(name)) {
        (Some(_), None) => (open, name),
        (None, Some(_)) => (name, open),
        _ => return false,
    };
    wrong.starts_with(right) || nearest(wrong, [right]).is_some()
}

/// An end tag without its `>`.
pub(super) fn incomplete(name: &str) -> Error {
    Error::data(format!("`</{name}` is not a complete tag")).hint(format!("Write `</{name}>`."))
}

/// Something that must have an end and has none.
pub(super) fn endless(what: &str, end: &str) -> Error {
    Error::data(format!("{what} is never closed")).hint(format!("Write `{end}` where it ends."))
}

/// A tag without its `>`.
pub(super) fn endless_tag(element: &Element) -> Error {
    Error::data(format!("the tag `<{}` never ends", element.name))
        .at(element.place.clone())
        .hint("Write `>` where it ends, and see whether a quote is missing.")
}

/// A value without its second quote.
pub(super) fn endless_quote(element: &Element) -> Error {
    let message = format!("a quote in `<{}>` is never closed", element.name);
    Error::data(message).hint("Write each attribute as `name=\"value\"`.")
}

/// A tag of the sending moment where an attribute should be.
pub(super) fn tag_for_attribute(element: &Element) -> Error {
    let message = format!("cannot read the attributes of `<{}>`", element.name);
    Error::data(message)
        .at(element.place.clone())
        .hint("A tag of `subscriber` must stand within the quotes of an attribute's value.")
}

/// An element in too many others.
pub(super) fn too_deep(most: usize) -> Error {
    Error::data(format!("elements are nested more than {most} deep"))
}

/// A place as seen from another one: only its line when they are in the same file.
fn relative(place: &Place, from: &Place) -> String {
    if place.file() == from.file() {
        format!("line {}", place.line())
    } else {
        format!("{}:{}", place.file(), place.line())
    }
}
