//! Values and contents, made fit for the engine.

use std::fmt::Write;

use crate::compose::{
    staging::{SendTag, Tags},
    tokens,
};

/// A piece of the text between elements.
pub(super) enum Between<'a> {
    /// Text, which has no business there.
    Text,
    /// A tag of the sending moment, as it stands in the text.
    Tag(&'a str, &'a SendTag),
}

/// Cuts the text between elements into tags and what else there is.
pub(super) fn between<'a>(text: &'a str, tags: &'a Tags) -> Vec<Between<'a>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = match tags.run(rest) {
            Ok(run) => {
                pieces.push(Between::Tag(&rest[..run.length], run.tag));
                run.length
            }
            Err(_) => {
                let length = rest
                    .char_indices()
                    .skip(1)
                    .find(|(_, character)| tokens::is_of_sending(*character))
                    .map_or(rest.len(), |(at, _)| at);
                pieces.push(Between::Text);
                length
            }
        };
        rest = &rest[length..];
    }
    pieces
}

/// Whether an attribute's name can be written as it is.
pub(super) fn is_name(name: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_:.".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(inside)
}

/// Whether `content` holds tags of the sending moment that print nothing, and nothing else.
pub(super) fn is_silent(content: &str, tags: &Tags) -> bool {
    !content.is_empty() && silent_length(content, tags) == content.len()
}

/// The bytes at the start of `text` that are white space and tags that print nothing.
fn silent_length(text: &str, tags: &Tags) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        length += rest.len() - rest.trim_start().len();
        match tags.run(&text[length..]) {
            Ok(run) if run.tag.role.is_silent() => length += run.length,
            _ => return length,
        }
    }
}

/// Takes the paragraph away from around tags that print nothing. In Markdown, an `{% if %}` on a line
/// of its own becomes a paragraph, and would leave an empty one behind.
pub(super) fn without_lone_paragraphs(content: &str, tags: &Tags) -> String {
    if !tokens::wait_in(content) {
        return content.to_owned();
    }
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(start) = rest.find("<p") {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let lone = rest.find('>').and_then(|end| {
            let is_paragraph = rest[2..=end].starts_with(|c: char| c == '>' || c.is_whitespace());
            let inside = &rest[end + 1..];
            let length = silent_length(inside, tags);
            let after = inside[length..].strip_prefix("</p>")?;
            let silent = inside[..length].trim();
            (is_paragraph && !silent.is_empty()).then_some((silent, after))
        });
        match lone {
            Some((silent, after)) => {
                out.push_str(silent);
                rest = after;
            }
            None => {
                out.push_str("<p");
                rest = &rest[2..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// Makes a value fit to be put into the engine's page by ourselves: it ends no attribute, and is taken
/// for no slot.
pub(super) fn fit(value: &str) -> Option<String> {
    if tokens::wait_in(value) {
        return Some(value.replace('"', "&quot;").replace('@', "&#64;"));
    }
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"<\\@".contains(&byte);
    if value.bytes().all(is_plain) {
        return None;
    }
    let mut fit = String::with_capacity(value.len() + 8);
    protect(value, &mut fit);
    Some(fit)
}

/// Writes a value so that the engine, which prints it as a Rust literal, leaves it alone.
pub(super) fn protect(value: &str, out: &mut String) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"<\\@".contains(&byte);
    if value.bytes().all(is_plain) {
        return out.push_str(value);
    }
    for character in value.chars() {
        match character {
            '\n' | '\t' => out.push(' '),
            '"' | '<' | '\\' | '@' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            ' '..='~' => out.push(character),
            character if character.is_control() => {}
            character => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
        }
    }
}
