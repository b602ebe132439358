use std::time::{Duration, Instant};

use proptest::prelude::*;

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
fn a_picture_alone_in_its_line_is_a_figure() {
    for (markdown, expected) in [
        ("![A press](a.png)", figure("A press", "", "")),
        (
            "![A press](a.png \"The press. Photo: Ada King\")",
            figure("A press", "The press.", "Ada King"),
        ),
        (
            "![A press](a.png)\nThe press\nat night.\nPhoto: Ada King",
            figure("A press", "The press at night.", "Ada King"),
        ),
        (
            "![A press](a.png)  \n*The press. Photo | Ada King*",
            figure("A press", "The press.", "Ada King"),
        ),
        (
            "![A press](a.png) *The press.*",
            figure("A press", "The press.", ""),
        ),
        (
            "![A press](a.png \"Photo: Ada King\")",
            figure("A press", "", "Ada King"),
        ),
        (
            "![A press](a.png \"The press.\")\nPhotograph by Ada King",
            figure("A press", "The press.", "Ada King"),
        ),
        ("![](a.png)", figure("", "", "")),
        ("![A *b* `c`][d]\n\n[d]: a.png", figure("A b c", "", "")),
    ] {
        assert_eq!(blocks(markdown), [expected], "{markdown}");
    }
    assert_eq!(
        blocks("![A](a.png)\nOne.\n![B](a.png)\n![C](a.png)\nThree."),
        [
            figure("A", "One.", ""),
            figure("B", "", ""),
            figure("C", "Three.", "")
        ]
    );
    // A caption keeps its dress; the credit is cut off wherever it begins.
    assert_eq!(
        blocks("![A](a.png)\nThe **old** press. *Photo: [Ada](https://a.example)*"),
        [Block::Figure(Figure {
            src: "a.png".to_owned(),
            alt: "A".to_owned(),
            caption: vec![text("The "), Inline::Strong(line("old")), text(" press.")],
            credit: Some("Ada".to_owned()),
        })]
    );
    for words in [
        "![A](a.png) is a press",
        "A press: ![A](a.png)",
        "![A](a.png)\nsee ![B](b.png)",
    ] {
        assert!(
            matches!(blocks(words).as_slice(), [Block::Paragraph(_)]),
            "{words}"
        );
    }
}

