//! `mj-button`: titles, and the width of the link within.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths::{self, Share, Unit},
    markup::{Audience, Markup},
    widths,
};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &cell in &spot.everyone {
        let Some(inner) = markup.find(cell + 1..cell + 8, "td", Audience::Everyone) else {
            continue;
        };
        if component.get("background-color") == Some("none")
            && let Some(inner) = markup.tag_mut(inner)
        {
            inner.remove("bgcolor");
        }
        let Some(link) = markup.tag_mut(inner + 1) else {
            continue;
        };
        if component.get("href") == Some("") {
            link.set("href", "");
        }
        if let Some(title) = component.get("title") {
            link.set("title", title);
        }
        if component.get("width").is_some() {
            link.restyle(|style| match width(component) {
                Some(width) => style.set_behind("display", "width", widths::pixels(width)),
                None => style.remove("width"),
            });
        }
    }
}

/// The width of the link; of one in percent nobody knows.
fn width(component: &Component<'_>) -> Option<f64> {
    let width = component.get("width").filter(|width| !width.is_empty())?;
    let (width, unit) = lengths::width(width, Share::Whole)?;
    let attributes = &component.mark.attributes;
    let inner = lengths::ends(|side| lengths::side(attributes, "inner-padding", "10px 25px", side));
    (unit == Unit::Pixel).then(|| width - inner - widths::border(attributes))
}
