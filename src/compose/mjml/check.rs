//! What is wrong with a document that can be read: elements and attributes that MJML does not know or
//! does not want where they are, and values that are not what they should be.
//!
//! Each finding names the place in the author's file and what would be right. An error is what MJML
//! leaves out or stumbles over, a warning what it lays out in some way. Nothing is changed here, and
//! how a document cannot be read, [`super::reader`] says.

mod attributes;
mod colors;
mod values;

use std::collections::HashSet;

use crate::{
    compose::{
        mjml::{
            schema::{self, ElementSchema, Kind, Realm},
            tree::{Element, Node},
        },
        tokens,
    },
    error::nearest,
    finding::Finding,
    place::Place,
};
use attributes::Defined;

/// After so many findings the rest is not looked for: nobody reads on.
const MOST: usize = 500;

/// Checks a document, from the element that holds all others. The findings come in its order, and what
/// a loop repeats is found once.
pub(super) fn check(top: &Element) -> Vec<Finding> {
    let defined = Defined::of(top);
    let mut checker = Checker {
        defined: &defined,
        findings: Vec::new(),
        seen: HashSet::new(),
        undefined: HashSet::new(),
    };
    checker.document(top);
    checker.findings
}

struct Checker<'a> {
    defined: &'a Defined<'a>,
    findings: Vec<Finding>,
    /// File, place and message of what was found.
    seen: HashSet<(String, usize, String)>,
    /// Names of classes that were said to be missing.
    undefined: HashSet<String>,
}

/// What an element is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// To be laid out, or to say something about the document.
    Itself,
    /// To hold attributes for others.
    Defaults,
}

impl<'a> Checker<'a> {
    fn document(&mut self, top: &'a Element) {
        let mut root = None;
        for node in &top.children {
            let element = match node {
                Node::Element(element) => element,
                Node::Text(text, place) => {
                    self.stray(text, place, top);
                    continue;
                }
                Node::Comment(_) => continue,
            };
            if root.replace(element).is_some() {
                let message = "there is a second element after `<mjml>`";
                let hint = "Put everything into one `<mjml>`.";
                self.error("mjml-structure", &element.place, message, hint);
            } else if element.name == "mjml" {
                self.root(element);
            } else {
                let message = format!("the document begins with `<{}>`", element.name);
                let hint = "Put everything into `<mjml>`.";
                self.error("mjml-structure", &element.place, message, hint);
            }
        }
        if root.is_none() {
            // Whatever text there is, is not what is wrong.
            self.findings.clear();
            let message = "there is no `<mjml>` element";
            let hint = "Put everything into `<mjml>`.";
            self.error("mjml-structure", &top.place, message, hint);
        }
    }

    fn root(&mut self, root: &'a Element) {
        self.attributes(root, Use::Itself);
        if !root.elements().any(|element| element.name == "mj-body") {
            let hint = "Put what is to be read into `<mj-body>`.";
            self.error(
                "mjml-structure",
                &root.place,
                "there is no `<mj-body>`",
                hint,
            );
        }
        let mut parts = HashSet::new();
        for node in &root.children {
            let element = match node {
                Node::Element(element) => element,
                Node::Text(text, place) => {
                    self.stray(text, place, root);
                    continue;
                }
                Node::Comment(_) => continue,
            };
            match element.name.as_str() {
                name @ ("mj-head" | "mj-body") if !parts.insert(name) => {
                    let message = format!("there is a second `<{name}>`, which is left out");
                    let hint = format!("Put everything into one `<{name}>`.");
                    self.error("mjml-structure", &element.place, message, hint);
                }
                "mj-raw" if element.attribute("position") != Some("file-start") => {
                    let hint = "Write `position=\"file-start\"`, or put it into `<mj-head>` or `<mj-body>`; it is left out otherwise.";
                    let message = "`<mj-raw>` cannot stand in `<mjml>`";
                    self.error("mjml-structure", &element.place, message, hint);
                }
                _ => self.element(element, root, Use::Itself),
            }
        }
    }

    fn element(&mut self, element: &'a Element, parent: &Element, purpose: Use) {
        if self.findings.len() >= MOST {
            return;
        }
        let Some(known) = schema::element(&element.name) else {
            self.unknown(element);
            return self.within_unknown(element);
        };
        if purpose == Use::Itself {
            self.parent(element, known, parent);
        }
        self.attributes(element, purpose);
        let purpose = match element.name.as_str() {
            "mj-attributes" => Use::Defaults,
            _ => purpose,
        };
        if known.kind == Kind::Leaf {
            self.stray(&element.content, &element.place, element);
        }
        for node in &element.children {
            match node {
                Node::Element(child) => self.element(child, element, purpose),
                Node::Text(text, place) => self.stray(text, place, element),
                Node::Comment(_) => {}
            }
        }
    }

