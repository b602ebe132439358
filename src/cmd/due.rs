//! `send --due`: the cron line. Looks at every issue and at the books, plans ([`plan`]), and sends one
//! issue after the other. Silent when nothing is due, and quick: nothing is composed to find that out.
//!
//! What has to be said is said once, as cron makes a mail of each word; the exit code tells it again.

mod plan;
mod slot;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

pub(super) use self::slot::slot;

use self::{
    plan::{Known, Limits, Standing, Step, Timed},
    slot::Name,
};
use super::{job, outbox::Venue, project::Project, send};
use crate::{
    cli::SendArgs,
    delivery::ledger::{Books, CampaignState, Diary, Run, RunState, holder},
    error::{Error, Kind, Result},
    exit::Exit,
    fs, source,
    ui::Format,
};

/// What waits for a relay or a quota is tried again after so long.
const WAIT: SignedDuration = SignedDuration::from_mins(5);

/// What failed is tried, and told, again after so long.
const LONG_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// The ends of a run from the best to the worst.
const ENDS: [Exit; 14] = [
    Exit::Done,
    Exit::TryLater,
    Exit::Unknown,
    Exit::Failures,
    Exit::Findings,
    Exit::Usage,
    Exit::NoInput,
    Exit::Data,
    Exit::Unavailable,
    Exit::Settings,
    Exit::Credentials,
    Exit::CannotCreate,
    Exit::Io,
    Exit::Bug,
];

fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: Exit| ENDS.iter().position(|end| *end == exit);
    match rank(one) >= rank(other) {
        true => one,
        false => other,
    }
}

pub(super) fn run(project: &Project) -> Result<Exit> {
    let path = project.path(project.settings.ledger_path());
    let now = project.clock.now();
    let (issues, broken) = timed(project)?;
    let known = known(&path, &issues, now)?;
    let settings = &project.settings.send;
    let limits = Limits {
        max_delay: settings.max_delay.0,
        deliver_by: settings.deliver_by.0,
        is_quiet: (settings.quiet_hours.as_ref()).is_some_and(|hours| hours.end(now).is_some()),
    };
    let steps = plan::plan(&issues, &known, &limits, now);
    if steps.is_empty() && broken.is_empty() {
        return Ok(Exit::Done);
    }
    match make(project, &path) {
        Err(error) if error.kind() == Kind::TryLater => return Ok(Exit::TryLater),
        made => made?,
    }
    let round = Round {
        project,
        diary: Diary::open(&path)?,
        path: &path,
        now,
    };
    let mut worst = Exit::Done;
    for (slug, error) in broken {
        worst = worse(worst, round.broken(&slug, &error, &known)?);
    }
    let mut lock = None;
    for step in steps {
        if matches!(step, Step::Send { .. }) && lock.is_none() {
            lock = round.lock()?;
            if lock.is_none() {
                project.ui.status("Another process is sending.");
                return Ok(worse(worst, Exit::TryLater));
            }
        }
        match round.perform(step)? {
            Outcome::Next(exit) => worst = worse(worst, exit),
            Outcome::Stop(exit @ (Exit::Interrupted | Exit::Terminated)) => return Ok(exit),
            Outcome::Stop(exit) => return Ok(worse(worst, exit)),
        }
    }
    Ok(worst)
}

/// Issues of which nobody can tell whether they are due, by their slugs.
type Broken = Vec<(String, Error)>;

/// The issues that say when they are due, and those of which nobody can tell.
fn timed(project: &Project) -> Result<(Vec<Timed>, Broken)> {
    let root = project.root();
    let mut issues = Vec::new();
    let mut broken = Vec::new();
    for slug in source::issues(&root)? {
        match source::timing(&root, &slug) {
            Ok(timing) if timing.send_at.is_none() && timing.every.is_none() => {}
            Ok(timing) => issues.push(Timed { slug, timing }),
            Err(error) => broken.push((slug, error)),
        }
    }
    Ok((issues, broken))
}

