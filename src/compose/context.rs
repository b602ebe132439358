//! What a theme can use: the newsletter, the issue, the letter and the articles as values of Tera.
//!
//! Everything here is data, and cleaned of what could pass for a tag; only the subject, the preheader
//! and the letter come from the author and may hold tags of their own. What is optional and not given
//! is absent, so that `{% if article.byline %}`, `or` and `default` work.

use jiff::civil::Date;
use tera::{Context, Map, Value};

use super::{
    Publication, sending,
    staging::{Role, Tags},
    tokens,
};
use crate::issue::{
    Article, Block, Figure, Inline, Issue, credit, html,
    text::{self, Nesting, WIDTH},
};

/// The names of the values themselves.
pub(super) const ROOTS: [&str; 5] = ["newsletter", "issue", "letter", "letter_text", "articles"];

/// The names of all fields that values can have, for hints.
pub(super) const FIELDS: [&str; 30] = [
    "name",
    "tagline",
    "base_url",
    "postal_address",
    "language",
    "slug",
    "date",
    "url",
    "title",
    "subject",
    "preheader",
    "standfirst",
    "byline",
    "image",
    "topics",
    "topic",
    "reading_minutes",
    "body",
    "text",
    "kind",
    "level",
    "html",
    "attribution",
    "attribution_text",
    "code",
    "src",
    "alt",
    "caption",
    "caption_text",
    "credit",
];

/// Where a text comes from.
#[derive(Clone, Copy, Debug)]
enum Trust<'a> {
    /// It is data.
    Data,
    /// The author wrote it, and it may hold these tags.
    Author(&'a Tags),
}

/// What is known while an issue is being composed.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// The articles, as values.
    pub(super) articles: Value,
    // What the author's own templates have become so far.
    pub(super) subject: Option<String>,
    pub(super) preheader: Option<String>,
    pub(super) letter: Vec<Block>,
}

impl Written {
    /// At the start: nothing but the articles, as [`article`] makes them.
    pub(super) fn new(articles: Vec<Value>) -> Self {
        Self {
            articles: Value::from(articles),
            subject: None,
            preheader: None,
            letter: Vec::new(),
        }
    }
}

/// The values of the composing moment.
pub(super) fn context(
    issue: &Issue,
    publication: &Publication,
    written: &Written,
    tags: &Tags,
) -> Context {
    let author = Trust::Author(tags);
    let mut context = Context::new();
    context.insert_value("newsletter", newsletter(publication));
    context.insert_value("issue", self::issue(issue, publication, written, author));
    context.insert_value("letter", blocks(&written.letter, author));
    context.insert_value("letter_text", Value::from(plain(&written.letter, author)));
    context.insert_value("articles", written.articles.clone());
    context
}

fn newsletter(publication: &Publication) -> Value {
    let mut fields = Fields(Trust::Data, Map::new());
    fields.text("name", &publication.name);
    fields.maybe("tagline", publication.tagline.as_ref());
    fields.maybe("base_url", publication.base_url.as_ref());
    fields.text("postal_address", &publication.postal_address);
    fields.text("language", &publication.language);
    fields.into()
}

fn issue(issue: &Issue, publication: &Publication, written: &Written, author: Trust<'_>) -> Value {
    let mut fields = Fields(Trust::Data, Map::new());
    fields.text("slug", &issue.slug);
    fields.date("date", issue.front.date);
    if let Some(base) = &publication.base_url {
        let url = format!("{}/issues/{}/", base.trim_end_matches('/'), issue.slug);
        fields.text("url", &url);
    }
    let title = issue.front.title.as_deref().map(tokens::clean);
    fields.0 = author;
    fields.maybe("title", title.as_ref().or(written.subject.as_ref()));
    fields.maybe("subject", written.subject.as_ref());
    fields.maybe("preheader", written.preheader.as_ref());
    fields.into()
}

