//! Short questions about elements, asked of the schema.

use super::schema;
pub(super) use super::schema::Kind;

/// The tags of HTML that have no end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];

/// What kind of element `name` is; `None` when MJML does not know it.
pub(super) fn kind(name: &str) -> Option<Kind> {
    schema::element(name).map(|element| element.kind)
}

/// Whether an element of this name can be laid out in `parent`.
pub(super) fn is_laid_out_in(name: &str, parent: &str) -> bool {
    let both = schema::element(parent).zip(schema::element(name));
    both.is_some_and(|(parent, element)| schema::lays_out(parent, element))
}

/// Whether HTML's `name` never has an end tag.
pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}
