//! A document → the tree that the engine takes.
//!
//! The engine re-writes what it is given, and not always well: attribute values are printed as Rust
//! literals, and what it makes of HTML within text depends on what it looks like. So it never sees any
//! of that. The contents of ending tags, and attribute values that wait for the
//! reader, become *slots* such as `@@12@@`, which [`super::fill`] fills again. No attribute value
//! can hold one, as its `@` is written `&#64;`.
//!
//! Classes stay behind, too: a component that [`super::mends`] or its author wants to find again is of
//! the class `lp12`, its number among the [`Mark`]s.

mod nodes;

use std::mem;

use mrml::{
    mj_head::{MjHead, MjHeadChild},
    mjml::{Mjml, MjmlAttributes, MjmlChildren},
    prelude::AttributeMap,
};

use super::{
    document::{Attributes, Child, Component, Document},
    elements::{self, Kind},
    mends::{self, lifted},
    normalize, values,
    widths::Room,
};
use crate::{
    compose::{staging::Tags, tokens},
    error::{Error, Result},
};
use nodes::Node;

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
    pub(super) mjml: Mjml,
    pub(super) slots: Vec<Slot>,
    /// The components of the body, in order.
    pub(super) marks: Vec<Mark>,
    /// How deep the components are nested.
    pub(super) depth: usize,
}

/// Where a component stands.
struct Seat {
    parent: Option<usize>,
    index: usize,
    room: Room,
    before: Vec<usize>,
    is_followed: bool,
}

/// Makes a document ready for the engine, with a body whose first child is the one of this `index`.
///
/// # Errors
/// What the engine cannot lay out where it stands.
pub(super) fn prepare(
    document: &Document,
    body: Component,
    index: usize,
    tags: &Tags,
) -> Result<Prepared> {
    let mut builder = Builder {
        tags,
        first: index,
        depth: 0,
        out: Prepared::default(),
    };
    builder.document(document, body)?;
    Ok(builder.out)
}

struct Builder<'a> {
    tags: &'a Tags,
    /// The number of the first child of the body.
    first: usize,
    depth: usize,
    out: Prepared,
}

impl Builder<'_> {
    fn document(&mut self, document: &Document, body: Component) -> Result<()> {
        let [owa, lang, dir] = ["owa", "lang", "dir"].map(|name| {
            let value = document.attributes.get(name);
            value.map(|value| self.value(value))
        });
        let head = MjHead::new((), self.head(document));
        let seat = Seat {
            parent: None,
            index: 0,
            room: Room::page(),
            before: Vec::new(),
            is_followed: false,
        };
        let Node::Whole(body) = self.component(body, seat)? else {
            return Err(Error::bug("a body is prepared as something else"));
        };
        let children = MjmlChildren {
            head: Some(head),
            body: Some(body),
        };
        self.out.mjml = Mjml::new(MjmlAttributes { owa, lang, dir }, children);
        Ok(())
    }

    fn head(&mut self, document: &Document) -> Vec<MjHeadChild> {
        let head = &document.head;
        let mut children = Vec::new();
        if let Some(width) = &head.breakpoint {
            let width = self.value(width);
            children.push(nodes::breakpoint(width));
        }
        type Make = fn(String) -> MjHeadChild;
        let title: Make = |title| MjHeadChild::MjTitle(title.into());
        let preview: Make = |preview| MjHeadChild::MjPreview(preview.into());
        let style: Make = |style| MjHeadChild::MjStyle(style.into());
        // Each style keeps a block of its own, where npm's `mjml` joins them: Gmail throws away the
        // whole block that holds something it does not like.
        for (contents, make) in [
            (head.title.as_slice(), title),
            (head.preview.as_slice(), preview),
            (&head.styles, style),
            (&head.raws, nodes::raw_of_head),
        ] {
            for content in contents.iter().filter(|content| !content.is_empty()) {
                children.push(make(self.slot(Slot::Content(content.clone()))));
            }
        }
        children
    }

    fn component(&mut self, component: Component, seat: Seat) -> Result<Node> {
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
            return Ok(self.raw(content));
        }
        let number = self.out.marks.len();
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
        let attributes = self.attributes(&normal.attributes);
        let text = (!content.is_empty()).then(|| self.slot(Slot::Content(content)));
        let mut nodes = Vec::new();
        if !component.children.is_empty() {
            self.depth += 1;
            self.out.depth = self.out.depth.max(self.depth);
            nodes = self.children(component.children, &component.name, number, within)?;
            self.depth -= 1;
        }
        let name = &component.name;
        nodes::node(name, attributes, text, nodes).ok_or_else(|| {
            Error::data(format!("cannot lay out what stands in `<{name}>`")).at(component.place)
        })
    }

    fn children(
        &mut self,
        children: Vec<Child>,
        parent: &str,
        number: usize,
        room: Room,
    ) -> Result<Vec<Node>> {
        let mut nodes = Vec::with_capacity(children.len());
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
                Child::Raw(raw) => nodes.push(self.raw(raw)),
                Child::Component(child) => {
                    last_mark = Some(self.out.marks.len());
                    let seat = Seat {
                        parent: Some(number),
                        index: first + index,
                        room,
                        before: mem::take(&mut before),
                        is_followed: is_lifted && is_followed && last == Some(index),
                    };
                    nodes.push(self.component(child, seat)?);
                }
            }
        }
        if let Some(mark) = last_mark.and_then(|last| self.out.marks.get_mut(last)) {
            mark.after = before;
        }
        Ok(nodes)
    }

    /// The number of a slot that the engine does not see.
    fn kept(&mut self, raw: String) -> usize {
        self.out.slots.push(Slot::Raw(raw));
        self.out.slots.len() - 1
    }

    fn raw(&mut self, content: String) -> Node {
        let text = (!content.is_empty()).then(|| self.slot(Slot::Raw(content)));
        nodes::raw(text)
    }

    fn attributes(&mut self, attributes: &Attributes) -> AttributeMap {
        let mut named = AttributeMap::new();
        named.reserve(attributes.iter().count());
        for (name, value) in attributes.iter().filter(|(name, _)| values::is_name(name)) {
            named.insert(name.to_owned(), Some(self.value(value)));
        }
        named
    }

    fn value(&mut self, value: &str) -> String {
        if tokens::wait_in(value) {
            return self.slot(Slot::Value(value.replace('"', "&quot;")));
        }
        let mut protected = String::with_capacity(value.len());
        values::protect(value, &mut protected);
        protected
    }

    /// Puts something into a slot; what the engine sees of it.
    fn slot(&mut self, slot: Slot) -> String {
        let number = self.out.slots.len();
        self.out.slots.push(slot);
        format!("@@{number}@@")
    }
}
