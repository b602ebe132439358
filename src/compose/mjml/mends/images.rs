//! `mj-image`: borders of single sides, the titles of links, and widths in whole pixels.

use super::{Component, Spot};
use crate::compose::{
    mjml::{
        lengths,
        markup::{Audience, Markup},
        widths,
    },
    tokens,
};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &cell in &spot.everyone {
        let within = markup.element(cell);
        let find = |name| markup.find(cell + 1..within.end, name, Audience::Everyone);
        let (table, inner, link, image) = (find("table"), find("td"), find("a"), find("img"));
        if let Some(link) = link.and_then(|at| markup.tag_mut(at))
            && let Some(title) = component.get("title")
        {
            link.set("title", title);
        }
        if component.mark.room.is_odd {
            let width = width(component);
            let is_full = component.get("full-width") == Some("full-width");
            let holder = if is_full { table } else { inner };
            if let Some(holder) = holder.and_then(|at| markup.tag_mut(at)) {
                holder.restyle(|style| style.set("width", widths::pixels(width)));
            }
            if let Some(image) = image.and_then(|at| markup.tag_mut(at)) {
                image.set("width", widths::written(width));
            }
        }
        let Some(image) = image.and_then(|at| markup.tag_mut(at)) else {
            continue;
        };
        if let Some(sizes) = component.get("sizes") {
            image.set("sizes", sizes);
        }
        match component.get("height") {
            None | Some("auto") => {}
            Some(height) if tokens::wait_in(height) => {}
            Some("") => image.remove("height"),
            Some(height) => {
                image.set(
                    "height",
                    widths::written(lengths::whole(height).unwrap_or(f64::NAN)),
                );
            }
        }
        image.restyle(|style| {
            for side in ["border-bottom", "border-top", "border-right", "border-left"] {
                if let Some(border) = component.get(side) {
                    style.set_behind("border", side, border);
                }
            }
        });
    }
}

/// How wide the picture is: as its author says, as far as there is room.
fn width(component: &Component<'_>) -> f64 {
    let mark = component.mark;
    let room = mark.room.inside(&mark.name, &mark.attributes);
    let own = component.get("width").and_then(lengths::whole);
    own.map_or(room, |own| own.min(room))
}
