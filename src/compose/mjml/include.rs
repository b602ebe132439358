//! `mj-include`: what other files hold, put where they are included.
//!
//! MJML goes in place, and the head of a whole document joins the head; CSS becomes an `mj-style` at
//! the end of the head, and HTML an `mj-raw`. What is to be laid out is one tree after this, so that
//! nothing behind it knows of files, but for the [`Trail`] that leads from a file to who includes it.
//!
//! Opens no file itself, and ends whatever the files hold: cycles are refused, and depth, number and
//! size of all includes together are limited.

mod trail;

use std::{collections::HashMap, mem, rc::Rc};

pub(super) use trail::Trail;

use super::{
    Include, Included,
    reader::{self, DEEPEST, LONGEST, Origin},
    tree::{Attribute, Element, Node},
};
use crate::{
    compose::{templates, tokens},
    error::{Error, Kind, Result},
    finding::Finding,
    place::Place,
};

/// Files that include files are followed no deeper, the document itself among them.
const LONGEST_CHAIN: usize = 32;
/// More includes are refused, each counted as often as it is brought in.
const MOST: usize = 20_000;
/// Who has made so many mistakes is told of the others later.
const MOST_ERRORS: usize = 100;

/// What came of the includes of a document.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// Files that include themselves, and that must not or cannot be read.
    pub(super) errors: Vec<Error>,
    /// A file that is not there is a finding, as the page can be made without it.
    pub(super) findings: Vec<Finding>,
    pub(super) trail: Trail,
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
    let mut expander = Expander {
        origin,
        include,
        opened: HashMap::new(),
        chain: vec![origin.file().to_owned()],
        budget: Budget {
            bytes: LONGEST.saturating_sub(bytes),
            includes: MOST,
            is_spent: false,
        },
        expanded: Expanded::default(),
    };
    let mut heads = Heads::default();
    expander.within(&mut top.children, "", 1, &mut heads);
    let root = top.children.iter_mut().find_map(|node| match node {
        Node::Element(element) if element.name == "mjml" => Some(element),
        _ => None,
    });
    if let Some(root) = root {
        heads.join(root);
    }
    let Expander {
        budget, expanded, ..
    } = expander;
    if budget.is_spent {
        let error = Error::all(expanded.errors);
        return Err(
            error.unwrap_or_else(|| Error::bug("too much is included, and nobody knows what"))
        );
    }
    Ok(expanded)
}

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Mjml,
    Css,
    Html,
}

impl Type {
    fn of(include: &Element) -> Self {
        match include.attribute("type") {
            Some("css") => Self::Css,
            Some("html") => Self::Html,
            _ => Self::Mjml,
        }
    }
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
            let mut head = element("mj-head", root.place.clone());
            head.children.extend(nodes);
            root.children.push(Node::Element(head));
        }
    }
}

/// What may still be brought in.
#[derive(Debug)]
struct Budget {
    bytes: usize,
    includes: usize,
    is_spent: bool,
}

/// Why a file is not brought in.
enum Trouble {
    /// It is not there; what is said in its place, and what it was looked for as.
    Missing(Finding, String),
    Refused(Error),
}

