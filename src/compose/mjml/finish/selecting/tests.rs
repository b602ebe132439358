use super::*;

const PAGE: &str = "<table id=t><tr class='a b'><td>1<td class=\"b\" ALIGN=left><p>x<p></p><br></td></tr><tr><td data-x='Ab c'><A href=\"#\"></A><img></td></tr></table><!--[if mso]><td class=\"b\"><![endif]--><p/>";

/// The elements that a selector matches, by name and number.
fn selected(selector: &str) -> String {
    let page = Page::read(PAGE);
    let all = Selector::read_all(selector).unwrap();
    let all: Vec<&Selector> = all.iter().collect();
    let mut found = Vec::new();
    select(&page, &all, |at, _| {
        found.push(format!("{}{at}", page.elements[at].name));
    })
    .unwrap();
    found.join(" ")
}

#[test]
fn selectors_match_elements_of_a_page() {
    for (selector, expected) in [
        ("*", "table0 tr1 td2 td3 p4 p5 br6 tr7 td8 a9 img10 p11"),
        ("#t", "table0"),
        (".b", "tr1 td3"),
        ("td.b", "td3"),
        ("TD.b, A", "td3 a9"),
        (".a.b > td", "td2 td3"),
        ("table p", "p4 p5"),
        ("p + p, td ~ td", "td3 p5"),
        ("tr:first-child td:last-child", "td3"),
        ("td:nth-child(2), tr:nth-last-of-type(1)", "td3 tr7"),
        ("p:empty", "p5 p11"),
        ("p:not(td > p)", "p11"),
        (":is(a, img):only-of-type", "a9 img10"),
        ("[align=left], [href^='#'], [data-x*='B c' i]", "td3 td8 a9"),
        (":root", "table0 p11"),
        ("a:hover, a::before", ""),
        ("*|p", "p4 p5 p11"),
    ] {
        assert_eq!(selected(selector), expected, "{selector}");
    }
}

#[test]
fn what_is_no_selector_is_refused() {
    for bad in ["", "a,", "a >", "..b", "a:eq(1)", "a:has(b)", "a{", "🙂 !"] {
        assert!(Selector::read_all(bad).is_none(), "{bad}");
    }
    let deep = ":not(".repeat(10_000) + "a" + &")".repeat(10_000);
    assert!(Selector::read_all(&deep).is_none());
}

#[test]
fn selectors_are_weighed_as_mjml_does() {
    let weight = |selector| Selector::read_all(selector).unwrap()[0].weight();
    assert_eq!(weight("*"), [0, 0, 0]);
    assert_eq!(weight("#a .b[c] > d:first-child"), [1, 2, 2]);
    assert_eq!(weight("a:not(.b#c)"), [1, 1, 1]);
    assert!(Selector::read_all("p a:hover").unwrap()[0].is_fleeting());
    assert!(Selector::read_all("a::before").unwrap()[0].is_fleeting());
    assert!(!Selector::read_all("a:not(:hover)").unwrap()[0].is_fleeting());
}

#[test]
fn what_is_around_an_element_is_known_at_each_depth() {
    // A filter that is not kept up would rule out, or go on to allow, what stands further down.
    for (selector, expected) in [
        ("#t .a p", "p4 p5"),
        ("tr.a td p", "p4 p5"),
        ("tr:not(.a) a, .a a", "a9"),
        ("table a", "a9"),
        ("td td, tr p + br", "br6"),
    ] {
        assert_eq!(selected(selector), expected, "{selector}");
    }
}
