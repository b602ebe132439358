use proptest::prelude::*;

use super::*;

mod mending;

fn shown(element: &Element, out: &mut String) {
    use std::fmt::Write;
    for node in &element.children {
        match node {
            Node::Text(text, _) => write!(out, "{text:?}").unwrap(),
            Node::Comment(text) => out.push_str(text),
            Node::Element(element) => {
                write!(out, "<{}", element.name).unwrap();
                for Attribute { name, value, .. } in &element.attributes {
                    write!(out, " {name}={value:?}").unwrap();
                }
                write!(out, ">{}", element.content).unwrap();
                shown(element, out);
                out.push_str("</>");
            }
        }
    }
}

fn read_text(source: &str) -> Result<String, String> {
    let text = Text::new("a.mjml", source);
    let top = read(source, Origin::File(&text)).map_err(|error| error.to_string())?;
    let mut out = String::new();
    shown(&top, &mut out);
    Ok(out)
}

#[test]
fn mjml_is_read_as_it_is_written_in_the_wild() {
    assert_eq!(
        read_text("\u{feff}<?xml version='1.0'?>\r\n<!DOCTYPE x><MJML lang=en>\r\n <mj-text a='1'b=\"2\" a=3 c />\r\n<!-- x --><mj-Text>a < b<br>\r\n<p>é > x </MJ-TEXT ><mj-image src=a/b/></mjml>"),
        Ok("<mjml lang=\"en\"><mj-text a=\"1\" b=\"2\" c=\"\"></><!-- x --><mj-text>a < b<br>\n<p>é > x</><mj-image src=\"a/b\"></></>".to_owned())
    );
}

#[test]
fn tags_that_do_not_match_are_named_with_their_lines() {
    assert_eq!(
        read_text("<mjml>\n<mj-body>\n</mjml>"),
        Err(
            "a.mjml:3:1: `</mjml>` closes nothing here: `<mj-body>` of line 2 is still open"
                .to_owned()
        )
    );
    assert_eq!(
        read_text("</mj-body>"),
        Err("a.mjml:1:1: `</mj-body>` closes nothing".to_owned())
    );
    assert_eq!(
        read_text("<mjml>\n <mj-text>a</mj-tex>"),
        Err(
            "a.mjml:2:12: `</mj-tex>` closes nothing here: `<mj-text>` of line 2 is still open"
                .to_owned()
        )
    );
    assert_eq!(
        read_text("<mjml>"),
        Err("a.mjml:1:1: `<mjml>` is never closed".to_owned())
    );
    assert_eq!(
        read_text("<mjml a=\"b>"),
        Err("a.mjml:1:9: a quote in `<mjml>` is never closed".to_owned())
    );
    assert_eq!(
        read_text("<mjml a"),
        Err("a.mjml:1:1: the tag `<mjml` never ends".to_owned())
    );
}

#[test]
fn depth_and_size_are_limited() {
    let deep = "<mj-body>".repeat(100_000);
    assert!(
        read_text(&deep)
            .unwrap_err()
            .ends_with("nested more than 256 deep")
    );
    let large = " ".repeat(LONGEST + 1);
    assert_eq!(
        read_text(&large),
        Err("the MJML is larger than 16 MiB".to_owned())
    );
}

/// What a document with `inside` in its only section holds there.
#[track_caller]
fn assert_read(inside: &str, expected: &str) {
    let source = format!("<mjml><mj-section>{inside}</mj-section></mjml>");
    let expected = format!("<mjml><mj-section>{expected}</></>");
    assert_eq!(read_text(&source), Ok(expected));
}