struct Expander<'a> {
    origin: Origin<'a>,
    include: Include<'a>,
    /// What was asked for before; a file is opened once, however often it is included.
    opened: HashMap<String, Result<Rc<Included>>>,
    /// The files that are being expanded, outermost first.
    chain: Vec<String>,
    budget: Budget,
    expanded: Expanded,
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
                // MJML does not know that it could hold something.
                for node in within {
                    self.node(node, parent, depth, into, heads);
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
        if depth > DEEPEST {
            let message = format!("elements are nested more than {DEEPEST} deep by includes");
            self.refuse(Error::data(message).at(element.place.clone()));
            // What must not be walked must not be left for others to walk.
            element.children.clear();
            return;
        }
        let Element { name, children, .. } = element;
        self.within(children, name, depth + 1, heads);
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
        if self.budget.is_spent {
            return;
        }
        let kind = Type::of(include);
        let file = match self.find(include, kind) {
            Ok(file) => file,
            Err(Trouble::Refused(error)) => {
                return self.refuse(error.at_or(|| include.place.clone()));
            }
            Err(Trouble::Missing(finding, sought)) => {
                self.expanded
                    .findings
                    .push(finding.at(include.place.clone()));
                into.push(absence(include, &sought));
                return;
            }
        };
        let text = &file.text;
        match kind {
            Type::Css => {
                let mut style = element("mj-style", text.place(0..0));
                style.content = tidy(text.content());
                if include.attribute("css-inline") == Some("inline") {
                    style.attributes.push(Attribute {
                        name: "inline".to_owned(),
                        value: "inline".to_owned(),
                    });
                }
                heads.styles.push(Node::Element(style));
            }
            Type::Html => {
                let mut raw = element("mj-raw", text.place(0..0));
                raw.content = tidy(&tokens::without_marks(file.content()));
                into.push(Node::Element(raw));
            }
            Type::Mjml => self.document(include, &file, parent, depth, into, heads),
        }
    }

    /// The file that an `mj-include` names.
    fn find(&mut self, include: &Element, kind: Type) -> Result<Rc<Included>, Trouble> {
        let written = include.attribute("path").unwrap_or_default();
        if written.is_empty() {
            let finding = Finding::error("mjml-include", "`<mj-include>` names no file");
            let hint = "Write `path=\"…\"`, relative to the file that it stands in.";
            return Err(Trouble::Missing(finding.hint(hint), String::new()));
        }
        if written.contains(tokens::is_of_sending) {
            let error = Error::data("which file is included cannot depend on the reader");
            return Err(Trouble::Refused(error.at(include.place.clone()).hint(
                "Put `{% if subscriber.… %}` around the `<mj-include>`, or into the file.",
            )));
        }
        let path = decoded(written);
        if path.contains("://") || path.starts_with("//") {
            let message = format!("`{path}` is an address, and only files can be included");
            let finding = Finding::error("mjml-include", message);
            let hint = "Save a copy beside your own files, and include that.";
            return Err(Trouble::Missing(finding.hint(hint), path));
        }
        let sought = beside(include.place.file(), &path);
        if self.budget.includes == 0 {
            self.budget.is_spent = true;
            let error = Error::data(format!("files are included more than {MOST} times"));
            return Err(Trouble::Refused(error));
        }
        self.budget.includes -= 1;
        let opened = match self.opened.get(&sought) {
            Some(opened) => opened.clone(),
            None => {
                let opened = (self.include)(&sought).map(Rc::new);
                self.opened.insert(sought.clone(), opened.clone());
                opened
            }
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == Kind::NoInput => {
                let mut finding = Finding::error("mjml-include", error.message());
                finding.hint = error.hints().first().cloned();
                return Err(Trouble::Missing(finding, sought));
            }
            Err(error) => {
                // What is wrong within the file is said there, and who asked for it.
                if let Some(place) = error.place() {
                    let file = place.file().to_owned();
                    self.expanded.trail.add(&file, &include.place);
                }
                return Err(Trouble::Refused(error));
            }
        };
        if !matches!(kind, Type::Css)
            && let Some(error) = self.unrendered(&file, &include.place)
        {
            return Err(Trouble::Refused(error));
        }
        let Some(left) = self.budget.bytes.checked_sub(file.content().len()) else {
            self.budget.is_spent = true;
            let megabytes = LONGEST / 1024 / 1024;
            let message =
                format!("with all that it includes, the MJML is larger than {megabytes} MiB");
            return Err(Trouble::Refused(Error::data(message)));
        };
        self.budget.bytes = left;
        Ok(file)
    }

    /// In a template, a file that is none must not show its tags to readers.
    fn unrendered(&mut self, file: &Included, from: &Place) -> Option<Error> {
        if !matches!(self.origin, Origin::Composed { .. }) || file.composed.is_some() {
            return None;
        }
        let content = file.text.content();
        let at = [content.find("{{"), content.find("{%")];
        let at = at.into_iter().flatten().min()?;
        self.expanded.trail.add(file.text.name(), from);
        let error = Error::data("there is a tag in a file that is not a template");
        Some(error.at(file.text.place(at..at + 2)).hint(
            "Templates are files in `templates/` that end in `.mjml` or `.html`; move it there.",
        ))
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
        if let Some(error) = self.endless(include, name) {
            return self.refuse(error);
        }
        self.expanded.trail.add(name, &include.place);
        let origin = match (self.origin, &file.composed) {
            (Origin::Composed { tags, .. }, Some(_)) => Origin::Composed {
                tags,
                template: &file.text,
            },
            _ => Origin::File(&file.text),
        };
        let mut top = match reader::read(file.content(), origin) {
            Ok(top) => top,
            Err(error) => return self.refuse(error.at_or(|| include.place.clone())),
        };
        self.chain.push(name.to_owned());
        let mut own = Heads::default();
        self.within(&mut top.children, parent, depth, &mut own);
        self.chain.pop();

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
        self.expanded.findings.push(finding);
    }

    /// An error if to include `name` would lead back to it, or down without end.
    fn endless(&self, include: &Element, name: &str) -> Option<Error> {
        let mut files: Vec<&str> = self.chain.iter().map(String::as_str).collect();
        // A template may come from several files, and only one of them holds this include.
        if files.last() != Some(&include.place.file()) {
            files.push(include.place.file());
        }
        let error = if let Some(first) = files.iter().position(|file| *file == name) {
            let between: Vec<String> = files[first + 1..]
                .iter()
                .map(|file| format!("includes `{file}`, which "))
                .collect();
            let message = match between.as_slice() {
                [] => format!("`{name}` includes itself"),
                between => format!("`{name}` {}includes `{name}`", between.concat()),
            };
            Error::data(message).hint("Take one of these includes out.")
        } else if files.len() >= LONGEST_CHAIN {
            let message = format!("more than {LONGEST_CHAIN} files include each other in a row");
            Error::data(message).hint("Take some of the files between out.")
        } else {
            return None;
        };
        Some(error.at(include.place.clone()))
    }

    /// Keeps an error, once: a file that is included often is wrong in the same way each time.
    fn refuse(&mut self, error: Error) {
        let error = self.expanded.trail.tell(error);
        let said = error.to_string();
        let errors = &mut self.expanded.errors;
        if !errors.iter().any(|known| known.to_string() == said) {
            errors.push(error);
        }
        self.budget.is_spent |= errors.len() >= MOST_ERRORS;
    }
}

