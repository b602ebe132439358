//! The characters that stand for what is not there yet: private use, planes 15 and 16.
//!
//! A tag that waits for the reader is one character of plane 15; the values that it captured follow
//! it, each byte one character of plane 15, too. A mark in plane 16 says where in the author's file a
//! tag of the markup stands. They pass through Tera, Markdown and MJML unharmed, and no data can hold
//! one, as [`clean`] takes them out of everything that is not the author's own.

use std::ops::Range;

/// The first tag; tag `n` is this character plus `n`.
const TAG: u32 = 0xF_0000;
/// How many tags there can be.
pub(crate) const MOST_TAGS: usize = 0x8000;
/// The byte 0 of a captured value.
const BYTE: u32 = 0xF_8000;
/// Ends a captured value.
const END: char = '\u{F8100}';
/// The first mark.
const MARK: u32 = 0x10_0000;
/// How many marks there can be.
pub(crate) const MOST_MARKS: usize = 0xFFFE;

/// Whether a character is one of ours, so that neither sources nor data may hold it.
pub(crate) fn is_reserved(character: char) -> bool {
    u32::from(character) >= TAG
}

/// The character of tag `n`; `None` when there are too many.
pub(crate) fn tag(n: usize) -> Option<char> {
    (n < MOST_TAGS).then(|| char::from_u32(TAG + u32::try_from(n).ok()?))?
}

/// Which tag a character is.
pub(crate) fn tag_index(character: char) -> Option<usize> {
    let n = usize::try_from(u32::from(character).checked_sub(TAG)?).ok()?;
    (n < MOST_TAGS).then_some(n)
}

/// The character of mark `n`; `None` when there are too many.
pub(crate) fn mark(n: usize) -> Option<char> {
    (n < MOST_MARKS).then(|| char::from_u32(MARK + u32::try_from(n).ok()?))?
}

/// Which mark a character is.
pub(crate) fn mark_index(character: char) -> Option<usize> {
    let n = usize::try_from(u32::from(character).checked_sub(MARK)?).ok()?;
    (n < MOST_MARKS).then_some(n)
}

/// Whether a character is a tag or a part of a captured value: what must reach the edition.
pub(crate) fn is_of_sending(character: char) -> bool {
    is_reserved(character) && u32::from(character) < MARK
}

/// Whether a text holds a tag or a part of a captured value.
pub(crate) fn wait_in(text: &str) -> bool {
    find_of_sending(text).is_some()
}

/// Where the first tag or captured value of a text begins.
pub(crate) fn find_of_sending(text: &str) -> Option<usize> {
    let first = memchr::memchr2(0xF3, 0xF4, text.as_bytes())?;
    let (at, _) = text[first..]
        .char_indices()
        .find(|(_, character)| is_of_sending(*character))?;
    Some(first + at)
}

/// A text without our marks.
pub(crate) fn without_marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(0xF3, 0xF4, rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let mut characters = rest[at..].chars();
        out.extend(characters.next().filter(|it| mark_index(*it).is_none()));
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}

/// A captured value as characters.
pub(crate) fn encode(value: &str) -> String {
    value
        .bytes()
        .filter_map(|byte| char::from_u32(BYTE + u32::from(byte)))
        .chain([END])
        .collect()
}

/// Takes a captured value off the start of `text`: the value and the rest.
/// `None` when there is none, or when something has cut it in two.
pub(crate) fn decode(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    for (at, character) in text.char_indices() {
        if character == END {
            let rest = &text[at + END.len_utf8()..];
            return Some((String::from_utf8(bytes).ok()?, rest));
        }
        bytes.push(u8::try_from(u32::from(character).checked_sub(BYTE)?).ok()?);
    }
    None
}

/// Whether the bytes of a text show that it holds no character of ours and no control character but tab
/// and line feed; both begin with other bytes. Most texts are so.
pub(crate) fn is_plain(text: &str) -> bool {
    let plain = |byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | 0x80..=0xC1 | 0xC3..=0xF2);
    text.bytes().fold(true, |all, byte| all & plain(byte))
}

/// Data, made harmless: without our characters, also where they are percent-encoded or a character
/// reference, and without control characters (but tab and line feed).
pub(crate) fn clean(data: &str) -> String {
    let lost = |character: char| {
        is_reserved(character) || (character.is_control() && !matches!(character, '\t' | '\n'))
    };
    let text = match is_plain(data) {
        true => data.to_owned(),
        false => data.split(lost).collect(),
    };
    match memchr::memchr2(b'%', b'&', text.as_bytes()) {
        Some(_) => without_encoded(&text),
        None => text,
    }
}

