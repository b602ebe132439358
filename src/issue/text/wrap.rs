//! Lines wrapped by the columns that a terminal gives them.

use unicode_width::UnicodeWidthStr as _;

use crate::issue::{clean::is_token, script::is_ideographic};

/// Stands for a blank where a line must not end; it is written as a blank.
pub(super) const GLUE: char = '\u{fdd0}';

/// The width of a run of tokens, whatever they will stand for.
const TOKENS: usize = 8;

/// The columns of a text.
pub(super) fn width_of(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    let mut width = 0;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_tokens = is_token(first);
        let end = rest
            .char_indices()
            .find(|(_, character)| is_token(*character) != is_tokens)
            .map_or(rest.len(), |(at, _)| at);
        let (run, after) = rest.split_at(end);
        width += if is_tokens {
            TOKENS
        } else {
            let glue = run.matches(GLUE).count();
            glue + run.split(GLUE).map(|words| words.width()).sum::<usize>()
        };
        rest = after;
    }
    width
}

/// A text in lines of at most `width` columns, unless a word is longer. No line ends in a blank; a
/// text without words has no lines.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut filled = 0;
    for word in text.split(is_blank).filter(|word| !word.is_empty()) {
        for (at, part) in parts(word).into_iter().enumerate() {
            let blank = usize::from(at == 0 && !line.is_empty());
            let needed = width_of(part);
            if !line.is_empty() && filled + blank + needed > width {
                lines.push(std::mem::take(&mut line));
                filled = 0;
            } else if blank == 1 {
                line.push(' ');
                filled += 1;
            }
            for (at, piece) in part.split(GLUE).enumerate() {
                if at > 0 {
                    line.push(' ');
                }
                line.push_str(piece);
            }
            filled += needed;
        }
    }
    lines.push(line);
    for line in &mut lines {
        // A no-break space may end a word; at the end of a line it is as blank as any other.
        line.truncate(line.trim_end().len());
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// White space at which a line may end; a no-break space is not.
fn is_blank(character: char) -> bool {
    character.is_whitespace() && !matches!(character, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// A word in the parts between which a line may end: scripts without blanks break between any two
/// characters, but not before a closing mark or after an opening one.
fn parts(word: &str) -> Vec<&str> {
    if word.is_ascii() {
        return vec![word];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, character) in word.char_indices() {
        let may_break = before.is_some_and(|before| {
            (is_ideographic(before) || is_ideographic(character))
                && !is_closing(character)
                && !is_opening(before)
                && ![before, character]
                    .iter()
                    .any(|side| is_token(*side) || *side == GLUE)
        });
        if may_break {
            parts.push(&word[start..at]);
            start = at;
        }
        before = Some(character);
    }
    parts.push(&word[start..]);
    parts
}

fn is_closing(character: char) -> bool {
    "、。，．：；！？）］｝」』】〉》〕’”…‥ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ)]}.,:;!?%"
        .contains(character)
        || is_combining(character)
}

fn is_opening(character: char) -> bool {
    "（［｛「『【〈《〔‘“([{".contains(character)
}

/// What belongs to the character before it: marks, joiners and variation selectors.
fn is_combining(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{3099}' | '\u{309a}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}
