//! The one limiter that all connections to a relay share: the pure cores on the runtime's timer.

mod crowd;
mod state;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::{Group, Groups, QuietHours, Rate, Warmup};
use crate::clock::Clock;
use state::{Held, State};

/// The longest wait within a run for anything but the pace; for a longer one the run ends. A quota
/// counted by the minute never ends one.
const PATIENCE: Duration = Duration::from_secs(90);

/// The longest that a relay is left alone before it is tried again, whatever the books say: they may
/// have been written by a clock that was wrong.
const LONGEST_CLOSURE: Duration = Duration::from_secs(4000);

/// What a relay may be given, as the settings say.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The name under which its use is counted.
    pub relay: String,
    /// How often mail may leave.
    pub rate: Rate,
    /// How much may leave over longer spans, over all campaigns.
    pub quotas: Vec<Rate>,
    /// The domains with limits of their own.
    pub groups: Arc<Groups>,
    /// How much in the first days.
    pub warmup: Option<Warmup>,
    /// When no mail leaves.
    pub quiet: Option<QuietHours>,
    /// How many connections may be open at once.
    pub connections: usize,
}

impl Limits {
    /// A rate and nothing else.
    pub fn new(relay: impl Into<String>, rate: Rate) -> Self {
        Self {
            relay: relay.into(),
            rate,
            quotas: Vec::new(),
            groups: Arc::default(),
            warmup: None,
            quiet: None,
            connections: 1,
        }
    }
}

/// What the books know of a relay. Seconds are those of the books, which never go back: see
/// [`Past::ahead`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// How many messages went out in which second, ascending.
    pub usage: Vec<(i64, u64)>,
    /// The second of the last message for each group, by its usage name.
    pub groups: BTreeMap<String, i64>,
    /// The second of the first message of all.
    pub first_use: Option<i64>,
    /// How many seconds the books are ahead of the clock, because the clock was set back.
    pub ahead: i64,
    /// Until when the relay is closed, and why.
    pub closed: Option<(Timestamp, String)>,
    /// The share of its rate that it bore.
    pub share: Option<f64>,
}

/// Under which names and in which second a message is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The relay's name.
    pub relay: Arc<str>,
    /// `relay/group`, for a group with limits of its own.
    pub group: Option<Arc<str>>,
    /// The second of the books.
    pub second: i64,
}

impl Usage {
    /// One message for a relay, by a clock that was never wrong.
    pub fn new(relay: &str, now: Timestamp) -> Self {
        Self {
            relay: relay.into(),
            group: None,
            second: now.as_second(),
        }
    }
}

/// What the limiter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Permit {
    /// One message may go at this moment, which has come: not much later, for that is when the next
    /// ones may go (see [`Limiter::holds`]).
    Granted(Instant),
    /// None may go for longer than a run should wait.
    Exhausted {
        /// When one more may go.
        until: Timestamp,
        /// Why, in words.
        reason: String,
    },
}

/// The one brake that all connections to a relay share.
#[derive(Debug)]
pub(in crate::delivery) struct Limiter {
    origin: Instant,
    relay: Arc<str>,
    // The names under which the use of groups is counted, by their index.
    names: Vec<Option<Arc<str>>>,
    state: Mutex<State>,
}

impl Limiter {
    /// A limiter for what the settings allow, given what the books say of the past.
    pub(in crate::delivery) fn new(limits: &Limits, past: &Past, now: Timestamp) -> Self {
        let name = |group| limits.groups.name(group);
        let named = limits
            .groups
            .all()
            .map(|group| name(group).map(|name| Arc::from(format!("{}/{name}", limits.relay))));
        let names: Vec<Option<Arc<str>>> = std::iter::once(None).chain(named).collect();
        Self {
            origin: Instant::now(),
            relay: limits.relay.as_str().into(),
            state: Mutex::new(State::new(limits, past, &names, now)),
            names,
        }
    }

    /// Waits for the next permit for a message to a group.
    pub(in crate::delivery) async fn permit(&self, group: Group, clock: &dyn Clock) -> Permit {
        let _line = Line::new(self, group);
        loop {
            let (now, wall) = (self.origin.elapsed(), clock.now());
            let slot = {
                let mut state = self.state();
                match state.held(group, now, wall) {
                    Some(held) => Err(held),
                    None => Ok(state.slot(group, now)),
                }
            };
            let at = match slot {
                Err(Held { wait, reason }) if wait > PATIENCE => {
                    let until = wall.saturating_add(wait).unwrap_or(Timestamp::MAX);
                    return Permit::Exhausted { until, reason };
                }
                Err(Held { wait, .. }) => {
                    sleep(wait).await;
                    continue;
                }
                // The relay could take one sooner: its slot is left to others until the group is ready.
                Ok(Err(ready)) => {
                    sleep(ready - now).await;
                    continue;
                }
                Ok(Ok(at)) => at,
            };
            if at > now {
                sleep(at - now).await;
            }
            // What has happened in the meantime counts: it is counted when it goes, not when it is asked.
            let (now, wall) = (self.origin.elapsed(), clock.now());
            let mut state = self.state();
            if state.held(group, now, wall).is_none() {
                state.count(now);
                return Permit::Granted(self.origin + at);
            }
        }
    }

