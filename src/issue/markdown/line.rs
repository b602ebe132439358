//! The words of a paragraph. While it is read, a soft line end is a line feed in the text, so that
//! captions and attributions can be told by the line they stand in; [`finish`] makes blanks of them.

use comrak::{
    Node,
    nodes::{NodeLink, NodeValue, Sourcepos},
};

use super::{ImageRef, Reader, markup, words};
use crate::issue::{Inline, html, script::is_ideographic};

/// How deep marks may lie in each other.
const MAX_DEPTH: usize = 16;

impl Reader<'_> {
    pub(super) fn line<'a>(&mut self, node: Node<'a>) -> Vec<Inline> {
        let mut out = Vec::new();
        self.inlines(node, 0, &mut out);
        out
    }

    fn inlines<'a>(&mut self, parent: Node<'a>, depth: usize, out: &mut Vec<Inline>) {
        if depth > MAX_DEPTH {
            push(out, &words(parent));
            return;
        }
        for node in parent.children() {
            self.inline(node, depth, out);
        }
    }

    fn within<'a>(&mut self, node: Node<'a>, depth: usize) -> Vec<Inline> {
        let mut content = Vec::new();
        self.inlines(node, depth + 1, &mut content);
        content
    }

    pub(super) fn inline<'a>(&mut self, node: Node<'a>, depth: usize, out: &mut Vec<Inline>) {
        let position = node.data().sourcepos;
        match &node.data().value {
            NodeValue::Text(text) => push(out, text),
            NodeValue::SoftBreak => push(out, "\n"),
            NodeValue::LineBreak => out.push(Inline::Break),
            NodeValue::Code(code) => out.push(Inline::Code(code.literal.clone())),
            NodeValue::Emph => out.push(Inline::Emphasis(self.within(node, depth))),
            NodeValue::Strong => out.push(Inline::Strong(self.within(node, depth))),
            NodeValue::Strikethrough => out.push(Inline::Strikethrough(self.within(node, depth))),
            NodeValue::Link(link) => {
                let content = self.within(node, depth);
                self.link(link, content, position, out);
            }
            NodeValue::Image(image) => self.image(node, image, position, out),
            NodeValue::FootnoteReference(note) => push(out, &superscript(note.ix)),
            NodeValue::HtmlInline(tag) => match markup::tag(tag) {
                markup::Tag::Break => out.push(Inline::Break),
                markup::Tag::Silent => {}
                markup::Tag::Other(name) => self.warn(
                    position,
                    format!("raw HTML is not carried: `<{name}>` is left out, its words stay"),
                ),
            },
            _ => self.inlines(node, depth + 1, out),
        }
    }

    fn link(
        &mut self,
        link: &NodeLink,
        content: Vec<Inline>,
        position: Sourcepos,
        out: &mut Vec<Inline>,
    ) {
        if !html::is_allowed(&link.url) {
            self.warn(
                position,
                format!(
                    "the link to `{}` is left out, its words stay: a mail can link to http, https, \
                     mailto and tel only",
                    link.url
                ),
            );
        }
        out.push(Inline::Link {
            url: link.url.clone(),
            content,
        });
    }

    fn image<'a>(
        &mut self,
        node: Node<'a>,
        image: &NodeLink,
        position: Sourcepos,
        out: &mut Vec<Inline>,
    ) {
        self.see(image, position);
        out.push(Inline::Image {
            src: image.url.clone(),
            alt: alt(node),
        });
    }

    /// Notes that a picture is named.
    pub(super) fn see(&mut self, image: &NodeLink, position: Sourcepos) {
        let whole = self.range(position);
        let written = self.markdown.get(whole.clone()).unwrap_or_default();
        // The address comes after the alternative text, which may hold the same letters.
        let range = match written.rfind(&image.url) {
            Some(at) if !image.url.is_empty() => {
                whole.start + at..whole.start + at + image.url.len()
            }
            _ => whole,
        };
        self.parsed.images.push(ImageRef {
            src: image.url.clone(),
            range,
        });
    }
}

/// What a picture is called for those who cannot see it.
pub(super) fn alt(image: Node<'_>) -> String {
    words(image).trim().to_owned()
}

/// Adds words to a line; neighbors become one text.
pub(super) fn push(out: &mut Vec<Inline>, words: &str) {
    match out.last_mut() {
        Some(Inline::Text(text)) => text.push_str(words),
        _ if words.is_empty() => {}
        _ => out.push(Inline::Text(words.to_owned())),
    }
}

/// Makes blanks of soft line ends and takes off what is blank at both ends.
pub(super) fn finish(mut line: Vec<Inline>) -> Vec<Inline> {
    join_lines(&mut line);
    trim(&mut line);
    line
}

/// A soft line end becomes a blank; between two characters of a script without blanks, nothing.
fn join_lines(line: &mut [Inline]) {
    for inline in line {
        match inline {
            Inline::Text(text) if text.contains('\n') => {
                let mut joined = String::with_capacity(text.len());
                let mut parts = text.split('\n');
                joined.extend(parts.next());
                for part in parts {
                    let before = joined.chars().next_back();
                    let after = part.chars().next();
                    let is_closed = |side: Option<char>| side.is_some_and(is_ideographic);
                    if !(is_closed(before) && is_closed(after)) {
                        joined.push(' ');
                    }
                    joined.push_str(part);
                }
                *text = joined;
            }
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => join_lines(content),
            _ => {}
        }
    }
}

fn trim(line: &mut Vec<Inline>) {
    let is_blank = |inline: &Inline| match inline {
        Inline::Text(text) => text.trim().is_empty(),
        Inline::Break => true,
        _ => false,
    };
    let keep = line.iter().rposition(|inline| !is_blank(inline));
    line.truncate(keep.map_or(0, |at| at + 1));
    let skip = line.iter().position(|inline| !is_blank(inline));
    line.drain(..skip.unwrap_or(0));
    if let Some(Inline::Text(text)) = line.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Inline::Text(text)) = line.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

/// The number of a note, raised.
fn superscript(number: u32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |digit: char| digit.to_digit(10).and_then(|at| DIGITS.get(at as usize));
    number.to_string().chars().filter_map(digit).collect()
}
