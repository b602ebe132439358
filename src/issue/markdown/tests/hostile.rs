//! What Markdown can hold besides words: HTML, addresses, tokens, and nests without an end.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

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
