//! A campaign at work: entered in the books or found there, then delivered.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::ProgressBar;

use super::{
    campaign::{Bundle, Press},
    outbox::{Outbox, Run, Venue},
    project::Project,
    signals::Signals,
};
use crate::{
    audience::{Address, Suppressions},
    cli::SendArgs,
    delivery::{
        Mails, Progress, Summary,
        ledger::{Campaign, Counts, Ledger, NewCampaign, State},
    },
    error::{Error, Kind, Result},
    fs,
    mail::Mail,
    ui::Ui,
};

/// The ledger: on disk, or in memory for a dry run.
pub(super) async fn ledger(project: &Project, venue: Venue) -> Result<Ledger> {
    let ledger = match venue {
        Venue::DryRun => Ledger::in_memory()?,
        Venue::Relay | Venue::Sandbox => {
            Ledger::open(&project.path(project.settings.ledger_path()))?
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

/// A campaign that stands in the books.
pub(super) struct Job {
    pub(super) bundle: Bundle,
    campaign: Campaign,
    ledger: Arc<Ledger>,
}

impl Job {
    /// Enters a campaign, or finds it where an earlier run has left it.
    pub(super) async fn enter(
        project: &Project,
        ledger: Arc<Ledger>,
        fresh: Bundle,
        venue: Venue,
    ) -> Result<Self> {
        let id = fresh.letterhead.campaign.clone();
        let found = match ledger.campaign(&id).await? {
            Some(campaign) if campaign.content_hash != fresh.content_hash()? => {
                let counts = ledger.counts(campaign.key).await?;
                if begun(&counts) {
                    return Err(edited(&campaign, &fresh, &counts, venue)?);
                }
                // Nothing has left yet: the issue is frozen anew.
                ledger.forget(&id).await?;
                None
            }
            found => found,
        };
        match found {
            Some(campaign) => Self::resume(project, ledger, campaign, &fresh).await,
            None => Self::begin(project, ledger, fresh, venue).await,
        }
    }

    async fn begin(
        project: &Project,
        ledger: Arc<Ledger>,
        bundle: Bundle,
        venue: Venue,
    ) -> Result<Self> {
        if venue != Venue::DryRun {
            bundle.freeze(project)?;
        }
        let total = u32::try_from(bundle.recipients.len())
            .map_err(|_| Error::data("the list has more recipients than a campaign can hold"))?;
        let campaign = NewCampaign {
            id: bundle.letterhead.campaign.clone(),
            content_hash: bundle.content_hash()?,
            audience_hash: bundle.audience_hash()?,
            created_at: project.clock.now(),
        };
        let campaign = ledger.begin(campaign, total).await?;
        Ok(Self {
            bundle,
            campaign,
            ledger,
        })
    }

    /// Goes on with what was frozen. Who has left the list since, or was suppressed, is left out.
    async fn resume(
        project: &Project,
        ledger: Arc<Ledger>,
        campaign: Campaign,
        fresh: &Bundle,
    ) -> Result<Self> {
        let bundle = Bundle::thaw(project, &campaign.id)?;
        let now = project.clock.now();
        let still_there: BTreeSet<String> = fresh
            .recipients
            .iter()
            .map(|recipient| recipient.address.key())
            .collect();
        let mut frozen = BTreeSet::new();
        let mut gone = BTreeSet::new();
        for (seq, recipient) in (0_u32..).zip(&bundle.recipients) {
            let key = recipient.address.key();
            if !still_there.contains(&key) {
                gone.insert(seq);
            }
            frozen.insert(key);
        }
        for seq in open_rows(&ledger, &campaign, &gone).await? {
            ledger
                .skip(campaign.key, seq, "no longer on the list", now)
                .await?;
        }
        let joined = still_there.difference(&frozen).count();
        if joined > 0 {
            project.ui.status(&format!(
                "{joined} people joined the list after this campaign began; they are not part of it."
            ));
        }
        Ok(Self {
            bundle,
            campaign,
            ledger,
        })
    }

    /// How many rows are still to be tried.
    pub(super) async fn due(&self) -> Result<u64> {
        let counts = self.ledger.counts(self.campaign.key).await?;
        Ok(counts.pending + counts.deferred)
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
        let counts = self.ledger.counts(self.campaign.key).await?;
        let bar = project.ui.progress(counts.total());
        bar.set_position(counts.settled());
        if due == 0 {
            bar.finish_and_clear();
        }
        let run = Run {
            campaign: self.campaign.key,
            limit: args
                .limit
                .map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
            ledger: self.ledger,
            mails: Arc::new(Due {
                press: Press::new(self.bundle)?,
                suppressed: Suppressed::new(project)?,
            }),
            progress: Arc::new(Bar::new(bar.clone(), project.ui)),
            patience: Duration::from_secs(60),
        };
        let summary = outbox.deliver(project, run, signals).await;
        bar.finish_and_clear();
        summary
    }
}

/// Whether any mail of a campaign may have left.
fn begun(counts: &Counts) -> bool {
    counts.total() > counts.pending + counts.skipped
}

async fn open_rows(
    ledger: &Ledger,
    campaign: &Campaign,
    among: &BTreeSet<u32>,
) -> Result<Vec<u32>> {
    let mut open = Vec::new();
    let mut after = None;
    while !among.is_empty() {
        let rows = ledger.rows(campaign.key, after, 10_000).await?;
        let Some(last) = rows.last() else {
            break;
        };
        after = Some(last.seq);
        open.extend(
            rows.iter()
                .filter(|row| matches!(row.state, State::Pending | State::Deferred))
                .map(|row| row.seq)
                .filter(|seq| among.contains(seq)),
        );
    }
    Ok(open)
}

fn edited(campaign: &Campaign, fresh: &Bundle, counts: &Counts, venue: Venue) -> Result<Error> {
    let done = counts.total() - counts.pending - counts.skipped;
    let short = |hash: &str| hash.chars().take(12).collect::<String>();
    let error = Error::new(
        Kind::Data,
        format!(
            "the issue was edited after the campaign `{}` began: {done} of {} mails are out or under way",
            campaign.id,
            counts.total()
        ),
    )
    .because_of(format!("what is being sent has the hash {}", short(&campaign.content_hash)))
    .because_of(format!("what the files say now has the hash {}", short(&fresh.content_hash()?)));
    Ok(match venue {
        Venue::Sandbox => error.hint(
            "Add `--fresh` to forget the sandbox's books of this issue and deliver what the files say now.",
        ),
        Venue::Relay | Venue::DryRun => error
            .hint("To go on with what the first readers got, bring the files back to what they were.")
            .hint("To send something new, give it a file of its own: a correction is an issue, too."),
    })
}

/// A campaign's mails, without those who were suppressed since it was frozen.
struct Due {
    press: Press,
    suppressed: Suppressed,
}

impl Mails for Due {
    fn mail(&self, seq: u32) -> Result<Mail> {
        self.press.mail(seq)
    }

    fn skip(&self, seq: u32) -> Option<String> {
        let address = self.press.address(seq)?;
        self.suppressed.reason(address)
    }
}

/// The suppressions, read again while a long send is under way.
struct Suppressed {
    path: PathBuf,
    name: String,
    known: Mutex<Known>,
}

struct Known {
    looked: Instant,
    stamp: Option<fs::Stamp>,
    suppressions: Suppressions,
}

/// How old what we know may be: nobody is written to who was suppressed a second before.
const FRESH: Duration = Duration::from_millis(500);

impl Suppressed {
    fn new(project: &Project) -> Result<Self> {
        let name = project.settings.list.suppressions.clone();
        let path = project.path(&name);
        Ok(Self {
            known: Mutex::new(Known {
                looked: Instant::now(),
                stamp: fs::stamp(&path),
                suppressions: project.suppressions()?,
            }),
            path,
            name,
        })
    }

    fn reason(&self, address: &Address) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() > FRESH {
            known.looked = Instant::now();
            let stamp = fs::stamp(&self.path);
            // A file that cannot be read just now is being written: what we know stays, and as its
            // stamp does, too, the next look reads it again.
            if stamp != known.stamp
                && let Ok(suppressions) =
                    fs::open(&self.path).and_then(|file| Suppressions::load(file, &self.name))
            {
                known.suppressions = suppressions;
                known.stamp = stamp;
            }
        }
        known.suppressions.get(address).map(|found| {
            let reason = found.reason.as_deref().unwrap_or("suppressed");
            format!("suppressed: {reason}")
        })
    }
}

/// The progress bar, moved by the books. Trouble with the relay is said above it, once while it is the
/// same.
pub(super) struct Bar {
    bar: ProgressBar,
    ui: Ui,
    said: Mutex<String>,
}

impl Bar {
    pub(super) fn new(bar: ProgressBar, ui: Ui) -> Self {
        Self {
            bar,
            ui,
            said: Mutex::default(),
        }
    }
}

impl Progress for Bar {
    fn settled(&self, counts: &Counts) {
        self.bar.set_position(counts.settled());
        let trouble = counts.deferred + counts.failed + counts.unknown;
        if trouble > 0 {
            self.bar.set_message(format!(
                "{} deferred, {} failed, {} unknown",
                counts.deferred, counts.failed, counts.unknown
            ));
        }
    }

    fn trouble(&self, why: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != why {
            why.clone_into(&mut said);
            self.bar
                .suspend(|| self.ui.status(&format!("{why}; trying again")));
        }
    }
}
