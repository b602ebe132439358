//! Filling in what is each reader's own.

use std::collections::BTreeMap;

use tera::{Context, Map, Tera, Value as TeraValue};

use crate::{
    audience::Value,
    compose::{self, Edition},
    error::Result,
};

/// The addresses that are one reader's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Ends the subscription (RFC 8058).
    pub unsubscribe_url: String,
    /// Changes what is sent.
    pub preferences_url: String,
    /// The issue on the web.
    pub view_url: String,
}

/// An edition with one reader's fields filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The subject line, one line of text.
    pub subject: String,
    /// The HTML page.
    pub html: String,
    /// The plain text.
    pub text: String,
}

/// An edition that was compiled once, to be merged for each reader. It can be shared by threads.
pub struct Merger {
    edition: Edition,
    engine: Tera,
}

impl Merger {
    /// Compiles an edition.
    ///
    /// # Errors
    /// What is wrong in the author's tags, each at its place.
    pub fn new(edition: &Edition) -> Result<Self> {
        Ok(Self {
            engine: compose::engine(edition)?,
            // For places; the pictures are heavy and not needed.
            edition: Edition {
                images: Vec::new(),
                ..edition.clone()
            },
        })
    }

    /// Fills in one reader's fields and addresses. A field that is blank counts as absent; a list is
    /// an array, so that `in` works.
    ///
    /// # Errors
    /// When a tag needs what this reader does not have, or makes an unsafe address of what they have;
    /// at the author's place.
    pub fn merge(&self, fields: &BTreeMap<String, Value>, links: &Links) -> Result<Merged> {
        let context = context(fields, links);
        let render = |name| {
            let rendered = self.engine.render(name, &context);
            rendered.map_err(|error| {
                compose::explain(&error, &self.edition, &|name| is_blank(fields.get(name)))
            })
        };
        let subject = render(compose::SUBJECT)?;
        Ok(Merged {
            // A value that is blank must not leave two blanks.
            subject: subject
                .split_ascii_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            html: render(compose::HTML)?,
            text: render(compose::TEXT)?,
        })
    }
}

fn context(fields: &BTreeMap<String, Value>, links: &Links) -> Context {
    let mut subscriber = Map::new();
    for (name, value) in fields {
        let value = match value {
            Value::Text(text) if text.trim().is_empty() => continue,
            Value::Text(text) => TeraValue::from(printable(text)),
            Value::List(entries) => TeraValue::from(
                entries
                    .iter()
                    .map(|entry| printable(entry))
                    .collect::<Vec<_>>(),
            ),
        };
        subscriber.insert(name.clone().into(), value);
    }
    let mut context = Context::new();
    context.insert_value("subscriber", TeraValue::from(subscriber));
    context.insert_value(compose::ABSENT, TeraValue::from(Map::new()));
    let urls = [
        ("unsubscribe_url", &links.unsubscribe_url),
        ("preferences_url", &links.preferences_url),
        ("view_url", &links.view_url),
    ];
    for (name, url) in urls {
        context.insert_value(name, TeraValue::from(url.as_str()));
    }
    context
}

/// A cell without control characters, which no mail may hold.
fn printable(text: &str) -> String {
    // The control characters beyond ASCII begin with this octet.
    let is_odd = |byte: u8| matches!(byte, 0..b' ' | 0x7f | 0xc2);
    if !text.bytes().any(is_odd) {
        return text.to_owned();
    }
    let kept = |c: &char| !c.is_control() || matches!(c, '\t' | '\n');
    text.chars().filter(kept).collect()
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::Text(text)) => text.trim().is_empty(),
        Some(Value::List(_)) => false,
    }
}

#[cfg(test)]
mod tests;
