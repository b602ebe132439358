use proptest::prelude::*;

use super::*;
use crate::compose::{
    Validation,
    testing::{Bench, shown},
};

const ROWS: &str = "{% for article in articles %}<mj-section><mj-column><mj-text>{{ article.title }} {% for block in article.body %}{{ block.html }}{% endfor %}</mj-text></mj-column></mj-section>{% endfor %}";

/// A page of three articles with a picture, two partials and a file that is included.
fn bench() -> Bench {
    let picture =
        "<mj-section><mj-column><mj-image src=\"a.png\" alt=\"\" /></mj-column></mj-section>";
    Bench::page(&format!(
        "{{% include \"partials/top.mjml\" %}}{ROWS}{picture}<mj-include path=\"../foot.mjml\" />{{% include \"partials/end.mjml\" %}}"
    ))
    .partial("partials/top.mjml", &row("Dear {{ subscriber.name | default(value='reader') }}"))
    .partial("partials/end.mjml", &row("<a href=\"{{ unsubscribe_url }}\">off</a>"))
    .file("foot.mjml", &row("foot"))
    .article("One", "type", "It *runs*.")
    .article("Two", "ink", "It flows.")
    .article("Three", "type", "It stands.")
    .issue("+++\nsubject = \"S\"\n+++\nDear {{ subscriber.name or 'reader' }}\n")
}

fn row(text: &str) -> String {
    format!("<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>")
}

/// What came of it, to be compared.
fn told(composed: Result<Arc<Composed>>) -> Result<String, String> {
    let composed = composed.map_err(|error| shown(&error))?;
    Ok(format!(
        "{}\n{:#?}\n{:#?}",
        composed.mjml, composed.edition, composed.findings
    ))
}

/// Composes, holds it against a fresh run, and says what was made.
fn made(bench: &Bench, standing: &mut Standing) -> Tally {
    let before = standing.tally();
    let composed = told(bench.compose_with(standing));
    assert_eq!(composed, told(bench.compose().map(Arc::new)));
    let now = standing.tally();
    Tally {
        templates: now.templates - before.templates,
        articles: now.articles - before.articles,
        editions: now.editions - before.editions,
    }
}

fn tally(templates: usize, articles: usize, editions: usize) -> Tally {
    Tally {
        templates,
        articles,
        editions,
    }
}

#[test]
fn only_what_has_changed_is_made_again() {
    let mut bench = bench();
    let mut standing = Standing::default();
    let all = Templates::new(Vec::new()).iter().count() + 2;
    assert_eq!(made(&bench, &mut standing), tally(all, 3, 1));
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 0));

    bench.articles[1].title = "Another".to_owned();
    assert_eq!(made(&bench, &mut standing), tally(0, 1, 1));
    bench.partials[1].1 = row("{{ subscriber.plan }} <a href=\"{{ unsubscribe_url }}\">off</a>");
    assert_eq!(made(&bench, &mut standing), tally(1, 0, 1));
    bench.issue = bench.issue.replace("Dear", "Hello");
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 1));
    bench.articles.swap(0, 2);
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 1));
    bench.publication.name = "Other".to_owned();
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 1));

    // What is read while the page is made counts, too.
    bench.files[0].1 = row("other foot");
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 1));
    bench.ink = "red".to_owned();
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 1));
    assert_eq!(made(&bench, &mut standing), tally(0, 0, 0));
}

#[test]
fn nothing_changed_is_the_very_same_edition() {
    let mut standing = Standing::default();
    let one = bench().compose_with(&mut standing).unwrap();
    let other = bench().compose_with(&mut standing).unwrap();
    assert!(Arc::ptr_eq(&one, &other));
}

#[test]
fn a_file_that_is_missing_is_looked_for_at_each_time() {
    let mut bench = bench();
    bench.validation = Validation::Soft;
    let (name, content) = bench.files.remove(0);
    let mut standing = Standing::default();
    assert_eq!(made(&bench, &mut standing).editions, 1);
    assert_eq!(made(&bench, &mut standing).editions, 1);
    bench.files.push((name, content));
    assert_eq!(made(&bench, &mut standing).editions, 1);
    assert_eq!(made(&bench, &mut standing).editions, 0);
}

#[test]
fn what_was_wrong_is_told_again_and_then_forgotten() {
    let mut bench = bench();
    let mut standing = Standing::default();
    made(&bench, &mut standing);
    let right = std::mem::replace(&mut bench.partials[0].1, "{% if subscriber.a %}".to_owned());
    assert!(told(bench.compose_with(&mut standing)).is_err());
    made(&bench, &mut standing);
    bench.partials[0].1 = right;
    made(&bench, &mut standing);
}

