//! `mj-divider`: its width for Outlook.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths::{self, Share, Unit},
    markup::{Audience, Markup},
    widths,
};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &cell in &spot.everyone {
        let end = markup.element(cell).end;
        let table = markup.find(cell + 1..end, "table", Audience::Outlook);
        if let Some(table) = table.and_then(|at| markup.tag_mut(at)) {
            let width = width(component);
            table.restyle(|style| style.set("width", width.as_str()));
            table.set("width", width);
        }
    }
}

fn width(component: &Component<'_>) -> String {
    let mark = component.mark;
    let room = mark.room.width.trunc() - widths::padding(&mark.name, &mark.attributes);
    let own = component.get("width").unwrap_or("100%");
    match lengths::width(own, Share::Whole) {
        _ if own.is_empty() => String::new(),
        Some((_, Unit::Pixel)) => own.to_owned(),
        Some((share, Unit::Percent)) => widths::pixels(room * (share / 100.0)),
        _ => widths::pixels(room),
    }
}