    /// Looks at what MJML knows within what it does not know; HTML there has been spoken of.
    fn within_unknown(&mut self, element: &'a Element) {
        for child in element.elements() {
            if schema::element(&child.name).is_some() || child.name.starts_with("mj-") {
                self.element(child, element, Use::Itself);
            } else {
                self.within_unknown(child);
            }
        }
    }

    /// Whether an element stands where it may.
    fn parent(&mut self, element: &Element, known: &ElementSchema, parent: &Element) {
        let Some(around) = schema::element(&parent.name) else {
            return;
        };
        // What includes could not do, they say themselves.
        if known.parents.contains(&parent.name.as_str()) || known.name == "mj-include" {
            return;
        }
        let message = format!("`<{}>` cannot stand in `<{}>`", element.name, parent.name);
        let parents = values::listed_elements(known.parents);
        if schema::lays_out(around, known) {
            let message = format!("`<{}>` stands in `<{}>`", element.name, parent.name);
            let hint = format!("Put it into {parents}.");
            self.warning("mjml-parent", &element.place, message, || hint);
        } else {
            let hint = match known.parents.len() {
                0 | 5.. => "It is left out otherwise.".to_owned(),
                _ => format!("Put it into {parents}; it is left out otherwise."),
            };
            self.error("mjml-structure", &element.place, message, hint);
        }
    }

    fn unknown(&mut self, element: &Element) {
        let message = format!("MJML has no element `<{}>`", shortened(&element.name));
        let finding = Finding::error("mjml-unknown-element", message);
        self.add(finding.at(element.place.clone()), || {
            match nearest(&element.name, schema::names()) {
                Some(name) => format!("Did you mean `<{name}>`?"),
                None if element.name.starts_with("mj-") => {
                    "It is left out, with all that it holds.".to_owned()
                }
                None => {
                    "Put HTML into `<mj-text>` or `<mj-raw>`; it is left out otherwise.".to_owned()
                }
            }
        });
    }

    /// Text between elements. (Tags of the sending moment may stand there.)
    fn stray(&mut self, text: &str, place: &Place, parent: &Element) {
        if text.is_empty() {
            return;
        }
        let text = text.replace(tokens::is_reserved, " ");
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let shown = shortened(text);
        let message = match parent.name.as_str() {
            "" => format!("the text `{shown}` stands outside of `<mjml>`"),
            name => match schema::element(name).map(|known| known.kind) {
                Some(Kind::Leaf) => format!("the text `{shown}` stands in `<{name}>`"),
                _ => format!("the text `{shown}` stands between elements in `<{name}>`"),
            },
        };
        let hint = match schema::element(&parent.name) {
            Some(known) if known.realm != Realm::Body && known.name != "mj-body" => {
                "Take it out, or make a comment of it."
            }
            _ if text.starts_with(['{', '<']) => {
                "Put it into `<mj-raw>`; it is left out otherwise."
            }
            _ => "Put it into `<mj-text>`; it is left out otherwise.",
        };
        self.error("mjml-stray-text", place, message, hint);
    }

    fn error(
        &mut self,
        rule: &'static str,
        place: &Place,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Finding::error(rule, message).at(place.clone()), || {
            hint.into()
        });
    }

    fn warning(
        &mut self,
        rule: &'static str,
        place: &Place,
        message: impl Into<String>,
        hint: impl FnOnce() -> String,
    ) {
        self.add(Finding::warning(rule, message).at(place.clone()), hint);
    }

    /// Keeps a finding, unless it was made at its place before. The hint is only asked for then.
    fn add(&mut self, finding: Finding, hint: impl FnOnce() -> String) {
        let place = finding.place.as_ref();
        let file = place.map_or_else(String::new, |place| place.file().to_owned());
        let start = place.map_or(0, |place| place.range().start);
        if self.findings.len() < MOST && self.seen.insert((file, start, finding.message.clone())) {
            self.findings.push(finding.hint(hint()));
        }
    }
}

/// As much of a text as a message has room for, on one line.
fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let one_line = |character: char| match character {
        '\n' | '\t' => ' ',
        character if character.is_control() => '\u{fffd}',
        character => character,
    };
    shown.chars().map(one_line).collect()
}

#[cfg(test)]
mod tests;
