//! Raw pieces between the links of a menu, the icons of networks, and the parts of an accordion: the
//! engine takes none there, so they are put beside what stands before or after them.

use std::fmt::Write;

use super::{Component, Spot, accordions};
use crate::compose::mjml::markup::Markup;

/// Whether the raw pieces between the components in `parent` must be kept from the engine.
pub(in crate::compose::mjml) fn is_from(parent: &str) -> bool {
    let parents = [
        "mj-social",
        "mj-navbar",
        "mj-accordion",
        "mj-accordion-element",
    ];
    parents.contains(&parent)
}

pub(super) fn is_beside(component: &Component<'_>) -> bool {
    !component.mark.before.is_empty() || component.mark.is_followed
}

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let Some(&at) = spot.everyone.first() else {
        return;
    };
    let (start, end) = match &*component.mark.name {
        "mj-social-element" => {
            let social = component.parent();
            let mode = social.and_then(|social| social.get("mode"));
            let end = markup.element(at).end;
            match mode.unwrap_or("horizontal") {
                // A table of its own, in a cell for Outlook.
                "horizontal" => (at.saturating_sub(5), end + 5),
                _ => (at, end),
            }
        }
        "mj-navbar-link" => (at.saturating_sub(3), markup.element(at).end + 3),
        "mj-accordion-element" => (at, markup.element(at).end),
        _ => {
            let Some(div) = accordions::division(markup, at) else {
                return;
            };
            (div, markup.element(div).end)
        }
    };
    for (at, slots) in [
        (start, &component.mark.before),
        (end, &component.mark.after),
    ] {
        let mut html = String::new();
        for slot in slots {
            let _ = write!(html, "@@{slot}@@");
        }
        if !html.is_empty() {
            markup.insert(at, &html);
        }
    }
}
