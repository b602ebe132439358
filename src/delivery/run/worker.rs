//! One worker, one connection: row after row, intent before dot, record after reply.
//!
//! While one mail is sent the next one may be in hand already, so that its envelope rides along; in the
//! books it is begun only after the other is settled.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use super::{
    feed::{Fed, Task},
    health::deferral,
    shared::{Quit, Shared, Way},
    shelf::Claim,
};
use tokio::time::Instant;

use crate::{
    delivery::{
        ledger::{Attempt, Entry, Intent, State},
        outcome::{Outcome, Trouble},
        pace::{Group, Permit},
        transport::{Connection as _, Exchange, Next, Transport},
    },
    error::{Error, Result},
    mail::Mail,
};

/// A row with which so many connections ended is deferred: perhaps it is the row after all.
const STRIKES: u32 = 3;

/// A connection, what it has brought, and how much of it to which group.
struct Line<C> {
    connection: C,
    was_of_use: bool,
    carried: HashMap<Group, usize>,
}

/// Why a row could not be sent just now.
enum Unready {
    Quit(Quit),
    /// The lane is closed; the row goes another way or another time.
    Closed,
}

impl From<Error> for Unready {
    fn from(error: Error) -> Self {
        Self::Quit(error.into())
    }
}

/// Works for a lane until nothing is due any more, or the run is ending. The number is that of the
/// worker in its lane.
pub(super) async fn work<T: Transport>(
    shared: Arc<Shared<T>>,
    lane: usize,
    number: usize,
) -> Result<()> {
    let Some(way) = shared.ways.get(lane) else {
        return Err(Error::bug("there is no such lane"));
    };
    let mut worker = Worker {
        shared: &shared,
        way,
        lane,
        number,
        line: None,
    };
    let result = worker.run().await;
    if result.is_err() {
        shared.halt.halt();
    }
    worker.hang_up();
    result
}

struct Worker<'a, T: Transport> {
    shared: &'a Shared<T>,
    way: &'a Way<T>,
    lane: usize,
    number: usize,
    line: Option<Line<T::Connection>>,
}

/// A row that can go: its mail, and the moment that it has a permit for.
struct Ready {
    task: Task,
    mail: Mail,
    permit: Instant,
}

/// What to send next.
enum Found {
    Ready(Ready),
    /// Nothing yet; look again.
    Nothing,
    /// Nothing more in this run.
    Done,
}

