use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    super::{Mailbox, Secret, address},
    *,
};
use crate::{
    audience::{Address, Value},
    compose::{Origin, Part, STATEMENT, Tag},
};

const PRINT: [&str; 2] = ["\u{1}(", ")\u{1}"];

fn letterhead() -> Letterhead {
    Letterhead {
        from: "The Weekly Press <press@news.example.com>"
            .parse::<Mailbox>()
            .unwrap(),
        reply_to: None,
        return_path: "b+{token}@bounce.example.com".to_owned(),
        list_name: "The Weekly Press".to_owned(),
        list_id: None,
        base_url: Some("https://news.example.com".to_owned()),
        unsubscribe_mailto: None,
        campaign: "welcome@all".to_owned(),
        slug: "welcome".to_owned(),
        date: "2026-11-03T08:05:09Z".parse().unwrap(),
        secret: Secret::new([7; 32]),
        subject_prefix: None,
        signers: Signers::default(),
    }
}

fn recipient(fields: &[(&str, Value)]) -> Recipient {
    Recipient {
        line: 2,
        address: Address::parse("ann@example.org").unwrap(),
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A part of a template in which `{{ }}` and `{% %}` are the author's.
fn part(template: &str) -> Part {
    let mut part = Part::default();
    let mut rest = template;
    while let Some(at) = rest.find(['{']) {
        part.template.push_str(&rest[..at]);
        rest = &rest[at..];
        let (end, [open, close]) = match rest.get(..2) {
            Some("{{") => ("}}", PRINT),
            Some("{%") => ("%}", STATEMENT),
            other => panic!("{other:?}"),
        };
        let length = rest.find(end).unwrap();
        let start = part.template.len();
        part.template
            .push_str(&format!("{open}{}{close}", &rest[2..length]));
        part.tags.push(Tag {
            range: start..part.template.len(),
            origin: Origin {
                file: "t".to_owned(),
                line: 1 + part.tags.len(),
                column: 1,
                source_line: rest[..length + 2].to_owned(),
                span: 0..length + 2,
            },
        });
        rest = &rest[length + 2..];
    }
    part.template.push_str(rest);
    part
}

fn edition(html: &str, text: &str) -> Edition {
    Edition {
        subject: part("News for {{ subscriber.name }}"),
        html: part(html),
        text: part(text),
        images: Vec::new(),
        fields: Vec::new(),
        language: "en".to_owned(),
    }
}

/// The mail of both ways, which is one.
fn both(edition: &Edition, recipient: &Recipient) -> Result<Mail> {
    let letterhead = letterhead();
    let merger = Merger::new(edition).unwrap();
    let plain = address(&letterhead, &merger, &edition.images, recipient);
    let forme = Forme::new(&letterhead, edition).unwrap();
    let mail = forme.mail(recipient);
    match (&mail, &plain) {
        (Ok(mail), Ok(plain)) => {
            let text = |mail: &Mail| String::from_utf8(mail.message.clone()).unwrap();
            assert_eq!(text(mail), text(plain));
            assert_eq!(mail, plain);
        }
        (Err(error), Err(plain)) => {
            assert_eq!(error.to_string(), plain.to_string());
            assert_eq!(error.hints(), plain.hints());
        }
        other => panic!("{other:?}"),
    }
    mail
}

#[test]
fn a_forme_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Forme::new(&letterhead(), &edition("a", "b")).unwrap());
}

#[test]
fn errors_are_at_the_place_of_the_author() {
    let long = "a text that is long enough to become a plate of its own";
    let template = format!("{long}{{{{ subscriber.name }}}}{long}{{{{ subscriber.gone }}}}{long}");
    let name = recipient(&[("name", Value::Text("Ann".to_owned()))]);
    let error = both(&edition("x", &template), &name).unwrap_err();
    assert_eq!(error.to_string(), "t:2:1: this reader has no `gone`");
}

#[test]
fn a_text_that_is_captured_stays_what_it_was() {
    let long = "a text that is long enough to become a plate\n";
    for template in [
        format!(
            "{{% set x %}}{long}{{{{ subscriber.name }}}}{long}{{% endset %}}{long}{{{{ x | upper }}}}{{{{ x | length }}}}{long}"
        ),
        format!(
            "{{% filter upper %}}{long}{{% set y %}}{long}{{% endset %}}{{% endfilter %}}{long}"
        ),
        format!("{{% set x = \"a\" %}}{long}{{{{ x }}}}{long}"),
        format!(
            "{long}{{% for x in subscriber.topics %}}{long}{{% if loop.first %}}{{% continue %}}{{% endif %}}{{{{ x }}}} {long}{long}{{% endfor %}}{long}"
        ),
    ] {
        let topics = Value::List(vec!["a".into(), "b".into(), "c".into()]);
        let ann = recipient(&[("name", Value::Text("Ann".to_owned())), ("topics", topics)]);
        both(&edition(&template, &template), &ann).unwrap();
        let stencil = Stencil::new(&part(&template));
        assert!(stencil.part.template.contains('\u{2}'), "{template}");
    }
}

/// Words, and what is hard in quoted-printable.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "([ -z]|[ =.\t\r\n]|\\.|\r\n|\n\\.|\nFrom |From |Fro|é|🙂|新){0,200}",
        2 => "(<td style=\"color:#[0-9]{3}; font: a,b\">|</td>|<p>|words and |\n){0,40}",
        1 => "(新聞|é|\r|\n|[a-z]){0,80}",
        1 => "[a-z0-9]{0,300}",
        1 => "(\r|\n|om | |F|m |\\.|r){1,3}",
    ]
}

fn slot() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "{{ subscriber.name }}",
        "{{ subscriber.word }}",
        "{{ subscriber.word | safe | upper }}",
        "{{ subscriber.none | default(value='dear reader, whoever you are') }}",
        "{{ subscriber.topics | join(sep=', ') }}",
        "{{ unsubscribe_url }}",
        "{{ subscriber.topics | length }}",
    ])
    .prop_map(str::to_owned)
}

fn template() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => literal(), 2 => slot()];
    leaf.prop_recursive(3, 24, 6, |inner| {
        let body = prop::collection::vec(inner, 0..6).prop_map(|pieces| pieces.concat());
        prop_oneof![
            3 => body.clone(),
            1 => (body.clone(), body.clone()).prop_map(|(a, b)| format!("{{% if subscriber.word == 'x' or 'a' in subscriber.topics %}}{a}{{% else %}}{b}{{% endif %}}")),
            1 => body.clone().prop_map(|a| format!("{{% for t in subscriber.topics %}}{a}{{{{ t }}}}{{% endfor %}}")),
            1 => body.clone().prop_map(|a| format!("{{% set c %}}{a}{{% endset %}}{{{{ c | trim }}}}")),
            1 => body.prop_map(|a| format!("{{% filter upper %}}{a}{{% endfilter %}}")),
        ]
    })
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,90}",
        "([ -~]|é|🙂|新|\n|\t|\r|\u{2}|From |\\.){1,60}",
        "(om |m | |\n|\\.|x)",
        "新{1,90}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_mail_is_that_of_the_plain_way(
        html in template(),
        text in template(),
        name in cell(),
        word in cell(),
        topics in prop::collection::vec(cell(), 0..4),
    ) {
        let reader = recipient(&[
            ("name", Value::Text(name)),
            ("word", Value::Text(word)),
            ("topics", Value::List(topics)),
        ]);
        let _ = both(&edition(&html, &text), &reader);
    }
}
