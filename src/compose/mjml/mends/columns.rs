//! `mj-column`: widths in groups, and corners of the tables within.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths::Unit,
    markup::{Audience, Markup},
    widths,
};

/// Whether the engine makes something else of it.
pub(super) fn is_other(component: &Component<'_>) -> bool {
    component.mark.room.is_odd
        || component.parent_called("mj-group").is_some()
            && (component.get("width").is_some()
                || has_gutter(component)
                || 100 % component.mark.room.siblings.max(1) != 0
                || component
                    .mark
                    .room
                    .outlook_width(&component.mark.attributes)
                    .fract()
                    != 0.0
                || component
                    .mark
                    .attributes
                    .iter()
                    .any(|(name, _)| name.contains("border")))
}

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(div) = spot.named("div", markup) else {
        return;
    };
    let mark = component.mark;
    let mut outlook = mark.room.outlook_width(&mark.attributes);
    let mut cell = spot.outlook.first().copied();
    if component.parent_called("mj-group").is_some() {
        outlook = outlook.trunc();
        cell = markup.find(div.saturating_sub(2)..div, "td", Audience::Outlook);
        let width = mobile_width(component);
        if let Some(div) = markup.tag_mut(div) {
            div.restyle(|style| style.set("width", width));
        }
    }
    if let Some(cell) = cell.and_then(|at| markup.tag_mut(at)) {
        cell.restyle(|style| style.set("width", widths::pixels(outlook)));
    }
    let is_round = is_filled(component, "border-radius");
    let is_round_inside = is_filled(component, "inner-border-radius");
    let Some(table) = markup.find(div + 1..div + 2, "table", Audience::Everyone) else {
        return;
    };
    let separate = |markup: &mut Markup<'_>, at: usize, is_separate: bool| {
        if let Some(table) = markup.tag_mut(at) {
            table.restyle(|style| match is_separate {
                true => style.set("border-collapse", "separate"),
                false => style.remove("border-collapse"),
            });
        }
    };
    if has_gutter(component) {
        separate(markup, table, is_round);
    } else if is_round_inside {
        separate(markup, table, true);
    }
}

/// How wide it is on a phone, in its group.
fn mobile_width(component: &Component<'_>) -> String {
    let room = component.mark.room;
    match widths::own_width(&component.mark.attributes) {
        Some((_, Unit::Percent)) => component.get("width").unwrap_or_default().to_owned(),
        Some((width, _)) => format!("{}%", widths::written(width / room.width.trunc() * 100.0)),
        None => format!("{}%", 100 / room.siblings.max(1)),
    }
}

/// Whether there is a table around its table.
pub(super) fn has_gutter(component: &Component<'_>) -> bool {
    let mut attributes = component.mark.attributes.iter();
    attributes.any(|(name, _)| name == "padding" || name.starts_with("padding-"))
}

fn is_filled(component: &Component<'_>, name: &str) -> bool {
    component.get(name).is_some_and(|value| !value.is_empty())
}
