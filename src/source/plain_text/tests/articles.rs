//! Whole articles, and the tops of articles.

use super::*;

#[test]
fn an_article_of_a_newsroom_is_understood() {
    let draft = read(
        "The Mill That Would Not Stop: A Night at the Press\n\
         \n\
         A storm took the power of the whole valley, and yet the paper came out on time. This is how \
         eleven printers and one mule did it.\n\
         \n\
         \n\
         For ninety years the mill had never missed a morning.\n\
         \n\
         The mill in the valley below the old bridge.\n\
         The mill in the valley below the old bridge. Photo| Courtesy\n\
         \n\
         Nobody had asked the mule’s opinion. In 1931 the “old” press was \
         moved here.\n\
         \n\
         The night shift at the hand press. Photo| Courtesy\n\
         \n\
         “We had no light, and so we printed the weather from memory. It was wrong, as \
         usual.”\n\
         \n\
         Ada Kingsley\n\
         \n\
         By noon the line was mended.\n\
         \n\
         \n",
        None,
    );
    assert_eq!(
        draft,
        Draft {
            title: "The Mill That Would Not Stop: A Night at the Press".to_owned(),
            standfirst: Some(
                "A storm took the power of the whole valley, and yet the paper came out on time. This \
                 is how eleven printers and one mule did it."
                    .to_owned()
            ),
            byline: None,
            date: None,
            body: vec![
                paragraph("For ninety years the mill had never missed a morning."),
                figure(
                    "The mill in the valley below the old bridge.",
                    "The mill in the valley below the old bridge.",
                    "Courtesy"
                ),
                paragraph("Nobody had asked the mule’s opinion. In 1931 the “old” press was moved here."),
                figure("", "The night shift at the hand press.", "Courtesy"),
                quote(
                    "We had no light, and so we printed the weather from memory. It was wrong, as usual.",
                    "Ada Kingsley"
                ),
                paragraph("By noon the line was mended."),
            ],
        }
    );
}

#[test]
fn a_local_paper_is_understood_too() {
    let draft = read(
        "\
HARBOR TOWN VOTES TO KEEP ITS CLOCK

By Mara Lindqvist and Tom O’Hara
Nov. 3, 2026

The old clock runs four minutes slow. On Tuesday the council decided it should go on doing so.

When the harbor master rang the bell at noon, it was four minutes past.

“We like it,” said Mayor Jo Wendt. “It gives us time.”

“It has been wrong for longer than any of us has been alive. You do not correct a grandmother.”
— Jo Wendt, mayor

A Matter of Minutes

The clock was built in 1874 by E. Thorne & Sons.
It has stopped twice:
• in 1911, for a funeral
• in 1989, for a gull

The clock tower at dusk, seen from the fish market (Photo by Ana Ruiz/Harbor News)

Children of the town set their watches by it.
[Photo: Harbor Archive]

\"It is our time.\"

Mr. B. K. Thorne Jr.

What Comes Next

More at www.harbor.example/clock or write to clock@harbor.example.

###
",
        None,
    );
    assert_eq!(draft.title, "HARBOR TOWN VOTES TO KEEP ITS CLOCK");
    assert_eq!(
        draft.byline.as_deref(),
        Some("Mara Lindqvist and Tom O’Hara")
    );
    assert_eq!(draft.date, Some(jiff::civil::date(2026, 11, 3)));
    assert_eq!(
        draft.standfirst.as_deref(),
        Some(
            "The old clock runs four minutes slow. On Tuesday the council decided it should go on \
             doing so."
        )
    );
    assert_eq!(
        crate::issue::text::blocks(&draft.body, 72),
        "\
When the harbor master rang the bell at noon, it was four minutes past.

“We like it,” said Mayor Jo Wendt. “It gives us time.”

    It has been wrong for longer than any of us has been alive. You do
    not correct a grandmother.
    — Jo Wendt, mayor

A Matter of Minutes
-------------------

The clock was built in 1874 by E. Thorne & Sons. It has stopped twice:

- in 1911, for a funeral
- in 1989, for a gull

[Picture: The clock tower at dusk, seen from the fish market. Photo: Ana
Ruiz/Harbor News]

[Picture: Children of the town set their watches by it. Photo: Harbor
Archive]

    It is our time.
    — Mr. B. K. Thorne Jr.

What Comes Next
---------------

More at www.harbor.example/clock or write to clock@harbor.example."
    );
}

