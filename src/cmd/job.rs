//! A campaign at work: entered in the books or found there, then delivered.

mod bar;
mod due;
mod enter;

use std::{path::Path, sync::Arc, time::Duration};

use super::{
    campaign::{self, Audience, Bundle, Press},
    outbox::{Forecast, Outbox, Run, Stay, Venue},
    project::Project,
    receipt,
    signals::Signals,
};
use crate::{
    cli::SendArgs,
    delivery::{
        End, Summary,
        ledger::{Campaign, CampaignState, GONE, Generation, Ledger},
    },
    error::{Error, Kind, Result},
    finding::Finding,
    fs,
};

pub(super) use bar::Bar;
pub(super) use enter::{Draft, Entry};

/// The ledger: on disk, or in memory for a dry run.
pub(super) async fn ledger(project: &Project, venue: Venue) -> Result<Ledger> {
    let ledger = match venue {
        Venue::DryRun => Ledger::in_memory()?,
        Venue::Relay | Venue::Sandbox | Venue::Rehearsal => {
            let path = project.path(project.settings.ledger_path());
            refuse_lost(project, &path)?;
            if let Some(kind) = fs::network_file_system(&path) {
                project.ui.finding_in_brief(&Finding::warning(
                    "network-ledger",
                    format!(
                        "the ledger `{}` is on a network file system ({kind}), whose locks and syncs cannot be relied on; name one on a disk of this machine in `[ledger]`",
                        path.display()
                    ),
                ));
            }
            Ledger::open(&path)?
        }
    };
    let found = ledger.recover(project.clock.now()).await?;
    if found > 0 {
        project.ui.status(&format!(
            "An earlier run was cut off: {found} mails were on their way and are `unknown` now."
        ));
    }
    Ok(ledger)
}

/// A ledger that is gone is not begun anew while there are campaigns whose rows it had: everyone would
/// get their mail twice. Not even for the sandbox, because then nobody would notice later.
fn refuse_lost(project: &Project, path: &Path) -> Result<()> {
    // In this order: the ledger is there before anything is frozen, so that another process at its
    // first run is no reason.
    if !campaign::is_any_frozen(project)? || fs::stamp(path).is_some_and(|stamp| !stamp.is_empty())
    {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unavailable,
        format!(
            "the ledger `{}` is gone, and with it who has had their mail",
            path.display()
        ),
    )
    .hint("Bring it back from a copy, with the `-wal` file beside it.")
    .hint(format!(
        "If it is lost for good: move `{}` away. Every issue that is sent again then goes to everyone again.",
        campaign::folder(project).display()
    )))
}

/// A campaign that stands in the books.
pub(super) struct Job {
    pub(super) bundle: Bundle,
    audience: Audience,
    campaign: Campaign,
    ledger: Arc<Ledger>,
    /// The rows of those who have left the list since it was frozen. The books have them only when
    /// the send is confirmed: a list that was cut short must not cost anybody a mail.
    gone: Vec<u32>,
    /// The rows of those who had left it, and are back on purpose.
    back: Vec<u32>,
    /// The generation that it goes on with, if that is another one; in the books, too, when it is
    /// confirmed.
    next: Option<Generation>,
    /// What a dry run has frozen goes with it.
    _scratch: Option<Scratch>,
}

/// A folder that is gone when this is.
struct Scratch(std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: the next dry run removes it, too.
        let _ = fs::remove_folder(&self.0);
    }
}

impl Job {
    /// How many rows are still to be tried.
    pub(super) async fn due(&self) -> Result<u64> {
        let counts = self.ledger.counts(self.campaign.key).await?;
        let joined = match &self.next {
            Some(next) => u64::from(next.total.saturating_sub(self.campaign.total)),
            None => 0,
        };
        let back = self.back.len() as u64;
        Ok(counts.pending + counts.deferred + joined + back - self.gone.len() as u64)
    }

    /// What can be foreseen of sending them.
    pub(super) async fn forecast(
        &self,
        project: &Project,
        outbox: &Outbox,
        due: u64,
    ) -> Result<Forecast> {
        let deliver_by = match &self.next {
            Some(next) => next.deliver_by,
            None => self.campaign.deliver_by,
        };
        let clock = project.clock.as_ref();
        outbox.forecast(&self.ledger, clock, due, deliver_by).await
    }

    /// Why an earlier run paused it, if one did.
    pub(super) fn paused(&self) -> Option<&str> {
        match &self.campaign.state {
            CampaignState::Paused(reason) => Some(reason),
            _ => None,
        }
    }

    /// A person has looked at why it was paused, and wants it to go on.
    pub(super) async fn go_on(&self) -> Result<()> {
        match self.paused() {
            Some(_) => self.ledger.resume(self.campaign.key).await,
            None => Ok(()),
        }
    }

    /// Whether going on changes the books for good, even where nobody is due: somebody is left out, or
    /// another content or audience counts.
    pub(super) fn changes_the_books(&self) -> bool {
        !self.gone.is_empty() || !self.back.is_empty() || self.next.is_some()
    }

    /// Sends what is due.
    pub(super) async fn deliver(
        self,
        project: &Project,
        args: &SendArgs,
        outbox: &Outbox,
        due: u64,
        signals: &Signals,
    ) -> Result<Summary> {
        let key = self.campaign.key;
        let id = self.campaign.id.clone();
        let slug = self.bundle.letterhead.slug.clone();
        let Campaign { mut deliver_by, .. } = self.campaign;
        if let Some(next) = self.next {
            deliver_by = next.deliver_by;
            self.ledger.grow(key, next).await?;
        }
        let now = project.clock.now();
        self.ledger.skip_all(key, &self.gone, GONE, now).await?;
        self.ledger.take_back(key, &self.back).await?;
        let counts = self.ledger.counts(key).await?;
        let bar = project.ui.progress(counts.total());
        bar.set_position(counts.settled());
        if due == 0 {
            bar.finish_and_clear();
        }
        let press = Press::new(self.bundle, self.audience)?;
        let run = Run {
            campaign: key,
            limit: args
                .limit
                .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
            ledger: self.ledger,
            mails: Arc::new(due::Due::new(press, project)?),
            progress: Arc::new(Bar::new(bar.clone(), project.ui)),
            patience: Duration::from_secs(60),
            deliver_by,
            stay: if args.wait {
                Stay::UntilDone
            } else {
                Stay::Briefly
            },
        };
        let ledger = Arc::clone(&run.ledger);
        let summary = outbox.deliver(project, run, signals).await;
        bar.finish_and_clear();
        let summary = summary?;
        if matches!(summary.end, End::Complete)
            && matches!(outbox, Outbox::Relay(_))
            && let Some(campaign) = ledger.campaign(&id).await?
        {
            let now = project.clock.now();
            receipt::write(project, &slug, &campaign, &summary.counts, now)?;
        }
        Ok(summary)
    }
}
