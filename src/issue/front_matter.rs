//! Front matter: what an issue or an article says of itself before it begins.

use jiff::{Timestamp, civil::Date};

use crate::place::Place;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands, without its quotes.
    pub place: Place,
}

/// The front matter of an issue.
#[derive(Clone, Debug)]
pub struct IssueFront {
    /// The subject line; may hold template tags.
    pub subject: Located<String>,
    /// What the inbox shows after the subject; may hold template tags.
    pub preheader: Option<Located<String>>,
    /// The headline of the issue, where it differs from the subject.
    pub title: Option<String>,
    /// The date on the masthead.
    pub date: Option<Date>,
    /// When it is due.
    pub send_at: Option<Timestamp>,
    /// Who gets it, when that is not everyone.
    pub segment: Option<Located<String>>,
    /// The template, when it is not `digest`.
    pub template: Option<Located<String>>,
    /// The articles, as paths.
    pub articles: Vec<Located<String>>,
}
