//! `mj-social-element`: icons at the right, and what the engine leaves out of them.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths,
    markup::{Audience, Markup},
    widths,
};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &row in &spot.everyone {
        let icon = markup.element(row + 1);
        mend_icon(markup, icon.clone(), component);
        let is_right = component
            .get("icon-position")
            .is_some_and(|side| side != "left");
        let text = markup.element(icon.end);
        if is_right && markup.tag(icon.end).is_some() {
            markup.swap(icon, text);
        }
    }
}

fn mend_icon(markup: &mut Markup<'_>, icon: std::ops::Range<usize>, component: &Component<'_>) {
    let find = |name, start| markup.find(start..icon.end, name, Audience::Everyone);
    let table = find("table", icon.start + 1);
    let cell = find("td", icon.start + 1);
    let image = find("img", icon.start + 1);
    // Every element has a size, be it the one of `mj-social`.
    let size = component.get("icon-size").filter(|size| !size.is_empty());
    let height = component
        .get("icon-height")
        .filter(|height| !height.is_empty());
    if let Some(table) = table.and_then(|at| markup.tag_mut(at))
        && let Some(size) = size
    {
        table.restyle(|style| style.set("width", size));
    }
    if let Some(cell) = cell.and_then(|at| markup.tag_mut(at))
        && let Some(size) = size
    {
        cell.restyle(|style| {
            style.set_behind("font-size", "height", height.unwrap_or(size));
            style.set("width", size);
        });
    }
    let Some(image) = image.and_then(|at| markup.tag_mut(at)) else {
        return;
    };
    if let Some(size) = size.and_then(lengths::whole) {
        image.set("width", widths::written(size));
    }
    for name in ["sizes", "srcset"] {
        if let Some(value) = component.get(name) {
            image.set(name, value);
        }
    }
}