/// Replaces each encoded character of ours by an encoded U+FFFD. (To take it out could join what
/// stood around it to another one.)
fn without_encoded(text: &str) -> String {
    rewrite(text, |rest| {
        let percent = percent_encoded(rest).map(|(_, after)| ("%EF%BF%BD".to_owned(), after));
        percent.or_else(|| referenced(rest).map(|(_, after)| ("\u{fffd}".to_owned(), after)))
    })
}

/// The first character of ours that is encoded in a text, and where.
pub(crate) fn encoded(text: &str) -> Option<(char, Range<usize>)> {
    let mut starts = memchr::memchr2_iter(b'%', b'&', text.as_bytes());
    starts.find_map(|at| {
        let rest = &text[at..];
        let (character, after) = percent_encoded(rest).or_else(|| referenced(rest))?;
        Some((character, at..text.len() - after.len()))
    })
}

/// Replaces what begins with `%` or `&`, where `replace` knows by what.
fn rewrite(text: &str, replace: impl Fn(&str) -> Option<(String, &str)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'%', b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((replacement, after)) = replace(rest) {
            out.push_str(&replacement);
            rest = after;
        } else {
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// Reads one of our characters, percent-encoded, off the start of `text`.
fn percent_encoded(text: &str) -> Option<(char, &str)> {
    let mut bytes = [0; 4];
    for (byte, triple) in bytes.iter_mut().zip(text.as_bytes().chunks(3)) {
        let [b'%', high, low] = triple else {
            return None;
        };
        let digit = |hex: &u8| char::from(*hex).to_digit(16);
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    let character = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    is_reserved(character).then(|| (character, &text[12..]))
}

/// Reads one of our characters, as a character reference, off the start of `text`.
fn referenced(text: &str) -> Option<(char, &str)> {
    let digits = text.strip_prefix("&#")?;
    let (number, rest) = digits.split_at(digits.bytes().take(10).position(|byte| byte == b';')?);
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let character = char::from_u32(number).filter(|character| is_reserved(*character))?;
    Some((character, rest.strip_prefix(';')?))
}

/// Brings our characters back to themselves where a writer has encoded them as a character
/// reference or for a URL. Data cannot hold such a form (see [`clean`]).
pub(crate) fn restore(text: &str) -> String {
    rewrite(text, |rest| {
        let found = percent_encoded(rest).or_else(|| referenced(rest));
        found.map(|(character, after)| (character.to_string(), after))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn data_loses_our_characters_in_every_form() {
        assert_eq!(
            clean("a\u{F0000}b\u{1}(c\u{100000}\td\r\ne\u{7f}"),
            "ab(c\td\ne"
        );
        assert_eq!(clean("%F3%B0%80%80 100% %41"), "%EF%BF%BD 100% %41");
        assert_eq!(clean("%F3%f3%B0%80%80%B0%80%80"), "%F3%EF%BF%BD%B0%80%80");
        assert_eq!(clean("%F3%B0\u{F0000}%80%80"), "%EF%BF%BD");
        assert_eq!(clean("%é%F3%"), "%é%F3%");
        assert_eq!(
            clean("&#xF0000; &#983040; &#65;"),
            "\u{fffd} \u{fffd} &#65;"
        );
    }

    #[test]
    fn encoded_forms_are_restored() {
        assert_eq!(
            restore("&#xF0001; &#983042; %F3%B0%80%83 &amp; 5 %"),
            "\u{F0001} \u{F0002} \u{F0003} &amp; 5 %"
        );
        assert_eq!(
            restore("&#65; &#x; &# &#99999999999;"),
            "&#65; &#x; &# &#99999999999;"
        );
    }

    #[test]
    fn a_value_that_was_cut_is_noticed() {
        let encoded = encode("\"é\"");
        assert_eq!(
            decode(&format!("{encoded}x")),
            Some(("\"é\"".to_owned(), "x"))
        );
        let cut: String = encoded.chars().take(2).collect();
        assert_eq!(decode(&cut), None);
        assert_eq!(decode("x"), None);
    }

    proptest! {
        #[test]
        fn clean_data_restores_to_itself(data in "[%F3B08&#x;é\u{F0000}\u{1}a-f0-9]{0,40}") {
            let cleaned = clean(&data);
            prop_assert_eq!(clean(&cleaned), cleaned.clone());
            prop_assert_eq!(restore(&cleaned), cleaned);
        }

        #[test]
        fn values_come_back(value in ".{0,40}", rest in ".{0,5}") {
            let text = encode(&value) + &rest;
            prop_assert_eq!(decode(&text), Some((value, rest.as_str())));
        }
    }
}
