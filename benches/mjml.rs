//! Digests of MJML, rendered by the layer and by `mrml` alone: `cargo bench --bench mjml`.
//!
//! `bench/mjml.sh` runs the same binary with the argument `loop`, and times it in turn with npm's
//! `mjml` over the same documents.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that cannot begin has nothing to measure, and says what it has measured"
)]

use std::{
    fmt::Write as _,
    io::Write as _,
    time::{Duration, Instant},
};

use letterpress::{
    compose::{self, Validation},
    error::Error,
    place::Text,
};

const SIZES: [usize; 3] = [10, 100, 1_000];

#[global_allocator]
static ALLOCATOR: letterpress::Allocator = letterpress::Allocator;

fn main() {
    if std::env::args().nth(1).as_deref() == Some("loop") {
        answer();
    } else {
        divan::main();
    }
}

/// A page of ours.
#[divan::bench(args = SIZES)]
fn layer(bencher: divan::Bencher, articles: usize) {
    let text = Text::new("digest.mjml", digest(articles));
    bencher.bench(|| render(&text));
}

/// What of that is mrml's own: the same MJML, parsed and rendered, and nothing else.
#[divan::bench(args = SIZES)]
fn mrml_alone(bencher: divan::Bencher, articles: usize) {
    let digest = digest(articles);
    bencher.bench(|| raw(&digest));
}

fn render(text: &Text) -> String {
    let include = |_: &str| Err(Error::data("nothing is included"));
    let rendered = compose::render_mjml(text, Validation::Strict, &include);
    rendered.expect("a page").html
}

fn raw(mjml: &str) -> String {
    let options = mrml::prelude::render::RenderOptions::default();
    let parsed = mrml::parse(mjml).expect("MJML that mrml reads");
    parsed.element.render(&options).expect("a page")
}

/// Answers questions on its standard input, one a line, until there are no more:
/// * `document ARTICLES FILE` writes the digest into a file;
/// * `layer ARTICLES` and `mrml ARTICLES` give the median time of a page in nanoseconds, and its size.
fn answer() {
    for line in std::io::stdin().lines() {
        let line = line.expect("a question");
        let words: Vec<&str> = line.split(' ').collect();
        let articles = words.get(1).and_then(|count| count.parse().ok());
        let document = digest(articles.expect("a number of articles"));
        let text = Text::new("digest.mjml", document.as_str());
        let answer = match words[0] {
            "document" => {
                std::fs::write(words[2], &document).expect("a file");
                "written".to_owned()
            }
            "layer" => timed(|| render(&text)),
            "mrml" => timed(|| raw(&document)),
            other => panic!("what is {other}?"),
        };
        println!("{answer}");
        std::io::stdout().flush().expect("an open pipe");
    }
}

/// The median of many runs, after a few that count for nothing.
fn timed(page: impl Fn() -> String) -> String {
    let bytes = page().len();
    let began = Instant::now();
    let mut times = Vec::new();
    while times.len() < 5 || began.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        std::hint::black_box(page());
        times.push(start.elapsed());
    }
    times.sort();
    format!("{} {bytes}", times[times.len() / 2].as_nanos())
}

const WORDS: [&str; 24] = [
    "type", "is", "set", "by", "hand", "and", "the", "case", "was", "lifted", "onto", "a", "frame",
    "of", "oak", "where", "ink", "waits", "for", "paper", "that", "nobody", "has", "counted",
];

fn words(out: &mut String, from: usize, count: usize) {
    for at in 0..count {
        // A step that is prime to the number of words meets each of them.
        let word = WORDS[(from * 5 + at * 7) % WORDS.len()];
        let _ = write!(out, "{}{word}", if at == 0 { "" } else { " " });
    }
}

/// A digest: a head as newsletters have one, and for each article a row with a picture beside words
/// and a button, ten rows to a card.
fn digest(articles: usize) -> String {
    let mut out = String::from(
        r##"<mjml lang="en">
  <mj-head>
    <mj-title>The Weekly Press</mj-title>
    <mj-preview>What the week brought to the press</mj-preview>
    <mj-attributes>
      <mj-all font-family="Georgia, serif" />
      <mj-text font-size="16px" line-height="24px" color="#222222" />
      <mj-class name="title" font-size="20px" font-weight="700" padding-bottom="0px" />
      <mj-button background-color="#7c2d12" border-radius="4px" align="left" />
    </mj-attributes>
    <mj-style>a { color: #7c2d12; } @media (max-width: 480px) { .card { padding: 0 !important; } }</mj-style>
  </mj-head>
  <mj-body background-color="#f5f0e6">
    <mj-section><mj-column><mj-image src="https://example.com/press.png" alt="The Weekly Press" width="180px" /></mj-column></mj-section>
"##,
    );
    for article in 0..articles {
        if article % 10 == 0 {
            out.push_str("    <mj-wrapper background-color=\"#ffffff\" padding=\"16px\" css-class=\"card\">\n");
        }
        let _ = write!(
            out,
            r##"      <mj-section padding="8px 0px" border-bottom="1px solid #e5e5e5">
        <mj-column width="35%" vertical-align="middle"><mj-image src="https://example.com/pictures/{article}.jpg" alt="Picture {article}" href="https://example.com/articles/{article}?from=digest&amp;week=47" border-radius="4px" /></mj-column>
        <mj-column width="65%">
          <mj-text mj-class="title">"##
        );
        words(&mut out, article, 4 + article % 4);
        out.push_str("</mj-text>\n          <mj-text>");
        words(&mut out, article + 3, 30 + article % 17);
        out.push_str(" <a href=\"https://example.com/authors\">by <b>A. Setter</b></a>, ");
        words(&mut out, article + 7, 12);
        let _ = write!(
            out,
            r##".</mj-text>
          <mj-button href="https://example.com/articles/{article}?from=digest&amp;week=47">Read on</mj-button>
        </mj-column>
      </mj-section>
"##
        );
        if article % 10 == 9 || article + 1 == articles {
            out.push_str("    </mj-wrapper>\n");
        }
    }
    out.push_str(
        r##"    <mj-section><mj-column><mj-text align="center" font-size="12px">1 Type Street, Mainz &middot; <a href="https://example.com/leave">Unsubscribe</a></mj-text></mj-column></mj-section>
  </mj-body>
</mjml>
"##,
    );
    out
}
