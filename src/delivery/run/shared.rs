//! What all workers of a run share: the lanes and how they fare, the counts, the reasons to end.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    Closures, End, Lane, LaneSummary, Mails, Plan, Progress, Stop,
    breaker::Breaker,
    feed::Feed,
    halt::Halt,
    health::Health,
    lanes::{Closing, Gate, Lanes, Why, Worth},
    shelf::{Bounds, Shelf},
};
use crate::{
    clock::Clock,
    delivery::{
        ledger::{Counts, Ledger, State},
        outcome::{Outcome, Trouble},
        pace::{Group, Groups, Limiter},
        transport::Transport,
    },
    error::{Error, Kind, Result},
};

/// How long a relay is left alone that says its quota is used up, or that does not know us while the
/// others go on: then one mail is to show whether it still does.
const CLOSED: Duration = Duration::from_secs(60 * 60);

/// How often the end is foreseen.
const FORESEEN: Duration = Duration::from_secs(5);

/// A lane at work.
pub(super) struct Way<T> {
    pub(super) name: String,
    pub(super) transport: T,
    pub(super) limiter: Limiter,
    pub(super) groups: Arc<Groups>,
    weight: u32,
    health: Mutex<Health>,
    /// Whether `health` has anything to recover from: looked at after each mail.
    troubled: AtomicBool,
    /// Connections that stand.
    pub(super) open: AtomicUsize,
    sent: AtomicU64,
}

pub(super) struct Shared<T> {
    pub(super) plan: Plan,
    pub(super) ledger: Arc<Ledger>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) halt: Halt,
    pub(super) mails: Arc<dyn Mails>,
    pub(super) ways: Vec<Way<T>>,
    progress: Arc<dyn Progress>,
    breaker: Mutex<Breaker>,
    counts: Mutex<Counts>,
    tried: AtomicU64,
    /// Connections that are being closed.
    farewells: Mutex<JoinSet<()>>,
}

/// Why a worker goes home.
pub(super) enum Quit {
    /// The run is ending.
    Ending,
    Failed(Error),
}

impl From<Error> for Quit {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl<T: Transport> Shared<T> {
    /// Everything that a run needs, with what the books know of its relays.
    pub(super) async fn open(
        plan: Plan,
        lanes: Vec<Lane<T>>,
        ledger: Arc<Ledger>,
        mails: Arc<dyn Mails>,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        stop: Stop,
    ) -> Result<Self> {
        let (now, time) = (Instant::now(), clock.now());
        let counts = ledger.counts(plan.campaign).await?;
        let weights: Vec<u32> = lanes.iter().map(|lane| lane.weight).collect();
        let mut gates = Lanes::new(&weights, now);
        let mut ways = Vec::new();
        for (number, lane) in lanes.into_iter().enumerate() {
            let limits = lane.limits;
            let mut past = ledger.past(&limits.relay, time).await?;
            let mut troubled = ledger.troubled(&limits.relay).await?;
            if plan.closures == Closures::Forgotten {
                (past.closed, troubled) = (None, None);
            }
            let silent = limits.quiet.as_ref().and_then(|quiet| quiet.end(time));
            let silent = silent.map(|until| (until, "the hours are quiet".to_owned()));
            if let Some((until, reason)) = silent.or_else(|| past.closed.take()) {
                let wait = Duration::try_from(until.duration_since(time)).unwrap_or_default();
                gates.close(
                    number,
                    Closing {
                        until: now + wait,
                        until_time: until,
                        why: match troubled {
                            Some(_) => Why::Trouble,
                            None => Why::Quota,
                        },
                        reason,
                        worth: worth(&plan, wait),
                    },
                );
            }
            ways.push(Way {
                limiter: Limiter::new(&limits, &past, time),
                groups: limits.groups.clone(),
                health: Mutex::new(Health::new(plan.retry, troubled, time)),
                troubled: AtomicBool::new(true),
                open: AtomicUsize::new(0),
                sent: AtomicU64::new(0),
                weight: lane.weight,
                name: limits.relay,
                transport: lane.transport,
            });
        }
        let groups = ways.iter().map(|way| way.groups.clone()).collect();
        let bounds = Bounds {
            limit: plan.limit,
            canary: canary(&plan, &counts),
        };
        let shared = Self {
            feed: Feed::new(
                ledger.clone(),
                clock.clone(),
                mails.clone(),
                plan.campaign,
                plan.retry.patience,
                Shelf::new(gates, groups, bounds),
            ),
            halt: Halt::new(stop),
            breaker: Mutex::new(Breaker::new(plan.thresholds)),
            counts: Mutex::new(counts),
            tried: AtomicU64::new(0),
            farewells: Mutex::default(),
            plan,
            ledger,
            clock,
            mails,
            ways,
            progress,
        };
        shared.end_if_shut();
        Ok(shared)
    }

