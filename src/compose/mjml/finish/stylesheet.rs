//! Styles that go into the elements of a page, read: rules, each with its selectors and declarations.
//!
//! Whatever of them cannot have an effect is said at the place of their author.

use std::{borrow::Cow, mem};

use super::selecting::Selector;
use crate::{
    compose::{mjml::document::Inlined, tokens},
    finding::Finding,
};

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) selectors: Vec<Selector>,
    pub(super) declarations: Vec<Declaration>,
}

/// A declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declaration {
    pub(super) name: String,
    /// Without `!important`.
    pub(super) value: String,
    pub(super) importance: Importance,
}

/// Whether a declaration goes before those of the element itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Importance {
    Normal,
    Important,
}

/// Reads styles.
pub(super) fn read(styles: &Inlined, findings: &mut Vec<Finding>) -> Vec<Rule> {
    let css = without_comments(&styles.css);
    let mut reader = Reader {
        rules: Vec::new(),
        say: |finding: Finding| findings.push(finding.at(styles.place.clone())),
        has_said_that_it_depends: false,
    };
    let mut rest = css.trim_start();
    while !rest.is_empty() {
        rest = reader.rule(rest).trim_start();
    }
    reader.rules
}

/// The declarations of a `style`, without those that are none.
pub(super) fn declarations(style: &str) -> Vec<Declaration> {
    let style = without_comments(style);
    pieces(&style).filter_map(declaration).collect()
}

struct Reader<S> {
    rules: Vec<Rule>,
    say: S,
    has_said_that_it_depends: bool,
}

impl<S: FnMut(Finding)> Reader<S> {
    /// Reads one rule; what follows it.
    fn rule<'a>(&mut self, css: &'a str) -> &'a str {
        let is_at = css.starts_with('@');
        let start = until(css, |c| c == '{' || is_at && c == ';');
        let Some((prelude, after)) = start.and_then(|at| css.split_at_checked(at)) else {
            self.broken(css);
            return "";
        };
        let (body, after) = match after.strip_prefix('{') {
            None => ("", &after[1..]),
            Some(body) => match until(body, |c| c == '}') {
                Some(end) => (&body[..end], &body[end + 1..]),
                None => {
                    self.broken(css);
                    return "";
                }
            },
        };
        if is_at {
            let end = prelude.find(|c: char| c.is_whitespace() || c == '(');
            let name = &prelude[..end.unwrap_or(prelude.len())];
            self.no_effect(name);
        } else {
            self.style_rule(prelude.trim(), body);
        }
        after
    }

    fn style_rule(&mut self, prelude: &str, body: &str) {
        let shown = prelude.split_whitespace().collect::<Vec<_>>().join(" ");
        if tokens::wait_in(prelude) {
            return self.depends();
        }
        let Some(selectors) = Selector::read_all(prelude) else {
            let message = format!("cannot read the selector `{shown}`");
            let finding = Finding::error(RULE, message);
            return (self.say)(finding.hint("Write a selector of CSS, such as `.name td`."));
        };
        let count = selectors.len();
        let mut selectors = selectors;
        selectors.retain(|selector| !selector.is_fleeting());
        if selectors.len() < count {
            self.no_effect(&fleeting(&shown));
        }
        let mut declarations = Vec::new();
        for piece in pieces(body) {
            match declaration(piece) {
                Some(declaration) if !tokens::wait_in(&declaration.name) => {
                    declarations.push(declaration);
                }
                _ if tokens::wait_in(piece) => {
                    let message = format!(
                        "in the inlined styles of `{shown}`, a tag that waits for the reader stands outside of a value"
                    );
                    let finding = Finding::error(RULE, message);
                    (self.say)(finding.hint("Put the whole block into a value."));
                }
                _ => {
                    let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
                    let message = format!("`{piece}` in the styles of `{shown}` declares nothing");
                    let finding = Finding::warning(RULE, message);
                    (self.say)(finding.hint("Write `property: value;`."));
                }
            }
        }
        self.rules.push(Rule {
            selectors,
            declarations,
        });
    }

    /// Says once that what is inlined must be known.
    fn depends(&mut self) {
        if !mem::replace(&mut self.has_said_that_it_depends, true) {
            let message = "a selector whose styles are inlined cannot depend on the reader";
            (self.say)(Finding::error(RULE, message).hint("Put the tag into a value."));
        }
    }

    fn broken(&mut self, css: &str) {
        if tokens::wait_in(css) {
            return self.depends();
        }
        let line = css.lines().next().unwrap_or_default().trim_end();
        let message = format!("the inlined styles end within the rule `{line}`");
        let finding = Finding::error(RULE, message);
        (self.say)(finding.hint("Write its `{`, its declarations and its `}`."));
    }

    fn no_effect(&mut self, what: &str) {
        let message = format!("`{what}` has no effect in styles that are inlined");
        let finding = Finding::warning(RULE, message);
        (self.say)(finding.hint("Put it into an `<mj-style>` without `inline`."));
    }
}

