//! The rows that are at hand, and which of them goes next by which lane.
//!
//! Pure, told the time; knows no books. Rows stand in lines: those whose mail is held to the same
//! limits on every lane are in one line, so that a slow group of domains holds up itself alone.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::lanes::{Lanes, Turn, earlier};
use crate::delivery::{
    ledger::{Due, State},
    pace::{Group, GroupLimit, Groups},
};

/// How many rows are looked ahead at.
pub(super) const LOOK_AHEAD: usize = 2000;

/// A row in the hands of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) seq: u32,
    /// How often it was tried before.
    pub(super) attempts: u32,
    /// Its state in the books: pending or deferred.
    pub(super) state: State,
    /// Its line.
    pub(super) line: usize,
}

/// What a worker that wants a row is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This one, in a group of the lane.
    Take(Claim, Group),
    /// Nothing that this lane can take is at hand; there may be more in the books.
    Read,
    /// Not before that moment, unless something changes.
    Wait(Option<Instant>),
    /// The canary is out and settled: see what came of it.
    Canary,
    /// Nothing more in this run.
    Done,
}

/// Rows with the same group on every lane.
#[derive(Debug)]
struct Line {
    groups: Vec<Group>,
    // With the number of their turn.
    rows: VecDeque<(i64, Claim)>,
}

/// What goes on in a group on a lane.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    in_hands: usize,
    /// One is waiting for its permit: a second would only keep another worker from other rows.
    waiting: bool,
}

/// How the run begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Bounds {
    /// The most rows to try.
    pub(super) limit: Option<u32>,
    /// How many are sent before the rest, as a test.
    pub(super) canary: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) lanes: Lanes,
    groups: Vec<Arc<Groups>>,
    lines: Vec<Line>,
    traffic: HashMap<(usize, Group), Traffic>,
    /// Deferred rows that are waited for, and how often they were tried.
    waiting: BTreeMap<(Timestamp, u32), u32>,
    /// No group has limits, on any lane.
    is_plain: bool,
    /// The rows in hands and the deferred ones at hand, lest the books offer them again.
    taken: HashSet<u32>,
    /// The rows that were settled while somebody was reading the books: what is read may be older.
    settled_meanwhile: Option<HashSet<u32>>,
    /// The last pending row that was read, and whether it was the last of all.
    after: Option<u32>,
    read_all: bool,
    at_hand: usize,
    in_hands: usize,
    bounds: Bounds,
    strikes: HashMap<u32, u32>,
    front: i64,
    back: i64,
}

impl Shelf {
    /// An empty shelf for lanes with such groups of domains.
    pub(super) fn new(lanes: Lanes, groups: Vec<Arc<Groups>>, bounds: Bounds) -> Self {
        Self {
            is_plain: groups.iter().all(|groups| groups.all().next().is_none()),
            lanes,
            groups,
            lines: Vec::new(),
            traffic: HashMap::new(),
            waiting: BTreeMap::new(),
            taken: HashSet::new(),
            after: None,
            read_all: false,
            at_hand: 0,
            in_hands: 0,
            bounds,
            settled_meanwhile: None,
            strikes: HashMap::new(),
            front: 0,
            back: 0,
        }
    }

