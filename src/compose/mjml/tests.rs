use super::*;
use crate::{error::Kind, place::Text};

fn render_with(source: &str, validation: Validation) -> Result<(String, Vec<Finding>)> {
    let text = Text::new("a.mjml", source);
    let options = Options {
        validation,
        purpose: Purpose::Newsletter,
        language: Some("en"),
        include: &|path| {
            Err(Error::new(
                Kind::NoInput,
                format!("there is no file `{path}`"),
            ))
        },
    };
    render(source, Origin::File(&text), options)
}

fn html(source: &str) -> String {
    render_with(source, Validation::Standard).unwrap().0
}

/// A document with `text` in the only `mj-text`.
fn with_text(text: &str) -> String {
    format!(
        "<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
}

#[test]
fn what_makes_the_engine_panic_or_stumble_is_kept_from_it() {
    for text in [
        "Café > Menu",
        "a < b && c",
        "<p>a<p>b<br><li>",
        "</p></br><BR>",
        "<a href=x>y</a><?php echo 1 ?>",
        "<![CDATA[x]]>",
        "<i style=\"a:\n'b'\" title='say \"hi\" \\ \u{ad}'>x</i>",
        "@@0@@ @@7@@",
        "<!--[if mso]><b><![endif]-->",
        "<![endif",
    ] {
        assert!(
            html(&with_text(text)).contains(&format!(">{text}</div>")),
            "{text}"
        );
    }
    let head = "<mjml>\r\n<mj-head> <mj-title>Café > \"é\"</mj-title> \r\n <mj-style> a > b {} </mj-style></mj-head><mj-body css-class='a'></mj-body></mjml>";
    let page = html(head);
    assert!(page.contains("<title>Café > \"é\"</title>"), "{page}");
    assert!(
        page.contains("aria-label=\"Café > &quot;é&quot;\""),
        "{page}"
    );
    assert!(
        page.contains("<style type=\"text/css\">a > b {}</style>"),
        "{page}"
    );
}

#[test]
fn attribute_values_come_through() {
    let page = html(
        "<mjml><mj-body><mj-section><mj-column><mj-image src='a@@0@@.png' alt='say \"hi\" \\ हिन्दी\n👩‍👩‍👧 &amp; <b>'/></mj-column></mj-section></mj-body></mjml>",
    );
    assert!(
        page.contains("alt=\"say &#34;hi&#34; &#92; &#2361;&#2367;&#2344;&#2381;&#2342;&#2368; &#128105;&#8205;&#128105;&#8205;&#128103; &amp; &#60;b>\""),
        "{page}"
    );
    assert!(
        page.contains("src=\"a&#64;&#64;0&#64;&#64;.png\""),
        "{page}"
    );
}

#[test]
fn the_page_is_mended() {
    let page = html(
        "<mjml><mj-head><mj-preview>psst</mj-preview></mj-head><mj-body width='575px'><mj-section><mj-column><mj-image src='a.png' padding='0'/></mj-column><mj-column/></mj-section></mj-body></mjml>",
    );
    assert!(page.contains("<html lang=\"en\""), "{page}");
    assert!(page.contains(" alt=\"\""), "{page}");
    assert!(page.contains("width=\"287\""), "{page}");
    assert!(page.contains("width:287px;\"><img"), "{page}");
    assert!(!page.contains("color:#ffffff"), "{page}");
    assert!(page.contains(">psst</div>"), "{page}");
}

#[test]
fn what_mjml_does_not_know_is_an_error_or_a_warning() {
    let source = "<mjml><mj-body>\n<mj-section><mj-colum></mj-colum>\nstray</mj-section>\n<p>x</p><mj-title/><mj-include path='x'/></mj-body>\n<mj-body/></mjml>";
    let error = render_with(source, Validation::Standard).unwrap_err();
    let all: Vec<_> = std::iter::once(&error)
        .chain(error.others())
        .map(|error| (error.to_string(), error.hints().join(" ")))
        .collect();
    let shown = |error: &str, hint: &str| (error.to_owned(), hint.to_owned());
    assert_eq!(
        all[0],
        shown(
            "a.mjml:2:13: MJML has no element `<mj-colum>`",
            "Did you mean `<mj-column>`?"
        )
    );
    assert_eq!(
        all[1],
        shown(
            "a.mjml:3:1: the text `stray` stands between elements in `<mj-section>`",
            "Put it into `<mj-text>`; it is left out otherwise."
        )
    );
    assert_eq!(
        all[2],
        shown(
            "a.mjml:4:1: MJML has no element `<p>`",
            "Put HTML into `<mj-text>` or `<mj-raw>`; it is left out otherwise."
        )
    );
    let (page, findings) = render_with(source, Validation::Soft).unwrap();
    assert_eq!(findings.len(), all.len());
    assert!(!page.contains("stray") && !page.contains("<p>"));
}

#[test]
fn the_depth_that_is_allowed_does_not_exhaust_the_stack() {
    let depth = reader::DEEPEST - 2;
    let source = format!(
        "<mjml><mj-body>{}{}</mj-body></mjml>",
        "<mj-wrapper>".repeat(depth),
        "</mj-wrapper>".repeat(depth)
    );
    assert!(render_with(&source, Validation::Soft).is_ok());
}

#[test]
fn raw_pieces_within_a_wrapper_are_for_everyone() {
    let section = "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>";
    let page = html(&format!(
        "<mjml><mj-body><mj-wrapper>{section}<mj-raw>RAW</mj-raw>{section}</mj-wrapper></mj-body></mjml>"
    ));
    assert!(page.contains("<![endif]-->RAW<!--[if mso | IE]>"), "{page}");
}

#[test]
fn missing_parts_are_named() {
    let message = |source: &str| {
        render_with(source, Validation::Soft)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        message(""),
        Err("a.mjml:1:1: there is no `<mjml>` element".to_owned())
    );
    assert_eq!(
        message("<mj-body/>"),
        Err("a.mjml:1:1: the document begins with `<mj-body>`".to_owned())
    );
    assert_eq!(
        message("<mjml></mjml>"),
        Err("a.mjml:1:1: there is no `<mj-body>`".to_owned())
    );
}

#[test]
fn a_fluid_hero_has_a_height() {
    let page = html(
        "<mjml><mj-body><mj-hero mode='fluid-height' background-width='600px' background-height='469px' background-url='https://x.example/a.png'><mj-text>x</mj-text></mj-hero></mj-body></mjml>",
    );
    assert!(
        page.contains("mso-padding-bottom-alt:0;padding-bottom:78%;"),
        "{page}"
    );
}

#[test]
fn a_plain_file_may_hold_any_character() {
    let page = html(&with_text("a\u{F0000}b\u{F8000}"));
    assert!(page.contains(">a\u{F0000}b\u{F8000}</div>"), "{page}");
}

#[test]
fn values_that_are_put_into_the_page_cannot_break_out_of_it() {
    let page = html(
        "<mjml><mj-body><mj-section><mj-column><mj-image src='a.png' href='b' sizes='@@0@@ \"x\"' title='a \"b\" @@1@@' border-left='1px \"x\"'/></mj-column></mj-section></mj-body></mjml>",
    );
    assert!(
        page.contains("sizes=\"&#64;&#64;0&#64;&#64; &#34;x&#34;\""),
        "{page}"
    );
    assert!(
        page.contains("target=\"_blank\" title=\"a &#34;b&#34; &#64;&#64;1&#64;&#64;\""),
        "{page}"
    );
    assert!(page.contains("border-left:1px &#34;x&#34;;"), "{page}");
}

#[test]
fn no_element_gets_into_the_page_as_it_is() {
    // Each stands where the engine would take it for HTML, or for nothing that it knows.
    let everywhere = "<mj-text>1</mj-text><mj-navbar-link>2</mj-navbar-link><mj-social-element>3</mj-social-element><mj-accordion-element><mj-accordion-title>4</mj-accordion-title></mj-accordion-element><mj-carousel-image src='5'/><mj-title>6</mj-title>";
    for around in [
        "mj-wrapper",
        "mj-section",
        "mj-group",
        "mj-column",
        "mj-hero",
        "mj-social",
        "mj-navbar",
        "mj-accordion",
        "mj-accordion-element",
    ] {
        let source = format!("<mjml><mj-body><{around}>{everywhere}</{around}></mj-body></mjml>");
        let (page, findings) = render_with(&source, Validation::Soft).unwrap();
        assert!(!page.contains("<mj-"), "{around}: {page}");
        assert!(findings.len() >= 4, "{around}: {findings:?}");
        assert!(render_with(&source, Validation::Standard).is_err());
    }
}
