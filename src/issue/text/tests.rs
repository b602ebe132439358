use proptest::prelude::*;

use super::*;
use crate::issue::markdown;

fn text(source: &str, width: usize) -> String {
    blocks(&markdown::parse(source).blocks, width)
}

#[test]
fn a_letter_reads_well() {
    assert_eq!(
        text(
            "# The Week in Print\n\nDear reader, the *press* has run all **night** and [the news](https://a.example/news) is hot.\n\n\
             ### What ran\n\n- One\n- Two, which is rather longer than the line can be\n  1. Three\n\n\
             > A quotation that goes on for more than one line of text.\n>\n> And on.\n\n\
             > “It prints, and it prints, and it never does stop.”\n>\n> — Ada King\n\n\
             ![A press](a.png \"The press. Photo: Bo Li\")\n\n---\n\n    let a = 1;\n\n\
             See [the news](https://a.example/news), [more](mailto:a@b.example), <https://c.example/> or [here](d.html).",
            40
        ),
        "\
The Week in Print
-----------------

Dear reader, the press has run all night
and the news [1] is hot.

What ran
........

- One
- Two, which is rather longer than the
  line can be
  1. Three

> A quotation that goes on for more than
> one line of text.
>
> And on.

    It prints, and it prints, and it
    never does stop.
    — Ada King

[Picture: The press. Photo: Bo Li]

* * *

    let a = 1;

See the news [1], more [2],
https://c.example/ or here.

[1] https://a.example/news
[2] mailto:a@b.example"
    );
}

#[test]
fn lists_keep_their_markers_in_line() {
    assert_eq!(
        text(
            "9. Nine\n10. Ten is\n    two lines\n\n- [x] Done\n- [ ] To do and to be done\n\n* One\n\n  Two\n* Three",
            16
        ),
        " 9. Nine\n10. Ten is two\n    lines\n\n- [x] Done\n- [ ] To do and\n      to be done\n\n- One\n\n  Two\n\n- Three"
    );
    assert_eq!(text("-\n- a", 16), "-\n- a");
}

#[test]
fn a_table_is_aligned_or_taken_apart() {
    let source = "| Name | Copies |\n|:-----|-------:|\n| The *Press* | 1200 |\n| [Ink](https://a.example) | 7 |";
    assert_eq!(
        text(source, 40),
        "Name       Copies\n---------  ------\nThe Press    1200\nInk [1]         7\n\n[1] https://a.example"
    );
    assert_eq!(
        text(source, 16),
        "Name: The\n  Press\nCopies: 1200\n\nName: Ink [1]\nCopies: 7\n\n[1] https://a.example"
    );
    assert_eq!(
        text("| Ü | 一 |\n|:-:|---|\n| abc | d |", 20),
        " Ü   一\n---  --\nabc  d"
    );
    assert_eq!(text("| | |\n|---|---|\n| a | b |", 20), "a  b");
    assert_eq!(
        text("| Long name | Longer name |\n|---|---|", 12),
        "Long name\nLonger name"
    );
}

#[test]
fn pictures_say_what_they_show() {
    let figure = |alt: &str, caption: &str, credit: Option<&str>| {
        let figure = Figure {
            src: String::new(),
            alt: alt.to_owned(),
            caption: vec![Inline::Text(caption.to_owned())],
            credit: credit.map(str::to_owned),
        };
        blocks(&[Block::Figure(figure)], 72)
    };
    assert_eq!(figure("A", "B.", Some("C")), "[Picture: B. Photo: C]");
    assert_eq!(figure("A", "B", Some("C")), "[Picture: B. Photo: C]");
    assert_eq!(figure("A", "", None), "[Picture: A]");
    assert_eq!(figure("", "", Some("C")), "[Picture: Photo: C]");
    assert_eq!(figure("", "", None), "");
}

#[test]
fn links_are_numbered_once_and_only_where_needed() {
    assert_eq!(
        text(
            "[a](https://x.example) [b](https://y.example) [c](https://x.example)",
            72
        ),
        "a [1] b [2] c [1]\n\n[1] https://x.example\n[2] https://y.example"
    );
    assert_eq!(
        text(
            "https://x.example www.y.example <a@b.example> [z.example](https://z.example/) [](https://w.example)",
            99
        ),
        "https://x.example www.y.example a@b.example z.example [1]\n\n[1] https://w.example"
    );
    // The number stays with the word.
    assert_eq!(
        text("one two [three](https://x.example)", 14),
        "one two\nthree [1]\n\n[1] https://x.example"
    );
    assert_eq!(text("[a](javascript:b)", 72), "a");
}

