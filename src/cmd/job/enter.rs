//! Into the books: a campaign is frozen and entered, or found where an earlier run has left it, and the
//! list is called over for it, once, row by row.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{Job, Scratch};
use crate::{
    audience::{People, Recipient, Segment},
    cli::SendArgs,
    cmd::{
        campaign::{self, Audience, Bundle, Sheet, Thawed},
        outbox::{Outbox, Venue},
        project::Project,
        receipt,
        report::Tally,
        rollcall::{Roll, RollCall},
    },
    delivery::{
        campaign::Freezing,
        ledger::{Campaign, CampaignState, Counts, Generation, Ledger, NewCampaign, State, Terms},
    },
    error::{Error, Kind, Result},
};

/// All that is known of a send before the books are asked.
pub(in crate::cmd) struct Entry<'a> {
    pub(in crate::cmd) project: &'a Project,
    pub(in crate::cmd) args: &'a SendArgs,
    pub(in crate::cmd) venue: Venue,
    pub(in crate::cmd) outbox: &'a Outbox,
    pub(in crate::cmd) segment: Segment,
    pub(in crate::cmd) slot: Option<Timestamp>,
    /// How long it is news, where the issue says so itself.
    pub(in crate::cmd) deliver_by: Option<Duration>,
    pub(in crate::cmd) ledger: Arc<Ledger>,
}

/// What is to be sent.
pub(in crate::cmd) enum Draft {
    /// What the files say now.
    Files(Box<Bundle>),
    /// What was frozen for a campaign, whatever the files say.
    Frozen(String),
}

impl Draft {
    /// The id of its campaign.
    pub(in crate::cmd) fn campaign(&self) -> &str {
        match self {
            Self::Files(bundle) => &bundle.letterhead.campaign,
            Self::Frozen(campaign) => campaign,
        }
    }
}

