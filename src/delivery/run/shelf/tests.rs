use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::delivery::pace::Presets;

const LANES: usize = 2;
const PAGE: usize = 3;

/// A deferred row that is due within so many seconds is waited for.
const PATIENCE: i64 = 10;

/// A row as the books have it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Row {
    Pending,
    Deferred(i64),
    Settled,
}

/// What a worker does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    Done(usize),
    DeferredSoon(usize),
    DeferredLate(usize),
    PutBack(usize),
    HandBack(usize),
    LeftOut(usize),
    /// One step further with reading: begin, see the deferred rows, see the pending ones, put on the
    /// shelf what was seen, however old it is by now.
    Read,
    Time,
}

fn step() -> impl Strategy<Value = Step> {
    let any = || 0..8_usize;
    prop_oneof![
        6 => (0..LANES).prop_map(Step::Take),
        2 => any().prop_map(Step::Done),
        2 => any().prop_map(Step::DeferredSoon),
        1 => any().prop_map(Step::DeferredLate),
        2 => any().prop_map(Step::PutBack),
        1 => any().prop_map(Step::HandBack),
        1 => any().prop_map(Step::LeftOut),
        5 => Just(Step::Read),
        1 => Just(Step::Time),
    ]
}

/// What a reader has seen of the books so far.
#[derive(Debug)]
enum Reading {
    Begun,
    Deferred(Vec<Due>),
    Both(Vec<Due>, Vec<u32>),
}

struct World {
    shelf: Shelf,
    books: Vec<Row>,
    hands: Vec<(usize, Group, Claim)>,
    reading: Option<Reading>,
    second: i64,
    begun: Instant,
}

/// Every third row is of a group that may have one connection on the first lane and two on the second.
fn domain(seq: u32) -> Option<String> {
    seq.is_multiple_of(3).then(|| "slow.example".to_owned())
}

fn most(lane: usize) -> usize {
    lane + 1
}

impl World {
    fn new(books: Vec<Row>) -> Self {
        let begun = Instant::now();
        let groups = (0..LANES).map(|lane| {
            let limit = GroupLimit {
                connections: Some(most(lane)),
                ..GroupLimit::default()
            };
            let limits = BTreeMap::from([("slow.example".to_owned(), limit)]);
            Arc::new(Groups::new(limits, Presets::Off).unwrap())
        });
        Self {
            shelf: Shelf::new(
                Lanes::new(&[1; LANES], begun),
                groups.collect(),
                Bounds::default(),
            ),
            books,
            hands: Vec::new(),
            reading: None,
            second: 0,
            begun,
        }
    }

