//! `mj-include`: what other files hold, put where they are included.
//!
//! MJML goes in place, and the head of a whole document joins the head; CSS becomes an `mj-style` at
//! the end of the head, and HTML an `mj-raw`. What is to be laid out is one tree after this, so that
//! nothing behind it knows of files, but for the [`Trail`] that leads from a file to who includes it.
//!
//! Opens no file itself, and ends whatever the files hold: cycles are refused, and depth, number and
//! size of all includes together are limited.

mod files;
mod trail;

use std::mem;

pub(super) use trail::Trail;

use files::{Files, Trouble, Type, decoded};

use super::{
    Include, Included,
    reader::{self, DEEPEST, Origin},
    tree::{Attribute, Element, Node},
};
use crate::{
    compose::tokens,
    error::{Error, Result},
    finding::Finding,
};

/// What came of the includes of a document.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// Files that include themselves, and that must not or cannot be read.
    pub(super) errors: Vec<Error>,
    /// A file that is not there is a finding, as the page can be made without it.
    pub(super) findings: Vec<Finding>,
    pub(super) trail: Trail,
    /// Whether the document is another one than was read.
    pub(super) has_grown: bool,
}

/// Replaces each `mj-include` in a document that was read from `bytes` of text.
///
/// # Errors
/// When there is so much of it that nothing should be made of it.
pub(super) fn expand(
    top: &mut Element,
    bytes: usize,
    origin: Origin<'_>,
    include: Include<'_>,
) -> Result<Expanded> {
    let files = Files::new(bytes, origin, include);
    let mut expander = Expander { files };
    let mut heads = Heads::default();
    expander.within(&mut top.children, "", 1, &mut heads);
    let root = top.children.iter_mut().find_map(|node| match node {
        Node::Element(element) if element.name == "mjml" => Some(element),
        _ => None,
    });
    if let Some(root) = root {
        heads.join(root);
    }
    let Files {
        expanded, is_spent, ..
    } = expander.files;
    if is_spent {
        let error = Error::all(expanded.errors);
        return Err(error.unwrap_or_else(|| Error::bug("too much is included, for no reason")));
    }
    Ok(expanded)
}

/// What the includes of a file add to its head.
#[derive(Debug, Default)]
struct Heads {
    /// From the heads of documents.
    nodes: Vec<Node>,
    /// From files of CSS; they stand behind all else.
    styles: Vec<Node>,
}

impl Heads {
    fn join(self, root: &mut Element) {
        let nodes = self.nodes.into_iter().chain(self.styles);
        let mut nodes = nodes.peekable();
        if nodes.peek().is_none() {
            return;
        }
        let head = root.children.iter_mut().find_map(|node| match node {
            Node::Element(element) if element.name == "mj-head" => Some(element),
            _ => None,
        });
        if let Some(head) = head {
            head.children.extend(nodes);
        } else {
            let mut head = Element::new("mj-head", root.place.clone());
            head.children.extend(nodes);
            root.children.push(Node::Element(head));
        }
    }
}

struct Expander<'a> {
    files: Files<'a>,
}