    /// A permit for a message to a group, where one is to be had without any wait.
    pub(in crate::delivery) fn permit_at_once(
        &self,
        group: Group,
        clock: &dyn Clock,
    ) -> Option<Instant> {
        let (now, wall) = (self.origin.elapsed(), clock.now());
        let mut state = self.state();
        if state.held(group, now, wall).is_some() || !state.is_free(group, now) {
            return None;
        }
        let at = state.slot(group, now).ok()?;
        state.count(now);
        Some(self.origin + at)
    }

    /// Whether the pace of the relay would let a message go without any wait: worth asking before a row
    /// is looked for.
    pub(in crate::delivery) fn is_free(&self) -> bool {
        let now = self.origin.elapsed();
        self.state().is_free(Group::NONE, now)
    }

    /// A message that had a permit does not go: its place in the quotas is free again. Its moment is
    /// gone, because the relay may have seen its envelope.
    pub(in crate::delivery) fn give_back(&self, moment: Instant) {
        let moment = moment.saturating_duration_since(self.origin);
        self.state().uncount(moment);
    }

    /// When a message to a group may go next, those who wait already considered; `None` when nothing
    /// but the pace of the relay is in its way.
    pub(in crate::delivery) fn ready(&self, group: Group) -> Option<Instant> {
        let now = self.origin.elapsed();
        let ready = self.state().ready(group, now)?;
        (ready > now).then_some(self.origin + ready)
    }

    /// Whether the permit for a moment may still be used. The time counts from that moment and not
    /// from the end of the wait: when the process was stopped in between, as a closed lid or a busy
    /// host does, the permits of all connections would be used at once. Nor does it hold when the relay
    /// has asked for a pause since.
    pub(in crate::delivery) fn holds(&self, moment: Instant, group: Group) -> bool {
        let moment = moment.saturating_duration_since(self.origin);
        self.state().holds(group, moment, self.origin.elapsed())
    }

    /// The relay asked for less: of all mail, or of a group's.
    pub(in crate::delivery) fn throttled(&self, group: Option<Group>) {
        let now = self.origin.elapsed();
        self.state().throttled(group.unwrap_or(Group::NONE), now);
    }

    /// The relay has too many connections of ours.
    pub(in crate::delivery) fn crowded(&self) {
        let now = self.origin.elapsed();
        self.state().crowd.crowded(now);
    }

    /// The relay took a message for a group.
    pub(in crate::delivery) fn clean(&self, group: Group) {
        let now = self.origin.elapsed();
        self.state().clean(group, now);
    }

    /// The relay takes nothing until then; at the latest in [`LONGEST_CLOSURE`] it is tried again.
    pub(in crate::delivery) fn closed(&self, until: Timestamp, reason: &str, now: Timestamp) {
        let elapsed = self.origin.elapsed();
        self.state().close(elapsed + span(now, until), reason);
    }

    /// How many connections the relay bears at the moment.
    pub(in crate::delivery) fn connections(&self) -> usize {
        self.state().crowd.allowed()
    }

    /// The share of its rate that the relay bears at the moment: for the books.
    pub(in crate::delivery) fn share(&self) -> f64 {
        self.state().share()
    }

    /// How a message to a group that leaves now is counted in the books.
    pub(in crate::delivery) fn usage(&self, group: Group, clock: &dyn Clock) -> Usage {
        let now = self.origin.elapsed();
        Usage {
            relay: self.relay.clone(),
            group: self.names.get(group.index()).cloned().flatten(),
            second: self.state().book_second(now, clock.now()),
        }
    }

    /// When `due` more messages will be gone, at the rate that was measured where the relay has none.
    pub(in crate::delivery) fn finish(
        &self,
        due: u64,
        measured: Option<f64>,
        clock: &dyn Clock,
    ) -> Option<Timestamp> {
        let now = self.origin.elapsed();
        self.state().finish(due, measured, now, clock.now())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the books say that a relay is closed, as far as they are believed.
fn span(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now))
        .unwrap_or_default()
        .min(LONGEST_CLOSURE)
}

/// A place in the line for a group, given up when the wait ends or is broken off.
struct Line<'a>(&'a Limiter, Group);

impl<'a> Line<'a> {
    fn new(limiter: &'a Limiter, group: Group) -> Self {
        limiter.state().line(group, Step::In);
        Self(limiter, group)
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.0.state().line(self.1, Step::Out);
    }
}

#[derive(Clone, Copy)]
enum Step {
    In,
    Out,
}

#[cfg(test)]
mod tests;
