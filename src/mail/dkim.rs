//! DKIM (RFC 6376, 8301, 8463): a signature before a finished message.
//!
//! ```text
//! head ─canonical─▶ ┐
//! body ─BodyHash──▶ bh= ─▶ DKIM-Signature with an empty b= ─hash─▶ key ─▶ b=
//! ```
//!
//! Canonicalization is relaxed for head and body, the digest is SHA-256, all of the body is covered
//! (no `l=`), and `t=` is the Date of the message, so that the same message always gets the same
//! signature. Keys are given as text; where they lie is not known here.

mod canonical;
mod key;
mod signature;

use std::{fmt, sync::Arc};

pub use canonical::{BodyDigest, BodyHash};
pub use key::{Key, KeyKind};

use crate::{
    audience::Address,
    error::{Error, Kind, Result},
};

/// One key of a domain, ready to sign.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

impl Signer {
    /// The key that stands in the DNS at `selector._domainkey.domain`.
    ///
    /// # Errors
    ///
    /// When one of the names cannot be in the DNS.
    pub fn new(domain: &str, selector: &str, key: Key) -> Result<Self> {
        Ok(Self {
            domain: signing_domain(domain)?,
            selector: checked_selector(selector)?,
            key,
        })
    }

    /// The name of the TXT record that verifiers ask for.
    #[must_use]
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// What that record says (RFC 6376 3.6.1).
    #[must_use]
    pub fn record(&self) -> String {
        let kind = self.key.kind();
        let key = data_encoding::BASE64.encode(&self.key.public());
        format!("v=DKIM1; k={}; p={key}", kind.name())
    }
}

/// It has a key in it, which is not to be seen.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {:?})", self.record_name(), self.key.kind())
    }
}

/// All signers of a newsletter: none, one, or one of each kind. Cheap to clone, and used by many
/// threads at once.
#[derive(Clone, Debug, Default)]
pub struct Signers(Arc<[Signer]>);

impl Signers {
    /// Signs with each of them.
    pub fn new(signers: impl IntoIterator<Item = Signer>) -> Self {
        Self(signers.into_iter().collect())
    }

    /// Whether mail stays unsigned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.0.iter()
    }

    /// The `DKIM-Signature` fields to put before a message: whole lines, nothing when there is no key.
    ///
    /// `head` is all header fields without the blank line, `body` what comes after that.
    ///
    /// # Errors
    ///
    /// When the system cannot sign.
    pub fn sign(&self, head: &[u8], body: &[u8]) -> Result<Vec<u8>> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut hash = BodyHash::new();
        hash.update(body);
        self.sign_hashed(head, &hash.finish())
    }

    /// The same for a body that is hashed already.
    ///
    /// # Errors
    ///
    /// When the system cannot sign.
    pub fn sign_hashed(&self, head: &[u8], body: &BodyDigest) -> Result<Vec<u8>> {
        let mut fields = Vec::new();
        if self.is_empty() {
            return Ok(fields);
        }
        let covered = canonical::Covered::of(head);
        for signer in self.iter() {
            signature::write(signer, &covered, body, &mut fields)?;
        }
        Ok(fields)
    }

    /// The message with its signatures before it.
    ///
    /// # Errors
    ///
    /// When the system cannot sign.
    pub fn seal(&self, message: Vec<u8>) -> Result<Vec<u8>> {
        if self.is_empty() {
            return Ok(message);
        }
        let (head, body) = match memchr::memmem::find(&message, b"\r\n\r\n") {
            Some(end) => (&message[..end + 2], &message[end + 4..]),
            None => (&message[..], &[][..]),
        };
        let mut sealed = self.sign(head, body)?;
        sealed.extend_from_slice(&message);
        Ok(sealed)
    }
}

/// The domain of `d=`, in ASCII.
///
/// # Errors
///
/// When it is none.
pub fn signing_domain(domain: &str) -> Result<String> {
    // What can stand after the `@` of an address is what can sign for it.
    Address::parse(&format!("dkim@{domain}"))
        .map(|address| address.domain().to_owned())
        .map_err(|_| {
            Error::new(
                Kind::Settings,
                format!("`{domain}` is not a domain that can sign"),
            )
            .hint("Write the domain of `newsletter.from`, or one above it.")
        })
}

/// Whether mail from a domain is aligned with a signature of another: that is the same, above or below
/// it. Receivers (DMARC) take no notice of others.
#[must_use]
pub fn is_aligned(signing: &str, from: &str) -> bool {
    let is_below = |domain: &str, parent: &str| {
        domain
            .strip_suffix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_below(from, signing) || is_below(signing, from)
}

/// A selector: labels as in the DNS, with dots between them.
///
/// # Errors
///
/// When it is none.
pub fn checked_selector(selector: &str) -> Result<String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if selector.len() <= 128 && selector.split('.').all(is_label) {
        return Ok(selector.to_owned());
    }
    Err(
        Error::new(Kind::Settings, format!("`{selector}` is not a selector"))
            .hint("Write letters, digits and hyphens, such as `lp1`: the key's name in the DNS."),
    )
}

#[cfg(test)]
mod tests;
