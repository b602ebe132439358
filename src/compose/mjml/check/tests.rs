use super::*;
use crate::{
    compose::mjml::reader::{self, Origin},
    finding::Severity,
    place::Text,
};

mod slips;

/// The findings of a document, one a line: `line:column rule message | hint`, errors with a `!`.
fn found(source: &str) -> Vec<String> {
    let text = Text::new("a.mjml", source);
    let top = reader::read(source, Origin::File(&text)).unwrap();
    check(&top).iter().map(shown).collect()
}

fn shown(finding: &Finding) -> String {
    let place = finding.place.as_ref().unwrap();
    let mark = match finding.severity {
        Severity::Error => "!",
        Severity::Warning => "",
    };
    format!(
        "{}:{} {mark}{} {} | {}",
        place.line(),
        place.column(),
        finding.rule,
        finding.message,
        finding.hint.as_deref().unwrap_or_default()
    )
}

/// What is found in a document with `inside` in its only column, on line 2.
fn in_column(inside: &str) -> Vec<String> {
    found(&format!(
        "<mjml><mj-body><mj-section><mj-column>\n{inside}\n</mj-column></mj-section></mj-body></mjml>"
    ))
}

/// What is found in a document with `inside` in its head, on line 2.
fn in_head(inside: &str) -> Vec<String> {
    found(&format!(
        "<mjml><mj-head>\n{inside}\n</mj-head><mj-body></mj-body></mjml>"
    ))
}

#[track_caller]
fn assert_found(found: &[String], expected: &[&str]) {
    assert_eq!(found, expected);
}

#[test]
fn a_document_without_faults_has_no_findings() {
    let source = "<!-- a --><mjml lang='en' dir='ltr' owa='desktop'><mj-raw position='file-start'>x</mj-raw><mj-head>
        <mj-title>a</mj-title><mj-preview>b</mj-preview><mj-style inline='inline'>c</mj-style><mj-raw>d</mj-raw>
        <mj-font name='a' href='b' /><mj-breakpoint width='480px' />
        <mj-attributes><!-- x --><mj-all color='red' thumbnails='hidden' css-class='a' /><mj-text padding='0' />
          <mj-class name='big' font-size='20px' height='auto'><mj-text color='#FFF' /></mj-class></mj-attributes>
        <mj-html-attributes><mj-selector path='.a'><mj-html-attribute name='b'>c</mj-html-attribute></mj-selector></mj-html-attributes>
      </mj-head><mj-body width='600px'><mj-wrapper gap='1px'><mj-section full-width='' direction='rtl'><mj-group><mj-column width='50.5%'>
        <mj-text mj-class='big' css-class='x y' data-a='1' aria-b='2' line-height='1.5' letter-spacing='-0.5em' padding='1px 2px 0 4% '>a</mj-text>
        <mj-image src='a' fluid-on-mobile='true' height='auto' container-background-color='rgba(1, 22,255,0.5)' />
        <mj-table cellpadding='3' width='auto'><tr></tr></mj-table><mj-button color='#abcdef' background-color='transparent'>b</mj-button>
        <mj-social><mj-social-element name='x'>y</mj-social-element></mj-social>
      </mj-column></mj-group></mj-section></mj-wrapper><mj-hero mode='fluid-height'><mj-text>a</mj-text></mj-hero></mj-body></mjml>\n";
    assert_found(&found(source), &[]);
}

