//! Front matter: what an issue or an article says of itself before it begins.
//!
//! TOML between two lines of `+++`, or YAML between two lines of `---`; both mean the same. It is
//! closed and typed: an unknown key, a missing one and a value of the wrong type are errors, all of
//! them reported at once and each at its place in the file.

mod fields;
mod timing;
mod tree;

use std::{ops::Range, time::Duration};

use jiff::{Timestamp, civil::Date};

pub use self::timing::{Timing, timing};

use self::{
    fields::Fields,
    tree::{Entry, Node, Value},
};
use super::schedule::Schedule;
use crate::{
    error::{Error, Result},
    place::{Place, Text},
};

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands. When the value was written letter by letter, these are its bytes, without
    /// quotes; when escapes or folding came between, the whole of what was written.
    pub place: Place,
}

/// The front matter of an issue.
#[derive(Clone, Debug)]
pub struct IssueFront {
    /// The subject line; may hold template tags.
    pub subject: Located<String>,
    /// What the inbox shows after the subject; may hold template tags.
    pub preheader: Option<Located<String>>,
    /// The headline of the issue, where it differs from the subject.
    pub title: Option<String>,
    /// The date on the masthead.
    pub date: Option<Date>,
    /// When it is due, if it goes out once.
    pub send_at: Option<Timestamp>,
    /// When it is due, if it recurs.
    pub every: Option<Schedule>,
    /// How late it may begin, where the settings have it otherwise.
    pub max_delay: Option<Duration>,
    /// How long after its beginning it is no news any more, where the settings have it otherwise.
    pub deliver_by: Option<Duration>,
    /// Who gets it, when that is not everyone.
    pub segment: Option<Located<String>>,
    /// The template, when it is not `digest`.
    pub template: Option<Located<String>>,
    /// The articles, as paths.
    pub articles: Vec<Located<String>>,
}

/// The front matter of an article; every key may be absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArticleFront {
    /// The headline.
    pub title: Option<String>,
    /// The sentence or two below the headline that say what it is about.
    pub standfirst: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// When it appeared.
    pub date: Option<Date>,
    /// Where it can be read on the web.
    pub url: Option<Located<String>>,
    /// The lead image.
    pub image: Option<ImageFront>,
    /// What it is about; the first is its section.
    pub topics: Vec<String>,
}

/// The lead image of an article: a path, or a table that says more.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageFront {
    /// An address, or a path relative to the newsletter's folder or to the article.
    pub src: Located<String>,
    /// What a reader who cannot see it needs to know.
    pub alt: Option<String>,
    /// What it shows.
    pub caption: Option<String>,
    /// Whose it is.
    pub credit: Option<String>,
}

const ISSUE_KEYS: [&str; 13] = [
    "subject",
    "preheader",
    "title",
    "date",
    "send_at",
    "every",
    "starts",
    "until",
    "max_delay",
    "deliver_by",
    "segment",
    "template",
    "articles",
];
const ISSUE_SYNONYMS: [(&str, &str); 15] = [
    ("preview", "preheader"),
    ("preview_text", "preheader"),
    ("scheduled", "send_at"),
    ("scheduled_at", "send_at"),
    ("send", "send_at"),
    ("schedule", "every"),
    ("repeat", "every"),
    ("recurs", "every"),
    ("cron", "every"),
    ("start", "starts"),
    ("end", "until"),
    ("ends", "until"),
    ("layout", "template"),
    ("theme", "template"),
    ("headline", "title"),
];
const ARTICLE_KEYS: [&str; 7] = [
    "title",
    "standfirst",
    "byline",
    "date",
    "url",
    "image",
    "topics",
];
const ARTICLE_SYNONYMS: [(&str, &str); 14] = [
    ("headline", "title"),
    ("author", "byline"),
    ("authors", "byline"),
    ("by", "byline"),
    ("description", "standfirst"),
    ("subtitle", "standfirst"),
    ("summary", "standfirst"),
    ("dek", "standfirst"),
    ("link", "url"),
    ("permalink", "url"),
    ("cover", "image"),
    ("tags", "topics"),
    ("categories", "topics"),
    ("topic", "topics"),
];
const IMAGE_KEYS: [&str; 4] = ["src", "alt", "caption", "credit"];
const IMAGE_SYNONYMS: [(&str, &str); 3] = [("path", "src"), ("url", "src"), ("file", "src")];

