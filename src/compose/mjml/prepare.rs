//! A document → the MJML that the engine takes.
//!
//! The engine re-writes what it reads, and not always well: attribute values are printed as Rust
//! literals, HTML within text must be well-formed, a `>` after a letter of two bytes makes it panic.
//! So it never sees any of that. The contents of ending tags, and attribute values that wait for the
//! reader, become *slots* such as `@@12@@`, which [`super::fill`] fills again. No attribute value
//! can hold one, as its `@` is written `&#64;`.
//!
//! Classes stay behind, too: a component that [`super::mends`] or its author wants to find again is of
//! the class `lp12`, its number among the [`Mark`]s.

use std::{fmt::Write, mem};

use super::{
    document::{Attributes, Child, Component, Document},
    elements::{self, Kind},
    mends::{self, lifted},
    normalize, values,
    widths::Room,
};
use crate::{
    compose::{staging::Tags, tokens},
    place::Place,
};

/// What stands in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The content of an ending tag.
    Content(String),
    /// A piece between elements, which must not end up where only Outlook sees it.
    Raw(String),
    /// The value of an attribute.
    Value(String),
}

impl Slot {
    /// What it holds.
    pub(super) fn content(&self) -> &str {
        match self {
            Self::Content(content) | Self::Raw(content) | Self::Value(content) => content,
        }
    }
}

/// A component of the body, as it was before the engine saw it.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) name: String,
    /// Fit to be written into the page.
    pub(super) attributes: Attributes,
    /// The number of the component around it.
    pub(super) parent: Option<usize>,
    /// How many siblings stand before it, raw pieces included.
    pub(super) index: usize,
    pub(super) room: Room,
    /// Attributes that the engine was told for the sake of its arithmetic only.
    pub(super) counted: Vec<String>,
    /// The slots of the raw pieces that the engine does not see, before it and after it.
    pub(super) before: Vec<usize>,
    pub(super) after: Vec<usize>,
    /// Whether there will be some after it.
    pub(super) is_followed: bool,
}

/// A document that the engine takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    pub(super) mjml: String,
    pub(super) slots: Vec<Slot>,
    /// The components of the body, in order.
    pub(super) marks: Vec<Mark>,
    /// How deep the components are nested.
    pub(super) depth: usize,
    /// Where each element begins in `mjml`, and in the author's files.
    pub(super) elements: Vec<(usize, Place)>,
}

/// Where a component stands.
struct Seat {
    parent: Option<usize>,
    index: usize,
    room: Room,
    before: Vec<usize>,
    is_followed: bool,
}

/// Writes a document for the engine, with a body whose first child is the one of this `index`.
pub(super) fn prepare(document: &Document, body: Component, index: usize, tags: &Tags) -> Prepared {
    let mut writer = Writer {
        tags,
        first: index,
        depth: 0,
        out: Prepared::default(),
    };
    writer.document(document, body);
    writer.out
}

struct Writer<'a> {
    tags: &'a Tags,
    /// The number of the first child of the body.
    first: usize,
    depth: usize,
    out: Prepared,
}

