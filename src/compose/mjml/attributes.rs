//! Short questions about attributes, asked of the schema.

use super::schema;

/// The names of all attributes.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    schema::attribute_names()
}

/// Whether some element of MJML has an attribute of this name.
pub(super) fn is_known(name: &str) -> bool {
    schema::is_universal(name) || schema::attribute_names().any(|known| known == name)
}
