//! `send ISSUE`: the straight line, from the issue's file to the books.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    campaign::{self, Bundle, Sandbox},
    confirm,
    job::{self, Draft, Entry},
    outbox::{Outbox, Venue},
    project::{Keys, Project},
    report,
    signals::Signals,
};
use crate::{
    audience::Segment,
    cli::SendArgs,
    compose::Composed,
    delivery::ledger::Books,
    error::{Error, Kind, Result},
    exit::Exit,
    finding::Severity,
    issue::Issue,
    ui::Format,
};

pub(super) fn run(args: &SendArgs, project: &Project) -> Result<Exit> {
    match &args.issue {
        Some(name) => one(args, name, None, project),
        None => super::due::run(project),
    }
}

/// Sends what is due of one issue, for the time slot of its schedule if it recurs.
pub(super) fn one(
    args: &SendArgs,
    name: &str,
    slot: Option<Timestamp>,
    project: &Project,
) -> Result<Exit> {
    // A key that is missing is told before anything is frozen or entered.
    project.signers(Keys::Needed)?;
    let venue = Venue::of(args, project);
    if let Some(campaign) = under_way(project, name, slot, venue)? {
        let draft = Draft::Frozen(campaign);
        return finish(args, project, venue, name, slot, Task::frozen(draft));
    }
    let issue = project.gather(name)?;
    if let Some(exit) = not_yet(project, &issue, venue) {
        return Ok(exit);
    }
    let slot = match super::due::slot(project, &issue, venue, slot)? {
        ControlFlow::Continue(slot) => slot,
        ControlFlow::Break(exit) => return Ok(exit),
    };
    if let Some(campaign) = of_an_earlier_slot(project, &issue, slot, venue)? {
        refuse_amending(args, &issue, &campaign)?;
        project.ui.status(&format!(
            "`{campaign}` goes on with what was frozen for it; what the files say now is for a later slot."
        ));
        let draft = Draft::Frozen(campaign);
        let task = Task::frozen(draft);
        return finish(args, project, venue, &issue.slug, slot, task);
    }
    let composed = project.compose(&issue)?;
    refuse(&composed)?;
    let segment = segment(&issue)?;
    let columns = project.columns()?;
    report::fields(&composed.edition, &columns, &project.settings.list.path)?;
    let bundle = bundle(project, &issue, composed, slot, venue)?;
    let task = Task {
        segment,
        deliver_by: issue.front.deliver_by,
        draft: Draft::Files(Box::new(bundle)),
    };
    finish(args, project, venue, &issue.slug, slot, task)
}

/// What is to be sent.
struct Task {
    segment: Segment,
    /// How long after its beginning it is no news any more, where the issue says so.
    deliver_by: Option<Duration>,
    draft: Draft,
}

impl Task {
    /// What the books have already: its terms are fixed.
    fn frozen(draft: Draft) -> Self {
        Self {
            segment: Segment::All,
            deliver_by: None,
            draft,
        }
    }
}

/// Enters a campaign in the books, or finds it there, and sends what is due of it.
fn finish(
    args: &SendArgs,
    project: &Project,
    venue: Venue,
    slug: &str,
    slot: Option<Timestamp>,
    task: Task,
) -> Result<Exit> {
    let Task {
        segment,
        deliver_by,
        draft,
    } = task;
    super::runtime()?.block_on(async {
        let outbox = Outbox::open(project, venue, slug).await?;
        let ledger = Arc::new(job::ledger(project, venue).await?);
        if args.fresh {
            ledger.forget(draft.campaign()).await?;
        }
        let entry = Entry {
            project,
            args,
            venue,
            outbox: &outbox,
            segment,
            slot,
            deliver_by,
            ledger,
        };
        let job = entry.enter(draft).await?;
        let due = job.due().await?;
        // At a rehearsal nobody is there to look, and there is nothing to lose.
        if let Some(reason) = job
            .paused()
            .filter(|_| due > 0 && venue != Venue::Rehearsal)
        {
            after_a_look(project, slug, reason)?;
        }
        // A dry run writes files and to nobody: there is nothing to be sure of.
        let is_harmless = venue == Venue::DryRun && args.expect.is_none();
        if !is_harmless && (due > 0 || job.changes_the_books()) {
            let forecast = job.forecast(project, &outbox, due).await?;
            confirm::confirm(args, project, &job.bundle, &outbox, due, &forecast)?;
        }
        job.go_on().await?;
        // From here on there is something to finish; until now a signal may end us where we are, at
        // the question of all places.
        let signals = Signals::listen()?;
        let summary = job.deliver(project, args, &outbox, due, &signals).await;
        let kept = outbox.close().await?;
        report::summary(project, slug, venue, summary?, &kept, &signals)
    })
}

