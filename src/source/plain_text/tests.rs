mod articles;

use proptest::prelude::*;

use super::*;
use crate::issue::{Inline, ListItem, plain};

fn line(words: &str) -> Vec<Inline> {
    vec![Inline::Text(words.to_owned())]
}

fn paragraph(words: &str) -> Block {
    Block::Paragraph(line(words))
}

fn heading(words: &str) -> Block {
    Block::Heading {
        level: 2,
        content: line(words),
    }
}

fn figure(alt: &str, caption: &str, credit: &str) -> Block {
    Block::Figure(Figure {
        src: String::new(),
        alt: alt.to_owned(),
        caption: if caption.is_empty() {
            Vec::new()
        } else {
            line(caption)
        },
        credit: Some(credit.to_owned()),
    })
}

fn quote(text: &str, attribution: &str) -> Block {
    Block::PullQuote(Quote {
        text: line(text),
        attribution: line(attribution),
    })
}

fn list(start: Option<usize>, items: &[&str]) -> Block {
    let items = items.iter().map(|item| ListItem {
        checked: None,
        blocks: vec![paragraph(item)],
    });
    Block::List {
        start,
        items: items.collect(),
    }
}

/// The body of an article whose top is of no interest.
fn body(text: &str) -> Vec<Block> {
    let mut blocks = read(
        &format!("Headline\n\nStandfirst.\n\n\nFirst.\n\n{text}"),
        None,
    )
    .body;
    assert_eq!(blocks.remove(0), paragraph("First."));
    blocks
}

#[test]
fn the_headline_may_be_known_already() {
    assert_eq!(read("One\n\nTwo.", Some("One")).body, [paragraph("Two.")]);
    let draft = read("Two.\n\nThree.", Some("One"));
    assert_eq!((draft.title.as_str(), draft.body.len()), ("", 2));
}

#[test]
fn photographs_are_captions_with_a_credit() {
    for (text, expected) in [
        (
            "The press. Photo| Courtesy",
            figure("", "The press.", "Courtesy"),
        ),
        (
            "The press. Photo/ Ada King",
            figure("", "The press.", "Ada King"),
        ),
        (
            "The press. Photograph by Ada King",
            figure("", "The press.", "Ada King"),
        ),
        (
            "The press (Photo: Ada King)",
            figure("", "The press", "Ada King"),
        ),
        (
            "The press,\nwrapped. Photo: Ada King",
            figure("", "The press, wrapped.", "Ada King"),
        ),
        (
            "The press.\nPhoto: Ada King",
            figure("", "The press.", "Ada King"),
        ),
        ("Photo: Ada King", figure("", "", "Ada King")),
        (
            "The press\n\nThe press. Photo: Ada King",
            figure("The press", "The press.", "Ada King"),
        ),
        (
            "The pres at night\nThe press at night. Photo: Ada King",
            figure("The pres at night", "The press at night.", "Ada King"),
        ),
    ] {
        assert_eq!(body(text), [expected], "{text}");
    }
    // What stands above a repeated caption keeps its place.
    assert_eq!(
        body("It began.\nThe press.\nThe press. Photo: Ada King"),
        [
            paragraph("It began."),
            figure("The press.", "The press.", "Ada King")
        ]
    );
    let long = format!(
        "{}\nThe press. Photo: Ada King",
        "A long night. ".repeat(60)
    );
    assert_eq!(
        body(&long),
        [
            paragraph("A long night. ".repeat(60).trim()),
            figure("", "The press.", "Ada King")
        ]
    );
    let no_caption = format!("{} Photo: Ada King", "A long night. ".repeat(60).trim());
    assert_eq!(body(&no_caption), [paragraph(&no_caption)]);
}

#[test]
fn quotations_have_a_speaker_or_stay_paragraphs() {
    for (text, expected) in [
        ("“It prints.”\n\nAda King", quote("It prints.", "Ada King")),
        (
            "\"It prints.\"\n\n— Ada King, head of the press",
            quote("It prints.", "Ada King, head of the press"),
        ),
        (
            "„Es druckt.“\n\nAda König",
            quote("Es druckt.", "Ada König"),
        ),
        (
            "«\u{a0}Ça imprime.\u{a0}»\n\nAda Roi",
            quote("Ça imprime.", "Ada Roi"),
        ),
        ("“It\nprints.”\n– Ada King", quote("It prints.", "Ada King")),
        ("“It prints.”\nAda King", quote("It prints.", "Ada King")),
        ("“It prints.” — Ada King", quote("It prints.", "Ada King")),
        (
            "“It prints.”\n\n-- Ada King",
            quote("It prints.", "Ada King"),
        ),
        ("“It prints.”\n- Ada King", quote("It prints.", "Ada King")),
        (
            "“A well-made press.” - Ada King",
            quote("A well-made press.", "Ada King"),
        ),
        (
            "“It prints.\n\n“It does not stop.”\n\nAda King",
            Block::PullQuote(Quote {
                text: vec![
                    Inline::Text("It prints.".to_owned()),
                    Inline::Break,
                    Inline::Text("It does not stop.".to_owned()),
                ],
                attribution: line("Ada King"),
            }),
        ),
    ] {
        assert_eq!(body(text), [expected], "{text}");
    }
    for text in [
        "“It prints.”\n\nSo she said.",
        "“It,” she said, “prints.”\n\nAda wept.",
        "“It prints.\n\n“It stops.\n\nAda King",
    ] {
        let lines: Vec<Block> = text.split("\n\n").map(paragraph).collect();
        assert_eq!(body(text), lines, "{text}");
    }
    assert_eq!(body("“It prints.”"), [paragraph("“It prints.”")]);
    assert_eq!(
        body("“It prints.”\n\nWhat Comes Next\n\nMore."),
        [
            paragraph("“It prints.”"),
            heading("What Comes Next"),
            paragraph("More.")
        ]
    );
}

