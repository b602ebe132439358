//! Lengths that the engine was given only to count with: the author's are what is shown.

use super::{Component, Spot, columns};
use crate::compose::mjml::markup::{Audience, Markup};

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    for &first in &spot.everyone {
        match &*component.mark.name {
            "mj-column" => {
                let gutter = columns::has_gutter(component);
                let outer = if gutter { "td" } else { "table" };
                let outer = markup.find(first + 1..first + 5, outer, Audience::Everyone);
                show(markup, outer, "", component);
                if let Some(outer) = outer.filter(|_| gutter) {
                    let inner = markup.find(outer + 1..outer + 2, "table", Audience::Everyone);
                    show(markup, inner, "inner-", component);
                }
            }
            "mj-section" | "mj-wrapper" | "mj-hero" => {
                let cell = (first + 1..first + 30).find(|at| {
                    let tag = markup.tag(*at).filter(|tag| tag.name == "td");
                    let style = tag.and_then(|tag| tag.get("style"));
                    style.is_some_and(|style| style.contains("padding:"))
                });
                show(markup, cell, "", component);
            }
            // The cell of a column; borders are seen to where they are drawn.
            _ => show(markup, Some(first), "", component),
        }
    }
}

/// Shows the author's lengths in the tag at `at`; `prefix` is that of the attributes it is about.
fn show(markup: &mut Markup<'_>, at: Option<usize>, prefix: &str, component: &Component<'_>) {
    let Some(tag) = at.and_then(|at| markup.tag_mut(at)) else {
        return;
    };
    let counted = component.mark.counted.iter();
    let counted = counted.filter(|name| name.starts_with("inner-") != prefix.is_empty());
    tag.restyle(|style| {
        for name in counted {
            let property = name.strip_prefix(prefix).unwrap_or(name);
            match component.get(name) {
                _ if style.get(property).is_none() => {}
                Some(own) => style.set(property, own),
                None => style.remove(property),
            }
        }
    });
}
