//! Whatever files hold, what comes of them is finite.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// Files that include each other two by two, so that each is twice as large as the next.
fn doubling(levels: usize, last: &str) -> Vec<(String, String)> {
    let file = |level: usize| {
        let next = format!("<mj-include path='{}.mjml'/>", level + 1);
        let content = if level == levels {
            last.to_owned()
        } else {
            next.repeat(2)
        };
        (format!("{level}.mjml"), content)
    };
    (0..=levels).map(file).collect()
}

#[test]
fn files_that_swell_come_to_an_end() {
    let document = "<mjml><mj-body><mj-include path='0.mjml'/></mj-body></mjml>";
    let large = format!("<mj-raw>{}</mj-raw>", "x".repeat(120_000));
    for (last, expected) in [
        ("", "files are included more than 20000 times"),
        (
            large.as_str(),
            "with all that it includes, the MJML is larger than 16 MiB",
        ),
    ] {
        let files = doubling(25, last);
        let files: Vec<_> = files
            .iter()
            .map(|(name, content)| (&**name, &**content))
            .collect();
        let start = Instant::now();
        let refused = Folder(&files).refused(document);
        assert_eq!(refused.len(), 1);
        assert!(refused[0].contains(expected), "{refused:?}");
        assert!(start.elapsed().as_secs() < 20);
    }
    let chain = doubling(40, "x");
    let chain: Vec<_> = chain
        .iter()
        .map(|(name, content)| (&**name, &content[..content.len() / 2]))
        .collect();
    let refused = Folder(&chain).refused(document);
    assert!(
        refused[0].starts_with(
            "30.mjml:1:1: more than 32 files include each other in a row: included by `29.mjml:1:1`"
        ),
        "{refused:?}"
    );
}

#[test]
fn includes_cannot_go_deeper_than_a_document_can() {
    let nested = |name: &str, within: &str| {
        let [open, close] = [format!("<{name}>"), format!("</{name}>")].map(|tag| tag.repeat(200));
        format!("{open}{within}{close}")
    };
    let file = nested("mj-column", "<mj-text>x</mj-text>");
    let include = nested("mj-wrapper", "<mj-include path='b.mjml'/>");
    let folder = [("b.mjml", file.as_str())];
    let folder = Folder(&folder);
    assert_eq!(
        folder.refused(&format!("<mjml><mj-body>{include}</mj-body></mjml>")),
        [
            "b.mjml:1:595: elements are nested more than 256 deep by includes: included by `a.mjml:1:2416` | "
        ]
    );
    let (top, _) = folder
        .expand("<mjml><mj-body><mj-include path='b.mjml'/></mj-body></mjml>")
        .unwrap();
    assert!(shown(&top).contains("<mj-text>x</mj-text>"));
}

#[test]
fn includes_within_includes_do_not_exhaust_the_stack() {
    let files: Vec<_> = (0..30)
        .map(|number| {
            let open = format!("<mj-include path='{}.mjml'>", number + 1);
            let content = format!("{}{}", open.repeat(250), "</mj-include>".repeat(250));
            (format!("{number}.mjml"), content)
        })
        .collect();
    let files: Vec<_> = files
        .iter()
        .map(|(name, content)| (&**name, &**content))
        .collect();
    let refused =
        Folder(&files).refused("<mjml><mj-body><mj-include path='0.mjml'/></mj-body></mjml>");
    assert!(
        !refused.is_empty() && refused[0] != "expanded",
        "{refused:?}"
    );
}

const NAMES: [&str; 3] = ["a.mjml", "b.mjml", "c/d.mjml"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a few files hold, expanding ends: with a tree without includes that is not too deep,
    /// or with an error.
    #[test]
    fn expanding_ends(contents in proptest::collection::vec(proptest::collection::vec(0..14_usize, 0..12), 3)) {
        let pieces = [
            "<mj-include path='a.mjml'/>", "<mj-include path='b.mjml'/>", "<mj-include path='c/d.mjml'/>",
            "<mj-include path='../b.mjml'/>", "<mj-include path='b.mjml' type='css'/>", "<mj-include path='b.mjml' type='html'/>",
            "<mjml>", "</mjml>", "<mj-head>", "</mj-head>", "<mj-body>", "</mj-body>", "x", "<mj-raw>r</mj-raw>",
        ];
        let contents: Vec<String> = contents.iter().map(|chosen| chosen.iter().map(|piece| pieces[*piece]).collect()).collect();
        let files: Vec<_> = NAMES.iter().zip(&contents).map(|(name, content)| (*name, content.as_str())).collect();
        let document = "<mjml><mj-head><mj-include path='b.mjml'/></mj-head><mj-body><mj-include path='c/d.mjml'/><mj-include path='b.mjml'/></mj-body></mjml>";
        if let Ok((top, _)) = Folder(&files).expand(document) {
            prop_assert!(!shown(&top).replace("<mj-raw>", "").contains("<mj-include></mj-include>"));
            prop_assert!(depth(&top) <= DEEPEST + 1);
        }
    }

    #[test]
    fn paths_decode_and_resolve_without_panic(file in "[a-c/.%é]{0,10}", path in "[a-c/.%é0-9+\\\\]{0,12}") {
        let sought = beside(&file, &decoded(&path));
        let inner = sought.trim_start_matches("../").trim_start_matches('/');
        if !path.starts_with(['/', '\\', '%']) {
            prop_assert!(!inner.split('/').any(|part| part == "." || part.is_empty() && !inner.is_empty()), "{sought}");
        }
    }
}

fn depth(element: &Element) -> usize {
    element
        .elements()
        .map(depth)
        .max()
        .map_or(0, |depth| depth + 1)
}
