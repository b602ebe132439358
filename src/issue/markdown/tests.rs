mod figures;
mod hostile;

use super::*;
use crate::issue::{Figure, Quote, plain};

fn text(words: &str) -> Inline {
    Inline::Text(words.to_owned())
}

fn line(words: &str) -> Vec<Inline> {
    vec![text(words)]
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(line(words))
}

fn item(blocks: Vec<Block>) -> ListItem {
    ListItem {
        checked: None,
        blocks,
    }
}

fn figure(alt: &str, caption: &str, credit: &str) -> Block {
    Block::Figure(Figure {
        src: "a.png".to_owned(),
        alt: alt.to_owned(),
        caption: if caption.is_empty() {
            Vec::new()
        } else {
            line(caption)
        },
        credit: (!credit.is_empty()).then(|| credit.to_owned()),
    })
}

fn quote(text: Vec<Inline>, attribution: Vec<Inline>) -> Block {
    Block::PullQuote(Quote { text, attribution })
}

fn blocks(markdown: &str) -> Vec<Block> {
    parse(markdown).blocks
}

/// What the ranges of warnings and images stand for.
fn noted(markdown: &str) -> Vec<String> {
    let parsed = parse(markdown);
    let images = parsed
        .images
        .iter()
        .map(|image| format!("{} at {}", image.src, &markdown[image.range.clone()]));
    let warnings = parsed
        .warnings
        .iter()
        .map(|(range, message)| format!("{message} at {}", &markdown[range.clone()]));
    images.chain(warnings).collect()
}

#[test]
fn words_have_their_marks() {
    assert_eq!(
        blocks(
            "One *two **three*** ~~four~~ `five  six` [seven](https://a.example/é) ![eight](b.png)\nnine  \nten\\\n*eleven*"
        ),
        [Block::Paragraph(vec![
            text("One "),
            Inline::Emphasis(vec![text("two "), Inline::Strong(line("three"))]),
            text(" "),
            Inline::Strikethrough(line("four")),
            text(" "),
            Inline::Code("five  six".to_owned()),
            text(" "),
            Inline::Link {
                url: "https://a.example/é".to_owned(),
                content: line("seven"),
            },
            text(" "),
            Inline::Image {
                src: "b.png".to_owned(),
                alt: "eight".to_owned(),
            },
            text(" nine"),
            Inline::Break,
            text("ten"),
            Inline::Break,
            Inline::Emphasis(line("eleven")),
        ])]
    );
}

#[test]
fn typography_is_set() {
    assert_eq!(
        blocks("\"It's\" -- 'so' --- ..."),
        [paragraph("“It’s” – ‘so’ — …")]
    );
    // A soft line end is a blank, but not in a script that has none.
    assert_eq!(blocks("one\ntwo"), [paragraph("one two")]);
    assert_eq!(blocks("一行\n二行"), [paragraph("一行二行")]);
}

#[test]
fn bare_addresses_are_links() {
    let link = |url: &str, said: &str| {
        Block::Paragraph(vec![Inline::Link {
            url: url.to_owned(),
            content: line(said),
        }])
    };
    assert_eq!(
        blocks("https://a.example/b"),
        [link("https://a.example/b", "https://a.example/b")]
    );
    assert_eq!(
        blocks("www.a.example"),
        [link("http://www.a.example", "www.a.example")]
    );
    assert_eq!(
        blocks("<a@b.example>"),
        [link("mailto:a@b.example", "a@b.example")]
    );
}

#[test]
fn headings_begin_at_the_second_level() {
    let levels = |markdown: &str| -> Vec<u8> {
        let blocks = blocks(markdown);
        let levels = blocks.iter().filter_map(|block| match block {
            Block::Heading { level, .. } => Some(*level),
            _ => None,
        });
        levels.collect()
    };
    assert_eq!(levels("# A\n## B\n### C"), [2, 3, 4]);
    assert_eq!(levels("### A\n\n#### B\n\n### C"), [2, 3, 2]);
    assert_eq!(levels("# A\n###### B"), [2, 6]);
    assert_eq!(
        blocks("> ### A"),
        [Block::Quote(vec![Block::Heading {
            level: 2,
            content: line("A")
        }])]
    );
    assert_eq!(
        blocks("#\n\n*A*\n=="),
        [Block::Heading {
            level: 2,
            content: vec![Inline::Emphasis(line("A"))]
        }]
    );
}

