use super::*;
use crate::{
    compose::staging::{Markup, Source},
    place::Text,
};

/// What a page becomes, with `‹›` around what prints and `«»` around what does not.
fn assembled(html: &str) -> Result<String, String> {
    written(html, str::to_owned)
}

/// The same, where a writer had its way with the page.
fn written(html: &str, write: impl Fn(&str) -> String) -> Result<String, String> {
    let mut tags = Tags::default();
    let source = Source::whole(&Text::new("a", html));
    let staged = tags.stage(&source, Markup::Other).unwrap();
    let assembled = page(&tokens::restore(&write(&staged.template)), &tags);
    let part = assembled.map_err(|error| error.to_string())?.part;
    for tag in &part.tags {
        let code = &part.template[tag.range.clone()];
        assert!(
            code.starts_with('\u{1}') && code.ends_with('\u{1}'),
            "{code}"
        );
    }
    Ok(part
        .template
        .replace("\u{1}( ", "‹")
        .replace(" )\u{1}", "›")
        .replace("\u{1}[ ", "«")
        .replace(" ]\u{1}", "»"))
}

#[test]
fn each_place_has_its_filter() {
    assert_eq!(
        assembled("{{subscriber.a}}<title>{{subscriber.b}}</title><a href='{{subscriber.c}}?{{subscriber.d}}' title=\"{{subscriber.e}}\" HREF=\" {{subscriber.f}}\"><!--[if mso]><v:x src='{{subscriber.g}}'><![endif]-->").unwrap(),
        "‹subscriber.a›<title>‹subscriber.b›</title><a href='‹(subscriber.c) | __url›?‹(subscriber.d) | __url_part›' title=\"‹(subscriber.e) | __attribute›\" HREF=\" ‹(subscriber.f) | __url›\"><!--[if mso]><v:x src='‹(subscriber.g) | __url›'><![endif]-->"
    );
}

#[test]
fn every_attribute_that_leads_somewhere_takes_addresses_only() {
    for name in ["href", "xlink:href", "o:href", "data", "PING", "lowsrc"] {
        let page = assembled(&format!("<a {name}=\"{{{{subscriber.a}}}}\">")).unwrap();
        assert!(page.contains("| __url›"), "{page}");
    }
}

#[test]
fn an_address_begins_where_every_branch_before_it_is_empty() {
    let kind = |html: &str| {
        let assembled = assembled(&format!("<a href=\"{html}\">")).unwrap();
        let last = assembled.rsplit(" | ").next().unwrap().to_owned();
        last.split('›').next().unwrap().to_owned()
    };
    for (address, filter) in [
        (
            "{% if subscriber.a %}https://x/{% endif %}{{ subscriber.b }}",
            "__url",
        ),
        (
            "{% if subscriber.a %}https://x/{% else %}https://y/{% endif %}{{ subscriber.b }}",
            "__url_part",
        ),
        (
            "{% if subscriber.a %}https://x/{% elif subscriber.c %}https://y/{% endif %}{{ subscriber.b }}",
            "__url",
        ),
        (
            "{% if subscriber.a %}https://x/{% else %}{{ subscriber.b }}{% endif %}",
            "__url",
        ),
        (
            "{% if subscriber.a %}https://x/{{ subscriber.b }}{% endif %}",
            "__url_part",
        ),
        ("{% for a in subscriber.b %}{{ a }}{% endfor %}", "__url"),
        (
            "https://x/{% for a in subscriber.b %}{{ a }}{% endfor %}",
            "__url_part",
        ),
    ] {
        assert_eq!(kind(address), filter, "{address}");
    }
}

#[test]
fn tags_that_a_writer_has_encoded_are_found() {
    assert_eq!(
        written("{{subscriber.a}}{{subscriber.b}}", |page| format!(
            "<a href=\"https://x/&#xF0000;\" title=\"%F3%B0%80%81\">{page}"
        ))
        .unwrap(),
        "<a href=\"https://x/‹(subscriber.a) | __url_part›\" title=\"‹(subscriber.b) | __attribute›\">‹subscriber.a›‹subscriber.b›"
    );
}