/// What stands in the books, read without a lock.
fn known(path: &Path, issues: &[Timed], now: Timestamp) -> Result<Known> {
    let Some(books) = Books::open_if_begun(path)? else {
        return Ok(Known::default());
    };
    let mut campaigns = Vec::new();
    for campaign in books.campaigns()? {
        let Some(Name { slug, slot }) = Name::of(&campaign.id) else {
            continue;
        };
        let has_work =
            campaign.state == CampaignState::Interrupted && books.has_work(campaign.key, now)?;
        campaigns.push(Standing {
            slug: slug.to_owned(),
            slot,
            has_work,
            created_at: campaign.created_at,
            state: campaign.state,
        });
    }
    let runs = issues
        .iter()
        .map(|issue| Ok((issue.slug.clone(), books.runs(&issue.slug)?)));
    Ok(Known {
        campaigns,
        runs: runs.collect::<Result<_>>()?,
        notes: books.notes()?,
    })
}

/// Makes the ledger where there is none, as any first send does: one that was lost is not begun anew.
fn make(project: &Project, path: &Path) -> Result<()> {
    if fs::stamp(path).is_some_and(|stamp| !stamp.is_empty()) {
        return Ok(());
    }
    let ledger = job::ledger(project, Venue::Relay);
    super::runtime()?.block_on(ledger).map(drop)
}

/// One round of cron.
struct Round<'a> {
    project: &'a Project,
    diary: Diary,
    path: &'a Path,
    now: Timestamp,
}

/// Whether a round goes on after a step.
enum Outcome {
    Next(Exit),
    Stop(Exit),
}

