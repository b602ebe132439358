//! `mj-section` and `mj-wrapper`: gaps, rounded corners, and widths of pages that are not whole pixels
//! wide.

use super::{Component, Spot};
use crate::compose::mjml::{
    markup::{Audience, Markup},
    widths,
};

/// Whether the engine makes something else of it.
pub(super) fn is_other(component: &Component<'_>) -> bool {
    component.mark.room.is_odd
        || gap(component).is_some()
        || is_full_width(component) && component.get("border-radius").is_some()
}

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(&first) = spot.everyone.first() else {
        return;
    };
    let div = match is_full_width(component) {
        true => markup.find(first..first + 20, "div", Audience::Everyone),
        false => Some(first),
    };
    if is_full_width(component)
        && let Some(table) = markup.tag_mut(first)
    {
        table.restyle(|style| style.remove("border-radius"));
    }
    let table = spot.outlook.iter().copied().rev();
    let table = table
        .into_iter()
        .find(|at| markup.tag(*at).is_some_and(|tag| tag.name == "table"));
    if component.mark.room.is_odd {
        mend_width(markup, spot, table.zip(div), component);
    }
    let Some(gap) = gap(component) else {
        return;
    };
    let is_first = component.mark.index == 0;
    if let Some(div) = div.and_then(|at| markup.tag_mut(at))
        && !is_first
    {
        div.restyle(|style| style.set("margin-top", gap));
    }
    if let Some(table) = table.and_then(|at| markup.tag_mut(at)) {
        if !gap.is_empty() {
            table.remove("bgcolor");
        }
        if !is_first {
            table.restyle(|style| style.set_behind("width", "padding-top", gap));
        }
    }
}

fn mend_width(
    markup: &mut Markup<'_>,
    spot: &Spot,
    tags: Option<(usize, usize)>,
    component: &Component<'_>,
) {
    let width = page_width(component);
    if let Some((table, div)) = tags {
        if let Some(tag) = markup.tag_mut(table) {
            tag.restyle(|style| style.set("width", width.as_str()));
            tag.set("width", widths::written(component.mark.room.width.trunc()));
        }
        if let Some(tag) = markup.tag_mut(div) {
            tag.restyle(|style| style.set("max-width", width.as_str()));
        }
        let rectangle = markup.find(table..div, "v:rect", Audience::Outlook);
        if let Some(tag) = rectangle.and_then(|at| markup.tag_mut(at)) {
            tag.restyle(|style| style.set("width", width.as_str()));
        }
    }
    // The cell that a wrapper puts around it is as wide as the wrapper.
    let cell = spot.outlook.first().and_then(|at| markup.tag_mut(*at));
    if let Some(wrapper) = component.parent_called("mj-wrapper")
        && let Some(cell) = cell.filter(|tag| tag.name == "td")
    {
        cell.set("width", page_width(&wrapper));
    }
}

/// How wide the room of a component is; as its author wrote it, where that is the page's.
pub(super) fn page_width(component: &Component<'_>) -> String {
    let body = component.parent_called("mj-body");
    let own = body.and_then(|body| body.get("width"));
    own.map_or_else(|| widths::pixels(component.mark.room.width), str::to_owned)
}

/// What the wrapper around it leaves between its sections.
fn gap<'a>(component: &Component<'a>) -> Option<&'a str> {
    component.parent_called("mj-wrapper")?.get("gap")
}

fn is_full_width(component: &Component<'_>) -> bool {
    component.get("full-width") == Some("full-width")
}