    /// Closes a connection without waiting for it.
    pub(super) fn farewell(&self, close: impl Future<Output = ()> + Send + 'static) {
        let mut farewells = lock(&self.farewells);
        while farewells.try_join_next().is_some() {}
        farewells.spawn(close);
    }

    /// Waits until all connections are closed, or nobody wants to wait any more.
    pub(super) async fn part(&self) {
        let mut farewells = std::mem::take(&mut *lock(&self.farewells));
        tokio::select! {
            () = async { while farewells.join_next().await.is_some() {} } => {}
            () = self.halt.at_once() => {}
        }
    }

    /// How many messages were tried.
    pub(super) fn tried(&self) -> u64 {
        self.tried.load(Ordering::Relaxed)
    }

    /// A row is being sent.
    pub(super) fn sets_out(&self, from: State) {
        self.tried.fetch_add(1, Ordering::Relaxed);
        self.moved(from, State::Sending);
    }

    /// Counts a change and tells of it.
    pub(super) fn moved(&self, from: State, to: State) {
        let counts = {
            let mut counts = lock(&self.counts);
            let place = counts.at(from);
            *place = place.saturating_sub(1);
            *counts.at(to) += 1;
            *counts
        };
        if to != State::Sending {
            self.progress.settled(&counts);
        }
    }

    pub(super) fn is_too_late(&self) -> bool {
        let now = self.clock.now();
        self.plan.deliver_by.is_some_and(|end| end <= now)
    }

    /// A relay has given an answer about a mail, or left us without one.
    pub(super) async fn answered(
        &self,
        lane: usize,
        group: Group,
        outcome: &Outcome,
    ) -> Result<()> {
        let way = &self.ways[lane];
        if let Outcome::Sent { .. } = outcome {
            way.sent.fetch_add(1, Ordering::Relaxed);
            way.limiter.clean(group);
        }
        if !matches!(outcome, Outcome::Unknown { .. }) && way.troubled.swap(false, Ordering::AcqRel)
        {
            self.recovered(lane).await?;
        }
        let verdict = lock(&self.breaker).note(outcome, Instant::now());
        if let Err(error) = verdict {
            self.halt.end_with(End::Trouble(error));
        }
        Ok(())
    }

    async fn recovered(&self, lane: usize) -> Result<()> {
        let way = &self.ways[lane];
        let was_troubled = {
            let mut health = lock(&way.health);
            let troubled = health.troubled();
            health.recovered();
            troubled.is_some()
        };
        self.feed.change(|shelf| shelf.lanes.open(lane));
        if was_troubled {
            self.ledger.note_trouble(&way.name, None).await?;
            self.ledger
                .close_relay(&way.name, self.clock.now(), "")
                .await?;
        }
        Ok(())
    }

    /// The canary is out: either the rest goes, or nothing more.
    pub(super) fn judge_canary(&self) {
        let verdict = lock(&self.breaker).canary();
        match verdict {
            Ok(()) => self.feed.change(Shelf::release),
            Err(error) => self.halt.end_with(End::Trouble(error)),
        }
    }

