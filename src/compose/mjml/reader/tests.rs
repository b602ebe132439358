use proptest::prelude::*;

use super::*;

fn shown(element: &Element, out: &mut String) {
    use std::fmt::Write;
    for node in &element.children {
        match node {
            Node::Text(text, _) => write!(out, "{text:?}").unwrap(),
            Node::Comment(text) => out.push_str(text),
            Node::Element(element) => {
                write!(out, "<{}", element.name).unwrap();
                for Attribute { name, value } in &element.attributes {
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
        read_text("\u{feff}<?xml version='1.0'?>\r\n<!DOCTYPE x><MJML lang=en>\r\n <mj-text a='1'b=\"2\" a=3 c padding=0/>\r\n<!-- x --><mj-Text>a < b<br>\r\n<p>é > x </MJ-TEXT ><mj-image src=a/b/></mjml>"),
        Ok("<mjml lang=\"en\"><mj-text a=\"1\" b=\"2\" c=\"\" padding=\"0\"></><!-- x --><mj-text>a < b<br>\n<p>é > x</><mj-image src=\"a/b\"></></>".to_owned())
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
        Err("a.mjml:2:2: `<mj-text>` is never closed".to_owned())
    );
    assert_eq!(
        read_text("<mjml>"),
        Err("a.mjml:1:1: `<mjml>` is never closed".to_owned())
    );
    assert_eq!(
        read_text("<mjml> <3"),
        Err("a.mjml:1:8: a `<` that begins no tag stands between elements".to_owned())
    );
    assert_eq!(
        read_text("<mjml a=\"b>"),
        Err("a.mjml:1:1: cannot read the attributes of `<mjml>`".to_owned())
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

proptest! {
    #[test]
    fn any_document_can_be_read(source in "(<mj-text|</mj-text|<mjml|</mjml>|>|/>| a=|\"|'|é|<!--|-->|<|\u{100000}|\u{F0000}|x| ){0,30}") {
        let _ = read_text(&source);
    }
}
