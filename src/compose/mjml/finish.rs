//! HTML as the engine writes it → HTML as it should be.

mod fonts;
mod head;

use super::{Purpose, blocks, document::Document, fill, markup::Markup, mends, prepare::Prepared};
use crate::{compose::staging::Tags, error::Result};

/// Mends the engine's markup, fills the slots, and adds what the engine knows nothing of.
///
/// # Errors
/// When the engine has left out, doubled or moved what holds a tag of the sending moment.
pub(super) fn finish(
    html: &str,
    document: &Document,
    prepared: &Prepared,
    tags: &Tags,
    purpose: Purpose,
) -> Result<String> {
    let mut markup = Markup::read(html);
    mends::mend(&mut markup, &prepared.marks);
    head::mend(&mut markup, document);
    let mut mended = String::with_capacity(html.len() + html.len() / 8);
    markup.write(&mut mended);
    blocks::prove(&mended, prepared, tags)?;
    // The page is cut while what authors wrote is still in its slots, so that none of it can look
    // like a border.
    let cuts = head::cut(&mended);
    let start = fill::fill(cuts.start, prepared)?;
    let head = fill::fill(cuts.head, prepared)?;
    let mut opening = fill::fill(cuts.opening, prepared)?;
    let content = fill::fill(cuts.content, prepared)?;
    let fonts = fonts::block(&content, &document.head, purpose);
    if purpose == Purpose::Newsletter {
        // White or tiny letters are what spam filters look for; the preview is hidden either way.
        opening = opening.replace(
            "display:none;font-size:1px;color:#ffffff;line-height:1px;",
            "display:none;mso-hide:all;",
        );
    }
    let prologue = document.prologue.as_str();
    Ok([prologue, &start, &fonts, &head, &opening, &content].concat())
}
