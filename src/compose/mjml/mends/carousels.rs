//! `mj-carousel-image`: its width, and its thumbnail.

use super::{Component, Spot};
use crate::compose::mjml::{
    lengths,
    markup::{Audience, Markup},
    widths,
};

pub(super) fn mend_image(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(carousel) = component.parent() else {
        return;
    };
    let tags = spot.everyone.iter().map(|at| (*at, Audience::Everyone));
    let tags = tags.chain(spot.outlook.iter().map(|at| (*at, Audience::Outlook)));
    for (at, audience) in tags {
        let image = markup.find(at + 1..at + 4, "img", audience);
        let Some(tag) = markup.tag_mut(at) else {
            continue;
        };
        let width = if tag.name == "a" {
            let width = carousel.get("tb-width").filter(|width| !width.is_empty());
            let width = component.get("tb-width").or(width).unwrap_or("110px");
            tag.restyle(|style| {
                // The engine says it twice.
                style.remove("width");
                style.set("width", width);
                if carousel.get("thumbnails") == Some("supported") {
                    style.set("display", "none");
                }
            });
            lengths::whole(width).unwrap_or(f64::NAN)
        } else if component.mark.room.is_odd {
            component.mark.room.width
        } else {
            continue;
        };
        let is_thumbnail = tag.name == "a";
        if let Some(image) = image.and_then(|at| markup.tag_mut(at)) {
            image.set("width", widths::written(width.trunc()));
            if !is_thumbnail {
                image.restyle(|style| style.set("width", widths::pixels(width)));
            }
        }
    }
}
