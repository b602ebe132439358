//! `cancel ISSUE`: calls a campaign off for good. What was due is skipped, so that every row has come
//! to an end.

use super::{
    campaign::Sandbox,
    project::Project,
    receipt,
    steering::{self, Found, Granted},
};
use crate::{
    cli::CancelArgs,
    delivery::ledger::{Campaign, CampaignState, Wish},
    error::{Error, Kind, Result},
    exit::Exit,
    ui::Format,
};

pub(super) fn run(args: &CancelArgs, project: &Project) -> Result<Exit> {
    let found = steering::find(project, &args.issue, Sandbox::of(args.sandbox))?;
    let before = &found.campaign;
    if matches!(
        before.state,
        CampaignState::Complete | CampaignState::Cancelled
    ) {
        return said(project, &found, before, "nothing");
    }
    if !args.yes {
        ask(project, &found)?;
    }
    match steering::wish(project, &before.id, Wish::Cancel)? {
        Granted::Told => {
            said(project, &found, before, "told")?;
            Ok(Exit::TryLater)
        }
        Granted::Done(campaign) => {
            let counts = found.books.counts(campaign.key)?;
            // Some may have had it: no other machine is to send it to them again.
            if !args.sandbox && counts.sent + counts.unknown > 0 {
                let slug = campaign.id.split('@').next().unwrap_or_default();
                receipt::write(project, slug, &campaign, &counts, project.clock.now())?;
            }
            let done = match campaign.state {
                CampaignState::Cancelled => "cancelled",
                _ => "nothing",
            };
            said(project, &found, &campaign, done)
        }
    }
}

fn ask(project: &Project, found: &Found) -> Result<()> {
    let ui = project.ui;
    let counts = found.books.counts(found.campaign.key)?;
    if !ui.is_interactive() {
        return Err(Error::new(
            Kind::Usage,
            "there is no terminal to ask for a confirmation",
        )
        .hint("Add `--yes` to cancel it for good."));
    }
    ui.status(&format!(
        "{}: {} of {} mails are sent; {} are due and would never be.",
        found.campaign.id,
        counts.sent,
        counts.total(),
        steering::due(&counts)
    ));
    match ui.ask("Type `cancel` to cancel it for good:") {
        Some(answer) if answer == "cancel" => Ok(()),
        _ => Err(Error::new(
            Kind::Usage,
            "not confirmed; nothing was cancelled",
        )),
    }
}

fn said(project: &Project, found: &Found, campaign: &Campaign, done: &str) -> Result<Exit> {
    let counts = found.books.counts(campaign.key)?;
    if project.ui.format() == Format::Json {
        project.ui.json(&steering::as_json(campaign, done, &counts));
        return Ok(Exit::Done);
    }
    let id = &campaign.id;
    project.ui.product(&match (done, &campaign.state) {
        ("told", _) => format!(
            "`{id}` is told to end; it does when the mails in flight are finished. See: letterpress status {}",
            found.called
        ),
        ("cancelled", _) => format!(
            "`{id}` is cancelled: {} of {} mails are sent, {} are skipped.",
            counts.sent,
            counts.total(),
            counts.skipped
        ),
        (_, CampaignState::Cancelled) => format!("`{id}` is cancelled already."),
        (_, state) => format!("`{id}` is {}; there is nothing to cancel.", state.word()),
    });
    Ok(Exit::Done)
}
