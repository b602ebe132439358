//! Declarations and rules of CSS, in a form that can be compared; `page` says what is forgiven.

use super::tag::{collapse, is_blank};

/// The declarations of a `style` attribute, or of a rule.
pub fn declarations(css: &str) -> String {
    let mut declarations: Vec<(String, String)> = Vec::new();
    for declaration in split(css, ';') {
        let (name, given) = declaration.split_once(':').unwrap_or((declaration, ""));
        let name = collapse(name).to_lowercase();
        let value = value(given);
        match name.as_str() {
            "" => {}
            "padding" | "margin" => {
                for (side, value) in sides(&value) {
                    set(&mut declarations, format!("{name}{side}"), value);
                }
            }
            _ if name.starts_with("padding-") || name.starts_with("margin-") => {
                set(&mut declarations, name, value);
            }
            _ => declarations.push((name, value)),
        }
    }
    // The sort is stable: what may overrule each other keeps its order.
    let has_font = declarations.iter().any(|(name, _)| name == "font");
    declarations.sort_by_cached_key(|(name, _)| match family(name) {
        "line" if has_font => ("font".to_owned(), String::new()),
        side @ ("padding" | "margin") => (side.to_owned(), name.clone()),
        other => (other.to_owned(), String::new()),
    });
    let shown = declarations
        .iter()
        .map(|(name, value)| format!("{name}:{value}"));
    shown.collect::<Vec<_>>().join(";")
}

/// The sides that a `padding` of one to four lengths sets; any other is one value.
fn sides(value: &str) -> Vec<(&'static str, String)> {
    let plain = value.trim_end_matches("!important");
    let words: Vec<&str> = plain.split(' ').collect();
    let [top, right, bottom, left] = match words[..] {
        _ if plain.contains(['(', '{', '!']) => return vec![("", value.to_owned())],
        [all] => [all; 4],
        [upright, across] => [upright, across, upright, across],
        [top, across, bottom] => [top, across, bottom, across],
        [top, right, bottom, left] => [top, right, bottom, left],
        _ => return vec![("", value.to_owned())],
    };
    let important = &value[plain.len()..];
    let sides = [
        ("-top", top),
        ("-right", right),
        ("-bottom", bottom),
        ("-left", left),
    ];
    sides
        .map(|(side, length)| (side, format!("{length}{important}")))
        .into()
}

/// What is said last counts, unless what was said before is more important.
fn set(declarations: &mut Vec<(String, String)>, name: String, value: String) {
    let is_kept = |(other, old): &(String, String)| {
        *other != name || (old.ends_with("!important") && !value.ends_with("!important"))
    };
    declarations.retain(is_kept);
    declarations.push((name, value));
}

/// The properties that one shorthand sets.
fn family(name: &str) -> &str {
    let name = name.trim_start_matches('-');
    name.split('-').next().unwrap_or(name)
}

/// A value: one blank between words and none beside a comma, colors in six small digits, zeros
/// without units, three decimals.
pub fn value(css: &str) -> String {
    let css = collapse(css).replace('"', "'");
    let spellings = [
        (", ", ","),
        (" ,", ","),
        ("! important", "!important"),
        (" !important", "!important"),
    ];
    let shorter = |css: String, (long, short): (&str, &str)| css.replace(long, short);
    let css = spellings.into_iter().fold(css, shorter);
    let mut out = String::with_capacity(css.len());
    let mut rest = css.as_str();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("url(") {
            let end = rest.find(')').map_or(rest.len(), |end| end + 1);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        // A hyphen within a word is no sign.
        let word = out.strip_suffix('-').unwrap_or(&out);
        let in_word = word.ends_with(|c: char| c.is_ascii_alphanumeric() || "_.#".contains(c));
        let end = match first {
            '#' => rest[1..]
                .find(|c: char| !c.is_ascii_hexdigit())
                .map_or(rest.len(), |end| end + 1),
            '0'..='9' | '.' if !in_word => rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        match first {
            '#' => out.push_str(&color(piece)),
            '0'..='9' | '.' if !in_word => {
                let number = number(piece);
                let unit = after
                    .find(|c: char| !c.is_ascii_alphabetic())
                    .unwrap_or(after.len());
                if number == "0" && after[..unit] == *"px" {
                    rest = &after[unit..];
                }
                out.push_str(&number);
            }
            _ => out.push(first),
        }
    }
    out
}

fn color(code: &str) -> String {
    let code = code.to_lowercase();
    if code.len() != 4 {
        return code;
    }
    let twice = code[1..].chars().flat_map(|digit| [digit, digit]);
    std::iter::once('#').chain(twice).collect()
}

/// A number without decimals after the third, and without zeros at its end.
fn number(digits: &str) -> String {
    match digits.parse::<f64>() {
        Ok(number) if digits.contains('.') => {
            let rounded = format!("{number:.3}");
            rounded
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned()
        }
        _ => digits.to_owned(),
    }
}

/// The name of a class; that of a column's width ends in the width, with `-` for the point.
pub fn class(name: &str) -> String {
    for prefix in ["mj-column-per-", "mj-column-px-"] {
        if let Some((whole, decimals)) = name.strip_prefix(prefix).and_then(|n| n.split_once('-')) {
            let end = decimals
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(decimals.len());
            let (decimals, after) = decimals.split_at(end);
            let width = number(&format!("{whole}.{decimals}")).replace('.', "-");
            return format!("{prefix}{width}{after}");
        }
    }
    name.to_owned()
}

/// The rules of a style sheet, one each, with the conditions around them.
pub fn rules(css: &str) -> Vec<String> {
    let mut plain = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        plain.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    let mut rules = Vec::new();
    read(&plain, "", &mut rules);
    rules
}

fn read(css: &str, around: &str, rules: &mut Vec<String>) {
    let mut rest = css;
    while let Some(end) = rest.find(['{', '}', ';']) {
        let head = selector(&rest[..end]);
        let after = &rest[end + 1..];
        if !rest[end..].starts_with('{') {
            if !head.is_empty() {
                rules.push(format!("{around}{head}"));
            }
            rest = after;
            continue;
        }
        let body = block(after);
        rest = after.get(body.len() + 1..).unwrap_or("");
        if body.contains('{') {
            read(body, &format!("{around}{head} {{ "), rules);
        } else {
            rules.push(format!("{around}{head} {{ {} }}", declarations(body)));
        }
    }
    let last = selector(rest);
    if !last.is_empty() {
        rules.push(format!("{around}{last}"));
    }
}

/// What stands before the `}` that belongs to the `{` before `css`.
fn block(css: &str) -> &str {
    let mut depth = 0;
    for (at, c) in css.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return &css[..at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    css
}

fn selector(text: &str) -> String {
    let mut out = value(text);
    for mark in [",", ">", "+", "~", ":"] {
        // A blank before a colon makes another selector of it; within `@media ( )` it does not.
        let after = format!("{mark} ");
        out = out.replace(&after, mark);
        if mark != ":" || out.starts_with('@') {
            out = out.replace(&format!(" {mark}"), mark);
        }
    }
    let out = out.trim_matches(is_blank);
    match out.rsplit_once('.') {
        Some((before, name)) if name.starts_with("mj-column-p") => {
            format!("{before}.{}", class(name))
        }
        _ => out.to_owned(),
    }
}

/// Splits at `mark` outside of quotes and parentheses.
fn split(css: &str, mark: char) -> Vec<&str> {
    let (mut pieces, mut start, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    for (at, c) in css.char_indices() {
        match c {
            _ if quote == Some(c) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(c),
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if c == mark && depth == 0 => {
                pieces.push(&css[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&css[start..]);
    pieces
}
