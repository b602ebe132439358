//! A source of the author's, and what staging makes of it: places lead back through both.

use std::ops::Range;

use crate::place::{Place, Text};

/// Whether marks are put into a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    /// MJML, or a part of it.
    Mjml,
    /// Anything else.
    Other,
}

/// A source that the author has written, and what of it is a template.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) text: Text,
    /// The template.
    pub(crate) code: String,
    /// Where the template begins in the file; `Err` with its place when it is not verbatim there.
    pub(crate) start: Result<usize, Range<usize>>,
}

impl Source {
    /// A whole file.
    pub(crate) fn whole(text: &Text) -> Self {
        Self {
            text: text.clone(),
            code: text.content().to_owned(),
            start: Ok(0),
        }
    }

    /// A value that stands at `place`.
    pub(crate) fn value(value: &str, place: &Place) -> Self {
        let range = place.range();
        let verbatim = place.text().content().get(range.clone()) == Some(value);
        Self {
            text: place.text().clone(),
            code: value.to_owned(),
            start: if verbatim {
                Ok(range.start)
            } else {
                Err(range)
            },
        }
    }

    /// The place in the file of a range of the template.
    pub(super) fn place(&self, range: Range<usize>) -> Place {
        match &self.start {
            Ok(start) => self.text.place(start + range.start..start + range.end),
            Err(all) => self.text.place(all.clone()),
        }
    }
}

/// A source without the tags of the sending moment.
#[derive(Clone, Debug)]
pub(crate) struct Staged {
    source: Source,
    /// What Tera is given.
    pub(crate) template: String,
    /// Where each stretch of the template came from.
    stretches: Vec<Stretch>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Where it begins in the template.
    at: usize,
    /// Where it comes from in the source.
    from: usize,
    /// Whether it is a copy, byte for byte.
    copied: bool,
}

impl Staged {
    pub(super) fn new(source: &Source) -> Self {
        Self {
            source: source.clone(),
            template: String::with_capacity(source.code.len()),
            stretches: Vec::new(),
        }
    }

    /// Copies a range of the source.
    pub(super) fn copy(&mut self, range: Range<usize>) {
        self.stretches.push(Stretch {
            at: self.template.len(),
            from: range.start,
            copied: true,
        });
        self.template.push_str(&self.source.code[range]);
    }

    /// Writes something that stands for what the source has at `from`.
    pub(super) fn insert(&mut self, text: &str, from: usize) {
        self.stretches.push(Stretch {
            at: self.template.len(),
            from,
            copied: false,
        });
        self.template.push_str(text);
    }

    /// The author's place of a range of bytes of the template.
    pub(crate) fn place(&self, range: Range<usize>) -> Place {
        let start = self.author(range.start);
        self.source.place(start..self.author(range.end).max(start))
    }

    fn author(&self, at: usize) -> usize {
        let after = self.stretches.partition_point(|stretch| stretch.at <= at);
        match after
            .checked_sub(1)
            .and_then(|last| self.stretches.get(last))
        {
            Some(stretch) if stretch.copied => stretch.from + (at - stretch.at),
            Some(stretch) => stretch.from,
            None => 0,
        }
    }
}
