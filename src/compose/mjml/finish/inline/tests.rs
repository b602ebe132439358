use proptest::prelude::*;

use super::*;
use crate::{compose::mjml::document::Inlined, place::Text};

fn inline(html: &str, rules: &[Rule]) -> String {
    super::inline(html, rules, &Tags::default(), &mut Vec::new()).unwrap()
}

fn rules(css: &str) -> Vec<Rule> {
    let styles = Inlined {
        css: css.to_owned(),
        place: Text::new("a.mjml", "x").line(1),
    };
    stylesheet::read(&styles, &mut Vec::new())
}

/// What comes of a page; each was compared with MJML's own.
#[test]
fn styles_are_inlined_as_mjml_does() {
    for (css, html, expected) in [
        (
            "p { color: red }",
            "<p>a</p><i>",
            "<p style=\"color: red;\">a</p><i>",
        ),
        // The element outweighs all but what is important.
        (
            "p { color: red; margin: 0 } .a { padding: 1px !important }",
            "<p class='a' style='margin-top:2px;color:blue;padding:0'>",
            "<p class='a' style=\"margin: 0; margin-top: 2px; color: blue; padding: 1px;\">",
        ),
        (
            "p { color: red !important }",
            "<p style=\"color:blue !important\">",
            "<p style=\"color: blue;\">",
        ),
        // Weight goes before order.
        (
            ".a { color: red } p { color: blue; margin: 0 } p.a:first-child { top: 1 }",
            "<p class=\"a\">",
            "<p class=\"a\" style=\"margin: 0; color: red; top: 1;\">",
        ),
        // A fallback for old clients stays, but only within one rule.
        (
            "p { color: red; color: rgb(0 0 0) } p { top: 1 } p { top: 2 }",
            "<p>",
            "<p style=\"color: red; color: rgb(0 0 0); top: 2;\">",
        ),
        // Tables and pictures take attributes, too.
        (
            "td { width: 50%; text-align: center; background-color: #fff; vertical-align: top; background-image: url('a.png') } img { width: 5px; height: auto; text-align: left } div { width: 1px }",
            "<table><td width=\"3\"><img><div></div></td></table>",
            "<table><td width=\"50%\" style=\"width: 50%; text-align: center; background-color: #fff; vertical-align: top; background-image: url('a.png');\" align=\"center\" bgcolor=\"#fff\" valign=\"top\" background=\"a.png\"><img style=\"width: 5px; height: auto; text-align: left;\" width=\"5\" height=\"auto\"><div style=\"width: 1px;\"></div></td></table>",
        ),
        (
            "td { background-image: linear-gradient(red, blue) }",
            "<td>",
            "<td style=\"background-image: linear-gradient(red, blue);\">",
        ),
        (
            "p { font-family: \"A B\"; content: \"x\" }",
            "<p>",
            "<p style=\"font-family: 'A B';\">",
        ),
        (
            "head, title, p { color: red }",
            "<head><title>p</title></head>",
            "<head><title>p</title></head>",
        ),
        // Custom properties are resolved.
        (
            "div { --a: red; --b: var(--a) } p { color: var(--b); top: var(--c, calc(1px + 2px)); left: var(--c) }",
            "<div><p></p></div>",
            "<div><p style=\"color: red; top: calc(1px + 2px); left: var(--c);\"></p></div>",
        ),
        // Only Outlook sees this.
        (
            "td { color: red }",
            "<!--[if mso]><td><![endif]--><td>",
            "<!--[if mso]><td><![endif]--><td style=\"color: red;\">",
        ),
    ] {
        assert_eq!(inline(html, &rules(css)), expected, "{css}");
    }
}

#[test]
fn what_waits_for_the_reader_stays_where_it_is() {
    let html = "<table>\u{F0001}<tr><td>\u{F0002}x</td></tr>\u{F0003}<tr><td style=\"top:1;\u{F0001}left:2;\u{F0002}\"></td></tr></table>";
    assert_eq!(
        inline(
            html,
            &rules("td { color: \u{F0004}; top: 3 !important } tr { width: \u{F0005}px }")
        ),
        "<table>\u{F0001}<tr style=\"width: \u{F0005}px;\"><td style=\"color: \u{F0004}; top: 3;\">\u{F0002}x</td></tr>\u{F0003}<tr style=\"width: \u{F0005}px;\"><td style=\"color: \u{F0004}; top:1;\u{F0001}left:2;\u{F0002}; top: 3;\"></td></tr></table>"
    );
}

#[test]
fn what_names_itself_comes_to_an_end() {
    let css = "p { --a: var(--a) var(--a); color: var(--a) }";
    assert!(inline("<p>", &rules(css)).starts_with("<p style=\"color: "));
}

proptest! {
    #[test]
    fn nothing_but_styles_and_attributes_changes(
        html in "(<td class=\"a\">|<p>|</p>|</td>|<table>|<tr>|</tr>|</table>|<b class='b'>|</b>|<!--[a-z<>]{0,3}-->|<img>|[a-z &;<>\u{F0000}-\u{F0003}]){0,40}"
    ) {
        let css = rules(".a { color: red } p, table .b, td + td { top: 1 } *:first-child { left: 2 }");
        let inlined = inline(&html, &css);
        let mut plain = String::new();
        let mut rest = inlined.as_str();
        while let Some((before, after)) = rest.split_once(" style=\"") {
            plain.push_str(before);
            rest = after.split_once('"').unwrap().1;
        }
        plain.push_str(rest);
        prop_assert_eq!(plain, html);
    }
}
