//! One tag of HTML: its name and its attributes, in a form that can be compared; `page` says what is
//! forgiven.

use super::style;

/// Reads the tag that `html` begins with: its name, its attributes, whether it closes itself, and what
/// stands after it.
pub fn start(html: &str) -> (String, Vec<(String, String)>, bool, &str) {
    let after_name = |c: char| is_blank(c) || c == '>' || c == '/';
    let end = html.find(after_name).unwrap_or(html.len());
    let name = html[1..end].to_lowercase();
    let mut rest = &html[end..];
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut closes = false;
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        closes = rest.starts_with('/');
        if closes {
            rest = &rest[1..];
            continue;
        }
        let ends = |c: char| is_blank(c) || matches!(c, '=' | '>' | '/');
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let end = rest[first..]
            .find(ends)
            .map_or(rest.len(), |end| end + first);
        let key = rest[..end].to_lowercase();
        rest = rest[end..].trim_start_matches(is_blank);
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            rest = after.trim_start_matches(is_blank);
            (value, rest) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    rest[1..].split_once(quote).unwrap_or((&rest[1..], ""))
                }
                _ => rest.split_at(rest.find(|c| is_blank(c) || c == '>').unwrap_or(rest.len())),
            };
        }
        // Of two, the first one counts.
        if key != "vertical-align" && attributes.iter().all(|(known, _)| *known != key) {
            let value = attribute(&key, value);
            if !value.is_empty() || !matches!(key.as_str(), "class" | "style") {
                attributes.push((key, value));
            }
        }
    }
    (name, attributes, closes, rest)
}

fn attribute(name: &str, value: &str) -> String {
    let value = collapse(&unescaped(value));
    match name {
        "style" => style::declarations(&value),
        "class" => {
            let mut classes: Vec<String> = value.split(' ').map(style::class).collect();
            classes.sort_by_cached_key(|class| {
                let words = class.split('-').filter(|word| !is_generated(word));
                words.collect::<Vec<_>>().join("-")
            });
            classes.join(" ")
        }
        "bgcolor" | "color" | "fillcolor" | "origin" | "position" => style::value(&value),
        _ => value,
    }
}

/// The letters that a value means.
pub fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, entity)) = rest.split_once('&') {
        out.push_str(before);
        let name = entity.split_once(';').map_or("", |(name, _)| name);
        let code = match name.strip_prefix('#') {
            Some(hexadecimal) if hexadecimal.starts_with(['x', 'X']) => {
                u32::from_str_radix(&hexadecimal[1..], 16).ok()
            }
            Some(decimal) => decimal.parse().ok(),
            None => None,
        };
        let letter = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => code.and_then(char::from_u32),
        };
        rest = match letter {
            Some(letter) => {
                out.push(letter);
                &entity[name.len() + 1..]
            }
            None => {
                out.push('&');
                entity
            }
        };
    }
    out + rest
}

pub fn shown(name: &str, attributes: &[(String, String)], closes: bool) -> String {
    let mut attributes = attributes.to_vec();
    attributes.sort();
    let mut line = format!("<{name}");
    for (name, value) in attributes {
        line.push_str(&format!(" {name}={value:?}"));
    }
    // The slash means something to VML and nothing to HTML.
    line.push_str(if closes && name.contains(':') {
        "/>"
    } else {
        ">"
    });
    line
}

/// The white space of HTML, which a no-break space is none of.
pub fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t' | '\u{c}')
}

pub fn collapse(text: &str) -> String {
    let words: Vec<&str> = text
        .split(is_blank)
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Sixteen hexadecimal digits are npm's; the engine counts in eight.
pub fn is_generated(word: &str) -> bool {
    let hexadecimal = word.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let digits = word.bytes().all(|b| b.is_ascii_digit());
    (word.len() == 16 && hexadecimal) || (word.len() == 8 && digits && word.starts_with("0000"))
}
