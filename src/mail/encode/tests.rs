//! The decoders here are written plainly from the standards and share nothing with the encoders.

use proptest::prelude::*;

use super::*;

pub(in crate::mail) fn hex(digits: &str) -> u8 {
    assert!(!digits.chars().any(|c| c.is_ascii_lowercase()), "{digits}");
    u8::from_str_radix(digits, 16).unwrap()
}

pub(in crate::mail) fn decode_base64(encoded: &str) -> Vec<u8> {
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

pub(in crate::mail) fn normalized(text: &str) -> String {
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
fn text_that_is_hardly_ascii_is_base64() {
    let of = |text: &str| Encoding::of_text(text.len(), further_octets(text));
    assert_eq!(of("Grüße aus Köln"), Encoding::QuotedPrintable);
    assert_eq!(of("新聞です"), Encoding::Base64);
    assert_eq!(of("Новости"), Encoding::Base64);
    assert_eq!(of(""), Encoding::QuotedPrintable);
    let mut out = Vec::new();
    base64(with_crlf("新\n").as_bytes(), &mut out);
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
