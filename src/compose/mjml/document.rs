//! A document with nothing left to look up: the head in one piece, and a body whose components carry
//! all of their attributes, from `mj-attributes` and `mj-class` too.
//!
//! The engine has its own ideas of which of two classes wins; so it never sees them.

mod attributes;
mod fixed;

use std::collections::HashMap;

pub(super) use attributes::{Attributes, Kept};

use super::{
    Purpose,
    elements::{self, Kind},
    handed::Around,
    mends::lifted,
    tree::{Element, Node},
    values::{self, Between},
};
use crate::{
    compose::staging::{Role, Tags},
    finding::Finding,
    place::Place,
};

/// A document.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    /// Of `<mjml>`: `lang`, `dir` and `owa`.
    pub(super) attributes: Attributes,
    pub(super) head: Head,
    pub(super) body: Option<Component>,
    /// What goes before everything else.
    pub(super) prologue: String,
}

/// What all heads of a document say together.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) title: Option<String>,
    pub(super) preview: Option<String>,
    pub(super) breakpoint: Option<String>,
    /// Names and addresses, in order.
    pub(super) fonts: Vec<(String, String)>,
    /// Styles for the head.
    pub(super) styles: Vec<String>,
    /// Styles that go into the elements of the page.
    pub(super) inline_styles: Vec<Inlined>,
    /// HTML for the end of the head.
    pub(super) raws: Vec<String>,
    /// Attributes for elements of the page.
    pub(super) html_attributes: Vec<Selected>,
}

/// Styles for the `style` of each element that they match.
#[derive(Clone, Debug)]
pub(super) struct Inlined {
    pub(super) css: String,
    pub(super) place: Place,
}

/// Attributes for all that a selector matches.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    pub(super) path: String,
    pub(super) attributes: Attributes,
    pub(super) place: Place,
}

/// A component of the body.
#[derive(Clone, Debug)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) attributes: Attributes,
    pub(super) children: Vec<Child>,
    /// What an ending tag holds.
    pub(super) content: String,
    pub(super) place: Place,
}

/// What a component holds.
#[derive(Clone, Debug)]
pub(super) enum Child {
    Component(Component),
    /// HTML, a comment, or tags of the sending moment between two components.
    Raw(String),
}

impl Child {
    /// Whether it takes room beside its siblings.
    pub(super) fn is_laid_out(&self) -> bool {
        matches!(self, Self::Component(component) if component.name != "mj-raw")
    }
}

/// Looks up all that a document refers to. What `check` has found fault with is left out. Says which
/// tags of the sending moment stand where they cannot.
pub(super) fn resolve(top: Element, tags: &Tags, purpose: Purpose) -> (Document, Vec<Finding>) {
    let mut resolver = Resolver {
        tags,
        purpose,
        defaults: HashMap::new(),
        classes: HashMap::new(),
        document: Document::default(),
        findings: Vec::new(),
    };
    resolver.document(top);
    (resolver.document, resolver.findings)
}

/// What a class sets: on the element itself, and by name on the elements within it.
#[derive(Default)]
struct Class {
    own: Attributes,
    children: HashMap<String, Attributes>,
}

struct Resolver<'a> {
    tags: &'a Tags,
    purpose: Purpose,
    defaults: HashMap<String, Attributes>,
    classes: HashMap<String, Class>,
    document: Document,
    findings: Vec<Finding>,
}

