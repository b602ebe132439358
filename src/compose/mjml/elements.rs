//! What MJML knows: the elements, and what may stand within them.

/// How an element is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Holds elements, and raw pieces between them.
    Container,
    /// Holds certain elements and nothing else.
    Closed,
    /// Holds text and HTML, which is nobody's business but the reader's.
    Ending,
    /// Holds nothing.
    Leaf,
}

const ELEMENTS: [(&str, Kind); 37] = [
    ("mjml", Kind::Closed),
    ("mj-head", Kind::Closed),
    ("mj-body", Kind::Container),
    ("mj-wrapper", Kind::Container),
    ("mj-section", Kind::Container),
    ("mj-group", Kind::Container),
    ("mj-column", Kind::Container),
    ("mj-hero", Kind::Container),
    ("mj-text", Kind::Ending),
    ("mj-button", Kind::Ending),
    ("mj-table", Kind::Ending),
    ("mj-raw", Kind::Ending),
    ("mj-image", Kind::Leaf),
    ("mj-divider", Kind::Leaf),
    ("mj-spacer", Kind::Leaf),
    ("mj-social", Kind::Closed),
    ("mj-social-element", Kind::Ending),
    ("mj-navbar", Kind::Closed),
    ("mj-navbar-link", Kind::Ending),
    ("mj-accordion", Kind::Closed),
    ("mj-accordion-element", Kind::Closed),
    ("mj-accordion-title", Kind::Ending),
    ("mj-accordion-text", Kind::Ending),
    ("mj-carousel", Kind::Closed),
    ("mj-carousel-image", Kind::Leaf),
    ("mj-attributes", Kind::Closed),
    ("mj-all", Kind::Leaf),
    ("mj-class", Kind::Leaf),
    ("mj-breakpoint", Kind::Leaf),
    ("mj-font", Kind::Leaf),
    ("mj-title", Kind::Ending),
    ("mj-preview", Kind::Ending),
    ("mj-style", Kind::Ending),
    ("mj-html-attributes", Kind::Closed),
    ("mj-selector", Kind::Closed),
    ("mj-html-attribute", Kind::Ending),
    ("mj-include", Kind::Leaf),
];

/// What should stand around an element that MJML lays out.
pub(super) fn parents(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "mj-text" | "mj-button" | "mj-image" | "mj-divider" | "mj-spacer" | "mj-table"
        | "mj-social" | "mj-navbar" | "mj-accordion" | "mj-carousel" => {
            Some(&["mj-column", "mj-hero"])
        }
        "mj-column" => Some(&["mj-section", "mj-group"]),
        "mj-group" => Some(&["mj-section"]),
        "mj-section" => Some(&["mj-body", "mj-wrapper"]),
        _ => None,
    }
}

/// The tags of HTML that have no end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// What kind of element `name` is; `None` when MJML does not know it.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let known = ELEMENTS.iter().find(|(known, _)| *known == name);
    known.map(|(_, kind)| *kind)
}

/// The names of all elements.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ELEMENTS.iter().map(|(name, _)| *name)
}

/// Whether HTML's `name` never has an end tag.
pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}
