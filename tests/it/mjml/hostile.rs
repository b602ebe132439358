//! Files that are too much: deep, long, and never closed. Each ends in a page or in an error that is
//! the author's to mend, and soon.

use std::time::{Duration, Instant};

use letterpress::error::Kind;

use super::{cases, render};

/// Nothing takes as long as this, whatever the machine.
const TOO_LONG: Duration = Duration::from_secs(20);

const MEGABYTE: usize = 1 << 20;

/// How a file ends: `None` for a page, or what the author is told.
fn told(content: &str) -> Option<String> {
    let start = Instant::now();
    let rendered = render(&cases(), "hostile.mjml", content);
    let took = start.elapsed();
    assert!(took < TOO_LONG, "it takes {took:?}");
    let error = rendered.err()?;
    for error in error.clone().into_all() {
        assert_ne!(error.kind(), Kind::Bug, "{error}");
    }
    Some(error.to_string())
}

fn body(content: &str) -> String {
    format!("<mjml><mj-body>{content}</mj-body></mjml>")
}

fn text(content: &str) -> String {
    body(&format!(
        "<mj-section><mj-column><mj-text>{content}</mj-text></mj-column></mj-section>"
    ))
}

fn nested(name: &str, depth: usize) -> String {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    format!("{}{}", start.repeat(depth), end.repeat(depth))
}

#[test]
fn elements_that_nest_too_deeply_are_refused() {
    let names = [
        "mj-wrapper",
        "mj-section",
        "mj-column",
        "mj-group",
        "mj-hero",
        "mj-social",
        "mj-foo",
        "div",
        "mjml",
        "mj-body",
    ];
    for name in names {
        for depth in [1_000, 100_000] {
            let told = told(&body(&nested(name, depth)));
            let told = told.unwrap_or_else(|| panic!("{depth} of `{name}` make a page"));
            assert!(told.contains("hostile.mjml:1:"), "{told}");
        }
    }
}

#[test]
fn a_head_that_nests_too_deeply_is_refused() {
    for name in [
        "mj-attributes",
        "mj-class",
        "mj-head",
        "mj-html-attributes",
        "mj-selector",
    ] {
        let file = format!(
            "<mjml><mj-head>{}</mj-head><mj-body></mj-body></mjml>",
            nested(name, 100_000)
        );
        let told = told(&file).unwrap_or_else(|| panic!("`{name}` makes a page"));
        assert!(told.contains("hostile.mjml:1:"), "{told}");
    }
}

#[test]
fn elements_that_are_never_closed_are_refused() {
    for name in ["mj-section", "mj-foo", "mj-text"] {
        let told = told(&body(&format!("<{name}>").repeat(100_000)));
        assert!(told.is_some_and(|told| told.contains("hostile.mjml:1:")));
    }
}

/// What stands in a text is none of ours, but for styles that are to be inlined into it.
#[test]
fn html_may_nest_in_a_text() {
    assert_eq!(told(&text(&nested("b", 100_000))), None);
    assert_eq!(told(&text(&"<b>".repeat(100_000))), None);
    let styled = text(&nested("b", 100_000)).replace(
        "<mj-body>",
        "<mj-head><mj-style inline=\"inline\">b { color: red }</mj-style><mj-html-attributes><mj-selector path=\"b\"><mj-html-attribute name=\"a\">b</mj-html-attribute></mj-selector></mj-html-attributes></mj-head><mj-body>",
    );
    told(&styled);
}

#[test]
fn a_comment_for_outlook_may_open_often() {
    told(&text(&"<!--[if mso]>".repeat(100_000)));
    told(&body(&"<!--[if mso]>".repeat(100_000)));
    told(&body(&"<!-- x -->".repeat(100_000)));
    told(&body(&"<mj-raw><!--[if mso]></mj-raw>".repeat(10_000)));
}

#[test]
fn what_is_long_ends_soon() {
    let long = 50 * MEGABYTE;
    let section = "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>";
    let attribute = |number: usize| format!(" a{number}=\"{number}\"");
    let attributes: String = (0..long / 16).map(attribute).collect();
    let files = [
        ("a text", text(&"word ".repeat(long / 5))),
        ("siblings", body(&section.repeat(long / section.len()))),
        ("empty siblings", body(&"<mj-section/>".repeat(long / 13))),
        ("attributes", body(&format!("<mj-section{attributes}/>"))),
        (
            "a value",
            body(&format!(
                "<mj-section padding=\"{}\"/>",
                "1px ".repeat(long / 4)
            )),
        ),
        ("a name", body(&format!("<{}/>", "mj-".repeat(long / 3)))),
        (
            "an open comment",
            format!("<mjml><mj-body><!--{}", "x".repeat(long)),
        ),
        (
            "an open quote",
            format!("<mjml><mj-body><mj-section a=\"{}", "x".repeat(long)),
        ),
        (
            "an open tag",
            format!("<mjml><mj-body><mj-section {}", "x ".repeat(long / 2)),
        ),
        (
            "blanks",
            format!("{}<mjml><mj-body/></mjml>", " ".repeat(long)),
        ),
        ("open brackets", "<".repeat(long)),
        ("ends", "</mj-text>".repeat(long / 10)),
    ];
    for (what, file) in files {
        let told = told(&file);
        assert!(
            told.is_some(),
            "{what} of {} bytes is not refused",
            file.len()
        );
    }
}

/// What is long and allowed becomes a page, and soon.
#[test]
fn what_may_be_long_is_rendered_soon() {
    let texts = [
        "word ", "< ", "@@1@@", "\"'", "&amp;", "é > ", "<br>", "{{ x }} ",
    ];
    for piece in texts {
        assert_eq!(
            told(&text(&piece.repeat(MEGABYTE / piece.len()))),
            None,
            "{piece}"
        );
    }
    let column = "<mj-column><mj-text>x</mj-text></mj-column>";
    let columns = format!("<mj-section>{}</mj-section>", column.repeat(2_000));
    assert_eq!(told(&body(&columns)), None);
    assert_eq!(told(&body(&"<!-- x --><mj-section/>".repeat(10_000))), None);
}

/// What is long and hardly meant ends soon, too, one way or the other.
#[test]
fn what_is_long_and_odd_ends_soon() {
    let odd = [
        body(&format!(
            "<mj-section css-class=\"{}\"/>",
            "a ".repeat(MEGABYTE / 2)
        )),
        body(&format!(
            "<mj-section padding=\"{}\"/>",
            "1px ".repeat(MEGABYTE / 4)
        )),
        body(&"</mj-text>".repeat(MEGABYTE / 10)),
        body(&"<mj-foo a=\"b\"/>".repeat(MEGABYTE / 15)),
        body(&"<mj-section a=\"b\"/>".repeat(MEGABYTE / 20)),
        body(&"x<mj-section/>".repeat(MEGABYTE / 14)),
    ];
    for file in odd {
        told(&file);
    }
}
