//! The envelope of the next mail rides with a message: when it does, what becomes of it when something
//! comes between, and relays that only pretend to bear it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use letterpress::{
    delivery::{
        End, Mails, Relay, Stop,
        ledger::{Books, Ledger, State},
        pace::{GroupLimit, Groups, Presets},
    },
    error::{Kind, Result},
    mail::Mail,
};

use crate::{
    delivery::{Desk, Letters, is_for, relay, trouble},
    delivery_relay::{Act, Event, FakeRelay, Stage, say},
};

/// How many commands of a kind came on a connection.
fn count(server: &FakeRelay, connection: usize, verb: &str) -> usize {
    let log = server.log();
    let said = log.commands[connection].iter();
    said.filter(|line| line.starts_with(verb)).count()
}

#[tokio::test]
async fn a_mail_costs_one_turn_on_a_warm_connection() {
    let server = FakeRelay::start(|_| None).await;
    let desk = Desk::new(10, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    // EHLO, the first envelope, ten messages, QUIT.
    let log = server.log();
    assert_eq!((log.turns, log.ahead), (1 + 1 + 10 + 1, 9));
    assert_eq!(log.commands.len(), 1);
    assert_eq!(log.commands[0].last().unwrap(), "QUIT");
    for seq in 0..10 {
        let expected = Letters.mail(seq).unwrap().message;
        assert_eq!(log.accepted[&format!("r{seq}@example.com")], [expected]);
    }
}

/// Whoever may not go at once, or not over this connection, is not announced.
#[tokio::test]
async fn only_who_may_go_at_once_is_announced() {
    // The last message of a connection takes nobody along, or the goodbye would be a part of a message.
    let server = FakeRelay::start(|_| None).await;
    let few = Relay {
        messages_per_connection: 3,
        ..relay(&server)
    };
    Desk::new(7, &few).await.send(few).await;
    assert_eq!((server.connections(), server.log().ahead), (3, 4));
    for connection in 0..3 {
        assert_eq!(server.log().commands[connection].last().unwrap(), "QUIT");
    }

    // Nor does the last one of a run with a limit.
    let server = FakeRelay::start(|_| None).await;
    let mut desk = Desk::new(5, &relay(&server)).await;
    desk.plan.limit = Some(2);
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Limit), "{:?}", summary.end);
    assert_eq!((summary.tried, count(&server, 0, "RCPT")), (2, 2));
    assert_eq!(server.log().commands[0].last().unwrap(), "QUIT");

    // The pace has no permit at once, so that nobody is kept waiting between two lines.
    let server = FakeRelay::start(|_| None).await;
    let mut desk = Desk::new(4, &relay(&server)).await;
    desk.limits.rate = "20/s".parse().unwrap();
    let summary = desk.send(relay(&server)).await;
    assert_eq!((summary.counts.sent, server.log().ahead), (4, 0));

    // A group with one message a connection.
    struct Domains;
    impl Mails for Domains {
        fn mail(&self, seq: u32) -> Result<Mail> {
            Letters.mail(seq)
        }
        fn domain(&self, _: u32) -> Option<String> {
            Some("slow.example".to_owned())
        }
    }
    let server = FakeRelay::start(|_| None).await;
    let mut desk = Desk::new(3, &relay(&server)).await;
    let limit = GroupLimit {
        messages_per_connection: Some(1),
        ..GroupLimit::default()
    };
    let limits = BTreeMap::from([("slow.example".to_owned(), limit)]);
    desk.limits.groups = Arc::new(Groups::new(limits, Presets::Off).unwrap());
    desk.mails = Arc::new(Domains);
    let summary = desk.send(relay(&server)).await;
    assert_eq!((summary.counts.sent, server.log().ahead), (3, 0));
    assert_eq!(server.connections(), 3);
}

/// While one message waits for its answer, the one that was announced is as if it had not been touched.
#[tokio::test]
async fn who_is_announced_is_not_begun_in_the_books() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let looking = path.clone();
    let most = Arc::new(AtomicUsize::new(0));
    let highest = most.clone();
    let server = FakeRelay::start(move |event| {
        if event.stage == Stage::Dot && event.more {
            let books = Books::open(&looking).unwrap().unwrap();
            let key = books.campaign("welcome@all").unwrap().unwrap().key;
            let rows = books.rows(key, None, 20).unwrap();
            let sending = rows.iter().filter(|row| row.state == State::Sending);
            highest.fetch_max(sending.count(), Ordering::SeqCst);
        }
        None
    })
    .await;
    let desk = Desk::on(Ledger::open(&path).unwrap(), 10, &relay(&server)).await;
    desk.send(relay(&server)).await;
    assert_eq!((most.load(Ordering::SeqCst), server.log().ahead), (1, 9));
}