#[test]
fn the_frame_must_be_whole() {
    assert_found(
        &found(" \n"),
        &["1:1 !mjml-structure there is no `<mjml>` element | Put everything into `<mjml>`."],
    );
    assert_found(
        &found("<mj-body/>"),
        &[
            "1:1 !mjml-structure the document begins with `<mj-body>` | Put everything into `<mjml>`.",
        ],
    );
    assert_found(
        &found(
            "a\n<mjml><mj-head/><mj-head/><mj-text>x</mj-text><p/><mj-raw>y</mj-raw></mjml>\n<mjml/>b",
        ),
        &[
            "1:1 !mjml-stray-text the text `a` stands outside of `<mjml>` | Put it into `<mj-text>`; it is left out otherwise.",
            "2:1 !mjml-structure there is no `<mj-body>` | Put what is to be read into `<mj-body>`.",
            "2:17 !mjml-structure there is a second `<mj-head>`, which is left out | Put everything into one `<mj-head>`.",
            "2:27 !mjml-structure `<mj-text>` cannot stand in `<mjml>` | Put it into `<mj-column>` or `<mj-hero>`; it is left out otherwise.",
            "2:47 !mjml-unknown-element MJML has no element `<p>` | Put HTML into `<mj-text>` or `<mj-raw>`; it is left out otherwise.",
            "2:51 !mjml-structure `<mj-raw>` cannot stand in `<mjml>` | Write `position=\"file-start\"`, or put it into `<mj-head>` or `<mj-body>`; it is left out otherwise.",
            "3:1 !mjml-structure there is a second element after `<mjml>` | Put everything into one `<mjml>`.",
            "3:8 !mjml-stray-text the text `b` stands outside of `<mjml>` | Put it into `<mj-text>`; it is left out otherwise.",
        ],
    );
    assert_found(
        &found("<mjml><mj-body/><mj-body/></mjml>"),
        &[
            "1:17 !mjml-structure there is a second `<mj-body>`, which is left out | Put everything into one `<mj-body>`.",
        ],
    );
}

#[test]
fn elements_must_be_known_and_stand_in_their_place() {
    assert_found(
        &in_column("<mj-txt>a</mj-txt><p>b</p><mj-chart color='x'/>"),
        &[
            "2:1 !mjml-unknown-element MJML has no element `<mj-txt>` | Did you mean `<mj-text>`?",
            "2:19 !mjml-unknown-element MJML has no element `<p>` | Put HTML into `<mj-text>` or `<mj-raw>`; it is left out otherwise.",
            "2:27 !mjml-unknown-element MJML has no element `<mj-chart>` | It is left out, with all that it holds.",
        ],
    );
    assert_found(
        &in_column("<div><p><mj-text colour='red'>a</mj-text></p></div>"),
        &[
            "2:1 !mjml-unknown-element MJML has no element `<div>` | Put HTML into `<mj-text>` or `<mj-raw>`; it is left out otherwise.",
            "2:18 mjml-unknown-attribute `<mj-text>` has no attribute `colour` | Did you mean `color`?",
        ],
    );
    assert_found(
        &in_column(
            "<mj-section /><mj-title>a</mj-title><mj-accordion-text>b</mj-accordion-text><mj-image src='a'><mj-text>c</mj-text></mj-image>",
        ),
        &[
            "2:1 mjml-parent `<mj-section>` stands in `<mj-column>` | Put it into `<mj-body>` or `<mj-wrapper>`.",
            "2:15 !mjml-structure `<mj-title>` cannot stand in `<mj-column>` | Put it into `<mj-head>`; it is left out otherwise.",
            "2:37 !mjml-structure `<mj-accordion-text>` cannot stand in `<mj-column>` | Put it into `<mj-accordion-element>`; it is left out otherwise.",
            "2:95 !mjml-structure `<mj-text>` cannot stand in `<mj-image>` | Put it into `<mj-column>` or `<mj-hero>`; it is left out otherwise.",
        ],
    );
    assert_found(
        &in_column(
            "<mj-carousel><mj-raw>a</mj-raw><mj-carousel-image src='a'>b</mj-carousel-image></mj-carousel>",
        ),
        &[
            "2:14 !mjml-structure `<mj-raw>` cannot stand in `<mj-carousel>` | It is left out otherwise.",
            "2:32 !mjml-stray-text the text `b` stands in `<mj-carousel-image>` | Put it into `<mj-text>`; it is left out otherwise.",
        ],
    );
    assert_found(
        &in_head("<mj-text>a</mj-text><mj-all color='red' />"),
        &[
            "2:1 !mjml-structure `<mj-text>` cannot stand in `<mj-head>` | Put it into `<mj-column>` or `<mj-hero>`; it is left out otherwise.",
            "2:21 !mjml-structure `<mj-all>` cannot stand in `<mj-head>` | Put it into `<mj-attributes>`; it is left out otherwise.",
        ],
    );
}