impl Writer<'_> {
    fn document(&mut self, document: &Document, body: Component) {
        self.out.mjml.push_str("<mjml");
        for (name, value) in document.attributes.iter() {
            self.attribute(name, value);
        }
        self.out.mjml.push_str("><mj-head>");
        self.head(document);
        self.out.mjml.push_str("</mj-head>");
        let seat = Seat {
            parent: None,
            index: 0,
            room: Room::page(),
            before: Vec::new(),
            is_followed: false,
        };
        self.component(body, seat);
        self.out.mjml.push_str("</mjml>");
    }

    fn head(&mut self, document: &Document) {
        let head = &document.head;
        if let Some(width) = &head.breakpoint {
            self.out.mjml.push_str("<mj-breakpoint");
            self.attribute("width", width);
            self.out.mjml.push_str(" />");
        }
        let contents = [("mj-title", &head.title), ("mj-preview", &head.preview)];
        // Each style keeps a block of its own, where npm's `mjml` joins them: Gmail throws away the
        // whole block that holds something it does not like.
        let contents = contents
            .into_iter()
            .filter_map(|(name, content)| Some((name, content.as_ref()?)))
            .chain(head.styles.iter().map(|style| ("mj-style", style)))
            .chain(head.raws.iter().map(|raw| ("mj-raw", raw)));
        for (name, content) in contents {
            if !content.is_empty() {
                let _ = write!(self.out.mjml, "<{name}>");
                self.slot(Slot::Content(content.clone()));
                let _ = write!(self.out.mjml, "</{name}>");
            }
        }
    }

    fn component(&mut self, component: Component, seat: Seat) {
        let is_ending = elements::kind(&component.name) == Some(Kind::Ending);
        let mut content = match is_ending {
            true => component.content,
            false => String::new(),
        };
        if tokens::wait_in(&content) {
            content = values::without_lone_paragraphs(&content, self.tags);
        }
        if component.name == "mj-raw"
            || component.name == "mj-text" && values::is_silent(&content, self.tags)
        {
            return self.raw(content);
        }
        let number = self.out.marks.len();
        self.out
            .elements
            .push((self.out.mjml.len(), component.place.clone()));
        let _ = write!(self.out.mjml, "<{}", component.name);
        let mut normal = normalize::normalize(&component.name, &component.attributes);
        let classes = normal.attributes.remove("css-class");
        let is_classless = classes.is_none_or(|classes| classes.is_empty());
        let siblings = component
            .children
            .iter()
            .filter(|child| child.is_laid_out());
        let within = seat
            .room
            .within(&component.name, &component.attributes, siblings.count());
        let mut attributes = component.attributes;
        attributes.change(values::fit);
        self.out.marks.push(Mark {
            name: component.name.clone(),
            attributes,
            parent: seat.parent,
            index: seat.index,
            room: seat.room,
            counted: normal.counted,
            before: seat.before,
            after: Vec::new(),
            is_followed: seat.is_followed,
        });
        if !is_classless || mends::wants(&self.out.marks, number) {
            normal.attributes.set("css-class", format!("lp{number}"));
        }
        for (name, value) in normal.attributes.iter() {
            self.attribute(name, value);
        }
        if content.is_empty() && component.children.is_empty() {
            return self.out.mjml.push_str(" />");
        }
        self.out.mjml.push('>');
        if is_ending {
            self.slot(Slot::Content(content));
        } else {
            self.depth += 1;
            self.out.depth = self.out.depth.max(self.depth);
            self.children(component.children, &component.name, number, within);
            self.depth -= 1;
        }
        let _ = write!(self.out.mjml, "</{}>", component.name);
    }

    fn children(&mut self, children: Vec<Child>, parent: &str, number: usize, room: Room) {
        let is_lifted = lifted::is_from(parent);
        let last = children.iter().rposition(Child::is_laid_out);
        let is_followed = last.is_some_and(|last| last + 1 < children.len());
        let mut before = Vec::new();
        let mut last_mark = None;
        let first = if number == 0 { self.first } else { 0 };
        for (index, child) in children.into_iter().enumerate() {
            match child {
                Child::Component(raw) if is_lifted && raw.name == "mj-raw" => {
                    before.push(self.kept(raw.content));
                }
                Child::Raw(raw) if is_lifted => before.push(self.kept(raw)),
                Child::Raw(raw) => self.raw(raw),
                Child::Component(child) => {
                    last_mark = Some(self.out.marks.len());
                    let seat = Seat {
                        parent: Some(number),
                        index: first + index,
                        room,
                        before: mem::take(&mut before),
                        is_followed: is_lifted && is_followed && last == Some(index),
                    };
                    self.component(child, seat);
                }
            }
        }
        if let Some(mark) = last_mark.and_then(|last| self.out.marks.get_mut(last)) {
            mark.after = before;
        }
    }

    /// The number of a slot that the engine does not see.
    fn kept(&mut self, raw: String) -> usize {
        self.out.slots.push(Slot::Raw(raw));
        self.out.slots.len() - 1
    }

    fn raw(&mut self, content: String) {
        if content.is_empty() {
            return self.out.mjml.push_str("<mj-raw />");
        }
        self.out.mjml.push_str("<mj-raw>");
        self.slot(Slot::Raw(content));
        self.out.mjml.push_str("</mj-raw>");
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if !values::is_name(name) {
            return;
        }
        let _ = write!(self.out.mjml, " {name}=\"");
        if tokens::wait_in(value) {
            self.slot(Slot::Value(value.replace('"', "&quot;")));
        } else {
            values::protect(value, &mut self.out.mjml);
        }
        self.out.mjml.push('"');
    }

    fn slot(&mut self, slot: Slot) {
        let _ = write!(self.out.mjml, "@@{}@@", self.out.slots.len());
        self.out.slots.push(slot);
    }
}
