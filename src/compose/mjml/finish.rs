//! A page that was laid out → the page as it should be.

mod doubts;
mod fonts;
mod html_attributes;
mod inline;
mod page;
mod selecting;
mod stylesheet;

use super::{
    Purpose,
    document::{Document, Head},
    sheets::Sheet,
};
use crate::{
    compose::staging::Tags,
    error::{Error, Result},
    finding::Finding,
    place::Place,
};
use selecting::TooMany;

/// What is done to a page that is otherwise finished.
#[derive(Debug)]
pub(super) struct Finishing {
    attributes: Vec<html_attributes::Rule>,
    styles: Vec<stylesheet::Rule>,
}

impl Finishing {
    /// Reads what a head asks for. Says at its place what of it cannot be read, or has no effect.
    pub(super) fn read(head: &Head, findings: &mut Vec<Finding>) -> Self {
        let attributes = html_attributes::read(&head.html_attributes, findings);
        let styles = head.inline_styles.iter();
        let styles = styles.flat_map(|styles| stylesheet::read(styles, findings));
        Self {
            styles: styles.collect(),
            attributes,
        }
    }
}

/// Adds what the engine knows nothing of. Says at their places which of it depends on the reader.
///
/// # Errors
/// When selectors would take too long.
pub(super) fn finish(
    sheet: Sheet,
    document: &Document,
    finishing: &Finishing,
    purpose: Purpose,
    tags: &Tags,
    findings: &mut Vec<Finding>,
) -> Result<String> {
    let Sheet {
        start,
        head,
        mut opening,
        mut content,
    } = sheet;
    if !finishing.attributes.is_empty() {
        content = html_attributes::set(&content, &finishing.attributes, tags, findings)
            .map_err(|TooMany| too_many(places(document).next()))?;
    }
    let fonts = fonts::block(&content, &document.head, purpose);
    if purpose == Purpose::Newsletter {
        // White or tiny letters are what spam filters look for; the preview is hidden either way.
        opening = opening.replace(
            "display:none;font-size:1px;color:#ffffff;line-height:1px;",
            "display:none;mso-hide:all;",
        );
    }
    let mut page = [&start, fonts.as_str(), &head, &opening, &content].concat();
    if !finishing.styles.is_empty() {
        page = inline::inline(&page, &finishing.styles, tags, findings)
            .map_err(|TooMany| too_many(places(document).last()))?;
    }
    page.insert_str(0, &document.prologue);
    Ok(page)
}

/// Where the selectors of a document stand, those of attributes first.
fn places(document: &Document) -> impl Iterator<Item = &Place> {
    let Head {
        html_attributes,
        inline_styles,
        ..
    } = &document.head;
    let styles = inline_styles.iter().map(|styles| &styles.place);
    html_attributes.iter().map(|it| &it.place).chain(styles)
}

fn too_many(place: Option<&Place>) -> Error {
    let error = Error::data("this page is too large for its selectors to be looked up in it");
    let error = error.hint("Use classes, and no `~`.");
    match place {
        Some(place) => error.at(place.clone()),
        None => error,
    }
}

#[cfg(test)]
mod tests;
