//! Reads a finished page: which part of it is text, which an attribute, which a comment.
//!
//! Not a parser of HTML, but exact about what decides whether a value is safe: where quotes open and
//! close, what a comment hides, and what only looks like a tag. The content of Outlook's conditional
//! comments is HTML for Outlook, and read as such.

use std::ops::Range;

/// A stretch of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch<'a> {
    pub(super) range: Range<usize>,
    pub(super) spot: Spot<'a>,
    /// The number of the tag that it belongs to; 0 outside of tags.
    pub(super) tag: usize,
}

/// What a stretch of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot<'a> {
    /// Text that is read.
    Text,
    /// The content of `title` or `textarea`.
    PlainText,
    /// The content of `style`.
    Style,
    /// The content of `script`.
    Script,
    /// A comment.
    Comment,
    /// A tag outside of its values: names, blanks, the quotes.
    Tag,
    /// A value without quotes.
    Unquoted,
    /// A value between quotes, of the attribute of this name.
    Value(&'a str),
    /// A declaration, or the beginning or end of a conditional comment.
    Declaration,
}

/// The stretches of a page, in order and without gaps.
pub(super) fn stretches(page: &str) -> Vec<Stretch<'_>> {
    let mut reader = Reader {
        page,
        at: 0,
        tag: 0,
        stretches: Vec::with_capacity(page.len() / 8),
    };
    while reader.at < page.len() {
        reader.step();
    }
    reader.stretches
}

struct Reader<'a> {
    page: &'a str,
    at: usize,
    /// How many tags were read.
    tag: usize,
    stretches: Vec<Stretch<'a>>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.page[self.at..]
    }

    /// Takes `length` bytes as a stretch outside of tags.
    fn take(&mut self, length: usize, spot: Spot<'a>) {
        self.take_in(length, spot, 0);
    }

    fn take_in(&mut self, length: usize, spot: Spot<'a>, tag: usize) {
        if length > 0 {
            let range = self.at..self.at + length;
            self.at = range.end;
            self.stretches.push(Stretch { range, spot, tag });
        }
    }

    fn step(&mut self) {
        let rest = self.rest();
        let less = rest.find('<').unwrap_or(rest.len());
        self.take(less, Spot::Text);
        let rest = self.rest();
        let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        match rest.as_bytes().get(1) {
            Some(b'!') if rest.starts_with("<!--[if") => {
                self.take(until("]>"), Spot::Declaration);
            }
            Some(b'!') if rest.starts_with("<!-->") => self.take(5, Spot::Declaration),
            // Browsers take `--!>` for an end, too.
            Some(b'!') if rest.starts_with("<!--") => {
                self.take(until("-->").min(until("--!>")), Spot::Comment);
            }
            Some(b'!' | b'?') => self.take(until(">"), Spot::Declaration),
            Some(b'/') => {
                self.tag += 1;
                self.take_in(until(">"), Spot::Tag, self.tag);
            }
            Some(byte) if byte.is_ascii_alphabetic() => self.tag(),
            _ => self.take(rest.len().min(1), Spot::Text),
        }
    }

    fn tag(&mut self) {
        self.tag += 1;
        let rest = self.rest();
        let name_end = |c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c));
        let length = 1 + length_until(&rest[1..], name_end);
        let name = &rest[1..length];
        self.take_in(length, Spot::Tag, self.tag);
        self.attributes();
        // In HTML `<style/>` is open: its slash says nothing.
        let content = |known: &str| name.eq_ignore_ascii_case(known);
        if content("style") {
            self.content("style", Spot::Style);
        } else if content("script") {
            self.content("script", Spot::Script);
        } else if content("title") {
            self.content("title", Spot::PlainText);
        } else if content("textarea") {
            self.content("textarea", Spot::PlainText);
        }
    }

    /// Reads up to the end of a tag. Blank is what HTML calls so: a no-break space is part of a name.
    fn attributes(&mut self) {
        let is_space = |c: char| c.is_ascii_whitespace();
        let is_blank = |c: char| is_space(c) || c == '/' || super::tokens::is_reserved(c);
        loop {
            let rest = self.rest();
            let blank = length_until(rest, |c| !is_blank(c));
            self.take_in(blank, Spot::Tag, self.tag);
            let rest = self.rest();
            if rest.is_empty() {
                return;
            }
            if rest.starts_with('>') {
                return self.take_in(1, Spot::Tag, self.tag);
            }
            let name_end = |c: char| is_blank(c) || c == '>' || c == '=';
            let length = length_until(rest, name_end);
            let name = &rest[..length];
            let after = &rest[length..];
            let after = &after[length_until(after, |c| !is_space(c))..];
            let Some(after) = after.strip_prefix('=') else {
                // An attribute without a value; a lone `=` counts as one.
                let lone = usize::from(length == 0);
                self.take_in(length + lone, Spot::Tag, self.tag);
                continue;
            };
            let value = &after[length_until(after, |c| !is_space(c))..];
            self.take_in(rest.len() - value.len(), Spot::Tag, self.tag);
            if let Some(quote @ ('"' | '\'')) = value.chars().next() {
                self.take_in(1, Spot::Tag, self.tag);
                let length = self.rest().find(quote).unwrap_or(self.rest().len());
                self.take_in(length, Spot::Value(name), self.tag);
                self.take_in(self.rest().len().min(1), Spot::Tag, self.tag);
            } else {
                let length = length_until(value, |c| is_space(c) || c == '>');
                self.take_in(length, Spot::Unquoted, self.tag);
            }
        }
    }

    /// Takes the content of an element that holds no tags, up to its end tag.
    fn content(&mut self, name: &str, spot: Spot<'a>) {
        let rest = self.rest();
        let is_end = |at: &usize| {
            let after = &rest.as_bytes()[at + 2..];
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
            after.len() >= name.len()
                && after[..name.len()].eq_ignore_ascii_case(name.as_bytes())
                && after.get(name.len()).is_none_or(ends)
        };
        let mut ends = rest.match_indices("</").map(|(at, _)| at);
        self.take(ends.find(is_end).unwrap_or(rest.len()), spot);
    }
}

