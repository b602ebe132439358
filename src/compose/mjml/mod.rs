//! MJML → HTML: `reader` (text → elements), `prepare` (elements → what the engine takes),
//! `engine` (→ HTML), `finish` (→ HTML as it should be).
//!
//! The engine, mrml, lays out well and reads badly; everything it cannot be trusted with is kept
//! from it on the way in and put back on the way out.

mod attributes;
mod check;
mod elements;
mod engine;
mod finish;
mod limits;
mod normalize;
mod prepare;
mod reader;
mod schema;
mod tree;
mod values;

use crate::{
    compose::staging::Tags,
    error::{Error, Result},
    finding::{Finding, Severity},
};

pub(crate) use reader::Origin;

/// What is made of a document that is not quite right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rigor {
    /// What MJML does not know is an error.
    Strict,
    /// What MJML does not know is left out, with a warning, as npm's `mjml` does.
    Soft,
}

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A mail of ours: comments are notes among authors and left out, and nothing is white on white.
    Newsletter,
    /// Someone's template: as npm's `mjml` would have it.
    Template,
}

/// How a document is rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a> {
    pub(crate) rigor: Rigor,
    pub(crate) purpose: Purpose,
    /// For `<html lang>`, where the document names none.
    pub(crate) language: Option<&'a str>,
}

/// Renders a document. Tags of the sending moment come out as they went in.
///
/// # Errors
/// What cannot be read or laid out; in a strict run also all that would be left out.
pub(crate) fn render(
    document: &str,
    origin: Origin<'_>,
    options: Options<'_>,
) -> Result<(String, Vec<Finding>)> {
    let nobody = Tags::default();
    let tags = match origin {
        Origin::Composed { tags, .. } => tags,
        Origin::File(_) => &nobody,
    };
    let top = reader::read(document, origin)?;
    let mut prepared = prepare::prepare(&top, tags, options.purpose, options.language);
    let problems = std::mem::take(&mut prepared.problems);
    let notes = std::mem::take(&mut prepared.notes);
    let fatal = options.rigor == Rigor::Strict || prepared.elements.is_empty();
    if fatal && let Some(error) = Error::all(problems.iter().map(into_error)) {
        return Err(error);
    }
    let html = engine::render(&prepared)?;
    let html = finish::finish(&html, &prepared, tags, options.purpose)?;
    let soften = |problem| Finding {
        severity: Severity::Warning,
        ..problem
    };
    let findings = problems.into_iter().map(soften).chain(notes);
    Ok((html, findings.collect()))
}

fn into_error(problem: &Finding) -> Error {
    let mut error = Error::data(problem.message.clone());
    if let Some(place) = &problem.place {
        error = error.at(place.clone());
    }
    match &problem.hint {
        Some(hint) => error.hint(hint.clone()),
        None => error,
    }
}

#[cfg(test)]
mod tests;
