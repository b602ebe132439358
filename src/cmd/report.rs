//! What `send` says: who is left out, what would go wrong before it does, and what came of it.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use super::{
    campaign::Bundle, outbox::Venue, project::Project, rollcall::Called, signals::Signals,
};
use crate::{
    audience::Recipient,
    compose::Edition,
    delivery::{
        End, Summary,
        ledger::{Counts, State},
    },
    error::{Error, Result, nearest},
    exit::Exit,
    finding::{Finding, Severity},
    mail::Merger,
    place::Place,
    ui::{Format, Ui, brief},
};

/// Shows findings: to people on stderr, to programs on stdout, a line each.
pub(super) fn findings(ui: Ui, findings: &[Finding]) {
    for finding in findings {
        match ui.format() {
            Format::Human => ui.finding(finding),
            Format::Json => ui.json(&finding_json(finding)),
        }
    }
}

/// A finding as programs read it; `file`, `line`, `column` and `hint` are `null` where there is none.
fn finding_json(finding: &Finding) -> serde_json::Value {
    let place = finding.place.as_ref();
    serde_json::json!({
        "rule": finding.rule,
        "severity": match finding.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        "file": place.map(Place::file),
        "line": place.map(Place::line),
        "column": place.map(Place::column),
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// Findings shown one by one; the rest is counted.
const SHOWN: usize = 20;

/// The share of bad rows above which the list itself is in doubt, in percent.
const TOO_MANY_BAD: usize = 5;

/// Names every row of a list that is at fault or superfluous, with line and reason, as it comes by; the
/// first ones with the row itself. Who asked for no mail is left out on purpose: more than a few of them
/// are counted, and named with `-v`.
pub(super) struct Tally<'a> {
    ui: Ui,
    list: &'a str,
    noted: usize,
    suppressed: usize,
    /// The first of them.
    named: Vec<Finding>,
    rows: usize,
    bad: usize,
    left_out: usize,
}

impl<'a> Tally<'a> {
    pub(super) fn new(ui: Ui, list: &'a str) -> Self {
        Self {
            ui,
            list,
            noted: 0,
            suppressed: 0,
            named: Vec::new(),
            rows: 0,
            bad: 0,
            left_out: 0,
        }
    }

    /// Notes what there is to say of a row.
    pub(super) fn add(&mut self, called: &Called<'_>) {
        match called {
            Called::Row => self.rows += 1,
            Called::Odd(finding) => self.note(finding),
            Called::LeftOut(row) => {
                self.left_out += 1;
                self.bad += usize::from(row.is_bad());
                let finding = row.finding(self.list);
                if row.rule == "suppressed" {
                    self.suppressed(finding);
                } else {
                    self.note(&finding);
                }
            }
        }
    }

    fn note(&mut self, finding: &Finding) {
        if self.noted < SHOWN {
            self.ui.finding(finding);
        } else {
            self.ui.finding_in_brief(finding);
        }
        self.noted += 1;
    }

    fn suppressed(&mut self, finding: Finding) {
        self.suppressed += 1;
        self.named.push(finding);
        if self.suppressed > SHOWN {
            for finding in self.named.drain(..) {
                self.ui.detail(&brief(&finding));
            }
        }
    }

    /// What is to be said at the end. A list with too many bad rows is refused, and one with nobody to
    /// write to.
    pub(super) fn finish(self, recipients: usize) -> Result<()> {
        let Self {
            ui,
            list,
            rows,
            bad,
            left_out,
            suppressed,
            ..
        } = self;
        for finding in &self.named {
            ui.finding(finding);
        }
        if suppressed > SHOWN {
            ui.finding_in_brief(&Finding::warning(
                "suppressed",
                format!("{suppressed} people are left out because they are suppressed"),
            ));
        }
        if bad * 100 > rows * TOO_MANY_BAD {
            return Err(Error::data(format!(
                "{bad} of {rows} rows in `{list}` are bad, more than {TOO_MANY_BAD} %"
            ))
            .hint(
                "So many mean that the file itself went wrong on its way here; look at the rows above.",
            ));
        }
        if recipients == 0 {
            return Err(
                Error::data(format!("`{list}` has nobody to send to")).hint(format!(
                    "It has {rows} rows below its header, and {left_out} of them are left out."
                )),
            );
        }
        Ok(())
    }
}

/// Every field that the edition asks for is a column of the list.
pub(super) fn fields(edition: &Edition, columns: &[String], list: &str) -> Result<()> {
    let known: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let unknown = edition
        .fields
        .iter()
        .filter(|field| !known.contains(field.name.as_str()))
        .map(|field| {
            let error = Error::data(format!("`{list}` has no column `{}`", field.name))
                .at(Place::from(&field.origin));
            match nearest(&field.name, known.iter().copied()) {
                Some(near) => error.hint(format!("Did you mean `subscriber.{near}`?")),
                None => error.hint(format!(
                    "Its columns: {}.",
                    known.iter().copied().collect::<Vec<_>>().join(", ")
                )),
            }
        });
    Error::all(unknown).map_or(Ok(()), Err)
}

/// What would go wrong with mails: each fault once, with the rows of those whose mail has it.
#[derive(Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    /// Each reader may have a fault of their own, so it is looked up and not searched for.
    known: HashMap<String, usize>,
}

struct Fault {
    error: Error,
    count: usize,
    /// The first ones.
    lines: Vec<usize>,
}

/// The most faults that are told apart.
const TOLD_APART: usize = 1000;

impl Faults {
    /// What would go wrong with the mail of one.
    pub(super) fn of(bundle: &Bundle, merger: &Merger, recipient: &Recipient) -> Option<Error> {
        let links = bundle.letterhead.links(&recipient.address);
        match merger.merge(&recipient.fields, &links) {
            Ok(merged) if merged.subject.trim().is_empty() => Some(blank_subject(&bundle.edition)),
            Ok(_) => None,
            Err(error) => Some(error),
        }
    }

    /// Adds what would go wrong with the mail of who stands in a line of the list.
    pub(super) fn add(&mut self, error: Error, line: usize) {
        let said = error.to_string();
        let at = match self.known.get(&said) {
            Some(at) => *at,
            None if self.found.len() == TOLD_APART => return,
            None => {
                self.known.insert(said, self.found.len());
                self.found.push(Fault {
                    error,
                    count: 0,
                    lines: Vec::new(),
                });
                self.found.len() - 1
            }
        };
        if let Some(fault) = self.found.get_mut(at) {
            fault.count += 1;
            if fault.lines.len() < SHOWN {
                fault.lines.push(line);
            }
        }
    }

    /// All of it, if there is any.
    pub(super) fn finish(self, list: &str, all: usize) -> Result<()> {
        let errors = self.found.into_iter().take(SHOWN).map(|fault| {
            let Fault {
                error,
                count,
                lines,
            } = fault;
            let mut rows: Vec<String> = lines.iter().map(|line| format!("{list}:{line}")).collect();
            if count > lines.len() {
                rows.push("…".into());
            }
            error.because_of(format!(
                "in the mail of {count} of {all} readers: {}",
                rows.join(", ")
            ))
        });
        Error::all(errors).map_or(Ok(()), Err)
    }
}

/// A subject that is there for some readers only.
fn blank_subject(edition: &Edition) -> Error {
    let error = Error::data("this reader's subject is blank").hint(
        "Write an `{% else %}`, or `| default(value=\"…\")`, that says something to everyone.",
    );
    match edition.subject.tags.first() {
        Some(tag) => error.at(Place::from(&tag.origin)),
        None => error,
    }
}

/// Says what came of a run, and picks the exit code.
pub(super) fn summary(
    project: &Project,
    slug: &str,
    venue: Venue,
    summary: Summary,
    kept: &[PathBuf],
    signals: &Signals,
) -> Result<Exit> {
    let ui = project.ui;
    match ui.format() {
        Format::Json => ui.json(&json(slug, &summary, kept)),
        Format::Human => ui.product(&words(project, slug, venue, &summary, kept)),
    }
    exit(project, summary, signals)
}

/// Says what came of a test.
pub(super) fn trial(
    project: &Project,
    slug: &str,
    venue: Venue,
    mut lines: Vec<String>,
    summary: Summary,
    kept: &[PathBuf],
    signals: &Signals,
) -> Result<Exit> {
    match project.ui.format() {
        Format::Json => project.ui.json(&json(slug, &summary, kept)),
        Format::Human => {
            lines.extend(kept.iter().map(|path| format!("  {}", path.display())));
            if venue == Venue::Sandbox {
                lines.push("Open the .eml file in a mail program.".into());
            }
            project.ui.product(&lines.join("\n"));
        }
    }
    exit(project, summary, signals)
}

fn exit(project: &Project, summary: Summary, signals: &Signals) -> Result<Exit> {
    let counts = summary.counts;
    match summary.end {
        End::Trouble(error) => Err(error),
        // Without a signal: a pause that was taken back while the mails in flight were finished.
        End::Stopped => Ok(signals.exit().unwrap_or(Exit::TryLater)),
        End::Deferred { .. } | End::Quota { .. } => Ok(Exit::TryLater),
        End::Paused(_) | End::Cancelled => Ok(Exit::Unavailable),
        End::Limit => Ok(Exit::Done),
        End::Complete => {
            let max = project.settings.send.max_failures;
            let lost = counts.failed + counts.expired;
            Ok(if counts.unknown > 0 {
                Exit::Unknown
            } else if max.is_passed_by(lost, counts.total()) {
                Exit::Failures
            } else {
                Exit::Done
            })
        }
    }
}

fn words(
    project: &Project,
    slug: &str,
    venue: Venue,
    summary: &Summary,
    kept: &[PathBuf],
) -> String {
    let counts = &summary.counts;
    let mut lines = vec![match (&summary.end, summary.tried) {
        (End::Complete, 0) => format!(
            "Nothing is due: {} of {} mails of `{slug}` are sent.",
            counts.sent,
            counts.total()
        ),
        _ => format!(
            "{} of {} mails of `{slug}` are sent; this run tried {} in {:.1} s.",
            counts.sent,
            counts.total(),
            summary.tried,
            summary.took.as_secs_f64()
        ),
    }];
    for (count, what) in [
        (counts.pending, "pending: still to be sent"),
        (counts.deferred, "deferred: refused for now"),
        (counts.failed, "failed: refused for good"),
        (
            counts.unknown,
            "unknown: the connection broke before the reply; never sent again by itself",
        ),
        (counts.skipped, "skipped"),
        (counts.expired, "expired: not delivered in time"),
    ] {
        if count > 0 {
            lines.push(format!("  {count:>6}  {what}"));
        }
    }
    match &summary.end {
        End::Deferred { next } => lines.push(format!(
            "Run it again after {next:.0} for those who were deferred."
        )),
        End::Quota { until, reason } => lines.push(match until {
            Some(until) => format!("{reason}; run it again after {until:.0}."),
            None => format!("{reason}; run it again later."),
        }),
        End::Limit => lines.push("The limit of this run is reached; run it again to go on.".into()),
        End::Stopped => lines.push("Stopped; run it again to go on.".into()),
        End::Paused(reason) => lines.push(format!(
            "It is {reason}. To let it go on: letterpress resume {slug}"
        )),
        End::Cancelled => lines.push("It was cancelled; nothing more of it is sent.".into()),
        End::Complete | End::Trouble(_) => {}
    }
    if !kept.is_empty() {
        let shown = |path: &PathBuf| {
            let path = path.strip_prefix(&project.folder).unwrap_or(path);
            format!("  {}", path.display())
        };
        lines.push(String::new());
        lines.extend(kept.iter().take(SHOWN).map(shown));
        if let Some(more) = kept.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            lines.push(format!("  … and {more} more"));
        }
    }
    lines.push(String::new());
    match venue {
        Venue::Relay | Venue::Rehearsal => {
            lines.push(format!("The books: letterpress status {slug}"))
        }
        Venue::Sandbox => lines.extend([
            "Look at them: open an .eml file in a mail program, or run".into(),
            format!("  letterpress preview {slug}              the issue in the browser"),
            format!("  letterpress status {slug} --sandbox     the books of the sandbox"),
            format!("  letterpress send {slug} --sandbox --fresh --yes    deliver to it once more"),
        ]),
        Venue::DryRun => {
            lines.push("A dry run: nobody was written to, and no books were kept.".into())
        }
    }
    lines.join("\n")
}

fn json(slug: &str, summary: &Summary, kept: &[PathBuf]) -> serde_json::Value {
    let counts = &summary.counts;
    let end = match &summary.end {
        End::Complete => "complete",
        End::Deferred { .. } => "deferred",
        End::Limit => "limit",
        End::Stopped => "stopped",
        End::Paused(_) => "paused",
        End::Cancelled => "cancelled",
        End::Quota { .. } => "quota",
        End::Trouble(_) => "trouble",
    };
    let mut object = serde_json::Map::new();
    object.insert("issue".into(), slug.into());
    object.insert("end".into(), end.into());
    object.insert("tried".into(), summary.tried.into());
    object.insert("seconds".into(), summary.took.as_secs_f64().into());
    insert_counts(&mut object, counts);
    let files: Vec<String> = kept.iter().map(|path| path.display().to_string()).collect();
    object.insert("files".into(), files.into());
    object.into()
}

/// `total` and the eight states, under the names that are an interface.
pub(super) fn insert_counts(
    object: &mut serde_json::Map<String, serde_json::Value>,
    counts: &Counts,
) {
    object.insert("total".into(), counts.total().into());
    for state in State::ALL {
        object.insert(state.word().into(), counts.of(state).into());
    }
}
