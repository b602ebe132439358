//! `mj-table`: roles, widths, and borders that stay apart.

use super::{Component, Spot};
use crate::compose::{
    mjml::{
        lengths::{self, Share, Unit},
        markup::{Audience, Markup},
        widths,
    },
    tokens,
};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &cell in &spot.everyone {
        let table = markup.find(cell + 1..cell + 3, "table", Audience::Everyone);
        let Some(table) = table.and_then(|at| markup.tag_mut(at)) else {
            continue;
        };
        if let Some(role) = component.get("role") {
            table.set("role", role);
        }
        if let Some(width) = component.get("width")
            && width != "auto"
            && !tokens::wait_in(width)
        {
            let number = match lengths::width(width, Share::Whole) {
                Some((_, Unit::Percent)) => width.to_owned(),
                Some((number, _)) => widths::written(number),
                None => "NaN".to_owned(),
            };
            table.set("width", number);
        }
        let is_spaced = is_spaced(component.get("cellspacing").unwrap_or("0"));
        table.restyle(|style| {
            style.remove("border-collapse");
            if is_spaced {
                style.set("border-collapse", "separate");
            }
        });
    }
}

/// Whether there is space between the cells.
fn is_spaced(cellspacing: &str) -> bool {
    let digits = |c: &char| c.is_ascii_digit() || *c == '.';
    let digits: String = cellspacing.chars().filter(digits).collect();
    lengths::number(&digits).is_some_and(|space| space > 0.0)
}