impl Entry<'_> {
    /// Enters a campaign, or finds it where an earlier run has left it.
    pub(in crate::cmd) async fn enter(self, draft: Draft) -> Result<Job> {
        let known = self.ledger.campaign(draft.campaign()).await?;
        let draft = match draft {
            Draft::Files(bundle) => Some(*bundle),
            Draft::Frozen(_) => None,
        };
        let Some(campaign) = known else {
            let Some(draft) = draft else {
                return Err(changed());
            };
            if self.venue == Venue::Relay {
                let letterhead = &draft.letterhead;
                receipt::refuse(self.project, &letterhead.slug, &letterhead.campaign)?;
            }
            return self.begin(draft).await;
        };
        if campaign.state == CampaignState::Cancelled {
            return Err(cancelled(&campaign, self.venue));
        }
        let counts = self.ledger.counts(campaign.key).await?;
        match draft {
            // Nothing has left yet: what the files and the list say now is frozen anew.
            Some(draft) if !counts.is_begun() => self.begin(draft).await,
            draft => self.resume(draft, campaign, &counts).await,
        }
    }

    async fn begin(self, bundle: Bundle) -> Result<Job> {
        let project = self.project;
        let id = &bundle.letterhead.campaign;
        let (folder, scratch) = match self.venue {
            Venue::DryRun => {
                let name = format!(".frozen-{}", std::process::id());
                let folder = project.state().join("dry-run").join(name);
                (folder.clone(), Some(Scratch(folder)))
            }
            Venue::Relay | Venue::Sandbox | Venue::Rehearsal => (campaign::folder(project), None),
        };
        let mut freezing = Freezing::begin(&folder, id, 0)?;
        bundle.freeze(&mut freezing)?;
        let (audience_hash, total) = self.freeze(&bundle, &mut freezing)?;
        let frozen = freezing.finish()?;
        let campaign = NewCampaign {
            id: id.clone(),
            content_hash: bundle.content_hash(),
            audience_hash,
            created_at: project.clock.now(),
        };
        let terms = Terms {
            slot: self.slot,
            deliver_by: self.deliver_by(),
        };
        Ok(Job {
            campaign: self.ledger.enter(campaign, total, terms).await?,
            bundle,
            audience: Audience::of(&frozen)?,
            ledger: self.ledger,
            gone: Vec::new(),
            back: Vec::new(),
            next: None,
            _scratch: scratch,
        })
    }

    /// Goes on with what was frozen, or on purpose with what the files and the list say now. Who has
    /// left the list since, or was suppressed, is left out.
    async fn resume(
        self,
        draft: Option<Bundle>,
        campaign: Campaign,
        counts: &Counts,
    ) -> Result<Job> {
        let project = self.project;
        let draft = draft.map(|draft| (draft.content_hash(), draft));
        let edited = draft.filter(|(hash, _)| *hash != campaign.content_hash);
        let Thawed {
            bundle,
            audience,
            is_of_this_version,
        } = campaign::thaw(project, &campaign)?;
        match (&edited, self.args.amend) {
            (Some((hash, _)), false) if is_of_this_version => {
                return Err(refuse_edited(&campaign, hash, counts, self.venue));
            }
            // Nobody can tell an edit from what another version makes of the same files.
            (Some(_), false) => project.ui.status(&format!(
                "Another version of letterpress has composed `{}`. It goes on with what was composed then; `--amend` takes what this version makes of the files now.",
                campaign.id
            )),
            (None, true) => project
                .ui
                .status("Nothing that readers see was edited; there is nothing to amend."),
            (Some((hash, _)), true) => project.ui.status(&format!(
                "Amended: {} go on with {} now; {} have had {}, or may have.",
                counts.pending + counts.deferred,
                short(hash),
                done(counts),
                short(&campaign.content_hash)
            )),
            (None, false) => {}
        }

        let Changes {
            gone,
            missing,
            joined: people,
            sheet,
        } = self.changes(&campaign, &audience)?;
        let mut back = match self.args.include_new {
            true => self.ledger.left_out(campaign.key).await?,
            false => Vec::new(),
        };
        back.retain(|seq| gone.binary_search(seq).is_err());
        let is_everyone_there = gone.is_empty();
        let gone = self.ledger.open_among(campaign.key, &gone).await?;
        if !gone.is_empty() {
            self.refuse_cut(missing, &audience)?;
        }
        if !back.is_empty() {
            project.ui.status(&format!(
                "{} people were left out of this campaign and are on the list again; they get it, too.",
                back.len()
            ));
        }
        if !gone.is_empty() {
            project.ui.status(&format!(
                "{} of those who are due left the list or were suppressed after this campaign began; they are left out.",
                gone.len()
            ));
        }
        let includes = self.args.include_new && !people.is_empty();
        if !people.is_empty() {
            let joined = people.len();
            project.ui.status(&if includes {
                format!("{joined} people joined the list after this campaign began; they get it, too.")
            } else {
                format!("{joined} people joined the list after this campaign began; they are not part of it.")
            });
        }
        let amended = edited.filter(|_| self.args.amend);
        if amended.is_none() && !includes {
            return Ok(Job {
                bundle,
                audience,
                campaign,
                ledger: self.ledger,
                gone,
                back,
                next: None,
                _scratch: None,
            });
        }
        let (amended, bundle) = match amended {
            Some((hash, draft)) => (Some(hash), draft),
            None => (None, bundle),
        };
        // With these files the next run need not call the list over.
        let sheet = sheet.filter(|_| is_everyone_there && (includes || people.is_empty()));
        let joined = includes.then_some(people);
        let number = campaign.generation + 1;
        let mut freezing = Freezing::begin(&campaign::folder(project), &campaign.id, number)?;
        let (next, audience) = {
            if amended.is_some() {
                bundle.freeze(&mut freezing)?;
            } else {
                campaign::refreeze(project, &campaign, &mut freezing)?;
            }
            let (audience_hash, total) =
                self.freeze_again(&bundle, &mut freezing, &audience, joined)?;
            if let Some(sheet) = sheet {
                sheet.freeze(&mut freezing)?;
            }
            let frozen = freezing.finish()?;
            let next = Generation {
                number,
                content_hash: amended.unwrap_or_else(|| campaign.content_hash.clone()),
                audience_hash,
                total,
                // It is news again, because somebody says so.
                deliver_by: campaign.deliver_by.max(self.deliver_by()),
            };
            (next, Audience::of(&frozen)?)
        };
        Ok(Job {
            bundle,
            audience,
            campaign,
            ledger: self.ledger,
            gone,
            back,
            next: Some(next),
            _scratch: None,
        })
    }

    /// A list that was cut short by accident must not cost anybody a mail: where nobody is asked, and
    /// nobody said how many are due, many may not leave at once.
    fn refuse_cut(&self, missing: u32, audience: &Audience) -> Result<()> {
        let total = audience.len();
        let is_cut = missing > FEW && u64::from(missing) * 10 > u64::from(total);
        if !is_cut || self.args.expect.is_some() || self.project.ui.is_interactive() {
            return Ok(());
        }
        Err(Error::data(format!(
            "{missing} of {total} people who were on the list when this campaign began are not in `{}` any more; nothing was sent",
            self.project.settings.list.path
        ))
        .hint("If the list was cut short, bring it back: the campaign then goes on with everyone.")
        .hint("If they have really left, run the command in a terminal, or say with `--expect N` how many are due."))
    }

    /// Who has left and who has joined since a campaign was frozen. While the files are what they were
    /// then, nobody has, and the list is not called over.
    fn changes(&self, campaign: &Campaign, audience: &Audience) -> Result<Changes> {
        let mut changes = Changes::default();
        if let Some(frozen) = Sheet::of(self.project, campaign)? {
            let now = Sheet::of_files(self.project, self.segment, self.outbox);
            if let Some(now) = now.filter(|now| now.calls_as(&frozen)) {
                changes.sheet = Some(now);
                return Ok(changes);
            }
        }
        let Roll {
            mut people,
            suppressions,
            list_hash,
            suppressions_hash,
        } = self.call_over()?;
        for (seq, key) in (0..).zip(audience.keys()) {
            if people.take(&key?) {
                continue;
            }
            changes.gone.push(seq);
            let address = audience.address(seq)?;
            let is_suppressed = address.is_some_and(|who| suppressions.get(&who).is_some());
            changes.missing += u32::from(!is_suppressed);
        }
        changes.joined = people;
        changes.sheet = Some(Sheet::new(
            self.segment,
            self.outbox,
            list_hash,
            suppressions_hash,
        ));
        Ok(changes)
    }

    /// Calls the list over, and says of every row what there is to say.
    fn call_over(&self) -> Result<Roll> {
        let mut roll = Public::open(
            self,
            RollCall::open_for_addresses(self.project, self.segment)?,
        );
        while roll.next()?.is_some() {}
        roll.finish().map(RollCall::finish)
    }

    /// Freezes those on the list, and says of every row what there is to say.
    fn freeze(&self, bundle: &Bundle, freezing: &mut Freezing) -> Result<(String, u32)> {
        let list = &self.project.settings.list.path;
        let mut roll = Public::open(self, RollCall::open(self.project, self.segment)?);
        let frozen = campaign::freeze_audience(bundle, freezing, list, || roll.next());
        // What is wrong with the list as a whole comes before what is wrong with mails to people on it.
        if roll.is_over {
            let Roll {
                list_hash,
                suppressions_hash,
                ..
            } = roll.finish()?.finish();
            if frozen.is_ok() {
                Sheet::new(self.segment, self.outbox, list_hash, suppressions_hash)
                    .freeze(freezing)?;
            }
        }
        frozen
    }

    /// Freezes those who were frozen before, and after them those who have joined.
    fn freeze_again(
        &self,
        bundle: &Bundle,
        freezing: &mut Freezing,
        before: &Audience,
        joined: Option<People>,
    ) -> Result<(String, u32)> {
        let list = &self.project.settings.list.path;
        let mut before = before.iter();
        let mut joined = match joined {
            Some(people) => Some((people, RollCall::open(self.project, self.segment)?)),
            None => None,
        };
        campaign::freeze_audience(bundle, freezing, list, || {
            if let Some(recipient) = before.next() {
                return recipient.map(Some);
            }
            let Some((people, call)) = &mut joined else {
                return Ok(None);
            };
            while let Some(recipient) = call.next(|_| {})? {
                // Each is taken once, whoever else is on the list.
                if people.take(&recipient.address.key()) {
                    return Ok(Some(recipient));
                }
            }
            Ok(None)
        })
    }

    fn deliver_by(&self) -> Option<Timestamp> {
        let settings = &self.project.settings.send;
        let span = self.deliver_by.unwrap_or(settings.deliver_by.0);
        self.project.clock.now().checked_add(span).ok()
    }
}