const RULE: &str = "mjml-inline-style";

/// Those of the selectors before a rule that match nothing for long.
fn fleeting(prelude: &str) -> String {
    let is_fleeting = |selector: &&str| {
        let read = Selector::read_all(selector);
        read.is_some_and(|all| all.iter().any(Selector::is_fleeting))
    };
    let selectors = split(prelude, ',').filter(is_fleeting);
    selectors.collect::<Vec<_>>().join(", ")
}

/// What stands between semicolons.
fn pieces(declarations: &str) -> impl Iterator<Item = &str> {
    split(declarations, ';').filter(|piece| !piece.is_empty())
}

/// What stands between separators of one byte, as [`until`] finds them.
fn split(css: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = css;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = until(rest, |c| c == separator).unwrap_or(rest.len());
        let piece = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(piece.trim())
    })
}

fn declaration(piece: &str) -> Option<Declaration> {
    let (name, value) = piece.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = |c: char| !c.is_whitespace() && !"{}\"'()".contains(c);
    if name.is_empty() || value.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let plain = value.len().checked_sub("important".len()).and_then(|at| {
        let (value, word) = value.split_at_checked(at)?;
        let is_word = word.eq_ignore_ascii_case("important");
        value.trim_end().strip_suffix('!').filter(|_| is_word)
    });
    let name = match name.starts_with("--") {
        true => name.to_owned(),
        false => name.to_ascii_lowercase(),
    };
    Some(Declaration {
        name,
        value: plain.unwrap_or(value).trim_end().to_owned(),
        importance: match plain {
            Some(_) => Importance::Important,
            None => Importance::Normal,
        },
    })
}

/// Where the first character stands that ends something: not within a string or brackets, and not the
/// semicolon of a character reference.
fn until(css: &str, ends: impl Fn(char) -> bool) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, character) in css.char_indices() {
        if mem::take(&mut escaped) {
            continue;
        }
        match character {
            '\\' => escaped = true,
            _ if quote == Some(character) => quote = None,
            _ if quote.is_some() => {}
            '"' | '\'' => quote = Some(character),
            ';' if depth == 0 && ends(';') && is_reference(&css[..at]) => {}
            _ if depth == 0 && ends(character) => return Some(at),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Whether a character reference such as `&quot` ends here.
fn is_reference(before: &str) -> bool {
    let name = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    name.len() < before.len() && (name.ends_with('&') || name.ends_with("&#"))
}

/// Without comments, and without the marks that hide styles from the browsers of old.
fn without_comments(css: &str) -> Cow<'_, str> {
    if !["/*", "<!--", "-->"].iter().any(|mark| css.contains(mark)) {
        return Cow::Borrowed(css);
    }
    let mut out = String::with_capacity(css.len());
    let mut quote = None;
    let mut rest = css;
    while let Some(character) = rest.chars().next() {
        if quote.is_none() {
            if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/").map_or("", |(_, after)| after);
                out.push(' ');
                continue;
            }
            let mark = rest.strip_prefix("<!--");
            if let Some(after) = mark.or_else(|| rest.strip_prefix("-->")) {
                rest = after;
                continue;
            }
        }
        match character {
            _ if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ => {}
        }
        out.push(character);
        rest = &rest[character.len_utf8()..];
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
