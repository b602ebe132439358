//! The sample issue, stage by stage: `cargo bench`. Figures for the page are ratios of one run
//! (`BENCHMARKS.md`).

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot begin has nothing to measure"
)]

use std::{path::PathBuf, sync::Arc};

use letterpress::{
    audience::{Address, Recipient, Value},
    compose::{
        self, Composed, Edition, Images, Press, Publication, Standing, Templates, Validation,
    },
    issue::Issue,
    mail::{self, Forme, Letterhead, Mailbox, Merger, Secret},
    place::Text,
    source::{self, Bounds, Root},
};

#[global_allocator]
static ALLOCATOR: letterpress::Allocator = letterpress::Allocator;

fn main() {
    divan::main();
}

fn root() -> Root {
    Root {
        folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")),
        bounds: Bounds::Newsletter,
    }
}

fn issue() -> Issue {
    source::issue(&root(), "welcome").expect("the sample").issue
}

fn composed(issue: &Issue, templates: Vec<Text>) -> Composed {
    at_press(templates, |press| compose::compose(issue, press)).expect("the sample composes")
}

fn at_press<T>(templates: Vec<Text>, set: impl FnOnce(&Press<'_>) -> T) -> T {
    let root = root();
    let publication = Publication {
        name: "The Weekly Press".into(),
        tagline: None,
        base_url: Some("https://news.example.com".into()),
        postal_address: "1 Type Street".into(),
        language: "en".into(),
        domain: "news.example.com".into(),
    };
    set(&Press {
        publication: &publication,
        templates: &Templates::new(templates),
        // Hosted, so that a mail is what it is without the picture.
        images: Images::Hosted,
        picture: &|src| source::picture(&root, src),
        include: &|path| source::text(&root, path),
        validation: Validation::Standard,
    })
}

fn letterhead() -> Letterhead {
    Letterhead {
        from: "The Weekly Press <press@news.example.com>"
            .parse::<Mailbox>()
            .expect("a mailbox"),
        reply_to: None,
        return_path: "press@news.example.com".into(),
        list_name: "The Weekly Press".into(),
        list_id: Some("weekly.news.example.com".into()),
        base_url: Some("https://news.example.com".into()),
        unsubscribe_mailto: None,
        campaign: "welcome@all".into(),
        slug: "welcome".into(),
        date: "2026-11-23T08:00:00Z".parse().expect("a time"),
        secret: Secret::new([7; 32]),
        subject_prefix: None,
        signers: Default::default(),
    }
}

fn reader() -> Recipient {
    let address = Address::parse("ada@example.com").expect("an address");
    let text = |text: &str| Value::Text(text.into());
    Recipient {
        line: 2,
        fields: [
            ("email".into(), text("ada@example.com")),
            ("first_name".into(), text("Ada")),
            ("plan".into(), text("patron")),
            ("topics".into(), Value::List(vec!["type".into()])),
            ("last_name".into(), text("Lovelace")),
            ("years".into(), text("12")),
            ("city".into(), text("Köln")),
            ("company".into(), text("Babbage & Daughters")),
            ("points".into(), text("1843")),
            ("until".into(), text("31 December")),
            ("number".into(), text("000317")),
        ]
        .into(),
        address,
    }
}

/// Files to issue.
#[divan::bench]
fn gather() -> Issue {
    issue()
}

/// Issue to edition: staging, Tera, MJML, mrml, text, assembling.
#[divan::bench]
fn compose(bencher: divan::Bencher) {
    let issue = issue();
    bencher.bench(|| composed(&issue, Vec::new()));
}

/// The same when nothing has changed, and when one article has.
#[divan::bench(args = ["nothing", "an article"])]
fn compose_again(bencher: divan::Bencher, edited: &str) {
    let mut issue = issue();
    let mut standing = Standing::default();
    at_press(Vec::new(), |press| standing.compose(&issue, press)).expect("the sample composes");
    let title = issue.articles[0].title.clone();
    let mut turn = 0;
    bencher.bench_local(|| {
        if edited != "nothing" {
            turn += 1;
            Arc::make_mut(&mut issue.articles[0]).title = format!("{title} {turn}");
        }
        at_press(Vec::new(), |press| standing.compose(&issue, press)).expect("the sample composes")
    });
}

/// What of that is mrml's own: the same MJML, parsed and rendered, and nothing else.
#[divan::bench]
fn mrml_alone(bencher: divan::Bencher) {
    let mjml = composed(&issue(), Vec::new()).mjml;
    let options = mrml::prelude::render::RenderOptions::default();
    bencher.bench(|| {
        let parsed = mrml::parse(&mjml).expect("MJML that mrml reads");
        parsed.element.render(&options).expect("a page")
    });
}

/// Edition and recipient to subject, HTML and text.
#[divan::bench(args = [Letter::Sample, Letter::Usual])]
fn merge(bencher: divan::Bencher, letter: Letter) {
    let merger = Merger::new(&letter.edition()).expect("an edition");
    let (letterhead, reader) = (letterhead(), reader());
    bencher.bench(|| {
        merger
            .merge(&reader.fields, &letterhead.links(&reader.address))
            .expect("a mail")
    });
}

/// Edition and recipient to the message on the wire, all of it made anew.
#[divan::bench(args = [Letter::Sample, Letter::Usual])]
fn merge_and_encode_plainly(bencher: divan::Bencher, letter: Letter) {
    let merger = Merger::new(&letter.edition()).expect("an edition");
    let (letterhead, reader) = (letterhead(), reader());
    bencher.bench(|| mail::address(&letterhead, &merger, &[], &reader).expect("a mail"));
}

/// Edition and recipient to the message on the wire, around what all mails have in common.
#[divan::bench(args = [Letter::Sample, Letter::Usual])]
fn merge_and_encode(bencher: divan::Bencher, letter: Letter) {
    let forme = Forme::new(&letterhead(), &letter.edition()).expect("an edition");
    let reader = reader();
    bencher.bench(|| forme.mail(&reader).expect("a mail"));
}

/// What is merged.
#[derive(Clone, Copy, Debug)]
enum Letter {
    /// The sample: 60 KB, with a condition for each article.
    Sample,
    /// 30 KB of page and text, with ten fields and two conditions in each.
    Usual,
}

impl Letter {
    fn edition(self) -> Edition {
        match self {
            Self::Sample => composed(&issue(), Vec::new()).edition,
            Self::Usual => composed(&issue(), usual()).edition,
        }
    }
}

/// A template of a usual size, with the tags of a usual letter.
fn usual() -> Vec<Text> {
    let story = "The mill by the river has opened its doors, and the first sheet came off the mould \
        at nine. Nobody asked for paper until there was none. It was dry by noon, it was cut by \
        two, and by the evening it had been printed on, folded, and read.";
    let tags = [
        "Dear {{ subscriber.first_name }} {{ subscriber.last_name }},",
        "thank you for {{ subscriber.years }} years with us, and best wishes to {{ subscriber.city }} and to everybody at {{ subscriber.company }}.",
        "{% if subscriber.plan == \"patron\" %}Your plan, {{ subscriber.plan }}, pays for the paper, the ink and the rollers.{% else %}The letter is free.{% endif %}",
        "{% if \"type\" in subscriber.topics %}You asked for type, and here it is.{% endif %} Your points: {{ subscriber.points }}, good until {{ subscriber.until }}.",
        "This went to {{ subscriber.email }}, customer {{ subscriber.number }}.",
    ];
    let section = |words: &str| {
        format!(
            "<mj-section padding=\"8px 24px\"><mj-column><mj-text font-size=\"17px\" line-height=\"26px\">{words}</mj-text></mj-column></mj-section>"
        )
    };
    let paragraphs = tags
        .iter()
        .flat_map(|tag| std::iter::once(section(tag)).chain((0..4).map(|_| section(story))));
    let page = format!(
        "<mjml><mj-body>{}{}</mj-body></mjml>",
        paragraphs.collect::<String>(),
        section("<a href=\"{{ unsubscribe_url }}\">Unsubscribe</a>")
    );
    let text = tags.map(|tag| format!("{tag}\n\n{{{{ \"{story}\" | wrap }}}}\n\n"));
    let text = format!("{}{{{{ unsubscribe_url }}}}\n", text.concat());
    vec![
        Text::new("digest.mjml", page),
        Text::new("digest.txt", text),
    ]
}
