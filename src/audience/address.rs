//! One address: what may be sent to, in the form in which it goes on the wire.
//!
//! Only the syntax that real mailboxes use is taken (RFC 5321 4.1.2 without quoted local parts,
//! domain literals and comments). The domain is kept as ASCII (UTS #46), so that every relay takes it.

use std::{fmt, str::FromStr};

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use serde::{Deserialize, Serialize};

/// An address that may be written to, such as `ann@example.org`.
///
/// The local part is kept as it was given, for only its owner's server may change it (RFC 5321
/// 2.4); the domain is in lower case, with labels in ASCII (`xn--…`). [`Display`](fmt::Display) is
/// what goes on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    text: String,
    /// Where the `@` is.
    at: usize,
}

/// Why a text is not an address that can be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    /// What is wrong: a lower-case fragment.
    pub reason: String,
    /// What would be right: a sentence.
    pub hint: &'static str,
}

impl Address {
    /// Reads one bare address. White space around it, `mailto:` and angle brackets are taken off;
    /// nothing inside is changed but the form of the domain.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, one reason at a time.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let bare = without_wrapping(text);
        if bare.is_empty() {
            return fail(
                "there is no address",
                "Write an address such as `ann@example.org`.",
            );
        }
        if let Some(odd) = bare.chars().find(|c| is_invisible(*c)) {
            return fail(
                format!(
                    "there is an invisible character (U+{:04X}) in it",
                    u32::from(odd)
                ),
                "Type the address anew instead of pasting it.",
            );
        }
        if bare.contains(['<', '>', '(', ')']) {
            return fail(
                "there is a name or a comment with it",
                "Write the address alone, such as `ann@example.org`; names have a column of their own.",
            );
        }
        if bare.contains([',', ';']) {
            return fail(
                "there is a comma or a semicolon in it",
                "Put several people on several lines.",
            );
        }
        if bare.contains(['＠', '﹫']) {
            return fail("it has a full-width `＠`", "Write the ASCII sign, `@`.");
        }
        if bare.contains('"') {
            return fail(
                "it has a quoted part",
                "Quoted addresses are hardly ever delivered; ask for another address.",
            );
        }
        if bare.contains(char::is_whitespace) {
            return fail(
                "there is a space in it",
                "An address has no spaces; look for one that was typed by mistake.",
            );
        }
        let Some((local, domain)) = bare.split_once('@') else {
            return fail(
                "it has no `@`",
                "Write an address such as `ann@example.org`.",
            );
        };
        if domain.contains('@') {
            return fail(
                "it has more than one `@`",
                "Put several people on several lines.",
            );
        }
        check_local(local)?;
        let domain = ascii_domain(domain)?;
        let text = format!("{local}@{domain}");
        // RFC 5321 4.5.3.1.3: a path has 256 octets at most, and its brackets count.
        if text.len() > 254 {
            return fail(
                format!("it has {} octets, and 254 is the most", text.len()),
                "No server takes so long an address; ask for another one.",
            );
        }
        Ok(Self {
            at: local.len(),
            text,
        })
    }

    /// All of it, as on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    /// What stands after the `@`: ASCII, in lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.text.get(self.at + 1..).unwrap_or_default()
    }

    /// What two addresses have in common that belong to one person: for comparison only.
    /// Capitals make no difference; dots and `+tags` do, because they are the owner's choice.
    #[must_use]
    pub fn key(&self) -> String {
        Self::key_of(&self.text)
    }

    /// The [`Self::key`] of an address that was one already when it was written down.
    #[must_use]
    pub fn key_of(text: &str) -> String {
        text.to_lowercase()
    }

    /// Whether only a relay that offers SMTPUTF8 can take it (RFC 6531): its local part is not ASCII.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.text.is_ascii()
    }

    /// Whether its domain is set aside for tests and examples (RFC 2606, RFC 6761), so that no mail
    /// to it can ever arrive.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let domain = self.domain();
        let top = domain.rsplit('.').next().unwrap_or_default();
        matches!(top, "test" | "invalid" | "localhost" | "example")
            || ["example.com", "example.net", "example.org"]
                .iter()
                .any(|reserved| {
                    domain
                        .strip_suffix(reserved)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                })
    }
}

