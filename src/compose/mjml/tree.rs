//! An MJML document as a tree of elements.

use crate::place::Place;

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// In lower case.
    pub(super) name: String,
    pub(super) attributes: Vec<Attribute>,
    pub(super) children: Vec<Node>,
    /// What an ending tag holds, verbatim.
    pub(super) content: String,
    pub(super) place: Place,
}

/// An attribute; the value as written, between the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) value: String,
}

/// What an element holds.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Element(Element),
    Text(String, Place),
    /// With `<!--` and `-->`.
    Comment(String),
}

impl Element {
    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|found| found.name == name);
        found.map(|found| found.value.as_str())
    }

    /// The elements among the children, taken out.
    pub(super) fn into_elements(self) -> Vec<Element> {
        let elements = self.children.into_iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        });
        elements.collect()
    }

    /// The elements among the children.
    pub(super) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }
}
