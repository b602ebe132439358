//! The only writer of header fields (RFC 5322 2.2): folds lines, encodes what is not ASCII, and lets
//! no character in that could end a line, whatever a subject, a name or a cell of the list holds.

use super::{
    encode::encoded_words,
    mailbox::{Mailbox, quoted},
};
use crate::{
    audience::Address,
    error::{Error, Result},
};

/// What a line should have at most, without CRLF (RFC 5322 2.1.1).
const COLUMNS: usize = 78;
/// What a line with encoded-words may have (RFC 2047 2).
const WORD_COLUMNS: usize = 76;
/// The most that a line may have, without CRLF (RFC 5322 2.1.1).
const MOST_COLUMNS: usize = 998;

/// A block of header fields, each of them whole lines that end in CRLF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers {
    block: String,
}

impl Headers {
    /// All of them, as on the wire.
    pub(super) fn as_str(&self) -> &str {
        &self.block
    }

    /// Fields that were written before.
    pub(super) fn append(&mut self, other: &Self) {
        self.block.push_str(&other.block);
    }

    /// A field of free text (RFC 5322 3.6.5).
    pub(super) fn text(&mut self, name: &'static str, text: &str) -> Result<()> {
        let text = clean(text);
        if text.is_ascii()
            && !text.contains("=?")
            && text.split(' ').all(|word| word.len() < WORD_COLUMNS)
        {
            let words: Vec<&str> = text.split(' ').collect();
            self.fold(name, &words)
        } else {
            self.fold(name, &encoded_words(&text, WORD_COLUMNS - name.len() - 2))
        }
    }

    /// A field of parts that have a meaning; it is folded between them. They are taken as they are,
    /// so they have to be printable ASCII.
    ///
    /// # Errors
    ///
    /// When a part is not, or is too long for a line.
    pub(super) fn structured(
        &mut self,
        name: &'static str,
        parts: &[impl AsRef<str>],
    ) -> Result<()> {
        let is_good = |part: &str| part.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        match parts.iter().map(AsRef::as_ref).find(|part| !is_good(part)) {
            Some(bad) => Err(Error::data(format!(
                "the header `{name}` cannot hold `{}`",
                bad.escape_debug()
            ))
            .hint(
                "Only printable ASCII can stand there; write other letters of a URL as `%C3%BC`.",
            )),
            None => self.fold(name, parts),
        }
    }

    /// A field of one address and nothing else. It is ASCII unless the address needs SMTPUTF8 (RFC
    /// 6532).
    pub(super) fn address(&mut self, name: &'static str, address: &Address) -> Result<()> {
        self.fold(name, &[address.as_str()])
    }

    /// A field of one mailbox, with its name.
    pub(super) fn mailbox(&mut self, name: &'static str, mailbox: &Mailbox) -> Result<()> {
        match &mailbox.name {
            Some(display) => self.phrase(name, display, mailbox.address.as_str()),
            None => self.address(name, &mailbox.address),
        }
    }

    /// A field of a name for people and an id in angle brackets for machines.
    pub(super) fn phrase(&mut self, name: &'static str, phrase: &str, id: &str) -> Result<()> {
        let mut words = phrase_words(&clean(phrase), WORD_COLUMNS - name.len() - 2);
        words.push(format!("<{id}>"));
        self.fold(name, &words)
    }

    /// Writes words with a blank between them, or a line end and a blank where a line would be too
    /// long.
    fn fold(&mut self, name: &'static str, words: &[impl AsRef<str>]) -> Result<()> {
        let start = self.block.len();
        let is_encoded = words.iter().any(|word| word.as_ref().starts_with("=?"));
        let columns = if is_encoded { WORD_COLUMNS } else { COLUMNS };
        self.block.push_str(name);
        self.block.push(':');
        let mut column = name.len() + 1;
        for word in words.iter().map(AsRef::as_ref) {
            // A break before a word that is too long for a line of its own gains nothing.
            let fits_alone = word.len() < columns || column + 1 + word.len() > MOST_COLUMNS;
            let is_first = column == name.len() + 1;
            if column + 1 + word.len() > columns && (fits_alone || !is_first) {
                self.block.push_str("\r\n");
                column = 0;
            }
            self.block.push(' ');
            self.block.push_str(word);
            column += 1 + word.len();
            if column > MOST_COLUMNS {
                self.block.truncate(start);
                return Err(Error::data(format!(
                    "the header `{name}` has a part of {} octets that cannot be broken",
                    word.len()
                ))
                .hint(format!(
                    "A line of a mail has {MOST_COLUMNS} octets at most."
                )));
            }
        }
        self.block.push_str("\r\n");
        Ok(())
    }
}