#[test]
fn nothing_else_can_hold_a_delimiter() {
    let tags = Tags::default();
    let part = page("a\u{1}( 1 )\u{1}\u{1}[ if ]\u{1}\u{100000}b", &tags)
        .unwrap()
        .part;
    assert_eq!(part.template, "a( 1 )[ if ]b");
    assert_eq!(
        text("\u{1}( 1 )\u{1}", &tags).unwrap().part.template,
        "( 1 )"
    );
    assert_eq!(
        line(" a\n\u{1}(\tb ", &tags).unwrap().part.template,
        "a ( b"
    );
}

#[test]
fn blocks_work_where_only_fixed_texts_stand() {
    assert_eq!(
        assembled("<style>{% if subscriber.a %}a{}{% endif %}</style><p style='{% if subscriber.a %}b:c{% endif %}' {% if subscriber.a %}d{% endif %}>").unwrap(),
        "<style>«if subscriber.a»a{}«endif»</style><p style='«if subscriber.a»b:c«endif»' «if subscriber.a»d«endif»>"
    );
}

#[test]
fn blocks_that_lose_an_end_are_refused() {
    let source = "{% if subscriber.a %}x{% endif %}";
    let mut tags = Tags::default();
    let staged = tags
        .stage(&Source::whole(&Text::new("a", source)), Markup::Other)
        .unwrap();
    let (open, close) = staged.template.split_once('x').unwrap();
    let error = |html: &str| page(html, &tags).unwrap_err().to_string();
    assert_eq!(
        error(open),
        "a:1:1: this block is still open where the text ends"
    );
    assert_eq!(
        error(close),
        "a:1:23: this tag ends a block that is not open here"
    );
    assert_eq!(
        error(&format!("{open}<p title=\"{close}\">")),
        "a:1:23: this block began in line 1, in another tag, value or text"
    );
    assert_eq!(
        error(&format!("{open}{close}\u{F8000}")),
        "a tag that waits for the reader was cut in two on the way"
    );
}

#[test]
fn values_have_no_place_in_scripts_and_the_like() {
    for (html, place) in [
        ("<script>{{subscriber.a}}</script>", "within `<script>`"),
        (
            "<script>{% if subscriber.a %}{% endif %}</script>",
            "within `<script>`",
        ),
        (
            "<!-- {% if subscriber.a %}{% endif %} -->",
            "within a comment",
        ),
        (
            "<img srcset='{{subscriber.a}}'>",
            "in an attribute that holds more than one value",
        ),
        ("<p {{subscriber.a}}>", "within a tag, outside of a value"),
        ("</p{{subscriber.a}}>", "within a tag, outside of a value"),
        (
            "<!doctype {{subscriber.a}}>",
            "within a tag, outside of a value",
        ),
        (
            "<a o{% if subscriber.a %}nclick{% endif %}='x'>",
            "in the name of a tag or an attribute",
        ),
        (
            "<s{% if subscriber.a %}{% endif %}cript>",
            "in the name of a tag or an attribute",
        ),
        ("<{{subscriber.a}}>", "in the name of a tag or an attribute"),
        (
            "<{% if subscriber.a %}{% endif %}b>",
            "in the name of a tag or an attribute",
        ),
        (
            "<a href=x{% if subscriber.a %}{% endif %}>",
            "in a value without quotes",
        ),
        ("<a href=x{{subscriber.a}}>", "in a value without quotes"),
        (
            "<a href=\u{a0}\"{{subscriber.a}}\">",
            "in a value without quotes",
        ),
        (
            "<a {% if subscriber.a %}href {% endif %}='{{subscriber.a}}'>",
            "in the value of an attribute without a name",
        ),
        ("<script/>{{subscriber.a}}", "within `<script>`"),
        (
            "<style></styles>{{subscriber.a}}</style>",
            "within `<style>`",
        ),
    ] {
        let error = assembled(html).unwrap_err();
        assert!(
            error.contains(&format!("cannot be made safe {place}")),
            "{html}: {error}"
        );
    }
}

#[test]
fn what_is_wrong_twice_is_told_once() {
    let text = Text::new("a", "abc");
    let error = |message: &str, at: usize| Error::data(message).at(text.place(at..at + 1));
    let bare = || Error::data("x");
    let all = Error::all([error("x", 0), error("x", 0), error("y", 0)]).unwrap();
    let told = distinct([all, error("x", 1), error("x", 0), bare(), bare()]);
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["a:1:1: x", "a:1:1: y", "a:1:2: x", "x"]);
}
