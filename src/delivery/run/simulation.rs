//! Every order of events, and a crash after each of them.
//!
//! The run, its workers and the ledger's statements are the real ones. What the world does is chosen
//! here, step by step: which commit happens when and how much of the queue it takes, what the relay
//! answers and when, which connection breaks at which moment. All histories are gone through that
//! leave the ordinary course (everything is committed at once, the relay says yes) at no more than
//! [`DEVIATIONS`] moments. Connections look ahead, so that a person may be promised to a connection that
//! breaks, or when somebody stops the run. After each step the process may end: what is on stable storage then must allow no loss, no
//! second copy, and no more doubt than there are connections; and a run that goes on from there must
//! come to an end that the relay's own count confirms.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use rusqlite::Connection as Disk;
use tokio::sync::oneshot;

use super::{Lane, Mails, Plan, Retry, Stop, deliver};
use crate::{
    audience::Address,
    clock::Manual,
    delivery::{
        ledger::{
            Intent, Key, NewCampaign, State,
            stepped::{self, Stepper},
        },
        outcome::{Outcome, Trouble},
        pace::{Limits, Rate},
        transport::{Connection, Exchange, Next, Transport},
    },
    error::Result,
    mail::{Envelope, Mail},
};

const PEOPLE: u32 = 3;
const CONNECTIONS: usize = 2;

/// How many things go wrong in one history, at most.
const FAULTS: usize = 1;

/// How often a history leaves the ordinary course, at most.
const DEVIATIONS: usize = 3;

/// Where an exchange waits for the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    BeforeDot,
    AfterDot,
}

/// What the relay does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    /// 451: not now.
    Later,
    /// The connection breaks, and the relay has not taken the message.
    Lost,
    /// The relay takes the message, and the connection breaks before it says so.
    TakenAndLost,
}

impl Moment {
    fn answers(self, may_fail: bool) -> &'static [Answer] {
        match (may_fail, self) {
            (false, _) => &[Answer::Yes],
            (true, Self::BeforeDot) => &[Answer::Yes, Answer::Later, Answer::Lost],
            (true, Self::AfterDot) => &[
                Answer::Yes,
                Answer::Later,
                Answer::Lost,
                Answer::TakenAndLost,
            ],
        }
    }
}

struct Question {
    seq: u32,
    moment: Moment,
    /// Whose envelope was said with it.
    riding: Option<u32>,
    answer: oneshot::Sender<Answer>,
}

/// The relay: what it was asked and has not answered, and what it took.
#[derive(Default)]
struct Relay {
    questions: Vec<Question>,
    copies: [u32; PEOPLE as usize],
}

#[derive(Clone, Default)]
struct World(Arc<Mutex<Relay>>);

impl World {
    fn relay(&self) -> MutexGuard<'_, Relay> {
        self.0.lock().expect("nobody panics with it")
    }

    async fn ask(&self, seq: u32, moment: Moment, riding: Option<u32>) -> Answer {
        let (answer, told) = oneshot::channel();
        self.relay().questions.push(Question {
            seq,
            moment,
            riding,
            answer,
        });
        told.await.expect("an answer")
    }
}

impl Transport for World {
    type Connection = Line;

    async fn connect(&self) -> Result<Line, Trouble> {
        Ok(Line {
            world: self.clone(),
            usable: true,
            in_doubt: false,
            promised: None,
        })
    }
}

struct Line {
    world: World,
    usable: bool,
    in_doubt: bool,
    promised: Option<u32>,
}

impl Connection for Line {
    async fn send(
        &mut self,
        seq: u32,
        _mail: &Mail,
        intent: Intent,
        next: Option<Next<'_>>,
    ) -> Exchange {
        let promised = self.promised.take();
        assert!(promised.is_none_or(|promised| promised == seq));
        let riding = next.map(|next| next.seq);
        let later = Outcome::Deferred {
            code: Some(451),
            reply: "later".to_owned(),
        };
        match self.world.ask(seq, Moment::BeforeDot, None).await {
            Answer::Yes => {}
            Answer::Later => return Exchange::Settled(later),
            Answer::Lost | Answer::TakenAndLost => {
                self.usable = false;
                return match promised {
                    // It may have been too much at once.
                    Some(_) => Exchange::Again,
                    None => Exchange::Trouble(Trouble::Closed("broken".to_owned())),
                };
            }
        }
        if let Err(error) = intent.durable().await {
            return Exchange::Books(error);
        }
        self.in_doubt = true;
        let answer = self.world.ask(seq, Moment::AfterDot, riding).await;
        self.in_doubt = false;
        self.promised = riding;
        match answer {
            Answer::Yes => Exchange::Settled(Outcome::Sent {
                code: 250,
                reply: "taken".to_owned(),
            }),
            Answer::Later => Exchange::Settled(later),
            Answer::Lost | Answer::TakenAndLost => {
                self.usable = false;
                Exchange::Settled(Outcome::Unknown {
                    reason: "broken".to_owned(),
                })
            }
        }
    }

