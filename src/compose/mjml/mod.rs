//! MJML → HTML.
//!
//! ```text
//! text ─reader─▶ elements ─include─▶ elements ─check─▶ findings
//!                                       └─document─▶ Document ─prepare─▶ what the engine takes
//!              page ◀─finish── page with slots ◀─mends── markup ◀─engine──┘
//! ```
//!
//! The engine, mrml, lays out well and reads badly; everything it cannot be trusted with is kept
//! from it on the way in and put back on the way out.

mod attributes;
mod document;
mod elements;
mod engine;
mod fill;
mod finish;
mod handed;
mod lengths;
mod markup;
mod mends;
mod normalize;
mod prepare;
mod reader;
mod tree;
mod unsupported;
mod values;
mod widths;

use crate::{
    compose::staging::Tags,
    error::{Error, Result},
    finding::{Finding, Severity},
    place::Text,
};

pub(crate) use reader::Origin;

/// What is made of what is not right in a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Everything is said, and nothing stops a page that can be made: as npm's `mjml` does.
    Soft,
    /// What would be lost from the page is an error; all else is a warning.
    #[default]
    Standard,
    /// Everything is an error.
    Strict,
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
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) validation: Validation,
    pub(crate) purpose: Purpose,
    /// For `<html lang>`, where the document names none.
    pub(crate) language: Option<&'a str>,
    /// Reads a file that a document includes, by its path within the project.
    pub(crate) include: Include<'a>,
}

/// Reads a file by its path, relative to the newsletter's folder.
pub(crate) type Include<'a> = &'a dyn Fn(&str) -> Result<Text>;

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
    let (mut document, mut problems) = document::resolve(top, tags, options.purpose);
    problems.extend(unsupported::unsupported(&document));
    let findings = weigh(problems, options.validation, document.body.is_some())?;
    let prepared = prepare::prepare(&mut document, tags, options.language);
    let html = engine::render(&prepared)?;
    let html = finish::finish(&html, &document, &prepared, tags, options.purpose)?;
    Ok((html, findings))
}

/// Stops at what must not pass; the rest are warnings.
fn weigh(findings: Vec<Finding>, validation: Validation, has_body: bool) -> Result<Vec<Finding>> {
    let stops = |finding: &&Finding| match validation {
        Validation::Soft => !has_body,
        Validation::Standard => finding.severity == Severity::Error,
        Validation::Strict => true,
    };
    if let Some(error) = Error::all(findings.iter().filter(stops).map(into_error)) {
        return Err(error);
    }
    let soften = |finding| Finding {
        severity: Severity::Warning,
        ..finding
    };
    Ok(findings.into_iter().map(soften).collect())
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
