//! Text → elements: reads MJML as it is written in the wild, and knows the place of everything.
//!
//! Takes line ends of any kind, a byte order mark, an XML declaration, comments, unquoted, valueless
//! and duplicate attributes (the first counts), upper case. The content of an ending tag such as
//! `mj-text` is opaque up to its own end. What npm's `mjml` reads without guessing is read the same;
//! where it guesses, as at a tag that is never closed, there is an error. Several of them are found in
//! one run: after each, reading goes on where the author most likely meant it to. Where npm's guess
//! loses nothing, [`read_mended`] makes the same, and tells of it.
//!
//! Nothing here calls itself, so no input can exhaust the stack, and no text is looked through twice
//! for the same thing, so that time grows with length alone. What the elements mean is not known here.

mod closing;
mod content;
mod faults;
mod lexer;

use crate::{
    compose::{
        mjml::{
            elements::{self, Kind},
            limits,
            schema::{self, ElementSchema},
            tree::{Attribute, Element, Node, Spans},
        },
        staging::Tags,
        tokens,
    },
    error::{Error, Result},
    finding::Finding,
    place::{Place, Text},
};
use lexer::{Lexed, Lexer};

/// Longer documents are refused, in bytes.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// Deeper documents are refused, in elements.
pub(crate) const DEEPEST: usize = 256;
/// Elements of more attributes are refused.
const MOST_ATTRIBUTES: usize = 256;
/// After so many errors nothing more is read.
const MOST_ERRORS: usize = 20;

/// Longer names of elements are cut, as none is known by them and messages name them.
const LONGEST_NAME: usize = 100;

/// How the places of a document are found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// The document is the author's file.
    File(&'a Text),
    /// The document was composed from `template`, and holds marks.
    Composed {
        /// Knows the places of the marks.
        tags: &'a Tags,
        /// The author's file, for what stands before any mark.
        template: &'a Text,
    },
}

impl Origin<'_> {
    /// The name of the author's file.
    pub(super) fn file(&self) -> &str {
        match self {
            Self::File(text) | Self::Composed { template: text, .. } => text.name(),
        }
    }
}

/// Reads a document. The element that comes back has no name; it holds what stands at the top.
///
/// # Errors
/// Tags that do not match, attributes that cannot be read, and a document that is too large or deep.
#[cfg(test)]
pub(super) fn read(document: &str, origin: Origin<'_>) -> Result<Element> {
    let (top, mended) = read_mended(document, origin)?;
    match Error::all(mended.iter().map(Error::from)) {
        Some(error) => Err(error),
        None => Ok(top),
    }
}

/// Reads a document of which not all tags match, as long as nothing of it is lost by that. The findings
/// say what was closed by something else, and what closes nothing.
///
/// # Errors
/// As those of [`read`], but for these.
pub(super) fn read_mended(document: &str, origin: Origin<'_>) -> Result<(Element, Vec<Finding>)> {
    if document.len() > LONGEST {
        return Err(Error::data("the MJML is larger than 16 MiB")
            .hint("Host pictures and the like elsewhere, or make several mails of it."));
    }
    let mut reader = Reader {
        document,
        origin,
        at: 0,
        mark: None,
        open: Vec::new(),
        elements: 0,
        comments: 0,
        endless: Vec::new(),
        errors: Vec::new(),
        loss: Loss::None,
    };
    reader.open.push(Element::new("", reader.place(0, 0)));
    if let Err(last) = reader.run() {
        reader.lose(last);
    }
    let mended = match reader.loss {
        Loss::None => reader.errors.iter().flat_map(Finding::all_of).collect(),
        Loss::Some => {
            let error = Error::all(reader.errors);
            return Err(error.unwrap_or_else(|| Error::bug("something is lost, for no reason")));
        }
    };
    let top = reader.open.pop();
    let top = top.ok_or_else(|| Error::bug("the MJML has no top"))?;
    limits::check(&top)?;
    Ok((top, mended))
}

/// Whether something of a document would be missing from what was read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    None,
    Some,
}