#[test]
fn attributes_are_read_as_html_has_them() {
    for (source, expected) in [
        (
            "<mj-image a='1'b=\"2\"c=3 d />",
            "a=\"1\" b=\"2\" c=\"3\" d=\"\"",
        ),
        ("<mj-image a\n=\t'1' b = 2 c=/>", "a=\"1\" b=\"2\" c=\"\""),
        ("<mj-image src=x/y/>", "src=\"x/y\""),
        ("<mj-image src=x/></mj-image>", "src=\"x/\""),
        ("<mj-image src='x/'></mj-image>", "src=\"x/\""),
        ("<mj-image a='1' a='2' A='3'/>", "a=\"1\" A=\"3\""),
        ("<mj-image a='<b> \"c\"\n>' / >", "a=\"<b> \\\"c\\\"\\n>\""),
        (
            "<mj-image a='1' \" b\"c='2' =/>",
            "a=\"1\" \"=\"\" b\"c=\"2\" ==\"\"",
        ),
        ("<mj-image a='x\r\ny\rz'/>", "a=\"x\\ny\\nz\""),
        ("<mj-image a='1' / b='2' / />", "a=\"1\" b=\"2\""),
        ("<mj-image é='ü'></mj-image\n >", "é=\"ü\""),
        ("<MJ-Image A='1'/>", "A=\"1\""),
    ] {
        assert_read(source, &format!("<mj-image {expected}></>"));
    }
    assert_read(
        "<mj-image src='x/'>a</mj-image>",
        "<mj-image src=\"x/\">\"a\"</>",
    );
    assert_read(
        "<mj-button href=http://a.example/>b</mj-button>",
        "<mj-button href=\"http://a.example/\">b</>",
    );
}

#[test]
fn the_content_of_an_ending_tag_is_opaque() {
    for content in [
        "<!-- </mj-text> -->",
        "<!--> a <!---> b <!-- c --->",
        "<![CDATA[ </mj-text> ]]>",
        "<script>'</mj-text>' <b</script >",
        "<STYLE>a</mj-text></style>",
        "<title></mj-text></title>",
        "<script/>",
        "<style> never closed",
        "<a title='</mj-text>' b=\"</mj-text>\" c=d/>x</a>",
        "<a title=\"it's\">x</a>",
        "a<mj-text>b</mj-text>c",
        "a<MJ-Text/>b<mj-text b='/'>c</MJ-TEXT>",
        "<mj-button>a<mj-text>b</mj-button>c",
        "<mj-column></mj-column>",
        "</mj-button></p></mj-textile><mj-textile></br>",
        "<p>a<p>b<br>c<li>d<td>",
        "a < b && c <3 d <= e </ f",
        "a <b",
        "<?php if (a < 2) { ?><b><?php } ?>",
        "<![if !mso]><b><![endif]>",
        "<![endif",
        "日本語 é > \u{1F600}\u{301}",
    ] {
        assert_read(
            &format!("<mj-text>\n {content}\u{feff} </mj-text>"),
            &format!("<mj-text>{content}</>"),
        );
    }
    assert_read(
        "<mj-text>a</ mj-text><mj-text>b</mj-text c='d'>",
        "<mj-text>a</><mj-text>b</>",
    );
    assert_read(
        "<style>a > <b </style><title><b></title>",
        "<style>a > <b</><title><b></>",
    );
    assert_read(
        "<mj-carousel-image a='1'><p></mj-carousel-image>",
        "<mj-carousel-image a=\"1\"><p></>",
    );
    assert_read(
        "<mj-html-attribute><p></mj-html-attribute>",
        "<mj-html-attribute><p></>",
    );
}

#[test]
fn what_stands_between_elements_is_kept_or_skipped() {
    assert_read(
        "<!-->a<!-- </mj-section> > --><!--[if mso]><b><![endif]--><![if !mso]><![endif]>",
        "<!---->\"a\"<!-- </mj-section> > --><!--[if mso]><b><![endif]-->",
    );
    assert_read(
        "<![CDATA[ <b> ]]><?a b?><!DOCTYPE c><br></br>",
        "\" <b> \"<br></>",
    );
    assert_read(" a <3 </ 4\r\n", "\" a <3 </ 4\\n\"");
    assert_read("\u{feff}\u{a0}\r\n", "");
    assert_eq!(
        read_text("\u{feff}<?xml version=\"1.0\"?>\r\n<!-- a -->\r<mjml />\r\n<!-- b -->\u{feff}"),
        Ok("<!-- a --><mjml></><!-- b -->".to_owned())
    );
}

/// All errors of a document, with their hints.
fn errors(source: &str) -> Vec<String> {
    let text = Text::new("a.mjml", source);
    let error = read(source, Origin::File(&text)).unwrap_err();
    let all = std::iter::once(&error).chain(error.others());
    all.map(|error| format!("{error} | {}", error.hints().join(" ")))
        .collect()
}