#[test]
fn line_ends_tabs_and_blanks_do_not_matter() {
    let unix = "Headline\n\nBy Ada King\n\nA brief start.\n\n\nOne two\nthree.\n\nFour.\n";
    let expected = read(unix, None);
    assert_eq!(
        expected.body,
        [paragraph("One two three."), paragraph("Four.")]
    );
    assert_eq!(expected.byline.as_deref(), Some("Ada King"));
    for other in [
        unix.replace('\n', "\r\n"),
        unix.replace('\n', "\r"),
        unix.replace('\n', " \t\u{a0}\n"),
        unix.replace("two\n", "two \u{200b}\n\t"),
        format!("\u{feff}\n \n{unix}\n\n"),
        unix.replace("\n\n\n", "\n\n\n\n\n"),
    ] {
        assert_eq!(read(&other, None), expected, "{other:?}");
    }
}

#[test]
fn the_top_has_many_shapes() {
    let top = |text: &str| {
        let draft = read(text, None);
        let date = draft.date.map(|date| date.to_string()).unwrap_or_default();
        let rest: Vec<String> = draft.body.iter().map(Block::words).collect();
        format!(
            "{} / {} / {} / {date} / {}",
            draft.title,
            draft.standfirst.unwrap_or_default(),
            draft.byline.unwrap_or_default(),
            rest.join(" ")
        )
    };
    for (text, expected) in [
        ("", " /  /  /  / "),
        ("One", "One /  /  /  / "),
        ("One\n\nTwo.", "One /  /  /  / Two."),
        // The first of several paragraphs, when it is brief.
        (
            "One\n\nTwo.\n\nThree.\n\nFour.",
            "One / Two. /  /  / Three. Four.",
        ),
        // Set off by two blank lines, however many paragraphs up to three.
        (
            "One\n\nTwo.\n\nThree.\n\n\nFour.",
            "One / Two. Three. /  /  / Four.",
        ),
        // Two blank lines below the headline alone set nothing off.
        (
            "One\n\n\nTwo.\n\nThree.\n\nFour.",
            "One / Two. /  /  / Three. Four.",
        ),
        // Two blank lines everywhere count as one.
        (
            "One\n\n\nTwo.\n\n\nThree.\n\n\nFour.",
            "One / Two. /  /  / Three. Four.",
        ),
        (
            "One\nBy Ada King\n2 May 2026\n\nTwo.\n\n\nThree.",
            "One / Two. / Ada King / 2026-05-02 / Three.",
        ),
        (
            "One\n\nTwo.\n\nBy Ada King | 2 May 2026\n\nThree.",
            "One / Two. / Ada King / 2026-05-02 / Three.",
        ),
        (
            "One\n\nBy Ada King\n\n\nTwo.\n\nThree.",
            "One /  / Ada King /  / Two. Three.",
        ),
        (
            "HEADLINE: One\n\nStandfirst: Two.\n\n\nThree.",
            "One / Two. /  /  / Three.",
        ),
        // A photograph, a list, a quotation are no standfirst.
        (
            "One\n\nTwo. Photo: Ada\n\nThree.\n\nFour.",
            "One /  /  /  / Two. Three. Four.",
        ),
        (
            "One\n\n- Two\n- Three\n\nFour.\n\nFive.",
            "One /  /  /  / Two Three Four. Five.",
        ),
        (
            "One\n\n“Two.”\n\nAda King\n\nFour.",
            "One /  /  /  / Two. Ada King Four.",
        ),
        // A headline that goes on in the next line.
        (
            "One:\nTwo\n\nThree.\n\n\nFour.",
            "One: Two / Three. /  /  / Four.",
        ),
        // A heading at the top is none either.
        (
            "One\n\nThe Road to Print\n\nTwo.\n\nThree.",
            "One /  /  /  / The Road to Print Two. Three.",
        ),
    ] {
        assert_eq!(top(text), expected, "{text:?}");
    }
    let long = "word ".repeat(60);
    assert!(
        read(&format!("One\n\n{long}.\n\nTwo.\n\nThree."), None)
            .standfirst
            .is_none()
    );
}