#[test]
fn a_line_alone_is_its_words() {
    let parsed = markdown::parse("*a*  [b](https://c.example)\\\n~~d~~ ![e](f.png)");
    let Block::Paragraph(line) = &parsed.blocks[0] else {
        panic!("{parsed:?}");
    };
    assert_eq!(inline(line), "a b ~~d~~ e");
    assert_eq!(inline(&[]), "");
}

#[test]
fn columns_are_counted_as_a_terminal_does() {
    // Two columns each, and a break anywhere but before a closing mark.
    assert_eq!(text("一二三四五。六「七」", 8), "一二三四\n五。六\n「七」");
    assert_eq!(text("ab一二", 4), "ab一\n二");
    assert_eq!(text("👩‍👩‍👧 ❤️ aa", 5), "👩‍👩‍👧 ❤️\naa");
    // No-break spaces hold.
    assert_eq!(text("a 10\u{a0}km b", 6), "a\n10\u{a0}km\nb");
    assert_eq!(text("aaa 1\u{a0} bbb", 6), "aaa 1\nbbb");
    assert_eq!(text("Ça « va » bien", 7), "Ça « va\n» bien");
}

#[test]
fn tokens_are_whole_and_eight_columns_wide() {
    let token = "\u{f0000}\u{f0001}";
    assert_eq!(
        text(&format!("a b{token}c d"), 10),
        format!("a\nb{token}c\nd")
    );
    assert_eq!(text(&format!("a {token} d"), 12), format!("a {token} d"));
    assert_eq!(text(&format!("一{token}一"), 4), format!("一{token}一"));
    assert_eq!(
        text(&format!("[a]({token})"), 20),
        format!("a [1]\n\n[1] {token}")
    );
}

#[test]
fn code_stays_as_it_is_while_it_fits() {
    assert_eq!(
        text(
            "```\nif  a {\n\tb\n}\n\n  a long line of code it is\n```",
            20
        ),
        "    if  a {\n        b\n    }\n\n      a long line of\n      code it is"
    );
}

#[test]
fn words_hang_behind_what_comes_before_them() {
    assert_eq!(
        hanging("10. ", "A title that\u{1} is long", 12),
        "10. A title\n    that is\n    long"
    );
    assert_eq!(hanging("", "one two", 5), "one\ntwo");
    assert_eq!(hanging("1. ", "", 5), "");
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(blocks(&[], 72), "");
    assert_eq!(
        blocks(&[Block::Paragraph(Vec::new()), Block::Divider], 0),
        "* * *"
    );
}

proptest! {
    #[test]
    fn every_word_is_there_in_order_and_no_line_too_long(
        source in "([a-zé]{1,9}|[a-z]{1,4} [a-z]{1,9} |[ \n]|\n\n|\n- |\n1\\. |\n> |\n# |\\*|\\*\\*|~~|`|\\[[a-z]{1,4}\\]\\(https://[a-z]{1,3}\\.example\\) |一二三|\u{f0000}|\u{f0001}\u{f0002}){0,60}",
        width in 10..80_usize,
    ) {
        let parsed = markdown::parse(&source).blocks;
        let text = blocks(&parsed, width);
        // Its letters are those of the blocks, one by one; the addresses come after them.
        let letters = |text: &str| -> String {
            let is_letter = |c: &char| c.is_alphabetic() || clean::is_token(*c);
            text.chars().filter(is_letter).collect()
        };
        let words: String = parsed.iter().map(|block| letters(&block.words())).collect();
        prop_assert!(letters(&text).starts_with(&words), "{}", text);
        for line in text.lines() {
            prop_assert_eq!(line.trim_end(), line);
            let words = line.trim_start_matches(['>', ' ', '-', '*', '~', '.']).split(' ').filter(|word| {
                // Markers, also one behind another, and the number of a link are no words of their own.
                !matches!(*word, "" | "-" | ">") && !word.starts_with('[') && !word.trim_end_matches('.').chars().all(|c| c.is_ascii_digit())
            });
            prop_assert!(width_of(line) <= width || words.count() <= 1, "{} > {}: {:?}", width_of(line), width, line);
        }
    }
}
