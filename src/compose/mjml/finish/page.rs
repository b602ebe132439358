//! A finished page as elements, with all that authors wrote in it.
//!
//! Nothing is repaired and nothing is written anew: each element knows which bytes of the page are its
//! start tag, so that a change touches these and no others. Text is not looked at, but for where tags of
//! the sending moment stand in it. Elements nest as in `htmlparser2`, which MJML reads its pages with; what
//! only Outlook sees is a comment.

mod changes;
mod nesting;

use std::{borrow::Cow, collections::HashMap, ops::Range};

pub(super) use changes::Changes;
use nesting::is_ended_by;

/// A page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    source: &'a str,
    pub(super) elements: Vec<Element<'a>>,
    attributes: Vec<Attribute<'a>>,
    /// Where tags of the sending moment stand in text.
    pub(super) gaps: Vec<Gap>,
}

/// A text between elements.
#[derive(Debug)]
pub(super) struct Gap {
    pub(super) parent: Option<usize>,
    /// The element before it within the same parent.
    pub(super) previous: Option<usize>,
    range: Range<usize>,
}

/// An element of a page; its relatives by their numbers.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// In lower case.
    pub(super) name: Cow<'a, str>,
    pub(super) parent: Option<usize>,
    pub(super) previous: Option<usize>,
    pub(super) next: Option<usize>,
    pub(super) first_child: Option<usize>,
    /// Whether there is nothing in it, not even text.
    pub(super) is_empty: bool,
    attributes: Range<usize>,
    /// Where its start tag takes more attributes.
    end: usize,
}

/// An attribute as it is written.
#[derive(Debug)]
struct Attribute<'a> {
    name: Cow<'a, str>,
    value: &'a str,
    span: Range<usize>,
}

impl<'a> Page<'a> {
    /// Reads a page, or a piece of one. There is no page that it cannot read.
    pub(super) fn read(source: &'a str) -> Self {
        let mut reader = Reader {
            page: Self {
                source,
                elements: Vec::with_capacity(source.len() / 64),
                attributes: Vec::with_capacity(source.len() / 32),
                gaps: Vec::new(),
            },
            at: 0,
            open: Vec::new(),
            names: HashMap::new(),
            last: None,
            foreign: 0,
            codes: CODES.map(|(_, end)| source.rfind(end).unwrap_or_default()),
        };
        reader.read();
        reader.page
    }

    /// The value of an attribute, as it is written between its quotes.
    pub(super) fn attribute(&self, element: usize, name: &str) -> Option<&'a str> {
        let found = self.attributes(element).iter().find(|it| it.name == name);
        found.map(|attribute| attribute.value)
    }

    /// The attributes of an element, each as it is written.
    pub(super) fn named(&self, element: usize) -> impl Iterator<Item = (&str, &'a str)> {
        let attributes = self.attributes(element).iter();
        attributes.map(|attribute| (attribute.name.as_ref(), attribute.value))
    }

    /// What stands in a gap.
    pub(super) fn text(&self, gap: &Gap) -> &'a str {
        &self.source[gap.range.clone()]
    }

    fn attributes(&self, element: usize) -> &[Attribute<'a>] {
        let range = self.elements.get(element).map(|it| it.attributes.clone());
        let attributes = range.and_then(|range| self.attributes.get(range));
        attributes.unwrap_or_default()
    }
}

/// Code of other template languages, which may hold any character.
const CODES: [(&str, &str); 2] = [("{{", "}}"), ("<%", "%>")];

/// The content of these is text, whatever it looks like.
const TEXTS: [&str; 4] = ["script", "style", "textarea", "title"];

/// What is nested deeper stands beside what is around it, as in browsers.
const DEEPEST: usize = 512;

