//! An MJML document as a tree of elements.

use std::ops::Range;

use crate::place::Place;

/// An element.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// In lower case.
    pub(super) name: String,
    pub(super) attributes: Vec<Attribute>,
    /// Attributes whose name stands at this element already; they do not count.
    pub(super) duplicates: Vec<Attribute>,
    pub(super) children: Vec<Node>,
    /// What an ending tag holds, verbatim.
    pub(super) content: String,
    /// Where its name stands, with the `<`.
    pub(super) place: Place,
}

/// An attribute; the value as written, between the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// In the case that it is written in, as it counts.
    pub(super) name: String,
    pub(super) value: String,
    /// Where it stands in the text of its element's place, if that is known.
    pub(super) spans: Option<Spans>,
}

/// Where an attribute stands in a text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    pub(super) name: Range<u32>,
    /// Without the quotes.
    pub(super) value: Range<u32>,
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
    /// An element that holds nothing yet.
    pub(super) fn new(name: impl Into<String>, place: Place) -> Self {
        Self {
            name: name.into(),
            attributes: Vec::new(),
            duplicates: Vec::new(),
            children: Vec::new(),
            content: String::new(),
            place,
        }
    }

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

    /// Where the name of one of its attributes stands, or the nearest place that is known.
    pub(super) fn place_of_name(&self, attribute: &Attribute) -> Place {
        match self.spans(attribute) {
            Some(spans) => self.place.text().place(bytes(&spans.name)),
            None => self.place.clone(),
        }
    }

    /// Where the value of one of its attributes stands, or the nearest place that is known.
    pub(super) fn place_of_value(&self, attribute: &Attribute) -> Place {
        match self.spans(attribute) {
            Some(spans) if spans.value.is_empty() => self.place.text().place(bytes(&spans.name)),
            Some(spans) => self.place.text().place(bytes(&spans.value)),
            None => self.place.clone(),
        }
    }

    fn spans(&self, attribute: &Attribute) -> Option<Spans> {
        attribute.spans.clone().or_else(|| self.written(attribute))
    }

    /// Looks for an attribute of a composed element in the author's tag: mostly it stands there as it
    /// came out.
    fn written(&self, attribute: &Attribute) -> Option<Spans> {
        let text = self.place.text().content();
        let start = self.place.range().end;
        let tag = text.get(start..)?;
        let tag = &tag[..tag.find(['<', '>']).unwrap_or(tag.len())];
        let found = tag
            .match_indices(attribute.name.as_str())
            .find(|(at, name)| {
                let before = tag[..*at].chars().next_back();
                let after = tag[at + name.len()..].trim_start();
                before.is_none_or(|before| before.is_whitespace() || "\"'".contains(before))
                    && (after.starts_with('=') || attribute.value.is_empty())
            });
        let (at, name) = found?;
        let end = at + name.len();
        let value =
            tag[end..].find(|c: char| c != '=' && !c.is_whitespace() && c != '"' && c != '\'');
        let value = value.map(|skipped| end + skipped);
        let value = value.filter(|value| tag[*value..].starts_with(attribute.value.as_str()));
        let value = match value {
            Some(value) => value..value + attribute.value.len(),
            None => end..end,
        };
        let span = |range: Range<usize>| start + range.start..start + range.end;
        Spans::new(span(at..end), span(value))
    }
}

impl Attribute {
    /// An attribute that nobody wrote at this place.
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            spans: None,
        }
    }
}

impl Spans {
    /// `None` when the text is too long for it.
    pub(super) fn new(name: Range<usize>, value: Range<usize>) -> Option<Self> {
        let at = |at: usize| u32::try_from(at).ok();
        Some(Self {
            name: at(name.start)?..at(name.end)?,
            value: at(value.start)?..at(value.end)?,
        })
    }
}

fn bytes(span: &Range<u32>) -> Range<usize> {
    let at = |at: u32| usize::try_from(at).unwrap_or(usize::MAX);
    at(span.start)..at(span.end)
}