    /// What a lane is to do next. `ready` says when a group of it may go.
    pub(super) fn next(
        &mut self,
        lane: usize,
        now: Instant,
        ready: impl Fn(Group) -> Option<Instant>,
    ) -> Next {
        let is_all_in = self.in_hands == 0;
        if self.bounds.limit == Some(0) {
            return match is_all_in {
                true => Next::Done,
                false => Next::Wait(None),
            };
        }
        if self.bounds.canary == Some(0) {
            return match is_all_in {
                true => Next::Canary,
                false => Next::Wait(None),
            };
        }
        match self.lanes.turn(lane, now) {
            Turn::Never => return Next::Done,
            // There may be nothing left to wait for.
            Turn::Later(_) if is_all_in && self.is_empty() => return Next::Done,
            Turn::Later(until) => return Next::Wait(until),
            Turn::Now => {}
        }
        let mut first: Option<(i64, usize)> = None;
        let mut soonest = None;
        for (number, line) in self.lines.iter().enumerate() {
            let Some((order, _)) = line.rows.front() else {
                continue;
            };
            if first.is_some_and(|(known, _)| known < *order) {
                continue;
            }
            let group = line.group(lane);
            if group != Group::NONE {
                let traffic = self.traffic.get(&(lane, group)).copied();
                let limit = self.limit(lane, group);
                if !traffic.unwrap_or_default().has_room(limit) {
                    continue;
                }
                if let Some(at) = ready(group)
                    && at > now
                {
                    soonest = earlier(soonest, Some(at));
                    continue;
                }
            }
            first = Some((*order, number));
        }
        let Some((_, number)) = first else {
            if self.at_hand < LOOK_AHEAD && !self.read_all {
                return Next::Read;
            }
            if is_all_in && self.is_empty() {
                return Next::Done;
            }
            self.lanes.found_nothing(lane);
            return Next::Wait(soonest);
        };
        let line = &mut self.lines[number];
        let group = line.group(lane);
        let Some((_, claim)) = line.rows.pop_front() else {
            return Next::Wait(None);
        };
        self.taken.insert(claim.seq);
        self.at_hand -= 1;
        self.in_hands += 1;
        self.lanes.took(lane, now);
        if group != Group::NONE {
            let rated = self.limit(lane, group).rate.is_some();
            let traffic = self.traffic.entry((lane, group)).or_default();
            traffic.in_hands += 1;
            traffic.waiting = rated;
        }
        self.bounds.count(-1);
        Next::Take(claim, group)
    }

    fn limit(&self, lane: usize, group: Group) -> GroupLimit {
        let groups = self.groups.get(lane);
        groups.map_or_else(GroupLimit::default, |groups| groups.limit(group))
    }

    fn is_empty(&self) -> bool {
        self.at_hand == 0 && self.waiting.is_empty() && self.read_all
    }

    /// The last pending row that was read; `None` when there is nothing more to read.
    pub(super) fn to_read(&self) -> Option<Option<u32>> {
        (!self.read_all && self.at_hand < LOOK_AHEAD).then_some(self.after)
    }

    /// Pending rows, as the books have them; none when those were all. `domain` says where a row's mail
    /// goes.
    pub(super) fn add_pending(&mut self, page: &[u32], domain: impl Fn(u32) -> Option<String>) {
        self.after = page.last().copied().or(self.after);
        self.read_all = page.is_empty();
        for seq in page {
            // A deferred row that came back from a broken exchange is pending now.
            if !self.is_stale(*seq) && !self.taken.contains(seq) {
                let line = self.line_of(|| domain(*seq));
                self.push_back(Claim {
                    seq: *seq,
                    attempts: 0,
                    state: State::Pending,
                    line,
                });
            }
        }
    }

    /// Deferred rows that fall due soon, as the books have them.
    pub(super) fn add_deferred(&mut self, rows: Vec<Due>) {
        for due in rows {
            if !self.is_stale(due.seq) && self.taken.insert(due.seq) {
                self.waiting.insert((due.at, due.seq), due.attempts);
            }
        }
    }

    /// Whether what was read of a row is older than what came of it.
    fn is_stale(&self, seq: u32) -> bool {
        let settled = self.settled_meanwhile.as_ref();
        settled.is_some_and(|settled| settled.contains(&seq))
    }

    /// Whether there is nothing more to read, to send or to wait for.
    pub(super) fn is_finished(&self) -> bool {
        self.is_empty() && self.in_hands == 0
    }