/// The campaign of a slot that cron goes on with, if anybody may have been written to for it. It is
/// frozen, and the issue's file may be about the next slot by now, broken, or gone.
fn under_way(
    project: &Project,
    slug: &str,
    slot: Option<Timestamp>,
    venue: Venue,
) -> Result<Option<String>> {
    if slot.is_none() || venue != Venue::Relay {
        return Ok(None);
    }
    let id = campaign::id_at(slug, slot, Sandbox::No);
    let ledger = project.path(project.settings.ledger_path());
    let Some(books) = Books::open_if_begun(&ledger)? else {
        return Ok(None);
    };
    let Some(found) = books.campaign(&id)? else {
        return Ok(None);
    };
    let is_begun = books.counts(found.key)?.is_begun();
    Ok(is_begun.then_some(id))
}

/// The same when a person goes on with a slot after which another one has come.
fn of_an_earlier_slot(
    project: &Project,
    issue: &Issue,
    slot: Option<Timestamp>,
    venue: Venue,
) -> Result<Option<String>> {
    let (Some(slot), Some(schedule)) = (slot, &issue.front.every) else {
        return Ok(None);
    };
    match schedule.last_at_or_before(project.clock.now()) {
        Some(last) if last > slot => under_way(project, &issue.slug, Some(slot), venue),
        _ => Ok(None),
    }
}

/// Who amends an earlier slot would mix what is meant for the next one into it.
fn refuse_amending(args: &SendArgs, issue: &Issue, campaign: &str) -> Result<()> {
    if !args.amend {
        return Ok(());
    }
    Err(Error::data(format!(
        "`{campaign}` cannot be amended: the next slot of `{}` has come",
        issue.slug
    ))
    .hint("Without `--amend` it goes on with what was frozen for it; what the files say now is sent for the next slot."))
}

/// An issue whose time has not come is not sent, but for looking at it.
fn not_yet(project: &Project, issue: &Issue, venue: Venue) -> Option<Exit> {
    let send_at = issue.front.send_at?;
    if venue != Venue::Relay || send_at <= project.clock.now() {
        return None;
    }
    match project.ui.format() {
        Format::Human => project.ui.product(&format!(
            "`{}` is due at {send_at}; nothing was sent. Run it again then, or change `send_at`.",
            issue.slug
        )),
        Format::Json => project.ui.json(&serde_json::json!({
            "issue": issue.slug,
            "end": "scheduled",
            "send_at": send_at.to_string(),
        })),
    }
    Some(Exit::TryLater)
}

/// What stopped a campaign stops it again, and costs mails or locks an account; so it goes on when a
/// person has read why, and not when cron comes round.
fn after_a_look(project: &Project, slug: &str, reason: &str) -> Result<()> {
    if project.ui.is_interactive() {
        project.ui.status(&format!("It was paused: {reason}"));
        return Ok(());
    }
    Err(Error::new(Kind::Unavailable, format!("`{slug}` is paused"))
        .because_of(reason)
        .hint(format!(
            "When that is mended, let it go on: `letterpress resume {slug}`. In a terminal this command asks."
        )))
}

/// Findings that are errors block: what is wrong for one reader is wrong for all.
fn refuse(composed: &Composed) -> Result<()> {
    let errors = composed
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    if errors == 0 {
        return Ok(());
    }
    let what = if errors == 1 { "error" } else { "errors" };
    Err(Error::data(format!(
        "{errors} {what} in the issue; nothing was sent"
    )))
}

pub(super) fn segment(issue: &Issue) -> Result<Segment> {
    let Some(named) = &issue.front.segment else {
        return Ok(Segment::All);
    };
    let found: Result<Segment> = named.value.parse();
    found.map_err(|error| error.at(named.place.clone()))
}

fn bundle(
    project: &Project,
    issue: &Issue,
    composed: Composed,
    slot: Option<Timestamp>,
    venue: Venue,
) -> Result<Bundle> {
    let sandbox = match venue {
        Venue::Sandbox => Sandbox::Yes,
        Venue::Relay | Venue::DryRun | Venue::Rehearsal => Sandbox::No,
    };
    let campaign = campaign::id_at(&issue.slug, slot, sandbox);
    Ok(Bundle {
        letterhead: project.letterhead(issue, &campaign, project.clock.now(), Keys::Needed)?,
        edition: composed.edition,
    })
}