#[test]
fn templates_that_were_edited_for_days_find_room_for_their_tags() {
    let mut bench = bench();
    let mut standing = Standing::default();
    let tags = "{{ subscriber.a }}".repeat(3_000);
    for day in 0..4 {
        bench.partials[0].1 = row(&format!("{day} {tags}"));
        bench.compose_with(&mut standing).unwrap();
    }
    made(&bench, &mut standing);
    let waiting = &standing.templates.as_ref().unwrap().tags;
    assert!(!waiting.are_crowded());
}

/// An edit that a person could make between two looks.
#[derive(Clone, Debug)]
enum Edit {
    Nothing,
    Partial(usize, usize),
    Page(usize),
    Text(usize),
    Letter(usize),
    Article(usize, usize),
    Drop(usize),
    Turn,
    File(usize),
    Ink(usize),
    Host(bool),
    Take(usize),
}

/// What a template may say: right and wrong, with and without tags of the reader's.
const SAID: [&str; 12] = [
    "plain",
    "{{ subscriber.name }}",
    "{% if subscriber.vip %}dear{% else %}hello{% endif %} {{ subscriber.a }}",
    "{% for article in articles %}{% if article.topic in subscriber.topics %}{{ article.title }}{% endif %}{% endfor %}",
    "{% if subscriber.vip %}",
    "{% if issue.title %}",
    "{{ issue.nothing }}",
    "{{ issue.title | nothing }}",
    "{% include \"partials/end.mjml\" %}",
    "{% component note(word) %}<b>{{ word }}</b>{% endcomponent note %}",
    "{{ <note word=\"x\" /> }}",
    "<mj-button>{{ newsletter.name }}</mj-button><mj-buton />",
];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        Just(Edit::Nothing),
        (0..2_usize, 0..SAID.len()).prop_map(|(at, said)| Edit::Partial(at, said)),
        (0..SAID.len()).prop_map(Edit::Page),
        (0..SAID.len()).prop_map(Edit::Text),
        (0..SAID.len()).prop_map(Edit::Letter),
        (0..3_usize, 0..4_usize).prop_map(|(at, said)| Edit::Article(at, said)),
        (0..3_usize).prop_map(Edit::Drop),
        Just(Edit::Turn),
        (0..4_usize).prop_map(Edit::File),
        (0..3_usize).prop_map(Edit::Ink),
        any::<bool>().prop_map(Edit::Host),
        (0..2_usize).prop_map(Edit::Take),
    ]
}

fn apply(edit: &Edit, bench: &mut Bench) {
    match *edit {
        Edit::Nothing => {}
        Edit::Partial(at, said) => {
            if let Some(partial) = bench.partials.get_mut(at) {
                partial.1 = row(SAID[said]);
            }
        }
        Edit::Page(said) => {
            let page = self::bench().page;
            bench.page = page.replace("</mj-body>", &(row(SAID[said]) + "</mj-body>"));
        }
        Edit::Text(said) => bench.text = SAID[said].to_owned(),
        Edit::Letter(said) => {
            bench.issue = format!("+++\nsubject = \"S\"\n+++\n{}\n", SAID[said]);
        }
        Edit::Article(at, said) => {
            if let Some(article) = bench.articles.get_mut(at) {
                article.title = format!("Title {said}");
            }
        }
        Edit::Drop(at) => {
            if at < bench.articles.len() {
                bench.articles.remove(at);
            }
        }
        Edit::Turn => bench.articles.reverse(),
        Edit::File(said) => bench.files = vec![("foot.mjml", row(SAID[said]))],
        Edit::Ink(ink) => bench.ink = "ink".repeat(ink),
        Edit::Host(hosted) => {
            bench.images = match hosted {
                true => Images::Hosted,
                false => Images::Inline,
            };
        }
        Edit::Take(at) => {
            if at < bench.partials.len() {
                bench.partials.remove(at);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn whatever_is_edited_a_fresh_run_makes_the_same(edits in prop::collection::vec(edit(), 1..12)) {
        let mut bench = bench();
        let mut standing = Standing::default();
        made(&bench, &mut standing);
        for edit in edits {
            apply(&edit, &mut bench);
            made(&bench, &mut standing);
        }
    }
}
