//! The filters that templates have beyond Tera's own, at both moments.

use jiff::civil::Date;
use tera::{Error, Kwargs, State, Tera, TeraResult, Value, value::ValueKind};

use super::{sending::ABSENT, staging, tokens};
use crate::issue::text;

/// A captured value must stay shorter than this, in bytes.
const LONGEST_CAPTURE: usize = 4096;

/// What a template may call, Tera's own and ours, for hints.
pub(super) const NAMES: [&str; 39] = [
    "date",
    "wrap",
    "safe",
    "default",
    "upper",
    "lower",
    "wordcount",
    "escape",
    "escape_html",
    "escape_xml",
    "newlines_to_br",
    "pluralize",
    "trim",
    "trim_start",
    "trim_end",
    "replace",
    "capitalize",
    "title",
    "truncate",
    "indent",
    "str",
    "int",
    "float",
    "length",
    "reverse",
    "split",
    "abs",
    "round",
    "first",
    "last",
    "nth",
    "join",
    "sort",
    "unique",
    "get",
    "values",
    "keys",
    "pairs",
    "group_by",
];

/// Registers them. Tera checks names when a template is added, so this comes first.
pub(crate) fn register(tera: &mut Tera) {
    tera.register_filter("date", date);
    tera.register_filter("wrap", wrap);
    tera.register_filter(staging::CAPTURE, capture);
}

/// `{{ issue.date | date(format="%-d %B %Y") }}`
fn date(value: &str, arguments: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let format = arguments.get::<&str>("format")?.unwrap_or("%Y-%m-%d");
    let date: Date = value
        .get(..10)
        .unwrap_or(value)
        .parse()
        .map_err(|_| Error::message(format!("`{value}` is not a date such as 2026-11-23")))?;
    jiff::fmt::strtime::format(format, date).map_err(|error| {
        Error::message(format!(
            "the format `{format}` does not fit a date: {error}"
        ))
    })
}

/// `{{ article.title | wrap(after="1. ") }}`: for the plain text, `1. ` and the title in lines of 72
/// columns, the later ones indented as far as the title begins. Both arguments may be left out.
fn wrap(value: &str, arguments: Kwargs, _: &State<'_>) -> TeraResult<String> {
    let after = arguments.get::<&str>("after")?.unwrap_or_default();
    let width = arguments.get::<usize>("width")?.unwrap_or(text::WIDTH);
    Ok(text::hanging(after, value, width))
}

/// A value of the composing moment as a literal of Tera's, in characters that nothing touches.
fn capture(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<Value> {
    let mut literal = String::new();
    write_literal(value, 0, &mut literal)?;
    if literal.len() > LONGEST_CAPTURE {
        return Err(Error::message(
            "this value is too long to be kept for the moment of sending; use a single field of it",
        ));
    }
    Ok(Value::safe_string(&tokens::encode(&literal)))
}

fn write_literal(value: &Value, depth: usize, out: &mut String) -> TeraResult<()> {
    // Tera reads arrays of two dimensions at most.
    if depth > 2 || out.len() > LONGEST_CAPTURE {
        return Err(Error::message(
            "this value is too deep or too long to be kept for the moment of sending; use a single field of it",
        ));
    }
    match value.kind() {
        ValueKind::Undefined => {
            out.push_str(ABSENT);
            out.push_str(".value");
        }
        ValueKind::None => out.push_str("none"),
        ValueKind::String => write_string(value.as_str().unwrap_or_default(), out)?,
        ValueKind::Array => {
            out.push('[');
            for item in value.as_array().unwrap_or_default() {
                write_literal(item, depth + 1, out)?;
                out.push(',');
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (key, item) in value.as_map().into_iter().flatten() {
                write_string(&key.to_string(), out)?;
                out.push(':');
                write_literal(item, depth + 1, out)?;
                out.push(',');
            }
            out.push('}');
        }
        _ => {
            let text = value.to_string();
            if text.starts_with('-') {
                out.push('(');
                out.push_str(&text);
                out.push(')');
            } else if text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
            {
                out.push_str(&text);
            } else {
                return Err(Error::message(
                    "this value cannot be kept for the moment of sending",
                ));
            }
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) -> TeraResult<()> {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            character if tokens::is_reserved(character) => {
                return Err(Error::message(
                    "this text holds a tag of `subscriber` itself and cannot be used in another one",
                ));
            }
            character if character.is_control() => {}
            character => out.push(character),
        }
    }
    out.push('"');
    Ok(())
}
