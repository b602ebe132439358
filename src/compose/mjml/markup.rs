//! The engine's HTML as a row of tokens that can be looked at and changed in place.
//!
//! Knows HTML only as the engine writes it: values stand in double quotes, and what authors wrote is
//! still in its slots. What nobody changes is copied as it is.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

/// A page, cut up.
#[derive(Debug)]
pub(super) struct Markup<'a> {
    tokens: Vec<Token<'a>>,
    /// What goes before a token.
    insertions: BTreeMap<usize, String>,
}

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) piece: Piece<'a>,
    pub(super) audience: Audience,
}

/// Who sees a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Everyone,
    /// It stands in a conditional comment such as `<!--[if mso | IE]>`.
    Outlook,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Start(Tag<'a>),
    /// An end tag; its name.
    End(&'a str),
    /// Text, a slot among it, or the content of `<style>`.
    Text(Cow<'a, str>),
    /// A declaration, a comment, or the border of a conditional one.
    Other(&'a str),
}

/// A start tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    source: &'a str,
    /// Once somebody has changed them.
    attributes: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
}

impl<'a> Markup<'a> {
    /// Cuts up a page as the engine writes it.
    pub(super) fn read(html: &'a str) -> Self {
        let mut tokens = Vec::with_capacity(html.len() / 32);
        let mut audience = Audience::Everyone;
        let mut rest = html;
        while !rest.is_empty() {
            let (length, piece) = piece(rest);
            let (source, after) = rest.split_at(length);
            let is_border = matches!(piece, Piece::Other(_));
            if is_border && (source.starts_with("<!--[if !") || source.starts_with("<![endif]")) {
                audience = Audience::Everyone;
            }
            tokens.push(Token { piece, audience });
            if is_border && source.starts_with("<!--[if ") && !source.starts_with("<!--[if !") {
                audience = Audience::Outlook;
            }
            rest = after;
        }
        Self {
            tokens,
            insertions: BTreeMap::new(),
        }
    }

    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    /// The start tag at `at`, if there is one.
    pub(super) fn tag(&self, at: usize) -> Option<&Tag<'a>> {
        match &self.tokens.get(at)?.piece {
            Piece::Start(tag) => Some(tag),
            _ => None,
        }
    }

    /// The start tag at `at`, to be changed.
    pub(super) fn tag_mut(&mut self, at: usize) -> Option<&mut Tag<'a>> {
        match &mut self.tokens.get_mut(at)?.piece {
            Piece::Start(tag) => Some(tag),
            _ => None,
        }
    }

    /// The text at `at`, to be changed.
    pub(super) fn text_mut(&mut self, at: usize) -> Option<&mut Cow<'a, str>> {
        match &mut self.tokens.get_mut(at)?.piece {
            Piece::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first start tag called `name` within `range` that the same clients see.
    pub(super) fn find(
        &self,
        range: Range<usize>,
        name: &str,
        audience: Audience,
    ) -> Option<usize> {
        range.into_iter().find(|at| {
            let token = self.tokens.get(*at);
            token.is_some_and(|token| {
                token.audience == audience
                    && matches!(&token.piece, Piece::Start(tag) if tag.name == name)
            })
        })
    }

    /// From the start tag at `at` to behind its end tag, among what the same clients see.
    pub(super) fn element(&self, at: usize) -> Range<usize> {
        let Some((first, tag)) = self.tokens.get(at).zip(self.tag(at)) else {
            return at..at;
        };
        if tag.is_void() {
            return at..at + 1;
        }
        let mut depth = 0_usize;
        for (next, token) in self.tokens.iter().enumerate().skip(at) {
            if token.audience != first.audience {
                continue;
            }
            match &token.piece {
                Piece::Start(inner) if inner.name == tag.name && !inner.is_void() => depth += 1,
                Piece::End(name) if *name == tag.name => {
                    depth -= 1;
                    if depth == 0 {
                        return at..next + 1;
                    }
                }
                _ => {}
            }
        }
        at..self.tokens.len()
    }

    /// Puts HTML before a token, behind what was put there already.
    pub(super) fn insert(&mut self, before: usize, html: &str) {
        self.insertions.entry(before).or_default().push_str(html);
    }

    /// Puts two neighbors in the other order.
    pub(super) fn swap(&mut self, first: Range<usize>, second: Range<usize>) {
        if first.end == second.start
            && let Some(both) = self.tokens.get_mut(first.start..second.end)
        {
            both.rotate_left(first.len());
        }
    }

    /// Writes the page.
    pub(super) fn write(&self, out: &mut String) {
        for (at, token) in self.tokens.iter().enumerate() {
            if !self.insertions.is_empty()
                && let Some(html) = self.insertions.get(&at)
            {
                out.push_str(html);
            }
            match &token.piece {
                Piece::Start(tag) if tag.attributes.is_some() => tag.write(out),
                Piece::Start(tag) => out.push_str(tag.source),
                Piece::End(name) => {
                    out.push_str("</");
                    out.push_str(name);
                    out.push('>');
                }
                Piece::Text(text) => out.push_str(text),
                Piece::Other(source) => out.push_str(source),
            }
        }
        if let Some(html) = self.insertions.get(&self.tokens.len()) {
            out.push_str(html);
        }
    }
}

impl<'a> Tag<'a> {
    /// Whether it has no end tag.
    pub(super) fn is_void(&self) -> bool {
        self.source.ends_with("/>") || super::elements::is_void(self.name)
    }

    /// As the engine wrote it.
    pub(super) fn source(&self) -> &'a str {
        self.source
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        match &self.attributes {
            Some(attributes) => {
                let found = attributes.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            }
            None => {
                let mut pairs = Pairs::of(self);
                pairs
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| Cow::Borrowed(value))
            }
        }
    }

    /// Sets an attribute, in its place or as the last.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = Cow::Owned(value.into());
        let attributes = self.attributes_mut();
        match attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => attributes.push((Cow::Owned(name.to_owned()), value)),
        }
    }

    /// Takes an attribute away.
    pub(super) fn remove(&mut self, name: &str) {
        self.attributes_mut().retain(|(known, _)| known != name);
    }

    /// Changes the `style`.
    pub(super) fn restyle(&mut self, change: impl FnOnce(&mut Style)) {
        let mut style = Style::read(&self.get("style").unwrap_or_default());
        change(&mut style);
        if style.0.is_empty() {
            self.remove("style");
        } else {
            self.set("style", style.written());
        }
    }

    fn attributes_mut(&mut self) -> &mut Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let Self {
            name,
            source,
            attributes,
        } = self;
        attributes.get_or_insert_with(|| {
            let pairs = Pairs {
                rest: &source[1 + name.len()..],
            };
            let pairs = pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value)));
            pairs.collect()
        })
    }

    fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in self.attributes.iter().flatten() {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(value);
            out.push('"');
        }
        out.push_str(if self.source.ends_with("/>") {
            " />"
        } else {
            ">"
        });
    }
}