/// Those who unsubscribed while their envelope was on its way.
struct Leaving(Arc<AtomicBool>);

impl Mails for Leaving {
    fn mail(&self, seq: u32) -> Result<Mail> {
        Letters.mail(seq)
    }

    fn skip(&self, seq: u32) -> Option<String> {
        (seq == 1 && self.0.load(Ordering::SeqCst)).then(|| "unsubscribed".to_owned())
    }
}

#[tokio::test]
async fn who_is_suppressed_after_the_announcement_gets_nothing() {
    let left = Arc::new(AtomicBool::new(false));
    let leaving = left.clone();
    let server = FakeRelay::start(move |event| {
        if is_for(event, Stage::Dot, 0) {
            leaving.store(true, Ordering::SeqCst);
        }
        None
    })
    .await;
    let mut desk = Desk::new(3, &relay(&server)).await;
    desk.mails = Arc::new(Leaving(left));
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(desk.states().await, ["sent", "skipped", "sent"]);
    assert_eq!(server.log().dots, ["r0@example.com", "r2@example.com"]);
    // It was announced, and there was no other way to take that back.
    let said = server.log().commands[0].concat();
    assert!(said.contains("r1@") && !said.contains("QUIT"), "{said}");
    assert_eq!(server.connections(), 2);
    // Nor was a goodbye said, which would have been the beginning of the message.
    assert_eq!(server.log().broken, [b""]);
}

#[tokio::test]
async fn a_stop_between_two_mails_leaves_the_announced_one_pending() {
    let stop = Stop::new();
    let asked = stop.clone();
    let server = FakeRelay::start(move |event| {
        if is_for(event, Stage::Dot, 1) {
            asked.request();
        }
        None
    })
    .await;
    let mut desk = Desk::new(4, &relay(&server)).await;
    desk.stop = stop;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Stopped), "{:?}", summary.end);
    assert_eq!(desk.states().await, ["sent", "sent", "pending", "pending"]);
    assert_eq!(desk.rows().await[2].attempts, 0);
    assert_eq!(server.log().dots.len(), 2);
    let said = server.log().commands[0].concat();
    assert!(said.contains("r2@") && !said.contains("QUIT"), "{said}");
    // The next run sends what is left, once.
    desk.stop = Stop::new();
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(server.copies().len(), 4);
    assert!(server.copies().values().all(|copies| *copies == 1));
}

/// A place in a quota that was taken for somebody who does not go after all is free for the next one.
#[tokio::test]
async fn a_permit_that_is_not_used_is_given_back() {
    let left = Arc::new(AtomicBool::new(false));
    let leaving = left.clone();
    let server = FakeRelay::start(move |event| {
        if is_for(event, Stage::Dot, 0) {
            leaving.store(true, Ordering::SeqCst);
        }
        None
    })
    .await;
    let mut desk = Desk::new(3, &relay(&server)).await;
    desk.limits.quotas = vec!["2/24h".parse().unwrap()];
    desk.mails = Arc::new(Leaving(left));
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(desk.states().await, ["sent", "skipped", "sent"]);
}

/// What is said about one mail is about that mail alone.
#[tokio::test]
async fn each_answer_is_for_its_own_mail() {
    let server = FakeRelay::start(|event| match event.stage {
        _ if is_for(event, Stage::Dot, 0) => say("451 4.3.0 later"),
        _ if is_for(event, Stage::Rcpt, 2) => say("550 5.1.1 no such user"),
        _ if is_for(event, Stage::Rcpt, 4) => say("450 4.2.0 greylisted"),
        _ if is_for(event, Stage::Dot, 5) => say("554 5.6.0 no"),
        _ => None,
    })
    .await;
    let desk = Desk::new(8, &relay(&server)).await;
    desk.send(relay(&server)).await;
    let expected = [
        "deferred", "sent", "failed", "sent", "deferred", "failed", "sent", "sent",
    ];
    assert_eq!(desk.states().await, expected);
    assert_eq!(server.connections(), 1);
    assert_eq!(count(&server, 0, "RSET"), 2);
    // Who follows a refused recipient goes in a group with the RSET, and takes the next one along.
    assert_eq!(server.log().ahead, 5);
    assert_eq!(server.log().turns, 1 + 1 + 6 + 2 + 1);
}