fn fail<T>(reason: impl Into<String>, hint: &'static str) -> Result<T, AddressError> {
    Err(AddressError {
        reason: reason.into(),
        hint,
    })
}

/// Without white space around it, then without `mailto:` and one pair of angle brackets.
fn without_wrapping(text: &str) -> &str {
    let mut bare = text.trim();
    if let Some(inner) = bare
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
    {
        bare = inner.trim();
    }
    match bare.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => bare[7..].trim_start(),
        _ => bare,
    }
}

/// Controls, characters without width, and those that turn the direction of writing.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A dot-atom (RFC 5322 3.2.3) of at most 64 octets; letters and digits of all scripts may be in it
/// (RFC 6531).
fn check_local(local: &str) -> Result<(), AddressError> {
    if local.is_empty() {
        return fail(
            "nothing stands before the `@`",
            "Write an address such as `ann@example.org`.",
        );
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return fail(
            "a dot stands at an end of the part before the `@`, or next to another one",
            "Take the dot away, if the owner confirms that the address is right.",
        );
    }
    if let Some(odd) = local.chars().find(|c| !is_local(*c)) {
        return fail(
            format!("`{odd}` cannot stand before the `@`"),
            "Letters, digits and signs such as `.`, `_`, `+`, `-` may stand there.",
        );
    }
    if local.len() > 64 {
        return fail(
            format!(
                "the part before the `@` has {} octets, and 64 is the most",
                local.len()
            ),
            "No server takes so long an address; ask for another one.",
        );
    }
    Ok(())
}

fn is_local(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        c.is_alphanumeric()
    }
}

/// The domain as servers know it, in ASCII and lower case.
fn ascii_domain(domain: &str) -> Result<String, AddressError> {
    if domain.is_empty() {
        return fail(
            "nothing stands after the `@`",
            "Write an address such as `ann@example.org`.",
        );
    }
    if domain.contains(['[', ']']) {
        return fail(
            "it has an IP address in brackets for a domain",
            "Write the name of a domain; mail to bare machines is refused nearly everywhere.",
        );
    }
    if domain.contains('_') {
        return fail("there is an underscore in the domain", "Did you mean `-`?");
    }
    if domain.starts_with('.') || domain.ends_with('.') || domain.contains("..") {
        return fail(
            "a dot stands at an end of the domain, or next to another one",
            "Write a domain such as `example.org`.",
        );
    }
    if domain
        .split('.')
        .any(|label| label.starts_with('-') || label.ends_with('-'))
    {
        return fail(
            "a hyphen stands at an end of a part of the domain",
            "Write a domain such as `my-example.org`.",
        );
    }
    let Ok(ascii) = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Ignore,
    ) else {
        return fail(
            format!("`{domain}` cannot be the name of a domain"),
            "A domain is made of letters, digits, dots and hyphens, such as `example.org`.",
        );
    };
    // What UTS #46 maps away can leave an empty label behind, so the labels are looked at again.
    if ascii
        .split('.')
        .any(|label| label.is_empty() || label.len() > 63)
        || ascii.len() > 253
    {
        return fail(
            "the domain, or a part of it, is too long or empty",
            "A part of a domain has 63 octets at most, and all of it 253.",
        );
    }
    let top = match ascii.rsplit_once('.') {
        Some((_, top)) => top,
        None => {
            return fail(
                format!("`{ascii}` is a domain without a dot"),
                "Write all of the domain, such as `example.org`.",
            );
        }
    };
    if top.len() < 2 || !top.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return fail(
            format!("`.{top}` is no top-level domain"),
            "Write a domain such as `example.org`.",
        );
    }
    Ok(ascii.into_owned())
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.text
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.text)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for AddressError {}

impl From<AddressError> for crate::error::Error {
    fn from(error: AddressError) -> Self {
        Self::data(format!(
            "not an address that can be written to: {}",
            error.reason
        ))
        .hint(error.hint)
    }
}

#[cfg(test)]
mod tests;
