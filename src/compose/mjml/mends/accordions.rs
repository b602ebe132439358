//! `mj-accordion-title`: how heavy its letters are, and titles that stand after the text.

use super::{Component, Spot};
use crate::compose::mjml::markup::{Audience, Markup};

/// Whether the title stands after the text.
pub(super) fn is_last(component: &Component<'_>) -> bool {
    component.follows("mj-accordion-text")
}

/// The engine shows titles first.
pub(super) fn mend_order(markup: &mut Markup<'_>, spot: &Spot, _: &Component<'_>) {
    let Some(&cell) = spot.everyone.first() else {
        return;
    };
    if let Some(div) = division(markup, cell) {
        let title = markup.element(div);
        let text = markup.element(title.end);
        markup.swap(title, text);
    }
}

/// The outer tag of the title or the text with this cell.
pub(super) fn division(markup: &Markup<'_>, cell: usize) -> Option<usize> {
    let mut before = (cell.saturating_sub(16)..cell).rev();
    before.find_map(|at| markup.find(at..at + 1, "div", Audience::Everyone))
}

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