/// What has changed of an audience since it was frozen.
#[derive(Default)]
struct Changes {
    /// The rows of those who have left the list or were suppressed.
    gone: Vec<u32>,
    /// How many of them were not suppressed.
    missing: u32,
    joined: People,
    /// The files that say so.
    sheet: Option<Sheet>,
}

/// The list, called over in public.
struct Public<'a> {
    call: RollCall,
    tally: Tally<'a>,
    outbox: &'a Outbox,
    list: &'a str,
    recipients: usize,
    refused: Vec<Error>,
    is_over: bool,
}

impl<'a> Public<'a> {
    fn open(entry: &'a Entry<'_>, call: RollCall) -> Self {
        let list = &entry.project.settings.list.path;
        Self {
            call,
            tally: Tally::new(entry.project.ui, list),
            outbox: entry.outbox,
            list,
            recipients: 0,
            refused: Vec::new(),
            is_over: false,
        }
    }

    fn next(&mut self) -> Result<Option<Recipient>> {
        let next = self.call.next(|called| self.tally.add(called))?;
        if let Some(recipient) = &next {
            self.recipients += 1;
            if let Err(error) = self.outbox.accepts(recipient, self.list)
                && self.refused.len() < MANY
            {
                self.refused.push(error);
            }
        }
        self.is_over = next.is_none();
        Ok(next)
    }

