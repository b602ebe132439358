//! Styles that go into the elements of a page, read: rules, each with its selectors and declarations.
//!
//! Whatever of them cannot have an effect is said at the place of their author.

use std::{borrow::Cow, mem, ops::Range};

use super::selecting::Selector;
use crate::{
    compose::{mjml::document::Inlined, tokens},
    finding::Finding,
    place::Place,
};

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) selectors: Vec<Selector>,
    pub(super) declarations: Vec<Declaration>,
    /// Where its author wrote it.
    pub(super) place: Place,
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
        author: &styles.place,
        written: written(&styles.place),
        misses: 0,
        place: styles.place.clone(),
        findings,
        has_said_that_it_depends: false,
    };
    let mut rest = css.trim_start();
    while !rest.is_empty() {
        rest = reader.rule(rest).trim_start();
    }
    reader.rules
}

/// The bytes of a file that hold styles, as far as can be seen: the content of an element whose start
/// tag has this place, or a file of their own.
fn written(place: &Place) -> Range<usize> {
    let content = place.text().content();
    let Range { start, end } = place.range();
    if start == end {
        return 0..content.len();
    }
    let rest = content.get(end..).unwrap_or_default();
    let start = end + rest.find('>').map_or(rest.len(), |at| at + 1);
    let rest = content.get(start..).unwrap_or_default();
    start..start + rest.find("</mj-style").unwrap_or(rest.len())
}

/// The declarations of a `style`, without those that are none.
pub(super) fn declarations(style: &str) -> Vec<Declaration> {
    let style = without_comments(style);
    pieces(&style).filter_map(declaration).collect()
}

struct Reader<'a> {
    rules: Vec<Rule>,
    /// Where the author's file has the styles.
    author: &'a Place,
    /// What of them was not searched yet, in bytes of that file, and how often that was in vain.
    written: Range<usize>,
    misses: usize,
    /// Where the rule stands that is read.
    place: Place,
    findings: &'a mut Vec<Finding>,
    has_said_that_it_depends: bool,
}

/// After so many searches in vain, styles are taken not to be what their author wrote.
const MOST_MISSES: usize = 64;

impl Reader<'_> {
    fn say(&mut self, finding: Finding) {
        self.findings.push(finding.at(self.place.clone()));
    }

    /// Looks for a piece in the author's file: mostly it stands there as it came out. Where it does
    /// not, the place is that of the styles.
    fn locate(&mut self, piece: &str) {
        self.place = self.author.clone();
        let piece = piece.lines().next().unwrap_or_default();
        let piece = piece.trim().trim_end_matches([',', '{']).trim_end();
        if piece.is_empty() || self.misses == MOST_MISSES {
            return;
        }
        let text = self.author.text();
        let rest = text.content().get(self.written.clone());
        let rest = rest.unwrap_or_default();
        let is_whole = |at: &usize| {
            let before = rest[..*at].chars().next_back();
            let after = rest[at + piece.len()..].trim_start().chars().next();
            before.is_none_or(|it| it.is_whitespace() || "{};/>".contains(it))
                && after.is_none_or(|it| "{,;}".contains(it))
        };
        let mut found = rest.match_indices(piece).map(|(at, _)| at);
        match found.find(is_whole) {
            Some(at) => {
                let start = self.written.start + at;
                self.written.start = start + piece.len();
                self.place = text.place(start..self.written.start);
            }
            None => self.misses += 1,
        }
    }

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
        self.locate(prelude);
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
            return self.say(finding.hint("Write a selector of CSS, such as `.name td`."));
        };
        let count = selectors.len();
        let mut selectors = selectors;
        selectors.retain(|selector| !selector.is_fleeting());
        if selectors.len() < count {
            self.no_effect(&fleeting(&shown));
        }
        let place = self.place.clone();
        let mut declarations = Vec::new();
        for piece in pieces(body) {
            match declaration(piece) {
                Some(declaration) if !tokens::wait_in(&declaration.name) => {
                    declarations.push(declaration);
                }
                _ if tokens::wait_in(piece) => {
                    self.place = place.clone();
                    let message = format!(
                        "in the inlined styles of `{shown}`, a tag that waits for the reader stands outside of a value"
                    );
                    let finding = Finding::error(RULE, message);
                    self.say(finding.hint("Put the whole block into a value."));
                }
                _ => {
                    self.locate(piece);
                    let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
                    let message = format!("`{piece}` in the styles of `{shown}` declares nothing");
                    let finding = Finding::warning(RULE, message);
                    self.say(finding.hint("Write `property: value;`."));
                }
            }
        }
        self.rules.push(Rule {
            selectors,
            declarations,
            place,
        });
    }

    /// Says once that what is inlined must be known.
    fn depends(&mut self) {
        if !mem::replace(&mut self.has_said_that_it_depends, true) {
            let message = "a selector whose styles are inlined cannot depend on the reader";
            self.say(Finding::error(RULE, message).hint("Put the tag into a value."));
        }
    }

    fn broken(&mut self, css: &str) {
        self.locate(css);
        if tokens::wait_in(css) {
            return self.depends();
        }
        let line = css.lines().next().unwrap_or_default().trim_end();
        let message = format!("the inlined styles end within the rule `{line}`");
        let finding = Finding::error(RULE, message);
        self.say(finding.hint("Write its `{`, its declarations and its `}`."));
    }

    fn no_effect(&mut self, what: &str) {
        let message = format!("`{what}` has no effect in styles that are inlined");
        let finding = Finding::warning(RULE, message);
        self.say(finding.hint("Put it into an `<mj-style>` without `inline`."));
    }
}

/// What findings about inlined styles are called.
pub(super) const RULE: &str = "mjml-inline-style";

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
