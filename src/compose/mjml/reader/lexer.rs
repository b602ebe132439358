//! The pieces of a tag: its name and, one after the other, its attributes.
//!
//! Splits as HTML does, knows nothing of elements and reports nothing.

use std::ops::Range;

/// The name of a tag at the start of `text`; empty when none begins there.
pub(super) fn name(text: &str) -> &str {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return "";
    }
    &text[..text.find(|c| !inside(c)).unwrap_or(text.len())]
}

/// How much of an end tag comes before its name.
pub(super) fn close_length(text: &str) -> usize {
    let rest = text.strip_prefix("</").unwrap_or(text);
    text.len() - rest.trim_ascii_start().len()
}

/// Whether HTML takes all that an element of this name holds for text.
pub(super) fn is_opaque(name: &str) -> bool {
    ["script", "style", "textarea", "title"].contains(&name)
}

/// What comes next in a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lexed {
    /// `>`
    End,
    /// `/>`
    SelfEnd,
    /// An attribute; the value without its quotes.
    Attribute {
        name: Range<usize>,
        value: Range<usize>,
    },
    /// The quote that stands here is never closed.
    Quote(usize),
    /// A `<`, with which something else begins. It is not passed.
    Less,
    /// The end of the document.
    Over,
}

/// Walks through a tag, from behind its name.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    document: &'a str,
    pub(super) at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(document: &'a str, at: usize) -> Self {
        Self { document, at }
    }

    pub(super) fn next(&mut self) -> Lexed {
        loop {
            self.skip_blanks();
            match self.byte() {
                None => return Lexed::Over,
                Some(b'<') => return Lexed::Less,
                Some(b'>') => {
                    self.at += 1;
                    return Lexed::End;
                }
                Some(b'/') => {
                    self.at += 1;
                    self.skip_blanks();
                    if self.byte() == Some(b'>') {
                        self.at += 1;
                        return Lexed::SelfEnd;
                    }
                }
                Some(_) => return self.attribute(),
            }
        }
    }

    /// Whether the value that was just read ends in a slash with which the tag ends, too: which it does
    /// unless the tag has an end of its own.
    pub(super) fn ends_in_slash(&self, value: &Range<usize>, name: &str) -> bool {
        // Behind a quoted value stands its quote.
        if value.end != self.at || !self.document[value.clone()].ends_with('/') {
            return false;
        }
        let Some(after) = self.rest().strip_prefix('>') else {
            return false;
        };
        let end = after.trim_ascii_start().strip_prefix("</").map(self::name);
        end.is_none_or(|end| !end.eq_ignore_ascii_case(name))
    }

    fn attribute(&mut self) -> Lexed {
        let start = self.at;
        // Whatever it begins with belongs to the name, even a `=`.
        let first = self.rest().chars().next().map_or(0, char::len_utf8);
        self.at += first;
        self.skip_to(|byte| byte.is_ascii_whitespace() || b"/>=<".contains(&byte));
        let name = start..self.at;
        self.skip_blanks();
        if self.byte() != Some(b'=') {
            let value = name.end..name.end;
            self.at = name.end;
            return Lexed::Attribute { name, value };
        }
        self.at += 1;
        self.skip_blanks();
        let value = match self.byte() {
            Some(quote @ (b'"' | b'\'')) => {
                let start = self.at + 1;
                let length = self.document[start..].find(char::from(quote));
                let Some(length) = length else {
                    return Lexed::Quote(self.at);
                };
                self.at = start + length + 1;
                start..start + length
            }
            _ => {
                let start = self.at;
                self.skip_to(|byte| byte.is_ascii_whitespace() || byte == b'>');
                start..self.at
            }
        };
        Lexed::Attribute { name, value }
    }

    fn rest(&self) -> &'a str {
        &self.document[self.at..]
    }

    fn byte(&self) -> Option<u8> {
        self.document.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        self.skip_to(|byte| !byte.is_ascii_whitespace());
    }

    /// Goes to the next byte that is wanted. (All that are asked for are whole characters, or follow
    /// one.)
    fn skip_to(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = self.rest().as_bytes();
        let found = rest.iter().position(|byte| wanted(*byte));
        self.at += found.unwrap_or(rest.len());
    }
}
