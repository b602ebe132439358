//! One worker, one connection: row after row, intent before dot, record after reply.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::time::{Instant, sleep_until};

use super::{
    End, Mails, Plan, Progress, Stop,
    feed::{Claim, Feed},
    halt::Halt,
    health::{Health, deferral},
};
use crate::{
    clock::Clock,
    delivery::{
        ledger::{Counts, Entry, Ledger, State},
        outcome::{Outcome, Trouble},
        pace::{Limiter, Permit},
        transport::{Connection as _, Exchange, Transport},
    },
    error::{Error, Kind, Result},
    mail::Mail,
};

/// A row with which so many connections ended is deferred: perhaps it is the row after all.
const STRIKES: u32 = 3;

/// What all workers of a run share.
pub(super) struct Shared<T> {
    pub(super) plan: Plan,
    pub(super) ledger: Arc<Ledger>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) halt: Halt,
    mails: Arc<dyn Mails>,
    transport: Arc<T>,
    progress: Arc<dyn Progress>,
    limiter: Limiter,
    health: Health,
    counts: Mutex<Counts>,
    tried: AtomicU64,
}

impl<T> Shared<T> {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, with all that a run needs"
    )]
    pub(super) fn new(
        plan: Plan,
        ledger: Arc<Ledger>,
        mails: Arc<dyn Mails>,
        transport: Arc<T>,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        stop: Stop,
        limiter: Limiter,
        counts: Counts,
    ) -> Self {
        Self {
            feed: Feed::new(
                ledger.clone(),
                clock.clone(),
                plan.campaign,
                plan.retry.patience,
                plan.limit,
            ),
            halt: Halt::new(stop),
            health: Health::new(plan.retry),
            counts: Mutex::new(counts),
            tried: AtomicU64::new(0),
            plan,
            ledger,
            mails,
            transport,
            clock,
            progress,
            limiter,
        }
    }

    /// How many messages were tried.
    pub(super) fn tried(&self) -> u64 {
        self.tried.load(Ordering::Relaxed)
    }

    /// Counts a change and tells of it.
    fn moved(&self, from: State, to: State) {
        let counts = {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let place = counts.at(from);
            *place = place.saturating_sub(1);
            *counts.at(to) += 1;
            *counts
        };
        if to != State::Sending {
            self.progress.settled(&counts);
        }
    }
}

/// A connection, and whether it has brought anything.
struct Line<C> {
    connection: C,
    was_of_use: bool,
}

/// Why a worker goes home.
enum Quit {
    /// The run is ending.
    Ending,
    Failed(Error),
}

impl From<Error> for Quit {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Works until nothing is due any more, or the run is ending.
pub(super) async fn work<T: Transport>(shared: Arc<Shared<T>>) -> Result<()> {
    let mut worker = Worker {
        shared: &shared,
        line: None,
    };
    let result = worker.run().await;
    if result.is_err() {
        shared.halt.halt();
    }
    if let Some(line) = worker.line.take() {
        tokio::select! {
            () = line.connection.close() => {}
            () = shared.halt.at_once() => {}
        }
    }
    result
}

struct Worker<'a, T: Transport> {
    shared: &'a Shared<T>,
    line: Option<Line<T::Connection>>,
}