    fn finish(self) -> Result<RollCall> {
        self.tally.finish(self.recipients)?;
        match Error::all(self.refused) {
            None => Ok(self.call),
            Some(error) => Err(error.hint(
                "Take the samples out of the list, or deliver to the sandbox with `--sandbox`.",
            )),
        }
    }
}

/// Errors of one sort that are told.
const MANY: usize = 20;

/// So many may leave a list between two runs without a question.
const FEW: u32 = 3;

/// The books are not what they were a moment ago.
fn changed() -> Error {
    Error::new(
        Kind::TryLater,
        "another process has changed the books; nothing was sent",
    )
}

/// How many mails are out, or may be.
fn done(counts: &Counts) -> u64 {
    [State::Sending, State::Sent, State::Failed, State::Unknown]
        .map(|state| counts.of(state))
        .iter()
        .sum()
}

/// As much of a hash as people compare.
fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn cancelled(campaign: &Campaign, venue: Venue) -> Error {
    let error = Error::data(format!(
        "the campaign `{}` was called off; nothing was sent",
        campaign.id
    ));
    match venue {
        Venue::Sandbox => error
            .hint("Add `--fresh` to forget the sandbox's books of this issue and deliver it anew."),
        Venue::Relay | Venue::DryRun | Venue::Rehearsal => {
            error.hint("To send it after all, give it a file of its own: under another name it is another campaign.")
        }
    }
}

fn refuse_edited(campaign: &Campaign, hash: &str, counts: &Counts, venue: Venue) -> Error {
    let error = Error::data(format!(
        "the issue was edited after the campaign `{}` began: {} of {} mails are out or under way",
        campaign.id,
        done(counts) + counts.deferred + counts.expired,
        counts.total()
    ))
    .because_of(format!(
        "what is being sent has the hash {}",
        short(&campaign.content_hash)
    ))
    .because_of(format!(
        "what the files say now has the hash {}",
        short(hash)
    ))
    .hint("To go on with what the first readers got, bring the files back to what they were.")
    .hint(
        "To go on with what the files say now, for those who have not had it yet, add `--amend`.",
    );
    match venue {
        Venue::Sandbox => error.hint(
            "To forget the sandbox's books of this issue and deliver to everyone anew, add `--fresh`.",
        ),
        Venue::Relay | Venue::DryRun | Venue::Rehearsal => error.hint(
            "To send something new to everyone, give it a file of its own: a correction is an issue, too.",
        ),
    }
}
