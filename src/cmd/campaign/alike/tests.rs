use proptest::prelude::*;

use super::*;
use crate::{
    audience::Address,
    compose::testing::Bench,
    mail::{Links, Merger},
};

fn questions(content: &str) -> Option<Vec<(String, Use)>> {
    let composed = Bench::words(content).compose().unwrap();
    let questions = Questions::of(&composed.edition)?;
    Some(questions.fields.into_iter().collect())
}

fn shown(name: &str) -> (String, Use) {
    (name.to_owned(), Use::Shown)
}

fn looked_at(name: &str) -> (String, Use) {
    (name.to_owned(), Use::LookedAt)
}

#[test]
fn what_is_shown_is_told_from_what_is_looked_at() {
    for (content, expected) in [
        ("x", vec![]),
        ("{{ subscriber.a }}", vec![shown("a")]),
        (
            "{{ subscriber.a | default(value=\"you\") }} {{subscriber.b}}",
            vec![shown("a"), shown("b")],
        ),
        ("<a title='{{ subscriber.a }}'>x</a>", vec![shown("a")]),
        (
            "<a href='https://example.com/{{ subscriber.a }}'>x</a>",
            vec![shown("a")],
        ),
        ("<a href='{{ subscriber.a }}'>x</a>", vec![looked_at("a")]),
        ("{{ subscriber.a | upper }}", vec![looked_at("a")]),
        (
            "{{ subscriber.a or subscriber.b }}",
            vec![looked_at("a"), looked_at("b")],
        ),
        (
            "{{ subscriber.a }}{% if subscriber.a == \"x\" %}y{% endif %}",
            vec![looked_at("a")],
        ),
        (
            "{% for topic in subscriber.topics %}{{ topic }}{{ subscriber.a }}{% endfor %}",
            vec![shown("a"), looked_at("topics")],
        ),
        (
            "<a href='{{ unsubscribe_url }}'>{{ view_url }}</a>{% if preferences_url %}x{% endif %}",
            vec![],
        ),
    ] {
        assert_eq!(questions(content), Some(expected), "{content}");
    }
}

#[test]
fn what_is_not_understood_makes_nobody_alike() {
    for content in [
        "{{ subscriber[\"a\"] }}",
        "{{ subscriber }}",
        "{{ unsubscribe_url | upper }}",
        "{% if view_url == \"x\" %}y{% endif %}",
        "{% set a = subscriber.a %}{{ a }}",
        "{% filter upper %}{{ subscriber.a }}{% endfilter %}",
    ] {
        if let Ok(composed) = Bench::words(content).compose() {
            assert_eq!(Questions::of(&composed.edition), None, "{content}");
        }
    }
}

fn reader(fields: Vec<(&'static str, Value)>) -> Recipient {
    let fields = fields.into_iter();
    Recipient {
        line: 2,
        address: Address::parse("ann@example.org").unwrap(),
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

const CONTENTS: [&str; 10] = [
    "{{ subscriber.a }}",
    "{{ subscriber.a | default(value=\"you\") }}",
    "<a href='{{ subscriber.a }}'>x</a>",
    "<a href='https://example.com/{{ subscriber.a }}'>x</a>",
    "<a title='{{ subscriber.a }}'>x</a>",
    "{{ subscriber.a | int }}",
    "{% if subscriber.b == \"1\" %}{{ subscriber.a | int }}{% endif %}",
    "{% for topic in subscriber.topics %}<a href='{{ topic }}'>{{ subscriber.a }}</a>{% endfor %}",
    "{% if \"1\" in subscriber.topics %}{{ subscriber.a }}{% else %}{{ subscriber.b }}{% endif %}",
    "{{ subscriber.a or subscriber.b }}",
];

const SUBJECTS: [&str; 3] = [
    "S",
    "{{ subscriber.a }}",
    "{{ subscriber.b | default(value=\"\") }}",
];

fn readers() -> impl Strategy<Value = Vec<Recipient>> {
    let cell = prop::sample::select(vec![
        "",
        " ",
        "\u{1}",
        "1",
        "Ann",
        "https://example.com",
        "javascript:",
    ]);
    let text = cell.clone().prop_map(|cell| Value::Text(cell.to_owned()));
    let list = prop::collection::vec(cell.prop_map(str::to_owned), 0..3).prop_map(Value::List);
    let reader = (
        prop::option::of(text.clone()),
        prop::option::of(text),
        prop::option::of(list),
    )
        .prop_map(|(a, b, topics)| {
            let fields = [("a", a), ("b", b), ("topics", topics)];
            reader(
                fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect(),
            )
        });
    prop::collection::vec(reader, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// A merge that is left out would have gone well.
    #[test]
    fn who_is_alike_has_the_same_faults(
        readers in readers(),
        content in prop::sample::select(&CONTENTS[..]),
        subject in prop::sample::select(&SUBJECTS[..]),
    ) {
        let issue = format!("+++\nsubject = '{subject}'\n+++\n");
        let composed = Bench::words(content).issue(&issue).compose().unwrap();
        let merger = Merger::new(&composed.edition).unwrap();
        let questions = Questions::of(&composed.edition).unwrap();
        let mut alike = Alike::default();
        for (number, reader) in readers.iter().enumerate() {
            let url = |page: &str| format!("https://news.example.com/{page}/{number}");
            let links = Links {
                unsubscribe_url: url("u"),
                preferences_url: url("p"),
                view_url: url("v"),
            };
            let is_sound = || {
                merger
                    .merge(&reader.fields, &links)
                    .is_ok_and(|merged| !merged.subject.trim().is_empty())
            };
            let is_known = alike.is_known(&questions, reader, is_sound);
            prop_assert_eq!(is_known, is_sound(), "{:?}", reader);
        }
    }
}