#[test]
fn a_quotation_with_a_speaker_is_a_pull_quote() {
    let ada = || line("Ada King");
    for (markdown, expected) in [
        (
            "> It prints.\n>\n> — Ada King",
            quote(line("It prints."), ada()),
        ),
        (
            "> It prints.\n> – Ada King",
            quote(line("It prints."), ada()),
        ),
        (
            "> “It prints.”\n> -- Ada King",
            quote(line("It prints."), ada()),
        ),
        (
            "> \"It\n> prints.\"\n>\n> --- Ada King",
            quote(line("It prints."), ada()),
        ),
        (
            "> It prints.\\\n> ― Ada King",
            quote(line("It prints."), ada()),
        ),
        (
            "> One.\n>\n> Two.\n>\n> — Ada King",
            quote(vec![text("One."), Inline::Break, text("Two.")], ada()),
        ),
        (
            "> *“It prints.”*\n>\n> — Ada King",
            quote(vec![Inline::Emphasis(line("It prints."))], ada()),
        ),
        (
            "> It prints.\n>\n> — **Ada**, *printer*",
            quote(
                line("It prints."),
                vec![
                    Inline::Strong(line("Ada")),
                    text(", "),
                    Inline::Emphasis(line("printer")),
                ],
            ),
        ),
        (
            "> It prints.\n>\n> *— Ada King*",
            quote(line("It prints."), vec![Inline::Emphasis(ada())]),
        ),
    ] {
        assert_eq!(blocks(markdown), [expected], "{markdown}");
    }
    for markdown in [
        "> It prints.",
        "> — Ada King",
        "> It prints — mostly.",
        "> It prints.\n>\n> - Ada King",
        "> # It prints\n>\n> — Ada King",
        "> ![A](a.png)\n>\n> — Ada King",
    ] {
        assert!(
            matches!(blocks(markdown).as_slice(), [Block::Quote(_)]),
            "{markdown}"
        );
    }
    // A line that warns does so once, though it is read twice.
    assert_eq!(noted("> [a](b)").len(), 1);
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

#[test]
fn raw_html_leaves_its_words() {
    assert_eq!(
        blocks("One<br>two<br />three <!-- no --> <span class=\"x\">four</span>"),
        [Block::Paragraph(vec![
            text("One"),
            Inline::Break,
            text("two"),
            Inline::Break,
            text("three  four"),
        ])]
    );
    assert_eq!(
        blocks("<div align=\"center\">\n  <p>**One** &amp; two<br>three</p>\n</div>\n\nFour"),
        [
            Block::Paragraph(vec![
                Inline::Strong(line("One")),
                text(" & two"),
                Inline::Break,
                text("three")
            ]),
            paragraph("Four"),
        ]
    );
    assert_eq!(blocks("<!-- One -->\n\nTwo"), [paragraph("Two")]);
    assert_eq!(
        blocks("<script>\nalert(1)\n</script>\n<style>a{}</style>"),
        []
    );
    assert_eq!(
        blocks("<div><<b>script>alert(1)</div>"),
        [paragraph("<script>alert(1)")]
    );
    assert_eq!(blocks("<div a=\"\nOne"), [paragraph("One")]);
    assert_eq!(
        noted("a <span>b</span>\n\n<div><p>c</p>\n<p>d</p></div>\n\n<!-- e -->"),
        [
            "raw HTML is not carried: `<span>` is left out, its words stay at <span>",
            "raw HTML is not carried: `<div>`, `<p>` are left out, the words stay at <div><p>c</p>\n<p>d</p></div>",
        ]
    );
}

#[test]
fn links_that_a_mail_cannot_follow_are_told() {
    let told = |url: &str| {
        format!(
            "the link to `{url}` is left out, its words stay: a mail can link to http, https, mailto and tel only"
        )
    };
    assert_eq!(
        noted("[a](b.html) [c](javascript:d) [e](#f)"),
        [
            told("b.html") + " at [a](b.html)",
            told("javascript:d") + " at [c](javascript:d)",
            told("#f") + " at [e](#f)",
        ]
    );
    assert_eq!(
        noted("[a](HTTPS://b.example) [c](tel:+1) [d](mailto:e@f.example) [\u{f0000}](\u{f0001})"),
        [""; 0]
    );
}

#[test]
fn pictures_are_named_with_their_places() {
    assert_eq!(
        noted(
            "é ![a.png](a.png)\r\n\r\n> - ![é](<b c.png>)\n\n![r][s]\n\n[s]: d.png\n\n[![t](e.png)](https://f.example)"
        ),
        [
            "a.png at a.png",
            "b c.png at b c.png",
            "d.png at ![r][s]",
            "e.png at e.png"
        ]
    );
}

#[test]
fn tokens_pass_unchanged() {
    let token = "\u{f0000}\u{10fffd}";
    assert_eq!(
        blocks(&format!(
            "# {token}\n\n*{token}*, \"{token}\" `{token}` [{token}](https://a.example/{token}) <https://{token}/>\n\n![{token}]({token}.png)"
        )),
        [
            Block::Heading {
                level: 2,
                content: line(token)
            },
            Block::Paragraph(vec![
                Inline::Emphasis(line(token)),
                text(&format!(", “{token}” ")),
                Inline::Code(token.to_owned()),
                text(" "),
                Inline::Link {
                    url: format!("https://a.example/{token}"),
                    content: line(token)
                },
                text(" "),
                Inline::Link {
                    url: format!("https://{token}/"),
                    content: line(&format!("https://{token}/"))
                },
            ]),
            Block::Figure(Figure {
                src: format!("{token}.png"),
                alt: token.to_owned(),
                ..Figure::default()
            }),
        ]
    );
}

#[test]
fn what_is_too_deep_is_flattened_and_nothing_takes_long() {
    let started = Instant::now();
    for markdown in [
        format!("{}end", "> ".repeat(10_000)),
        format!("{}end", "- ".repeat(10_000)),
        format!("{}end", "*a **b ".repeat(10_000)),
        format!("{}end{}", "![".repeat(10_000), "](a.png)".repeat(10_000)),
        format!("{}end", "[".repeat(10_000)),
        format!("{}end", "<a \"\n".repeat(10_000)),
        format!("<div>\n{}end", "<a \"\n".repeat(10_000)),
        format!("{}end", "| a ".repeat(10_000)),
        format!("end {}", "[^a] ".repeat(10_000)),
        format!("{}end", "1. a\n   ".repeat(2_000)),
        format!("{}end", "<b>".repeat(10_000)),
        format!("![a](b.png)\n{}end", "Photo: ".repeat(10_000)),
    ] {
        let parsed = parse(&markdown);
        assert!(
            format!("{:?}", parsed.blocks).contains("end"),
            "{}",
            &markdown[..20]
        );
    }
    // Seconds, where the square of the length would be minutes.
    assert!(started.elapsed() < Duration::from_secs(20));
}

proptest! {
    #[test]
    fn any_text_is_blocks(markdown in "([a-zé一]{1,4}|[ \t]|\n|\r\n|\r|[-*_`#>|!\\[\\]()<>\"'&;:.~^\\\\+=0-9/]|https://|!\\[|\\]\\(|<!--|-->|<br>|</|— |\u{f0000}|\\PC){0,60}") {
        let parsed = parse(&markdown);
        for range in parsed.warnings.iter().map(|(range, _)| range).chain(parsed.images.iter().map(|image| &image.range)) {
            prop_assert!(markdown.get(range.clone()).is_some(), "{:?}", range);
        }
        if let Some((_, start)) = title(&markdown) {
            prop_assert!(markdown.get(start..).is_some());
        }
        // No soft line end is left in a text, and no paragraph is empty.
        for block in &parsed.blocks {
            if let Block::Paragraph(content) = block {
                prop_assert!(!content.is_empty() && !plain(content).contains('\n'));
            }
        }
    }

    #[test]
    fn plain_words_come_through(words in prop::collection::vec("[a-z]{1,8}", 1..20)) {
        let markdown = words.join(" ");
        prop_assert_eq!(blocks(&markdown), [paragraph(&markdown)]);
    }
}
