use proptest::prelude::*;
use tera::{Context, Tera};

use super::{tags::Piece as CodePiece, *};
use crate::{compose::tokens, place::Text};

fn stage(source: &str) -> (Tags, Staged) {
    let mut tags = Tags::default();
    let source = Source::whole(&Text::new("a.mjml", source));
    let staged = tags.stage(&source, Markup::Other).unwrap();
    (tags, staged)
}

/// The template with `·` for each tag that was cut, and the codes of these tags.
fn shown(source: &str) -> (String, Vec<String>) {
    let (tags, staged) = stage(source);
    let template = staged
        .template
        .replace(|character| tokens::tag_index(character).is_some(), "·");
    let codes = tags.tags.iter().map(|tag| {
        tag.pieces
            .iter()
            .map(|piece| match piece {
                CodePiece::Code(code) => code.as_str(),
                CodePiece::Captured => "<>",
            })
            .collect::<String>()
    });
    (template, codes.collect())
}

fn errors(source: &str) -> Vec<String> {
    let source = Source::whole(&Text::new("a.mjml", source));
    match Tags::default().stage(&source, Markup::Mjml) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn tags_of_the_reader_are_cut_and_others_stay() {
    assert_eq!(
        shown("{{ issue.title }} {{ subscriber.name | default(value='you') }} {{unsubscribe_url}}"),
        (
            "{{ issue.title }} · ·".to_owned(),
            vec![
                " subscriber.name | default(value='you') ".to_owned(),
                "unsubscribe_url".to_owned()
            ]
        )
    );
}

#[test]
fn strings_comments_and_raw_are_no_tags() {
    for source in [
        "{# {{ subscriber.a }} #}",
        "{% raw %}{{ subscriber.a }}{% endraw %}",
        "{{ 'subscriber.a' }}",
        "{{ a.subscriber }}",
        "{{ a | b(subscriber=1) }}",
        "{{ subscriber.a",
    ] {
        assert_eq!(shown(source), (source.to_owned(), vec![]));
    }
}

#[test]
fn blocks_are_cut_whole() {
    let (template, codes) = shown(
        "{%- if subscriber.a -%}{% if b %}1{% else %}2{% endif %}{% elif c %}3{% else %}4{% endif %}",
    );
    assert_eq!(
        template,
        "{#- #}·{# -#}{% if b %}1{% else %}2{% endif %}·{{ c | __capture }}3·4·"
    );
    assert_eq!(
        codes,
        [" if subscriber.a ", " elif <> ", " else ", " endif "]
    );
}

#[test]
fn names_bound_by_the_reader_belong_to_the_reader() {
    let (template, codes) = shown(
        "{% for t in subscriber.topics %}{{ t }}{{ loop.index }}{% endfor %}{{ t }}{% set n = subscriber.name %}{{ n }}{% set m = 1 %}{{ m }}",
    );
    assert_eq!(template, "····{{ t }}··{% set m = 1 %}{{ m }}");
    assert_eq!(codes.len(), 6);
}

#[test]
fn a_set_or_break_in_a_block_of_the_reader_waits_too() {
    let (template, _) = shown("{% if subscriber.a %}{% set x = b.c %}{% endif %}{{ x }}");
    assert_eq!(template, "··{{ b.c | __capture }}··");
    let (template, _) = shown("{% for t in subscriber.a %}{% break %}{% endfor %}");
    assert_eq!(template, "···");
    assert_eq!(
        errors("{% for a in b %}{% if subscriber.c %}{% break %}{% endif %}{% endfor %}"),
        [
            "a.mjml:1:38: this `break` depends on the reader, but its loop runs when the issue is composed"
        ]
    );
}

#[test]
fn a_name_that_is_ever_set_by_the_reader_belongs_to_the_reader() {
    let (template, codes) = shown(
        "{% set n = 'you' %}{% if subscriber.a %}{% set n = subscriber.a %}{% endif %}{% set m = n %}{{ m }}",
    );
    assert_eq!(template, "······");
    assert_eq!(codes[0], " set n = 'you' ");
}

#[test]
fn values_are_captured_in_each_turn_of_a_loop() {
    let (tags, staged) = stage(
        "{% for a in articles %}{% if a.topic in subscriber.topics and loop.first %}{{ a.n }}{% endif %}{% endfor %}",
    );
    let mut tera = Tera::new();
    crate::compose::filters::register(&mut tera);
    tera.add_raw_template("a.txt", &staged.template).unwrap();
    let mut context = Context::new();
    context.insert(
        "articles",
        &serde_json::json!([{"topic": "a\"b", "n": 1}, {"n": 2}]),
    );
    let text = tera.render("a.txt", &context).unwrap();
    let codes: Vec<_> = tags
        .runs(&text)
        .unwrap()
        .into_iter()
        .map(|(_, run)| run.code)
        .collect();
    assert_eq!(
        codes,
        [
            r#" if "a\"b" in subscriber.topics and true "#,
            " endif ",
            " if __absent.value in subscriber.topics and false ",
            " endif ",
        ]
    );
}

#[test]
fn what_cannot_be_staged_is_refused_with_advice() {
    let line = |source: &str| {
        let found = errors(source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        found[0].clone()
    };
    assert_eq!(
        line("{% if a %}{% elif subscriber.b %}{% endif %}"),
        "a.mjml:1:11: this `elif` depends on the reader, but its `if` is decided when the issue is composed"
    );
    assert_eq!(
        line("\n{% if subscriber.b %}"),
        "a.mjml:2:1: `if` is never closed"
    );
    assert_eq!(
        line("{% if subscriber.b %}{% for a in c %}{% endif %}{% endif %}"),
        "a.mjml:1:38: this closes a `if`, but the `for` of line 1 is still open"
    );
    assert_eq!(
        line("{{ <card title={subscriber.b} /> }}"),
        "a.mjml:1:1: an argument of a component cannot depend on the reader"
    );
    assert_eq!(
        line("{% <card view_url> %}{% </card> %}"),
        "a.mjml:1:1: an argument of a component cannot depend on the reader"
    );
    assert_eq!(
        line("{% include subscriber.b %}"),
        "a.mjml:1:1: `include` cannot depend on the reader"
    );
    assert_eq!(
        line("{% filter upper %}{{ subscriber.b }}{% endfilter %}"),
        "a.mjml:1:19: a `filter` section runs when the issue is composed and cannot hold what depends on the reader"
    );
    assert_eq!(
        line("{% for subscriber in a %}{% endfor %}"),
        "a.mjml:1:1: `subscriber` is already the name of something of the reader's"
    );
    assert_eq!(
        line("é\u{F0000}"),
        "a.mjml:1:2: the private-use character U+F0000 cannot be used"
    );
    for (encoded, code) in [
        ("&#xF0000;", "F0000"),
        ("&#XF0000;", "F0000"),
        ("&#983040;", "F0000"),
        ("&#1048577;", "100001"),
        ("%F3%B0%80%80", "F0000"),
        ("%f3%b0%80%80", "F0000"),
    ] {
        for around in ["\né&@", "<a href='100%&amp;@'>", "{% raw %}@", "{{ '@' }}"] {
            let source = around.replace('@', encoded);
            let place = Text::new("a.mjml", source.as_str());
            let at = source.find(encoded).unwrap();
            assert_eq!(
                errors(&source),
                [format!(
                    "{}: the private-use character U+{code} cannot be used, nor can `{encoded}`",
                    place.place(at..at)
                )]
            );
        }
    }
    assert_eq!(
        errors("&#xE000; %EF%BF%BD &#xF0000 %F3%B0 &amp;#xF0000;"),
        [""; 0]
    );
    assert_eq!(
        line("a{{ subscriber.b ~ '\u{1})' }}"),
        "a.mjml:1:21: the control character U+0001 cannot be used"
    );
}

#[test]
fn places_lead_back_to_the_author() {
    let (_, staged) = stage("{{ subscriber.first_name }} é {{ nope }}");
    let at = staged.template.find("nope").unwrap();
    assert_eq!(staged.place(at..at + 4).to_string(), "a.mjml:1:34");
    assert_eq!(staged.place(0..1).to_string(), "a.mjml:1:1");
}

#[test]
fn a_value_of_the_front_matter_keeps_its_place() {
    let text = Text::new("i.md", "+++\nsubject = \"Hi {{ nope }}\"\n");
    let verbatim = Source::value("Hi {{ nope }}", &text.place(15..28));
    let staged = Tags::default().stage(&verbatim, Markup::Other).unwrap();
    assert_eq!(staged.place(6..10).to_string(), "i.md:2:18");
    let other = Source::value("Hi {{ nope }}!", &text.place(15..28));
    let staged = Tags::default().stage(&other, Markup::Other).unwrap();
    assert_eq!(staged.place(6..10).to_string(), "i.md:2:12");
}

#[test]
fn marks_stand_after_the_names_of_tags() {
    let mut tags = Tags::default();
    let text = Text::new(
        "a.mjml",
        "<mj-text a='<b>'>x</mj-text> <mj-{{ a }}> a < b <",
    );
    let staged = tags.stage(&Source::whole(&text), Markup::Mjml).unwrap();
    let shown = staged
        .template
        .replace(|character| tokens::mark_index(character).is_some(), "·");
    assert_eq!(
        shown,
        "<mj-text· a='<b·>'>x</mj-text·> <mj-{{ a }}> a < b <"
    );
    let second = staged.template.find("</").unwrap();
    let mark = staged.template[second + 9..].chars().next().unwrap();
    assert_eq!(tags.marked(mark).unwrap().to_string(), "a.mjml:1:19");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_source_can_be_staged(source in "(\\{\\{|\\{%|%\\}|\\}\\}| if | endif | for x in | endfor |subscriber|\\.a|b|\\[|\\]|'|\"|é|<mj-|-|#|\n){0,24}") {
        let text = Text::new("a.mjml", source.as_str());
        let _ = Tags::default().stage(&Source::whole(&text), Markup::Mjml);
    }

    #[test]
    fn without_the_reader_only_marks_are_added(source in "[-a-z{}%#<>/ '\"é]{0,60}") {
        let text = Text::new("a.mjml", source.as_str());
        let mut tags = Tags::default();
        let staged = tags.stage(&Source::whole(&text), Markup::Mjml).unwrap();
        prop_assert_eq!(tokens::without_marks(&staged.template), source);
        prop_assert!(tags.tags.is_empty());
    }
}
