//! `mj-hero`: its corners, its sides, and the height of one that grows with its picture.

use super::{Component, Spot, sections};
use crate::compose::mjml::{
    lengths,
    markup::{Audience, Markup},
    widths,
};

/// Whether the engine makes something else of it.
pub(super) fn is_other(component: &Component<'_>) -> bool {
    component.mark.room.is_odd || component.get("mode") == Some("fluid-height")
}

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(&div) = spot.everyone.first() else {
        return;
    };
    let end = markup.element(div).end;
    let is_fluid = component.get("mode") == Some("fluid-height");
    let first = markup.find(div..div + 6, "td", Audience::Everyone);
    let Some(first) = first else { return };
    let cell = match is_fluid {
        true => markup.find(first + 1..end, "td", Audience::Everyone),
        false => Some(first),
    };
    let Some(cell) = cell else { return };
    if let Some(radius) = component.get("border-radius")
        && let Some(cell) = markup.tag_mut(cell)
    {
        cell.restyle(|style| style.set_behind("background-repeat", "border-radius", radius));
    }
    if is_fluid {
        let ratio = ratio(component);
        let last = markup.element(cell).end;
        for at in [first, last] {
            if let Some(filler) = markup.tag_mut(at).filter(|tag| tag.name == "td") {
                filler.restyle(|style| {
                    style.set_behind("mso-padding-bottom-alt", "padding-bottom", ratio.as_str());
                });
            }
        }
    }
    if let Some(align) = component.get("align") {
        let content = markup.find(cell + 1..end, "div", Audience::Everyone);
        if let Some(content) = content.and_then(|at| markup.tag_mut(at)) {
            content.remove("width");
            content.set("align", align);
        }
    }
    if component.mark.room.is_odd {
        mend_width(markup, div, cell, component);
        sections::mend_cell(markup, spot, component);
    }
}

fn mend_width(markup: &mut Markup<'_>, div: usize, cell: usize, component: &Component<'_>) {
    let width = sections::page_width(component);
    let whole = widths::written(component.mark.room.width.trunc());
    let number = width.trim_end_matches("px").to_owned();
    if let Some(tag) = markup.tag_mut(div) {
        tag.restyle(|style| style.set("max-width", width.as_str()));
    }
    let before = div.saturating_sub(6)..div;
    let outer = markup.find(before.clone(), "table", Audience::Outlook);
    let inner = markup.find(cell..cell + 4, "table", Audience::Outlook);
    for (table, number) in [(outer, whole), (inner, number)] {
        if let Some(table) = table.and_then(|at| markup.tag_mut(at)) {
            table.restyle(|style| style.set("width", width.as_str()));
            table.set("width", number);
        }
    }
    if component.get("background-width").is_none() {
        let image = markup.find(before, "v:image", Audience::Outlook);
        if let Some(image) = image.and_then(|at| markup.tag_mut(at)) {
            image.restyle(|style| style.set("width", width));
        }
    }
}

/// How high it is for each percent of its width.
fn ratio(component: &Component<'_>) -> String {
    let length = |name: &str| component.get(name).and_then(lengths::whole);
    let sides = length("background-height").zip(length("background-width"));
    match sides {
        Some((height, width)) => format!("{}%", widths::written((height / width * 100.0).round())),
        None => "NaN%".to_owned(),
    }
}
