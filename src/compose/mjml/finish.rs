//! HTML as the engine writes it → HTML as it should be.

mod fonts;
mod head;
mod html_attributes;
mod inline;
mod page;
mod selecting;
mod stylesheet;

use super::{
    Purpose, blocks,
    document::{Document, Head},
    fill,
    markup::Markup,
    mends,
    prepare::Prepared,
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

/// Mends the engine's markup, fills the slots, and adds what the engine knows nothing of.
///
/// # Errors
/// When the engine has left out, doubled or moved what holds a tag of the sending moment, and when
/// selectors would take too long.
pub(super) fn finish(
    html: &str,
    document: &Document,
    finishing: &Finishing,
    prepared: &Prepared,
    tags: &Tags,
    purpose: Purpose,
) -> Result<String> {
    let mut markup = Markup::read(html);
    mends::mend(&mut markup, &prepared.marks);
    head::mend(&mut markup, document);
    drop_dead_attributes(&mut markup);
    let mut mended = String::with_capacity(html.len() + html.len() / 8);
    markup.write(&mut mended);
    blocks::prove(&mended, prepared, tags)?;
    // The page is cut while what authors wrote is still in its slots, so that none of it can look
    // like a border.
    let cuts = head::cut(&mended);
    let start = fill::fill(cuts.start, prepared)?;
    let head = fill::fill(cuts.head, prepared)?;
    let mut opening = fill::fill(cuts.opening, prepared)?;
    let mut content = fill::fill(cuts.content, prepared)?;
    if !finishing.attributes.is_empty() {
        content = html_attributes::set(&content, &finishing.attributes)
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
        page = inline::inline(&page, &finishing.styles)
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

/// The engine gives cells a property of CSS as an attribute, which no client knows.
fn drop_dead_attributes(markup: &mut Markup<'_>) {
    for at in 0..markup.tokens().len() {
        if let Some(tag) = markup.tag_mut(at)
            && tag.name == "td"
            && tag.source().contains(DEAD)
        {
            tag.remove("vertical-align");
        }
    }
}

const DEAD: &str = " vertical-align=\"";

#[cfg(test)]
mod tests;
