use proptest::prelude::*;

use super::*;
use crate::place::Text;

/// The declarations of each rule, and what is said.
fn read_css(css: &str) -> (Vec<String>, Vec<String>) {
    let styles = Inlined {
        css: css.to_owned(),
        place: Text::new("a.mjml", "x").line(1),
    };
    let mut findings = Vec::new();
    let rules = read(&styles, &mut findings);
    let shown = rules.iter().map(|rule| {
        let all = rule.declarations.iter().map(|it| {
            let mark = match it.importance {
                Importance::Important => "!",
                Importance::Normal => "",
            };
            format!("{}={}{mark}", it.name, it.value)
        });
        format!(
            "{}:{}",
            rule.selectors.len(),
            all.collect::<Vec<_>>().join("|")
        )
    });
    let said = findings.iter().map(|it| it.message.clone());
    (shown.collect(), said.collect())
}

#[test]
fn rules_are_read() {
    let cases: [(&str, &[&str]); 9] = [
        ("", &[]),
        ("a{color:red}", &["1:color=red"]),
        (
            " a, b > c { COLOR : Red ;; --X : Y } ",
            &["2:color=Red|--X=Y"],
        ),
        (
            "a{b:c!important; d:e ! IMPORTANT;f:important}",
            &["1:b=c!|d=e!|f=important"],
        ),
        (
            "a{b:url(data:x;y)} c{d:\"};\\\"\" 'e';}",
            &["1:b=url(data:x;y)", "1:d=\"};\\\"\" 'e'"],
        ),
        ("/* x { */ a{/**/b:c/*;*/;d:'/*'}", &["1:b=c|d='/*'"]),
        ("<!-- a{b:c} --> d{e:f}", &["1:b=c", "1:e=f"]),
        ("a[b='{'] , c { d:e\u{F0001};}", &["2:d=e\u{F0001}"]),
        ("a{}", &["1:"]),
    ];
    for (css, expected) in cases {
        let (rules, said) = read_css(css);
        assert_eq!(rules, expected, "{css}");
        assert!(said.is_empty(), "{css}: {said:?}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    for (css, rules, message) in [
        (
            "@media (x) { a{b:c} } d{e:f}",
            &["1:e=f"][..],
            "`@media` has no effect in styles that are inlined",
        ),
        (
            "@import url(x;y);a{b:c}",
            &["1:b=c"],
            "`@import` has no effect in styles that are inlined",
        ),
        (
            "a:hover, b { c:d }",
            &["1:c=d"],
            "`a:hover` has no effect in styles that are inlined",
        ),
        (
            "a[x=','],i::before,b:not(a,b),a:hover { c:d }",
            &["2:c=d"],
            "`i::before, a:hover` has no effect in styles that are inlined",
        ),
        (
            "a { b\n b; c:d }",
            &["1:c=d"],
            "`b b` in the styles of `a` declares nothing",
        ),
        ("a:foo {b:c}", &[], "cannot read the selector `a:foo`"),
        (
            "a {b:c",
            &[],
            "the inlined styles end within the rule `a {b:c`",
        ),
        ("a", &[], "the inlined styles end within the rule `a`"),
        (
            "a { b; c:d }",
            &["1:c=d"],
            "`b` in the styles of `a` declares nothing",
        ),
        (
            "a { b: ; c: d }",
            &["1:c=d"],
            "`b:` in the styles of `a` declares nothing",
        ),
        (
            ".a\u{F0001} {b:c}",
            &[],
            "a selector whose styles are inlined cannot depend on the reader",
        ),
        (
            "\u{F0001} .a {b:c} \u{F0002}",
            &[],
            "a selector whose styles are inlined cannot depend on the reader",
        ),
        (
            "a { \u{F0001}b:c;\u{F0002} }",
            &["1:"],
            "in the inlined styles of `a`, a tag that waits for the reader stands outside of a value",
        ),
    ] {
        let (found, said) = read_css(css);
        assert_eq!(found, rules, "{css}");
        assert_eq!(said.first().map(String::as_str), Some(message), "{css}");
        assert!(said.iter().all(|said| !said.contains('\u{F0002}')), "{css}");
    }
}

#[test]
fn character_references_are_no_ends() {
    let all = declarations("font-family:&quot;Open Sans&quot;, x;color:&#35;fff; b:c&;d:e");
    let all: Vec<_> = all
        .iter()
        .map(|it| format!("{}={}", it.name, it.value))
        .collect();
    assert_eq!(
        all,
        [
            "font-family=&quot;Open Sans&quot;, x",
            "color=&#35;fff",
            "b=c&",
            "d=e"
        ]
    );
}

proptest! {
    #[test]
    fn any_styles_can_be_read(css in "([a-c.:;,{}()'\" @!\u{F0000}é\\\\]|/\\*|\\*/|<!--|important){0,40}") {
        read_css(&css);
        declarations(&css);
    }
}