/// Stands for a file that is not there, as MJML has it.
fn absence(include: &Element, sought: &str) -> Node {
    let path = decoded(include.attribute("path").unwrap_or_default());
    // The comment must not end within the path.
    let [path, sought] = [path.as_str(), sought].map(|path| path.replace('>', "&gt;"));
    let mut raw = element("mj-raw", include.place.clone());
    raw.content = format!("<!-- mj-include fails to read file : {path} at {sought} -->");
    Node::Element(raw)
}

fn element(name: &str, place: Place) -> Element {
    Element {
        name: name.to_owned(),
        attributes: Vec::new(),
        children: Vec::new(),
        content: String::new(),
        place,
    }
}

/// The content of a file as the reader would have it.
fn tidy(content: &str) -> String {
    let content = content.trim_start_matches('\u{feff}').trim();
    content.replace("\r\n", "\n").replace('\r', "\n")
}

/// A path as a file's name has it; one that is not percent-encoded stays as it is.
fn decoded(path: &str) -> String {
    let mut pieces = path.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| !digits.starts_with('+'));
        let Some(Ok(byte)) = digits.map(|digits| u8::from_str_radix(digits, 16)) else {
            return path.to_owned();
        };
        bytes.push(byte);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// A path from the folder of `file`, as a path from the project's folder. It may lead out of that;
/// whoever opens it has to see.
fn beside(file: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    if path.starts_with('/') {
        return path;
    }
    let file = match file.strip_prefix(templates::BUILT_IN_MARK) {
        Some(name) => format!("{}{name}", templates::FOLDER),
        None => file.to_owned(),
    };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|part| *part != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let top = if file.starts_with('/') { "/" } else { "" };
    format!("{top}{}", parts.join("/"))
}

#[cfg(test)]
mod tests;
