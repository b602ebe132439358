use proptest::prelude::*;

use super::*;
use crate::issue::{Quote, markdown};

fn text(words: &str) -> Inline {
    Inline::Text(words.to_owned())
}

/// The tags of a piece of HTML, checked to be closed in order, with every value in double quotes.
fn well_formed(html: &str) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let from = &rest[at + 1..];
        let end = from.find('>').ok_or("a tag is not closed")?;
        let (tag, after) = from.split_at(end);
        rest = &after[1..];
        let name: String = tag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .collect();
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop().as_deref() != Some(name) {
                return Err(format!("`{name}` is closed and not open"));
            }
            continue;
        }
        if name.is_empty() || tag.matches('"').count() % 2 != 0 || tag.contains('<') {
            return Err(format!("`{tag}` is no tag"));
        }
        if !tag.ends_with(" /") && tag != "br" {
            open.push(name);
        }
    }
    let in_text: String = html.chars().filter(|c| !is_printable_ascii(*c)).collect();
    match open.pop() {
        None if in_text.chars().all(clean::is_printable) => Ok(()),
        None => Err("a control character".to_owned()),
        Some(name) => Err(format!("`{name}` is not closed")),
    }
}

fn is_printable_ascii(character: char) -> bool {
    matches!(character, ' '..='~')
}

#[test]
fn words_have_their_elements() {
    assert_eq!(
        inline(&[
            text("a < b & \"c\" 'd'\u{1} "),
            Inline::Emphasis(vec![text("e"), Inline::Strong(vec![text("f")])]),
            Inline::Strikethrough(vec![text("g")]),
            Inline::Break,
            Inline::Link {
                url: "https://a.example/?b=1&c=\"2\"".to_owned(),
                content: vec![text("h")],
            },
        ]),
        "a &lt; b &amp; &quot;c&quot; &#39;d&#39; <em>e<strong>f</strong></em><s>g</s><br />\
         <a href=\"https://a.example/?b=1&amp;c=&quot;2&quot;\" style=\"color:inherit;text-decoration:underline\">h</a>"
    );
    assert_eq!(
        inline(&[
            Inline::Code("<b>".to_owned()),
            Inline::Image {
                src: "a b.png".to_owned(),
                alt: "\"c\"".to_owned(),
            }
        ]),
        "<code style=\"font-family:Menlo,Consolas,'Courier New',monospace;font-size:0.9em\">&lt;b&gt;</code>\
         <img src=\"a b.png\" alt=\"&quot;c&quot;\" style=\"max-width:100%;height:auto;border:0;vertical-align:middle\" />"
    );
}

#[test]
fn only_what_a_mail_can_follow_is_a_link() {
    for (url, allowed) in [
        ("https://a.example", true),
        ("HTTP://a.example", true),
        ("mailto:a@b.example", true),
        ("tel:+4930123", true),
        ("\u{f0000}", true),
        ("\u{f0000}/path", true),
        ("https://\u{f0000}/path", true),
        ("javascript:alert(1)", false),
        (" https://a.example", false),
        ("java\nscript:alert(1)", false),
        ("data:text/html,a", false),
        ("//a.example", false),
        ("https:a.example", false),
        ("https://", false),
        ("mailto:", false),
        ("a.html", false),
        ("#a", false),
        ("", false),
        ("a\u{f0000}", false),
    ] {
        assert_eq!(is_allowed(url), allowed, "{url:?}");
        let link = [Inline::Link {
            url: url.to_owned(),
            content: vec![text("a")],
        }];
        assert_eq!(inline(&link).contains("href"), allowed, "{url:?}");
        assert!(allowed || inline(&link) == "a");
    }
}

#[test]
fn tokens_are_neither_escaped_nor_encoded() {
    let token = "\u{f0000}\u{10fffd}";
    assert_eq!(
        inline(&[Inline::Link {
            url: format!("https://a.example/{token}?é"),
            content: vec![text(token)],
        }]),
        format!("<a href=\"https://a.example/{token}?é\" style=\"{LINK}\">{token}</a>")
    );
}

