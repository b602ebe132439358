//! The moment of sending: Tera over the parts of an edition, with control characters for delimiters.
//!
//! [`crate::mail`] runs it once for each reader; it is compiled here first, so that what is wrong
//! in a tag is known before anything is sent.

use std::ops::Range;

use tera::{Delimiters, Error as TeraError, ErrorKind, Kwargs, State, Tera, TeraResult, Value};

use super::{
    assemble::{ATTRIBUTE, COMMENT, LINE, PRINT, STATEMENT, URL, URL_PART},
    edition::{Edition, Part},
    faults::{self, Sources},
    filters,
};
use crate::{
    error::{Error, Result},
    place::Place,
};

/// The name of the subject among the templates of [`engine`].
pub(crate) const SUBJECT: &str = "subject.txt";
/// The name of the page; its values are escaped.
pub(crate) const HTML: &str = "page.html";
/// The name of the plain text.
pub(crate) const TEXT: &str = "text.txt";

/// The name under which nothing is known; a path into it is undefined.
pub(crate) const ABSENT: &str = "__absent";

const SCHEMES: [&str; 4] = ["https://", "http://", "mailto:", "tel:"];

/// Compiles the three parts of an edition.
///
/// # Errors
/// What is wrong in the author's tags, each at its place.
pub(crate) fn engine(edition: &Edition) -> Result<Tera> {
    let mut tera = bare()?;
    let parts = [
        (SUBJECT, &edition.subject.template),
        (HTML, &edition.html.template),
        (TEXT, &edition.text.template),
    ];
    match tera.add_raw_templates(parts) {
        Ok(()) => Ok(tera),
        Err(error) => Err(faults::translated(&error, edition)),
    }
}

/// Proves that [`engine`] can compile an edition. Only its tags can be wrong, so only they are compiled:
/// what stands between them is nearly all of a page.
///
/// # Errors
/// Those of [`engine`].
pub(super) fn prove(edition: &Edition) -> Result<()> {
    let tags = |part: &Part| -> String {
        let tags = part.tags.iter();
        tags.filter_map(|tag| part.template.get(tag.range.clone()))
            .collect()
    };
    let parts = [
        (SUBJECT, tags(&edition.subject)),
        (HTML, tags(&edition.html)),
        (TEXT, tags(&edition.text)),
    ];
    match bare()?.add_raw_templates(parts) {
        Ok(()) => Ok(()),
        Err(_) => engine(edition).map(drop),
    }
}

/// Tera as the moment of sending needs it, without templates.
fn bare() -> Result<Tera> {
    let mut tera = Tera::new();
    let text = |pair: [&'static str; 2]| (pair[0].into(), pair[1].into());
    let (variable_start, variable_end) = text(PRINT);
    let (block_start, block_end) = text(STATEMENT);
    let (comment_start, comment_end) = text(COMMENT);
    let delimiters = Delimiters {
        variable_start,
        variable_end,
        block_start,
        block_end,
        comment_start,
        comment_end,
    };
    let bug = |error: &TeraError| Error::bug("cannot set up the merge").because(error);
    tera.set_delimiters(delimiters)
        .map_err(|error| bug(&error))?;
    filters::register(&mut tera);
    tera.register_filter(URL, url);
    tera.register_filter(URL_PART, url_part);
    tera.register_filter(ATTRIBUTE, attribute);
    tera.register_filter(LINE, line);
    tera.autoescape_on([".html"]);
    Ok(tera)
}

/// An error of the merge, at the author's place. `is_blank` says whether the reader has nothing in a
/// field.
pub(crate) fn explain(
    error: &TeraError,
    edition: &Edition,
    is_blank: &dyn Fn(&str) -> bool,
) -> Error {
    let ErrorKind::RenderingError(report) = error.kind() else {
        return faults::translated(error, edition);
    };
    let code = part(edition, report.filename())
        .and_then(|part| Some((part, tag_range(part, report.span().range.start)?)))
        .and_then(|(part, range)| part.template.get(range))
        .unwrap_or_default();
    let fields = code.match_indices("subscriber.").map(|(at, root)| {
        let name = &code[at + root.len()..];
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        &name[..end.unwrap_or(name.len())]
    });
    let blank = fields.into_iter().find(|name| is_blank(name));
    match blank {
        Some(name) if is_of_undefined(report.message()) => {
            let error = Error::data(format!("this reader has no `{name}`")).hint(format!(
                "Write `{{{{ subscriber.{name} | default(value=\"…\") }}}}`, or `{{% if subscriber.{name} %}}` around it."
            ));
            match edition.place(report.filename(), report.span().range.clone()) {
                Some(place) => error.at(place),
                None => error,
            }
        }
        _ => faults::reported(report, edition),
    }
}

/// Whether Tera complains of a value that is not there.
fn is_of_undefined(message: &str) -> bool {
    message.contains("undefined") || message.contains("not defined")
}

fn part<'a>(edition: &'a Edition, name: &str) -> Option<&'a Part> {
    match name {
        SUBJECT => Some(&edition.subject),
        HTML => Some(&edition.html),
        TEXT => Some(&edition.text),
        _ => None,
    }
}

fn tag_range(part: &Part, at: usize) -> Option<Range<usize>> {
    let after = part.tags.partition_point(|tag| tag.range.start <= at);
    let tag = part.tags.get(after.checked_sub(1)?)?;
    Some(tag.range.clone())
}

impl Sources for Edition {
    // What waits for the reader includes nothing.
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn template(&self, name: &str) -> Option<&str> {
        part(self, name).map(|part| part.template.as_str())
    }

    fn place(&self, name: &str, range: Range<usize>) -> Option<Place> {
        let part = part(self, name)?;
        let after = part
            .tags
            .partition_point(|tag| tag.range.start <= range.start);
        let tag = part.tags.get(after.checked_sub(1)?)?;
        Some(Place::from(&tag.origin))
    }
}

/// Whether a mail may link to it.
pub(super) fn is_address(url: &str) -> bool {
    let begins = |scheme: &&str| {
        let start = url.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    SCHEMES.iter().any(begins) && !url.contains(char::is_control)
}

fn there(value: &Value) -> TeraResult<String> {
    if value.is_undefined() {
        Err(TeraError::message("this value is undefined"))
    } else {
        Ok(value.to_string())
    }
}

/// A whole address: only schemes that a mail may link to.
fn url(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let url = there(value)?;
    let url = url.trim();
    if is_address(url) {
        Ok(url.to_owned())
    } else {
        Err(TeraError::message(format!(
            "`{url}` is no address that a mail may link to: it must begin with https:, http:, mailto: or tel:"
        )))
    }
}

/// A part of an address: everything but letters, digits and `-_.~` is percent-encoded.
fn url_part(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let mut out = String::new();
    for byte in there(value)?.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
    Ok(out)
}

/// A string that is not safe, whatever it was before; so it is escaped.
fn attribute(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    there(value)
}

/// One line: a header must not become two.
fn line(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let line = there(value)?;
    Ok(line.replace(
        |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'),
        " ",
    ))
}
