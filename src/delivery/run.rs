//! A run: workers take what is due, send it, and record what came of it, until nothing is due.
//!
//! Each worker has one connection and at most one row that is begun and not settled, so that a crash
//! leaves no more rows in doubt than there are connections. It may have the next one in hand, to say its
//! envelope together with the message before: the books know nothing of that. To resume is to run again.

mod breaker;
mod control;
mod feed;
mod halt;
mod health;
mod lanes;
mod shared;
mod shelf;
#[cfg(test)]
mod simulation;
mod worker;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{task::JoinSet, time::Instant};

pub use breaker::Thresholds;
pub use halt::Stop;

use super::{
    ledger::{CampaignState, Counts, Key, Ledger},
    pace::{Limits, Rate},
    relay::Relay,
    transport::Transport,
};
use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
    mail::Mail,
};
use shared::Shared;
use shelf::Shelf;

/// The mails of a campaign, one for each row.
pub trait Mails: Send + Sync {
    /// The mail of a row: pure, the same bytes at any time. An error stops the run, because all that
    /// can be wrong with content was to be found before.
    fn mail(&self, seq: u32) -> Result<Mail>;

    /// Whether a row is to be left out after all, and why. Asked right before each sending, for those
    /// who unsubscribed since the campaign was frozen.
    fn skip(&self, seq: u32) -> Option<String> {
        let _ = seq;
        None
    }

    /// The domain that the mail of a row goes to, where it is known; asked only when there are limits
    /// for domains.
    fn domain(&self, seq: u32) -> Option<String> {
        let _ = seq;
        None
    }
}

/// Who wants to know how far it is.
pub trait Progress: Send + Sync {
    /// A row has changed; these are the counts now.
    fn settled(&self, counts: &Counts);

    /// The relay gave trouble, in these words; it is tried again in a while.
    fn trouble(&self, why: &str) {
        let _ = why;
    }

    /// When it will be done, as far as can be foreseen; told anew every few seconds.
    fn expected(&self, finish: Option<Timestamp>) {
        let _ = finish;
    }
}

/// Nobody.
impl Progress for () {
    fn settled(&self, _: &Counts) {}
}

/// What to send.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The campaign, which stands in the ledger.
    pub campaign: Key,
    /// When to try again.
    pub retry: Retry,
    /// When news is no news any more: what is not sent by then is given up.
    pub deliver_by: Option<Timestamp>,
    /// The most messages to try in this run.
    pub limit: Option<u32>,
    /// How many go first, as a test, before the rest does.
    pub canary: Option<u32>,
    /// When a person must look.
    pub thresholds: Thresholds,
    /// Whether relays that were closed in an earlier run are left alone.
    pub closures: Closures,
}

impl Plan {
    /// All of a campaign that is due.
    #[must_use]
    pub fn new(campaign: Key) -> Self {
        Self {
            campaign,
            retry: Retry::default(),
            deliver_by: None,
            limit: None,
            canary: None,
            thresholds: Thresholds::default(),
            closures: Closures::Heeded,
        }
    }
}

/// Whether relays that were closed in an earlier run are left alone until the time that was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closures {
    /// They are: for runs that come round by themselves.
    Heeded,
    /// They are tried at once, because somebody who looks on says that it will work now.
    Forgotten,
}

/// A relay, how much it may be given, and the way to it.
#[derive(Clone, Debug)]
pub struct Lane<T> {
    /// How much it may be given.
    pub limits: Limits,
    /// How much of the mail it gets, compared to the others; 0 when it only steps in for them.
    pub weight: u32,
    /// The way to it.
    pub transport: T,
}

impl<T> Lane<T> {
    /// A relay with a rate and nothing else that holds it back.
    pub fn new(relay: &Relay, rate: Rate, transport: T) -> Self {
        Self {
            limits: Limits {
                connections: relay.connections,
                ..Limits::new(relay.name.clone(), rate)
            },
            weight: 1,
            transport,
        }
    }
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// A recipient that was deferred, for the first time; later waits double, give or take a fifth.
    pub first: Duration,
    /// The longest such wait.
    pub longest: Duration,
    /// What falls due within this time is waited for in the run.
    pub patience: Duration,
    /// A relay that is out of reach; later waits double.
    pub relay_first: Duration,
    /// The longest such wait.
    pub relay_longest: Duration,
    /// When a relay that was out of reach all the time is given up for this run.
    pub relay_patience: Duration,
    /// When a relay that was out of reach over all runs is a matter for a person.
    pub relay_limit: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5 * 60),
            longest: Duration::from_secs(4000),
            patience: Duration::from_secs(60),
            relay_first: Duration::from_secs(5),
            relay_longest: Duration::from_secs(5 * 60),
            relay_patience: Duration::from_secs(60),
            relay_limit: Duration::from_secs(15 * 60),
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The books at its end.
    pub counts: Counts,
    /// How many messages it tried.
    pub tried: u64,
    /// How long it took.
    pub took: Duration,
    /// The median time to make an intent durable.
    pub commit_time: Option<Duration>,
    /// Why it ended.
    pub end: End,
    /// What came of each relay, in the order of the lanes.
    pub lanes: Vec<LaneSummary>,
}

