//! `mj-section` and `mj-wrapper`: gaps, rounded corners, and widths of pages that are not whole pixels
//! wide.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths,
    markup::{Audience, Markup},
    normalize, widths,
};

/// Whether the engine makes something else of it.
pub(super) fn is_other(component: &Component<'_>) -> bool {
    component.mark.room.is_odd
        || has_place_in_percent(component)
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
    if has_place_in_percent(component) {
        let around = first.saturating_sub(6)..first + 12;
        let fill = around.into_iter().find(|at| {
            let tag = markup.tag(*at);
            tag.is_some_and(|tag| tag.name == "v:fill")
        });
        if let Some(fill) = fill.and_then(|at| markup.tag_mut(at)) {
            let place = place(component);
            fill.set("origin", place.as_str());
            fill.set("position", place);
        }
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
    mend_cell(markup, spot, component);
}

/// The cell that a wrapper puts around a component is as wide as the wrapper.
pub(super) fn mend_cell(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
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

/// Whether its background stands where the engine would count in fractions.
fn has_place_in_percent(component: &Component<'_>) -> bool {
    component.get("background-url").is_some()
        && component
            .get("background-size")
            .is_some_and(|size| size != "auto")
        && PLACES
            .iter()
            .any(|name| component.get(name).is_some_and(|place| place.contains('%')))
}

const PLACES: [&str; 3] = [
    "background-position",
    "background-position-x",
    "background-position-y",
];

/// Where Outlook draws its background.
fn place(component: &Component<'_>) -> String {
    let [both, x, y] = PLACES.map(|name| component.get(name).filter(|place| !place.is_empty()));
    let both = normalize::position(both.unwrap_or("top center"));
    let (left, top) = both.split_once(' ').unwrap_or(("center", "top"));
    let is_repeated = component.get("background-repeat").unwrap_or("repeat") == "repeat";
    let places = [
        (x.unwrap_or(left), "left", "right", 50.0),
        (y.unwrap_or(top), "top", "bottom", 0.0),
    ];
    let places = places.map(|(place, start, end, default)| {
        let percent = match place {
            "center" => 50.0,
            _ if place == start => 0.0,
            _ if place == end => 100.0,
            _ => percent(place).unwrap_or(default),
        };
        let decimal = percent / 100.0;
        widths::written(match is_repeated {
            true => decimal,
            false => (decimal * 100.0 - 50.0) / 100.0,
        })
    });
    places.join(", ")
}

/// Whole percents, where it is percents.
fn percent(place: &str) -> Option<f64> {
    let number = place.strip_suffix('%')?;
    let is_number = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    lengths::whole(number).filter(|_| is_number)
}

/// What the wrapper around it leaves between its sections.
fn gap<'a>(component: &Component<'a>) -> Option<&'a str> {
    component.parent_called("mj-wrapper")?.get("gap")
}

fn is_full_width(component: &Component<'_>) -> bool {
    component.get("full-width") == Some("full-width")
}
