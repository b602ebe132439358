//! `pause ISSUE`: stops a campaign, whoever sends it, until `resume`.

use super::{
    campaign::Sandbox,
    project::Project,
    steering::{self, Granted},
};
use crate::{
    cli::PauseArgs,
    delivery::ledger::{CampaignState, Wish},
    error::Result,
    exit::Exit,
    ui::Format,
};

pub(super) fn run(args: &PauseArgs, project: &Project) -> Result<Exit> {
    let found = steering::find(project, &args.issue, Sandbox::of(args.sandbox))?;
    let (before, called) = (&found.campaign, &found.called);
    let (done, campaign, exit) = match steering::wish(project, &before.id, Wish::Pause)? {
        Granted::Told => ("told", before.clone(), Exit::TryLater),
        Granted::Done(campaign) => match (&before.state, &campaign.state) {
            (CampaignState::Paused(_), _) => ("nothing", *campaign, Exit::Done),
            (_, CampaignState::Paused(_)) => ("paused", *campaign, Exit::Done),
            _ => ("nothing", *campaign, Exit::Done),
        },
    };
    let counts = found.books.counts(campaign.key)?;
    if project.ui.format() == Format::Json {
        project
            .ui
            .json(&steering::as_json(&campaign, done, &counts));
        return Ok(exit);
    }
    let id = &campaign.id;
    project.ui.product(&match (done, &campaign.state) {
        ("told", _) => format!(
            "`{id}` is told to pause; it does when the mails in flight are finished. See: letterpress status {called}"
        ),
        ("paused", _) => format!(
            "`{id}` is paused: {} of {} mails are sent, {} are due.\nTo let it go on: letterpress resume {called}",
            counts.sent,
            counts.total(),
            steering::due(&counts)
        ),
        (_, CampaignState::Paused(reason)) => format!(
            "`{id}` is paused already: {reason}.\nTo let it go on: letterpress resume {called}"
        ),
        (_, state) => format!("`{id}` is {}; there is nothing to pause.", state.word()),
    });
    Ok(exit)
}
