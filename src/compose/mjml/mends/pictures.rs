//! Pictures: each has an `alt`, and is whole pixels wide.

use crate::compose::mjml::markup::{Markup, Piece};

/// Mends the tag at `at`, where it is of a picture or right before one.
pub(super) fn mend(markup: &mut Markup<'_>, at: usize) {
    let next = markup.tokens().get(at + 1).map(|token| &token.piece);
    let holds_picture =
        matches!(next, Some(Piece::Start(next)) if matches!(next.name, "img" | "a"));
    let Some(tag) = markup.tag_mut(at) else {
        return;
    };
    match tag.name {
        "img" => {
            if tag.get("alt").is_none() {
                tag.set("alt", "");
            }
            let width = tag.get("width").unwrap_or_default();
            if let Some(whole) = whole(&width) {
                tag.set("width", whole);
            }
        }
        "td" if holds_picture && tag.source().contains("width:") => {
            let width = tag.style("width").unwrap_or_default();
            let pixels = width.strip_suffix("px").and_then(whole);
            if let Some(pixels) = pixels {
                tag.restyle(|style| style.set("width", format!("{pixels}px")));
            }
        }
        _ => {}
    }
}

/// A number without its fraction, where it has one.
fn whole(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| whole.to_owned())
}
