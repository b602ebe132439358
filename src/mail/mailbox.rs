//! A name and an address, as people write them: `The Weekly Press <press@news.example.com>`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    audience::Address,
    error::{Error, Result},
};

/// An address with the name that mail programs show for it (RFC 5322 3.4), one and no group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    /// What mail programs show, of any letters; no name shows the address.
    pub name: Option<String>,
    /// Where mail goes.
    pub address: Address,
}

/// Reads `Name <a@b>`, `"Name, with signs" <a@b>`, `<a@b>` and `a@b`.
impl FromStr for Mailbox {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let (name, address) = match text.rsplit_once('<') {
            Some((name, address)) if text.ends_with('>') => {
                (name.trim(), address.trim_end_matches('>'))
            }
            _ => ("", text),
        };
        let name = match name
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
        {
            Some(quoted) => unquoted(quoted)?,
            None if name.contains(['"', '<', '>']) => return Err(bad_name(name)),
            None => name.to_owned(),
        };
        if name.chars().any(char::is_control) {
            return Err(Error::data("there is a control character in the name")
                .hint("Type the name anew instead of pasting it."));
        }
        Ok(Self {
            name: Some(name).filter(|name| !name.trim().is_empty()),
            address: Address::parse(address)?,
        })
    }
}

fn bad_name(name: &str) -> Error {
    Error::data(format!("`{name}` cannot be the name of one mailbox"))
        .hint("Write one mailbox, such as `The Weekly Press <press@news.example.com>`.")
}

/// What stands between quotes, each sign with a backslash before it being itself.
fn unquoted(quoted: &str) -> Result<String> {
    let mut name = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => return Err(bad_name(quoted)),
            '\\' => name.push(characters.next().ok_or_else(|| bad_name(quoted))?),
            other => name.push(other),
        }
    }
    Ok(name)
}

/// A name between quotes (RFC 5322 3.2.4).
pub(super) fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// For people: it is [`super::header`] that makes a header of it.
impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => write!(f, "{}", self.address),
            Some(name) if name.trim() != name || name.contains(special) => {
                write!(f, "{} <{}>", quoted(name), self.address)
            }
            Some(name) => write!(f, "{name} <{}>", self.address),
        }
    }
}

/// What only a quoted name may hold.
fn special(c: char) -> bool {
    matches!(
        c,
        '"' | '\\' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '@'
    )
}

impl TryFrom<String> for Mailbox {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}

impl From<Address> for Mailbox {
    fn from(address: Address) -> Self {
        Self {
            name: None,
            address,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(text: &str) -> (Option<String>, String) {
        let mailbox: Mailbox = text.parse().unwrap();
        (mailbox.name, mailbox.address.to_string())
    }

    #[test]
    fn the_usual_forms_are_read() {
        let address = || "press@example.org".to_owned();
        let name = |name: &str| Some(name.to_owned());
        for (text, expected) in [
            ("press@example.org", None),
            (" <press@example.org> ", None),
            ("\"\" <press@example.org>", None),
            ("The Press <press@Example.org>", name("The Press")),
            ("J. Müller <press@example.org>", name("J. Müller")),
            (
                r#""Press, \"The\" \\" <press@example.org>"#,
                name(r#"Press, "The" \"#),
            ),
        ] {
            assert_eq!(parts(text), (expected, address()), "{text}");
        }
    }

    #[test]
    fn what_is_no_single_mailbox_is_refused() {
        for text in [
            "",
            "The Press",
            "a <a@example.org>, b <b@example.org>",
            "a@example.org, b@example.org",
            "\"The Press <a@example.org>",
            "\"a\" \"b\" <a@example.org>",
            "a\r\nBcc: b@example.org <a@example.org>",
            "Press <nobody>",
        ] {
            assert!(text.parse::<Mailbox>().is_err(), "{text}");
        }
    }

    #[test]
    fn signs_are_quoted_when_it_is_shown() {
        let shown = |text: &str| text.parse::<Mailbox>().unwrap().to_string();
        assert_eq!(shown("<a@example.org>"), "a@example.org");
        assert_eq!(
            shown("J. Müller <a@example.org>"),
            "J. Müller <a@example.org>"
        );
        assert_eq!(
            shown(r#""a\"b" <a@example.org>"#),
            r#""a\"b" <a@example.org>"#
        );
    }

    proptest! {
        #[test]
        fn a_mailbox_reads_back_as_itself(name in prop::option::of("\\PC{0,20}[\"\\\\a<>,]{0,3}[^\\pC\\s]")) {
            let address = Address::parse("a@example.org").unwrap();
            let mailbox = Mailbox { name, address };
            prop_assert_eq!(mailbox.to_string().parse::<Mailbox>().unwrap(), mailbox);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<Mailbox>();
        }
    }
}