impl Resolver<'_> {
    fn document(&mut self, top: Element) {
        self.outside(&top);
        let roots = top.into_elements();
        let Some(root) = roots.into_iter().find(|element| element.name == "mjml") else {
            return;
        };
        self.outside(&root);
        for name in ["lang", "dir", "owa"] {
            if let Some(value) = root.attribute(name) {
                self.document.attributes.set(name, value);
            }
        }
        // The body may stand before the head; of two, the first counts.
        let (heads, others): (Vec<_>, Vec<_>) = root
            .into_elements()
            .into_iter()
            .partition(|element| element.name == "mj-head");
        if let Some(head) = heads.into_iter().next() {
            self.outside(&head);
            for node in head.children {
                match node {
                    Node::Element(element) => self.head(element),
                    Node::Comment(comment) if self.keeps(&comment) => {
                        self.document.head.raws.push(comment);
                    }
                    _ => {}
                }
            }
        }
        for element in others {
            match element.name.as_str() {
                "mj-body" if self.document.body.is_none() => {
                    let body = self.component(element, &Around::default());
                    self.document.body = Some(body);
                }
                "mj-raw" if element.attribute("position") == Some("file-start") => {
                    self.document.prologue.push_str(&element.content);
                    self.document.prologue.push('\n');
                }
                _ => {}
            }
        }
    }

    fn head(&mut self, element: Element) {
        match element.name.as_str() {
            "mj-attributes" => {
                self.outside(&element);
                for element in element.elements() {
                    self.attributes(element);
                }
                return;
            }
            "mj-html-attributes" => return self.html_attributes(&element),
            _ => {}
        }
        let head = &mut self.document.head;
        let value = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        match element.name.as_str() {
            "mj-title" => head.title = Some(element.content),
            "mj-preview" => head.preview = Some(element.content),
            "mj-breakpoint" => head.breakpoint = Some(value("width")),
            "mj-font" => head.fonts.push((value("name"), value("href"))),
            "mj-style" if element.attribute("inline") == Some("inline") => {
                let Element { content, place, .. } = element;
                head.inline_styles.push(Inlined {
                    css: content,
                    place,
                });
            }
            "mj-style" => head.styles.push(element.content),
            "mj-raw" => head.raws.push(element.content),
            _ => {}
        }
    }

    fn attributes(&mut self, element: &Element) {
        let mut attributes = Attributes::from(element);
        if element.name != "mj-class" {
            let defaults = self.defaults.entry(element.name.clone());
            return defaults.or_default().merge(&attributes);
        }
        let name = attributes.remove("name").unwrap_or_default();
        let class = self.classes.entry(name.to_string()).or_default();
        class.own.merge(&attributes);
        for child in element.elements() {
            let attributes = Attributes::from(child);
            class.children.insert(child.name.clone(), attributes);
        }
    }

    fn html_attributes(&mut self, element: &Element) {
        for selector in element.elements() {
            let Some(path) = selector.attribute("path") else {
                continue;
            };
            let mut attributes = Attributes::default();
            for attribute in selector.elements() {
                if let Some(name) = attribute.attribute("name") {
                    let message =
                        || "the name of an attribute cannot depend on the reader".to_owned();
                    let refusal = fixed::refusal(name, message, self.tags);
                    self.say(refusal.map(|refusal| refusal.hint("Put the tag into its value.")));
                    attributes.set(name, attribute.content.as_str());
                }
            }
            self.document.head.html_attributes.push(Selected {
                path: path.to_owned(),
                attributes,
                place: selector.place.clone(),
            });
        }
    }

    fn component(&mut self, element: Element, around: &Around) -> Component {
        let own_class = element.attribute("mj-class").map(str::to_owned);
        self.class_is_known(own_class.as_deref().unwrap_or_default());
        let mut attributes = Attributes::default();
        if let Some(defaults) = self.defaults.get("mj-all") {
            attributes.merge(defaults);
        }
        attributes.merge(&around.handed);
        if let Some(defaults) = self.defaults.get(&element.name) {
            attributes.merge(defaults);
        }
        // What comes later wins, but for the names of classes, which add up.
        let mut named: Option<String> = None;
        for class in own_class.as_deref().unwrap_or_default().split(' ') {
            if let Some(class) = self.classes.get(class) {
                attributes.merge(&class.own);
                if let Some(more) = class.own.get("css-class") {
                    let joined = match named {
                        Some(names) => format!("{names} {more}"),
                        None => more.to_owned(),
                    };
                    attributes.set("css-class", joined.as_str());
                    named = Some(joined);
                }
            }
        }
        for class in around.class.split(' ') {
            let class = self.classes.get(class);
            if let Some(inherited) = class.and_then(|class| class.children.get(&element.name)) {
                attributes.merge(inherited);
            }
        }
        let own = Attributes::from(&element);
        attributes.merge(&own);
        attributes.remove("mj-class");
        around.complete(&element.name, &own, &mut attributes);
        self.say(fixed::check(&element.name, &attributes, self.tags));
        let around = around.within(&element.name, own_class, &attributes);
        let kind = elements::kind(&element.name);
        let mut children = Vec::new();
        if kind != Some(Kind::Leaf) {
            for node in element.children {
                self.child(node, &element.name, kind, &around, &mut children);
            }
        }
        if matches!(element.name.as_str(), "mj-section" | "mj-group") {
            self.note_widths(&children);
        }
        Component {
            name: element.name,
            attributes,
            children,
            content: element.content,
            place: element.place,
        }
    }

    /// Keeps what was not said before: a loop repeats it.
    fn say(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
    }

    fn class_is_known(&mut self, class: &str) {
        let message = || "`mj-class` cannot depend on the reader".to_owned();
        let refusal = fixed::refusal(class, message, self.tags);
        self.say(refusal.map(|refusal| {
            refusal.hint("Put the block into the values, or use `css-class` and `<mj-style>`.")
        }));
    }

    /// Columns share their row as if every reader got all of them.
    fn note_widths(&mut self, children: &[Child]) {
        let columns = children.iter().filter_map(|child| match child {
            Child::Component(column) => Some(column),
            Child::Raw(_) => None,
        });
        let shares = |column: &Component| column.attributes.get("width").is_none();
        let block = children.iter().find_map(|child| match child {
            Child::Raw(raw) => self.tags.runs(raw).ok()?.into_iter().next(),
            Child::Component(_) => None,
        });
        let count = columns.clone().count();
        let Some((_, block)) = block.filter(|_| count > 1 && columns.clone().any(shares)) else {
            return;
        };
        let message = format!(
            "each of the {count} columns around this tag is 1/{count} wide, whichever a reader gets"
        );
        let note = Finding::warning("mjml-shared-width", message).at(block.tag.place.clone());
        let note = note.hint("Set the `width` of each, or put the block around the whole section.");
        self.say([note]);
    }

    fn child(
        &mut self,
        node: Node,
        parent: &str,
        kind: Option<Kind>,
        around: &Around,
        children: &mut Vec<Child>,
    ) {
        match node {
            Node::Element(element) => {
                if elements::is_laid_out_in(&element.name, parent) {
                    children.push(Child::Component(self.component(element, around)));
                } else if !self.tags.is_empty() {
                    let mut text = String::new();
                    all_of(&element, &mut text);
                    self.left_out(&text, &format!("`<{}>` is", element.name), "element");
                }
            }
            Node::Comment(comment)
                if (kind == Some(Kind::Container) || lifted::is_from(parent))
                    && self.keeps(&comment) =>
            {
                children.push(Child::Raw(comment));
            }
            Node::Comment(comment) => self.left_out(&comment, "comments are", "comment"),
            Node::Text(text, _) => {
                let silent = self.between(&text, parent, kind);
                if !silent.is_empty() {
                    children.push(Child::Raw(silent));
                }
            }
        }
    }

    /// Comments are notes among authors, unless Outlook obeys them.
    fn keeps(&self, comment: &str) -> bool {
        let conditional = comment.starts_with("<!--[") || comment.contains("<![endif]");
        conditional || self.purpose == Purpose::Template
    }

    /// What is left out must not take half of a block with it.
    fn left_out(&mut self, text: &str, subject: &str, what: &str) {
        let mut open: Vec<(usize, &Place)> = Vec::new();
        let mut halves: Vec<&Place> = Vec::new();
        let tags = self.tags;
        for (_, run) in tags.runs(text).unwrap_or_default() {
            let place = &run.tag.place;
            match run.tag.role {
                Role::Open(number) => open.push((number, place)),
                Role::Middle(number) | Role::Close(number)
                    if !open.iter().any(|(opened, _)| *opened == number) =>
                {
                    halves.push(place);
                }
                Role::Close(number) => open.retain(|(opened, _)| *opened != number),
                Role::Middle(_) | Role::Print | Role::Statement => {}
            }
        }
        halves.extend(open.into_iter().map(|(_, place)| place));
        self.say(halves.into_iter().map(|place| {
            let message = format!("{subject} left out, and this tag with it");
            let problem = Finding::error("mjml-send-tag", message).at(place.clone());
            problem.hint(format!(
                "Take it out of the {what}, or put the whole block into it."
            ))
        }));
    }

    /// The tags of the sending moment in the text between elements that print nothing. Text itself is
    /// lost there, which `check` says.
    fn between(&mut self, text: &str, parent: &str, kind: Option<Kind>) -> String {
        let mut silent = String::new();
        for piece in values::between(text, self.tags) {
            match piece {
                Between::Text => {}
                Between::Tag(_, tag) if tag.role == Role::Print => {
                    let message = "this tag prints text between the elements of MJML";
                    let problem = Finding::error("mjml-stray-text", message);
                    let problem = problem.at(tag.place.clone());
                    self.findings.push(problem.hint("Put it into `<mj-text>`."));
                }
                Between::Tag(text, _) if kind == Some(Kind::Container) => silent.push_str(text),
                // Outside of the body, a `set` goes before everything else.
                Between::Tag(text, tag) if tag.role == Role::Statement && kind.is_none() => {
                    self.document.prologue.push_str(text);
                }
                Between::Tag(_, tag) => self.refuse_tag(&tag.place, parent),
            }
        }
        silent
    }

    /// The text at the top, in `mjml` and in the head.
    fn outside(&mut self, parent: &Element) {
        for node in &parent.children {
            if let Node::Text(text, _) = node {
                self.between(text, &parent.name, None);
            }
        }
    }

    fn refuse_tag(&mut self, place: &Place, parent: &str) {
        let message = match parent {
            "" => "a tag that depends on the reader cannot stand outside `<mjml>`".to_owned(),
            name => format!("a tag that depends on the reader cannot stand directly in `<{name}>`"),
        };
        let problem = Finding::error("mjml-send-tag", message).at(place.clone());
        let hint = match parent {
            // Their parts cannot depend on the reader, and neither can those of their parts.
            "mj-navbar" | "mj-social" | "mj-accordion" | "mj-carousel" => {
                format!("Put the block around the whole `<{parent}>`.")
            }
            "mj-accordion-element" => "Put the block around the whole `<mj-accordion>`.".to_owned(),
            _ => "It can stand in text, in the value of an attribute, and between the elements of `mj-body`, `mj-wrapper`, `mj-section`, `mj-group`, `mj-column` and `mj-hero`.".to_owned(),
        };
        self.findings.push(problem.hint(hint));
    }
}

/// All that an author wrote in an element, in order.
fn all_of(element: &Element, out: &mut String) {
    let attributes = element.attributes.iter();
    out.extend(attributes.map(|attribute| attribute.value.as_str()));
    out.push_str(&element.content);
    for node in &element.children {
        match node {
            Node::Element(element) => all_of(element, out),
            Node::Text(text, _) | Node::Comment(text) => out.push_str(text),
        }
    }
}