/// A text fit for a header: on one line, with one blank for each run of blanks and control
/// characters, and without the controls that turn the direction of writing (they would let a text
/// pose as another one).
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            ' ' | '\u{2028}' | '\u{2029}' => push_blank(&mut cleaned),
            c if c.is_control() => push_blank(&mut cleaned),
            c => cleaned.push(c),
        }
    }
    cleaned.truncate(cleaned.trim_end_matches(' ').len());
    cleaned
}

fn push_blank(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

/// A clean text as a phrase (RFC 5322 3.2.5): words as they are, one quoted string, or encoded-words,
/// the first of which has `first_columns` at most.
fn phrase_words(text: &str, first_columns: usize) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let is_atom = |word: &str| {
        word.len() < WORD_COLUMNS
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    if text.is_ascii() && !text.contains("=?") {
        if text.split(' ').all(is_atom) {
            return text.split(' ').map(str::to_owned).collect();
        }
        let quoted = quoted(text);
        if quoted.len() < WORD_COLUMNS {
            return vec![quoted];
        }
    }
    encoded_words(text, first_columns)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::encode::tests::decode_word, *};

    fn text(value: &str) -> String {
        let mut headers = Headers::default();
        headers.text("Subject", value).unwrap();
        headers.block
    }

    fn from(name: &str) -> String {
        let mut headers = Headers::default();
        let mailbox = Mailbox {
            name: Some(name.to_owned()),
            address: Address::parse("ann@example.org").unwrap(),
        };
        headers.mailbox("From", &mailbox).unwrap();
        headers.block
    }

    /// The fields of a block by the letter of RFC 5322 2.2, unfolded; fails on anything else.
    fn fields(block: &str) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let lines = block.strip_suffix("\r\n").expect("a last line end");
        for line in lines.split("\r\n") {
            assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
            assert!(line.len() <= 998 && !line.trim().is_empty(), "{line:?}");
            if line.starts_with([' ', '\t']) {
                fields
                    .last_mut()
                    .expect("a field to go on")
                    .1
                    .push_str(line);
            } else {
                let (name, value) = line.split_once(':').expect("a colon");
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        fields
    }

    /// What a mail program shows of a text field.
    fn shown(value: &str) -> String {
        let mut shown = String::new();
        let mut was_encoded = true;
        for word in value.split(' ').filter(|word| !word.is_empty()) {
            let is_encoded = word.starts_with("=?");
            if !(shown.is_empty() || was_encoded && is_encoded) {
                shown.push(' ');
            }
            shown.push_str(&if is_encoded {
                decode_word(word)
            } else {
                word.to_owned()
            });
            was_encoded = is_encoded;
        }
        shown
    }

    #[test]
    fn plain_text_stays_plain_and_is_folded() {
        assert_eq!(text("Good news"), "Subject: Good news\r\n");
        assert_eq!(
            text(&"word ".repeat(20)),
            format!(
                "Subject: {}\r\n {}\r\n",
                ["word"; 14].join(" "),
                ["word"; 6].join(" ")
            )
        );
    }

    #[test]
    fn what_would_end_a_line_becomes_a_blank() {
        assert_eq!(
            text("a\r\nBcc: b@example.org"),
            "Subject: a Bcc: b@example.org\r\n"
        );
        assert_eq!(
            text("a\0b\u{1b}c\u{7f}d\u{85}e\u{2028}f\tg "),
            "Subject: a b c d e f g\r\n"
        );
        assert_eq!(text("a\u{202e}b\u{2066}c"), "Subject: abc\r\n");
        assert_eq!(
            from("Bob\r\nBcc: x@example.org"),
            "From: \"Bob Bcc: x@example.org\" <ann@example.org>\r\n"
        );
    }

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(text("Zoë"), "Subject: =?utf-8?q?Zo=C3=AB?=\r\n");
        assert_eq!(
            text("=?utf-8?q?x?="),
            "Subject: =?utf-8?b?PT91dGYtOD9xP3g/PQ==?=\r\n"
        );
        let long = text(&"x".repeat(1200));
        assert!(long.split("\r\n").all(|line| line.len() <= 76), "{long}");
        assert_eq!(shown(&fields(&long)[0].1), "x".repeat(1200));
    }

    #[test]
    fn names_are_plain_quoted_or_encoded() {
        assert_eq!(
            from("The Weekly Press"),
            "From: The Weekly Press <ann@example.org>\r\n"
        );
        assert_eq!(
            from("Press, \"The\" \\"),
            "From: \"Press, \\\"The\\\" \\\\\" <ann@example.org>\r\n"
        );
        assert_eq!(
            from("Zoë"),
            "From: =?utf-8?q?Zo=C3=AB?= <ann@example.org>\r\n"
        );
        assert_eq!(from(" \u{202e}"), "From: <ann@example.org>\r\n");
    }

    #[test]
    fn an_address_beyond_ascii_stays_as_it_is() {
        let mut headers = Headers::default();
        headers
            .address("To", &Address::parse("zoë@bücher.de").unwrap())
            .unwrap();
        assert_eq!(headers.as_str(), "To: zoë@xn--bcher-kva.de\r\n");
    }

    #[test]
    fn structured_fields_are_folded_between_their_parts_or_refused() {
        let mut headers = Headers::default();
        let long = format!("<https://example.org/{}>", "x".repeat(70));
        headers
            .structured("List-Unsubscribe", &["<mailto:a@example.org>,", &long])
            .unwrap();
        headers.structured("Content-ID", &[&long]).unwrap();
        let expected = format!(
            "List-Unsubscribe: <mailto:a@example.org>,\r\n {long}\r\nContent-ID: {long}\r\n"
        );
        assert_eq!(headers.as_str(), expected);

        let error = headers
            .structured("List-ID", &["x".repeat(998)])
            .unwrap_err();
        assert_eq!(
            error.message(),
            "the header `List-ID` has a part of 998 octets that cannot be broken"
        );
        let error = headers
            .structured("List-Unsubscribe", &["<https://bücher.de>"])
            .unwrap_err();
        assert_eq!(
            error.message(),
            "the header `List-Unsubscribe` cannot hold `<https://bücher.de>`"
        );
        assert!(headers.structured("List-ID", &["a\r\nBcc: b"]).is_err());
        assert_eq!(headers.as_str(), expected);
        headers.structured("X", &["x".repeat(997)]).unwrap();
        assert_eq!(fields(headers.as_str()).len(), 3);
    }

    proptest! {
        #[test]
        fn nothing_adds_a_field(
            subject in any::<String>(),
            name in "([ -~]|[\r\n\0\u{85}\u{2028}\u{202e}]|\\PC|=\\?|Bcc: ){0,80}",
        ) {
            let mut headers = Headers::default();
            headers.text("Subject", &subject).unwrap();
            let address = Address::parse("ann@example.org").unwrap();
            headers.mailbox("From", &Mailbox { name: Some(name.clone()), address }).unwrap();
            headers.phrase("List-ID", &name, "weekly.example.org").unwrap();
            let fields = fields(headers.as_str());
            let names: Vec<_> = fields.iter().map(|field| field.0.as_str()).collect();
            prop_assert_eq!(names, ["Subject", "From", "List-ID"]);
            prop_assert!(headers.as_str().is_ascii());
            for line in headers.as_str().split("\r\n") {
                let most = if line.contains("=?") { 76 } else { 78 };
                prop_assert!(line.len() <= most, "{}", line);
            }
            prop_assert_eq!(shown(&fields[0].1), clean(&subject));
            prop_assert!(fields[1].1.ends_with(" <ann@example.org>"));
        }

        #[test]
        fn a_clean_text_is_one_line(value in any::<String>()) {
            let cleaned = clean(&value);
            let odd = cleaned.chars().find(|c| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}'));
            prop_assert_eq!(odd, None);
            prop_assert!(!cleaned.contains("  "));
            prop_assert_eq!(clean(&cleaned), cleaned);
        }
    }
}
