//! Elements → the MJML that the engine takes.
//!
//! The engine re-writes what it reads, and not always well: attribute values are printed as Rust
//! literals, HTML within text must be well-formed, a `>` after a letter of two bytes makes it panic.
//! So it never sees any of that. The contents of ending tags, and attribute values that wait for the
//! reader, become *slots* such as `@@12@@`, which [`super::finish`] fills again. No attribute value
//! can hold one, as its `@` is written `&#64;`.

use std::fmt::Write;

use super::{
    Purpose, attributes,
    elements::{self, Kind},
    normalize,
    tree::{Element, Node},
    values::{self, Between},
};
use crate::{
    compose::{
        staging::{Role, Tags},
        tokens,
    },
    error::nearest,
    finding::Finding,
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

/// A document that the engine takes.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) mjml: String,
    pub(super) slots: Vec<Slot>,
    /// The first slot of the body.
    pub(super) body: usize,
    /// What goes before everything else.
    pub(super) prologue: String,
    /// Where each element begins in `mjml`, and in the author's files.
    pub(super) elements: Vec<(usize, Place)>,
    /// What is wrong with the document; a strict run makes errors of it.
    pub(super) problems: Vec<Finding>,
    /// What does no harm but is not what its author meant.
    pub(super) notes: Vec<Finding>,
}

/// Writes a document for the engine. `language` is set where the document names none.
pub(super) fn prepare(
    top: &Element,
    tags: &Tags,
    purpose: Purpose,
    language: Option<&str>,
) -> Prepared {
    let mut writer = Writer {
        tags,
        purpose,
        out: Prepared {
            mjml: String::new(),
            slots: Vec::new(),
            body: 0,
            prologue: String::new(),
            elements: Vec::new(),
            problems: Vec::new(),
            notes: Vec::new(),
        },
    };
    writer.document(top, language);
    writer.out
}

struct Writer<'a> {
    tags: &'a Tags,
    purpose: Purpose,
    out: Prepared,
}

