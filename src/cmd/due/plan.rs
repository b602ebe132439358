//! What `send --due` is to do now: a pure function of the issues, the books and the time.
//!
//! A slot is never sent twice: its campaign, once begun, is all that is gone on with. A slot that was
//! seen in time is owed, however long the way is until then; one that was seen too late is missed.
//! Slots only go forward, and an issue has one a day, whatever happens to the clock or to `every`.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    delivery::ledger::{CampaignState, Run, RunState},
    issue::{front_matter::Timing, schedule::Schedule},
};

/// A slot may be so old when its issue is seen for the first time: cron comes round every few minutes,
/// and a file that was saved just before its time is meant.
const GRACE: SignedDuration = SignedDuration::from_mins(5);

/// No wait is longer than that; one that is was noted by a clock that has been set back since.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// An issue that says when it is due.
#[derive(Clone, Debug)]
pub(super) struct Timed {
    pub(super) slug: String,
    pub(super) timing: Timing,
}

/// A campaign to the relay, as it stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    pub(super) slug: String,
    pub(super) slot: Option<Timestamp>,
    pub(super) state: CampaignState,
    pub(super) created_at: Timestamp,
    /// Whether a run would find something to do, if it is neither complete nor stopped.
    pub(super) has_work: bool,
}

impl Standing {
    /// Whether anybody may have been written to, or somebody has decided that nobody is. What was only
    /// entered waits for its time like any other issue, or for a person to say yes.
    fn is_begun(&self) -> bool {
        self.state != CampaignState::Scheduled
    }
}

/// What stands in the books.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) campaigns: Vec<Standing>,
    pub(super) runs: BTreeMap<String, Vec<Run>>,
    pub(super) notes: BTreeMap<String, String>,
}

/// What the settings allow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How late an issue may begin that nobody has seen in time.
    pub(super) max_delay: Duration,
    /// When it is no news any more.
    pub(super) deliver_by: Duration,
    /// Whether no mail leaves now.
    pub(super) is_quiet: bool,
}

/// One thing to do. Each is for an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Note that the schedule of an issue was seen; from now on its slots count.
    See { slug: String, schedule: String },
    /// Say that a slot had passed when the issue was seen for the first time.
    Passed {
        slug: String,
        slot: Timestamp,
        next: Option<Timestamp>,
    },
    /// Enter that a slot was seen in time.
    Owe { slug: String, at: Timestamp },
    /// Enter that it was seen too late, and say so.
    Miss {
        slug: String,
        at: Timestamp,
        max_delay: Duration,
    },
    /// Say that a campaign is paused.
    Paused {
        slug: String,
        slot: Option<Timestamp>,
        reason: String,
    },
    /// What did not go well a moment ago is tried again later; until then this is the exit code.
    Wait { code: u8 },
    /// Send what is due.
    Send {
        slug: String,
        slot: Option<Timestamp>,
    },
}

/// The name of a note about a campaign.
pub(super) fn note(about: &str, slug: &str, slot: Option<Timestamp>) -> String {
    match slot {
        Some(slot) => format!("{about} {slug}@{slot}"),
        None => format!("{about} {slug}"),
    }
}

/// The note that a schedule was seen.
pub(super) fn seen(schedule: &str, now: Timestamp) -> String {
    format!("{now} {schedule}")
}

/// The note that something is tried again later.
pub(super) fn later(until: Timestamp, code: u8) -> String {
    format!("{until} {code}")
}

/// All that is to be done now; what is to be sent comes last, in the order of its time.
pub(super) fn plan(issues: &[Timed], known: &Known, limits: &Limits, now: Timestamp) -> Vec<Step> {
    let mut plan = Plan {
        known,
        limits,
        now,
        steps: Vec::new(),
        sends: Vec::new(),
    };
    for campaign in &known.campaigns {
        plan.go_on(campaign);
    }
    for Timed { slug, timing } in issues {
        if let Some(at) = timing.send_at {
            plan.once(slug, at, timing);
        }
        if let Some(schedule) = &timing.every {
            plan.again(slug, schedule, timing);
        }
    }
    plan.sends.sort_by_key(|(at, _)| *at);
    let sends = plan.sends.into_iter().map(|(_, step)| step);
    plan.steps.into_iter().chain(sends).collect()
}

struct Plan<'a> {
    known: &'a Known,
    limits: &'a Limits,
    now: Timestamp,
    steps: Vec<Step>,
    sends: Vec<(Timestamp, Step)>,
}