#[test]
fn all_tags_that_do_not_match_are_found_in_one_run() {
    for (source, expected) in [
        (
            "<mjml>\n<mj-section>\n<mj-column>\n</mj-section>\n<mj-section>\n</mj-colum>\n</mj-sectoin>\n</mj-wrapper>\n</mjml>",
            &[
                "a.mjml:4:1: `</mj-section>` closes nothing here: `<mj-column>` of line 3 is still open | Write `</mj-column>` before it.",
                "a.mjml:6:1: `</mj-colum>` closes nothing here: `<mj-section>` of line 5 is still open | Take it out.",
                "a.mjml:7:1: `</mj-sectoin>` closes nothing here: `<mj-section>` of line 5 is still open | Write `</mj-section>`.",
                "a.mjml:8:1: `</mj-wrapper>` closes nothing here: `<mjml>` of line 1 is still open | Take it out, or write the `<mj-wrapper>` that it closes.",
            ][..],
        ),
        (
            "<mjml><mj-column>\n<mj-text>a</mj-column>\n<mj-textcolor='red'>b</mj-text></mjml>",
            &[
                "a.mjml:2:11: `</mj-column>` closes nothing here: `<mj-text>` of line 2 is still open | Write `</mj-text>` before it.",
                "a.mjml:3:22: `</mj-text>` closes nothing here: `<mj-textcolor>` of line 3 is still open | Write `<mj-text>` there.",
            ],
        ),
        (
            "<mjml>\n<mj-column><mj-image>\n</mj-column></mjml>",
            &[
                "a.mjml:3:1: `</mj-column>` closes nothing here: `<mj-image>` of line 2 is still open | Write `/>` where the tag `<mj-image` ends.",
            ],
        ),
        (
            "<mjml>\n<mj-image>",
            &[
                "a.mjml:1:1: `<mjml>` is never closed | Write `</mjml>` where it ends.",
                "a.mjml:2:1: `<mj-image>` is never closed | Write `/>` where the tag `<mj-image` ends.",
            ],
        ),
        (
            "<mjml>\n<mj-image a='1'\n<mj-image /></mj-image>\n</mjml",
            &[
                "a.mjml:2:1: the tag `<mj-image` never ends | Write `>` where it ends, and see whether a quote is missing.",
                "a.mjml:4:1: `</mjml` is not a complete tag | Write `</mjml>`.",
            ],
        ),
        (
            "<mjml>\n  <!-- a --",
            &["a.mjml:2:3: a comment is never closed | Write `-->` where it ends."],
        ),
        (
            "<mjml><mj-text>\n <a b=\"c></mj-text></mjml>",
            &[
                "a.mjml:2:7: a quote in `<mj-text>` is never closed | Write each attribute as `name=\"value\"`.",
            ],
        ),
        (
            "<mjml><mj-text><!-- </mj-text>",
            &["a.mjml:1:16: a comment is never closed | Write `-->` where it ends."],
        ),
        (
            "<mjml><style>a</mjml>",
            &["a.mjml:1:7: `<style>` is never closed | Write `</style>` where it ends."],
        ),
    ] {
        assert_eq!(errors(source), expected, "{source}");
    }
}

#[test]
fn places_are_those_of_the_author() {
    let source = "<mjml>\r\n é<mj-text\n a = 'ü' b='' b=x>\n</mj-text></mjml>";
    let text = Text::new("a.mjml", source);
    let top = read(source, Origin::File(&text)).unwrap();
    let root = top.elements().next().unwrap();
    let element = root.elements().next().unwrap();
    let shown = |place: Place| format!("{place} {}", &source[place.range()]);
    assert_eq!(shown(element.place.clone()), "a.mjml:2:3 <mj-text");
    let [a, b] = &element.attributes[..] else {
        panic!()
    };
    assert_eq!(shown(element.place_of_name(a)), "a.mjml:3:2 a");
    assert_eq!(shown(element.place_of_value(a)), "a.mjml:3:7 ü");
    assert_eq!(shown(element.place_of_value(b)), "a.mjml:3:10 b");
    let [again] = &element.duplicates[..] else {
        panic!()
    };
    assert_eq!(shown(element.place_of_name(again)), "a.mjml:3:15 b");
    assert_eq!(shown(element.place_of_value(again)), "a.mjml:3:17 x");
}

