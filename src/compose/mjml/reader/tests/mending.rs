use super::*;

#[test]
fn a_mistyped_end_is_named_where_it_stands() {
    let found = "`</mj-txt>` closes nothing here: `<mj-text>` of line 2 is still open | Write `</mj-text>`.";
    for source in [
        "<mjml>\n<mj-text>a<br></mj-txt>\n<mj-text>b</mj-text></mjml>",
        "<mjml>\n<mj-text>a<br></mj-txt>\n<mj-image />",
    ] {
        let errors = errors(source);
        assert_eq!(errors[0], format!("a.mjml:2:15: {found}"), "{source}");
    }
    let right = "<mj-text><svg></mj-txt></svg></mj-text>";
    assert_read(right, "<mj-text><svg></mj-txt></svg></>");
}

/// What is read of a document of which not all tags match, and what is said of it.
fn mended(source: &str) -> Result<(String, Vec<String>), String> {
    let text = Text::new("a.mjml", source);
    let read = read_mended(source, Origin::File(&text));
    let (top, findings) = read.map_err(|error| error.to_string())?;
    let mut out = String::new();
    shown(&top, &mut out);
    let said = findings.iter().map(|finding| finding.message.clone());
    Ok((out, said.collect()))
}

#[test]
fn tags_that_do_not_match_are_mended_where_nothing_is_lost() {
    for (source, expected, said) in [
        (
            "<mjml><mj-column><mj-image></mj-column><mj-text>a</mj-text></mjml>",
            "<mjml><mj-column><mj-image></></><mj-text>a</></>",
            &["`</mj-column>` closes nothing here: `<mj-image>` of line 1 is still open"][..],
        ),
        (
            "<mjml><mj-section><mj-column></mj-section></mj-column><mj-section></mj-section></mj-raw>",
            "<mjml><mj-section><mj-column></></><mj-section></></>",
            &[
                "`</mj-section>` closes nothing here: `<mj-column>` of line 1 is still open",
                "`</mj-column>` closes nothing here: `<mjml>` of line 1 is still open",
                "`</mj-raw>` closes nothing here: `<mjml>` of line 1 is still open",
                "`<mjml>` is never closed",
            ],
        ),
        (
            "<mjml><mj-include path='a'><mj-text>b</mj-text></mjml>",
            "<mjml><mj-include path=\"a\"><mj-text>b</></></>",
            &["`</mjml>` closes nothing here: `<mj-include>` of line 1 is still open"],
        ),
        (
            "<mjml><mj-social><mj-social-element> </mj-social></mjml>",
            "<mjml><mj-social><mj-social-element></></></>",
            &["`</mj-social>` closes nothing here: `<mj-social-element>` of line 1 is still open"],
        ),
        (
            "<mjml><mj-section><mj-column></mj-cloumn> </mj-section></mjml>",
            "<mjml><mj-section><mj-column></></></>",
            &["`</mj-cloumn>` closes nothing here: `<mj-column>` of line 1 is still open"],
        ),
        (
            "<mjml></mjml></mjml>",
            "<mjml></>",
            &["`</mjml>` closes nothing"],
        ),
    ] {
        let said = said.iter().map(|said| (*said).to_owned()).collect();
        assert_eq!(mended(source), Ok((expected.to_owned(), said)), "{source}");
    }
}

#[test]
fn tags_that_do_not_match_are_refused_where_something_is_lost() {
    for source in [
        "<mjml><mj-image><mj-text>a</mj-text></mjml>",
        "<mjml><mj-image><mj-text>a</mj-text>",
        "<mjml><mj-textcolor='red'>a</mj-text></mjml>",
        "<mjml><div><mj-text>a</mj-text></mjml>",
        "<mjml><mj-column><mj-text>a</mj-column></mjml>",
        "<mjml><mj-column><mj-text></mj-txt></mj-column><mj-text>a</mjml>",
        "<mjml><mj-column></mj-cloumn><mj-column></mj-column></mjml>",
        "<mjml><mj-column></mj-column</mjml>",
        "<mjml><mj-image a='1'\n<mj-image /></mj-image></mjml>",
        &"</mjml>".repeat(MOST_ERRORS + 1),
    ] {
        assert!(mended(source).is_err(), "{source}");
    }
}
