//! `resume ISSUE`: lets a paused campaign go on. It sends nothing itself.

use super::{
    campaign::Sandbox,
    project::Project,
    steering::{self, ledger},
};
use crate::{
    cli::ResumeArgs,
    delivery::ledger::{CampaignState, Helm},
    error::Result,
    exit::Exit,
    ui::Format,
};

pub(super) fn run(args: &ResumeArgs, project: &Project) -> Result<Exit> {
    let found = steering::find(project, &args.issue, Sandbox::of(args.sandbox))?;
    let (before, called) = (found.campaign, found.called);
    steering::refuse_cancelled(&before)?;
    let campaign = Helm::open(&ledger(project))?
        .resume(&before.id)?
        .unwrap_or_else(|| before.clone());
    let counts = found.books.counts(campaign.key)?;
    let reason = steering::reason(&before);
    let done = if reason.is_some() {
        "resumed"
    } else {
        "nothing"
    };
    if project.ui.format() == Format::Json {
        let mut object = steering::as_json(&campaign, done, &counts);
        // Why it was paused; it is not any more.
        object["reason"] = reason.into();
        project.ui.json(&object);
        return Ok(Exit::Done);
    }
    let id = &campaign.id;
    project.ui.product(&match (reason, &campaign.state) {
        (Some(reason), _) => format!(
            "`{id}` may go on: {} of {} mails are due. It was paused: {reason}.\nTo send them: letterpress send {called}",
            steering::due(&counts),
            counts.total()
        ),
        (None, CampaignState::Running) => {
            format!("`{id}` is being sent; a wish to pause it is taken back.")
        }
        (None, state) => format!("`{id}` is {}, and not paused.", state.word()),
    });
    Ok(Exit::Done)
}
