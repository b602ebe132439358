//! The only printing: products on stdout, everything else on stderr.
//!
//! A product is what the user asked for (a table of counts, JSON, a path); a status line says how it
//! goes. Under cron, where stderr is not a terminal, a run that goes well says nothing on stderr but
//! warnings.

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
};

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Renderer, Snippet, renderer::DecorStyle,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{
    error::Error,
    finding::{Finding, Severity},
    place::Place,
};

/// How much is said on stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// Warnings and, on a terminal, how it goes.
    #[default]
    Normal,
    /// How it goes, anywhere, and each delivery.
    Verbose,
}

/// What stdout speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Words for people.
    #[default]
    Human,
    /// JSON for programs.
    Json,
}

/// When color is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The printer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ui {
    verbosity: Verbosity,
    format: Format,
}

impl Ui {
    /// A printer; the choice of color holds for the whole process.
    #[must_use]
    pub fn new(verbosity: Verbosity, format: Format, color: Color) -> Self {
        match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self { verbosity, format }
    }

    /// What stdout speaks.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Nothing but errors is wanted.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// A person is there to be asked and to watch.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Prints what was asked for.
    pub fn product(&self, text: &str) {
        say(&mut anstream::stdout().lock(), &tame(text));
    }

    /// Prints JSON, as it is.
    pub fn json(&self, value: &serde_json::Value) {
        say(&mut anstream::stdout().lock(), &value.to_string());
    }

    /// Says how it goes.
    pub fn status(&self, text: &str) {
        let wanted = match self.verbosity {
            Verbosity::Quiet => false,
            Verbosity::Normal => io::stderr().is_terminal(),
            Verbosity::Verbose => true,
        };
        if wanted {
            say(&mut anstream::stderr().lock(), &tame(text));
        }
    }

    /// Says what only someone who asked for it wants to know.
    pub fn detail(&self, text: &str) {
        if self.verbosity == Verbosity::Verbose {
            say(&mut anstream::stderr().lock(), &tame(text));
        }
    }

    /// Prints a finding on stderr.
    pub fn finding(&self, finding: &Finding) {
        let level = match finding.severity {
            Severity::Warning if self.verbosity == Verbosity::Quiet => return,
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let hints: Vec<String> = finding.hint.iter().cloned().collect();
        let report = render(level, &finding.message, finding.place.as_ref(), &[], &hints);
        say(&mut anstream::stderr().lock(), &report);
    }

    /// Prints a finding on stderr in one line, for the many after the first few.
    pub fn finding_in_brief(&self, finding: &Finding) {
        if finding.severity == Severity::Error || self.verbosity > Verbosity::Quiet {
            say(&mut anstream::stderr().lock(), &tame(&brief(finding)));
        }
    }

    /// Prints an error and those that came with it on stderr, what was noticed before each ahead of it.
    pub fn error(&self, error: &Error) {
        for finding in error.noticed() {
            self.finding(finding);
        }
        let report = render(
            Level::ERROR,
            error.message(),
            error.place(),
            error.causes(),
            error.hints(),
        );
        say(&mut anstream::stderr().lock(), &report);
        for other in error.others() {
            self.error(other);
        }
    }

    /// Passes on what a process of ours has said on its stderr.
    pub fn echo(&self, text: &str) {
        if !text.trim().is_empty() {
            say(&mut anstream::stderr().lock(), &tame(text));
        }
    }

    /// Asks a person; `None` when there is no answer.
    #[must_use]
    pub fn ask(&self, question: &str) -> Option<String> {
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "{} ", tame(question)).ok()?;
        stderr.flush().ok()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// A progress bar for `total` mails; it shows on a terminal only.
    #[must_use]
    pub fn progress(&self, total: u64) -> ProgressBar {
        let target = match self.verbosity {
            Verbosity::Quiet => ProgressDrawTarget::hidden(),
            Verbosity::Normal | Verbosity::Verbose => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style = ProgressStyle::with_template(
            "{wide_bar:.cyan/dim} {pos}/{len}  {rate}  {eta} left  {msg}",
        );
        match style {
            Ok(style) => bar.with_style(style.progress_chars("━╸─").with_key(
                "rate",
                |state: &ProgressState, to: &mut dyn std::fmt::Write| {
                    // A line that cannot be drawn is not worth an error.
                    let _ = write!(to, "{:.1}/s", state.per_sec());
                },
            )),
            Err(_) => bar,
        }
    }
}

/// A finding in one line: `warning: list.csv:37:1: it has no @`.
#[must_use]
pub fn brief(finding: &Finding) -> String {
    let level = match finding.severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = finding.place.as_ref();
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{level}: {place}{}", finding.message)
}

/// What cannot be written to a closed pipe is not wanted any more: that is no error.
fn say(to: &mut impl Write, text: &str) {
    let _ = writeln!(to, "{}", text.trim_end_matches('\n'));
}

/// Control characters from the user's data must not steer the terminal.
fn tame(text: &str) -> Cow<'_, str> {
    let wild = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(wild) {
        Cow::Owned(text.replace(wild, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn render(
    level: Level<'static>,
    message: &str,
    place: Option<&Place>,
    causes: &[String],
    hints: &[String],
) -> String {
    let message = tame(message);
    let mut group = Group::with_title(level.primary_title(message));
    if let Some(place) = place {
        // A place in a long line (generated HTML, a wide CSV row) is named, not drawn.
        let line_length = place.text().content()[..place.range().start]
            .rfind('\n')
            .map_or(place.range().start, |at| place.range().start - at);
        if line_length < 2_000 && !place.is_cut() {
            group = group.element(
                Snippet::source(place.text().content())
                    .line_start(place.first_line())
                    .path(place.file())
                    .annotation(AnnotationKind::Primary.span(visible(place))),
            );
        } else {
            group = group.element(
                Origin::path(place.file())
                    .line(place.line())
                    .char_column(place.column()),
            );
        }
    }
    for cause in causes {
        group = group.element(Level::NOTE.message(tame(cause)));
    }
    for hint in hints {
        group = group.element(Level::HELP.message(tame(hint)));
    }
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    renderer.render(&[group])
}

/// A range of at most its first line: a block that spans a page is marked where it begins.
fn visible(place: &Place) -> std::ops::Range<usize> {
    let range = place.range();
    let marked = &place.text().content()[range.clone()];
    let first_line = marked.lines().next().map_or(0, str::len);
    range.start..range.start + first_line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Text;

    fn plain(error: &Error) -> String {
        let styled = render(
            Level::ERROR,
            error.message(),
            error.place(),
            error.causes(),
            error.hints(),
        );
        anstream::adapter::strip_str(&styled).to_string()
    }

    #[test]
    fn an_error_shows_file_line_column_cause_and_hint() {
        let text = Text::new("issues/a.md", "+++\nsubjet = \"x\"\n+++\n");
        let error = Error::data("unknown key `subjet`")
            .at(text.place(4..10))
            .because_of("the front matter of an issue is closed")
            .hint("Did you mean `subject`?");
        assert_eq!(
            plain(&error),
            "error: unknown key `subjet`
 --> issues/a.md:2:1
  |
2 | subjet = \"x\"
  | ^^^^^^
  |
  = note: the front matter of an issue is closed
  = help: Did you mean `subject`?"
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(tame("a\u{1b}[31mb"), "a\u{fffd}[31mb");
        let text = Text::new("list.csv", "x\u{1b}]0;y\n");
        let error = Error::data("bad \u{7}name").at(text.place(0..3));
        assert!(!plain(&error).contains(['\u{1b}', '\u{7}']));
    }
}