    fn looks_ahead(&self) -> bool {
        self.usable
    }

    fn promised(&self) -> Option<u32> {
        self.promised
    }

    fn is_usable(&mut self) -> bool {
        self.usable
    }

    fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    async fn close(self) {}
}

struct Letters;

impl Mails for Letters {
    fn mail(&self, seq: u32) -> Result<Mail> {
        let address = |text: &str| Address::parse(text).expect("an address");
        Ok(Mail {
            envelope: Envelope {
                return_path: address("bounce@news.example.com"),
                recipient: address(&format!("r{seq}@example.com")),
            },
            message_id: format!("{seq}@news.example.com"),
            message: Vec::new(),
        })
    }
}

/// What can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Commit(usize),
    Answer(usize, Answer),
    /// Somebody asks the run to stop, while a mail is announced that is not begun.
    Stop,
}

/// The choices of one history; what is beyond the end is the ordinary course, the first choice.
#[derive(Clone, Debug, Default)]
struct Trace {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Trace {
    fn choose(&mut self, options: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, options));
        }
        let (choice, known) = self.taken[self.at];
        assert_eq!(known, options, "the same history has the same choices");
        self.at += 1;
        choice
    }

    /// The next history; false when there is none.
    fn advance(&mut self, deviations: usize) -> bool {
        self.at = 0;
        while let Some((choice, options)) = self.taken.pop() {
            let before = self.taken.iter().filter(|(choice, _)| *choice > 0).count();
            if choice + 1 < options && before < deviations {
                self.taken.push((choice + 1, options));
                return true;
            }
        }
        false
    }
}

/// What is on stable storage about each row.
fn states(disk: &Disk) -> Vec<State> {
    disk.prepare_cached("SELECT state FROM delivery ORDER BY seq")
        .expect("a query")
        .query_map([], |row| row.get(0))
        .expect("rows")
        .collect::<rusqlite::Result<_>>()
        .expect("states")
}

/// If the process ended here: nobody lost, nobody twice, little doubt.
fn a_crash_here_is_harmless(disk: &Disk, relay: &Relay) {
    let states = states(disk);
    if states.is_empty() {
        return;
    }
    for (state, copies) in states.iter().zip(relay.copies) {
        let right = match state {
            State::Sent => copies == 1,
            // It becomes `unknown`, or is so already.
            State::Sending | State::Unknown => copies <= 1,
            // It will be sent, or never.
            _ => copies == 0,
        };
        assert!(right, "{state:?} with {copies} copies");
    }
    let doubt = states.iter().filter(|state| **state == State::Sending);
    assert!(doubt.count() <= CONNECTIONS, "{states:?}");
    for question in &relay.questions {
        if question.moment == Moment::AfterDot {
            let state = states[question.seq as usize];
            assert_eq!(state, State::Sending, "a dot without a durable intent");
        }
        if let Some(riding) = question.riding {
            let state = states[riding as usize];
            assert!(
                matches!(state, State::Pending | State::Deferred),
                "{state:?}, but only announced"
            );
        }
    }
}

/// One process, from its start to its end, or to a crash after so many steps.
struct Process<'a> {
    world: World,
    trace: &'a mut Trace,
    faults: usize,
    steps: usize,
    crash_after: usize,
}