#[test]
fn text_between_elements_is_found() {
    assert_found(
        &in_column("\n  <!-- a --> stray\u{F0000} text \n<mj-text>b</mj-text>{{ c }}"),
        &[
            "3:14 !mjml-stray-text the text `stray  text` stands between elements in `<mj-column>` | Put it into `<mj-text>`; it is left out otherwise.",
            "4:21 !mjml-stray-text the text `{{ c }}` stands between elements in `<mj-column>` | Put it into `<mj-raw>`; it is left out otherwise.",
        ],
    );
    assert_found(&in_column("\u{F0000}\u{F0001}"), &[]);
    assert_found(
        &in_head("<mj-attributes>/* 1234567890123456789012345678901234567890 */</mj-attributes>"),
        &[
            "2:16 !mjml-stray-text the text `/* 1234567890123456789012345678901234567…` stands between elements in `<mj-attributes>` | Take it out, or make a comment of it.",
        ],
    );
}

#[test]
fn attributes_must_be_known() {
    assert_found(
        &in_column(
            "<mj-text colour='a' Align='left' href='b'\n gap='1px' width='1' x='' \"='1' id='a'>a</mj-text>",
        ),
        &[
            "2:10 mjml-unknown-attribute `<mj-text>` has no attribute `colour` | Did you mean `color`?",
            "2:21 mjml-unknown-attribute `<mj-text>` has no attribute `Align` | Did you mean `align`?",
            "2:34 mjml-unknown-attribute `<mj-text>` has no attribute `href` | It changes nothing here, only at other elements.",
            "3:2 mjml-unknown-attribute `<mj-text>` has no attribute `gap` | It changes nothing here, only at `<mj-wrapper>`.",
            "3:12 mjml-unknown-attribute `<mj-text>` has no attribute `width` | It changes nothing here, only at other elements.",
            "3:22 mjml-unknown-attribute `<mj-text>` has no attribute `x` | It changes nothing.",
            "3:27 mjml-unknown-attribute `<mj-text>` has no attribute `\"` | A quote is missing before it, or there is one too many.",
            "3:33 mjml-unknown-attribute `<mj-text>` has no attribute `id` | It changes nothing.",
        ],
    );
    assert_found(
        &in_head(
            "<mj-attributes><mj-all margin='1' colr='a' /><mj-class name='a' hrefs='' /><mj-text src='a' hrf='' /></mj-attributes>",
        ),
        &[
            "2:24 mjml-unknown-attribute `<mj-all>` has no attribute `margin` | It changes nothing.",
            "2:35 mjml-unknown-attribute `<mj-all>` has no attribute `colr` | Did you mean `color`?",
            "2:65 mjml-unknown-attribute `<mj-class>` has no attribute `hrefs` | Did you mean `href`?",
            "2:85 mjml-unknown-attribute `<mj-text>` has no attribute `src` | It changes nothing here, only at `<mj-carousel-image>`, `<mj-image>` or `<mj-social-element>`.",
            "2:93 mjml-unknown-attribute `<mj-text>` has no attribute `hrf` | Did you mean `href`? Only other elements have it.",
        ],
    );
}

/// What is found about the value of one attribute: the message and the hint.
fn about(element: &str, attribute: &str, value: &str) -> Option<String> {
    let found = in_column(&format!("<{element} src='a' {attribute}=\"{value}\" />"));
    let rule = "mjml-bad-value ";
    let found = found.iter().find_map(|found| found.split_once(rule));
    found.map(|(_, found)| found.to_owned())
}