struct Reader<'a> {
    page: Page<'a>,
    at: usize,
    /// The elements that are open, outermost first.
    open: Vec<usize>,
    /// How many of each name are open.
    names: HashMap<Cow<'a, str>, usize>,
    /// The element that ended last among the children of the innermost.
    last: Option<usize>,
    /// How many `svg` and `math` are open.
    foreign: usize,
    /// Where the last end of each kind of code is.
    codes: [usize; 2],
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let source = self.page.source;
        while let Some(less) = source[self.at..].find('<') {
            if less > 0 {
                self.text(self.at..self.at + less);
            }
            self.at += less;
            let rest = &source[self.at..];
            let next = rest[1..].chars().next();
            if rest.starts_with("<!--") {
                // `<!-->` is a whole comment.
                self.pass(2, "-->");
            } else if let Some(end) = self.code_end() {
                self.fill_parent();
                self.at = end;
            } else if matches!(next, Some('!' | '?')) {
                self.pass(2, ">");
            } else if next == Some('/') {
                self.end();
            } else if next.is_some_and(|next| next.is_ascii_alphabetic()) {
                self.start();
            } else {
                self.fill_parent();
                self.at += 1;
            }
        }
        if self.at < source.len() {
            self.text(self.at..source.len());
        }
    }

    fn text(&mut self, range: Range<usize>) {
        self.fill_parent();
        // Our characters begin with that byte, and hardly any other does.
        if self.page.source.as_bytes()[range.clone()].contains(&0xF3) {
            self.page.gaps.push(Gap {
                parent: self.open.last().copied(),
                previous: self.last,
                range,
            });
        }
    }

    /// Goes behind the next `end`, which is at least `skipped` bytes away.
    fn pass(&mut self, skipped: usize, end: &str) {
        let source = self.page.source;
        let from = (self.at + skipped).min(source.len());
        let found = source[from..].find(end);
        self.at = found.map_or(source.len(), |at| from + at + end.len());
    }

    /// Behind the code that begins here.
    fn code_end(&self) -> Option<usize> {
        let rest = &self.page.source[self.at..];
        let mut codes = CODES.iter().zip(&self.codes);
        let ((_, end), last) = codes.find(|((start, _), _)| rest.starts_with(start))?;
        // Where no more code ends, the rest need not be searched.
        (*last > self.at).then(|| rest.find(end).map(|at| self.at + at + end.len()))?
    }

    fn fill_parent(&mut self) {
        if let Some(parent) = self.open.last()
            && let Some(parent) = self.page.elements.get_mut(*parent)
        {
            parent.is_empty = false;
        }
    }

    fn name(&mut self, from: usize) -> Cow<'a, str> {
        let source = self.page.source;
        let rest = &source[from..];
        let is_end = |c: char| c.is_ascii_whitespace() || c == '/' || c == '>';
        let name = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        self.at = from + name.len();
        lowered(name)
    }

    fn end(&mut self) {
        let name = self.name(self.at + 2);
        self.pass(0, ">");
        if self.names.get(&name).is_none_or(|open| *open == 0) {
            return;
        }
        while let Some(closed) = self.close() {
            if closed == name {
                return;
            }
        }
    }

    /// Closes the innermost element; its name.
    fn close(&mut self) -> Option<Cow<'a, str>> {
        let innermost = self.open.pop()?;
        self.last = Some(innermost);
        let name = self.page.elements.get(innermost)?.name.clone();
        if let Some(open) = self.names.get_mut(&name) {
            *open -= 1;
        }
        self.foreign -= usize::from(is_foreign(&name));
        Some(name)
    }

    fn start(&mut self) {
        let source = self.page.source;
        let name = self.name(self.at + 1);
        let first = self.page.attributes.len();
        let (end, closes) = self.attributes();
        while let Some(parent) = self.open.last()
            && let Some(parent) = self.page.elements.get(*parent)
            && is_ended_by(&parent.name, &name)
        {
            self.close();
        }
        self.fill_parent();
        let number = self.page.elements.len();
        let parent = self.open.last().copied();
        let previous = self.last.take();
        if let Some(previous) = previous.and_then(|it| self.page.elements.get_mut(it)) {
            previous.next = Some(number);
        } else if let Some(parent) = parent.and_then(|it| self.page.elements.get_mut(it)) {
            parent.first_child = Some(number);
        }
        self.page.elements.push(Element {
            name: name.clone(),
            parent,
            previous,
            next: None,
            first_child: None,
            is_empty: true,
            attributes: first..self.page.attributes.len(),
            end,
        });
        let foreign = self.foreign > 0 || is_foreign(&name);
        if super::super::elements::is_void(&name) || closes && foreign {
            self.last = Some(number);
            return;
        }
        if TEXTS.contains(&name.as_ref()) && self.foreign == 0 {
            let start = self.at;
            self.at = end_of_text(source, start, &name);
            if self.at > start
                && let Some(element) = self.page.elements.last_mut()
            {
                element.is_empty = false;
            }
        }
        if self.open.len() == DEEPEST {
            self.last = Some(number);
            return;
        }
        self.open.push(number);
        self.foreign += usize::from(is_foreign(&name));
        *self.names.entry(name).or_default() += 1;
    }

    /// Reads the attributes of a start tag, and goes behind it. Where more of them would go, and
    /// whether the tag closes itself.
    fn attributes(&mut self) -> (usize, bool) {
        let source = self.page.source;
        let mut end = self.at;
        loop {
            let rest = &source[self.at..];
            self.at += rest.len() - rest.trim_ascii_start().len();
            let rest = &source[self.at..];
            if rest.is_empty() {
                return (end, false);
            }
            if rest.starts_with('>') {
                self.at += 1;
                return (end, false);
            }
            if rest.starts_with("/>") {
                self.at += 2;
                return (end, true);
            }
            if rest.starts_with('/') {
                self.at += 1;
                continue;
            }
            if let Some(code) = self.code_end() {
                self.at = code;
            } else {
                self.attribute();
            }
            end = self.at;
        }
    }

    fn attribute(&mut self) {
        let source = self.page.source;
        let start = self.at;
        let rest = &source[start..];
        let is_end = |c: char| c.is_ascii_whitespace() || "/>=".contains(c);
        // An `=` may begin a name.
        let mut inside = rest.char_indices().skip(1);
        let length = inside.find(|(_, character)| is_end(*character));
        let name = &rest[..length.map_or(rest.len(), |(at, _)| at)];
        self.at += name.len();
        let after = source[self.at..].trim_ascii_start();
        let value = match after.strip_prefix('=') {
            Some(value) => {
                self.at = source.len() - value.trim_ascii_start().len();
                self.value()
            }
            None => "",
        };
        self.page.attributes.push(Attribute {
            name: lowered(name),
            value,
            span: start..self.at,
        });
    }

    fn value(&mut self) -> &'a str {
        let source = self.page.source;
        let first = source[self.at..].chars().next();
        let quote = first.filter(|first| matches!(first, '"' | '\''));
        self.at += usize::from(quote.is_some());
        let start = self.at;
        let is_end = |c: char| match quote {
            Some(quote) => c == quote,
            None => c.is_ascii_whitespace() || c == '>',
        };
        loop {
            let rest = &source[self.at..];
            let stop = rest.find(|c| is_end(c) || c == '{' || c == '<');
            self.at += stop.unwrap_or(rest.len());
            if let Some(code) = self.code_end() {
                self.at = code;
            } else if source[self.at..].starts_with(is_end) || self.at == source.len() {
                break;
            } else {
                self.at += 1;
            }
        }
        let value = &source[start..self.at];
        self.at += usize::from(quote.is_some() && self.at < source.len());
        value
    }
}

fn lowered(name: &str) -> Cow<'_, str> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(name.to_ascii_lowercase()),
        false => Cow::Borrowed(name),
    }
}

fn is_foreign(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

/// Where the text of an element ends: at its end tag.
fn end_of_text(source: &str, start: usize, name: &str) -> usize {
    let mut ends = source[start..].match_indices("</");
    let end = ends.find(|(at, _)| {
        let found = source.get(start + at + 2..start + at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    });
    end.map_or(source.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests;