#[tokio::test]
async fn trouble_with_the_announced_mail_leaves_the_one_before_it_alone() {
    // A relay that goes down between the lines, and one that says so behind the last of them.
    for (stage, text) in [
        (Stage::Mail, "421 4.3.2 going down\r\n"),
        (Stage::Data, "354 go on\r\n421 4.3.2 going down\r\n"),
    ] {
        let server = FakeRelay::start(move |event| {
            let here = event.connection == 0 && event.messages == 2 && event.stage == stage;
            here.then(|| Act::SayThenClose(text.to_owned()))
        })
        .await;
        let desk = Desk::new(5, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        assert_eq!(desk.states().await, ["sent"; 5], "{text}");
        assert!(desk.rows().await.iter().all(|row| row.attempts == 1));
        assert_eq!(server.connections(), 2, "{text}");
        let dots = server.log().dots.clone();
        assert_eq!(dots.len(), 5, "{text}: {dots:?}");
    }
}

/// Relays that advertise more than they bear: what they do, how many messages came with the next
/// envelope until that was known, and how many envelopes came at once.
struct Pretender {
    name: &'static str,
    does: fn(&Event) -> Option<Act>,
    ahead: usize,
    /// Whether a group is borne.
    group: bool,
    unknown: u64,
}

fn at(event: &Event, stage: Stage) -> bool {
    event.stage == stage && event.more
}

#[tokio::test]
async fn a_relay_that_only_pretends_is_told_less_at_a_time() {
    const PRETENDERS: [Pretender; 9] = [
        Pretender {
            name: "forgets what came with a message",
            does: |event| {
                at(event, Stage::Dot).then(|| Act::SayAndForget("250 2.0.0 ok\r\n".into()))
            },
            ahead: 1,
            group: true,
            unknown: 0,
        },
        Pretender {
            name: "calls it improper behind a message",
            does: |event| {
                let both = "250 2.0.0 ok\r\n503 5.5.0 improper use of SMTP command pipelining\r\n";
                at(event, Stage::Dot).then(|| Act::SayThenClose(both.into()))
            },
            ahead: 1,
            group: true,
            unknown: 0,
        },
        Pretender {
            name: "does not take a message that something came with",
            does: |event| match at(event, Stage::Dot) {
                true => say("554 5.5.0 Error: SMTP protocol synchronization"),
                false => None,
            },
            ahead: 1,
            group: true,
            unknown: 0,
        },
        Pretender {
            name: "hangs up on a message that something came with",
            does: |event| at(event, Stage::Dot).then_some(Act::Close),
            ahead: 1,
            group: true,
            unknown: 1,
        },
        Pretender {
            name: "hangs up after a message that something came with",
            does: |event| {
                at(event, Stage::Dot).then(|| Act::SayThenClose("250 2.0.0 ok\r\n".into()))
            },
            ahead: 1,
            group: true,
            unknown: 0,
        },
        Pretender {
            name: "answers twice where something came with a message",
            does: |event| {
                at(event, Stage::Dot).then(|| Act::Say("250 ok\r\n250 really\r\n".into()))
            },
            ahead: 1,
            group: true,
            unknown: 0,
        },
        Pretender {
            name: "forgets what came with a command",
            does: |event| {
                at(event, Stage::Mail).then(|| Act::SayAndForget("250 2.1.0 ok\r\n".into()))
            },
            ahead: 0,
            group: false,
            unknown: 0,
        },
        Pretender {
            name: "calls a group improper",
            does: |event| match at(event, Stage::Rcpt) {
                true => say("503 5.5.0 improper use of SMTP command pipelining"),
                false => None,
            },
            ahead: 0,
            group: false,
            unknown: 0,
        },
        Pretender {
            name: "answers a group twice",
            does: |event| {
                at(event, Stage::Mail).then(|| Act::Say("250 ok\r\n250 really\r\n".into()))
            },
            ahead: 0,
            group: false,
            unknown: 0,
        },
    ];
    for Pretender {
        name,
        does,
        ahead,
        group,
        unknown,
    } in PRETENDERS
    {
        let groups = Arc::new(AtomicUsize::new(0));
        let seen = groups.clone();
        let server = FakeRelay::start(move |event| {
            if at(event, Stage::Mail) {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            does(event)
        })
        .await;
        // Several connections: one finds out for all of them.
        let wide = Relay {
            connections: 3,
            ..relay(&server)
        };
        let desk = Desk::new(30, &wide).await;
        let summary = desk.send(wide).await;
        assert!(
            matches!(summary.end, End::Complete),
            "{name}: {:?}",
            summary.end
        );
        let counts = summary.counts;
        assert_eq!(
            (counts.sent, counts.unknown),
            (30 - unknown, unknown),
            "{name}"
        );
        assert!(
            server.copies().values().all(|copies| *copies == 1),
            "{name}"
        );
        assert!(
            desk.rows().await.iter().all(|row| row.attempts == 1),
            "{name}"
        );
        assert_eq!(server.log().ahead, ahead, "{name}");
        let groups = groups.load(Ordering::Relaxed);
        match group {
            true => assert!(groups >= 28, "{name}: {groups}"),
            // Each connection may have begun with one.
            false => assert!((1..=3).contains(&groups), "{name}: {groups}"),
        }
    }
}

/// In the slowest form an answer that makes no sense is the relay's own trouble, as ever.
#[tokio::test]
async fn a_relay_that_understands_nothing_is_not_asked_for_ever() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Rcpt => say("503 5.5.1 bad sequence of commands"),
        _ => None,
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert_eq!(trouble(&summary).kind(), Kind::Unavailable);
    assert_eq!((summary.counts.pending, server.connections()), (3, 2));
}

/// Connections are opened side by side: the relay greets nobody before all have come.
#[tokio::test(flavor = "multi_thread", worker_threads = 6)]
async fn connections_are_opened_together() {
    let open = Arc::new(AtomicUsize::new(0));
    let opened = open.clone();
    let server = FakeRelay::start(move |event| {
        if event.stage == Stage::Greeting {
            opened.fetch_add(1, Ordering::SeqCst);
            let begun = Instant::now();
            while opened.load(Ordering::SeqCst) < 4 && begun.elapsed() < Duration::from_secs(2) {
                std::thread::yield_now();
            }
            if opened.load(Ordering::SeqCst) < 4 {
                return Some(Act::Close);
            }
        }
        None
    })
    .await;
    let wide = Relay {
        connections: 4,
        deadlines: letterpress::delivery::Deadlines::default(),
        ..relay(&server)
    };
    let desk = Desk::new(40, &wide).await;
    let summary = desk.send(wide).await;
    assert_eq!((summary.counts.sent, server.connections()), (40, 4));
}

/// Nobody waits for the answer to a goodbye: three connections that never get one hold up the end of
/// the run by the patience for one.
#[tokio::test]
async fn goodbyes_are_said_aside() {
    let server = FakeRelay::start(|event| (event.stage == Stage::Quit).then_some(Act::Stall)).await;
    let few = Relay {
        messages_per_connection: 2,
        ..relay(&server)
    };
    let desk = Desk::new(6, &few).await;
    let begun = Instant::now();
    let summary = desk.send(few).await;
    assert_eq!((summary.counts.sent, server.connections()), (6, 3));
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

/// Or it would be taken for the answer to the message, which is refused.
#[tokio::test]
async fn no_message_is_sent_while_an_answer_is_left_over() {
    for seq in [0, 1] {
        let server = FakeRelay::start(move |event| {
            // The first message goes in a group, the second one's envelope with it.
            let here = event.connection == 0 && event.messages == seq;
            match event.stage {
                Stage::Data if here => say("354 go on\r\n250 2.0.0 queued"),
                Stage::Dot if here => say("554 5.6.0 no"),
                _ => None,
            }
        })
        .await;
        let desk = Desk::new(3, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        assert_eq!(desk.states().await, ["sent"; 3]);
        assert_eq!(server.copies().len(), 3);
    }
}
