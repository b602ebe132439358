//! A small newsletter for tests of composing and merging.

use std::collections::BTreeMap;

use super::{Composed, Images, Press, Publication, Templates, compose};
use crate::{
    audience::Value,
    error::{Error, Result},
    issue::{Article, Block, Inline, Issue, front_matter, markdown},
    mail::{Links, Merged, Merger},
    place::Text,
    source::Picture,
};

/// A newsletter that can be changed before it is composed.
pub(crate) struct Bench {
    pub(crate) page: String,
    pub(crate) text: String,
    pub(crate) partials: Vec<(&'static str, String)>,
    pub(crate) issue: String,
    pub(crate) articles: Vec<Article>,
    pub(crate) publication: Publication,
    pub(crate) images: Images,
}

impl Bench {
    /// A page of nothing but `content`, and a text that says nothing.
    pub(crate) fn page(content: &str) -> Self {
        Self {
            page: format!("<mjml>\n<mj-body>\n{content}\n</mj-body>\n</mjml>"),
            text: String::new(),
            partials: Vec::new(),
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
        let text = Text::new("issues/i.md", self.issue.as_str());
        let (front, letter_start) = front_matter::issue(&text)?;
        let issue = Issue {
            slug: "i".to_owned(),
            text,
            front,
            letter_start,
            articles: self.articles.clone(),
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
                bytes: src.as_bytes().to_vec(),
                media_type: "image/png",
                width: 1,
                height: 1,
            })
        };
        compose(
            &issue,
            &Press {
                publication: &self.publication,
                templates: &Templates::new(own),
                images: self.images,
                picture: &picture,
            },
        )
    }

    /// Composes and merges for a reader with these fields; topics are split at `;`.
    pub(crate) fn merge(&self, fields: &[(&str, &str)]) -> Result<Merged> {
        let composed = self.compose()?;
        Merger::new(&composed.edition)?.merge(&self::fields(fields), &links())
    }

    /// What a reader reads in the only `mj-text`, or in the first one.
    pub(crate) fn read(&self, fields: &[(&str, &str)]) -> String {
        let html = self.merge(fields).unwrap().html;
        let start = html.find("text-align:left;color").unwrap();
        let start = start + html[start..].find('>').unwrap() + 1;
        let end = start + html[start..].find("</div>").unwrap();
        html[start..end].to_owned()
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
fn shown(error: &Error) -> String {
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

pub(crate) fn fields(fields: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let value = |name: &str, value: &str| match name {
        "topics" => Value::List(
            value
                .split(';')
                .filter(|entry| !entry.is_empty())
                .map(str::to_owned)
                .collect(),
        ),
        _ => Value::Text(value.to_owned()),
    };
    fields
        .iter()
        .map(|(name, cell)| ((*name).to_owned(), value(name, cell)))
        .collect()
}

pub(crate) fn links() -> Links {
    Links {
        unsubscribe_url: "https://news.example.com/u?t=1&k=2".to_owned(),
        preferences_url: "https://news.example.com/p".to_owned(),
        view_url: "https://news.example.com/i/".to_owned(),
    }
}

/// A paragraph of plain words, as data would give it.
pub(crate) fn paragraph(words: &str) -> Block {
    Block::Paragraph(vec![Inline::Text(words.to_owned())])
}
