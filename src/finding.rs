//! A finding: something that a check noticed, with its place, its weight and a hint.
//!
//! A base type, so that the list, the composer and the linter speak of what they found in one way.

use crate::place::Place;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// Must be mended before anything is sent.
    Error,
}

/// Something that a check noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A stable id in kebab-case, such as `duplicate-address`.
    pub rule: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is.
    pub place: Option<Place>,
    /// What was found: a lower-case fragment.
    pub message: String,
    /// What would be right: a sentence.
    pub hint: Option<String>,
}

impl Finding {
    /// A warning by `rule`.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Warning,
            place: None,
            message: message.into(),
            hint: None,
        }
    }

    /// An error by `rule`.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            ..Self::warning(rule, message)
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
