//! MJML → HTML.
//!
//! ```text
//! text ─reader─▶ elements ─include, migrate─▶ elements ─check─▶ findings
//!                                                └─document─▶ Document ─prepare─▶ what the engine takes
//!                page ◀─finish── page with slots ◀─mends── markup ◀─engine──┘
//! ```
//!
//! The engine, mrml, lays out well and reads badly; everything it cannot be trusted with is kept
//! from it on the way in and put back on the way out.

mod blocks;
mod check;
mod colors;
mod document;
mod elements;
mod engine;
mod fill;
mod finish;
mod handed;
mod head;
mod include;
mod lengths;
mod markup;
mod migrate;
mod mends;
mod limits;
mod normalize;
mod prepare;
mod reader;
mod schema;
mod sheets;
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
pub(crate) type Include<'a> = &'a dyn Fn(&str) -> Result<Included>;

/// A file that a document includes.
#[derive(Clone, Debug)]
pub(crate) struct Included {
    /// As the author wrote it.
    pub(crate) text: Text,
    /// What came of it where it is a template.
    pub(crate) composed: Option<String>,
}

impl Included {
    /// A file that is taken as it is.
    pub(crate) fn verbatim(text: Text) -> Self {
        Self {
            text,
            composed: None,
        }
    }

    fn content(&self) -> &str {
        let composed = self.composed.as_deref();
        composed.unwrap_or_else(|| self.text.content())
    }
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
    let (mut top, mended) = reader::read_mended(document, origin)?;
    let included = include::expand(&mut top, document.len(), origin, options.include)?;
    let trail = &included.trail;
    if included.has_grown {
        limits::check(&top)?;
    }
    let mut findings: Vec<Finding> = migrate::migrate(&mut top).into_iter().collect();
    findings.splice(..0, mended);
    findings.extend(check::check(&top));
    let (mut document, about_tags) = document::resolve(top, tags, options.purpose);
    findings.extend(about_tags);
    findings.extend(unsupported::unsupported(&document));
    let finishing = finish::Finishing::read(&document.head, &mut findings);
    findings.extend(included.findings);
    let findings = trail.tell_of(findings);
    let has_body = document.body.is_some();
    let mut findings = weigh(findings, included.errors, options.validation, has_body)?;
    if let Some(language) = options.language
        && document.attributes.get("lang").is_none()
    {
        document.attributes.set("lang", language);
    }
    let mut late = Vec::new();
    let page = sheets::lay(&mut document, tags)
        .and_then(|sheet| {
            let found = &mut late;
            finish::finish(sheet, &document, &finishing, options.purpose, tags, found)
        })
        .map_err(|error| trail.tell(error));
    let late = trail.tell_of(late);
    let late = weigh(late, Vec::new(), options.validation, has_body);
    match (page, late) {
        (Ok(page), Ok(late)) => {
            findings.extend(late);
            Ok((page, findings))
        }
        (Err(error), _) | (_, Err(error)) => Err(error.after(findings)),
    }
}

/// Stops at `errors`, and at what must not pass; the rest are warnings, told in either case.
fn weigh(
    findings: Vec<Finding>,
    errors: Vec<Error>,
    validation: Validation,
    has_body: bool,
) -> Result<Vec<Finding>> {
    let stops = |finding: &Finding| match validation {
        // A block that is left out would show everyone what only some may see.
        Validation::Soft => !has_body || finding.rule == "mjml-send-tag",
        Validation::Standard => finding.severity == Severity::Error,
        Validation::Strict => true,
    };
    let (stopping, others): (Vec<_>, Vec<_>) = findings.into_iter().partition(stops);
    let soften = |finding| Finding {
        severity: Severity::Warning,
        ..finding
    };
    let others: Vec<Finding> = others.into_iter().map(soften).collect();
    let stopping = stopping.iter().map(Error::from);
    match Error::all(stopping.chain(errors)) {
        Some(error) => Err(error.after(others)),
        None => Ok(others),
    }
}

#[cfg(test)]
mod tests;