#[test]
fn blocks_have_their_elements() {
    let html = |source: &str| blocks(&markdown::parse(source).blocks);
    assert_eq!(
        html("One\n\n## Two\n\nThree"),
        "<p style=\"margin:0 0 12px\">One</p><h2 style=\"margin:0 0 12px\">Two</h2><p style=\"margin:0\">Three</p>"
    );
    assert_eq!(
        html("- One\n  1. Two\n- Three\n\n  Four"),
        "<ul style=\"margin:0 0 0 24px;padding:0\"><li style=\"margin:0 0 4px\">One\
         <ol style=\"margin:0 0 0 24px;padding:0\"><li style=\"margin:0 0 4px\">Two</li></ol></li>\
         <li style=\"margin:0 0 4px\"><p style=\"margin:0 0 12px\">Three</p><p style=\"margin:0\">Four</p></li></ul>"
    );
    assert_eq!(
        html("3. One\n\n---\n\n- [x] Two\n- [ ] Three"),
        "<div style=\"margin:0 0 12px\"><ol start=\"3\" style=\"margin:0 0 0 24px;padding:0\">\
         <li style=\"margin:0 0 4px\">One</li></ol></div><hr style=\"margin:12px 0;border:0;border-top:1px solid\" />\
         <ul style=\"margin:0 0 0 24px;padding:0\">\
         <li style=\"margin:0 0 4px;list-style:none\"><p style=\"margin:0;text-indent:-1.2em\">☑ Two</p></li>\
         <li style=\"margin:0 0 4px;list-style:none\"><p style=\"margin:0;text-indent:-1.2em\">☐ Three</p></li></ul>"
    );
    assert_eq!(
        html("9. [ ] One\n10. Two\n\n---\n\n- [x] Three\n  - Four\n- [ ] Five\n\n  Six\n- Seven"),
        "<div style=\"margin:0 0 12px\"><ol start=\"9\" style=\"margin:0 0 0 34px;padding:0\">\
         <li style=\"margin:0 0 4px\">☐ One</li><li style=\"margin:0 0 4px\">Two</li></ol></div>\
         <hr style=\"margin:12px 0;border:0;border-top:1px solid\" />\
         <ul style=\"margin:0 0 0 24px;padding:0\">\
         <li style=\"margin:0 0 4px;list-style:none\"><p style=\"margin:0;text-indent:-1.2em\">☑ Three</p>\
         <ul style=\"margin:0 0 0 24px;padding:0\"><li style=\"margin:0 0 4px\">Four</li></ul></li>\
         <li style=\"margin:0 0 4px;list-style:none\"><p style=\"margin:0 0 12px;text-indent:-1.2em\">☐ Five</p>\
         <p style=\"margin:0\">Six</p></li><li style=\"margin:0 0 4px\">Seven</li></ul>"
    );
    assert_eq!(
        html("> One\n\n```\n<a>\n```"),
        "<div style=\"margin:0 0 12px\"><blockquote style=\"margin:0;padding:0 0 0 16px;border-left:3px solid\">\
         <p style=\"margin:0\">One</p></blockquote></div>\
         <pre style=\"margin:0;white-space:pre-wrap;word-break:break-word\">\
         <code style=\"font-family:Menlo,Consolas,'Courier New',monospace;font-size:0.9em\">&lt;a&gt;</code></pre>"
    );
}

#[test]
fn a_table_has_heads_for_its_columns() {
    let parsed = markdown::parse("| A | B |\n|---|--:|\n| *c* | 1 |");
    assert_eq!(
        block(&parsed.blocks[0]),
        "<table role=\"table\" tabindex=\"0\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"100%\" \
         style=\"width:100%;border-collapse:collapse;border-spacing:0\"><thead><tr>\
         <th scope=\"col\" align=\"left\" style=\"padding:6px 8px;border-bottom:2px solid;text-align:left;vertical-align:top\">A</th>\
         <th scope=\"col\" align=\"right\" style=\"padding:6px 8px;border-bottom:2px solid;text-align:right;vertical-align:top\">B</th>\
         </tr></thead><tbody><tr>\
         <td align=\"left\" style=\"padding:6px 8px;border-bottom:1px solid;text-align:left;vertical-align:top\"><em>c</em></td>\
         <td align=\"right\" style=\"padding:6px 8px;border-bottom:1px solid;text-align:right;vertical-align:top\">1</td>\
         </tr></tbody></table>"
    );
}

#[test]
fn a_picture_that_was_not_supplied_is_its_caption() {
    let mut figure = Figure {
        src: "a.png".to_owned(),
        alt: "A".to_owned(),
        caption: vec![text("B.")],
        credit: Some("C & D".to_owned()),
    };
    let caption = "<p style=\"margin:0;font-size:0.85em\">B. Photo: C &amp; D</p>";
    assert_eq!(
        block(&Block::Figure(figure.clone())),
        format!("<img src=\"a.png\" alt=\"A\" style=\"{PICTURE}\" />{caption}")
    );
    figure.src.clear();
    assert_eq!(block(&Block::Figure(figure)), caption);
}

#[test]
fn a_pull_quote_names_its_speaker() {
    let quote = Block::PullQuote(Quote {
        text: vec![text("A")],
        attribution: vec![text("B")],
    });
    assert_eq!(
        block(&quote),
        format!(
            "<blockquote style=\"{QUOTE}\"><p style=\"margin:0 0 12px\">A</p><p style=\"margin:0\">— B</p></blockquote>"
        )
    );
}

proptest! {
    #[test]
    fn any_text_is_well_formed_html(source in "([a-z]{1,4}|[ \n]|[-*_`#>|!\\[\\]()<>\"'&;:~\\\\+1.]|https://|<br>|</|\u{f0000}|\u{1}|\u{ffff}){0,60}") {
        let html = blocks(&markdown::parse(&source).blocks);
        prop_assert_eq!(well_formed(&html), Ok(()), "{}", html);
        prop_assert!(!html.contains("color:") || html.replace("color:inherit", "").find("color:").is_none());
    }
}
