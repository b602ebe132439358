//! Who is alike: two readers of whom an edition asks the same can have no different fault in their
//! mails, so that one of them is merged as a check, and not both.
//!
//! Pure. What is not understood here makes nobody alike, and everyone is merged.

use std::collections::{BTreeMap, HashSet};

use crate::{
    audience::{Recipient, Value},
    compose::{Edition, Part},
};

/// What an edition asks about its readers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Questions {
    /// The fields, and how each is used.
    fields: BTreeMap<String, Use>,
}

/// How a field is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// Its value is put into the mail as it is. That goes wrong when it is blank, or never.
    Shown,
    /// What is in it matters: it is compared, filtered, or made an address.
    LookedAt,
}

/// Those who were seen to have no fault.
#[derive(Debug, Default)]
pub(super) struct Alike {
    seen: HashSet<Vec<u8>>,
    key: Vec<u8>,
}

/// So many different answers are remembered, and none that is longer: what is mostly different is
/// looked up in vain.
const REMEMBERED: usize = 1 << 13;
const LONGEST: usize = 256;

/// The addresses of a reader. Whose they are makes no difference to what can go wrong with them: they
/// are there for everyone or for nobody, and begin alike.
const LINKS: [&str; 3] = ["unsubscribe_url", "preferences_url", "view_url"];

const READER: &str = "subscriber";

impl Questions {
    /// What an edition asks; `None` when that cannot be told.
    pub(super) fn of(edition: &Edition) -> Option<Self> {
        let mut questions = Self::default();
        for part in [&edition.subject, &edition.html, &edition.text] {
            questions.part(part)?;
        }
        Some(questions)
    }

    fn part(&mut self, part: &Part) -> Option<()> {
        for tag in &part.tags {
            let code = part.template.get(tag.range.clone())?;
            let code = code.strip_prefix('\u{1}')?.strip_suffix('\u{1}')?;
            if let Some(code) = inside(code, '(', ')') {
                self.print(code)?;
            } else {
                self.statement(inside(code, '[', ']')?)?;
            }
        }
        Some(())
    }

    /// `subscriber.name`, perhaps with a default, perhaps with the filter of its place; or anything else.
    fn print(&mut self, code: &str) -> Option<()> {
        let code = code.trim();
        let wrapped = ["__line", "__attribute", "__url_part"]
            .iter()
            .find_map(|filter| code.strip_suffix(filter)?.trim_end().strip_suffix('|'))
            .and_then(|code| inside(code.trim(), '(', ')'));
        let shown = |code: &'_ str| field(without_default(code)).map(str::to_owned);
        if let Some(name) = shown(code).or_else(|| shown(wrapped?)) {
            self.note(&name, Use::Shown);
            return Some(());
        }
        let address = code
            .strip_suffix("__url")
            .and_then(|code| code.trim_end().strip_suffix('|'))
            .and_then(|code| inside(code.trim(), '(', ')'));
        let link = wrapped.or(address).unwrap_or(code).trim();
        if LINKS.contains(&link) {
            return Some(());
        }
        self.expression(code)
    }

    /// Branches and loops. Others can make a value of what they enclose, or a name of something else.
    fn statement(&mut self, code: &str) -> Option<()> {
        let code = code.trim();
        let (word, rest) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
        match word {
            "if" | "elif" if LINKS.contains(&rest.trim()) => Some(()),
            "if" | "elif" | "for" | "else" | "endif" | "endfor" => self.expression(rest),
            _ => None,
        }
    }

    /// Whatever it does, it does with the values of the fields that it names; what stands in quotes
    /// counts, too, which does no harm.
    fn expression(&mut self, code: &str) -> Option<()> {
        if LINKS.iter().any(|link| code.contains(link)) || code.contains("__tera_context") {
            return None;
        }
        for (at, _) in code.match_indices(READER) {
            let end = at + READER.len();
            let before = code.get(..at)?.chars().next_back();
            let after = code.get(end..)?;
            let is_longer = |c: char| c.is_alphanumeric() || c == '_';
            if before.is_some_and(is_longer) || after.starts_with(is_longer) {
                continue;
            }
            let name = after.strip_prefix('.')?;
            let name = name.split(|c| !is_longer(c)).next()?;
            if name.is_empty() {
                return None;
            }
            self.note(name, Use::LookedAt);
        }
        Some(())
    }

    fn note(&mut self, name: &str, how: Use) {
        let known = self.fields.entry(name.to_owned()).or_insert(how);
        *known = how.max(*known);
    }

    /// What a reader answers.
    fn answer(&self, reader: &Recipient, into: &mut Vec<u8>) {
        into.clear();
        let mut text = |sort: u8, text: &str| {
            into.push(sort);
            // With its length before it, no answer reads like two.
            into.extend_from_slice(&text.len().to_le_bytes());
            into.extend_from_slice(text.as_bytes());
        };
        for (name, how) in &self.fields {
            match reader.fields.get(name) {
                None => text(b'-', ""),
                Some(Value::Text(cell)) if cell.trim().is_empty() => text(b'-', ""),
                // A control character is taken out before it is shown, and may be all there is.
                Some(Value::Text(cell))
                    if *how == Use::LookedAt || cell.contains(char::is_control) =>
                {
                    text(b't', cell);
                }
                Some(Value::Text(_)) => text(b'+', ""),
                Some(Value::List(entries)) => {
                    text(b'l', "");
                    for entry in entries {
                        text(b'e', entry);
                    }
                }
            }
        }
    }
}

impl Alike {
    /// Whether somebody like this reader was seen to have no fault; if not, `is_sound` looks, and it is
    /// remembered.
    pub(super) fn is_known(
        &mut self,
        questions: &Questions,
        reader: &Recipient,
        is_sound: impl FnOnce() -> bool,
    ) -> bool {
        questions.answer(reader, &mut self.key);
        if self.seen.contains(&self.key) {
            return true;
        }
        let is_sound = is_sound();
        if is_sound && self.seen.len() < REMEMBERED && self.key.len() <= LONGEST {
            self.seen.insert(self.key.clone());
        }
        is_sound
    }
}

fn inside(code: &str, open: char, close: char) -> Option<&str> {
    code.strip_prefix(open)?.strip_suffix(close)
}

/// Without `| default(value="…")` at its end.
fn without_default(code: &str) -> &str {
    let code = code.trim();
    let field = || {
        let (field, default) = code.split_once('|')?;
        let default = default.trim().strip_prefix("default(")?.strip_suffix(')')?;
        let value = default.trim().strip_prefix("value")?.trim_start();
        let value = value.strip_prefix('=')?.trim();
        let quoted = value.strip_prefix('"')?.strip_suffix('"')?;
        (!quoted.contains(['"', '\\'])).then_some(field.trim())
    };
    field().unwrap_or(code)
}

/// The name in `subscriber.name`.
fn field(code: &str) -> Option<&str> {
    let name = code.strip_prefix(READER)?.strip_prefix('.')?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests;
