use proptest::prelude::*;

use super::*;
use crate::{
    compose::testing::{Bench, first_text},
    error::Error,
};

fn fields(fields: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let value = |name: &str, cell: &str| match name {
        "topics" => Value::List(
            cell.split(';')
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        _ => Value::Text(cell.to_owned()),
    };
    let fields = fields.iter();
    fields
        .map(|(name, cell)| ((*name).to_owned(), value(name, cell)))
        .collect()
}

fn links() -> Links {
    Links {
        unsubscribe_url: "https://news.example.com/u?t=1&k=2".to_owned(),
        preferences_url: "https://news.example.com/p".to_owned(),
        view_url: "https://news.example.com/i/".to_owned(),
    }
}

fn merge(bench: &Bench, reader: &[(&str, &str)]) -> Result<Merged> {
    let composed = bench.compose()?;
    Merger::new(&composed.edition)?.merge(&fields(reader), &links())
}

fn read(bench: &Bench, reader: &[(&str, &str)]) -> String {
    first_text(&merge(bench, reader).unwrap().html)
}

fn shown(error: &Error) -> String {
    format!("{error} | {}", error.hints().join(" "))
}

fn merger(content: &str) -> Merger {
    let composed = Bench::words(content).compose().unwrap();
    Merger::new(&composed.edition).unwrap()
}

#[test]
fn a_merger_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&merger("x"));
}

#[test]
fn a_reader_gets_their_own_mail() {
    let bench = Bench {
        text: "{{ subscriber.name }} {{ view_url }} {{ preferences_url }}".to_owned(),
        ..Bench::words("{{ subscriber.name }} <a href='{{ unsubscribe_url }}'>off</a>")
    };
    let bench = bench
        .issue("+++\nsubject = \"{{ subscriber.name }}  {{ subscriber.nick or '' }} !\"\n+++\n");
    let merged = merge(&bench, &[("name", "Al\u{1} <\r\n&>")]).unwrap();
    assert_eq!(merged.subject, "Al < &> !");
    assert_eq!(
        first_text(&merged.html),
        "Al &lt;\n&amp;&gt; <a href='https://news.example.com/u?t=1&amp;k=2'>off</a>"
    );
    assert_eq!(
        merged.text,
        "Al <\n&> https://news.example.com/i/ https://news.example.com/p\n"
    );
}

#[test]
fn blank_fields_are_absent() {
    let bench = Bench::words(
        "{{ subscriber.a | default(value='-') }}{{ subscriber.a or '+' }}{% if subscriber.a %}?{% endif %}{% if subscriber.a == 'x' %}!{% endif %}",
    );
    for blank in [&[][..], &[("a", "")], &[("a", " \t")]] {
        assert_eq!(read(&bench, blank), "-+");
    }
    assert_eq!(read(&bench, &[("a", "x")]), "xx?!");
}

#[test]
fn lists_are_arrays() {
    let bench = Bench::words(
        "{% if 'a' in subscriber.topics %}in{% endif %}{% for t in subscriber.topics %}{{ loop.index }}{{ t }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}",
    );
    assert_eq!(read(&bench, &[("topics", "a;b")]), "in1a, 2b");
    assert_eq!(read(&bench, &[("topics", "")]), "none");
}

#[test]
fn errors_say_which_field_and_where() {
    let hint = "Write `{{ subscriber.first_name | default(value=\"…\") }}`, or `{% if subscriber.first_name %}` around it.";
    for content in [
        "{{ subscriber.first_name }}",
        "{{ subscriber.first_name | upper }}",
        "<a href='{{ subscriber.first_name }}'>x</a>",
        "<a href='https://x.example/{{ subscriber.first_name }}'>x</a>",
        "<a title='{{ subscriber.first_name }}'>x</a>",
        "{% if 'x' in subscriber.first_name %}{% endif %}",
        "{% for x in subscriber.first_name %}{% endfor %}",
        "{% if subscriber.first_name > 3 %}{% endif %}",
    ] {
        let error = merge(&Bench::words(content), &[("email", "a@x.example")]).unwrap_err();
        assert_eq!(
            error.message(),
            "this reader has no `first_name`",
            "{content}"
        );
        assert_eq!(error.hints(), [hint], "{content}");
        let column = "<mj-section><mj-column><mj-text>".len() + content.find('{').unwrap() + 1;
        assert_eq!(
            error.place().unwrap().to_string(),
            format!("templates/digest.mjml:3:{column}"),
            "{content}"
        );
    }
    let subject =
        Bench::words("x").issue("+++\nsubject = \"Hi {{ subscriber.first_name }}\"\n+++\n");
    assert_eq!(
        shown(&merge(&subject, &[]).unwrap_err()),
        format!("issues/i.md:2:15: this reader has no `first_name` | {hint}")
    );
    let text = Bench::text("Hi\n{{ subscriber.first_name }}");
    assert_eq!(
        shown(&merge(&text, &[]).unwrap_err()),
        format!("templates/digest.txt:2:1: this reader has no `first_name` | {hint}")
    );
}