impl Plan<'_> {
    /// A campaign that an earlier run, or a person, has begun.
    fn go_on(&mut self, campaign: &Standing) {
        let Standing { slug, slot, .. } = campaign;
        let at = slot.unwrap_or(campaign.created_at);
        match &campaign.state {
            CampaignState::Paused(reason) => {
                if self.noted("paused", slug, *slot) != Some(reason) {
                    self.steps.push(Step::Paused {
                        slug: slug.clone(),
                        slot: *slot,
                        reason: reason.clone(),
                    });
                }
            }
            // Its process is at work, or was killed: then the books have to be put right.
            CampaignState::Running => self.send(at, slug, *slot),
            CampaignState::Interrupted if campaign.has_work => {
                self.send(at, slug, *slot);
            }
            CampaignState::Interrupted
            | CampaignState::Scheduled
            | CampaignState::Complete
            | CampaignState::Cancelled => {}
        }
    }

    /// An issue that goes out once.
    fn once(&mut self, slug: &str, at: Timestamp, timing: &Timing) {
        let is_begun = self
            .campaigns(slug)
            .any(|campaign| campaign.slot.is_none() && campaign.is_begun());
        if at <= self.now && !is_begun {
            self.start(slug, at, None, timing);
        }
    }

    /// An issue that recurs.
    fn again(&mut self, slug: &str, schedule: &Schedule, timing: &Timing) {
        let since = self.since(slug, schedule);
        let Some(slot) = schedule.last_at_or_before(self.now) else {
            return;
        };
        let day = schedule.day_of(slot);
        let is_over = self
            .campaigns(slug)
            .filter(|campaign| campaign.is_begun())
            .filter_map(|campaign| campaign.slot)
            .chain(self.runs(slug).map(|run| run.slot).filter(|at| *at > slot))
            .any(|at| at >= slot || schedule.day_of(at) == day);
        if is_over {
            return;
        }
        if since.duration_since(slot) <= GRACE {
            self.start(slug, slot, Some(slot), timing);
        } else if since == self.now && !self.is_late(slot, self.max_delay(timing)) {
            self.steps.push(Step::Passed {
                slug: slug.to_owned(),
                slot,
                next: schedule.next_after(self.now),
            });
        }
    }

    /// Since when a schedule has been known: since now, if it is new.
    fn since(&mut self, slug: &str, schedule: &Schedule) -> Timestamp {
        let schedule = schedule.to_string();
        let noted = self.noted("schedule", slug, None);
        let noted = noted.and_then(|noted| noted.split_once(' '));
        if let Some((since, same)) = noted
            && same == schedule
            && let Ok(since) = since.parse()
        {
            return since;
        }
        self.steps.push(Step::See {
            slug: slug.to_owned(),
            schedule,
        });
        self.now
    }

    /// A slot whose time has come and whose campaign has not begun.
    fn start(&mut self, slug: &str, at: Timestamp, slot: Option<Timestamp>, timing: &Timing) {
        let max_delay = self.max_delay(timing);
        let deliver_by = timing.deliver_by.unwrap_or(self.limits.deliver_by);
        // The books count in seconds.
        let entered = self
            .runs(slug)
            .find(|run| run.slot.as_second() == at.as_second());
        let limit = match entered.map(|run| run.state) {
            Some(RunState::Missed) => return,
            Some(RunState::Begun) => max_delay.max(deliver_by),
            None => max_delay,
        };
        if self.is_late(at, limit) {
            // What was owed for all its time has been told each time that it did not go well.
            if entered.is_none() {
                self.steps.push(Step::Miss {
                    slug: slug.to_owned(),
                    at,
                    max_delay,
                });
            }
            return;
        }
        if entered.is_none() {
            self.steps.push(Step::Owe {
                slug: slug.to_owned(),
                at,
            });
        }
        self.send(at, slug, slot);
    }

    fn send(&mut self, at: Timestamp, slug: &str, slot: Option<Timestamp>) {
        if self.limits.is_quiet {
            return;
        }
        let waits = self
            .noted("later", slug, slot)
            .and_then(|noted| noted.split_once(' '))
            .and_then(|(until, code)| Some((until.parse().ok()?, code.parse().ok()?)))
            .filter(|(until, _): &(Timestamp, u8)| {
                let left = until.duration_since(self.now);
                left > SignedDuration::ZERO && left <= LONGEST_WAIT
            });
        match waits {
            Some((_, code)) => self.steps.push(Step::Wait { code }),
            None => self.sends.push((
                at,
                Step::Send {
                    slug: slug.to_owned(),
                    slot,
                },
            )),
        }
    }

    fn max_delay(&self, timing: &Timing) -> Duration {
        timing.max_delay.unwrap_or(self.limits.max_delay)
    }

    fn is_late(&self, at: Timestamp, limit: Duration) -> bool {
        Duration::try_from(self.now.duration_since(at)).is_ok_and(|late| late > limit)
    }

    fn campaigns(&self, slug: &str) -> impl Iterator<Item = &Standing> {
        let all = self.known.campaigns.iter();
        all.filter(move |campaign| campaign.slug == slug)
    }

    fn runs(&self, slug: &str) -> impl Iterator<Item = &Run> {
        self.known.runs.get(slug).into_iter().flatten()
    }

    fn noted(&self, about: &str, slug: &str, slot: Option<Timestamp>) -> Option<&String> {
        self.known.notes.get(&note(about, slug, slot))
    }
}

#[cfg(test)]
mod tests;
