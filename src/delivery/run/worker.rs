//! One worker, one connection: row after row, intent before dot, record after reply.

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
use crate::{
    delivery::{
        ledger::{Attempt, Entry, State},
        outcome::{Outcome, Trouble},
        pace::{Group, Permit},
        transport::{Connection as _, Exchange, Transport},
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
    worker.hang_up().await;
    result
}

struct Worker<'a, T: Transport> {
    shared: &'a Shared<T>,
    way: &'a Way<T>,
    lane: usize,
    number: usize,
    line: Option<Line<T::Connection>>,
}

impl<T: Transport> Worker<'_, T> {
    async fn run(&mut self) -> Result<()> {
        let shared = self.shared;
        loop {
            let is_wanted = self.number < self.way.limiter.connections();
            if !is_wanted {
                self.hang_up().await;
            }
            let fed = tokio::select! {
                biased;
                () = shared.halt.ending() => return Ok(()),
                fed = shared.feed.next(self.lane, is_wanted, |group| self.way.limiter.ready(group)) => fed?,
            };
            let task = match fed {
                Fed::Task(task) => task,
                Fed::Canary => {
                    shared.judge_canary();
                    continue;
                }
                Fed::Again => continue,
                Fed::Done => return Ok(()),
            };
            if shared.is_too_late() {
                shared.feed.hand_back(task);
                shared.halt.halt();
                return Ok(());
            }
            if self.leave_out(task).await? {
                continue;
            }
            let ready = match shared.mails.mail(task.claim.seq) {
                Ok(mail) => self.get_ready(task).await.map(|()| mail),
                Err(error) => Err(error.into()),
            };
            match ready {
                // The wait for a permit may have been long: who was suppressed in it is not written to.
                Ok(_) if self.leave_out(task).await? => {}
                Ok(mail) => self.send(task, &mail).await?,
                Err(unready) => {
                    shared.feed.hand_back(task);
                    match unready {
                        Unready::Closed => {}
                        Unready::Quit(Quit::Ending) => return Ok(()),
                        Unready::Quit(Quit::Failed(error)) => return Err(error),
                    }
                }
            }
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

    /// A connection that stands and a permit that holds.
    async fn get_ready(&mut self, task: Task) -> Result<(), Unready> {
        let shared = self.shared;
        loop {
            self.connect(task).await?;
            let permit = tokio::select! {
                biased;
                () = shared.halt.ending() => return Err(Unready::Quit(Quit::Ending)),
                permit = self.way.limiter.permit(task.group, shared.clock.as_ref()) => permit,
            };
            let moment = match permit {
                Permit::Granted(moment) => moment,
                Permit::Exhausted { until, reason } => {
                    shared.exhausted(self.lane, until, reason);
                    return Err(Unready::Closed);
                }
            };
            // The relay may have closed the connection while we waited.
            self.connect(task).await?;
            if self.way.limiter.holds(moment, task.group) {
                shared.feed.permitted(task);
                return Ok(());
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
        self.hang_up().await;
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

    /// Says goodbye, where there is anybody to say it to.
    async fn hang_up(&mut self) {
        if let Some(line) = self.line.take() {
            self.way.open.fetch_sub(1, Ordering::Relaxed);
            tokio::select! {
                () = line.connection.close() => {}
                () = self.shared.halt.at_once() => {}
            }
        }
    }

    /// Sends a mail and books what came of it.
    async fn send(&mut self, task: Task, mail: &Mail) -> Result<()> {
        let shared = self.shared;
        let Some(mut line) = self.line.take() else {
            return Err(Error::bug("there is no connection to send through"));
        };
        self.way.open.fetch_sub(1, Ordering::Relaxed);
        let attempt = Attempt {
            seq: task.claim.seq,
            message_id: mail.message_id.clone(),
            usage: self.way.limiter.usage(task.group, shared.clock.as_ref()),
            now: shared.clock.now(),
        };
        let intent = shared.ledger.intent(shared.plan.campaign, attempt);
        shared.sets_out(task.claim.state);
        let exchange = tokio::select! {
            exchange = line.connection.send(task.claim.seq, mail, intent) => Some(exchange),
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