/// The front matter of an issue, and the byte where its letter begins.
///
/// Fails when there is none, when it is not closed, and with everything that is wrong in it.
pub fn issue(text: &Text) -> Result<(IssueFront, usize)> {
    let Some(block) = find(text)? else {
        return Err(
            Error::data(format!("`{}` has no front matter", text.name()))
                .at(text.line(1))
                .hint("Begin it with `+++`, a line `subject = \"…\"`, and `+++`."),
        );
    };
    let mut fields = Fields::new(text, block.entries(text)?);
    let subject = required(
        &mut fields,
        "subject",
        &block.fence,
        "the issue has no `subject`",
    );
    let preheader = fields.text("preheader");
    let title = fields.words("title");
    let date = fields.date("date");
    let timing = Timing::read(&mut fields);
    let segment = fields.text("segment");
    let template = fields.text("template");
    let articles = fields.texts("articles");
    fields.close(&ISSUE_KEYS, &ISSUE_SYNONYMS);
    match (Error::all(fields.errors()), subject) {
        (None, Some(subject)) => Ok((
            IssueFront {
                subject,
                preheader,
                title,
                date,
                send_at: timing.send_at,
                every: timing.every,
                max_delay: timing.max_delay,
                deliver_by: timing.deliver_by,
                segment,
                template,
                articles,
            },
            block.end,
        )),
        (Some(error), _) => Err(error),
        (None, None) => Err(Error::bug("a missing subject was not reported")),
    }
}

/// The front matter of an article, and the byte where its text begins; an article may have none.
pub fn article(text: &Text) -> Result<(ArticleFront, usize)> {
    let Some(block) = find(text)? else {
        return Ok((ArticleFront::default(), 0));
    };
    let mut fields = Fields::new(text, block.entries(text)?);
    let front = ArticleFront {
        title: fields.words("title"),
        standfirst: fields.words("standfirst"),
        byline: fields.words("byline"),
        date: fields.date("date"),
        url: fields.text("url"),
        image: image(&mut fields),
        topics: fields
            .texts("topics")
            .into_iter()
            .map(|topic| topic.value)
            .collect(),
    };
    fields.close(&ARTICLE_KEYS, &ARTICLE_SYNONYMS);
    match Error::all(fields.errors()) {
        Some(error) => Err(error),
        None => Ok((front, block.end)),
    }
}

/// A text that must be there; `absent` says at `range` that it is not.
fn required(
    fields: &mut Fields<'_>,
    key: &str,
    range: &Range<usize>,
    absent: &str,
) -> Option<Located<String>> {
    let key_range = fields.key(key);
    let node = fields.take(key);
    if let Some(node) = node {
        return fields.as_line(key, node);
    }
    match key_range {
        Some(key_range) => fields.fault_at(key_range, Error::data(format!("`{key}` is blank"))),
        None => {
            let hint = format!("Add the key `{key}`.");
            fields.fault_at(range.clone(), Error::data(absent).hint(hint));
        }
    }
    None
}

fn image(fields: &mut Fields<'_>) -> Option<ImageFront> {
    let node = fields.take("image")?;
    match node {
        Node {
            value: Value::Table(entries),
            range,
        } => fields.table(entries, |fields| {
            let src = required(fields, "src", &range, "the image has no `src`");
            let (alt, caption, credit) = (
                fields.words("alt"),
                fields.words("caption"),
                fields.words("credit"),
            );
            fields.close(&IMAGE_KEYS, &IMAGE_SYNONYMS);
            Some(ImageFront {
                src: src?,
                alt,
                caption,
                credit,
            })
        }),
        node @ Node {
            value: Value::Text(_),
            ..
        } => Some(ImageFront {
            src: fields.as_line("image", node)?,
            alt: None,
            caption: None,
            credit: None,
        }),
        node => {
            fields.wrong("image", "a path or a table", &node);
            None
        }
    }
}

/// A front matter as it lies in the file.
struct Block {
    kind: Kind,
    /// The line that opens it.
    fence: Range<usize>,
    /// What stands between the fences.
    inner: Range<usize>,
    /// Where the rest of the file begins.
    end: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Toml,
    Yaml,
}

impl Block {
    fn entries(&self, text: &Text) -> Result<Vec<Entry>> {
        match self.kind {
            Kind::Toml => tree::toml(text, self.inner.clone()),
            Kind::Yaml => tree::yaml(text, self.inner.clone()),
        }
    }
}

/// Finds the front matter; blank lines may come before it.
fn find(text: &Text) -> Result<Option<Block>> {
    let content = text.content();
    let mut at = 0;
    let mut lines = content.split_inclusive('\n').map(|line| {
        let start = at;
        at += line.len();
        (start, line.trim_end())
    });
    let Some((start, fence)) = lines.find(|(_, line)| !line.is_empty()) else {
        return Ok(None);
    };
    let kind = match fence {
        "+++" => Kind::Toml,
        "---" => Kind::Yaml,
        _ => return Ok(None),
    };
    let mut inner_start = None;
    for (line_start, line) in lines {
        let inner_start = *inner_start.get_or_insert(line_start);
        if line == fence {
            let rest = &content[line_start..];
            let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
            return Ok(Some(Block {
                kind,
                fence: start..start + fence.len(),
                inner: inner_start..line_start,
                end: line_start + length,
            }));
        }
    }
    Err(Error::data("the front matter is not closed")
        .at(text.place(start..start + fence.len()))
        .hint(format!("End it with a line `{fence}`.")))
}

#[cfg(test)]
mod tests;