    /// Takes trouble with a relay: leaves it alone for a while or for good, and ends the run when there
    /// is no other.
    pub(super) async fn suffer(
        &self,
        lane: usize,
        group: Group,
        trouble: Trouble,
    ) -> Result<(), Quit> {
        let way = &self.ways[lane];
        let (now, time) = (Instant::now(), self.clock.now());
        way.troubled.store(true, Ordering::Release);
        let closing = match trouble {
            Trouble::Crowd(why) if way.open.load(Ordering::Relaxed) > 0 => {
                way.limiter.crowded();
                self.tell(lane, &why);
                return Ok(());
            }
            Trouble::Closed(why) | Trouble::Relay(why) | Trouble::Crowd(why) => {
                lock(&way.health).trouble(&why, now, time)
            }
            Trouble::Throttle(why) => {
                way.limiter
                    .throttled((group != Group::NONE).then_some(group));
                self.tell(lane, &why);
                lock(&way.health).throttled(&why, now, time)
            }
            Trouble::Quota(reason) => {
                let until_time = time.saturating_add(CLOSED).unwrap_or(Timestamp::MAX);
                way.limiter.closed(until_time, &reason, time);
                Some(Closing {
                    until: now + CLOSED,
                    until_time,
                    why: Why::Quota,
                    reason,
                    worth: worth(&self.plan, CLOSED),
                })
            }
            // The disk is not the relay: that is an error of the run.
            Trouble::Stop(error)
                if matches!(error.kind(), Kind::Io | Kind::CannotCreate | Kind::Bug) =>
            {
                return Err(Quit::Failed(error));
            }
            Trouble::Stop(error) => {
                self.take_out(lane, error).await?;
                return Ok(());
            }
        };
        if let Some(closing) = closing {
            self.tell(lane, &closing.reason);
            self.close(lane, closing).await?;
        }
        Ok(())
    }

    /// Our own quota for a relay is used up, or the hours are quiet.
    pub(super) fn exhausted(&self, lane: usize, until_time: Timestamp, reason: String) {
        let now = self.clock.now();
        let wait = Duration::try_from(until_time.duration_since(now)).unwrap_or_default();
        let closing = Closing {
            until: Instant::now() + wait,
            until_time,
            why: Why::Quota,
            reason,
            worth: worth(&self.plan, wait),
        };
        self.feed.change(|shelf| shelf.lanes.close(lane, closing));
        self.ways[lane].troubled.store(true, Ordering::Release);
        self.end_if_shut();
    }

    async fn close(&self, lane: usize, closing: Closing) -> Result<()> {
        let way = &self.ways[lane];
        let (until, reason) = (closing.until_time, closing.reason.clone());
        self.feed.change(|shelf| shelf.lanes.close(lane, closing));
        self.end_if_shut();
        let troubled = lock(&way.health).troubled();
        self.ledger.close_relay(&way.name, until, &reason).await?;
        self.ledger.note_trouble(&way.name, troubled).await
    }

    /// A relay that needs a person: the others go on without it.
    async fn take_out(&self, lane: usize, error: Error) -> Result<()> {
        let way = &self.ways[lane];
        let left = self.feed.change(|shelf| {
            shelf.lanes.take_out(lane, error.clone());
            shelf.lanes.left()
        });
        self.end_if_shut();
        if left > 0 {
            self.progress.trouble(&format!(
                "the relay `{}` is out, and its mail goes by the others: {error}",
                way.name
            ));
            // Who knocks with a wrong password every minute is locked out.
            let now = self.clock.now();
            let until = now.saturating_add(CLOSED).unwrap_or(now);
            self.ledger
                .close_relay(&way.name, until, &error.to_string())
                .await?;
        }
        Ok(())
    }

    fn tell(&self, lane: usize, why: &str) {
        match self.ways.len() {
            1 => self.progress.trouble(why),
            _ => self
                .progress
                .trouble(&format!("{}: {why}", self.ways[lane].name)),
        }
    }

    /// Ends the run when no lane is left that it could wait for.
    fn end_if_shut(&self) {
        let gates: Option<Vec<Gate>> = self.feed.look(|shelf| {
            let gates = shelf.lanes.all_shut()?;
            Some(gates.into_iter().cloned().collect())
        });
        if let Some(gates) = gates {
            self.halt.end_with(self.end_of(&gates));
        }
    }

