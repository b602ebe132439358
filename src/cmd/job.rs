//! A campaign at work: entered in the books or found there, then delivered.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::ProgressBar;

use super::{
    campaign::{self, Bundle, Press},
    outbox::{Outbox, Run, Venue},
    project::Project,
    receipt,
    signals::Signals,
    steering,
};
use crate::{
    audience::{Address, Suppressions},
    cli::SendArgs,
    delivery::{
        End, Mails, Progress, Summary,
        ledger::{Campaign, CampaignState, Counts, Ledger, NewCampaign, State},
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
            let path = project.path(project.settings.ledger_path());
            refuse_lost(project, &path)?;
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
    campaign: Campaign,
    ledger: Arc<Ledger>,
    /// The rows of those who have left the list since it was frozen. The books have them only when
    /// the send is confirmed: a list that was cut short must not cost anybody a mail.
    gone: Vec<u32>,
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
        let Some(campaign) = ledger.campaign(&id).await? else {
            return Self::begin(project, ledger, fresh, venue).await;
        };
        steering::refuse_cancelled(&campaign)?;
        let same_content = campaign.content_hash == fresh.content_hash()?;
        let counts = ledger.counts(campaign.key).await?;
        if begun(&counts) {
            return match same_content {
                true => Self::resume(project, ledger, campaign, &fresh).await,
                false => Err(edited(&campaign, &fresh, &counts, venue)?),
            };
        }
        if same_content && campaign.audience_hash == fresh.audience_hash()? {
            return Self::resume(project, ledger, campaign, &fresh).await;
        }
        // Nothing has left yet: what the files and the list say now is frozen anew.
        ledger.forget(&id).await?;
        let mut job = Self::begin(project, ledger, fresh, venue).await?;
        // A pause is about the issue, whatever it says by now.
        if let CampaignState::Paused(_) = campaign.state {
            let (key, state) = (job.campaign.key, campaign.state);
            job.ledger
                .set_state(key, state.clone(), project.clock.now())
                .await?;
            job.campaign.state = state;
        }
        Ok(job)
    }

    async fn begin(
        project: &Project,
        ledger: Arc<Ledger>,
        bundle: Bundle,
        venue: Venue,
    ) -> Result<Self> {
        if venue == Venue::Relay {
            receipt::refuse(
                project,
                &bundle.letterhead.slug,
                &bundle.letterhead.campaign,
            )?;
        }
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
            gone: Vec::new(),
        })
    }

    /// Goes on with what was frozen. Who has left the list since, or was suppressed, is left out.
    async fn resume(
        project: &Project,
        ledger: Arc<Ledger>,
        campaign: Campaign,
        fresh: &Bundle,
    ) -> Result<Self> {
        let bundle = Bundle::thaw(project, &campaign)?;
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
        let gone = open_rows(&ledger, &campaign, &gone).await?;
        if !gone.is_empty() {
            project.ui.status(&format!(
                "{} of those who are due left the list or were suppressed after this campaign began; they are left out.",
                gone.len()
            ));
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
            gone,
        })
    }

    /// How many rows are still to be tried.
    pub(super) async fn due(&self) -> Result<u64> {
        let counts = self.ledger.counts(self.campaign.key).await?;
        Ok(counts.pending + counts.deferred - self.gone.len() as u64)
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

    /// Whether sending it leaves anybody out for good.
    pub(super) fn leaves_out(&self) -> bool {
        !self.gone.is_empty()
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
        let id = self.campaign.id.clone();
        let slug = self.bundle.letterhead.slug.clone();
        let now = project.clock.now();
        for seq in &self.gone {
            self.ledger
                .skip(self.campaign.key, *seq, "no longer on the list", now)
                .await?;
        }
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
                // Who was suppressed stays so for this run: a file that is written in place is empty
                // for a moment, and that moment must not let anybody through.
                known.suppressions.add(suppressions);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Access;

    #[test]
    fn a_file_of_suppressions_that_is_just_being_written_lets_nobody_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suppressions.csv");
        let ada = Address::parse("ada@example.com").unwrap();
        let ben = Address::parse("ben@example.org").unwrap();
        let suppressed = Suppressed {
            name: "suppressions.csv".to_owned(),
            path: path.clone(),
            known: Mutex::new(Known {
                looked: Instant::now(),
                stamp: None,
                suppressions: Suppressions::empty(),
            }),
        };
        let look = |content: &str| {
            fs::write(&path, content.as_bytes(), Access::Shared).unwrap();
            // As if the last look had been a while ago.
            suppressed.known.lock().unwrap().looked -= 2 * FRESH;
            (suppressed.reason(&ada), suppressed.reason(&ben))
        };
        let out = |reason: &str| Some(format!("suppressed: {reason}"));
        assert_eq!(
            look("email,reason\nada@example.com,left\n"),
            (out("left"), None)
        );
        assert_eq!(look(""), (out("left"), None));
        assert_eq!(
            look("email,reason\nben@example.org,gone\n"),
            (out("left"), out("gone"))
        );
    }
}
