//! Raw HTML in Markdown: `<br>` is a line break, a comment vanishes, any other tag is left out while
//! its words stay.

use comrak::Node;

use super::{Reader, parse};
use crate::issue::Block;

/// What a tag is to a mail.
pub(super) enum Tag {
    /// A line break.
    Break,
    /// A comment, or the end of an element.
    Silent,
    /// The start of an element of this name.
    Other(String),
}

/// What a single tag is.
pub(super) fn tag(written: &str) -> Tag {
    let inner = written.trim_start_matches('<');
    if inner.starts_with(['!', '?']) {
        return Tag::Silent;
    }
    let is_end = inner.starts_with('/');
    let name: String = inner
        .trim_start_matches('/')
        .chars()
        .take_while(|character| character.is_alphanumeric() || matches!(character, '-' | ':'))
        .collect::<String>()
        .to_ascii_lowercase();
    match name.as_str() {
        "br" => Tag::Break,
        _ if is_end => Tag::Silent,
        _ => Tag::Other(name),
    }
}

impl Reader<'_> {
    /// The words of a block of HTML, read as Markdown, with one warning for the block.
    pub(super) fn markup<'a>(&mut self, node: Node<'a>, html: &str) -> Vec<Block> {
        let (words, names) = stripped(html);
        let position = node.data().sourcepos;
        if !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| format!("`<{name}>`")).collect();
            let message = format!(
                "raw HTML is not carried: {} left out, the words stay",
                match names.as_slice() {
                    [name] => format!("{name} is"),
                    names => format!("{} are", names.join(", ")),
                }
            );
            self.warn(position, message);
        }
        if words.trim().is_empty() {
            return Vec::new();
        }
        // No tag is left in the words, so that this does not come back here.
        let inner = parse(&words);
        let range = self.range(position);
        self.parsed
            .images
            .extend(inner.images.into_iter().map(|mut image| {
                image.range = range.clone();
                image
            }));
        let warnings = inner.warnings.into_iter();
        self.parsed
            .warnings
            .extend(warnings.map(|(_, message)| (range.clone(), message)));
        inner.blocks
    }
}

/// HTML without its tags, as Markdown that holds none, and the names of the elements, each once.
fn stripped(html: &str) -> (String, Vec<String>) {
    let mut words = String::with_capacity(html.len());
    let mut names = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        words.push_str(before);
        let Some(length) = tag_length(from) else {
            words.push_str("&lt;");
            rest = &from[1..];
            continue;
        };
        let (written, after) = from.split_at(length);
        rest = after;
        match tag(written) {
            Tag::Break => words.push_str("\\\n"),
            Tag::Silent => {}
            Tag::Other(name) => {
                // What is in these is no text for a reader.
                if matches!(name.as_str(), "script" | "style" | "template") {
                    rest = skip_element(after, &name);
                }
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    words.push_str(rest);
    // Indentation is a matter of the HTML; in Markdown it would mean code.
    let lines: Vec<&str> = words.lines().map(str::trim_start).collect();
    (lines.join("\n"), names)
}

/// The longest tag, in characters. It bounds the search for the end of one that is never closed.
const MAX_TAG: usize = 4096;

/// The length of the tag or comment at the start of a text.
fn tag_length(text: &str) -> Option<usize> {
    if text.starts_with("<!--") {
        return Some(text.find("-->").map_or(text.len(), |at| at + "-->".len()));
    }
    let is_tag = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
    if !is_tag {
        return None;
    }
    let mut quote = None;
    for (at, character) in text.char_indices().take(MAX_TAG) {
        match (quote, character) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    // A tag that is never closed ends with its line.
    let line = text.lines().next().unwrap_or_default();
    Some(line.len())
}

/// What follows the end tag of an element.
fn skip_element<'t>(text: &'t str, name: &str) -> &'t str {
    let end = format!("</{name}");
    let at = text.char_indices().map(|(at, _)| at).find(|at| {
        text.as_bytes()[*at..]
            .get(..end.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(end.as_bytes()))
    });
    at.map_or("", |at| &text[at..])
}
