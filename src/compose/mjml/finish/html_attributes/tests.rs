use super::*;
use crate::place::Text;

/// The page, and what is said.
fn applied(html: &str, rules: &[(&str, &[(&str, &str)])]) -> (String, Vec<String>) {
    let selected: Vec<Selected> = rules
        .iter()
        .map(|(path, attributes)| Selected {
            path: (*path).to_owned(),
            attributes: attributes.iter().copied().collect(),
            place: Text::new("a.mjml", "x").line(1),
        })
        .collect();
    let mut findings = Vec::new();
    let rules = read(&selected, &mut findings);
    let said = findings.into_iter().map(|it| it.message).collect();
    (
        set(html, &rules, &Tags::default(), &mut Vec::new()).unwrap(),
        said,
    )
}

#[test]
fn attributes_are_set_on_what_is_selected() {
    let html = "<table>\u{F0001}<tr><td class='k'>\u{F0002}<br>&nbsp;</td></tr></table><p>";
    let (page, said) = applied(
        html,
        &[
            (".k, tr > td", &[("data-a", "1"), ("class", "z")]),
            // It sees what was set before.
            (".z, p", &[("data-b", "\"\u{F0003}\" &amp; <")]),
            ("[data-b] > br", &[("data-c", ""), ("no name", "x")]),
        ],
    );
    assert_eq!(
        page,
        "<table>\u{F0001}<tr><td class=\"z\" data-a=\"1\" data-b=\"&quot;\u{F0003}&quot; &amp; <\">\u{F0002}<br data-c=\"\">&nbsp;</td></tr></table><p data-b=\"&quot;\u{F0003}&quot; &amp; <\">"
    );
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn a_path_that_comes_again_keeps_its_rank() {
    let rules: [(&str, &[(&str, &str)]); 3] = [
        (".k", &[("a", "1"), ("b", "1")]),
        ("b", &[("a", "2")]),
        (".k", &[("a", "3"), ("b", "3")]),
    ];
    assert_eq!(
        applied("<b class=\"k\">", &rules).0,
        "<b class=\"k\" a=\"2\" b=\"3\">"
    );
}

#[test]
fn what_is_no_selector_is_said() {
    let rules: [(&str, &[(&str, &str)]); 3] =
        [("a:eq(1)", &[]), ("\u{F0001}", &[]), ("b", &[("x", "y")])];
    let (page, said) = applied("<b>", &rules);
    assert_eq!(page, "<b x=\"y\">");
    assert_eq!(
        said,
        [
            "cannot read the selector `a:eq(1)`",
            "a selector cannot depend on the reader"
        ]
    );
}