/// How many bytes there are before the first character that `ends`. Most are ASCII, and need not be
/// put together to be looked at.
fn length_until(text: &str, ends: impl Fn(char) -> bool) -> usize {
    for (at, byte) in text.bytes().enumerate() {
        if !byte.is_ascii() {
            return text[at..].find(ends).map_or(text.len(), |end| at + end);
        }
        if ends(char::from(byte)) {
            return at;
        }
    }
    text.len()
}

/// Turns the character references of an attribute's value into characters: numbers, and the five
/// names that a writer needs.
pub(super) fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let character = end.and_then(|end| match &rest[1..end] {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            name => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (character, end) {
            (Some(character), Some(end)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(page: &str) -> Vec<(&str, Spot<'_>)> {
        stretches(page)
            .into_iter()
            .map(|stretch| (&page[stretch.range], stretch.spot))
            .filter(|(_, spot)| !matches!(spot, Spot::Tag))
            .collect()
    }

    #[test]
    fn a_page_is_cut_into_what_matters() {
        assert_eq!(
            shown(
                "<!doctype html><title>a<b></title><style>c<d</style><p class='e>\"' f=g h>i < j</p>"
            ),
            [
                ("<!doctype html>", Spot::Declaration),
                ("a<b>", Spot::PlainText),
                ("c<d", Spot::Style),
                ("e>\"", Spot::Value("class")),
                ("g", Spot::Unquoted),
                ("i ", Spot::Text),
                ("<", Spot::Text),
                (" j", Spot::Text),
            ]
        );
    }

    #[test]
    fn conditional_comments_are_read_as_outlook_reads_them() {
        assert_eq!(
            shown(
                "<!--[if mso | IE]><td a=\"b\">c<![endif]--><!--[if !mso]><!-->d<!--<![endif]--><!-- e -->"
            ),
            [
                ("<!--[if mso | IE]>", Spot::Declaration),
                ("b", Spot::Value("a")),
                ("c", Spot::Text),
                ("<![endif]-->", Spot::Declaration),
                ("<!--[if !mso]>", Spot::Declaration),
                ("<!-->", Spot::Declaration),
                ("d", Spot::Text),
                ("<!--<![endif]-->", Spot::Comment),
                ("<!-- e -->", Spot::Comment),
            ]
        );
    }

    #[test]
    fn what_browsers_read_otherwise_than_xml_is_read_as_they_do() {
        assert_eq!(
            shown("<style/>a</styles>b</style ><!-- c --!>d<i a=\u{a0}\"e f=\"g\">"),
            [
                ("a</styles>b", Spot::Style),
                ("<!-- c --!>", Spot::Comment),
                ("d", Spot::Text),
                ("\u{a0}\"e", Spot::Unquoted),
                ("g", Spot::Value("f")),
            ]
        );
    }

    #[test]
    fn references_become_characters() {
        assert_eq!(
            unescape("a&amp;b&#233;&#xe9;&quot;&nbsp;&&#x110000;"),
            "a&béé\"&nbsp;&&#x110000;"
        );
        assert_eq!(
            unescape(&crate::issue::html::escape("<a href=\"x\" & 'y'>")),
            "<a href=\"x\" & 'y'>"
        );
    }

    proptest! {
        #[test]
        fn stretches_cover_any_page(page in "(<|>|/|=|\"|'|a|style|title|!--|-->|\\[if|\\]>|é|\u{F0000}| ){0,30}") {
            let mut at = 0;
            for stretch in stretches(&page) {
                prop_assert_eq!(stretch.range.start, at);
                prop_assert!(stretch.range.end > at && page.is_char_boundary(stretch.range.end));
                at = stretch.range.end;
            }
            prop_assert_eq!(at, page.len());
        }
    }
}