impl Round<'_> {
    /// Takes the turn to send; `None` when another process has it, or is sending by hand.
    fn lock(&self) -> Result<Option<fs::Lock>> {
        let path = self.project.state().join("due.lock");
        let Ok(lock) = fs::lock(&path, &std::process::id().to_string())? else {
            return Ok(None);
        };
        let is_free = holder(self.path)?.is_none();
        Ok(is_free.then_some(lock))
    }

    fn perform(&self, step: Step) -> Result<Outcome> {
        let exit = match step {
            Step::See { slug, schedule } => {
                let noted = plan::seen(&schedule, self.now);
                self.diary
                    .note(&plan::note("schedule", &slug, None), &noted)?;
                Exit::Done
            }
            Step::Passed { slug, slot, next } => {
                self.passed(&slug, slot, next);
                Exit::Done
            }
            Step::Owe { slug, at } => {
                self.enter(&slug, at, RunState::Begun)?;
                Exit::Done
            }
            Step::Miss {
                slug,
                at,
                max_delay,
            } => match self.enter(&slug, at, RunState::Missed)? {
                true => self.tell(&missed(&slug, at, max_delay)),
                false => Exit::Done,
            },
            Step::Paused { slug, slot, reason } => {
                match self
                    .diary
                    .note(&plan::note("paused", &slug, slot), &reason)?
                {
                    true => self.tell(&paused(&slug, &reason)),
                    false => Exit::Done,
                }
            }
            Step::Wait { code } => ended(code),
            Step::Send { slug, slot } => return self.send(&slug, slot),
        };
        Ok(Outcome::Next(exit))
    }

    /// Sends what is due of an issue. Its trouble is told, and is no reason not to send another.
    fn send(&self, slug: &str, slot: Option<Timestamp>) -> Result<Outcome> {
        let args = SendArgs {
            issue: Some(slug.to_owned()),
            due: true,
            yes: true,
            ..SendArgs::default()
        };
        let exit = match send::one(&args, slug, slot, self.project) {
            Ok(exit) => exit,
            Err(error) if error.kind() == Kind::TryLater && holder(self.path)?.is_some() => {
                // Somebody began to send by hand in the meantime.
                return Ok(Outcome::Stop(Exit::TryLater));
            }
            Err(error) => self.tell(&error.because_of(format!("while sending `{slug}`"))),
        };
        if matches!(exit, Exit::Interrupted | Exit::Terminated) {
            return Ok(Outcome::Stop(exit));
        }
        self.remember(slug, slot, exit)?;
        Ok(Outcome::Next(exit))
    }

    /// Notes what the next rounds need to know of how it went.
    fn remember(&self, slug: &str, slot: Option<Timestamp>, exit: Exit) -> Result<()> {
        let now = self.project.clock.now();
        let books = Books::open_if_begun(self.path)?;
        let campaigns = books.as_ref().map(Books::campaigns).transpose()?;
        let campaign = campaigns.into_iter().flatten().find(|campaign| {
            Name::of(&campaign.id).is_some_and(|name| name.slug == slug && name.slot == slot)
        });
        let state = campaign.as_ref().map(|campaign| &campaign.state);
        // Why it is paused has just been told.
        let about_pause = plan::note("paused", slug, slot);
        match state {
            Some(CampaignState::Paused(reason)) => {
                self.diary.note(&about_pause, reason)?;
            }
            _ => self.diary.forget(&about_pause)?,
        }
        let waits = match (state, campaign.as_ref().zip(books.as_ref())) {
            (Some(CampaignState::Paused(_) | CampaignState::Complete), _) => false,
            // Rows that wait for their own time are looked at when that has come.
            (Some(CampaignState::Interrupted), Some((campaign, books))) => {
                books.has_work(campaign.key, now)?
            }
            _ => exit != Exit::Done,
        };
        let about_wait = plan::note("later", slug, slot);
        if !waits {
            return self.diary.forget(&about_wait);
        }
        let wait = match exit {
            Exit::TryLater => WAIT,
            _ => LONG_WAIT,
        };
        let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.diary
            .note(&about_wait, &plan::later(until, exit.code()))
            .map(drop)
    }

    /// An issue of which nobody can tell whether it is due.
    fn broken(&self, slug: &str, error: &Error, known: &Known) -> Result<Exit> {
        let exit = error.kind().exit();
        let about = plan::note("broken", slug, None);
        let waits = known
            .notes
            .get(&about)
            .and_then(|noted| noted.parse::<Timestamp>().ok())
            .is_some_and(|said| {
                let ago = self.now.duration_since(said);
                SignedDuration::ZERO <= ago && ago < LONG_WAIT
            });
        if !waits && self.diary.note(&about, &self.now.to_string())? {
            self.tell(error);
        }
        Ok(exit)
    }

    fn enter(&self, slug: &str, slot: Timestamp, state: RunState) -> Result<bool> {
        self.diary.enter(slug, Run { slot, state }, self.now)
    }

    fn passed(&self, slug: &str, slot: Timestamp, next: Option<Timestamp>) {
        match self.project.ui.format() {
            Format::Human => {
                let next = match next {
                    Some(next) => format!("it goes out at {next} for the first time"),
                    None => "it has no other".to_owned(),
                };
                self.project.ui.product(&format!(
                    "`{slug}` is new here, and its slot of {slot} had passed: {next}. To send it for that slot now: letterpress send {slug}"
                ));
            }
            Format::Json => self.project.ui.json(&serde_json::json!({
                "issue": slug,
                "end": "passed",
                "slot": slot.to_string(),
                "next": next.map(|next| next.to_string()),
            })),
        }
    }

    fn tell(&self, error: &Error) -> Exit {
        self.project.ui.error(error);
        error.kind().exit()
    }
}

fn ended(code: u8) -> Exit {
    let end = ENDS.into_iter().find(|end| end.code() == code);
    end.unwrap_or(Exit::TryLater)
}

fn missed(slug: &str, at: Timestamp, max_delay: std::time::Duration) -> Error {
    let max_delay = SignedDuration::try_from(max_delay).unwrap_or(SignedDuration::MAX);
    Error::new(
        Kind::Unavailable,
        format!("`{slug}` was due at {at} and is not sent any more"),
    )
    .because_of(format!(
        "nothing looked after it until now, and `max_delay` is {max_delay:#}"
    ))
    .hint(format!(
        "To send it all the same: `letterpress send {slug}`."
    ))
}

fn paused(slug: &str, reason: &str) -> Error {
    Error::new(Kind::Unavailable, format!("`{slug}` is paused"))
        .because_of(reason)
        .hint(format!(
            "When that is mended, say `letterpress resume {slug}`; it then goes on at the next round."
        ))
}