    fn time(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn now(&self) -> Instant {
        self.begun + Duration::from_secs(self.second.unsigned_abs())
    }

    fn deferred(&self) -> Vec<Due> {
        let rows = (0..).zip(&self.books).filter_map(|(seq, row)| match row {
            Row::Deferred(at) if *at <= self.second + PATIENCE => Some(Due {
                seq,
                at: Self::time(*at),
                attempts: 1,
            }),
            _ => None,
        });
        rows.collect()
    }

    fn pending(&self, after: Option<u32>) -> Vec<u32> {
        let rows = (0..).zip(&self.books);
        rows.filter(|(seq, row)| **row == Row::Pending && after.is_none_or(|after| *seq > after))
            .map(|(seq, _)| seq)
            .take(PAGE)
            .collect()
    }

    fn read(&mut self) {
        self.reading = match self.reading.take() {
            None if self.shelf.to_read().is_none() => None,
            None => {
                self.shelf.begin_reading();
                Some(Reading::Begun)
            }
            Some(Reading::Begun) => Some(Reading::Deferred(self.deferred())),
            Some(Reading::Deferred(deferred)) => {
                let after = self.shelf.to_read();
                let page = after.map(|after| self.pending(after));
                Some(Reading::Both(deferred, page.unwrap_or_default()))
            }
            Some(Reading::Both(deferred, page)) => {
                self.shelf.add_deferred(deferred);
                self.shelf.wake(Self::time(self.second), domain);
                self.shelf.add_pending(&page, domain);
                self.shelf.end_reading();
                None
            }
        };
    }

    fn take(&mut self, lane: usize) -> Next {
        self.shelf.wake(Self::time(self.second), domain);
        let now = self.now();
        let next = self.shelf.next(lane, now, |_| None);
        if let Next::Take(claim, group) = next {
            let is_held = |(_, _, held): &(usize, Group, Claim)| held.seq == claim.seq;
            assert!(!self.hands.iter().any(is_held), "{claim:?} twice at once");
            match self.books[claim.seq as usize] {
                Row::Pending => assert_eq!(claim.state, State::Pending),
                Row::Deferred(at) => {
                    assert_eq!(claim.state, State::Deferred);
                    assert!(at <= self.second, "{claim:?} before its time");
                }
                Row::Settled => panic!("{claim:?} was settled"),
            }
            self.hands.push((lane, group, claim));
            let in_group = self
                .hands
                .iter()
                .filter(|(other, group, _)| *other == lane && *group != Group::NONE);
            assert!(in_group.count() <= most(lane), "too many of a group");
            assert_eq!(group != Group::NONE, domain(claim.seq).is_some());
        }
        next
    }

    fn step(&mut self, step: Step) {
        let number = match step {
            Step::Take(lane) => {
                self.take(lane);
                return;
            }
            Step::Read => return self.read(),
            Step::Time => {
                self.second += 4;
                return;
            }
            Step::Done(number)
            | Step::DeferredSoon(number)
            | Step::DeferredLate(number)
            | Step::PutBack(number)
            | Step::HandBack(number)
            | Step::LeftOut(number) => number,
        };
        if self.hands.is_empty() {
            return;
        }
        let (lane, group, claim) = self.hands.swap_remove(number % self.hands.len());
        let row = &mut self.books[claim.seq as usize];
        match step {
            Step::DeferredSoon(_) => {
                let at = self.second + 5;
                *row = Row::Deferred(at);
                self.shelf
                    .deferred(lane, group, claim, Some(Self::time(at)));
            }
            Step::DeferredLate(_) => {
                *row = Row::Deferred(self.second + 100);
                self.shelf.deferred(lane, group, claim, None);
            }
            Step::PutBack(_) => {
                *row = Row::Pending;
                let claim = Claim {
                    state: State::Pending,
                    ..claim
                };
                self.shelf.put_back(lane, group, claim);
            }
            Step::HandBack(_) => self.shelf.hand_back(lane, group, claim),
            Step::LeftOut(_) => {
                *row = Row::Settled;
                self.shelf.left_out(lane, group, claim);
            }
            _ => {
                *row = Row::Settled;
                self.shelf.done(lane, group, claim);
            }
        }
    }

    /// Sends all that is left, as a run does that nothing happens to.
    fn finish(&mut self) {
        while self.reading.is_some() {
            self.read();
        }
        for _ in 0..10_000 {
            match self.take(0) {
                Next::Done => {
                    self.shelf.begin_reading();
                    let deferred = self.deferred();
                    self.shelf.add_deferred(deferred);
                    self.shelf.end_reading();
                    if !self.shelf.has_waiting() {
                        return;
                    }
                }
                Next::Read => {
                    for _ in 0..4 {
                        self.read();
                    }
                }
                Next::Wait(_) if self.hands.is_empty() => self.second += 1,
                _ => self.step(Step::Done(0)),
            }
        }
        panic!("it does not come to an end");
    }
}

fn row() -> impl Strategy<Value = Row> {
    prop_oneof![
        4 => Just(Row::Pending),
        2 => (0..20_i64).prop_map(Row::Deferred),
        1 => Just(Row::Settled),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens in whatever order, and however old it is what is read: see [`World::take`], and
    /// in the end nothing is left but what falls due another time.
    #[test]
    fn no_row_is_lost_or_handed_out_twice(
        books in proptest::collection::vec(row(), 0..30),
        steps in proptest::collection::vec(step(), 0..400),
    ) {
        let mut world = World::new(books);
        for step in steps {
            world.step(step);
        }
        world.finish();
        for row in &world.books {
            let is_left = match row {
                Row::Pending => true,
                Row::Deferred(at) => *at <= world.second + PATIENCE,
                Row::Settled => false,
            };
            prop_assert!(!is_left, "{row:?} at {}", world.second);
        }
        prop_assert!(world.shelf.taken.is_empty());
        prop_assert!(world.shelf.is_finished());
    }
}

/// A world with the last of five rows in hands, and more to read than a page.
fn with_the_last_in_hands() -> World {
    let mut books = vec![Row::Pending; 4];
    books.push(Row::Deferred(0));
    let mut world = World::new(books);
    // So that the other lane, which takes nothing, is not waited for.
    world.second = 60;
    for _ in 0..4 {
        world.step(Step::Read);
    }
    assert!(matches!(world.take(0), Next::Take(Claim { seq: 4, .. }, _)));
    world
}

#[test]
fn a_row_that_is_deferred_while_the_books_are_read_is_waited_for_once() {
    for before in 0..4 {
        let mut world = with_the_last_in_hands();
        (0..before).for_each(|_| world.step(Step::Read));
        world.step(Step::DeferredSoon(0));
        (before..4).for_each(|_| world.step(Step::Read));
        let waiting: Vec<u32> = world.shelf.waiting.keys().map(|(_, seq)| *seq).collect();
        assert_eq!(waiting, [4], "after {before} steps");
        world.finish();
        assert_eq!(world.books, [Row::Settled; 5]);
    }
}

/// A deferred row whose exchange broke is pending: both ways of reading the books may find it.
#[test]
fn a_row_that_is_settled_while_the_books_are_read_is_not_sent_again() {
    for (before, breaks) in (0..4).flat_map(|before| [(before, false), (before, true)]) {
        let mut world = with_the_last_in_hands();
        if breaks {
            world.step(Step::PutBack(0));
            // Those before it leave, and it is taken once more.
            while world.hands.last().is_none_or(|(.., claim)| claim.seq != 4) {
                assert!(matches!(world.take(0), Next::Take(..)));
                if world.hands.len() > 1 || world.hands[0].2.seq != 4 {
                    world.step(Step::Done(0));
                }
            }
        }
        (0..before).for_each(|_| world.step(Step::Read));
        world.step(Step::Done(0));
        assert_eq!(world.books[4], Row::Settled);
        (before..4).for_each(|_| world.step(Step::Read));
        world.finish();
        assert_eq!(world.books, [Row::Settled; 5]);
    }
}
