//! Encodings of MIME: which one a body has, base64, encoded-words for headers (RFC 2047), parameter
//! values (RFC 2231). Texts in, ASCII out; knows nothing of which header is which.

use std::borrow::Cow;

use data_encoding::BASE64;

/// The longest line of an encoded body (RFC 2045 6.7, 6.8), without CRLF.
pub(super) const BODY_COLUMNS: usize = 76;
/// The longest encoded-word (RFC 2047 2).
const WORD_COLUMNS: usize = 75;
pub(super) const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// How a body is encoded for the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Legible where it is ASCII.
    QuotedPrintable,
    /// A third longer than what it encodes.
    Base64,
}

impl Encoding {
    /// Quoted-printable, unless a text is mostly not ASCII: then it is legible to nobody, and base64
    /// is much shorter.
    ///
    /// The octets of characters after their first one tell: half of those of a Greek or Cyrillic text,
    /// two thirds of those of a Chinese one ([`further_octets`]).
    pub(super) fn of_text(octets: usize, further_octets: usize) -> Self {
        if 3 * further_octets > octets {
            Self::Base64
        } else {
            Self::QuotedPrintable
        }
    }

    /// The value of Content-Transfer-Encoding.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }
}

/// The octets of a text beyond the first of each character; counting characters is the quickest way
/// to know.
pub(super) fn further_octets(text: &str) -> usize {
    text.len() - text.chars().count()
}

/// Appends bytes as base64, 76 columns a line, with CRLF after each line but the last.
pub(super) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let encoded = BASE64.encode(bytes);
    for (count, line) in encoded.as_bytes().chunks(BODY_COLUMNS).enumerate() {
        if count > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(line);
    }
}

/// A text as encoded-words (RFC 2047), one for each line of a header; the first has
/// `first_columns` at most, and each holds whole characters.
pub(super) fn encoded_words(text: &str, first_columns: usize) -> Vec<String> {
    let q_length: usize = text.bytes().map(q_width).sum();
    let form = if q_length <= text.len().div_ceil(3) * 4 {
        WordForm::Q
    } else {
        WordForm::B
    };
    let overhead = "=?utf-8?q??=".len();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut room = first_columns.min(WORD_COLUMNS).saturating_sub(overhead);
    for c in text.chars() {
        let length = word.len();
        word.push(c);
        if form.length(&word) > room && length > 0 {
            word.truncate(length);
            words.push(form.word(&word));
            word.clear();
            word.push(c);
            room = WORD_COLUMNS - overhead;
        }
    }
    words.push(form.word(&word));
    words
}

/// Parameters that give a part's file name (RFC 2231), each short enough for a line of its own.
pub(super) fn parameters(name: &str, value: &str) -> Vec<String> {
    let is_simple = value
        .bytes()
        .all(|b| matches!(b, b' '..=b'~') && !b"\"\\".contains(&b));
    if is_simple && name.len() + value.len() + 4 <= 70 {
        return vec![format!("{name}=\"{value}\"")];
    }
    // 60 octets of value leave room for the name, the number and the blank before them.
    let mut pieces = vec![String::from("utf-8''")];
    for c in value.chars() {
        let mut encoded = String::new();
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push('%');
                push_hex(byte, &mut encoded);
            }
        }
        match pieces.last_mut() {
            Some(piece) if piece.len() + encoded.len() <= 60 => piece.push_str(&encoded),
            _ => pieces.push(encoded),
        }
    }
    if let [only] = pieces.as_slice() {
        return vec![format!("{name}*={only}")];
    }
    let numbered = pieces.iter().enumerate();
    numbered
        .map(|(number, piece)| format!("{name}*{number}*={piece}"))
        .collect()
}

/// CRLF for each line end, whatever it was.
pub(super) fn with_crlf(text: &str) -> Cow<'_, str> {
    let mut lines = text.split('\n').peekable();
    let mut good = true;
    while let Some(line) = lines.next() {
        let line = match lines.peek() {
            Some(_) => match line.strip_suffix('\r') {
                Some(line) => line,
                None => {
                    good = false;
                    break;
                }
            },
            None => line,
        };
        if line.contains('\r') {
            good = false;
            break;
        }
    }
    if good {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.replace("\r\n", "\n")
            .replace('\r', "\n")
            .replace('\n', "\r\n"),
    )
}

fn push_hex(byte: u8, out: &mut String) {
    for nibble in [byte >> 4, byte & 15] {
        out.push(
            HEX.get(usize::from(nibble))
                .copied()
                .map_or('0', char::from),
        );
    }
}

/// The two forms of encoded-words.
#[derive(Clone, Copy)]
enum WordForm {
    B,
    Q,
}

impl WordForm {
    fn length(self, text: &str) -> usize {
        match self {
            Self::B => text.len().div_ceil(3) * 4,
            Self::Q => text.bytes().map(q_width).sum(),
        }
    }

    fn word(self, text: &str) -> String {
        match self {
            Self::B => format!("=?utf-8?b?{}?=", BASE64.encode(text.as_bytes())),
            Self::Q => {
                let mut word = String::from("=?utf-8?q?");
                for byte in text.bytes() {
                    match byte {
                        b' ' => word.push('_'),
                        _ if q_width(byte) == 1 => word.push(char::from(byte)),
                        _ => {
                            word.push('=');
                            push_hex(byte, &mut word);
                        }
                    }
                }
                word.push_str("?=");
                word
            }
        }
    }
}

/// The columns of an octet in the Q form, as strict as display names ask for (RFC 2047 5, rule 3).
fn q_width(byte: u8) -> usize {
    if byte == b' ' || byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte) {
        1
    } else {
        3
    }
}

#[cfg(test)]
pub(super) mod tests;