#[test]
fn the_title_is_the_first_heading_of_the_first_level() {
    for (markdown, found, rest) in [
        ("# A *b* `c`\nText", Some("A b c"), "Text"),
        ("\n\n# A #\r\n\r\nText", Some("A"), "\r\nText"),
        ("A\n===\nText", Some("A"), "Text"),
        ("A\nb\n===\nText", Some("A b"), "Text"),
        ("# A", Some("A"), ""),
        ("## A\n", None, ""),
        ("Text\n\n# A", None, ""),
        ("#\nText", None, ""),
        ("", None, ""),
    ] {
        let answer = title(markdown);
        assert_eq!(
            answer.as_ref().map(|(title, _)| title.as_str()),
            found,
            "{markdown:?}"
        );
        if let Some((_, start)) = answer {
            assert_eq!(&markdown[start..], rest);
        }
    }
}

#[test]
fn lists_nest_and_number() {
    assert_eq!(
        blocks("- One\n  - Two\n\n    Three\n- Four\n\n7. Five\n8. Six"),
        [
            Block::List {
                start: None,
                items: vec![
                    item(vec![
                        paragraph("One"),
                        Block::List {
                            start: None,
                            items: vec![item(vec![paragraph("Two"), paragraph("Three")])],
                        }
                    ]),
                    item(vec![paragraph("Four")]),
                ],
            },
            Block::List {
                start: Some(7),
                items: vec![item(vec![paragraph("Five")]), item(vec![paragraph("Six")])],
            }
        ]
    );
    assert_eq!(
        blocks("- [x] Done\n- [ ] To do\n- Neither"),
        [Block::List {
            start: None,
            items: vec![
                ListItem {
                    checked: Some(true),
                    blocks: vec![paragraph("Done")]
                },
                ListItem {
                    checked: Some(false),
                    blocks: vec![paragraph("To do")]
                },
                item(vec![paragraph("Neither")]),
            ],
        }]
    );
}

#[test]
fn tables_code_and_dividers() {
    let cell = |align: &'static str, words: &str| Cell {
        align,
        content: if words.is_empty() {
            Vec::new()
        } else {
            line(words)
        },
    };
    assert_eq!(
        blocks("| A | B | C |\n|---|--:|:-:|\n| a | b | |\n| d |"),
        [Block::Table {
            head: vec![cell("left", "A"), cell("right", "B"), cell("center", "C")],
            rows: vec![
                vec![cell("left", "a"), cell("right", "b"), cell("center", "")],
                vec![cell("left", "d"), cell("right", ""), cell("center", "")],
            ],
        }]
    );
    assert_eq!(
        blocks("```rust ignore\nlet \"a\" = 1;\n```\n\n    b  c\n\n***"),
        [
            Block::Code {
                language: Some("rust".to_owned()),
                code: "let \"a\" = 1;\n".to_owned()
            },
            Block::Code {
                language: None,
                code: "b  c\n".to_owned()
            },
            Block::Divider,
        ]
    );
}

#[test]
fn footnotes_are_numbered_and_stand_at_the_end() {
    assert_eq!(
        blocks("One[^b] two[^a].\n\n[^a]: The *first*.\n[^b]: The second.\n[^c]: Nobody asks."),
        [
            paragraph("One¹ two²."),
            Block::Divider,
            Block::List {
                start: Some(1),
                items: vec![
                    item(vec![paragraph("The second.")]),
                    item(vec![Block::Paragraph(vec![
                        text("The "),
                        Inline::Emphasis(line("first")),
                        text(".")
                    ])]),
                ],
            },
        ]
    );
}
