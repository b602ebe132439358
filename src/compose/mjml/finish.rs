//! HTML as the engine writes it → HTML as it should be.

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
    let mut mended = String::with_capacity(html.len() + html.len() / 8);
    markup.write(&mut mended);
    blocks::prove(&mended, prepared, tags)?;
    let mut page = fill::fill(&mended, prepared)?;
    if purpose == Purpose::Newsletter {
        // White or tiny letters are what spam filters look for; the preview is hidden either way.
        page = page.replace(
            "display:none;font-size:1px;color:#ffffff;line-height:1px;",
            "display:none;mso-hide:all;",
        );
    }
    page.insert_str(0, &document.prologue);
    Ok(page)
}