#[test]
fn an_edition_that_was_written_to_disk_merges_the_same() {
    let bench = Bench::words("{{ subscriber.a }}{{ subscriber.b }}<img src='a.png'>");
    let edition = bench.compose().unwrap().edition;
    let json = serde_json::to_string(&edition).unwrap();
    let again: Edition = serde_json::from_str(&json).unwrap();
    assert_eq!(again, edition);
    let reader = fields(&[("a", "x")]);
    let error = Merger::new(&again)
        .unwrap()
        .merge(&reader, &links())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "templates/digest.mjml:3:51: this reader has no `b`"
    );
}

#[test]
fn values_captured_for_one_article_stay_with_it() {
    let bench = Bench::words(
        "{% for article in articles %}{% if article.topic == subscriber.plan or article.byline %}{{ article.title }} {{ subscriber.plan ~ article.topic }} {{ article.reading_minutes + 1 }} {% endif %}{% endfor %}{{ [subscriber.plan, articles[0].title] | join(sep='/') }} {{ articles[1].topics if subscriber.plan == 'b' else 'no' }}",
    )
    .article("A", "a", "x")
    .article("B\n\"\\", "b", "x");
    assert_eq!(read(&bench, &[("plan", "a")]), "A aa 2 a/A no");
    assert_eq!(
        read(&bench, &[("plan", "b")]),
        "B\n&quot;\\ bb 2 b/A [&quot;b&quot;]"
    );
}

#[test]
fn a_cell_that_attacks_is_shown_or_refused() {
    let bench = Bench::words(
        "<a href='{{ subscriber.a }}'>x</a><a href='https://x.example/?q={{ subscriber.b }}'>y</a><i title='{{ subscriber.b }}' class=\"{{ subscriber.b | safe }}\">{{ subscriber.b | newlines_to_br }}{{ ('<b>' | safe) ~ subscriber.b }}{% set c %}<u>{{ subscriber.b }}</u>{% endset %}{{ c }}</i>",
    );
    for scheme in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "\u{1}javascript:alert(1)",
        "&#106;avascript:alert(1)",
        "javascript&colon;alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "https:evil.example",
        " ",
        "https://x.example/\u{9}y",
    ] {
        let reader = [("a", scheme), ("b", "x")];
        assert!(merge(&bench, &reader).is_err(), "{scheme}");
    }
    let reader = [
        ("a", "https://x.example/'\" onclick=x>"),
        ("b", "'\"></i></style><script>--><![endif]-->"),
    ];
    let html = merge(&bench, &reader).unwrap().html;
    let plain = merge(&bench, &[("a", "https://x.example/"), ("b", "x")]).unwrap();
    assert_eq!(html.matches('<').count(), plain.html.matches('<').count());
    assert_eq!(html.matches('"').count(), plain.html.matches('"').count());
    assert_eq!(html.matches('\'').count(), plain.html.matches('\'').count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cell_can_be_merged(cell in "(\\{\\{|\\}\\}|\u{1}|\\(|\\)|\\[|\\]|<|>|\"|'|&|@@0@@|</div>|\u{F0000}|a|é| ){0,20}") {
        let bench = Bench::words("<i title=\"{{ subscriber.a or 'x' }}\">{{ subscriber.a or 'x' }}</i><a href=\"https://x.example/{{ subscriber.a or 'x' }}\">y</a>")
            .issue("+++\nsubject = \"{{ subscriber.a or 'x' }}\"\n+++\n");
        let merged = merge(&bench, &[("a", &cell)]).unwrap();
        let plain = merge(&bench, &[("a", "x")]).unwrap();
        let tags = |html: &str| html.matches('<').count();
        prop_assert_eq!(tags(&merged.html), tags(&plain.html));
        prop_assert!(!merged.subject.contains(char::is_control));
    }
}