impl<T: Transport> Worker<'_, T> {
    async fn run(&mut self) -> Result<()> {
        let mut next = None;
        loop {
            let found = match next.take() {
                Some(ready) => self.still_ready(ready).await?,
                None => self.find().await?,
            };
            match found {
                Found::Ready(ready) => {
                    // While the books take it in, the mail after it is made.
                    let intent = self.intend(&ready);
                    next = self.look_ahead(&ready);
                    self.send(&ready, intent, next.as_ref()).await?;
                }
                Found::Nothing => {}
                Found::Done => return Ok(()),
            }
            // Without a connection it is no matter of course that this lane goes on.
            if self.line.is_none()
                && let Some(ready) = next.take()
            {
                self.give_up(&ready);
            }
        }
    }

    /// Takes a row, makes its mail and waits until it can go.
    async fn find(&mut self) -> Result<Found> {
        let shared = self.shared;
        let is_wanted = self.number < self.way.limiter.connections();
        if !is_wanted {
            self.hang_up();
        }
        let fed = tokio::select! {
            biased;
            () = shared.halt.ending() => return Ok(Found::Done),
            fed = shared.feed.next(self.lane, is_wanted, |group| self.way.limiter.ready(group)) => fed?,
        };
        let task = match fed {
            Fed::Task(task) => task,
            Fed::Canary => {
                shared.judge_canary();
                return Ok(Found::Nothing);
            }
            Fed::Again => return Ok(Found::Nothing),
            Fed::Done => return Ok(Found::Done),
        };
        if shared.is_too_late() {
            shared.feed.hand_back(task);
            shared.halt.halt();
            return Ok(Found::Done);
        }
        if self.leave_out(task).await? {
            return Ok(Found::Nothing);
        }
        let mail = match shared.mails.mail(task.claim.seq) {
            Ok(mail) => mail,
            Err(error) => {
                shared.feed.hand_back(task);
                return Err(error);
            }
        };
        match self.get_ready(task, None).await {
            Ok(permit) => self.leave_out_late(Ready { task, mail, permit }).await,
            Err(unready) => self.unready(task, unready),
        }
    }

    /// A row that was looked ahead at: whether it can still go.
    async fn still_ready(&mut self, ready: Ready) -> Result<Found> {
        let shared = self.shared;
        let too_late = shared.is_too_late();
        if too_late {
            shared.halt.halt();
        }
        if too_late || shared.halt.is_ending() {
            self.give_up(&ready);
            return Ok(Found::Done);
        }
        let Ready { task, mail, permit } = ready;
        match self.get_ready(task, Some(permit)).await {
            Ok(permit) => self.leave_out_late(Ready { task, mail, permit }).await,
            Err(unready) => self.unready(task, unready),
        }
    }

    /// The wait for a permit may have been long: who was suppressed in it is not written to.
    async fn leave_out_late(&mut self, ready: Ready) -> Result<Found> {
        if !self.leave_out(ready.task).await? {
            return Ok(Found::Ready(ready));
        }
        self.way.limiter.give_back(ready.permit);
        self.break_promise();
        Ok(Found::Nothing)
    }

    fn unready(&mut self, task: Task, unready: Unready) -> Result<Found> {
        self.break_promise();
        self.shared.feed.hand_back(task);
        match unready {
            Unready::Closed => Ok(Found::Nothing),
            Unready::Quit(Quit::Ending) => Ok(Found::Done),
            Unready::Quit(Quit::Failed(error)) => Err(error),
        }
    }

    /// The row after the one that goes now, if it can go at once: its envelope rides with this message.
    ///
    /// Who was suppressed is asked here and once more before the message itself goes. What cannot go as
    /// a matter of course is handed back, and gets its turn as any other.
    fn look_ahead(&mut self, ready: &Ready) -> Option<Ready> {
        let (shared, way) = (self.shared, self.way);
        let line = self.line.as_ref()?;
        let may_go = line.connection.looks_ahead()
            && self.number < way.limiter.connections()
            && way.limiter.is_free()
            && !shared.halt.is_ending()
            && !shared.is_too_late();
        if !may_go {
            return None;
        }
        let task = shared
            .feed
            .at_once(self.lane, |group| way.limiter.ready(group))?;
        let carried = line.carried(task.group) + usize::from(task.group == ready.task.group);
        let most = way.groups.limit(task.group).messages_per_connection;
        let seq = task.claim.seq;
        if most.is_none_or(|most| carried < most)
            && shared.mails.skip(seq).is_none()
            && let Ok(mail) = shared.mails.mail(seq)
            && let Some(permit) = way
                .limiter
                .permit_at_once(task.group, shared.clock.as_ref())
        {
            shared.feed.permitted(task);
            return Some(Ready { task, mail, permit });
        }
        shared.feed.hand_back(task);
        None
    }

    /// A row that was looked ahead at does not go by this connection after all.
    fn give_up(&mut self, ready: &Ready) {
        self.break_promise();
        self.way.limiter.give_back(ready.permit);
        self.shared.feed.hand_back(ready.task);
    }

    /// Ends a connection that waits for a mail which does not come: there is no other way to take back
    /// what was said.
    fn break_promise(&mut self) {
        if let Some(line) = &self.line
            && line.connection.promised().is_some()
        {
            self.hang_up();
        }
    }

    /// Leaves a row out if its recipient is not to be written to any more, and says whether it did.
    async fn leave_out(&self, task: Task) -> Result<bool> {
        let shared = self.shared;
        let Some(reason) = shared.mails.skip(task.claim.seq) else {
            return Ok(false);
        };
        let now = shared.clock.now();
        shared
            .ledger
            .skip(shared.plan.campaign, task.claim.seq, &reason, now)
            .await?;
        shared.moved(task.claim.state, State::Skipped);
        shared.feed.left_out(task);
        Ok(true)
    }

    /// A connection that stands and a permit that holds, which is the given one where it still does. A
    /// permit that is not used is given back.
    async fn get_ready(&mut self, task: Task, given: Option<Instant>) -> Result<Instant, Unready> {
        let shared = self.shared;
        let mut permit = given;
        loop {
            // The relay may have closed the connection while we waited.
            let connected = self.connect(task).await;
            if let Some(moment) = permit.take() {
                if connected.is_ok() && self.way.limiter.holds(moment, task.group) {
                    shared.feed.permitted(task);
                    return Ok(moment);
                }
                self.way.limiter.give_back(moment);
            }
            connected?;
            let granted = tokio::select! {
                biased;
                () = shared.halt.ending() => return Err(Unready::Quit(Quit::Ending)),
                granted = self.way.limiter.permit(task.group, shared.clock.as_ref()) => granted,
            };
            match granted {
                Permit::Granted(moment) => permit = Some(moment),
                Permit::Exhausted { until, reason } => {
                    shared.exhausted(self.lane, until, reason);
                    return Err(Unready::Closed);
                }
            }
        }
    }

    /// Sees to it that the connection can be used.
    async fn connect(&mut self, task: Task) -> Result<(), Unready> {
        let shared = self.shared;
        let most = self.way.groups.limit(task.group).messages_per_connection;
        if let Some(line) = &mut self.line
            && line.connection.is_usable()
            && most.is_none_or(|most| line.carried(task.group) < most)
        {
            return Ok(());
        }
        self.hang_up();
        let opened = tokio::select! {
            biased;
            () = shared.halt.ending() => return Err(Unready::Quit(Quit::Ending)),
            opened = self.way.transport.connect() => opened,
        };
        match opened {
            Ok(connection) => {
                self.way.open.fetch_add(1, Ordering::Relaxed);
                self.line = Some(Line {
                    connection,
                    was_of_use: false,
                    carried: HashMap::new(),
                });
                Ok(())
            }
            Err(trouble) => {
                let suffered = shared.suffer(self.lane, task.group, trouble).await;
                suffered.map_err(Unready::Quit)?;
                Err(Unready::Closed)
            }
        }
    }

    /// Says goodbye, where there is anybody to say it to. Nobody waits for the answer.
    fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            self.way.open.fetch_sub(1, Ordering::Relaxed);
            self.shared.farewell(line.connection.close());
        }
    }

    /// Tells the books that a mail is about to be sent.
    fn intend(&self, ready: &Ready) -> Intent {
        let (shared, task) = (self.shared, ready.task);
        shared.sets_out(task.claim.state);
        let attempt = Attempt {
            seq: task.claim.seq,
            message_id: ready.mail.message_id.clone(),
            usage: self.way.limiter.usage(task.group, shared.clock.as_ref()),
            now: shared.clock.now(),
        };
        shared.ledger.intent(shared.plan.campaign, attempt)
    }

    /// Sends a mail and books what came of it.
    async fn send(&mut self, ready: &Ready, intent: Intent, next: Option<&Ready>) -> Result<()> {
        let shared = self.shared;
        let Ready { task, mail, .. } = ready;
        let task = *task;
        let Some(mut line) = self.line.take() else {
            return Err(Error::bug("there is no connection to send through"));
        };
        self.way.open.fetch_sub(1, Ordering::Relaxed);
        let next = next.map(|next| Next {
            seq: next.task.claim.seq,
            mail: &next.mail,
        });
        let exchange = tokio::select! {
            exchange = line.connection.send(task.claim.seq, mail, intent, next) => Some(exchange),
            () = shared.halt.at_once() => None,
        };
        match exchange {
            Some(Exchange::Settled(outcome)) => {
                if !matches!(outcome, Outcome::Unknown { .. }) {
                    line.was_of_use = true;
                    line.carry(task.group);
                    self.way.open.fetch_add(1, Ordering::Relaxed);
                    self.line = Some(line);
                }
                self.book(task, &outcome);
                shared.answered(self.lane, task.group, &outcome).await?;
            }
            Some(Exchange::Trouble(trouble)) => {
                let was_of_use = line.was_of_use;
                // What is in the middle of something is not closed but dropped.
                drop(line);
                self.come_back(task, trouble, was_of_use).await?;
            }
            Some(Exchange::Again) => self.book_pending(task),
            Some(Exchange::Books(error)) => return Err(error),
            None if line.connection.is_in_doubt() => {
                let reason = "stopped before the relay answered".to_owned();
                self.book(task, &Outcome::Unknown { reason });
            }
            None => self.book_pending(task),
        }
        Ok(())
    }

    fn book(&self, task: Task, outcome: &Outcome) {
        let shared = self.shared;
        let claim = task.claim;
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
        let next_at = entry.next_at;
        shared.moved(State::Sending, entry.state);
        shared.ledger.record(shared.plan.campaign, claim.seq, entry);
        match next_at {
            Some(at) => shared.feed.deferred(task, at),
            None => shared.feed.done(task),
        }
    }

    /// The row is as if it had not been tried.
    fn book_pending(&self, task: Task) {
        let shared = self.shared;
        let entry = Entry {
            state: State::Pending,
            code: None,
            reply: String::new(),
            at: shared.clock.now(),
            next_at: None,
        };
        shared
            .ledger
            .record(shared.plan.campaign, task.claim.seq, entry);
        shared.moved(State::Sending, State::Pending);
        let claim = Claim {
            state: State::Pending,
            ..task.claim
        };
        shared.feed.put_back(Task { claim, ..task });
    }

    /// A row comes back because of trouble that is not its own.
    async fn come_back(&self, task: Task, trouble: Trouble, was_of_use: bool) -> Result<()> {
        let shared = self.shared;
        let closed = match &trouble {
            Trouble::Closed(why) => Some(why.clone()),
            _ => None,
        };
        // A relay may close a connection that has served; the next one can be opened at once. Any
        // other trouble is told before the row comes back, or another worker would meet it again.
        let suffered = match closed.is_some() && was_of_use {
            true => Ok(()),
            false => shared.suffer(self.lane, task.group, trouble).await,
        };
        // A relay that closes its connections after a few messages says nothing about the next one.
        match closed {
            Some(why)
                if !was_of_use
                    && shared.feed.change(|shelf| shelf.strike(task.claim)) >= STRIKES =>
            {
                let reply = format!("{STRIKES} connections ended with this message: {why}");
                self.book(task, &Outcome::Deferred { code: None, reply });
            }
            _ => self.book_pending(task),
        }
        match suffered {
            Ok(()) | Err(Quit::Ending) => Ok(()),
            Err(Quit::Failed(error)) => Err(error),
        }
    }
}

impl<C> Line<C> {
    fn carried(&self, group: Group) -> usize {
        self.carried.get(&group).copied().unwrap_or_default()
    }

    fn carry(&mut self, group: Group) {
        if group != Group::NONE {
            *self.carried.entry(group).or_default() += 1;
        }
    }
}