impl<T: Transport> Worker<'_, T> {
    async fn run(&mut self) -> Result<()> {
        let shared = self.shared;
        loop {
            let claim = tokio::select! {
                biased;
                () = shared.halt.ending() => return Ok(()),
                claim = shared.feed.next() => claim?,
            };
            let Some(claim) = claim else { return Ok(()) };
            if shared.is_too_late() {
                shared.feed.put_back(claim).await;
                shared.halt.halt();
                return Ok(());
            }
            if self.leave_out(claim).await? {
                continue;
            }
            let ready = match shared.mails.mail(claim.seq) {
                Ok(mail) => self.get_ready().await.map(|()| mail),
                Err(error) => Err(error.into()),
            };
            match ready {
                // The wait for a permit may have been long: who was suppressed in it is not written to.
                Ok(_) if self.leave_out(claim).await? => {}
                Ok(mail) => self.send(claim, &mail).await?,
                Err(quit) => {
                    shared.feed.put_back(claim).await;
                    match quit {
                        Quit::Ending => return Ok(()),
                        Quit::Failed(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// Leaves a row out if its recipient is not to be written to any more, and says whether it did.
    async fn leave_out(&self, claim: Claim) -> Result<bool> {
        let shared = self.shared;
        let Some(reason) = shared.mails.skip(claim.seq) else {
            return Ok(false);
        };
        let now = shared.clock.now();
        shared
            .ledger
            .skip(shared.plan.campaign, claim.seq, &reason, now)
            .await?;
        shared.moved(claim.state, State::Skipped);
        shared.feed.left_out(claim).await;
        Ok(true)
    }

    /// A connection that stands and a permit that holds.
    async fn get_ready(&mut self) -> Result<(), Quit> {
        let shared = self.shared;
        loop {
            self.connect().await?;
            let permit = tokio::select! {
                biased;
                () = shared.halt.ending() => return Err(Quit::Ending),
                permit = shared.limiter.permit(shared.clock.as_ref()) => permit,
            };
            let moment = match permit {
                Permit::Granted(moment) => moment,
                Permit::Exhausted { until } => {
                    let reason = "the quota of the relay is used up".to_owned();
                    shared.halt.end_with(End::Quota {
                        until: Some(until),
                        reason,
                    });
                    return Err(Quit::Ending);
                }
            };
            // The relay may have closed the connection while we waited.
            self.connect().await?;
            if shared.limiter.holds(moment) {
                return Ok(());
            }
        }
    }

    /// Sees to it that the connection can be used.
    async fn connect(&mut self) -> Result<(), Quit> {
        let shared = self.shared;
        if let Some(line) = &mut self.line
            && line.connection.is_usable()
        {
            return Ok(());
        }
        if let Some(line) = self.line.take() {
            line.connection.close().await;
        }
        loop {
            let opening = async {
                if let Some(at) = shared.health.not_before() {
                    sleep_until(at).await;
                }
                shared.transport.connect().await
            };
            let opened = tokio::select! {
                biased;
                () = shared.halt.ending() => return Err(Quit::Ending),
                opened = opening => opened,
            };
            match opened {
                Ok(connection) => {
                    self.line = Some(Line {
                        connection,
                        was_of_use: false,
                    });
                    return Ok(());
                }
                Err(trouble) => self.suffer(trouble)?,
            }
        }
    }

    /// Takes trouble with the relay: waits for better times, or ends the run.
    fn suffer(&self, trouble: Trouble) -> Result<(), Quit> {
        let shared = self.shared;
        let end = match trouble {
            Trouble::Closed(why) | Trouble::Relay(why) | Trouble::Throttle(why) => {
                match shared.health.trouble(&why, Instant::now()) {
                    Ok(()) => {
                        shared.progress.trouble(&why);
                        return Ok(());
                    }
                    Err(error) => End::Trouble(error),
                }
            }
            Trouble::Quota(reason) => End::Quota {
                until: None,
                reason,
            },
            // The disk is not the relay: that is an error of the run.
            Trouble::Stop(error)
                if matches!(error.kind(), Kind::Io | Kind::CannotCreate | Kind::Bug) =>
            {
                return Err(Quit::Failed(error));
            }
            Trouble::Stop(error) => End::Trouble(error),
        };
        shared.halt.end_with(end);
        Err(Quit::Ending)
    }

    /// Sends a mail and books what came of it.
    async fn send(&mut self, claim: Claim, mail: &Mail) -> Result<()> {
        let shared = self.shared;
        let Some(mut line) = self.line.take() else {
            return Err(Error::bug("there is no connection to send through"));
        };
        let now = shared.clock.now();
        let plan = &shared.plan;
        let intent =
            shared
                .ledger
                .intent(plan.campaign, claim.seq, &mail.message_id, &plan.relay, now);
        shared.tried.fetch_add(1, Ordering::Relaxed);
        shared.moved(claim.state, State::Sending);
        let exchange = tokio::select! {
            exchange = line.connection.send(claim.seq, mail, intent) => Some(exchange),
            () = shared.halt.at_once() => None,
        };
        match exchange {
            Some(Exchange::Settled(outcome)) => {
                let certain = !matches!(outcome, Outcome::Unknown { .. });
                if certain {
                    line.was_of_use = true;
                    self.line = Some(line);
                }
                self.settle(claim, &outcome).await;
            }
            Some(Exchange::Trouble(trouble)) => {
                let was_of_use = line.was_of_use;
                // What is in the middle of something is not closed but dropped.
                drop(line);
                self.come_back(claim, trouble, was_of_use).await?;
            }
            Some(Exchange::Books(error)) => return Err(error),
            None if line.connection.is_in_doubt() => {
                let reason = "stopped before the relay answered".to_owned();
                self.settle(claim, &Outcome::Unknown { reason }).await;
            }
            None => self.book_pending(claim).await,
        }
        Ok(())
    }

    async fn settle(&self, claim: Claim, outcome: &Outcome) {
        let shared = self.shared;
        self.book(claim, outcome).await;
        if let Err(error) = shared.health.answered(outcome) {
            shared.halt.end_with(End::Trouble(error));
        }
    }

    async fn book(&self, claim: Claim, outcome: &Outcome) {
        let shared = self.shared;
        let now = shared.clock.now();
        let entry = |state, code, reply: &str| Entry {
            state,
            code,
            reply: reply.to_owned(),
            at: now,
            next_at: None,
        };
        let entry = match outcome {
            Outcome::Sent { code, reply } => entry(State::Sent, Some(*code), reply),
            Outcome::Failed { code, reply, .. } => entry(State::Failed, *code, reply),
            Outcome::Unknown { reason } => entry(State::Unknown, None, reason),
            Outcome::Deferred { code, reply } => {
                let wait = deferral(&shared.plan.retry, claim.seq, claim.attempts + 1);
                let next_at = now.saturating_add(wait).unwrap_or(now);
                match shared.plan.deliver_by {
                    Some(end) if next_at >= end => entry(State::Expired, *code, reply),
                    _ => Entry {
                        next_at: Some(next_at),
                        ..entry(State::Deferred, *code, reply)
                    },
                }
            }
        };
        shared.moved(State::Sending, entry.state);
        shared.ledger.record(shared.plan.campaign, claim.seq, entry);
        shared.feed.done(claim).await;
    }

    /// The row is as if it had not been tried.
    async fn book_pending(&self, claim: Claim) {
        let shared = self.shared;
        let entry = Entry {
            state: State::Pending,
            code: None,
            reply: String::new(),
            at: shared.clock.now(),
            next_at: None,
        };
        shared.ledger.record(shared.plan.campaign, claim.seq, entry);
        shared.moved(State::Sending, State::Pending);
        let claim = Claim {
            state: State::Pending,
            ..claim
        };
        shared.feed.put_back(claim).await;
    }

    /// A row comes back because of trouble that is not its own.
    async fn come_back(&self, claim: Claim, trouble: Trouble, was_of_use: bool) -> Result<()> {
        let shared = self.shared;
        // A relay that closes its connections after a few messages says nothing about the next one.
        if let Trouble::Closed(why) = &trouble
            && !was_of_use
            && shared.feed.strike(claim).await >= STRIKES
        {
            let reply = format!("{STRIKES} connections ended with this message: {why}");
            self.book(claim, &Outcome::Deferred { code: None, reply })
                .await;
        } else {
            self.book_pending(claim).await;
        }
        match trouble {
            // A relay may close a connection that has served; the next one can be opened at once.
            Trouble::Closed(_) if was_of_use => Ok(()),
            trouble => match self.suffer(trouble) {
                Ok(()) | Err(Quit::Ending) => Ok(()),
                Err(Quit::Failed(error)) => Err(error),
            },
        }
    }
}

impl<T> Shared<T> {
    fn is_too_late(&self) -> bool {
        let now = self.clock.now();
        self.plan.deliver_by.is_some_and(|end| end <= now)
    }
}