    fn end_of(&self, gates: &[Gate]) -> End {
        let closings = gates.iter().filter_map(|gate| match gate {
            Gate::Closed(closing) => Some(closing),
            _ => None,
        });
        let soonest = |why| {
            closings
                .clone()
                .filter(|closing| closing.why == why)
                .min_by_key(|closing| closing.until_time)
        };
        if let Some(closing) = soonest(Why::Quota) {
            return End::Quota {
                until: Some(closing.until_time),
                reason: closing.reason.clone(),
            };
        }
        if let Some(closing) = soonest(Why::Trouble) {
            let is_lasting = self.ways.iter().all(|way| lock(&way.health).is_lasting());
            return End::Trouble(match is_lasting {
                true => Error::new(
                    Kind::Unavailable,
                    "the relay has taken no mail for a quarter of an hour",
                )
                .because_of(&closing.reason)
                .hint("See why it is out of reach, then go on with `resume`; what is not sent yet is still pending."),
                false => Error::new(Kind::TryLater, "the relay takes no mail at the moment")
                    .because_of(&closing.reason)
                    .hint("Run the same command later; what is not sent yet is still pending."),
            });
        }
        let out = gates.iter().find_map(|gate| match gate {
            Gate::Out(error) => Some(error.clone()),
            _ => None,
        });
        End::Trouble(out.unwrap_or_else(|| Error::bug("there is no relay to send by")))
    }

    /// Looks ahead to the end, for who watches and for the books.
    pub(super) async fn foresee(&self) {
        let begun = Instant::now();
        loop {
            sleep(FORESEEN).await;
            let due = {
                let counts = lock(&self.counts);
                counts.pending + counts.deferred + counts.sending
            };
            let finish = self.finish(due, begun.elapsed());
            self.progress.expected(finish);
            if self
                .ledger
                .expect(self.plan.campaign, finish)
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// When so many more will be gone: when the last lane is done with its share.
    fn finish(&self, due: u64, elapsed: Duration) -> Option<Timestamp> {
        let open: Vec<bool> = self.feed.look(|shelf| shelf.lanes.at_work());
        let at_work = || self.ways.iter().zip(&open).filter(|(_, open)| **open);
        let weights: u64 = at_work().map(|(way, _)| u64::from(way.weight)).sum();
        let lanes = u64::try_from(at_work().count()).unwrap_or(1);
        let finishes = at_work().map(|(way, _)| {
            let share = match weights {
                0 => due / lanes.max(1),
                _ => due * u64::from(way.weight) / weights,
            };
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let measured = way.sent.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64();
            let measured = (measured > 0.0).then_some(measured);
            way.limiter.finish(share, measured, self.clock.as_ref())
        });
        finishes.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// What the run leaves behind for the next one. What fails here fails again where it counts.
    pub(super) async fn leave(&self) {
        let _ = self.ledger.expect(self.plan.campaign, None).await;
        for way in &self.ways {
            if way.sent.load(Ordering::Relaxed) > 0 {
                let _ = self.ledger.save_share(&way.name, way.limiter.share()).await;
            }
        }
    }

    pub(super) fn lanes(&self) -> Vec<LaneSummary> {
        let gates = self.feed.look(|shelf| shelf.lanes.gates());
        let ways = self.ways.iter().zip(gates);
        ways.map(|(way, gate)| LaneSummary {
            relay: way.name.clone(),
            sent: way.sent.load(Ordering::Relaxed),
            out: match gate {
                Gate::Out(error) => Some(error),
                _ => None,
            },
        })
        .collect()
    }
}

/// Whether a run that has nothing else to do waits for so long.
fn worth(plan: &Plan, wait: Duration) -> Worth {
    match wait <= plan.retry.patience.max(plan.retry.relay_patience) {
        true => Worth::Waiting,
        false => Worth::AnotherRun,
    }
}

/// How many mails are still to go as a test. Those of earlier runs count, whatever came of them.
fn canary(plan: &Plan, counts: &Counts) -> Option<u32> {
    let tried = counts.sent + counts.failed + counts.unknown + counts.deferred + counts.expired;
    let tried = u32::try_from(tried).unwrap_or(u32::MAX);
    plan.canary
        .map(|canary| canary.saturating_sub(tried))
        .filter(|left| *left > 0)
}

pub(super) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
