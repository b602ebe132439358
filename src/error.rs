//! An error is a kind, a message, a place, causes and hints, as data.
//!
//! Each stage wraps the errors of its libraries here, at its own edge; [`crate::ui`] is the only
//! printer, and [`Kind::exit`] the only map to exit codes. Messages are lower-case fragments with
//! names in backticks and no full stop; hints are sentences that say what to do.

use crate::{exit::Exit, finding::Finding, place::Place};

/// The result of a stage.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of trouble it is; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong, or a confirmation is missing.
    Usage,
    /// Something in the user's content, templates or list is wrong.
    Data,
    /// A file that was named is not there.
    NoInput,
    /// Gave up; a person must look.
    Unavailable,
    /// A broken promise inside letterpress.
    Bug,
    /// An output cannot be created.
    CannotCreate,
    /// Reading or writing failed.
    Io,
    /// The same command will do later.
    TryLater,
    /// The relay refused our credentials.
    Credentials,
    /// The settings are wrong.
    Settings,
}

impl Kind {
    /// The exit code of a run that ended with this kind of error.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Usage => Exit::Usage,
            Self::Data => Exit::Data,
            Self::NoInput => Exit::NoInput,
            Self::Unavailable => Exit::Unavailable,
            Self::Bug => Exit::Bug,
            Self::CannotCreate => Exit::CannotCreate,
            Self::Io => Exit::Io,
            Self::TryLater => Exit::TryLater,
            Self::Credentials => Exit::Credentials,
            Self::Settings => Exit::Settings,
        }
    }
}

/// What went wrong, where, why, and what would be right.
#[derive(Clone, Debug)]
pub struct Error(Box<Report>);

#[derive(Clone, Debug)]
struct Report {
    kind: Kind,
    rule: Option<&'static str>,
    message: String,
    place: Option<Place>,
    causes: Vec<String>,
    hints: Vec<String>,
    others: Vec<Error>,
    noticed: Vec<Finding>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Report {
            kind,
            rule: None,
            message: message.into(),
            place: None,
            causes: Vec::new(),
            hints: Vec::new(),
            others: Vec::new(),
            noticed: Vec::new(),
        }))
    }

    /// Shorthand for [`Kind::Data`], the most frequent kind.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Kind::Data, message)
    }

    /// Shorthand for [`Kind::Bug`].
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message).hint(
            "This is a fault in letterpress, not in your files; please report it with this message.",
        )
    }

    /// Several errors of one run as one, so that nobody has to mend their files one run at a time.
    /// `None` when there are none; the first one gives the kind.
    pub fn all(errors: impl IntoIterator<Item = Error>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        for mut error in errors {
            // Those that came with it stand behind it, so that nobody has to look into each.
            let others = std::mem::take(&mut error.0.others);
            first.0.others.push(error);
            first.0.others.extend(others);
        }
        Some(first)
    }

    /// The errors of one run, one by one.
    #[must_use]
    pub fn into_all(mut self) -> Vec<Error> {
        let others = std::mem::take(&mut self.0.others);
        std::iter::once(self).chain(others).collect()
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// Says where, unless a stage nearer to it has said so.
    #[must_use]
    pub fn at_or(mut self, place: impl FnOnce() -> Place) -> Self {
        self.0.place.get_or_insert_with(place);
        self
    }

    /// Adds why: the library's own error and its sources, each said once.
    /// (Some libraries repeat the source in their own text; what is already said is left out.)
    #[must_use]
    pub fn because(mut self, cause: &dyn std::error::Error) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            let text = cause.to_string();
            let said = std::iter::once(&self.0.message).chain(&self.0.causes);
            if !text.is_empty() && !said.into_iter().any(|said| said.contains(&text)) {
                self.0.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Adds why, in our own words.
    #[must_use]
    pub fn because_of(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Adds a hint: a sentence that says what would be right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Names the rule that was broken, as in [`crate::finding::Finding::rule`].
    #[must_use]
    pub fn rule(mut self, rule: &'static str) -> Self {
        self.0.rule = Some(rule);
        self
    }

    /// Changes this error, and each that came with it.
    #[must_use]
    pub fn each(mut self, change: &dyn Fn(Error) -> Error) -> Self {
        let others = std::mem::take(&mut self.0.others);
        let mut first = change(self);
        let others = others.into_iter().map(|other| other.each(change));
        first.0.others.extend(others);
        first
    }

    /// Changes the kind, as when a place in the settings turns bad data into bad settings.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The rule that was broken, where a check has found it.
    #[must_use]
    pub fn broken_rule(&self) -> Option<&'static str> {
        self.0.rule
    }

    /// The message alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// Why, outermost first.
    #[must_use]
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What would be right.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Adds what was noticed before it came to this, and does not stop anything by itself.
    #[must_use]
    pub fn after(mut self, noticed: impl IntoIterator<Item = Finding>) -> Self {
        let later = std::mem::take(&mut self.0.noticed);
        self.0.noticed = noticed.into_iter().chain(later).collect();
        self
    }

    /// What was noticed before it came to this.
    #[must_use]
    pub fn noticed(&self) -> &[Finding] {
        &self.0.noticed
    }

    /// The further errors of the same run.
    #[must_use]
    pub fn others(&self) -> &[Error] {
        &self.0.others
    }
}

/// One line, for a place where there is no room for more: `message: cause`.
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(place) = &self.0.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)?;
        for cause in &self.0.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The nearest of `known` to `word`, if one is near enough to be meant: for "did you mean".
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    known
        .into_iter()
        // The distance is no less than that, and a long word takes long to measure.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= 3)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let inner = std::io::Error::other("connection refused");
        let error = Error::data("cannot read `a`: connection refused").because(&inner);
        assert!(error.causes().is_empty());
    }

    #[test]
    fn errors_that_came_together_stand_in_a_row() {
        let all =
            |errors: &[&Error]| Error::all(errors.iter().map(|error| (*error).clone())).unwrap();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(Error::data);
        let error = all(&[&all(&[&a, &b]), &all(&[&c, &d])]);
        let error = error.each(&|error| error.because_of("x"));
        let others = error.others().iter().map(ToString::to_string);
        assert_eq!(error.to_string(), "a: x");
        assert_eq!(others.collect::<Vec<_>>(), ["b: x", "c: x", "d: x"]);
    }

    #[test]
    fn nearest_finds_typing_errors_only() {
        assert_eq!(
            nearest("frist_name", ["first_name", "email"]),
            Some("first_name")
        );
        assert_eq!(nearest("subscriber", ["first_name", "email"]), None);
    }
}