struct Reader<'a> {
    document: &'a str,
    origin: Origin<'a>,
    at: usize,
    /// The last mark that was passed.
    mark: Option<char>,
    /// The elements that are open, outermost first; the first one is the top.
    open: Vec<Element>,
    /// How many elements were opened.
    elements: usize,
    /// How many comments stand between them.
    comments: usize,
    /// Elements such as `script` that have no end tag in the rest of the document.
    endless: Vec<String>,
    /// What was wrong, and did not keep the rest from being read.
    errors: Vec<Error>,
    loss: Loss,
}

impl<'a> Reader<'a> {
    /// Reads everything. The error is one after which there is nothing to go on with.
    fn run(&mut self) -> Result<()> {
        while self.at < self.document.len() {
            if self.errors.len() >= MOST_ERRORS {
                self.loss = Loss::Some;
                return Ok(());
            }
            self.step()?;
        }
        let open = self.open.iter().skip(1);
        self.errors.extend(open.map(faults::unclosed));
        self.close_within(1);
        Ok(())
    }

    /// Keeps an error after which something would be missing.
    fn lose(&mut self, error: Error) {
        self.errors.push(error);
        self.loss = Loss::Some;
    }

    fn rest(&self) -> &'a str {
        &self.document[self.at..]
    }

    fn place(&self, start: usize, end: usize) -> Place {
        match self.origin {
            Origin::File(text) => text.place(start..end),
            Origin::Composed { tags, template } => {
                let marked = self.mark.and_then(|mark| tags.marked(mark)).cloned();
                marked.unwrap_or_else(|| template.place(0..0))
            }
        }
    }

    fn step(&mut self) -> Result<()> {
        let rest = self.rest();
        let text = text_length(rest);
        if text > 0 {
            self.text(&rest[..text], self.at);
            self.at += text;
            return Ok(());
        }
        if rest.starts_with("<!--") {
            let place = self.place(self.at, self.at + 4);
            let comment = self.comment()?;
            self.comments += 1;
            if self.comments > limits::MOST_COMMENTS {
                let message = format!("there are more than {} comments", limits::MOST_COMMENTS);
                return Err(Error::data(message).at(place));
            }
            self.push(Node::Comment(comment));
        } else if rest.starts_with("<![CDATA[") {
            let start = self.at + "<![CDATA[".len();
            self.pass("]]>", 3, "a CDATA section")?;
            self.text(&self.document[start..self.at - 3], start);
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            self.at += rest.find('>').map_or(rest.len(), |at| at + 1);
        } else if rest.starts_with("</") {
            self.close();
        } else {
            return self.open();
        }
        Ok(())
    }

    /// Keeps text that stands between elements at `start`, unless it is nothing but white space.
    fn text(&mut self, text: &str, start: usize) {
        let place = |reader: &Self| {
            let before = text.len() - text.trim_start_matches(is_blank).len();
            reader.place(
                start + before,
                start + text.trim_end_matches(is_blank).len(),
            )
        };
        if text.chars().all(is_blank) {
            return;
        }
        let place = place(self);
        self.push(Node::Text(as_written(text.trim_matches('\u{feff}')), place));
    }

    /// Reads a comment, with its ends.
    fn comment(&mut self) -> Result<String> {
        let start = self.at;
        self.pass("-->", 2, "a comment")?;
        let inside = self.document.get(start + 4..self.at - 3);
        Ok(format!("<!--{}-->", as_written(inside.unwrap_or_default())))
    }

    /// Steps behind the next `end`, which may begin `from` bytes further on.
    fn pass(&mut self, end: &str, from: usize, what: &str) -> Result<()> {
        let length = self.rest()[from..].find(end);
        let Some(length) = length else {
            let place = self.place(self.at, self.at + 4);
            return Err(faults::endless(what, end).at(place));
        };
        self.at += from + length + end.len();
        Ok(())
    }

    fn push(&mut self, node: Node) {
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        }
    }

    /// Steps over a mark, if one stands here.
    fn pass_mark(&mut self) {
        if let Some(first) = self.rest().chars().next()
            && tokens::mark_index(first).is_some()
        {
            self.mark = Some(first);
            self.at += first.len_utf8();
        }
    }

    /// Reads the name of the tag that begins here, and the mark after it.
    fn name(&mut self, before: usize) -> (String, Place) {
        let start = self.at;
        let name = lexer::name(&self.document[start + before..]);
        self.at += before + name.len();
        let end = self.at;
        self.pass_mark();
        let name = &name[..name.len().min(LONGEST_NAME)];
        (name.to_ascii_lowercase(), self.place(start, end))
    }

    fn open(&mut self) -> Result<()> {
        let (name, place) = self.name(1);
        let mut element = Element::new(name, place);
        self.elements += 1;
        if self.elements > limits::MOST_ELEMENTS {
            return Err(limits::too_many(
                "elements",
                limits::MOST_ELEMENTS,
                &element,
            ));
        }
        let closed = self.attributes(&mut element)?;
        if closed || elements::is_void(&element.name) {
            self.push(Node::Element(element));
        } else if is_opaque(&element.name) {
            self.content(&mut element)?;
            self.push(Node::Element(element));
        } else if self.open.len() > DEEPEST {
            return Err(faults::too_deep(DEEPEST).at(element.place));
        } else {
            self.open.push(element);
        }
        Ok(())
    }

    /// Reads attributes up to the end of the tag; says whether the tag closes itself.
    fn attributes(&mut self, element: &mut Element) -> Result<bool> {
        let mut lexer = Lexer::new(self.document, self.at);
        loop {
            let lexed = lexer.next();
            self.at = lexer.at;
            let (name, value) = match lexed {
                Lexed::End => return Ok(false),
                Lexed::SelfEnd => return Ok(true),
                Lexed::Attribute { name, value } => (name, value),
                Lexed::Less => {
                    self.lose(faults::endless_tag(element));
                    return Ok(false);
                }
                Lexed::Over => return Err(faults::endless_tag(element)),
                Lexed::Quote(quote) => {
                    let place = match self.origin {
                        Origin::File(text) => text.place(quote..quote + 1),
                        Origin::Composed { .. } => element.place.clone(),
                    };
                    return Err(faults::endless_quote(element).at(place));
                }
            };
            let mut closed = false;
            let mut written = value;
            // `width=100px/>` closes a tag that holds nothing. (An address may end in a slash.)
            if lexer.ends_in_slash(&written, &element.name)
                && elements::kind(&element.name) == Some(Kind::Leaf)
            {
                written.end -= 1;
                closed = true;
            }
            let spans = Spans::new(name.clone(), written.clone());
            let written = &self.document[written];
            let name = &self.document[name];
            if tokens::wait_in(name) {
                self.lose(faults::tag_for_attribute(element));
            } else {
                self.attribute(element, name, written, spans)?;
            }
            if closed {
                self.at += 1;
                return Ok(true);
            }
        }
    }

    fn attribute(
        &self,
        element: &mut Element,
        name: &str,
        value: &str,
        spans: Option<Spans>,
    ) -> Result<()> {
        let is_file = matches!(self.origin, Origin::File(_));
        let attribute = Attribute {
            name: tokens::without_marks(name),
            value: as_written(value),
            spans: spans.filter(|_| is_file),
        };
        if element.attributes.len() + element.duplicates.len() >= MOST_ATTRIBUTES {
            return Err(limits::too_many("attributes", MOST_ATTRIBUTES, element));
        }
        match element.attribute(&attribute.name) {
            None => element.attributes.push(attribute),
            Some(_) => element.duplicates.push(attribute),
        }
        Ok(())
    }
}

/// Whether what an element holds is not read as elements.
fn is_opaque(name: &str) -> bool {
    let known = schema::element(name);
    known.is_some_and(ElementSchema::is_opaque) || lexer::is_opaque(name)
}

/// How much of `text` comes before the next tag, comment or the like. A `<` may be a part of it.
fn text_length(text: &str) -> usize {
    let begins = |(at, _): &(usize, &str)| {
        let rest = text[at + 1..].strip_prefix('/');
        let rest = rest.map_or(&text[at + 1..], |rest| rest.trim_ascii_start());
        rest.starts_with(|c: char| c.is_ascii_alphabetic())
            || text[at + 1..].starts_with(['!', '?'])
    };
    let found = text.match_indices('<').find(begins);
    found.map_or(text.len(), |(at, _)| at)
}

/// White space as JavaScript has it.
fn is_blank(character: char) -> bool {
    character == '\u{feff}' || character.is_whitespace() && character != '\u{85}'
}

/// A piece of the document as its author wrote it: without marks, with plain line ends.
fn as_written(text: &str) -> String {
    let text = tokens::without_marks(text);
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
