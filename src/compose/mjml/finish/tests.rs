//! Whole pages, from the document on.

use crate::{
    compose::mjml::{Options, Origin, Purpose, Validation, render},
    error::{Error, Result},
    finding::Finding,
    place::Text,
};

fn rendered(source: &str, purpose: Purpose) -> Result<(String, Vec<Finding>)> {
    let text = Text::new("a.mjml", source);
    let options = Options {
        validation: Validation::Standard,
        purpose,
        language: None,
        include: &|path| Err(Error::data(format!("there is no file `{path}`"))),
    };
    render(source, Origin::File(&text), options)
}

#[test]
fn styles_that_would_take_forever_are_refused() {
    let text = format!("<mj-text>{}</mj-text>", "<p>x</p>".repeat(5_000));
    for head in [
        "<mj-style inline=\"inline\">.x ~ p { color: red }</mj-style>",
        "<mj-html-attributes><mj-selector path=\".x ~ p\"></mj-selector></mj-html-attributes>",
    ] {
        let error = rendered(&document(head, &text), Purpose::Template).unwrap_err();
        assert_eq!(
            error.message(),
            "this page is too large for its selectors to be looked up in it"
        );
        assert!(error.place().is_some());
    }
    let head = "<mj-style inline=\"inline\">p + p { top: 1px }</mj-style>";
    let (page, _) = rendered(&document(head, &text), Purpose::Template).unwrap();
    assert_eq!(page.matches("<p style=\"top: 1px;\">").count(), 4_999);
}

/// What stands between two pieces of a template's page.
fn between(source: &str, start: &str, end: &str) -> String {
    let (page, _) = rendered(source, Purpose::Template).unwrap();
    let (_, after) = page.split_once(start).unwrap();
    after.split_once(end).unwrap().0.to_owned()
}

/// A document with this head, and `text` in its only column.
fn document(head: &str, text: &str) -> String {
    format!(
        "<mjml owa=\"desktop\"><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>{text}</mj-column></mj-section></mj-body></mjml>"
    )
}

#[test]
fn the_head_says_all_that_the_document_does() {
    let head = "<mj-font name=\"Own\" href=\"https://a.b/?c&d;e,f\" /><!-- note --><mj-style>a > b {}</mj-style><mj-raw><meta name=\"x\"></mj-raw><mj-style>c {}</mj-style>";
    let source = document(head, "<mj-text font-family=\"Own, Lato\">x</mj-text>");
    assert_eq!(
        between(&source, "max-width:100%; }  }</style>", "<body"),
        "<style media=\"screen and (min-width:480px)\">.moz-text-html .mj-column-per-100 { width:100% !important; max-width:100%; } </style><style type=\"text/css\">[owa] .mj-column-per-100 { width:100% !important; max-width:100%; } </style><style type=\"text/css\">a > b {}</style><style type=\"text/css\">c {}</style><!-- note --><meta name=\"x\"></head>"
    );
    assert_eq!(
        between(
            &source,
            "!important; }\n</style>\n<![endif]-->",
            "<style type=\"text/css\">@media"
        ),
        "<!--[if !mso]><!--><link href=\"https://fonts.googleapis.com/css?family=Lato:300,400,500,700\" rel=\"stylesheet\" type=\"text/css\"><link href=\"https://a.b/?c&d;e,f\" rel=\"stylesheet\" type=\"text/css\"><style type=\"text/css\">@import url(https://fonts.googleapis.com/css?family=Lato:300,400,500,700);@import url(https://a.b/?c&d;e,f);</style><!--<![endif]-->\n\n"
    );
    let (letter, _) = rendered(&source, Purpose::Newsletter).unwrap();
    assert!(!letter.contains("googleapis"), "{letter}");
    assert!(
        letter.contains("@import url(https://a.b/?c&d;e,f);"),
        "{letter}"
    );
}

