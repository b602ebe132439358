//! What `send` says: who is left out, what would go wrong before it does, and what came of it.

use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};

use super::{
    campaign::Bundle,
    outbox::Venue,
    project::{Audience, Project},
    signals::Signals,
};
use crate::{
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

/// Names every row that is at fault or superfluous, with line and reason, the first ones with the row
/// itself. Who asked for no mail is left out on purpose: more than a few of them are counted, and
/// named with `-v`. A list with too many bad rows is refused.
pub(super) fn left_out(ui: Ui, audience: &Audience, list: &str) -> Result<()> {
    let (suppressed, others): (Vec<_>, Vec<_>) = audience
        .left_out
        .iter()
        .map(|row| row.finding(list))
        .partition(|finding| finding.rule == "suppressed");
    let noted = audience.warnings.iter().chain(&others);
    for (number, finding) in noted.enumerate() {
        if number < SHOWN {
            ui.finding(finding);
        } else {
            ui.finding_in_brief(finding);
        }
    }
    if suppressed.len() > SHOWN {
        let count = suppressed.len();
        ui.finding_in_brief(&Finding::warning(
            "suppressed",
            format!("{count} people are left out because they are suppressed"),
        ));
        for finding in &suppressed {
            ui.detail(&brief(finding));
        }
    } else {
        for finding in &suppressed {
            ui.finding(finding);
        }
    }
    let bad = audience.left_out.iter().filter(|row| row.is_bad()).count();
    if bad * 100 > audience.rows * TOO_MANY_BAD {
        return Err(Error::data(format!(
            "{bad} of {} rows in `{list}` are bad, more than {TOO_MANY_BAD} %",
            audience.rows
        ))
        .hint(
            "So many mean that the file itself went wrong on its way here; look at the rows above.",
        ));
    }
    if audience.recipients.is_empty() {
        return Err(
            Error::data(format!("`{list}` has nobody to send to")).hint(format!(
                "It has {} rows below its header, and {} of them are left out.",
                audience.rows,
                audience.left_out.len()
            )),
        );
    }
    Ok(())
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

/// Merges everyone's mail once, so that what would fail for one reader fails before the first leaves.
/// A fault is told once, with the rows of those whose mail has it.
pub(super) fn merges(bundle: &Bundle, list: &str) -> Result<()> {
    let merger = Merger::new(&bundle.edition)?;
    let mut faults: Vec<(Error, Vec<usize>)> = Vec::new();
    // Each reader may have a fault of their own, so it is looked up and not searched for.
    let mut known: HashMap<String, usize> = HashMap::new();
    for recipient in &bundle.recipients {
        let links = bundle.letterhead.links(&recipient.address);
        let error = match merger.merge(&recipient.fields, &links) {
            Ok(merged) if merged.subject.trim().is_empty() => blank_subject(&bundle.edition),
            Ok(_) => continue,
            Err(error) => error,
        };
        let at = *known.entry(error.to_string()).or_insert(faults.len());
        match faults.get_mut(at) {
            Some((_, lines)) => lines.push(recipient.line),
            None => faults.push((error, vec![recipient.line])),
        }
    }
    let all = bundle.recipients.len();
    let errors = faults.into_iter().take(SHOWN).map(|(error, lines)| {
        let mut rows: Vec<String> = lines
            .iter()
            .take(SHOWN)
            .map(|line| format!("{list}:{line}"))
            .collect();
        if lines.len() > SHOWN {
            rows.push("…".into());
        }
        error.because_of(format!(
            "in the mail of {} of {all} readers: {}",
            lines.len(),
            rows.join(", ")
        ))
    });
    Error::all(errors).map_or(Ok(()), Err)
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
        End::Stopped => Ok(signals.exit().unwrap_or(Exit::Interrupted)),
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
        Venue::Relay => lines.push(format!("The books: letterpress status {slug}")),
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
