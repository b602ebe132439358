//! TOML and YAML read into one tree of values, each with its bytes in the file.
//!
//! Only what a front matter needs: texts, lists and tables. YAML's anchors, aliases and tags are
//! refused, so that nothing is longer than it looks.

use std::{iter::Peekable, ops::Range};

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use toml::de::{DeTable, DeValue};

use crate::{
    error::{Error, Result},
    place::Text,
};

/// How deep lists and tables may lie in each other.
const MAX_DEPTH: usize = 8;

/// A value and its bytes in the file; a text in quotes has them among its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub range: Range<usize>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Absent,
    Text(String),
    /// A date or a time without quotes, as written.
    Moment(String),
    Number,
    Boolean,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub key_range: Range<usize>,
    pub node: Node,
}

impl Value {
    /// What it is, for a reader of errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Text(_) => "text",
            Self::Moment(_) => "a date",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Reads TOML that stands at `range` of the file.
pub(super) fn toml(text: &Text, range: Range<usize>) -> Result<Vec<Entry>> {
    let source = &text.content()[range.clone()];
    let (table, errors) = DeTable::parse_recoverable(source);
    let errors = errors.into_iter().map(|error| {
        let span = error.span().unwrap_or(0..0);
        Error::data("the front matter is not valid TOML")
            .because_of(error.message().trim_end())
            .at(text.place(range.start + span.start..range.start + span.end))
    });
    match Error::all(errors) {
        Some(error) => Err(error),
        None => Ok(toml_entries(table.get_ref(), source, range.start)),
    }
}

fn toml_entries(table: &DeTable<'_>, source: &str, offset: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_range: shifted(key.span(), offset),
            node: toml_node(value, source, offset),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_range.start);
    entries
}

fn toml_node(node: &toml::Spanned<DeValue<'_>>, source: &str, offset: usize) -> Node {
    let value = match node.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Datetime(_) => {
            Value::Moment(source.get(node.span()).unwrap_or_default().to_owned())
        }
        DeValue::Integer(_) | DeValue::Float(_) => Value::Number,
        DeValue::Boolean(_) => Value::Boolean,
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| toml_node(item, source, offset))
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(toml_entries(table, source, offset)),
    };
    Node {
        value,
        range: shifted(node.span(), offset),
    }
}

fn shifted(range: Range<usize>, offset: usize) -> Range<usize> {
    range.start + offset..range.end + offset
}

/// Reads YAML that stands at `range` of the file.
pub(super) fn yaml(text: &Text, range: Range<usize>) -> Result<Vec<Entry>> {
    let source = &text.content()[range.clone()];
    let mut reader = YamlReader {
        text,
        source,
        offset: range.start,
        events: Parser::new_from_str(source).peekable(),
    };
    let Some(node) = reader.document()? else {
        return Ok(Vec::new());
    };
    match node.value {
        Value::Table(entries) => Ok(entries),
        Value::Absent => Ok(Vec::new()),
        other => Err(Error::data(format!(
            "the front matter is {}, not a table of keys and values",
            other.kind()
        ))
        .at(text.place(node.range))
        .hint("Write `key: value`, a line each.")),
    }
}

struct YamlReader<'t, I: Iterator> {
    text: &'t Text,
    source: &'t str,
    offset: usize,
    events: Peekable<I>,
}

impl<'t, I> YamlReader<'t, I>
where
    I: Iterator<Item = std::result::Result<(Event<'t>, Span), ScanError>>,
{
    fn document(&mut self) -> Result<Option<Node>> {
        let mut node = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..) if node.is_some() => {
                    return Err(self.refuse("a second document", &span));
                }
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::DocumentEnd | Event::StreamEnd => {}
                event => node = Some(self.node(event, &span, 0)?),
            }
        }
        Ok(node)
    }

    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => {
                let at = self.offset + error.marker().byte_offset().unwrap_or(0);
                Err(Error::data("the front matter is not valid YAML")
                    .because_of(error.info())
                    .hint("Put a text that holds `: ` or ` #`, or begins with a mark such as `{`, in quotes.")
                    .at(self.text.place(at..at)))
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<Node> {
        if depth > MAX_DEPTH {
            return Err(Error::data("the front matter is nested too deeply")
                .at(self.text.place(self.range(span))));
        }
        match event {
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                Err(self.refuse("an anchor", span))
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => Err(self.refuse("a tag", span)),
            Event::Scalar(content, style, ..) => Ok(Node {
                value: match style {
                    ScalarStyle::Plain => plain(&content),
                    _ => Value::Text(content.into_owned()),
                },
                range: self.range(span),
            }),
            Event::SequenceStart(..) => self.list(span, depth),
            Event::MappingStart(..) => self.table(span, depth),
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(self.refuse("an alias", span)),
            _ => Err(self.refuse("something that belongs to no value", span)),
        }
    }

    fn list(&mut self, start: &Span, depth: usize) -> Result<Node> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.node(event, &span, depth + 1)?);
        }
        Ok(Node {
            range: self.around(start, items.last().map(|item| item.range.end)),
            value: Value::List(items),
        })
    }

    fn table(&mut self, start: &Span, depth: usize) -> Result<Node> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some((event, span)) = self.next()? {
            let key = match event {
                Event::MappingEnd => break,
                Event::Scalar(key, _, 0, None) => key.into_owned(),
                event => {
                    self.node(event, &span, depth + 1)?;
                    return Err(self.refuse("a key that is not a word", &span));
                }
            };
            let key_range = self.range(&span);
            if entries.iter().any(|entry| entry.key == key) {
                return Err(
                    Error::data(format!("`{key}` is said twice")).at(self.text.place(key_range))
                );
            }
            let Some((event, span)) = self.next()? else {
                break;
            };
            let node = self.node(event, &span, depth + 1)?;
            entries.push(Entry {
                key,
                key_range,
                node,
            });
        }
        Ok(Node {
            range: self.around(start, entries.last().map(|entry| entry.node.range.end)),
            value: Value::Table(entries),
        })
    }

    fn range(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        let slice = self.source.get(range.clone()).unwrap_or_default();
        let start = range.start + self.offset;
        // A plain scalar may be reported with the blanks and line ends that follow it.
        start..start + slice.trim_end().len()
    }

    /// From the start of a list or table to the end of its last item.
    fn around(&self, start: &Span, end: Option<usize>) -> Range<usize> {
        let range = self.range(start);
        range.start..end.unwrap_or(range.end).max(range.end)
    }

    fn refuse(&self, what: &str, span: &Span) -> Error {
        Error::data(format!("the front matter holds {what}"))
            .at(self.text.place(self.range(span)))
            .hint("Write keys and values only; put a text that begins with `&`, `*`, `!` or `{` in quotes.")
    }
}

/// What a YAML scalar without quotes means, by the core schema; dates stay text until one is wanted.
fn plain(content: &str) -> Value {
    match content {
        "" | "~" | "null" | "Null" | "NULL" => Value::Absent,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Value::Boolean,
        _ if content.parse::<f64>().is_ok() && content.contains(|c: char| c.is_ascii_digit()) => {
            Value::Number
        }
        _ => Value::Text(content.to_owned()),
    }
}
