//! Whatever the sources, the data and the reader say.

use proptest::prelude::*;

use crate::compose::testing::{Bench, paragraph};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_value_in_text_is_escaped_and_nothing_else(value in "[^\\x00-\\x1f\\x7f-\\x9f]{1,30}") {
        prop_assume!(!value.trim().is_empty());
        let bench = Bench::words("<b>{{ subscriber.a }}</b>");
        prop_assert_eq!(bench.read(&[("a", &value)]), format!("<b>{}</b>", crate::issue::html::escape(&value)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_template_is_composed_or_refused(content in "(\\{\\{ |\\{% | %\\}| \\}\\}|if |endif|for a in articles|endfor|subscriber\\.a|article|a\\.title|<mj-text>|</mj-text>|<mj-section>|</mj-section>|<mj-column>|</mj-column>|<p|</p>|>| href=|\"|'|x| ){0,16}") {
        let bench = Bench::page(&content).article("T", "t", "x");
        if let Ok(merged) = bench.merge(&[("a", "https://x.example/")]) {
            prop_assert!(!merged.html.contains(char::from(1)));
        }
    }

    #[test]
    fn any_data_is_text(title in "(\\{\\{|\\{%|%\\}|\\}\\}|\u{1}[(\\[]|<!--\\[if mso\\]>|-->|</mj-text>|@@0@@|&#xF0000;|%F3%B0%80%80|\u{F0000}|\u{100000}|\"|'|>|é|\\\\| ){0,12}") {
        let mut bench = Bench::page("<mj-section><mj-column><mj-image src='https://x.example' alt='{{ articles[0].title }}'/><mj-text>{{ articles[0].title }}{{ articles[0].body[0].html }}</mj-text></mj-column></mj-section>").article(&title, "t", "x");
        bench.articles[0].body = vec![paragraph(&title)];
        let merged = bench.merge(&[]).unwrap();
        let reference = {
            let mut bench = bench;
            bench.articles[0].title = "x".to_owned();
            bench.articles[0].body = vec![paragraph("x")];
            bench.merge(&[]).unwrap()
        };
        let tags = |html: &str| html.matches('<').count();
        prop_assert_eq!(tags(&merged.html), tags(&reference.html));
        prop_assert!(!merged.html.contains(crate::compose::tokens::is_reserved));
    }
}