#[test]
fn values_must_be_of_their_type() {
    let image = |attribute: &str, value: &str, hint: &str| {
        let message = match value {
            "" => format!("`{attribute}` of `<mj-image>` is empty | {hint}"),
            _ => format!("`{attribute}` of `<mj-image>` is `{value}` | {hint}"),
        };
        assert_eq!(about("mj-image", attribute, value), Some(message));
    };
    image("width", "wide", "Write a length in px, such as `100px`.");
    image("width", "", "Write a length in px, such as `100px`.");
    image("width", "100", "Write `100px`.");
    image("width", "100PX", "Write `100px`.");
    image("width", "100px;", "Write `100px`.");
    image("width", "50%", "Write a length in px, such as `100px`.");
    image("width", "-1px", "Write a length in px, such as `100px`.");
    image("width", "1px 2px", "Write a length in px, such as `100px`.");
    image(
        "height",
        "full",
        "Write a length in px or `auto`, such as `100px`.",
    );
    image("padding", "1 2", "Write `1px 2px`.");
    image("padding", "1px  2px", "Write `1px 2px`.");
    image("padding", "1,5px 0", "Write `1.5px 0`.");
    image(
        "padding",
        "1px 2px 3px 4px 5px",
        "Write one to four lengths in px or %, such as `10px 25px`.",
    );
    image(
        "padding-left",
        "2em",
        "Write a length in px or %, such as `100px`.",
    );
    image("align", "centre", "Did you mean `center`?");
    image("align", "top", "Write `left`, `center` or `right`.");
    image("fluid-on-mobile", "yes", "Write `true` or `false`.");
    let color = "container-background-color";
    image(color, "fff", "Write `#fff`.");
    image(color, "#394D72;", "Write `#394d72`.");
    image(color, "Red", "Write `red`.");
    image(color, "gren", "Did you mean `green`?");
    image(color, "", "Write a color such as `#ff0000` or `red`.");
    image(color, "#12345", "Write a color such as `#ff0000` or `red`.");
    image(
        color,
        "#11223344",
        "Write `#112233`: mail programs do not know transparency in this form.",
    );
    image(
        color,
        "rgb(1 2 3)",
        "Write `rgb(255, 0, 0)` or `rgba(255, 0, 0, 0.5)`.",
    );
    for (element, attribute, value) in [
        ("mj-image", "padding", "0"),
        ("mj-image", "padding", ".5px 0 1.5% 0px "),
        ("mj-image", "height", "auto"),
        ("mj-image", "width", "\u{F0000}"),
        ("mj-image", color, "\u{F0000}"),
        ("mj-image", color, "RGB(1,2,3)"),
        ("mj-image", color, "#FfF"),
        ("mj-text", "line-height", "1.5"),
        ("mj-text", "letter-spacing", "-1px"),
        ("mj-section", "full-width", "false"),
        ("mj-table", "cellpadding", "10"),
    ] {
        assert_eq!(
            about(element, attribute, value),
            None,
            "{attribute} {value}"
        );
    }
    assert_eq!(
        about("mj-text", "line-height", "big").as_deref(),
        Some(
            "`line-height` of `<mj-text>` is `big` | Write a length in px or % or a number, such as `1.5`."
        )
    );
    assert_eq!(
        about("mj-table", "cellpadding", "none").as_deref(),
        Some("`cellpadding` of `<mj-table>` is `none` | Write a whole number, such as `10`.")
    );
    assert_found(
        &in_head(
            "<mj-attributes><mj-all color='x' height='1px' /><mj-text\n padding='5' /></mj-attributes>",
        ),
        &[
            "2:31 mjml-bad-value `color` of `<mj-all>` is `x` | Write a color such as `#ff0000` or `red`.",
            "3:11 mjml-bad-value `padding` of `<mj-text>` is `5` | Write `5px`.",
        ],
    );
}