#[test]
fn styles_and_attributes_go_into_elements_and_nowhere_else() {
    let text = "<mj-text color=\"#abc\" css-class=\"k\"><p>a<br>&nbsp;<o:p></o:p><IMG src=x><![if !mso]>{{ b }}<![endif]><ul><li>1<li>2</ul></mj-text>";
    let plain = between(&document("", text), "<tr><td align=\"left\"", "</td></tr>");
    assert_eq!(
        plain,
        " class=\"k\" style=\"font-size:0px;padding:10px 25px;word-break:break-word;\"><div style=\"font-family:Ubuntu, Helvetica, Arial, sans-serif;font-size:13px;line-height:1;text-align:left;color:#aabbcc;\"><p>a<br>&nbsp;<o:p></o:p><IMG src=x><![if !mso]>{{ b }}<![endif]><ul><li>1<li>2</ul></div>"
    );
    let head = "<mj-style inline=\"inline\">.k li + li { color: red } .k div { color: blue !important; margin: 0 } img { width: 5px }</mj-style><mj-html-attributes><mj-selector path=\".k li:first-child\"><mj-html-attribute name=\"data-x\">\"1\" &amp; 2</mj-html-attribute></mj-selector></mj-html-attributes>";
    let styled = between(
        &document(head, text),
        "<tr><td align=\"left\"",
        "</td></tr>",
    );
    assert_eq!(
        styled,
        " class=\"k\" style=\"font-size:0px;padding:10px 25px;word-break:break-word;\"><div style=\"margin: 0; font-family: Ubuntu, Helvetica, Arial, sans-serif; font-size: 13px; line-height: 1; text-align: left; color: blue;\"><p>a<br>&nbsp;<o:p></o:p><IMG src=x style=\"width: 5px;\" width=\"5\"><![if !mso]>{{ b }}<![endif]><ul><li data-x=\"&quot;1&quot; &amp; 2\">1<li style=\"color: red;\">2</ul></div>"
    );
}

#[test]
fn what_cannot_be_inlined_is_said_at_its_author() {
    let source = document(
        "\n<mj-style inline=\"inline\">@media (x) { a { b: c } }</mj-style>\n<mj-style inline=\"inline\">a { b: c</mj-style>\n<mj-html-attributes><mj-selector path=\"a:eq(1)\"></mj-selector></mj-html-attributes>",
        "",
    );
    let error = rendered(&source, Purpose::Template).unwrap_err();
    let all = std::iter::once(&error).chain(error.others());
    let all: Vec<String> = all
        .map(|it| format!("{}: {}", it.place().unwrap().line(), it.message()))
        .collect();
    assert_eq!(
        all,
        [
            "4: cannot read the selector `a:eq(1)`",
            "3: the inlined styles end within the rule `a { b: c`",
        ]
    );
}

#[test]
fn the_prologue_goes_before_everything_and_the_preview_keeps_its_markup() {
    let source = "<mjml lang=\"fr\" dir=\"rtl\"><mj-raw position=\"file-start\"><!-- a --></mj-raw><mj-raw position=\"file-start\">b</mj-raw><mj-head><mj-title>\"A\" &amp; <b></mj-title><mj-preview>x <b>y</b> &copy; </mj-preview></mj-head><mj-body></mj-body></mjml>";
    let (page, _) = rendered(source, Purpose::Template).unwrap();
    assert!(
        page.starts_with("<!-- a -->\nb\n<!doctype html><html lang=\"fr\" dir=\"rtl\" "),
        "{page}"
    );
    assert!(page.contains("<title>\"A\" &amp; <b></title>"), "{page}");
    let (_, body) = page.split_once("<body").unwrap();
    assert_eq!(
        body,
        " style=\"word-spacing:normal;\"><div style=\"display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;\">x <b>y</b> &copy;</div><div aria-label=\"&quot;A&quot; &amp; <b>\" aria-roledescription=\"email\" role=\"article\" lang=\"fr\" dir=\"rtl\"></div></body></html>"
    );
}

#[test]
fn what_is_said_of_styles_is_said_at_their_line() {
    let said = |source: &str| {
        let (_, findings) = rendered(source, Purpose::Template).unwrap();
        let said = findings.into_iter().map(|it| {
            let place = it.place.unwrap();
            let shown = place.text().content()[place.range()].to_owned();
            format!("{}:{} {shown}", place.line(), place.column())
        });
        said.collect::<Vec<_>>()
    };
    let style = |css: &str| document(&format!("<mj-style inline=\"inline\">{css}</mj-style>"), "");
    let lines = style(
        "\np { display: none; x }\n/* a */ a:hover,\nb:hover { c: d }\n@media (x) { y {} }\n.p { display: none; z }",
    );
    let first = lines[..lines.find("\np {").unwrap() + 1].lines().count();
    let at = |line: usize, rest: &str| format!("{}:{rest}", first + line);
    assert_eq!(
        said(&lines),
        [
            at(1, "20 x"),
            at(2, "9 a:hover"),
            at(4, "1 @media (x)"),
            at(5, "21 z")
        ]
    );
    // What did not come out as it was written is said at the whole.
    assert!(
        said(&style("a/**/:hover { b: c }"))
            .concat()
            .ends_with(" <mj-style")
    );
}
