//! The decoders here are written plainly from the standards and share nothing with the encoders.

use proptest::prelude::*;

use super::*;

fn encoded(text: &str) -> String {
    let mut out = Vec::new();
    quoted_printable(text, &mut out);
    String::from_utf8(out).unwrap()
}

fn hex(digits: &str) -> u8 {
    assert!(!digits.chars().any(|c| c.is_ascii_lowercase()), "{digits}");
    u8::from_str_radix(digits, 16).unwrap()
}

/// RFC 2045 6.7: soft breaks go, blanks at ends of lines would be lost, `=XX` is an octet.
fn decode_quoted_printable(encoded: &str) -> String {
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

fn decode_base64(encoded: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for c in encoded.chars().filter(|c| !"=\r\n".contains(*c)) {
        bits = bits << 6 | u32::try_from(alphabet.find(c).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    bytes
}

fn normalized(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            other => out.push(other),
        }
    }
    out
}

pub(in crate::mail) fn decode_word(word: &str) -> String {
    let parts: Vec<&str> = word.split('?').collect();
    let ["=", "utf-8", form, payload, "="] = parts[..] else {
        panic!("no encoded-word: {word}");
    };
    let bytes = match form {
        "b" => decode_base64(payload),
        "q" => {
            let mut bytes = Vec::new();
            let mut rest = payload;
            while let Some(c) = rest.chars().next() {
                let length = match c {
                    '=' => 3,
                    _ => 1,
                };
                bytes.push(match c {
                    '=' => hex(&rest[1..3]),
                    '_' => b' ',
                    other => u8::try_from(other).unwrap(),
                });
                rest = &rest[length..];
            }
            bytes
        }
        other => panic!("no form: {other}"),
    };
    String::from_utf8(bytes).expect("whole characters in each word")
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
        "=2E\r\n=2E.a\r\n=46rom me\r\nFromage"
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

#[test]
fn text_that_is_hardly_ascii_is_base64() {
    assert_eq!(
        Encoding::of_text("Grüße aus Köln"),
        Encoding::QuotedPrintable
    );
    assert_eq!(Encoding::of_text("新聞です"), Encoding::Base64);
    assert_eq!(Encoding::of_text("Новости"), Encoding::Base64);
    assert_eq!(Encoding::of_text(""), Encoding::QuotedPrintable);
    let mut out = Vec::new();
    Encoding::Base64.text("新\n", &mut out);
    assert_eq!(out, b"5pawDQo=");
}

#[test]
fn words_are_short_and_in_the_shorter_form() {
    assert_eq!(encoded_words("Zoë", 60), ["=?utf-8?q?Zo=C3=AB?="]);
    assert_eq!(encoded_words("新聞", 60), ["=?utf-8?b?5paw6IGe?="]);
    assert_eq!(
        encoded_words("=?utf-8?q?x?=", 60),
        ["=?utf-8?b?PT91dGYtOD9xP3g/PQ==?="]
    );
    let words = encoded_words(&"新".repeat(40), 67);
    assert_eq!(
        words.iter().map(String::len).collect::<Vec<_>>(),
        [64, 72, 60]
    );
}

#[test]
fn file_names_follow_rfc_2231() {
    assert_eq!(parameters("filename", "a b.png"), ["filename=\"a b.png\""]);
    assert_eq!(
        parameters("filename", "ü.png"),
        ["filename*=utf-8''%C3%BC.png"]
    );
    assert_eq!(parameters("filename", "a\"b"), ["filename*=utf-8''a%22b"]);
    let long = parameters("filename", &"ü".repeat(15));
    assert_eq!(
        long,
        [
            format!("filename*0*=utf-8''{}", "%C3%BC".repeat(8)),
            format!("filename*1*={}", "%C3%BC".repeat(7)),
        ]
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

    #[test]
    fn base64_decodes_to_the_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut out = Vec::new();
        base64(&bytes, &mut out);
        let encoded = String::from_utf8(out).unwrap();
        prop_assert_eq!(decode_base64(&encoded), bytes);
        prop_assert!(encoded.split("\r\n").all(|line| line.len() <= 76));
    }

    #[test]
    fn line_ends_are_normalized(text in "[a\r\n]{0,12}") {
        prop_assert_eq!(with_crlf(&text), normalized(&text));
    }

    #[test]
    fn words_decode_to_the_text(text in any::<String>(), first in 0_usize..80) {
        let words = encoded_words(&text, first);
        prop_assert_eq!(words.iter().map(|word| decode_word(word)).collect::<String>(), text);
        for word in &words {
            prop_assert!(word.is_ascii() && word.len() <= 75 && !word.contains(' '), "{}", word);
        }
        if first >= 24 {
            prop_assert!(words[0].len() <= first);
        }
    }

    #[test]
    fn parameters_decode_to_the_value(value in "[^\\x00-\\x1f\\x7f]{0,120}") {
        let pieces = parameters("filename", &value);
        prop_assert!(pieces.iter().all(|piece| piece.is_ascii() && piece.len() <= 76));
        let mut decoded = Vec::new();
        for piece in &pieces {
            let (name, content) = piece.split_once('=').unwrap();
            if let Some(quoted) = content.strip_prefix('"') {
                decoded.extend(quoted.strip_suffix('"').unwrap().bytes());
                continue;
            }
            prop_assert!(name.ends_with('*'));
            let mut rest = content.strip_prefix("utf-8''").unwrap_or(content);
            while !rest.is_empty() {
                let percent = rest.starts_with('%');
                decoded.push(if percent { hex(&rest[1..3]) } else { rest.as_bytes()[0] });
                rest = &rest[if percent { 3 } else { 1 }..];
            }
        }
        prop_assert_eq!(String::from_utf8(decoded).unwrap(), value);
    }
}
