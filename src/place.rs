//! Where in the user's files something stands: a text with its name, and a range of bytes in it.
//!
//! Every stage that can find fault carries a [`Place`], so that one printer can show file, line,
//! column and the line itself. Lines and columns count from 1; columns count characters.

use std::{ops::Range, sync::Arc};

/// A text and the name the user knows it by. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    name: Arc<str>,
    content: Arc<str>,
}

impl Text {
    /// A text called `name`, which is a path relative to the newsletter where there is one.
    pub fn new(name: impl Into<Arc<str>>, content: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
        }
    }

    /// What the user calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All of it.
    #[must_use]
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The place of a range of bytes; a range that does not fit is moved to the nearest one that does.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Place {
        let fit = |at: usize| {
            let mut at = at.min(self.content.len());
            while !self.content.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = fit(range.start);
        let end = fit(range.end).max(start);
        Place {
            text: self.clone(),
            range: start..end,
            first_line: 1,
            first_column: 1,
        }
    }

    /// The place of a whole line, counted from 1, without its line end.
    #[must_use]
    pub fn line(&self, line: usize) -> Place {
        let start: usize = self
            .content
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        let length = self.content[start..].lines().next().map_or(0, str::len);
        self.place(start..start + length)
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({}, {} bytes)", self.name, self.content.len())
    }
}

/// A range of bytes in a [`Text`].
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    text: Text,
    range: Range<usize>,
    first_line: usize,
    first_column: usize,
}

impl Place {
    /// A place in a file of which only one line is at hand, as in a large list.
    /// `line` counts from 1; `range` is a range of bytes in `content`.
    pub fn in_line(
        name: impl Into<Arc<str>>,
        line: usize,
        content: impl Into<Arc<str>>,
        range: Range<usize>,
    ) -> Self {
        Self {
            first_line: line,
            ..Text::new(name, content).place(range)
        }
    }

    /// The same place, when the text at hand begins in the middle of its line, at this column.
    #[must_use]
    pub fn from_column(self, first_column: usize) -> Self {
        Self {
            first_column,
            ..self
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.text.name
    }

    /// The text it stands in.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The bytes it covers.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The number of the text's first line in the file: 1 unless only a part of the file is at hand.
    #[must_use]
    pub fn first_line(&self) -> usize {
        self.first_line
    }

    /// Whether the text at hand begins in the middle of a line, so that it cannot be shown as one.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.first_column > 1
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + self.first_line
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        let before = self.before();
        match before.rfind('\n') {
            Some(end) => before[end + 1..].chars().count() + 1,
            None => before.chars().count() + self.first_column,
        }
    }

    fn before(&self) -> &str {
        &self.text.content[..self.range.start]
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = Text::new("a.md", "één\ntwee\n");
        assert_eq!(text.place(0..1).to_string(), "a.md:1:1");
        assert_eq!(text.place(4..5).to_string(), "a.md:1:3");
        assert_eq!(text.place(8..9).to_string(), "a.md:2:3");
    }

    #[test]
    fn a_range_that_does_not_fit_is_moved() {
        let text = Text::new("a.md", "é");
        assert_eq!(text.place(1..9).range(), 0..2);
        assert_eq!(text.line(7).to_string(), "a.md:1:2");
    }

    #[test]
    fn one_line_of_a_large_file_keeps_its_number() {
        let place = Place::in_line("list.csv", 37, "x,not an address", 2..16);
        assert_eq!(place.to_string(), "list.csv:37:3");
        assert_eq!(place.from_column(100).to_string(), "list.csv:37:102");
    }
}