#[test]
fn time_grows_with_length_alone() {
    let many = |piece: &str| piece.repeat(100_000);
    for source in [
        many("<!--"),
        many("<mj-text><!--"),
        many("<mj-text a='"),
        many("</mjml>"),
        many("</"),
        many("<![CDATA["),
        many("<mj-column a=b"),
        format!("<mj-image {}>", many("a ")),
        format!("<mj-image {}/>", many("a=b ")),
        format!("<mj-text>{}", many("<script>")),
        format!("<mj-text>{}</mj-text>", many("<style>")),
        format!("<mj-text>{}{}", many("<mj-text>"), many("</mj-raw>")),
        format!("<mj-text>{}</mj-text>", many("<b a=\"'\" c>")),
        format!("<mj-text>{}</mj-text>", many("</    ")),
        format!("<mj-column>{}</mj-column>", many("<mj-image/></mj-image>")),
        many("<br>"),
        many("< "),
        many("<?"),
        many(" \u{feff}é"),
    ] {
        let start = std::time::Instant::now();
        let _ = read_text(&source);
        let took = start.elapsed();
        // A debug build takes some milliseconds; what is quadratic takes minutes.
        assert!(took.as_secs() < 10, "{took:?} {}", &source[..20]);
    }
}

/// Writes a tree as MJML.
fn written(element: &Element, out: &mut String) {
    use std::fmt::Write;
    for node in &element.children {
        match node {
            Node::Text(text, _) | Node::Comment(text) => out.push_str(text),
            Node::Element(element) => {
                write!(out, "<{}", element.name).unwrap();
                for Attribute { name, value, .. } in &element.attributes {
                    let quote = if value.contains('"') { '\'' } else { '"' };
                    write!(out, " {name}={quote}{value}{quote}").unwrap();
                }
                write!(out, ">{}", element.content).unwrap();
                written(element, out);
                if !elements::is_void(&element.name) {
                    write!(out, "</{}>", element.name).unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_was_read_is_read_again(inside in "(<mj-text a=\"é\">[a-z&;é ]{0,4}(<br>|<p>|<!-- </mj-text>-->)?</mj-text>|<mj-image b='x\"y' c=d d />|<!-- [a-z<>]{0,5} -->|x|<mj-column>|</mj-column>| |<br>){0,12}") {
        let source = format!("<mjml>{inside}</mjml>");
        if let Ok(first) = read_text(&source) {
            let text = Text::new("a.mjml", source.as_str());
            let mut again = String::new();
            written(&read(&source, Origin::File(&text)).unwrap(), &mut again);
            prop_assert_eq!(read_text(&again), Ok(first));
        }
    }

    #[test]
    fn places_are_in_the_text(source in "(<mj-text |<mj-image|<mjml>|</mjml>|</mj-text>|>|/>| a='é'| b=x| c|\"|é|<!-- -->|<|x| |\n){0,20}") {
        fn check(element: &Element, source: &str) {
            for (attribute, value) in element.attributes.iter().chain(&element.duplicates).map(|a| (a, &a.value)) {
                assert_eq!(&source[element.place_of_name(attribute).range()], attribute.name);
                if !value.is_empty() {
                    assert_eq!(&source[element.place_of_value(attribute).range()], value);
                }
            }
            assert!(source[element.place.range()].to_ascii_lowercase().ends_with(&element.name));
            element.elements().for_each(|element| check(element, source));
        }
        let text = Text::new("a.mjml", source.as_str());
        if let Ok(top) = read(&source, Origin::File(&text)) {
            check(&top, &source);
        }
    }

    #[test]
    fn any_document_can_be_read(source in "(<mj-text|</mj-text|<mjml|</mjml>|>|/>| a=|\"|'|é|<!--|-->|<|\u{100000}|\u{F0000}|x| ){0,30}") {
        let _ = read_text(&source);
    }
}
