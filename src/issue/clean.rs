//! What may not stand in data: control characters, and the private-use characters of planes 15 and
//! 16, which the composer uses as tokens.
//!
//! An article is data. If it could hold a token, it could ask for a field of a reader; if it could
//! hold a control character, it could end a template tag. So both are taken out of every article,
//! after its Markdown was read: `&#xF0000;` is a token, too.

use super::{Article, Block, Cell, Figure, Inline};

/// Whether a character is a token: one that stands for a template tag until a mail is merged.
#[must_use]
pub fn is_token(character: char) -> bool {
    ('\u{f0000}'..='\u{10ffff}').contains(&character)
}

/// Whether a character may stand in XML 1.0 and in a mail: no control but tab and line feed.
#[must_use]
pub fn is_printable(character: char) -> bool {
    match character {
        '\n' | '\t' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => !character.is_control(),
    }
}

/// A text of an article without tokens and control characters; line ends become line feeds.
#[must_use]
pub fn text(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|character| is_printable(*character) && !is_token(*character))
        .collect()
}

/// An address of an article without tokens, percent-encoded ones included, and without controls.
#[must_use]
pub fn url(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for character in text(address).chars() {
        out.push(character);
        // Looking back takes out what comes together only when something between has gone, too.
        let start = out.len().saturating_sub(ENCODED_LENGTH);
        if character.is_ascii_hexdigit() && out.get(start..).is_some_and(is_encoded_token) {
            out.truncate(start);
        }
    }
    out
}

/// The length of a percent-encoded character of four bytes.
const ENCODED_LENGTH: usize = 12;

fn is_encoded_token(encoded: &str) -> bool {
    let decode = |triple: &[u8]| match triple {
        [b'%', digits @ ..] => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = encoded.as_bytes().chunks(3).map(decode).collect();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|decoded| encoded.len() == ENCODED_LENGTH && decoded.chars().all(is_token))
}

/// Cleans all that an article says.
pub fn article(article: &mut Article) {
    clean(&mut article.title);
    for part in [&mut article.standfirst, &mut article.byline] {
        part.iter_mut().for_each(clean);
    }
    if let Some(address) = &mut article.url {
        *address = url(address);
    }
    article.image.iter_mut().for_each(figure);
    article.topics.iter_mut().for_each(clean);
    blocks(&mut article.body);
}

fn clean(part: &mut String) {
    if !part
        .chars()
        .all(|character| is_printable(character) && !is_token(character))
    {
        *part = text(part);
    }
}

fn blocks(blocks: &mut [Block]) {
    for block in blocks {
        match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => line(content),
            Block::List { items, .. } => {
                for item in items {
                    self::blocks(&mut item.blocks);
                }
            }
            Block::Quote(inner) => self::blocks(inner),
            Block::PullQuote(quote) => {
                line(&mut quote.text);
                line(&mut quote.attribution);
            }
            Block::Figure(inner) => figure(inner),
            Block::Code { language, code } => {
                language.iter_mut().for_each(clean);
                clean(code);
            }
            Block::Table { head, rows } => {
                let cells = head.iter_mut().chain(rows.iter_mut().flatten());
                cells.for_each(|cell: &mut Cell| line(&mut cell.content));
            }
            Block::Divider => {}
        }
    }
}

fn figure(figure: &mut Figure) {
    figure.src = url(&figure.src);
    clean(&mut figure.alt);
    line(&mut figure.caption);
    figure.credit.iter_mut().for_each(clean);
}

fn line(content: &mut [Inline]) {
    for inline in content {
        match inline {
            Inline::Text(words) | Inline::Code(words) => clean(words),
            Inline::Emphasis(inner) | Inline::Strong(inner) | Inline::Strikethrough(inner) => {
                line(inner);
            }
            Inline::Link {
                url: address,
                content: inner,
            } => {
                *address = url(address);
                line(inner);
            }
            Inline::Image { src, alt } => {
                *src = url(src);
                clean(alt);
            }
            Inline::Break => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_and_controls_are_taken_out_of_text() {
        assert_eq!(
            text("a\u{f0000}b\u{1}c\td\u{10fffd}\r\ne\u{0}\rf"),
            "abc\td\ne\nf"
        );
        assert_eq!(text("家族 👩‍👩‍👧 ❤️ é"), "家族 👩‍👩‍👧 ❤️ é");
    }

    #[test]
    fn tokens_are_taken_out_of_addresses_however_they_are_written() {
        assert_eq!(
            url("https://a.example/\u{f0001}?b=%20%f3%b0%80%81c"),
            "https://a.example/?b=%20c"
        );
        assert_eq!(url("%F3%B0%F3%B0%80%81%80%81"), "");
        assert_eq!(url("%F4%80%80%80%zz%F3%B0%8"), "%zz%F3%B0%8");
        assert_eq!(url("100%"), "100%");
        assert_eq!(url("%é%"), "%é%");
    }

    #[test]
    fn every_corner_of_an_article_is_cleaned() {
        let dirty = "a\u{f0000}";
        let words = || vec![Inline::Strong(vec![Inline::Text(dirty.to_owned())])];
        let picture = || Figure {
            src: dirty.to_owned(),
            alt: dirty.to_owned(),
            caption: words(),
            credit: Some(dirty.to_owned()),
        };
        let mut dressed = Article {
            title: dirty.to_owned(),
            standfirst: Some(dirty.to_owned()),
            byline: Some(dirty.to_owned()),
            url: Some(dirty.to_owned()),
            image: Some(picture()),
            topics: vec![dirty.to_owned()],
            body: vec![
                Block::Paragraph(vec![
                    Inline::Code(dirty.to_owned()),
                    Inline::Link {
                        url: dirty.to_owned(),
                        content: words(),
                    },
                    Inline::Image {
                        src: dirty.to_owned(),
                        alt: dirty.to_owned(),
                    },
                ]),
                Block::List {
                    start: None,
                    items: vec![super::super::ListItem {
                        checked: None,
                        blocks: vec![Block::Quote(vec![Block::Heading {
                            level: 2,
                            content: words(),
                        }])],
                    }],
                },
                Block::PullQuote(super::super::Quote {
                    text: words(),
                    attribution: words(),
                }),
                Block::Figure(picture()),
                Block::Code {
                    language: Some(dirty.to_owned()),
                    code: dirty.to_owned(),
                },
                Block::Table {
                    head: vec![Cell {
                        align: "left",
                        content: words(),
                    }],
                    rows: vec![vec![Cell {
                        align: "left",
                        content: words(),
                    }]],
                },
            ],
            ..Article::default()
        };
        article(&mut dressed);
        assert!(!format!("{dressed:?}").contains("f0000"), "{dressed:?}");
        assert!(format!("{dressed:?}").contains("\"a\""));
    }

    proptest! {
        #[test]
        fn no_address_keeps_a_token(address in "(%F3|%B0|%80|%f4|%8f|[\u{f0000}-\u{f0002}]|[%a-f0-9]){0,12}") {
            let cleaned = url(&address);
            let decoded: Vec<u8> = {
                let bytes = cleaned.as_bytes();
                let mut out = Vec::new();
                let mut at = 0;
                while at < bytes.len() {
                    let pair = cleaned.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
                    match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                        Some(byte) => { out.push(byte); at += 3; }
                        None => { out.push(bytes[at]); at += 1; }
                    }
                }
                out
            };
            prop_assert!(!String::from_utf8_lossy(&decoded).chars().any(is_token), "{}", cleaned);
        }
    }
}