impl Process<'_> {
    fn run(&mut self, disk: Disk, now: Timestamp) -> Disk {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(self.live(disk, now))
    }

    async fn live(&mut self, disk: Disk, now: Timestamp) -> Disk {
        let (ledger, mut stepper) = stepped::ledger(disk);
        let ledger = Arc::new(ledger);
        let world = self.world.clone();
        let stop = Stop::new();
        let stopped = stop.clone();
        let mut process = tokio::spawn(async move {
            let id = "news@all";
            let campaign = match ledger.campaign(id).await? {
                Some(campaign) => campaign,
                None => {
                    let campaign = NewCampaign {
                        id: id.to_owned(),
                        content_hash: "content".to_owned(),
                        audience_hash: "audience".to_owned(),
                        created_at: now,
                    };
                    ledger.begin(campaign, PEOPLE).await?
                }
            };
            let clock = Arc::new(Manual::at(now));
            deliver(
                plan(campaign.key),
                vec![lane(world)],
                ledger,
                Arc::new(Letters),
                clock,
                Arc::new(()),
                stopped,
            )
            .await
        });
        loop {
            self.settle(&mut stepper, &mut process).await;
            if process.is_finished() {
                let ended = process.await.expect("no panic");
                ended.expect("the books could be kept");
                // What was said last is committed by the thread before it ends.
                let left = stepper.waiting();
                stepper.commit(left);
                return stepper.crash();
            }
            a_crash_here_is_harmless(stepper.disk(), &self.world.relay());
            if self.steps == self.crash_after {
                process.abort();
                return stepper.crash();
            }
            let options = self.options(&mut stepper, &stop);
            if options.is_empty() {
                // It waits for a better time.
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
            self.steps += 1;
            match options[self.trace.choose(options.len())] {
                Step::Commit(count) => stepper.commit(count),
                Step::Answer(which, answer) => self.answer(which, answer),
                Step::Stop => {
                    self.faults -= 1;
                    stop.request();
                }
            }
        }
    }

    /// Lets the process do all that it can do by itself.
    async fn settle(
        &self,
        stepper: &mut Stepper,
        process: &mut tokio::task::JoinHandle<Result<super::Summary>>,
    ) {
        let mut quiet = 0;
        let mut seen = (0, 0);
        while quiet < 6 && !process.is_finished() {
            tokio::task::yield_now().await;
            let now = (stepper.waiting(), self.world.relay().questions.len());
            quiet = if now == seen { quiet + 1 } else { 0 };
            seen = now;
        }
    }

    fn options(&self, stepper: &mut Stepper, stop: &Stop) -> Vec<Step> {
        let mut options = Vec::new();
        let waiting = stepper.waiting();
        if waiting > 0 {
            options.push(Step::Commit(waiting));
        }
        if waiting > 1 {
            options.push(Step::Commit(1));
        }
        for (which, question) in self.world.relay().questions.iter().enumerate() {
            for answer in question.moment.answers(self.faults > 0) {
                options.push(Step::Answer(which, *answer));
            }
        }
        let announced = |question: &Question| question.riding.is_some();
        let is_between = self.world.relay().questions.iter().any(announced);
        if self.faults > 0 && is_between && !stop.is_requested() {
            options.push(Step::Stop);
        }
        options
    }

    fn answer(&mut self, which: usize, answer: Answer) {
        if answer != Answer::Yes {
            self.faults -= 1;
        }
        let mut relay = self.world.relay();
        let question = relay.questions.remove(which);
        let taken = match question.moment {
            Moment::BeforeDot => false,
            Moment::AfterDot => matches!(answer, Answer::Yes | Answer::TakenAndLost),
        };
        if taken {
            relay.copies[question.seq as usize] += 1;
        }
        question.answer.send(answer).expect("somebody waits");
    }
}

fn plan(campaign: Key) -> Plan {
    let retry = Retry {
        patience: std::time::Duration::ZERO,
        ..Retry::default()
    };
    Plan {
        retry,
        ..Plan::new(campaign)
    }
}

/// The one way out, as fast as it goes.
fn lane(world: World) -> Lane<World> {
    let mut limits = Limits::new("relay", Rate::Max);
    limits.connections = CONNECTIONS;
    Lane {
        limits,
        weight: 1,
        transport: world,
    }
}

/// Goes on after the end of a process, without any more trouble, until everyone is settled.
fn go_on(world: &World, mut disk: Disk) -> Disk {
    let is_open =
        |state: &State| matches!(state, State::Pending | State::Sending | State::Deferred);
    for day in 1..=3_i64 {
        let known = states(&disk);
        if !known.is_empty() && !known.iter().any(is_open) {
            break;
        }
        world.relay().questions.clear();
        let mut process = Process {
            world: world.clone(),
            trace: &mut Trace::default(),
            faults: 0,
            steps: 0,
            crash_after: usize::MAX,
        };
        disk = process.run(disk, Timestamp::from_second(day * 86_400).expect("a day"));
    }
    for (state, copies) in states(&disk).into_iter().zip(world.relay().copies) {
        match state {
            State::Sent => assert_eq!(copies, 1),
            State::Unknown => assert!(copies <= 1),
            other => panic!("still {other:?}"),
        }
    }
    disk
}

/// A disk that nothing was ever written to, from one that was.
fn wiped(disk: Disk) -> Disk {
    let tables: Vec<String> = disk
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .expect("a query")
        .query_map([], |row| row.get(0))
        .expect("rows")
        .collect::<rusqlite::Result<_>>()
        .expect("names");
    for table in tables {
        disk.execute(&format!("DELETE FROM {table}"), [])
            .expect("a clean disk");
    }
    disk
}

#[test]
fn a_crash_at_any_step_of_any_history_loses_nobody_and_doubles_nobody() {
    let mut trace = Trace::default();
    let mut disk = stepped::disk().expect("a disk");
    let (mut histories, mut crashes) = (0_usize, 0_usize);
    loop {
        let live = |trace: &mut Trace, crash_after: usize, disk: Disk| {
            let world = World::default();
            let mut process = Process {
                world: world.clone(),
                trace,
                faults: FAULTS,
                steps: 0,
                crash_after,
            };
            let disk = process.run(disk, Timestamp::UNIX_EPOCH);
            (process.steps, wiped(go_on(&world, disk)))
        };
        let (steps, next) = live(&mut trace, usize::MAX, disk);
        // One of its crashes is lived through to the end; which one differs from history to history.
        let mut again = Trace {
            at: 0,
            ..trace.clone()
        };
        (_, disk) = live(&mut again, histories % (steps + 1), next);
        histories += 1;
        crashes += steps;
        if !trace.advance(DEVIATIONS) {
            break;
        }
    }
    assert!(
        crashes >= 100_000,
        "{crashes} in {histories} histories are too few"
    );
}
