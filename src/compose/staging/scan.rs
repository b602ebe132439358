//! Finds the tags of a Tera source, as Tera's own lexer would.

use std::ops::Range;

/// A piece of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text that is copied.
    Text(Range<usize>),
    /// `{{ … }}`.
    Print(Tag),
    /// `{% … %}`.
    Statement(Tag),
    /// A comment, or `{% raw %}` with its content and end.
    Other(Range<usize>),
}

/// A tag with its delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    /// All of it.
    pub(super) range: Range<usize>,
    /// What stands between the delimiters.
    pub(super) code: Range<usize>,
    /// It begins with `{{-` or `{%-`.
    pub(super) trims_before: bool,
    /// It ends with `-}}` or `-%}`.
    pub(super) trims_after: bool,
}

/// The pieces of `source`, in order and without gaps. A tag that never ends is text, as Tera will
/// say what is wrong with it.
pub(super) fn pieces(source: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = 0;
    let mut at = 0;
    while let Some(start) = next_start(source, at) {
        let Some(piece) = piece(source, start) else {
            at = start + 2;
            continue;
        };
        if text < start {
            pieces.push(Piece::Text(text..start));
        }
        at = match &piece {
            Piece::Text(range) | Piece::Other(range) => range.end,
            Piece::Print(tag) | Piece::Statement(tag) => tag.range.end,
        };
        text = at;
        pieces.push(piece);
    }
    if text < source.len() {
        pieces.push(Piece::Text(text..source.len()));
    }
    pieces
}

fn next_start(source: &str, from: usize) -> Option<usize> {
    source
        .as_bytes()
        .get(from..)?
        .windows(2)
        .position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
        .map(|at| from + at)
}

fn piece(source: &str, start: usize) -> Option<Piece> {
    let inside = start + 2;
    match source.as_bytes().get(start + 1)? {
        b'#' => {
            let end = inside + source[inside..].find("#}")? + 2;
            Some(Piece::Other(start..end))
        }
        b'{' => tag(source, start, "}}").map(Piece::Print),
        _ => match lone(&source[inside..], "raw") {
            Some(length) => raw_end(source, inside + length).map(|end| Piece::Other(start..end)),
            None => tag(source, start, "%}").map(Piece::Statement),
        },
    }
}

fn tag(source: &str, start: usize, close: &str) -> Option<Tag> {
    let bytes = source.as_bytes();
    let trims_before = bytes.get(start + 2) == Some(&b'-');
    let code_start = start + 2 + usize::from(trims_before);
    let end = code_end(source, code_start, close)?;
    let trims_after = end > code_start && bytes.get(end - 1) == Some(&b'-');
    Some(Tag {
        range: start..end + 2,
        code: code_start..end - usize::from(trims_after),
        trims_before,
        trims_after,
    })
}

/// Where `close` stands, but not within a string.
fn code_end(source: &str, from: usize, close: &str) -> Option<usize> {
    // Without a look ahead, a source of nothing but openings would be read to its end for each.
    if !source.get(from..)?.contains(close) {
        return None;
    }
    let bytes = source.as_bytes();
    let mut at = from;
    let mut quote = None;
    while let Some(&byte) = bytes.get(at) {
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if matches!(byte, b'"' | b'\'' | b'`') => quote = Some(byte),
            None if bytes[at..].starts_with(close.as_bytes()) => return Some(at),
            None => {}
        }
        at += 1;
    }
    None
}

/// The length of the rest of a tag that holds nothing but `name`: ` raw %}`.
fn lone(rest: &str, name: &str) -> Option<usize> {
    let after = rest.strip_prefix('-').unwrap_or(rest).trim_ascii_start();
    let after = after.strip_prefix(name)?.trim_ascii_start();
    let after = after
        .strip_prefix('-')
        .unwrap_or(after)
        .strip_prefix("%}")?;
    Some(rest.len() - after.len())
}

fn raw_end(source: &str, from: usize) -> Option<usize> {
    source[from..].match_indices("{%").find_map(|(at, _)| {
        let inside = from + at + 2;
        lone(&source[inside..], "endraw").map(|length| inside + length)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(source: &str) -> Vec<(&'static str, &str)> {
        pieces(source)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(range) => ("text", &source[range]),
                Piece::Print(tag) => ("print", &source[tag.code]),
                Piece::Statement(tag) => ("statement", &source[tag.code]),
                Piece::Other(range) => ("other", &source[range]),
            })
            .collect()
    }

    #[test]
    fn tags_comments_and_raw_are_told_apart() {
        assert_eq!(
            shown("a{{- b -}}c{% if d %}{# {{ e }} #}{% raw -%}{{ f }}{%- endraw %}g"),
            [
                ("text", "a"),
                ("print", " b "),
                ("text", "c"),
                ("statement", " if d "),
                ("other", "{# {{ e }} #}"),
                ("other", "{% raw -%}{{ f }}{%- endraw %}"),
                ("text", "g"),
            ]
        );
    }

    #[test]
    fn strings_hide_the_end_of_a_tag() {
        assert_eq!(
            shown(r#"{{ a | b(c="}}\"}}") }}{% if '%}' %}{{ `}}` }}"#),
            [
                ("print", r#" a | b(c="}}\"}}") "#),
                ("statement", " if '%}' "),
                ("print", " `}}` "),
            ]
        );
    }

    #[test]
    fn what_never_ends_is_text() {
        assert_eq!(shown("a {{ b"), [("text", "a {{ b")]);
        assert_eq!(shown("{% raw %}{{ a"), [("text", "{% raw %}{{ a")]);
        assert_eq!(shown("{"), [("text", "{")]);
    }

    proptest! {
        #[test]
        fn pieces_cover_any_source(source in "[-{}%# \"'\\\\araw endé]{0,60}") {
            let mut at = 0;
            for piece in pieces(&source) {
                let range = match piece {
                    Piece::Text(range) | Piece::Other(range) => range,
                    Piece::Print(tag) | Piece::Statement(tag) => tag.range,
                };
                prop_assert_eq!(range.start, at);
                prop_assert!(source.is_char_boundary(range.end));
                at = range.end;
            }
            prop_assert_eq!(at, source.len());
        }
    }
}