    /// Puts deferred rows that are due in line, and says when the next one is.
    pub(super) fn wake(
        &mut self,
        now: Timestamp,
        domain: impl Fn(u32) -> Option<String>,
    ) -> Option<Timestamp> {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= now
        {
            let ((_, seq), attempts) = entry.remove_entry();
            let line = self.line_of(|| domain(seq));
            self.push_back(Claim {
                seq,
                attempts,
                state: State::Deferred,
                line,
            });
        }
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    /// Whether rows are waited for that fall due.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Somebody begins to read the books: what is settled from here on is no news when it ends.
    pub(super) fn begin_reading(&mut self) {
        self.settled_meanwhile = Some(HashSet::new());
    }

    /// What was read has been added.
    pub(super) fn end_reading(&mut self) {
        self.settled_meanwhile = None;
    }

    /// The line of a domain. There are as many as there are different limits: a few.
    fn line_of(&mut self, domain: impl FnOnce() -> Option<String>) -> usize {
        let domain = if self.is_plain { None } else { domain() };
        if domain.is_none() && !self.lines.is_empty() {
            return 0;
        }
        let none = vec![Group::NONE; self.groups.len()];
        let groups: Vec<Group> = match domain {
            Some(domain) => self
                .groups
                .iter()
                .map(|groups| groups.of(&domain))
                .collect(),
            None => none.clone(),
        };
        // The first line is for those without limits.
        if self.lines.is_empty() {
            self.lines.push(Line {
                groups: none,
                rows: VecDeque::new(),
            });
        }
        let known = self.lines.iter().position(|line| line.groups == groups);
        known.unwrap_or_else(|| {
            self.lines.push(Line {
                groups,
                rows: VecDeque::new(),
            });
            self.lines.len() - 1
        })
    }

    fn push_back(&mut self, claim: Claim) {
        self.back += 1;
        self.at_hand += 1;
        if let Some(line) = self.lines.get_mut(claim.line) {
            line.rows.push_back((self.back, claim));
        }
    }

    /// A row has been settled, in the books, too.
    pub(super) fn done(&mut self, lane: usize, group: Group, claim: Claim) {
        self.settled(claim.seq);
        self.strikes.remove(&claim.seq);
        self.lanes.settled(lane);
        self.out_of_hands(lane, group);
    }

    /// The books may offer a row again, as they have it from now on.
    fn settled(&mut self, seq: u32) {
        self.taken.remove(&seq);
        if let Some(settled) = &mut self.settled_meanwhile {
            settled.insert(seq);
        }
    }

    /// A row was deferred, in the books, too; where that is soon it is waited for.
    pub(super) fn deferred(
        &mut self,
        lane: usize,
        group: Group,
        claim: Claim,
        soon: Option<Timestamp>,
    ) {
        self.done(lane, group, claim);
        if let Some(at) = soon {
            self.taken.insert(claim.seq);
            self.waiting.insert((at, claim.seq), claim.attempts + 1);
        }
    }

    /// A row was left out; it does not count as tried.
    pub(super) fn left_out(&mut self, lane: usize, group: Group, claim: Claim) {
        self.settled(claim.seq);
        self.lanes.gave_back(lane);
        self.bounds.count(1);
        self.out_of_hands(lane, group);
    }

    /// A row was not sent, and that was not its fault. It goes to the end of the line, so that one that
    /// brings trouble does not keep the others waiting.
    pub(super) fn put_back(&mut self, lane: usize, group: Group, claim: Claim) {
        self.lanes.gave_back(lane);
        self.bounds.count(1);
        self.out_of_hands(lane, group);
        self.push_back(claim);
    }

    /// A row was not even begun with: it goes where it came from.
    pub(super) fn hand_back(&mut self, lane: usize, group: Group, claim: Claim) {
        self.lanes.gave_back(lane);
        self.bounds.count(1);
        self.out_of_hands(lane, group);
        self.front -= 1;
        self.at_hand += 1;
        if let Some(line) = self.lines.get_mut(claim.line) {
            line.rows.push_front((self.front, claim));
        }
    }

    fn out_of_hands(&mut self, lane: usize, group: Group) {
        self.in_hands -= 1;
        if let Some(traffic) = self.traffic.get_mut(&(lane, group)) {
            traffic.in_hands -= 1;
            traffic.waiting = false;
        }
    }

    /// A row of a group has its permit.
    pub(super) fn permitted(&mut self, lane: usize, group: Group) {
        if let Some(traffic) = self.traffic.get_mut(&(lane, group)) {
            traffic.waiting = false;
        }
    }

    /// The canary has fared well.
    pub(super) fn release(&mut self) {
        self.bounds.canary = None;
    }

    /// Counts how often a connection ended with a row.
    pub(super) fn strike(&mut self, claim: Claim) -> u32 {
        let strikes = self.strikes.entry(claim.seq).or_default();
        *strikes += 1;
        *strikes
    }

    /// Whether as many rows were tried as were asked for.
    pub(super) fn is_at_its_limit(&self) -> bool {
        self.bounds.limit == Some(0)
    }
}

impl Line {
    fn group(&self, lane: usize) -> Group {
        self.groups.get(lane).copied().unwrap_or(Group::NONE)
    }
}

impl Traffic {
    fn has_room(self, limit: GroupLimit) -> bool {
        !self.waiting && limit.connections.is_none_or(|most| self.in_hands < most)
    }
}

impl Bounds {
    fn count(&mut self, change: i32) {
        for bound in [&mut self.limit, &mut self.canary].into_iter().flatten() {
            *bound = bound.saturating_add_signed(change);
        }
    }
}

#[cfg(test)]
mod tests;