/// The declarations of a `style`, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Style(pub(super) Vec<(String, String)>);

impl Style {
    fn read(style: &str) -> Self {
        // The engine writes no semicolon within a value but that of a character reference.
        let mut declarations: Vec<(String, String)> = Vec::new();
        let mut start = 0;
        let mut quoted = None;
        let mut depth = 0_usize;
        let mut take = |declaration: &str| {
            if let Some((name, value)) = declaration.split_once(':') {
                declarations.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        };
        for (at, character) in style.char_indices() {
            match character {
                '\'' if quoted == Some('\'') => quoted = None,
                '\'' if quoted.is_none() => quoted = Some('\''),
                _ if quoted.is_some() => {}
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ';' if depth == 0 && !is_reference(&style[start..at]) => {
                    take(&style[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        take(&style[start..]);
        Self(declarations)
    }

    /// The value of a property.
    pub(super) fn get(&self, property: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == property);
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a property, in its place or as the last.
    pub(super) fn set(&mut self, property: &str, value: impl Into<String>) {
        match self.0.iter_mut().find(|(name, _)| name == property) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((property.to_owned(), value.into())),
        }
    }

    /// Sets a property, in its place or right behind another one.
    pub(super) fn set_behind(&mut self, other: &str, property: &str, value: impl Into<String>) {
        self.remove(property);
        let at = self.0.iter().position(|(name, _)| name == other);
        let at = at.map_or(self.0.len(), |at| at + 1);
        self.0.insert(at, (property.to_owned(), value.into()));
    }

    /// Takes a property away.
    pub(super) fn remove(&mut self, property: &str) {
        self.0.retain(|(name, _)| name != property);
    }

    fn written(&self) -> String {
        let all = self.0.iter();
        all.map(|(name, value)| format!("{name}:{value};"))
            .collect()
    }
}

/// Whether what stands before a semicolon ends in a character reference.
fn is_reference(before: &str) -> bool {
    before.rfind('&').is_some_and(|at| {
        let name = before[at + 1..]
            .strip_prefix('#')
            .unwrap_or(&before[at + 1..]);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The attributes of a tag, as written.
struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    fn of(tag: &Tag<'a>) -> Self {
        Self {
            rest: &tag.source[1 + tag.name.len()..],
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start();
        let end = rest.bytes().position(|byte| b"= />".contains(&byte))?;
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return None;
        }
        let Some(value) = after.strip_prefix("=\"") else {
            self.rest = after;
            return Some((name, ""));
        };
        let end = memchr::memchr(b'"', value.as_bytes())?;
        self.rest = &value[end + 1..];
        Some((name, &value[..end]))
    }
}

/// The piece at the start of `html`, and its length.
fn piece(html: &str) -> (usize, Piece<'_>) {
    let Some(tag) = html.strip_prefix('<') else {
        let length = memchr::memchr(b'<', html.as_bytes()).unwrap_or(html.len());
        return (length, Piece::Text(Cow::Borrowed(&html[..length])));
    };
    if tag.starts_with("!--[if ") || tag.starts_with("![endif]") || !tag.starts_with("!--") {
        let length = tag_length(html);
        let source = &html[..length];
        if let Some(name) = tag.strip_prefix('/') {
            let end = name.bytes().position(|byte| b"> ".contains(&byte));
            return (length, Piece::End(&name[..end.unwrap_or(name.len())]));
        }
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            // `<!--[if !mso]><!-->` is one border.
            let border = "<!-->";
            let length = match html[length..].starts_with(border) && tag.starts_with("!--[if !") {
                true => length + border.len(),
                false => length,
            };
            return (length, Piece::Other(&html[..length]));
        }
        let end = tag.bytes().position(|byte| b" >/\n".contains(&byte));
        let name = &tag[..end.unwrap_or(tag.len())];
        let tag = Tag {
            name,
            source,
            attributes: None,
        };
        return (length, Piece::Start(tag));
    }
    if html.starts_with("<!--<![endif]-->") {
        let length = "<!--<![endif]-->".len();
        return (length, Piece::Other(&html[..length]));
    }
    let end = memchr::memmem::find(html.as_bytes(), b"-->");
    let length = end.map_or(html.len(), |at| at + 3);
    (length, Piece::Other(&html[..length]))
}

/// The length of the tag at the start of `html`.
pub(super) fn tag_length(html: &str) -> usize {
    let bytes = html.as_bytes();
    let mut quotes = 0;
    let mut start = 0;
    for at in memchr::memchr_iter(b'>', bytes) {
        // Behind an odd number of quotes it stands in a value.
        quotes += memchr::memchr_iter(b'"', &bytes[start..at]).count();
        if quotes % 2 == 0 {
            return at + 1;
        }
        start = at;
    }
    html.len()
}