/// An article as a value.
pub(super) fn article(article: &Article) -> Value {
    let mut fields = Fields(Trust::Data, Map::new());
    fields.text("slug", &article.slug);
    fields.text("title", &article.title);
    fields.maybe("standfirst", article.standfirst.as_ref());
    fields.maybe("byline", article.byline.as_ref());
    fields.date("date", article.date);
    // A theme puts it into `href`, so it must be what a mail may link to.
    let url = article.url.as_ref().filter(|url| sending::is_address(url));
    fields.maybe("url", url);
    if let Some(image) = &article.image {
        let mut inner = Fields(Trust::Data, Map::new());
        figure(image, &mut inner);
        let lines = text::blocks(&[Block::Figure(image.clone())], WIDTH);
        inner.text("text", &lines);
        fields.set("image", inner.into());
    }
    let topics = article.topics.iter().map(|topic| tokens::clean(topic));
    fields.set("topics", Value::from(topics.collect::<Vec<_>>()));
    fields.maybe("topic", article.topics.first());
    fields.set("reading_minutes", Value::from(article.reading_minutes()));
    fields.set("body", blocks(&article.body, Trust::Data));
    fields.text("text", &text::blocks(&article.body, WIDTH));
    fields.into()
}

/// Blocks as plain text.
fn plain(blocks: &[Block], trust: Trust<'_>) -> String {
    let Trust::Author(tags) = trust else {
        return text::blocks(blocks, WIDTH);
    };
    text::personal(
        blocks,
        WIDTH,
        &|character| match tags.get(character).map(|tag| tag.role) {
            Some(Role::Open(_)) => Nesting::Open,
            Some(Role::Close(_)) => Nesting::Close,
            _ => Nesting::None,
        },
    )
}

fn blocks(blocks: &[Block], trust: Trust<'_>) -> Value {
    let values: Vec<Value> = blocks.iter().map(|inner| block(inner, trust)).collect();
    Value::from(values)
}

fn block(block: &Block, trust: Trust<'_>) -> Value {
    let mut fields = Fields(trust, Map::new());
    let whole = || html::block(block);
    let (kind, content) = match block {
        Block::Paragraph(content) => ("paragraph", html::inline(content)),
        Block::Heading { level, content } => {
            fields.set("level", Value::from(u32::from(*level)));
            ("heading", html::inline(content))
        }
        Block::List { .. } => ("list", whole()),
        Block::Quote(inner) => ("quote", html::blocks(inner)),
        Block::PullQuote(quote) => {
            fields.html("attribution", &quote.attribution);
            fields.words("attribution_text", &quote.attribution);
            ("pull_quote", html::inline(&quote.text))
        }
        Block::Figure(inner) => {
            figure(inner, &mut fields);
            ("figure", whole())
        }
        Block::Code { language, code } => {
            fields.maybe("language", language.as_ref());
            fields.text("code", code);
            ("code", whole())
        }
        Block::Table { .. } => ("table", whole()),
        Block::Divider => ("divider", whole()),
    };
    fields.set("kind", Value::from(kind));
    let content = fields.clean(&content);
    fields.set("html", Value::safe_string(&content));
    fields.text("text", &plain(std::slice::from_ref(block), trust));
    fields.into()
}

fn figure(figure: &Figure, fields: &mut Fields<'_>) {
    if !figure.src.is_empty() {
        fields.text("src", &figure.src);
    }
    fields.text("alt", &figure.alt);
    fields.html("caption", &figure.caption);
    fields.words("caption_text", &figure.caption);
    if let Some(name) = &figure.credit {
        fields.text("credit", name);
        // As it is to be printed: some credits say themselves what they are.
        let line = format!("{}{name}", credit::label(name));
        fields.text("credit_line", &line);
    }
}

/// The fields of a value, cleaned as far as they are data.
struct Fields<'a>(Trust<'a>, Map);

impl Fields<'_> {
    fn clean(&self, text: &str) -> String {
        match self.0 {
            Trust::Data => tokens::clean(text),
            Trust::Author(_) => text.to_owned(),
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        self.1.insert(name.into(), value);
    }

    fn text(&mut self, name: &'static str, text: &str) {
        let text = self.clean(text);
        self.set(name, Value::from(text));
    }

    fn maybe(&mut self, name: &'static str, text: Option<&String>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    fn date(&mut self, name: &'static str, date: Option<Date>) {
        if let Some(date) = date {
            self.set(name, Value::from(date.to_string()));
        }
    }

    fn html(&mut self, name: &'static str, line: &[Inline]) {
        if !line.is_empty() {
            let html = self.clean(&html::inline(line));
            self.set(name, Value::safe_string(&html));
        }
    }

    fn words(&mut self, name: &'static str, line: &[Inline]) {
        if !line.is_empty() {
            self.text(name, &text::inline(line));
        }
    }
}

impl From<Fields<'_>> for Value {
    fn from(fields: Fields<'_>) -> Self {
        Self::from(fields.1)
    }
}
