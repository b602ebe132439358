//! `mj-accordion-title`: how heavy its letters are.

use super::{Component, Spot};
use crate::compose::mjml::markup::Markup;

pub(super) fn mend_title(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(weight) = component.get("font-weight") else {
        return;
    };
    for &cell in &spot.everyone {
        if let Some(cell) = markup.tag_mut(cell) {
            cell.restyle(|style| style.set_behind("font-family", "font-weight", weight));
        }
    }
}