/// What came of a relay.
#[derive(Clone, Debug)]
pub struct LaneSummary {
    /// Its name.
    pub relay: String,
    /// How many mails it took.
    pub sent: u64,
    /// Why it was taken out of the run.
    pub out: Option<Error>,
}

/// Why a run ended.
#[derive(Clone, Debug)]
pub enum End {
    /// Every row has come to its end.
    Complete,
    /// All that was due was tried; some rows wait for another time.
    Deferred {
        /// The earliest such time.
        next: Timestamp,
    },
    /// As many messages were tried as were asked for.
    Limit,
    /// Somebody stopped it.
    Stopped,
    /// A quota is used up, or the hours are quiet.
    Quota {
        /// When more may go, where we know.
        until: Option<Timestamp>,
        /// What it was.
        reason: String,
    },
    /// Somebody paused it from elsewhere; in these words.
    Paused(String),
    /// Somebody called it off from elsewhere: what was due is skipped.
    Cancelled,
    /// It makes no sense to go on: [`Kind::TryLater`] when time may help, any other kind when a person
    /// must look.
    Trouble(Error),
}

/// Sends what is due of a campaign, by one lane or several.
///
/// Trouble with the relays and a stop are no errors: they are in [`Summary::end`], and the books are
/// right. The campaign's state is kept. Rows that an earlier process left `sending` become `unknown`
/// first, so one ledger has one run at a time.
///
/// # Errors
/// [`Kind::Io`] when the books could not be kept, [`Kind::Bug`], and what [`Mails::mail`] says.
pub async fn deliver<T: Transport>(
    plan: Plan,
    lanes: Vec<Lane<T>>,
    ledger: Arc<Ledger>,
    mails: Arc<dyn Mails>,
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<Summary> {
    let begun = Instant::now();
    let key = plan.campaign;
    let now = clock.now();
    // What an earlier process was sending when it ended: we hold the lock, so it is nobody's now.
    ledger.recover(now).await?;
    if let Some(wish) = ledger.set_out(key, now).await? {
        return Ok(Summary {
            counts: ledger.counts(key).await?,
            tried: 0,
            took: begun.elapsed(),
            commit_time: None,
            end: wish.into(),
            lanes: Vec::new(),
        });
    }
    ledger.pull_in(key, plan.retry.longest, now).await?;
    let connections: Vec<usize> = lanes.iter().map(|lane| lane.limits.connections).collect();
    let shared = Arc::new(Shared::open(plan, lanes, ledger, mails, clock, progress, stop).await?);

    let mut workers = JoinSet::new();
    for (lane, connections) in connections.into_iter().enumerate() {
        for number in 0..connections.max(1) {
            workers.spawn(worker::work(shared.clone(), lane, number));
        }
    }
    let (watched, foreseen) = (shared.clone(), shared.clone());
    // In a set, so that they end with the run even where it is broken off: they hold the ledger.
    let mut aides = JoinSet::new();
    aides.spawn(async move { control::watch(&watched.ledger, key, &watched.halt).await });
    aides.spawn(async move { foreseen.foresee().await });
    let mut failure = None;
    while let Some(ended) = workers.join_next().await {
        let ended = ended.unwrap_or_else(|cause| Err(Error::bug("a worker broke").because(&cause)));
        if let Err(error) = ended {
            shared.halt.halt();
            failure.get_or_insert(error);
        }
    }
    drop(aides);
    shared.part().await;
    close(&shared, begun, failure).await
}

/// Closes the books of a run.
async fn close<T: Transport>(
    shared: &Shared<T>,
    begun: Instant,
    failure: Option<Error>,
) -> Result<Summary> {
    let (ledger, key) = (&shared.ledger, shared.plan.campaign);
    shared.leave().await;
    let flushed = ledger.flush().await;
    if let Some(error) = failure.or(flushed.err()) {
        // Where even this fails, the state says `running`, and the next run puts it right.
        let _ = ledger
            .set_state(key, CampaignState::Interrupted, shared.clock.now())
            .await;
        return Err(error);
    }
    let now = shared.clock.now();
    if shared.plan.deliver_by.is_some_and(|end| end <= now) {
        ledger.expire(key, now).await?;
    }
    let counts = ledger.counts(key).await?;
    let next = ledger.next_deferred(key).await?;
    let end = match shared.halt.end() {
        _ if counts.settled() == counts.total() => End::Complete,
        Some(end) => end,
        None => match next {
            _ if shared.feed.look(Shelf::is_at_its_limit) => End::Limit,
            Some(next) => End::Deferred { next },
            None => return Err(Error::bug("the run ended, but there are rows that are due")),
        },
    };
    let end = control::carry_out(ledger, key, end, now).await?;
    let counts = match end {
        End::Cancelled => ledger.counts(key).await?,
        _ => counts,
    };
    let state = match &end {
        End::Complete => CampaignState::Complete,
        End::Paused(reason) => CampaignState::Paused(reason.clone()),
        End::Cancelled => CampaignState::Cancelled,
        End::Trouble(error) if error.kind() != Kind::TryLater => {
            CampaignState::Paused(error.to_string())
        }
        _ => CampaignState::Interrupted,
    };
    ledger.set_state(key, state, now).await?;
    Ok(Summary {
        counts,
        tried: shared.tried(),
        took: begun.elapsed(),
        commit_time: ledger.commit_time().await?,
        end,
        lanes: shared.lanes(),
    })
}
