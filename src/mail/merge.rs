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
