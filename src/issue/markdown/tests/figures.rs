//! Figures and pull quotes.

use super::*;

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
