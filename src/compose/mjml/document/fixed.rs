//! Attributes that are needed while a page is laid out: widths are counted from them, or they decide
//! which elements there are. They cannot wait for the reader.

use super::Attributes;
use crate::{compose::staging::Tags, finding::Finding};

/// The sides that count where only widths do.
const SIDES: [&str; 6] = [
    "border",
    "border-left",
    "border-right",
    "padding",
    "padding-left",
    "padding-right",
];

/// Components with the attributes that cannot wait, and whether their sides cannot either.
const FIXED: [(&str, Sides, &[&str]); 14] = [
    ("mj-body", Sides::Free, &["width"]),
    ("mj-wrapper", Sides::Counted, &["full-width", "gap"]),
    ("mj-section", Sides::Counted, &["full-width"]),
    ("mj-group", Sides::Free, &["width"]),
    (
        "mj-column",
        Sides::Counted,
        &[
            "inner-border",
            "inner-border-left",
            "inner-border-right",
            "width",
        ],
    ),
    (
        "mj-hero",
        Sides::Counted,
        &[
            "background-height",
            "background-width",
            "height",
            "mode",
            "padding-bottom",
            "padding-top",
        ],
    ),
    (
        "mj-image",
        Sides::Counted,
        &["fluid-on-mobile", "height", "width"],
    ),
    ("mj-divider", Sides::Counted, &["align", "width"]),
    ("mj-button", Sides::Free, &["width"]),
    ("mj-table", Sides::Free, &["width"]),
    (
        "mj-carousel",
        Sides::Free,
        &["icon-width", "tb-width", "thumbnails"],
    ),
    ("mj-navbar", Sides::Free, &["hamburger"]),
    ("mj-social", Sides::Free, &["mode"]),
    (
        "mj-social-element",
        Sides::Free,
        &["icon-height", "icon-position", "icon-size", "name"],
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sides {
    Counted,
    Free,
}

/// The tags that wait for the reader in such attributes of a component.
pub(super) fn check(name: &str, attributes: &Attributes, tags: &Tags) -> Vec<Finding> {
    let Some((_, sides, fixed)) = FIXED.iter().find(|(component, ..)| *component == name) else {
        return Vec::new();
    };
    let is_fixed = |attribute: &str| {
        fixed.contains(&attribute) || *sides == Sides::Counted && SIDES.contains(&attribute)
    };
    let mut findings = Vec::new();
    for (attribute, value) in attributes
        .iter()
        .filter(|(attribute, _)| is_fixed(attribute))
    {
        let message = || format!("`{attribute}` of `<{name}>` cannot depend on the reader");
        findings.extend(refusal(value, message, tags).map(|finding| finding.hint(
            "Page and widths are laid out with it before there is a reader: write the element once for each value, and put the block around them.",
        )));
    }
    findings
}

/// What is said at the first tag of a value, if it has one: one is enough to be told of all.
pub(super) fn refusal(
    value: &str,
    message: impl FnOnce() -> String,
    tags: &Tags,
) -> Option<Finding> {
    let runs = tags.runs(value).unwrap_or_default();
    let (_, run) = runs.into_iter().next()?;
    Some(Finding::error("mjml-send-tag", message()).at(run.tag.place.clone()))
}
