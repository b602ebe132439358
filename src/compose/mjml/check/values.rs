//! Whether the value of an attribute is of its type, and what would be.

use super::colors;
use crate::{
    compose::mjml::schema::{Lengths, Sign, Type},
    error::nearest,
};

/// Whether a value is of a type.
pub(super) fn is_of(kind: Type, value: &str) -> bool {
    match kind {
        Type::Text => true,
        Type::Color => is_color(value),
        Type::Boolean => matches!(value, "true" | "false"),
        Type::Integer => value.starts_with(|c: char| c.is_ascii_digit()),
        Type::Words(words) => words.contains(&value),
        Type::Lengths(lengths) => are_lengths(lengths, value),
    }
}

/// What would be right instead of `value`.
pub(super) fn advice(kind: Type, value: &str) -> String {
    if value.contains(['“', '”', '„', '‘', '’']) {
        return "Write straight quotes: `\"`.".to_owned();
    }
    match kind {
        Type::Text => "Write any text.".to_owned(),
        Type::Color => color_advice(value),
        Type::Boolean => "Write `true` or `false`.".to_owned(),
        Type::Integer => "Write a whole number, such as `10`.".to_owned(),
        Type::Words(words) => match nearest(value, words.iter().copied()) {
            Some(near) if !near.is_empty() => format!("Did you mean `{near}`?"),
            _ => format!("Write {}.", listed(words)),
        },
        Type::Lengths(lengths) => length_advice(lengths, value),
    }
}

fn is_color(value: &str) -> bool {
    if let Some(digits) = value.strip_prefix('#') {
        return is_hex(digits);
    }
    colors::is_name(value) || is_mixed(value)
}

fn is_hex(digits: &str) -> bool {
    matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// `rgb(1,2,3)` and `rgba(1,2,3,0.4)`.
fn is_mixed(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let mixed = |name: &str| lower.strip_prefix(name)?.strip_suffix(')');
    let (parts, alpha) = match (mixed("rgba("), mixed("rgb(")) {
        (Some(parts), _) => (parts, true),
        (_, Some(parts)) => (parts, false),
        _ => return false,
    };
    let are_digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
    };
    let mut parts = parts.split(',');
    let mut next = || {
        parts
            .next()
            .map(|part| part.strip_prefix(' ').unwrap_or(part))
    };
    let are_parts = (0..3).all(|_| next().is_some_and(|part| are_digits(part, 3)));
    let is_alpha = |part: &str| match part.split_once('.') {
        Some((whole, rest)) => are_digits(whole, 1) && are_digits(rest, 3),
        None => are_digits(part, 1),
    };
    are_parts && (!alpha || next().is_some_and(is_alpha)) && next().is_none()
}

fn color_advice(value: &str) -> String {
    let lower = value
        .trim_matches([' ', '\t', '\n', ';'])
        .to_ascii_lowercase();
    if is_hex(&lower) {
        return format!("Write `#{lower}`.");
    }
    if is_color(&lower) {
        return format!("Write `{lower}`.");
    }
    let digits = lower.strip_prefix('#').unwrap_or_default();
    if matches!(digits.len(), 4 | 8) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        let opaque = &digits[..digits.len() / 4 * 3];
        return format!("Write `#{opaque}`: mail programs do not know transparency in this form.");
    }
    if lower.starts_with("rgb") {
        return "Write `rgb(255, 0, 0)` or `rgba(255, 0, 0, 0.5)`.".to_owned();
    }
    match nearest(&lower, colors::NAMES) {
        Some(near) if !lower.is_empty() => format!("Did you mean `{near}`?"),
        _ => "Write a color such as `#ff0000` or `red`.".to_owned(),
    }
}

/// One space between lengths, as MJML wants it; one at the end does no harm.
fn are_lengths(lengths: Lengths, value: &str) -> bool {
    let value = value.strip_suffix(' ').unwrap_or(value);
    value.split(' ').nth(lengths.most).is_none()
        && value.split(' ').all(|length| is_length(lengths, length))
}

fn is_length(lengths: Lengths, value: &str) -> bool {
    if value == "0" {
        return true;
    }
    let allowed = |unit: &&&str| {
        let number = value.strip_suffix(**unit);
        number.is_some_and(|number| match **unit {
            "auto" => number.is_empty(),
            _ => is_number(lengths.sign, number),
        })
    };
    lengths.units.iter().any(|unit| allowed(&unit))
}

fn is_number(sign: Sign, text: &str) -> bool {
    let text = match sign {
        Sign::Any => text.strip_prefix('-').unwrap_or(text),
        Sign::Positive => text,
    };
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let are_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    !(whole.is_empty() && rest.is_empty()) && are_digits(whole) && are_digits(rest)
}

fn length_advice(lengths: Lengths, value: &str) -> String {
    // What is all but right is shown as it would be right. One length may only have got its unit too
    // far away.
    let mended = match lengths.most {
        1 => mended(lengths, &value.split_whitespace().collect::<String>()),
        most => {
            let all = value.split_whitespace().take(most + 1);
            let all: Vec<String> = all.map(|length| mended(lengths, length)).collect();
            all.join(" ")
        }
    };
    if !mended.is_empty() && mended.len() < 40 && are_lengths(lengths, &mended) {
        return format!("Write `{mended}`.");
    }
    let units: Vec<&str> = lengths
        .units
        .iter()
        .copied()
        .filter(|unit| !unit.is_empty())
        .collect();
    let (units, word) = match units.split_last() {
        Some((&"auto", units)) => (units, " or `auto`"),
        _ => (&units[..], ""),
    };
    let units = units.join(" or ");
    let number = if lengths.units.contains(&"") {
        " or a number"
    } else {
        ""
    };
    match lengths.most {
        1 => format!(
            "Write a length in {units}{number}{word}, such as `{}`.",
            example(lengths)
        ),
        _ => format!("Write one to four lengths in {units}, such as `10px 25px`."),
    }
}

/// A length with the unit that it lacks, or without what it has too much of.
fn mended(lengths: Lengths, length: &str) -> String {
    let length = length.trim_end_matches([';', ',']).to_ascii_lowercase();
    let unit = lengths.units.first().copied().unwrap_or_default();
    let with_point = length.replace(',', ".");
    [format!("{length}{unit}"), with_point]
        .into_iter()
        .find(|mended| !is_length(lengths, &length) && is_length(lengths, mended))
        .unwrap_or(length)
}

fn example(lengths: Lengths) -> &'static str {
    match lengths.sign {
        Sign::Any => "-1px",
        Sign::Positive if lengths.units.contains(&"") => "1.5",
        Sign::Positive => "100px",
    }
}

/// Words in a row: `left`, `center` or `right`.
pub(super) fn listed(words: &[&str]) -> String {
    let words = words.iter().filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// Names of elements in a row: `<mj-column>` or `<mj-hero>`.
pub(super) fn listed_elements(names: &[&str]) -> String {
    let tags: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    listed(&tags)
}
