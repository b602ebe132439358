use proptest::prelude::*;

use super::*;

/// The elements, each with the one around it.
fn tree(source: &str) -> String {
    let page = Page::read(source);
    let elements = page.elements.iter().map(|element| {
        let parent = element.parent.map_or("", |at| &page.elements[at].name);
        format!("{parent}>{}", element.name)
    });
    elements.collect::<Vec<_>>().join(" ")
}

#[test]
fn elements_nest_as_where_mjml_reads_them() {
    for (source, expected) in [
        ("<div><p>a<p>b<div></div></div>", ">div div>p div>p div>div"),
        ("<ul><li>1<li>2</ul><b></i></b>", ">ul ul>li ul>li >b"),
        ("<td><img><br/><i/>x</td>", ">td td>img td>br td>i"),
        ("<svg><path/><g/></svg><p/>", ">svg svg>path svg>g >p"),
        ("a < b <1 <a", ">a"),
        ("<!--<a>--><!--><b><![endif]--><i>", ">b b>i"),
        (
            "<style>a > <b></style><title><i></TITLE><u>",
            ">style >title >u",
        ),
        ("<textarea><i>", ">textarea"),
        (
            "<% if a <b %><i title=\"<% \">\" %>\"><u {{ x > \"\" }}>",
            ">i i>u",
        ),
        (
            "<table>\u{F0001}<tr><td>\u{F0002}</td></tr>\u{F0003}<tr>",
            ">table table>tr tr>td table>tr",
        ),
        ("<td \u{F0001}title='x>'\u{F0002} a=>x", ">td"),
    ] {
        assert_eq!(tree(source), expected, "{source}");
    }
}

#[test]
fn what_is_nested_too_deep_stands_side_by_side() {
    let source = "<b>".repeat(100_000);
    let page = Page::read(&source);
    let parents = page.elements.iter().filter_map(|element| element.parent);
    assert_eq!(parents.max(), Some(DEEPEST - 1));
    assert_eq!(page.elements.len(), 100_000);
}

#[test]
fn values_are_written_where_they_belong() {
    let source =
        "<!doctype html><P a='1' CLASS = x b>\u{F0001}<br/></p><img\n/><i title=\"<% \"\" %>\">";
    let page = Page::read(source);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let changes = vec![
        (
            0,
            vec![pair("class", "\"y\""), pair("c", ""), pair("a", "&amp;")],
        ),
        (2, vec![pair("alt", "\u{F0002}")]),
        (3, vec![pair("title", "z")]),
    ];
    assert_eq!(
        page.with(&changes),
        "<!doctype html><P a=\"&amp;\" class=\"&quot;y&quot;\" b c=\"\">\u{F0001}<br/></p><img alt=\"\u{F0002}\"\n/><i title=\"z\">"
    );
    assert_eq!(page.attribute(0, "a"), Some("1"));
    assert_eq!(page.attribute(0, "b"), Some(""));
    assert_eq!(page.attribute(3, "title"), Some("<% \"\" %>"));
    assert_eq!(page.attribute(9, "title"), None);
}

proptest! {
    #[test]
    fn any_page_can_be_read_and_keeps_every_byte(
        source in "([<>/=\"' a-c\u{F0000}é]|<p|</p>|<!--|-->|<%|%>|\\{\\{|}}|<td a=\"|<style>|</style>){0,60}"
    ) {
        let page = Page::read(&source);
        prop_assert_eq!(&page.with(&Vec::new()), &source);
        // What is added is all that is different.
        let changes: Changes = (0..page.elements.len())
            .map(|at| (at, vec![("x-y".to_owned(), "@".to_owned())]))
            .collect();
        let with = page.with(&changes);
        prop_assert_eq!(with.replace(" x-y=\"@\"", ""), source);
    }
}
