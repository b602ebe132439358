//! Blocks of the reader between the elements of MJML.

use super::{END, SECTION};
use crate::compose::testing::Bench;

#[test]
fn blocks_between_sections_wrappers_columns_and_rows_work() {
    let text = |words: &str| format!("{SECTION}{words}{END}");
    let bench = Bench::page(&format!(
        "{{% if subscriber.plan == 'pro' %}}{}{{% else %}}{}{{% endif %}}<mj-wrapper>{}{{% if subscriber.plan %}}{}{{% endif %}}</mj-wrapper><mj-section>{{% if subscriber.plan %}}<mj-column><mj-text>c</mj-text>{{% if subscriber.plan == 'pro' %}}<mj-text>d</mj-text>{{% endif %}}</mj-column>{{% endif %}}</mj-section>",
        text("pro"),
        text("free"),
        text("a"),
        text("b")
    ));
    assert_eq!(bench.seen(&[("plan", "pro")]), "pro a b c d");
    assert_eq!(bench.seen(&[("plan", "x")]), "free a b c");
    assert_eq!(bench.seen(&[]), "free a");
    let html = bench.merge(&[]).unwrap().html;
    assert_eq!(
        html.matches("<!--[if").count(),
        html.matches("<![endif]").count()
    );
}

/// What is open where the page ends, or does not match, as Outlook (or everyone else) reads it.
fn unbalanced(html: &str, outlook: bool) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    let mut hidden = false;
    for stretch in crate::compose::page::stretches(html) {
        let text = &html[stretch.range.clone()];
        if text.starts_with("<!--[if !") || text == "<!--<![endif]-->" {
            hidden = outlook && !text.contains("endif");
        } else if text.starts_with("<!--[if") {
            hidden = !outlook;
        } else if text.starts_with("<![endif]") {
            hidden = false;
        }
        if hidden || stretch.tag == 0 || !text.starts_with('<') {
            continue;
        }
        let name: String = text
            .chars()
            .skip(1)
            .take_while(|c| c.is_ascii_alphanumeric() || "/:-".contains(*c))
            .collect();
        if ["meta", "img", "br", "v:fill", "o:AllowPNG", "v:image"].contains(&name.as_str()) {
            continue;
        }
        match name.strip_prefix('/') {
            Some(name) if open.last().is_some_and(|last| last == name) => {
                open.pop();
            }
            Some(_) => return vec![format!("{name} at {} in {open:?}", stretch.range.start)],
            None => open.push(name),
        }
    }
    open
}

#[test]
fn pages_stay_well_formed_whichever_way_a_block_goes() {
    let text = "<mj-text>x</mj-text>";
    let column = format!("<mj-column>{text}</mj-column>");
    let section = format!("<mj-section>{column}</mj-section>");
    let with = |inner: &str| format!("{{% if subscriber.a %}}{inner}{{% endif %}}");
    let choice = |inner: &str| {
        format!("{{% if subscriber.a %}}{inner}{{% else %}}{inner}{inner}{{% endif %}}")
    };
    let many = |inner: &str| format!("{{% for t in subscriber.topics %}}{inner}{{% endfor %}}");
    for (outer, inner) in [
        ("@", &section),
        (
            "<mj-wrapper background-color='#eeeeee'>@</mj-wrapper>",
            &section,
        ),
        (
            "<mj-wrapper full-width='full-width'>@</mj-wrapper>",
            &section,
        ),
        ("<mj-section>@</mj-section>", &column),
        (
            "<mj-section full-width='full-width' background-url='https://x.example/a.png'>@</mj-section>",
            &column,
        ),
        ("<mj-section><mj-group>@</mj-group></mj-section>", &column),
        (
            "<mj-section><mj-column>@</mj-column></mj-section>",
            &text.to_owned(),
        ),
        (
            "<mj-hero background-url='https://x.example/a.png' background-height='200px' background-width='200px' height='200px'>@</mj-hero>",
            &text.to_owned(),
        ),
    ] {
        for block in [with(inner), choice(inner), many(inner)] {
            for content in [
                block.clone(),
                format!("{inner}{block}"),
                format!("{block}{inner}"),
                format!("{inner}{block}{block}{inner}"),
            ] {
                let bench = Bench::page(&outer.replace('@', &content));
                for reader in [&[("topics", "")][..], &[("a", "1"), ("topics", "b;c")]] {
                    let html = bench.merge(reader).unwrap().html;
                    for outlook in [false, true] {
                        assert_eq!(
                            unbalanced(&html, outlook),
                            Vec::<String>::new(),
                            "{outer} {content}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_page_that_gmail_would_cut_off_is_noted() {
    let noted = |bytes| super::super::large(bytes).map(|finding| finding.message);
    assert_eq!(noted(89_999), None);
    assert_eq!(
        noted(95_000).as_deref(),
        Some("Gmail may cut the page off: it has 95 kB, and 102 are shown")
    );
    assert_eq!(
        noted(128_791).as_deref(),
        Some("Gmail will cut the page off: it has 128 kB, and 102 are shown")
    );
}

#[test]
fn columns_that_only_some_readers_get_need_a_width() {
    let warned = |width: &str| {
        let page = format!(
            "<mj-section><mj-column{width}><mj-text>x</mj-text></mj-column>{{% if subscriber.a %}}<mj-column{width}/>{{% endif %}}</mj-section>"
        );
        let findings = Bench::page(&page).compose().unwrap().findings;
        let found = findings
            .into_iter()
            .find(|finding| finding.rule == "mjml-shared-width");
        found.map(|finding| format!("{}: {}", finding.place.unwrap(), finding.message))
    };
    assert_eq!(
        warned("").as_deref(),
        Some(
            "templates/digest.mjml:3:56: each of the 2 columns around this tag is 1/2 wide, whichever a reader gets"
        )
    );
    assert_eq!(warned(" width='50%'"), None);
}
