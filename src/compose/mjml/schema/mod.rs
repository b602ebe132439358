//! What MJML 4.18 knows: each element with what it holds, where it may stand, its attributes with the
//! types of their values, and the values that count when nothing else is written.
//!
//! Only tables and their look-ups. What is made of a breach of them is the business of
//! [`super::check`]; what the engine makes of an element is not known here.

mod content;
mod head;
mod interactive;
mod layout;

use std::sync::LazyLock;

/// The element of this name; `None` when MJML does not know it.
pub(super) fn element(name: &str) -> Option<&'static ElementSchema> {
    let found = ELEMENTS.binary_search_by(|element| element.name.cmp(name));
    found.ok().map(|at| ELEMENTS[at])
}

/// The names of all elements, in the order of the alphabet.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ELEMENTS.iter().map(|element| element.name)
}

/// The elements that have an attribute of this name, with the type that it has there.
pub(super) fn having(attribute: &str) -> impl Iterator<Item = (&'static str, Type)> {
    let having = |element: &&'static ElementSchema| {
        let found = element.attribute(attribute);
        found.map(|kind| (element.name, kind))
    };
    ELEMENTS.iter().filter_map(having)
}

/// Every attribute that some element has, once, in the order of the alphabet.
pub(super) fn attribute_names() -> impl Iterator<Item = &'static str> {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let all = ELEMENTS.iter().flat_map(|element| element.attributes());
        let mut names: Vec<&str> = all.map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    });
    NAMES.iter().copied()
}

/// Whether an element is laid out where it stands directly in `parent`. So is anything of the body in
/// whatever holds elements; but what is made of certain parts can do nothing with others, and its parts
/// are nothing by themselves.
pub(super) fn lays_out(parent: &ElementSchema, element: &ElementSchema) -> bool {
    let is_of_body = parent.realm == Realm::Body || parent.name == "mj-body";
    let is_closed = |name: &str| self::element(name).is_some_and(|one| one.kind == Kind::Closed);
    let is_part = element.parents.iter().all(|name| is_closed(name));
    let is_meant = element.parents.contains(&parent.name);
    let is_layout = element.realm == Realm::Body && parent.kind == Kind::Container && !is_part;
    is_of_body && (is_meant || is_layout)
}

/// Whether an attribute may stand at any element: it names classes, or is for other programs.
pub(super) fn is_universal(attribute: &str) -> bool {
    matches!(attribute, "css-class" | "mj-class")
        || attribute.starts_with("data-")
        || attribute.starts_with("aria-")
}

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

/// Which part of a document an element belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Realm {
    /// The document itself, its head and its body.
    Frame,
    /// What stands in the head.
    Head,
    /// What is laid out.
    Body,
}

/// An element.
#[derive(Debug)]
pub(super) struct ElementSchema {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) realm: Realm,
    /// The elements that it is meant to stand in.
    pub(super) parents: &'static [&'static str],
    /// The attributes, those of one type together. See [`ElementSchema::attribute`].
    attributes: &'static [Group],
    /// The attributes without which it means nothing.
    pub(super) required: &'static [&'static str],
}

impl ElementSchema {
    /// Whether what stands in it is not read as elements. (What stands in two of the leaves is neither
    /// read nor laid out.)
    pub(super) fn is_opaque(&self) -> bool {
        self.kind == Kind::Ending || matches!(self.name, "mj-breakpoint" | "mj-carousel-image")
    }

    /// The type of an attribute of this element.
    pub(super) fn attribute(&self, name: &str) -> Option<Type> {
        let group = self
            .attributes
            .iter()
            .find(|(names, _)| names.contains(&name));
        group.map(|(_, kind)| *kind)
    }

    /// The attributes with their types.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'static str, Type)> {
        let groups = self.attributes.iter();
        groups.flat_map(|(names, kind)| names.iter().map(|name| (*name, *kind)))
    }
}

/// Attributes of one type.
type Group = (&'static [&'static str], Type);

/// What the value of an attribute must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Anything.
    Text,
    /// A color that every mail program knows.
    Color,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// One of these words.
    Words(&'static [&'static str]),
    /// Lengths.
    Lengths(Lengths),
}

/// Which lengths a value may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    /// An empty one stands for a number without a unit, `auto` for the word.
    pub(super) units: &'static [&'static str],
    pub(super) sign: Sign,
    /// How many at most; there must be one.
    pub(super) most: usize,
}

/// Whether a length may be below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Positive,
    Any,
}

impl Type {
    const PIXELS: Self = Self::lengths(&["px"], 1);
    const PIXELS_OR_AUTO: Self = Self::lengths(&["px", "auto"], 1);
    const LENGTH: Self = Self::lengths(&["px", "%"], 1);
    const LENGTH_OR_AUTO: Self = Self::lengths(&["px", "%", "auto"], 1);
    const LENGTHS: Self = Self::lengths(&["px", "%"], 4);
    const LINE_HEIGHT: Self = Self::lengths(&["px", "%", ""], 1);
    const SPACING: Self = Self::Lengths(Lengths {
        units: &["px", "em"],
        sign: Sign::Any,
        most: 1,
    });

    const fn lengths(units: &'static [&'static str], most: usize) -> Self {
        Self::Lengths(Lengths {
            units,
            sign: Sign::Positive,
            most,
        })
    }
}

const PADDING: Group = (&["padding"], Type::LENGTHS);
const PADDING_SIDES: Group = (
    &[
        "padding-top",
        "padding-right",
        "padding-bottom",
        "padding-left",
    ],
    Type::LENGTH,
);

/// All elements, in the order of the alphabet.
static ELEMENTS: [&ElementSchema; 37] = [
    &interactive::ACCORDION,
    &interactive::ACCORDION_ELEMENT,
    &interactive::ACCORDION_TEXT,
    &interactive::ACCORDION_TITLE,
    &head::ALL,
    &head::ATTRIBUTES,
    &layout::BODY,
    &head::BREAKPOINT,
    &content::BUTTON,
    &interactive::CAROUSEL,
    &interactive::CAROUSEL_IMAGE,
    &head::CLASS,
    &layout::COLUMN,
    &content::DIVIDER,
    &head::FONT,
    &layout::GROUP,
    &head::HEAD,
    &layout::HERO,
    &head::HTML_ATTRIBUTE,
    &head::HTML_ATTRIBUTES,
    &content::IMAGE,
    &head::INCLUDE,
    &interactive::NAVBAR,
    &interactive::NAVBAR_LINK,
    &head::PREVIEW,
    &content::RAW,
    &layout::SECTION,
    &head::SELECTOR,
    &interactive::SOCIAL,
    &interactive::SOCIAL_ELEMENT,
    &content::SPACER,
    &head::STYLE,
    &content::TABLE,
    &content::TEXT,
    &head::TITLE,
    &layout::WRAPPER,
    &head::MJML,
];

#[cfg(test)]
mod tests;
