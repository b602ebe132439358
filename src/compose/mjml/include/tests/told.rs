//! What is said of an include that is brought in all the same.

use super::*;

/// The document in short, and what is said of it: `line:column message | hint`.
fn told(folder: &Folder<'_>, document: &str) -> (String, Vec<String>) {
    let (top, expanded) = folder.expand(document).unwrap();
    let said = expanded.findings.iter().map(|finding| {
        let place = finding.place.as_ref().unwrap();
        let hint = finding.hint.as_deref().unwrap_or_default();
        format!("{place} {} | {hint}", finding.message)
    });
    (shown(&top), said.collect())
}

#[test]
fn a_type_that_is_none_is_said() {
    let folder = Folder(&[("b.css", "a{}")]);
    let document = "<mjml><mj-body>\n<mj-include type='style' path='b.css' /></mj-body></mjml>";
    let (_, said) = told(&folder, document);
    assert_eq!(
        said,
        [
            "a.mjml:2:19 `type` of `<mj-include>` is `style` | Write `css`, `html` or `mjml`; it is read as MJML otherwise."
        ]
    );
    for kind in ["", "type=''", "type='mjml'", "type='css'", "type='html'"] {
        let document = format!("<mjml><mj-include {kind} path='b.css' /></mjml>");
        assert_eq!(told(&folder, &document).1, [""; 0], "{kind}");
    }
}

#[test]
fn tags_that_do_not_match_are_mended_in_a_file_too() {
    let folder = Folder(&[("b.mjml", "<mj-column>\n<mj-image>\n</mj-column></mj-text>")]);
    let right = Folder(&[("b.mjml", "<mj-column>\n<mj-image />\n</mj-column>")]);
    let document = "<mjml><mj-body><mj-include path='b.mjml' /></mj-body></mjml>";
    let (shown, said) = told(&folder, document);
    assert_eq!(shown, right.expanded(document));
    assert_eq!(
        said,
        [
            "b.mjml:3:1 `</mj-column>` closes nothing here: `<mj-image>` of line 2 is still open | Write `/>` where the tag `<mj-image` ends.",
            "b.mjml:3:13 `</mj-text>` closes nothing | Take it out, or write the `<mj-text>` that it closes.",
        ]
    );
}