#[test]
fn attributes_must_be_there_once() {
    assert_found(
        &in_column("<mj-image src='a' alt='' src='b' alt='c' /><mj-image />"),
        &[
            "2:26 mjml-duplicate-attribute `src` of `<mj-image>` is given twice | Take one out; the first one counts, which is `a`.",
            "2:34 mjml-duplicate-attribute `alt` of `<mj-image>` is given twice | Take one out; the first one counts.",
            "2:44 mjml-missing-attribute `<mj-image>` has no `src` | Write `src=\"…\"`; it means nothing otherwise.",
        ],
    );
    assert_found(
        &in_head("<mj-font name='a' /><mj-attributes><mj-class /><mj-image /></mj-attributes>"),
        &[
            "2:1 mjml-missing-attribute `<mj-font>` has no `href` | Write `href=\"…\"`; it means nothing otherwise.",
            "2:36 mjml-missing-attribute `<mj-class>` has no `name` | Write `name=\"…\"`; it means nothing otherwise.",
        ],
    );
    let source = "<mjml><mj-head><mj-attributes><mj-all src='a' /></mj-attributes></mj-head><mj-body><mj-hero><mj-image /></mj-hero></mj-body></mjml>";
    assert_found(&found(source), &[]);
}

#[test]
fn classes_must_be_defined() {
    let source = "<mjml><mj-head><mj-attributes><mj-class name='large' /></mj-attributes></mj-head><mj-body><mj-hero>\n<mj-text mj-class='large  larg small'>a</mj-text><mj-text mj-class='\u{F0000}'>a</mj-text></mj-hero></mj-body></mjml>";
    assert_found(
        &found(source),
        &[
            "2:20 mjml-unknown-class no `<mj-class>` is named `larg` | Did you mean `large`?",
            "2:20 mjml-unknown-class no `<mj-class>` is named `small` | Define it in `<mj-attributes>`: `<mj-class name=\"small\" />`.",
        ],
    );
}

#[test]
fn what_is_repeated_is_found_once() {
    let text = Text::new("a.mjml", "<mj-text x='1' y='2'>");
    let mut column = Element::new("mj-column", text.place(0..0));
    for _ in 0..3 {
        let mut repeated = Element::new("mj-text", text.place(0..8));
        repeated
            .attributes
            .push(crate::compose::mjml::tree::Attribute::new("y", "2"));
        column.children.push(Node::Element(repeated));
    }
    let mut top = Element::new("", text.place(0..0));
    for name in ["mj-section", "mj-body", "mjml"] {
        let mut around = Element::new(name, text.place(0..0));
        around.children.push(Node::Element(column));
        column = around;
    }
    // The attribute has no place of its own, but is found where the author wrote it.
    top.children.push(Node::Element(column));
    let found: Vec<_> = check(&top).iter().map(shown).collect();
    assert_found(
        &found,
        &["1:16 mjml-unknown-attribute `<mj-text>` has no attribute `y` | It changes nothing."],
    );
}

#[test]
fn there_is_an_end_to_findings() {
    let source = "<mj-text x='1'>a</mj-text>\n".repeat(MOST + 10);
    assert_eq!(in_column(&source).len(), MOST);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn any_document_can_be_checked(source in "(<mjml>|</mjml>|<mj-body |<mj-column>|<mj-text |/>|</mj-column>|>|</mj-text>|<mj-all | padding='[0-9px,. -]{0,6}'| color='[#a-frgb(),0-9. ]{0,9}'| mj-class=é| x='|é|\u{F0000}| |\n){0,40}") {
        let text = Text::new("a.mjml", source.as_str());
        if let Ok(top) = reader::read(&source, Origin::File(&text)) {
            for finding in check(&top) {
                let place = finding.place.unwrap();
                proptest::prop_assert!(place.range().end <= source.len());
            }
        }
    }
}
