//! Chunks: the lines between two blank lines.

use super::line;

/// Lines without a blank one between them, trimmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk<'t> {
    pub lines: Vec<&'t str>,
    /// Blank lines before it: 1 is usual, 2 says that something new begins.
    pub gap: usize,
}

/// The length from which lines are taken for paragraphs that lack their blank lines.
const PARAGRAPH_LINE: usize = 120;

/// The chunks of a text. Where every paragraph has two blank lines between, they count as one.
pub(super) fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks: Vec<Chunk<'_>> = Vec::new();
    let mut gap = 0;
    let mut is_open = false;
    for line in text.split('\n').map(trimmed) {
        if line.is_empty() {
            gap += 1;
            is_open = false;
        } else if is_open && let Some(chunk) = chunks.last_mut() {
            chunk.lines.push(line);
        } else {
            chunks.push(Chunk {
                lines: vec![line],
                gap: std::mem::take(&mut gap),
            });
            is_open = true;
        }
        if is_open {
            gap = 0;
        }
    }
    let usual = chunks
        .iter()
        .skip(1)
        .map(|chunk| chunk.gap)
        .min()
        .unwrap_or(1);
    for chunk in &mut chunks {
        chunk.gap = chunk.gap.saturating_sub(usual.saturating_sub(1));
    }
    chunks
}

/// A line without what is blank at its ends, byte order marks and zero-width blanks included.
fn trimmed(line: &str) -> &str {
    line.trim_matches(|character: char| {
        character.is_whitespace() || matches!(character, '\u{feff}' | '\u{200b}')
    })
}

impl Chunk<'_> {
    /// Its lines as one.
    pub(super) fn joined(&self) -> String {
        line::joined(&self.lines)
    }

    /// Its paragraphs: one, unless each of its lines is as long as only a paragraph is.
    pub(super) fn paragraphs(&self) -> Vec<String> {
        let is_long = |line: &&str| line.chars().count() > PARAGRAPH_LINE;
        if self.lines.len() > 1 && self.lines.iter().all(is_long) {
            return self
                .lines
                .iter()
                .map(|line| line::joined(&[line]))
                .collect();
        }
        vec![self.joined()]
    }

    /// A line of stars, dashes or number signs, or a word that says that this is the end.
    pub(super) fn is_divider(&self) -> bool {
        let [line] = *self.lines.as_slice() else {
            return false;
        };
        let marks: Vec<char> = line.chars().filter(|mark| !mark.is_whitespace()).collect();
        let is_rule = marks.len() >= 3
            && marks.iter().all(|mark| "*-#_=~•⁂—".contains(*mark))
            && marks.iter().all(|mark| Some(mark) == marks.first());
        is_rule || matches!(line, "⁂" | "-30-" | "ENDS" | "-ENDS-" | "- ENDS -" | "END")
    }
}
