//! What is wrong in settings that can be read: what one value alone cannot tell.

use super::{DkimSettings, Settings};
use crate::{
    audience::Address,
    error::{Error, Kind, Result},
    mail::{dkim, is_list_id},
    place::Text,
};

impl Settings {
    /// What one value alone cannot tell.
    pub(super) fn checked(self, shown: &Text) -> Result<Self> {
        let mut errors = Vec::new();
        let mut wrong = |section: &str, key: &str, message: String, hint: &str| {
            let place = place_of(shown, section, key);
            errors.push(Error::new(Kind::Settings, message).at(place).hint(hint));
        };
        if self.newsletter.postal_address.trim().is_empty() {
            wrong(
                "newsletter",
                "postal_address",
                "`newsletter.postal_address` is empty".into(),
                "The law in most countries asks for a postal address in every issue.",
            );
        }
        if self.newsletter.name.trim().is_empty() {
            wrong(
                "newsletter",
                "name",
                "`newsletter.name` is empty".into(),
                "Readers know the newsletter by its name.",
            );
        }
        if let Some(base_url) = &self.newsletter.base_url {
            let https = url::Url::parse(base_url)
                .is_ok_and(|url| url.scheme() == "https" && url.query().is_none());
            if !https || !base_url.is_ascii() {
                wrong(
                    "newsletter",
                    "base_url",
                    format!("`{base_url}` is not an https address"),
                    "One-click unsubscribe works over https only (RFC 8058): write it like `https://news.example.com`.",
                );
            }
        }
        if let Some(return_path) = &self.newsletter.return_path {
            let filled = return_path.replace("{token}", "token");
            // Braces may stand in an address; here they are a `{token}` that was misspelled.
            if filled.contains(['{', '}']) || filled.parse::<Address>().is_err() {
                wrong(
                    "newsletter",
                    "return_path",
                    format!("`{return_path}` cannot be the return path"),
                    "Write an address; `{token}` in it, and no other name, becomes the token of each mail.",
                );
            }
        }
        if let Some(list_id) = &self.newsletter.list_id
            && !is_list_id(list_id)
        {
            wrong(
                "newsletter",
                "list_id",
                format!("`{list_id}` is not the id of a list"),
                "Write a name like that of a domain, such as `weekly.news.example.com`.",
            );
        }
        if !is_language(&self.newsletter.language) {
            wrong(
                "newsletter",
                "language",
                format!("`{}` is not a language", self.newsletter.language),
                "Write it as in BCP 47, such as `en`, `pt-BR` or `zh-Hant`.",
            );
        }
        if !self.ledger.url.starts_with("sqlite:") {
            wrong(
                "ledger",
                "url",
                format!("`{}` is not a ledger that is known here", self.ledger.url),
                "Write it like `sqlite:.letterpress/ledger.db`.",
            );
        }
        if let Some(settings) = &self.dkim {
            errors.extend(wrong_in_dkim(
                settings,
                self.newsletter.from.address.domain(),
                shown,
            ));
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Where the ledger's file is, relative to the newsletter's folder.
    #[must_use]
    pub fn ledger_path(&self) -> &str {
        self.ledger.url.trim_start_matches("sqlite:")
    }
}

/// What is wrong in `[dkim]` for mail from a domain.
fn wrong_in_dkim(settings: &DkimSettings, from: &str, shown: &Text) -> Vec<Error> {
    let at = |key: &str, error: Error| error.at(place_of(shown, "dkim", key));
    let mut errors = Vec::new();
    match dkim::signing_domain(&settings.domain) {
        Err(error) => errors.push(at("domain", error)),
        Ok(domain) if !dkim::is_aligned(&domain, from) => errors.push(at(
            "domain",
            Error::new(
                Kind::Settings,
                format!("a signature of `{domain}` does not count for mail from `{from}`"),
            )
            .hint(format!(
                "Sign with `{from}`, where `newsletter.from` is, or with a domain above it: receivers want the two to be aligned (DMARC)."
            )),
        )),
        Ok(_) => {}
    }
    if let Err(error) = dkim::checked_selector(&settings.selector) {
        errors.push(at("selector", error));
    }
    let missing = match (&settings.ed25519_selector, &settings.ed25519_key_file) {
        (Some(_), None) => Some(("ed25519_selector", "ed25519_key_file")),
        (None, Some(_)) => Some(("ed25519_key_file", "ed25519_selector")),
        _ => None,
    };
    if let Some((there, missing)) = missing {
        let message = format!("`dkim.{there}` is set, and `dkim.{missing}` is not");
        let error = Error::new(Kind::Settings, message)
            .hint("A second signature needs both, a name in the DNS and a key.");
        errors.push(at(there, error));
    }
    if let Some(selector) = &settings.ed25519_selector {
        if let Err(error) = dkim::checked_selector(selector) {
            errors.push(at("ed25519_selector", error));
        } else if selector.eq_ignore_ascii_case(&settings.selector) {
            let message = "`dkim.ed25519_selector` is that of the other key";
            let error = Error::new(Kind::Settings, message).hint(
                "Each key has a record of its own in the DNS, so each has a selector of its own.",
            );
            errors.push(at("ed25519_selector", error));
        }
    }
    errors
}

/// The line of a section that sets `key`, as near as a line-wise look can find it.
fn place_of(text: &Text, section: &str, key: &str) -> crate::place::Place {
    let mut at = 0;
    let mut inside = false;
    for line in text.content().split_inclusive('\n') {
        if let Some(header) = line.trim_start().strip_prefix('[') {
            inside = header
                .split(']')
                .next()
                .is_some_and(|name| name.trim() == section);
        }
        let name = line.split('=').next().unwrap_or_default().trim();
        if inside && name == key {
            return text.place(at..at + line.trim_end().len());
        }
        at += line.len();
    }
    text.place(0..0)
}

/// Whether it has the shape of a language tag (RFC 5646 2.1): `en`, `pt-BR`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_short = |part: &str| (1..=8).contains(&part.len());
    parts.next().is_some_and(|first| {
        is_short(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic())
    }) && parts.all(|part| is_short(part) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
