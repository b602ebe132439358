//! Filling in what is each reader's own.

/// The addresses that are one reader's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Ends the subscription (RFC 8058).
    pub unsubscribe_url: String,
    /// Changes what is sent.
    pub preferences_url: String,
    /// The issue on the web.
    pub view_url: String,
}

/// An edition with one reader's fields filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// The subject line, one line of text.
    pub subject: String,
    /// The HTML page.
    pub html: String,
    /// The plain text.
    pub text: String,
}

/// An edition, ready to be merged with one reader after the other.
#[derive(Debug)]
pub struct Merger(Merged);

impl Merger {
    /// A stand-in.
    pub fn new(edition: &crate::compose::Edition) -> crate::error::Result<Self> {
        Ok(Self(Merged {
            subject: edition.subject.template.clone(),
            html: edition.html.template.clone(),
            text: edition.text.template.clone(),
        }))
    }

    /// A stand-in.
    pub fn merge(
        &self,
        _fields: &std::collections::BTreeMap<String, crate::audience::Value>,
        _links: &Links,
    ) -> crate::error::Result<Merged> {
        Ok(self.0.clone())
    }
}