impl Writer<'_> {
    fn document(&mut self, top: &Element, language: Option<&str>) {
        self.outside(top);
        let mut roots = top.elements();
        let Some(root) = roots.next() else {
            let problem = Finding::error("mjml-structure", "there is no `<mjml>` element");
            return self.out.problems.push(problem.at(top.place.clone()));
        };
        if root.name != "mjml" {
            return self.problem(
                "mjml-structure",
                root,
                format!("the document begins with `<{}>`", root.name),
                "Put everything into `<mjml>`.",
            );
        }
        if let Some(second) = roots.next() {
            self.problem(
                "mjml-structure",
                second,
                "there is a second element after `<mjml>`",
                "Put everything into one `<mjml>`.",
            );
        }
        self.outside(root);
        self.begin(root);
        for name in ["lang", "dir", "owa"] {
            let fallback = language.filter(|_| name == "lang");
            if let Some(value) = root.attribute(name).or(fallback) {
                self.attribute(name, value);
            }
        }
        self.out.mjml.push('>');
        self.head(root);
        self.out.body = self.out.slots.len();
        let mut bodies = root.elements().filter(|element| element.name == "mj-body");
        match bodies.next() {
            Some(body) => self.element(body),
            None => self.problem(
                "mjml-structure",
                root,
                "there is no `<mj-body>`",
                "Put what is to be read into `<mj-body>`.",
            ),
        }
        if let Some(second) = bodies.next() {
            self.problem(
                "mjml-structure",
                second,
                "there is a second `<mj-body>`, which is left out",
                "Put everything into one `<mj-body>`.",
            );
        }
        for other in root.elements() {
            match other.name.as_str() {
                "mj-head" | "mj-body" => {}
                "mj-raw" if other.attribute("position") == Some("file-start") => {
                    self.out.prologue.push_str(&other.content);
                    self.out.prologue.push('\n');
                }
                _ => self.misplaced(other, "mjml"),
            }
        }
        self.out.mjml.push_str("</mjml>");
    }

    fn head(&mut self, root: &Element) {
        self.out.mjml.push_str("<mj-head>");
        for head in root.elements().filter(|element| element.name == "mj-head") {
            self.outside(head);
            for child in head.elements() {
                match child.name.as_str() {
                    "mj-attributes" => self.attributes(child),
                    "mj-style" => self.style(child),
                    "mj-title" | "mj-preview" | "mj-raw" => self.element(child),
                    "mj-font" | "mj-breakpoint" => self.element(child),
                    "mj-html-attributes" => self.problem(
                        "mjml-unsupported",
                        child,
                        "`<mj-html-attributes>` is not supported",
                        "Write the attribute at the element itself, or use `<mj-raw>`.",
                    ),
                    _ => self.misplaced(child, "mj-head"),
                }
            }
        }
        self.out.mjml.push_str("</mj-head>");
    }

    fn style(&mut self, style: &Element) {
        if style.attribute("inline") == Some("inline") {
            self.problem(
                "mjml-unsupported",
                style,
                "`inline=\"inline\"` is not supported; the style stays in the head",
                "Write what mail programs need into the attributes of the elements.",
            );
        }
        if style.content.is_empty() {
            return;
        }
        self.begin(style);
        self.out.mjml.push('>');
        self.slot(Slot::Content(style.content.clone()));
        self.out.mjml.push_str("</mj-style>");
    }

    fn attributes(&mut self, attributes: &Element) {
        self.outside(attributes);
        self.out.mjml.push_str("<mj-attributes>");
        for element in attributes.elements() {
            if elements::kind(&element.name).is_none() {
                self.unknown(element);
                continue;
            }
            if !element.children.is_empty() {
                self.problem(
                    "mjml-unsupported",
                    element,
                    format!("elements within `<{}>` are not supported", element.name),
                    "Set the attributes on `<mj-class>` or on the elements themselves.",
                );
            }
            self.begin(element);
            self.values(element);
            self.out.mjml.push_str(" />");
        }
        self.out.mjml.push_str("</mj-attributes>");
    }

    fn element(&mut self, element: &Element) {
        let Some(kind) = elements::kind(&element.name) else {
            return self.unknown(element);
        };
        if element.name == "mj-include" {
            return self.problem(
                "mjml-unsupported",
                element,
                "`<mj-include>` is not supported",
                "Write `{% include \"partials/name.mjml\" %}` in a template.",
            );
        }
        if matches!(kind, Kind::Ending) {
            let content = values::without_lone_paragraphs(&element.content, self.tags);
            if element.name == "mj-text" && values::is_silent(&content, self.tags) {
                return self.raw(content);
            }
            self.begin(element);
            self.values(element);
            if content.is_empty() {
                return self.out.mjml.push_str(" />");
            }
            self.out.mjml.push('>');
            self.slot(match element.name.as_str() {
                "mj-raw" => Slot::Raw(content),
                _ => Slot::Content(content),
            });
        } else {
            self.begin(element);
            self.values(element);
            if kind == Kind::Leaf {
                if let Some(child) = element.elements().next() {
                    self.misplaced(child, &element.name);
                }
                return self.out.mjml.push_str(" />");
            }
            self.out.mjml.push('>');
            for child in &element.children {
                self.node(child, element, kind);
            }
        }
        let _ = write!(self.out.mjml, "</{}>", element.name);
    }

    fn node(&mut self, node: &Node, parent: &Element, kind: Kind) {
        match node {
            Node::Element(child) if matches!(child.name.as_str(), "mj-head" | "mjml") => {
                self.misplaced(child, &parent.name);
            }
            Node::Element(child) => {
                self.note_parent(child, parent);
                self.element(child);
            }
            Node::Comment(comment) => {
                let conditional = comment.starts_with("<!--[") || comment.contains("<![endif]");
                if kind == Kind::Container && (conditional || self.purpose == Purpose::Template) {
                    self.raw(comment.clone());
                }
            }
            Node::Text(text, place) => self.between(text, place, parent, kind),
        }
    }

    /// Text between elements: tags of the sending moment, or something that is lost.
    fn between(&mut self, text: &str, place: &Place, parent: &Element, kind: Kind) {
        let mut silent = String::new();
        let mut stray = String::new();
        for piece in values::between(text, self.tags) {
            match piece {
                Between::Text(text) => stray.push_str(text),
                Between::Tag(_, tag) if tag.role == Role::Print => {
                    let problem = Finding::error(
                        "mjml-stray-text",
                        "this tag prints text between the elements of MJML",
                    );
                    let problem = problem
                        .at(tag.place.clone())
                        .hint("Put it into `<mj-text>`.");
                    self.out.problems.push(problem);
                }
                Between::Tag(text, _) if kind == Kind::Container => silent.push_str(text),
                // Outside of the body, a `set` goes before everything else.
                Between::Tag(text, tag)
                    if tag.role == Role::Statement && is_outside(&parent.name) =>
                {
                    self.out.prologue.push_str(text);
                }
                Between::Tag(_, tag) => self.refuse_tag(&tag.place, parent),
            }
        }
        if !silent.is_empty() {
            self.raw(silent);
        }
        let stray = stray.trim();
        if !stray.is_empty() {
            let shown: String = stray.chars().take(40).collect();
            let message = match parent.name.as_str() {
                "" => format!("the text `{shown}` stands outside of `<mjml>`"),
                name => format!("the text `{shown}` stands between elements in `<{name}>`"),
            };
            let problem = Finding::error("mjml-stray-text", message).at(place.clone());
            self.out
                .problems
                .push(problem.hint("Put it into `<mj-text>`; it is left out otherwise."));
        }
    }

    /// The text at the top, in `mjml` and in the head.
    fn outside(&mut self, parent: &Element) {
        for node in &parent.children {
            if let Node::Text(text, place) = node {
                self.between(text, place, parent, Kind::Closed);
            }
        }
    }

    fn refuse_tag(&mut self, place: &Place, parent: &Element) {
        let message = match parent.name.as_str() {
            "" => "a tag that depends on the reader cannot stand outside `<mjml>`".to_owned(),
            name => format!("a tag that depends on the reader cannot stand directly in `<{name}>`"),
        };
        let problem = Finding::error("mjml-send-tag", message).at(place.clone());
        self.out.problems.push(problem.hint(
            "It can stand in text, in the value of an attribute, and between the elements of `mj-body`, `mj-wrapper`, `mj-section`, `mj-group`, `mj-column` and `mj-hero`.",
        ));
    }

    fn raw(&mut self, content: String) {
        self.out.mjml.push_str("<mj-raw>");
        self.slot(Slot::Raw(content));
        self.out.mjml.push_str("</mj-raw>");
    }

    fn begin(&mut self, element: &Element) {
        let place = element.place.clone();
        self.out.elements.push((self.out.mjml.len(), place));
        self.out.mjml.push('<');
        self.out.mjml.push_str(&element.name);
    }

    fn values(&mut self, element: &Element) {
        if self.purpose == Purpose::Newsletter {
            self.note_unknown(element);
        }
        for attribute in normalize::attributes(element) {
            self.attribute(&attribute.name, &attribute.value);
        }
    }

    /// Notes an element that MJML lays out well only elsewhere.
    fn note_parent(&mut self, element: &Element, parent: &Element) {
        let Some(parents) = elements::parents(&element.name) else {
            return;
        };
        if self.purpose != Purpose::Newsletter || parents.contains(&parent.name.as_str()) {
            return;
        }
        let message = format!("`<{}>` stands in `<{}>`", element.name, parent.name);
        let parents: Vec<String> = parents.iter().map(|name| format!("`<{name}>`")).collect();
        let note = Finding::warning("mjml-parent", message)
            .at(element.place.clone())
            .hint(format!("Put it into {}.", parents.join(" or ")));
        if !self.out.notes.contains(&note) {
            self.out.notes.push(note);
        }
    }

    /// Notes attributes that no element has, each once for its place: a loop repeats the element.
    fn note_unknown(&mut self, element: &Element) {
        for attribute in &element.attributes {
            let name = attribute.name.as_str();
            if attributes::is_known(name) {
                continue;
            }
            let message = format!("`<{}>` has no attribute `{name}`", element.name);
            let note = Finding::warning("mjml-unknown-attribute", message);
            let note = note.at(element.place.clone());
            let note = match nearest(name, attributes::names()) {
                Some(near) => note.hint(format!("Did you mean `{near}`?")),
                None => note.hint("It changes nothing."),
            };
            if !self.out.notes.contains(&note) {
                self.out.notes.push(note);
            }
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        if !values::is_name(name) {
            return;
        }
        let _ = write!(self.out.mjml, " {name}=\"");
        if value.contains(tokens::is_of_sending) {
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

    fn unknown(&mut self, element: &Element) {
        let message = format!("MJML has no element `<{}>`", element.name);
        let problem = Finding::error("mjml-unknown-element", message).at(element.place.clone());
        let hint = match nearest(&element.name, elements::names()) {
            Some(name) => format!("Did you mean `<{name}>`?"),
            None => "HTML must stand in `<mj-text>` or `<mj-raw>`.".to_owned(),
        };
        self.out.problems.push(problem.hint(hint));
    }

    fn misplaced(&mut self, element: &Element, parent: &str) {
        if elements::kind(&element.name).is_none() {
            return self.unknown(element);
        }
        self.problem(
            "mjml-structure",
            element,
            format!("`<{}>` cannot stand in `<{parent}>`", element.name),
            "It is left out otherwise.",
        );
    }

    fn problem(
        &mut self,
        rule: &'static str,
        element: &Element,
        message: impl Into<String>,
        hint: &str,
    ) {
        let problem = Finding::error(rule, message).at(element.place.clone());
        self.out.problems.push(problem.hint(hint));
    }
}

/// Whether an element holds nothing that is read.
fn is_outside(name: &str) -> bool {
    matches!(name, "" | "mjml" | "mj-head" | "mj-attributes")
}
