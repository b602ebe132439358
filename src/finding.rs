//! A finding: something that a check noticed, with its place, its weight and a hint.
//!
//! A base type, so that the list, the composer and the linter speak of what they found in one way.

use crate::{
    error::{Error, Kind},
    place::Place,
};

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

/// What must be mended is an error where it stops something.
impl From<&Finding> for Error {
    fn from(finding: &Finding) -> Self {
        let mut error = Self::data(finding.message.clone()).rule(finding.rule);
        if let Some(place) = &finding.place {
            error = error.at(place.clone());
        }
        match &finding.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    }
}

impl Finding {
    /// An error and those that came with it, as findings, and behind them what was noticed before.
    #[must_use]
    pub fn all_of(error: &Error) -> Vec<Self> {
        let errors = || std::iter::once(error).chain(error.others());
        let finding = |error: &Error| {
            let rule = error.broken_rule().unwrap_or(match error.kind() {
                Kind::NoInput => "missing-file",
                Kind::Settings => "settings",
                _ => "error",
            });
            let said = std::iter::once(error.message());
            let causes = error.causes().iter().map(String::as_str);
            let message = said.chain(causes).collect::<Vec<_>>().join(": ");
            let hint = error.hints().join(" ");
            Self {
                place: error.place().cloned(),
                hint: (!hint.is_empty()).then_some(hint),
                ..Self::error(rule, message)
            }
        };
        let noticed = errors().flat_map(|error| error.noticed().iter().cloned());
        errors().map(finding).chain(noticed).collect()
    }
}
