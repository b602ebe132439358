//! The decoder here is written plainly from the standard and shares nothing with the encoder.

use proptest::prelude::*;

use super::{
    super::encode::tests::{hex, normalized},
    *,
};

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut quoted = Quoted::new(&out);
    quoted.text(text, &mut out);
    quoted.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// RFC 2045 6.7: soft breaks go, blanks at ends of lines would be lost, `=XX` is an octet.
pub(in crate::mail) fn decode_quoted_printable(encoded: &str) -> String {
    let mut bytes = Vec::new();
    let mut lines = encoded.split("\r\n").peekable();
    while let Some(line) = lines.next() {
        let lossy = line.trim_end_matches([' ', '\t']);
        let (content, soft) = match lossy.strip_suffix('=') {
            Some(content) => (content, true),
            None => (lossy, false),
        };
        let mut rest = content;
        while let Some(c) = rest.chars().next() {
            if c == '=' {
                bytes.push(hex(&rest[1..3]));
                rest = &rest[3..];
            } else {
                bytes.push(u8::try_from(c).unwrap());
                rest = &rest[1..];
            }
        }
        if !soft && lines.peek().is_some() {
            bytes.extend(b"\r\n");
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn legible_text_stays_legible() {
    assert_eq!(
        encoded("Hi Ann,\n\nit's 5 = 5.\r\nBye\r"),
        "Hi Ann,\r\n\r\nit's 5 =3D 5.\r\nBye\r\n"
    );
    assert_eq!(encoded("Zoë 🙂"), "Zo=C3=AB =F0=9F=99=82");
}

#[test]
fn blanks_at_ends_of_lines_are_kept() {
    assert_eq!(encoded("a \nb\t\r\n \nc "), "a=20\r\nb=09\r\n=20\r\nc=20");
    for length in 70..80 {
        let text = format!("{} \nx", "a".repeat(length));
        assert_eq!(decode_quoted_printable(&encoded(&text)), normalized(&text));
    }
}

#[test]
fn no_line_needs_stuffing() {
    assert_eq!(
        encoded(".\n..a\nFrom me\nFromage"),
        "=2E\r\n=2E.a\r\nFrom=20me\r\nFromage"
    );
    let dots = encoded(&".".repeat(200));
    assert!(
        dots.split("\r\n").all(|line| line.starts_with("=2E")),
        "{dots}"
    );
}

#[test]
fn a_line_has_76_columns_and_whole_characters() {
    let lines = encoded(&"x".repeat(150));
    assert_eq!(lines, format!("{}=\r\n{}", "x".repeat(75), "x".repeat(75)));
    let smile = "=F0=9F=99=82";
    let six = smile.repeat(6);
    assert_eq!(
        encoded(&"🙂".repeat(13)),
        format!("{six}=\r\n{six}=\r\n{smile}")
    );
}

proptest! {
    #[test]
    fn quoted_printable_decodes_to_the_text(text in "([ -~]|[ =.\t\r\n]|From |é|🙂|\\PC){0,300}") {
        let encoded = encoded(&text);
        prop_assert_eq!(decode_quoted_printable(&encoded), normalized(&text));
        prop_assert!(encoded.is_ascii());
        for line in encoded.split("\r\n") {
            prop_assert!(line.len() <= 76, "{}", line.len());
            prop_assert!(!line.starts_with('.') && !line.starts_with("From "), "{}", line);
            prop_assert!(!line.contains(['\r', '\n']) && !line.ends_with([' ', '\t']), "{:?}", line);
            // No line cuts a character in two, and none can be mistaken for a boundary.
            decode_quoted_printable(line.trim_end_matches('='));
            prop_assert!(!line.contains("=_"));
        }
    }
}