impl Expander<'_> {
    /// Expands what stands directly in `parent`, and all that is below it.
    fn within(&mut self, children: &mut Vec<Node>, parent: &str, depth: usize, heads: &mut Heads) {
        let is_head = parent == "mj-head";
        let is_include =
            |node: &Node| matches!(node, Node::Element(element) if element.name == "mj-include");
        // Nothing can be included outside of `mjml`, as there is nothing for it to be put into.
        if parent.is_empty() || !children.iter().any(is_include) && !is_head {
            for node in children {
                if let Node::Element(element) = node {
                    self.below(element, depth, heads);
                }
            }
            return;
        }
        let outer = if is_head {
            mem::take(&mut heads.nodes)
        } else {
            Vec::new()
        };
        let nodes = mem::take(children);
        children.reserve(nodes.len());
        for node in nodes {
            self.node(node, parent, depth, children, heads);
            if is_head {
                // What comes with a document that is included here stands before what follows.
                children.append(&mut heads.nodes);
            }
        }
        if is_head {
            heads.nodes = outer;
        }
    }

    fn node(
        &mut self,
        node: Node,
        parent: &str,
        depth: usize,
        into: &mut Vec<Node>,
        heads: &mut Heads,
    ) {
        match node {
            Node::Element(mut include) if include.name == "mj-include" => {
                let within = mem::take(&mut include.children);
                self.bring(&include, parent, depth, into, heads);
                if within.is_empty() || self.is_too_deep(&include, depth) {
                    return;
                }
                // MJML does not know that it could hold something.
                for node in within {
                    self.node(node, parent, depth + 1, into, heads);
                }
            }
            Node::Element(mut element) => {
                self.below(&mut element, depth, heads);
                into.push(Node::Element(element));
            }
            node => into.push(node),
        }
    }

    fn below(&mut self, element: &mut Element, depth: usize, heads: &mut Heads) {
        if element.children.is_empty() {
            return;
        }
        if self.is_too_deep(element, depth) {
            // What must not be walked must not be left for others to walk.
            element.children.clear();
            return;
        }
        let Element { name, children, .. } = element;
        self.within(children, name, depth + 1, heads);
    }

    fn is_too_deep(&mut self, element: &Element, depth: usize) -> bool {
        let is_too_deep = depth > DEEPEST;
        if is_too_deep {
            let message = format!("elements are nested more than {DEEPEST} deep by includes");
            let error = Error::data(message).at(element.place.clone());
            self.files.refuse(error);
        }
        is_too_deep
    }

    /// Puts in what an `mj-include` names.
    fn bring(
        &mut self,
        include: &Element,
        parent: &str,
        depth: usize,
        into: &mut Vec<Node>,
        heads: &mut Heads,
    ) {
        if self.files.is_spent {
            return;
        }
        self.files.expanded.has_grown = true;
        let kind = Type::of(include);
        self.files.expanded.findings.extend(Type::fault(include));
        let file = match self.files.find(include, kind) {
            Ok(file) => file,
            Err(Trouble::Refused(error)) => {
                return self.files.refuse(error.at_or(|| include.place.clone()));
            }
            Err(Trouble::Missing(finding, sought)) => {
                self.files
                    .expanded
                    .findings
                    .push((*finding).at(include.place.clone()));
                into.push(absence(include, &sought));
                return;
            }
        };
        let text = &file.text;
        match kind {
            Type::Css => {
                let told = self.files.verbatim_tag(&file, &include.place);
                self.files.expanded.findings.extend(told);
                let mut style = Element::new("mj-style", text.place(0..0));
                style.content = tidy(text.content());
                if include.attribute("css-inline") == Some("inline") {
                    style.attributes.push(Attribute::new("inline", "inline"));
                }
                heads.styles.push(Node::Element(style));
            }
            Type::Html => {
                let mut raw = Element::new("mj-raw", text.place(0..0));
                raw.content = tidy(&tokens::without_marks(file.content()));
                into.push(Node::Element(raw));
            }
            Type::Mjml => self.document(include, &file, parent, depth, into, heads),
        }
    }

    /// Puts in a file of MJML: a whole document, or a part of one.
    fn document(
        &mut self,
        include: &Element,
        file: &Included,
        parent: &str,
        depth: usize,
        into: &mut Vec<Node>,
        heads: &mut Heads,
    ) {
        let name = file.text.name();
        if let Some(error) = self.files.endless(include, name) {
            return self.files.refuse(error);
        }
        self.files.expanded.trail.add(name, &include.place);
        let origin = match (self.files.origin, &file.composed) {
            (Origin::Composed { tags, .. }, Some(_)) => Origin::Composed {
                tags,
                template: &file.text,
            },
            _ => Origin::File(&file.text),
        };
        let mut top = match reader::read_mended(file.content(), origin) {
            Ok((top, mended)) => {
                self.files.expanded.findings.extend(mended);
                top
            }
            Err(error) => return self.files.refuse(error.at_or(|| include.place.clone())),
        };
        self.files.enter(name);
        let mut own = Heads::default();
        self.within(&mut top.children, parent, depth, &mut own);
        self.files.leave();

        let is_document = top.elements().any(|element| element.name == "mjml");
        for node in top.children {
            match node {
                Node::Element(root) if root.name == "mjml" => self.root(root, into, heads),
                Node::Element(element) if is_document => self.lose(&element),
                Node::Comment(_) if is_document => {}
                // A part of a document may say in which part of it it stands.
                Node::Element(head) if head.name == "mj-head" && parent != "mjml" => {
                    heads.nodes.extend(head.children);
                }
                Node::Element(body) if body.name == "mj-body" && parent != "mjml" => {
                    into.extend(body.children);
                }
                node => into.push(node),
            }
        }
        heads.nodes.append(&mut own.nodes);
        heads.nodes.append(&mut own.styles);
    }

    /// Takes a document apart. Text stays, as it may be a tag of the sending moment; of other text, it
    /// is said that it is lost.
    fn root(&mut self, root: Element, into: &mut Vec<Node>, heads: &mut Heads) {
        let mut has_body = false;
        for node in root.children {
            match node {
                Node::Element(head) if head.name == "mj-head" => heads.nodes.extend(head.children),
                Node::Element(body) if body.name == "mj-body" && !has_body => {
                    has_body = true;
                    into.extend(body.children);
                }
                Node::Element(element) => self.lose(&element),
                Node::Text(..) => into.push(node),
                Node::Comment(_) => {}
            }
        }
    }

    fn lose(&mut self, element: &Element) {
        let name = &element.name;
        let message = format!("`<{name}>` has no place here, in a document that is included");
        let finding = Finding::error("mjml-include", message).at(element.place.clone());
        let finding = finding.hint("Move it into its `<mj-body>`; it is left out otherwise.");
        self.files.expanded.findings.push(finding);
    }
}

/// Stands for a file that is not there, as MJML has it.
fn absence(include: &Element, sought: &str) -> Node {
    let path = decoded(include.attribute("path").unwrap_or_default());
    // The comment must not end within the path.
    let [path, sought] = [path.as_str(), sought].map(|path| path.replace('>', "&gt;"));
    let mut raw = Element::new("mj-raw", include.place.clone());
    let comment = format!("<!-- mj-include fails to read file : {path} at {sought} -->");
    // What was percent-encoded has not been seen before.
    raw.content = tokens::clean(&comment);
    Node::Element(raw)
}

/// The content of a file as the reader would have it.
fn tidy(content: &str) -> String {
    let content = content.trim_start_matches('\u{feff}').trim();
    content.replace("\r\n", "\n").replace('\r', "\n")
}

#[cfg(test)]
mod tests;