#[test]
fn headings_are_brief_and_lead_to_something() {
    assert_eq!(
        body("The Road to Print\n\nIt was long.\n\nWHAT NOW?\n\nMore."),
        [
            heading("The Road to Print"),
            paragraph("It was long."),
            heading("WHAT NOW?"),
            paragraph("More.")
        ]
    );
    for text in [
        "The Road to Print",
        "It was long\n\nMore.",
        "The End.\n\nMore.",
        "The Road to Print Was Long and It Went On and On, as Roads Do Go\n\nMore.",
    ] {
        let lines: Vec<Block> = text.split("\n\n").map(paragraph).collect();
        assert_eq!(body(text), lines, "{text}");
    }
}

#[test]
fn bullets_and_numbers_are_lists() {
    for (text, expected) in [
        (
            "- One\n- Two\n  goes on",
            vec![list(None, &["One", "Two goes on"])],
        ),
        ("* One\n\n* Two", vec![list(None, &["One", "Two"])]),
        ("• One\n•\tTwo", vec![list(None, &["One", "Two"])]),
        (
            "We need:\n- ink\n- paper",
            vec![paragraph("We need:"), list(None, &["ink", "paper"])],
        ),
        ("1. One\n2. Two", vec![list(Some(1), &["One", "Two"])]),
        (
            "3) One\n4) Two\n\n5) Three",
            vec![list(Some(3), &["One", "Two", "Three"])],
        ),
        (
            "We were\n12. Then one left",
            vec![paragraph("We were 12. Then one left")],
        ),
        (
            "1066. It was the year",
            vec![paragraph("1066. It was the year")],
        ),
        ("-One\n*Two", vec![paragraph("-One *Two")]),
    ] {
        assert_eq!(body(text), expected, "{text}");
    }
}

#[test]
fn rules_are_dividers_and_the_end_is_nothing() {
    assert_eq!(body("* * *\n\nMore."), [Block::Divider, paragraph("More.")]);
    assert_eq!(body("More.\n\n###"), [paragraph("More.")]);
    assert_eq!(body("More.\n\n-30-"), [paragraph("More.")]);
}

#[test]
fn long_lines_without_blank_lines_between_are_paragraphs() {
    let long = "A long night it was. ".repeat(8).trim().to_owned();
    assert_eq!(
        body(&format!("{long}\n{long}")),
        [paragraph(&long), paragraph(&long)]
    );
}

#[test]
fn addresses_in_the_text_are_links() {
    assert_eq!(
        body("Read https://a.example/b."),
        [Block::Paragraph(vec![
            Inline::Text("Read ".to_owned()),
            Inline::Link {
                url: "https://a.example/b".to_owned(),
                content: line("https://a.example/b"),
            },
            Inline::Text(".".to_owned()),
        ])]
    );
}

proptest! {
    #[test]
    fn no_word_is_lost(text in "(Ada King|[a-z]{1,8}|[A-Z][a-z]{2,6}|\\.|,| |\n|\n\n|\n\n\n|“|”|— |- |\\* |1\\. |2\\. |# ){0,40}") {
        let draft = read(&text, None);
        let mut said = vec![draft.title.clone(), draft.standfirst.clone().unwrap_or_default()];
        said.push(draft.byline.map(|byline| format!("By {byline}")).unwrap_or_default());
        for block in &draft.body {
            said.push(block.words());
        }
        let words = |text: &str| -> Vec<String> {
            let mut words: Vec<String> = text
                .split(|c: char| !c.is_alphabetic())
                .filter(|word| !word.is_empty())
                .map(str::to_lowercase)
                .collect();
            words.sort();
            words
        };
        let all = words(&text);
        // Numbers of lists are kept as such, and so no words.
        prop_assert_eq!(words(&said.join(" ")), all);
    }

    #[test]
    fn nothing_makes_it_panic(text in "([ -~]|\\PC|\n|\r|\t|Photo: |https://|www\\.|“|”|© ){0,60}") {
        let draft = read(&text, None);
        prop_assert!(draft.body.iter().all(|block| !matches!(block, Block::Paragraph(content) if plain(content).is_empty())));
    }
}
