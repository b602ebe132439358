//! Text → elements: reads MJML as it is written in the wild, and knows the place of everything.
//!
//! Takes line ends of any kind, a byte order mark, an XML declaration, comments, unquoted, valueless
//! and duplicate attributes (the first counts), upper case. The content of an ending tag such as
//! `mj-text` is opaque up to its own end. Nothing here calls itself, so no input can exhaust the
//! stack, and the depth of what comes out is limited for those who walk it.

use crate::{
    compose::{
        mjml::{
            elements::{self, Kind},
            tree::{Attribute, Element, Node},
        },
        staging::Tags,
        tokens,
    },
    error::{Error, Result},
    place::{Place, Text},
};

/// Longer documents are refused, in bytes.
pub(crate) const LONGEST: usize = 16 * 1024 * 1024;
/// Deeper documents are refused, in elements.
pub(crate) const DEEPEST: usize = 256;

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
pub(super) fn read(document: &str, origin: Origin<'_>) -> Result<Element> {
    if document.len() > LONGEST {
        return Err(Error::data("the MJML is larger than 16 MiB"));
    }
    let mut reader = Reader {
        document,
        origin,
        at: 0,
        mark: None,
        open: Vec::new(),
    };
    let top = Element {
        name: String::new(),
        attributes: Vec::new(),
        children: Vec::new(),
        content: String::new(),
        place: reader.place(0, 0),
    };
    reader.open.push(top);
    while reader.at < document.len() {
        reader.step()?;
    }
    match reader.open.pop() {
        Some(top) if reader.open.is_empty() => Ok(top),
        Some(open) => Err(unclosed(&open)),
        None => Err(Error::bug("the MJML has no top")),
    }
}

struct Reader<'a> {
    document: &'a str,
    origin: Origin<'a>,
    at: usize,
    /// The last mark that was passed.
    mark: Option<char>,
    /// The elements that are open, outermost first; the first one is the top.
    open: Vec<Element>,
}

