//! A small newsletter for tests of composing and merging.

use std::sync::Arc;

use tera::{Context, Map, Value};

use super::{
    ABSENT, Composed, HTML, Images, Press, Publication, SUBJECT, Standing, TEXT, Templates,
    Validation, compose, engine, explain,
};
use crate::{
    error::{Error, Kind, Result},
    issue::{Article, Block, Inline, Issue, front_matter, markdown},
    place::Text,
    source::Picture,
};

/// The three parts for one reader.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
}

/// A newsletter that can be changed before it is composed.
pub(crate) struct Bench {
    pub(crate) page: String,
    pub(crate) text: String,
    pub(crate) partials: Vec<(&'static str, String)>,
    /// Files that are not templates.
    pub(crate) files: Vec<(&'static str, String)>,
    pub(crate) issue: String,
    pub(crate) articles: Vec<Article>,
    pub(crate) publication: Publication,
    pub(crate) images: Images,
    pub(crate) validation: Validation,
    /// What all pictures begin with.
    pub(crate) ink: String,
}

impl Bench {
    /// A page of nothing but `content`, and a text that says nothing.
    pub(crate) fn page(content: &str) -> Self {
        Self {
            page: format!("<mjml>\n<mj-body>\n{content}\n</mj-body>\n</mjml>"),
            text: String::new(),
            partials: Vec::new(),
            files: Vec::new(),
            issue: "+++\nsubject = \"S\"\n+++\n".to_owned(),
            articles: Vec::new(),
            publication: Publication {
                name: "Name".to_owned(),
                tagline: None,
                base_url: Some("https://news.example.com/".to_owned()),
                postal_address: "1 Type Street\n10115 Berlin".to_owned(),
                language: "en".to_owned(),
                domain: "news.example.com".to_owned(),
            },
            images: Images::Inline,
            validation: Validation::Standard,
            ink: String::new(),
        }
    }

    /// A page of one `mj-text`.
    pub(crate) fn words(content: &str) -> Self {
        Self::page(&format!(
            "<mj-section><mj-column><mj-text>{content}</mj-text></mj-column></mj-section>"
        ))
    }

    /// A plain text.
    pub(crate) fn text(content: &str) -> Self {
        Self {
            text: content.to_owned(),
            ..Self::words("x")
        }
    }

    pub(crate) fn issue(self, issue: &str) -> Self {
        Self {
            issue: issue.to_owned(),
            ..self
        }
    }

    pub(crate) fn partial(mut self, name: &'static str, content: &str) -> Self {
        self.partials.push((name, content.to_owned()));
        self
    }

    pub(crate) fn file(mut self, name: &'static str, content: &str) -> Self {
        self.files.push((name, content.to_owned()));
        self
    }

    pub(crate) fn article(mut self, title: &str, topic: &str, body: &str) -> Self {
        self.articles.push(Article {
            slug: format!("a{}", self.articles.len()),
            title: title.to_owned(),
            topics: vec![topic.to_owned()],
            body: markdown::parse(body).blocks,
            ..Article::default()
        });
        self
    }

    pub(crate) fn compose(&self) -> Result<Composed> {
        self.at_press(compose)
    }

    /// Composes with what stands ready.
    pub(crate) fn compose_with(&self, standing: &mut Standing) -> Result<Arc<Composed>> {
        self.at_press(|issue, press| standing.compose(issue, press))
    }

    fn at_press<T>(&self, set: impl FnOnce(&Issue, &Press<'_>) -> Result<T>) -> Result<T> {
        let text = Text::new("issues/i.md", self.issue.as_str());
        let (front, letter_start) = front_matter::issue(&text)?;
        let issue = Issue {
            slug: "i".to_owned(),
            text,
            front,
            letter_start,
            articles: self.articles.iter().cloned().map(Arc::new).collect(),
        };
        let mut own = vec![
            Text::new("digest.mjml", self.page.as_str()),
            Text::new("digest.txt", self.text.as_str()),
        ];
        for (name, content) in &self.partials {
            own.push(Text::new(*name, content.as_str()));
        }
        let picture = |src: &str| {
            if src.contains("missing") {
                return Err(Error::data(format!("there is no picture `{src}`")));
            }
            Ok(Picture {
                src: src.to_owned(),
                bytes: format!("{}{src}", self.ink).into_bytes(),
                media_type: "image/png",
                width: if src == "wide.png" { 1200 } else { 1 },
                height: 1,
            })
        };
        let include = |path: &str| {
            let file = self.files.iter().find(|(name, _)| *name == path);
            let text = file.map(|(name, content)| Text::new(*name, content.as_str()));
            let missing = || Error::new(Kind::NoInput, format!("there is no file `{path}`"));
            text.ok_or_else(missing)
        };
        set(
            &issue,
            &Press {
                publication: &self.publication,
                templates: &Templates::new(own),
                images: self.images,
                picture: &picture,
                include: &include,
                validation: self.validation,
            },
        )
    }

    /// Composes, and fills in a reader's fields; topics are split at `;`, and blanks are absent.
    pub(crate) fn merge(&self, fields: &[(&str, &str)]) -> Result<Parts> {
        let edition = self.compose()?.edition;
        let engine = engine(&edition)?;
        let context = context(fields);
        let is_blank = |name: &str| fields.iter().all(|(field, _)| *field != name);
        let render = |name| {
            let rendered = engine.render(name, &context);
            rendered.map_err(|error| explain(&error, &edition, &is_blank))
        };
        Ok(Parts {
            subject: render(SUBJECT)?,
            html: render(HTML)?,
            text: render(TEXT)?,
        })
    }

    /// What a reader reads in the first `mj-text`.
    pub(crate) fn read(&self, fields: &[(&str, &str)]) -> String {
        first_text(&self.merge(fields).unwrap().html)
    }

    /// The words a reader sees on the page, by white space.
    pub(crate) fn seen(&self, fields: &[(&str, &str)]) -> String {
        let html = self.merge(fields).unwrap().html;
        let body = &html[html.find("<body").unwrap()..];
        let mut out = String::new();
        for stretch in super::page::stretches(body) {
            if stretch.spot == super::page::Spot::Text {
                out.push_str(&body[stretch.range]);
                out.push(' ');
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The error, with its hints.
    pub(crate) fn refused(&self) -> String {
        let Err(error) = self.compose() else {
            return "composed".to_owned();
        };
        shown(&error)
    }

    /// The error of merging.
    pub(crate) fn unmerged(&self, fields: &[(&str, &str)]) -> String {
        match self.merge(fields) {
            Ok(_) => "merged".to_owned(),
            Err(error) => shown(&error),
        }
    }
}

/// An error and those that came with it, each with its hints.
pub(crate) fn shown(error: &Error) -> String {
    let all = std::iter::once(error).chain(error.others());
    let lines: Vec<_> = all
        .map(|error| {
            let hints: Vec<_> = error
                .hints()
                .iter()
                .map(|hint| format!(" | {hint}"))
                .collect();
            format!("{error}{}", hints.concat())
        })
        .collect();
    lines.join("\n")
}

/// The content of the first `mj-text` of a page.
pub(crate) fn first_text(html: &str) -> String {
    let start = html.find("text-align:left;color").unwrap();
    let start = start + html[start..].find('>').unwrap() + 1;
    let end = start + html[start..].find("</div>").unwrap();
    html[start..end].to_owned()
}

fn context(fields: &[(&str, &str)]) -> Context {
    let mut subscriber = Map::new();
    for (name, cell) in fields.iter().filter(|(_, cell)| !cell.is_empty()) {
        let value = match *name {
            "topics" => Value::from(cell.split(';').collect::<Vec<_>>()),
            _ => Value::from(*cell),
        };
        subscriber.insert((*name).to_owned().into(), value);
    }
    if fields.contains(&("topics", "")) {
        subscriber.insert("topics".into(), Value::from(Vec::<Value>::new()));
    }
    let mut context = Context::new();
    context.insert_value("subscriber", Value::from(subscriber));
    context.insert_value(ABSENT, Value::from(Map::new()));
    context.insert("unsubscribe_url", "https://news.example.com/u?t=1&k=2");
    context.insert("preferences_url", "https://news.example.com/p");
    context.insert("view_url", "https://news.example.com/i/");
    context
}

/// A paragraph of plain words, as data would give it.
pub(crate) fn paragraph(words: &str) -> Block {
    Block::Paragraph(vec![Inline::Text(words.to_owned())])
}
