//! The sample issue, stage by stage: `cargo bench`. Figures for the page are ratios of one run
//! (`BENCHMARKS.md`).

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot begin has nothing to measure"
)]

use std::{path::PathBuf, sync::Arc};

use letterpress::{
    audience::{Address, Recipient, Value},
    compose::{self, Composed, Images, Press, Publication, Standing, Templates, Validation},
    issue::Issue,
    mail::{self, Letterhead, Mailbox, Merger, Secret},
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

fn composed(issue: &Issue) -> Composed {
    at_press(|press| compose::compose(issue, press)).expect("the sample composes")
}

fn at_press<T>(set: impl FnOnce(&Press<'_>) -> T) -> T {
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
        templates: &Templates::new(Vec::new()),
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
    bencher.bench(|| composed(&issue));
}

/// The same when nothing has changed, and when one article has.
#[divan::bench(args = ["nothing", "an article"])]
fn compose_again(bencher: divan::Bencher, edited: &str) {
    let mut issue = issue();
    let mut standing = Standing::default();
    at_press(|press| standing.compose(&issue, press)).expect("the sample composes");
    let title = issue.articles[0].title.clone();
    let mut turn = 0;
    bencher.bench_local(|| {
        if edited != "nothing" {
            turn += 1;
            Arc::make_mut(&mut issue.articles[0]).title = format!("{title} {turn}");
        }
        at_press(|press| standing.compose(&issue, press)).expect("the sample composes")
    });
}

/// What of that is mrml's own: the same MJML, parsed and rendered, and nothing else.
#[divan::bench]
fn mrml_alone(bencher: divan::Bencher) {
    let mjml = composed(&issue()).mjml;
    let options = mrml::prelude::render::RenderOptions::default();
    bencher.bench(|| {
        let parsed = mrml::parse(&mjml).expect("MJML that mrml reads");
        parsed.element.render(&options).expect("a page")
    });
}

/// Edition and recipient to subject, HTML and text.
#[divan::bench]
fn merge(bencher: divan::Bencher) {
    let merger = Merger::new(&composed(&issue()).edition).expect("an edition");
    let (letterhead, reader) = (letterhead(), reader());
    bencher.bench(|| {
        merger
            .merge(&reader.fields, &letterhead.links(&reader.address))
            .expect("a mail")
    });
}

/// Edition and recipient to the message on the wire.
#[divan::bench]
fn merge_and_encode(bencher: divan::Bencher) {
    let merger = Merger::new(&composed(&issue()).edition).expect("an edition");
    let (letterhead, reader) = (letterhead(), reader());
    bencher
        .with_inputs(|| ())
        .bench_values(|()| mail::address(&letterhead, &merger, &[], &reader).expect("a mail"));
}