impl<'a> Reader<'a> {
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
        let Some(less) = rest.find('<') else {
            self.text(rest);
            return Ok(());
        };
        if less > 0 {
            self.text(&rest[..less]);
            return Ok(());
        }
        if rest.starts_with("<!--") {
            return self.comment();
        }
        let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        if rest.starts_with("<![CDATA[") {
            self.at += until("]]>");
        } else if rest.starts_with("<!") || rest.starts_with("<?") {
            self.at += until(">");
        } else if let Some(name) = rest.strip_prefix("</").and_then(name) {
            return self.close(name);
        } else if let Some(name) = rest.strip_prefix('<').and_then(name) {
            return self.open(name);
        } else {
            let place = self.place(self.at, self.at + 1);
            return Err(
                Error::data("a `<` that begins no tag stands between elements")
                    .at(place)
                    .hint("Write `&lt;` for a `<` that is meant to be read."),
            );
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        let start = self.at + (text.len() - text.trim_start().len());
        let place = self.place(start, self.at + text.trim_end().len());
        self.at += text.len();
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return;
        }
        let node = Node::Text(without_returns(&tokens::without_marks(text)), place);
        self.push(node);
    }

    fn comment(&mut self) -> Result<()> {
        let rest = self.rest();
        let Some(end) = rest.find("-->") else {
            let place = self.place(self.at, self.at + 4);
            return Err(Error::data("a comment is never closed")
                .at(place)
                .hint("Write `-->` where it ends."));
        };
        let comment = &rest[..end + 3];
        self.at += comment.len();
        let node = Node::Comment(without_returns(&tokens::without_marks(comment)));
        self.push(node);
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

    fn close(&mut self, name: &str) -> Result<()> {
        let start = self.at;
        self.at += 2 + name.len();
        self.pass_mark();
        let place = self.place(start, self.at);
        let name = name.to_ascii_lowercase();
        let rest = self.rest();
        let space = rest.len() - rest.trim_start().len();
        if !rest[space..].starts_with('>') {
            return Err(Error::data(format!("`</{name}` is not a complete tag"))
                .at(place)
                .hint(format!("Write `</{name}>`.")));
        }
        self.at += space + 1;
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if open.name == name {
            self.push(Node::Element(open));
            return Ok(());
        }
        if elements::is_void(&name) {
            self.open.push(open);
            return Ok(());
        }
        let error = if open.name.is_empty() {
            Error::data(format!("`</{name}>` closes nothing"))
                .at(place)
                .hint(format!(
                    "Take it out, or write the `<{name}>` that it closes."
                ))
        } else {
            let opened = format!("`<{}>` of {}", open.name, relative(&open.place, &place));
            Error::data(format!(
                "`</{name}>` closes nothing here: {opened} is still open"
            ))
            .at(place)
            .hint(format!("Write `</{}>` before it.", open.name))
        };
        Err(error)
    }

    fn open(&mut self, name: &'a str) -> Result<()> {
        let start = self.at;
        self.at += 1 + name.len();
        self.pass_mark();
        let mut element = Element {
            place: self.place(start, start + 1 + name.len()),
            name: name.to_ascii_lowercase(),
            attributes: Vec::new(),
            children: Vec::new(),
            content: String::new(),
        };
        let closed = self.attributes(&mut element)?;
        if closed || elements::is_void(&element.name) {
            self.push(Node::Element(element));
        } else if elements::kind(&element.name) == Some(Kind::Ending) {
            self.content(&mut element)?;
            self.push(Node::Element(element));
        } else if self.open.len() > DEEPEST {
            return Err(
                Error::data(format!("elements are nested more than {DEEPEST} deep"))
                    .at(element.place),
            );
        } else {
            self.open.push(element);
        }
        Ok(())
    }

    /// Reads attributes up to the end of the tag; says whether the tag closes itself.
    fn attributes(&mut self, element: &mut Element) -> Result<bool> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return Err(
                    Error::data(format!("the tag `<{}` never ends", element.name))
                        .at(element.place.clone())
                        .hint("Write `>` where it ends, and see whether a quote is missing."),
                );
            };
            if first == '>' {
                self.at += 1;
                return Ok(false);
            }
            if rest.starts_with("/>") {
                self.at += 2;
                return Ok(true);
            }
            if first == '/' {
                self.at += 1;
                continue;
            }
            let length = rest
                .find(|c: char| c.is_whitespace() || "\"'<>/=".contains(c))
                .unwrap_or(rest.len());
            let name = &rest[..length];
            if name.is_empty() || name.contains(tokens::is_reserved) {
                return Err(bad_attribute(element, name));
            }
            self.at += length;
            let value = self.value(element)?;
            let name = name.to_ascii_lowercase();
            if element.attribute(&name).is_none() {
                element.attributes.push(Attribute { name, value });
            }
        }
    }

    fn value(&mut self, element: &Element) -> Result<String> {
        let rest = self.rest();
        let Some(after) = rest.trim_start().strip_prefix('=') else {
            return Ok(String::new());
        };
        let after = after.trim_start();
        let skipped = rest.len() - after.len();
        let (value, length) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let Some(end) = after[1..].find(quote) else {
                    return Err(bad_attribute(element, ""));
                };
                (&after[1..=end], end + 2)
            }
            _ => {
                let end = after
                    .find(|c: char| c.is_whitespace() || "\"'<>".contains(c))
                    .unwrap_or(after.len());
                // `width=100px/>` closes the tag.
                let value = &after[..end];
                let value = match value.strip_suffix('/') {
                    Some(shorter) if after[end..].starts_with('>') => shorter,
                    _ => value,
                };
                (value, value.len())
            }
        };
        self.at += skipped + length;
        Ok(without_returns(&tokens::without_marks(value)))
    }

    /// Reads the content of an ending tag, up to its own end.
    fn content(&mut self, element: &mut Element) -> Result<()> {
        let start = self.at;
        let mut depth = 1_usize;
        while let Some(less) = self.rest().find('<') {
            let tag = self.at + less;
            let closes = self.document[tag + 1..].starts_with('/');
            self.at = tag + 1 + usize::from(closes);
            let Some(name) = name(self.rest()) else {
                continue;
            };
            self.at += name.len();
            if !name.eq_ignore_ascii_case(&element.name) {
                continue;
            }
            self.pass_mark();
            if !closes {
                depth += 1;
                continue;
            }
            depth -= 1;
            if depth == 0 {
                let content = tokens::without_marks(self.document[start..tag].trim());
                element.content = without_returns(&content);
                let rest = self.rest();
                self.at += rest.find('>').map_or(rest.len(), |at| at + 1);
                return Ok(());
            }
        }
        Err(unclosed(element))
    }
}

/// The name of a tag at the start of `text`.
fn name(text: &str) -> Option<&str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    let length = text.find(|c| !inside(c)).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        .then(|| &text[..length])
}

fn without_returns(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// A place as seen from another one: only its line when they are in the same file.
fn relative(place: &Place, from: &Place) -> String {
    if place.file() == from.file() {
        format!("line {}", place.line())
    } else {
        format!("{}:{}", place.file(), place.line())
    }
}

fn unclosed(element: &Element) -> Error {
    Error::data(format!("`<{}>` is never closed", element.name))
        .at(element.place.clone())
        .hint(format!("Write `</{}>` where it ends.", element.name))
}

fn bad_attribute(element: &Element, name: &str) -> Error {
    let error = Error::data(format!(
        "cannot read the attributes of `<{}>`",
        element.name
    ))
    .at(element.place.clone());
    if name.contains(tokens::is_of_sending) {
        error.hint("A tag of `subscriber` must stand within the quotes of an attribute's value.")
    } else {
        error.hint("Write each attribute as `name=\"value\"`.")
    }
}

#[cfg(test)]
mod tests;
