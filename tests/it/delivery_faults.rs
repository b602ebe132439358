//! A relay that misbehaves: what stands in the books afterwards, and whether the connection lives.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use letterpress::{
    delivery::{
        Credentials, End, Lane, Relay,
        ledger::{CampaignState, Counts},
        pace::Rate,
        transport::Smtp,
    },
    error::Kind,
};

use crate::delivery::{Desk, is_for, relay, trouble};
use crate::delivery_relay::{Act, Event, FakeRelay, Stage, say, without_pipelining};

type MakeAct = fn() -> Act;

/// Whether the relay takes several commands at once.
#[derive(Clone, Copy, Debug)]
enum Pipelining {
    Offered,
    Absent,
}

impl Pipelining {
    fn answer(self, event: &Event) -> Option<Act> {
        match self {
            Self::Offered => None,
            Self::Absent => without_pipelining(event),
        }
    }
}

fn both_ways<T: Copy>(cases: impl IntoIterator<Item = T>) -> Vec<(T, Pipelining)> {
    cases
        .into_iter()
        .flat_map(|case| [(case, Pipelining::Offered), (case, Pipelining::Absent)])
        .collect()
}

#[tokio::test]
async fn a_refused_recipient_costs_nobody_else_anything() {
    for pipelining in [Pipelining::Offered, Pipelining::Absent] {
        refuse_some(pipelining).await;
    }
}

async fn refuse_some(pipelining: Pipelining) {
    let server = FakeRelay::start(move |event| match event.stage {
        _ if is_for(event, Stage::Rcpt, 1) => say("450 4.2.0 greylisted"),
        _ if is_for(event, Stage::Rcpt, 2) => say("550-5.1.1 no\r\n550 5.1.1 such user"),
        _ if is_for(event, Stage::Dot, 3) => say("452 4.2.2 full"),
        _ => pipelining.answer(event),
    })
    .await;
    let desk = Desk::new(5, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert_eq!(
        desk.states().await,
        ["sent", "deferred", "failed", "deferred", "sent"]
    );
    assert_eq!(server.connections(), 1);
    let resets = server.log().commands[0]
        .iter()
        .filter(|line| *line == "RSET")
        .count();
    assert_eq!(resets, 2);
    let rows = desk.rows().await;
    assert_eq!(
        (rows[2].code, rows[2].reply.as_deref()),
        (Some(550), Some("5.1.1 no such user"))
    );
    let End::Deferred { next } = summary.end else {
        panic!("{:?}", summary.end)
    };
    assert_eq!(
        next,
        rows.iter().filter_map(|row| row.next_at).min().unwrap()
    );
    let wait = next.duration_since(rows[1].at.unwrap()).as_secs();
    assert!((239..=360).contains(&wait), "{wait}");
    assert_eq!(desk.state().await, CampaignState::Interrupted);
}

/// Each fault after the dot leaves the row unknown and the connection unused; nobody gets two.
#[tokio::test]
async fn no_clear_answer_to_the_dot_is_unknown_and_never_sent_again() {
    let acts: [(&str, MakeAct, &str); 7] = [
        ("close", || Act::Close, "the relay closed the connection"),
        (
            "stall",
            || Act::Stall,
            "the relay did not answer within 400ms",
        ),
        (
            "half",
            || Act::SayThenClose("250 2.0.0 queu".to_owned()),
            "the relay closed the connection in the middle of a reply",
        ),
        (
            "half and stall",
            || Act::SayThenStall("25".to_owned()),
            "the relay did not answer within 400ms",
        ),
        (
            "garbage",
            || Act::Say("\u{1}\u{2} what?\r\n".to_owned()),
            "the relay's answer cannot be read",
        ),
        (
            "two codes",
            || Act::Say("250-yes\r\n550 no\r\n".to_owned()),
            "the relay's answer cannot be read",
        ),
        (
            "go on",
            || Act::Say("354 go on\r\n".to_owned()),
            "the relay's answer makes no sense: 354 go on",
        ),
    ];
    for ((name, act, reason), pipelining) in both_ways(acts) {
        let server = FakeRelay::start(move |event| {
            let act = is_for(event, Stage::Dot, 1).then(act);
            act.or_else(|| pipelining.answer(event))
        })
        .await;
        let desk = Desk::new(3, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert_eq!(desk.states().await, ["sent", "unknown", "sent"], "{name}");
        assert!(matches!(summary.end, End::Complete), "{name}");
        assert_eq!(
            desk.rows().await[1].reply.as_deref(),
            Some(reason),
            "{name}"
        );
        assert_eq!(server.connections(), 2, "{name}");
        let again = desk.send(relay(&server)).await;
        assert_eq!(again.tried, 0, "{name}");
        let dots = server.log().dots.clone();
        assert_eq!(
            dots,
            ["r0@example.com", "r1@example.com", "r2@example.com"],
            "{name}"
        );
    }
}

/// Each fault before the dot leaves the row to be sent, once, by another connection.
#[tokio::test]
async fn trouble_before_the_dot_is_no_attempt() {
    let acts: [(&str, Stage, MakeAct); 9] = [
        ("close at MAIL", Stage::Mail, || Act::Close),
        ("close at RCPT", Stage::Rcpt, || Act::Close),
        ("close at DATA", Stage::Data, || Act::Close),
        ("stall at RCPT", Stage::Rcpt, || Act::Stall),
        ("stall at DATA", Stage::Data, || Act::Stall),
        ("garbage at RCPT", Stage::Rcpt, || {
            Act::Say("xyzzy\r\n".to_owned())
        }),
        ("half a reply at DATA", Stage::Data, || {
            Act::SayThenClose("35".to_owned())
        }),
        ("421 at RCPT", Stage::Rcpt, || {
            Act::SayThenClose("421 4.3.2 going down\r\n".to_owned())
        }),
        ("421 at MAIL", Stage::Mail, || {
            Act::SayThenClose("421 4.3.2 going down\r\n".to_owned())
        }),
    ];
    for ((name, stage, act), pipelining) in both_ways(acts) {
        let server = FakeRelay::start(move |event| {
            let first = event.connection == 0 && event.messages == 1;
            let act = (first && event.stage == stage).then(act);
            act.or_else(|| pipelining.answer(event))
        })
        .await;
        let desk = Desk::new(3, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert!(
            matches!(summary.end, End::Complete),
            "{name}: {:?}",
            summary.end
        );
        assert_eq!(desk.states().await, ["sent", "sent", "sent"], "{name}");
        assert!(
            desk.rows().await.iter().all(|row| row.attempts == 1),
            "{name}"
        );
        assert_eq!(server.connections(), 2, "{name}");
        assert!(
            server.copies().values().all(|copies| *copies == 1),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_second_answer_is_never_taken_for_that_to_the_next_question() {
    let server = FakeRelay::start(|event| {
        is_for(event, Stage::Dot, 0).then(|| Act::Say("250 one\r\n250 two\r\n".to_owned()))
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    desk.send(relay(&server)).await;
    assert_eq!(desk.states().await, ["sent", "sent", "sent"]);
    assert_eq!(desk.rows().await[0].reply.as_deref(), Some("one"));
    // The next envelope was on its way already; no message was sent for the answers that were out of step.
    assert_eq!(server.log().dots.len(), 3);
    let said = server.log().commands[0].concat();
    assert!(!said.contains("r2@") && !said.contains("QUIT"), "{said}");
    assert_eq!(server.connections(), 2);
    assert!(server.copies().values().all(|copies| *copies == 1));
}

#[tokio::test]
async fn a_relay_may_close_after_some_messages() {
    for goodbye in ["421 4.7.0 enough for one connection\r\n", ""] {
        let server = FakeRelay::start(move |event| {
            (event.stage == Stage::Dot && event.messages == 1)
                .then(|| Act::SayThenClose(format!("250 ok\r\n{goodbye}")))
        })
        .await;
        let desk = Desk::new(7, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        assert_eq!(server.connections(), 4);
        assert!(desk.rows().await.iter().all(|row| row.attempts == 1));
    }
}

/// It says so too late for us to see before we speak again, over and over.
#[tokio::test]
async fn a_relay_that_closes_as_we_go_on_uses_up_nobody() {
    let server = FakeRelay::start(|event| {
        (event.stage == Stage::Mail && event.messages == 1).then_some(Act::Close)
    })
    .await;
    let desk = Desk::new(7, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert!(desk.rows().await.iter().all(|row| row.attempts == 1));
}

#[tokio::test]
async fn a_message_that_ends_every_connection_is_put_off() {
    let server =
        FakeRelay::start(|event| is_for(event, Stage::Rcpt, 1).then_some(Act::Close)).await;
    let desk = Desk::new(4, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert_eq!(desk.states().await, ["sent", "deferred", "sent", "sent"]);
    assert!(matches!(summary.end, End::Deferred { .. }));
}

#[tokio::test]
async fn five_refusals_of_the_content_stop_the_run() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Dot => say("554 5.7.1 spam"),
        _ => None,
    })
    .await;
    let desk = Desk::new(30, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert_eq!(trouble(&summary).kind(), Kind::Unavailable);
    assert_eq!((summary.counts.failed, summary.counts.pending), (5, 25));
    assert_eq!(server.connections(), 1);
    let CampaignState::Paused(reason) = desk.state().await else {
        panic!()
    };
    assert!(reason.contains("spam"), "{reason}");
}

/// The dot was handed over, though it may never have arrived.
#[tokio::test]
async fn a_relay_that_closes_instead_of_taking_the_message_leaves_doubt() {
    let server = FakeRelay::start(|event| {
        let first = event.connection == 0 && event.stage == Stage::Data;
        first.then_some(Act::TakeALineThenReset)
    })
    .await;
    let desk = Desk::new(2, &relay(&server)).await;
    desk.send(relay(&server)).await;
    assert_eq!(desk.states().await, ["unknown", "sent"]);
    assert_eq!(server.log().dots, ["r1@example.com"]);
}

/// A relay that wants a message for nobody does not get one.
#[tokio::test]
async fn a_message_without_a_recipient_is_not_begun() {
    let server = FakeRelay::start(|event| match event.stage {
        _ if is_for(event, Stage::Rcpt, 1) => say("550 5.1.1 no such user"),
        Stage::Other if event.line == "DATA" => say("354 go on"),
        _ => None,
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete));
    assert_eq!(desk.states().await, ["sent", "failed", "sent"]);
    assert_eq!(server.connections(), 2);
    assert_eq!(server.log().dots, ["r0@example.com", "r2@example.com"]);
}

#[tokio::test]
async fn trouble_with_us_stops_the_run_and_uses_up_nobody() {
    let cases: [(Stage, &str, Kind); 6] = [
        (Stage::Auth, "535 5.7.8 wrong password", Kind::Credentials),
        (
            Stage::Mail,
            "530 5.7.0 authenticate first",
            Kind::Credentials,
        ),
        (Stage::Mail, "550 5.1.8 sender rejected", Kind::Unavailable),
        (
            Stage::Rcpt,
            "554 5.7.1 relay access denied",
            Kind::Unavailable,
        ),
        (Stage::Dot, "550 5.7.26 no SPF", Kind::Unavailable),
        (Stage::Rcpt, "503 5.5.1 what", Kind::Unavailable),
    ];
    for (stage, reply, kind) in cases {
        let server = FakeRelay::start(move |event| {
            (event.stage == stage).then(|| Act::Say(format!("{reply}\r\n")))
        })
        .await;
        let relay = Relay {
            credentials: Some(Credentials::new("me", "secret")),
            ..relay(&server)
        };
        let desk = Desk::new(3, &relay).await;
        let summary = desk.send(relay).await;
        assert_eq!(trouble(&summary).kind(), kind, "{reply}");
        assert_eq!(
            summary.counts,
            Counts {
                pending: 3,
                ..Counts::default()
            },
            "{reply}"
        );
        assert!(
            matches!(desk.state().await, CampaignState::Paused(_)),
            "{reply}"
        );
        assert!(
            desk.rows().await.iter().all(|row| row.attempts == 0),
            "{reply}"
        );
    }
}

#[tokio::test]
async fn a_relay_out_of_reach_is_given_up_and_nobody_is_used_up() {
    let server = FakeRelay::start(|_| None).await;
    // A port that was free a moment ago, and that nobody listens at.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = Relay {
        port: free.local_addr().unwrap().port(),
        ..relay(&server)
    };
    drop(free);
    let desk = Desk::new(3, &closed).await;
    let summary = desk.send(closed).await;
    assert_eq!(trouble(&summary).kind(), Kind::TryLater);
    assert_eq!(summary.counts.pending, 3);
    assert_eq!(summary.tried, 0);
    assert_eq!(desk.state().await, CampaignState::Interrupted);

    for (stage, act) in [
        (Stage::Greeting, "421 4.3.2 too busy"),
        (Stage::Hello, "421 4.3.2 too busy"),
        (Stage::Mail, "451 4.3.0 try later"),
        (
            Stage::Dot,
            "454 Throttling failure: Maximum sending rate exceeded.",
        ),
    ] {
        let server = FakeRelay::start(move |event| {
            (event.stage == stage).then(|| Act::Say(format!("{act}\r\n")))
        })
        .await;
        let desk = Desk::new(3, &relay(&server)).await;
        let summary = desk.send(relay(&server)).await;
        assert_eq!(trouble(&summary).kind(), Kind::TryLater, "{act}");
        assert_eq!(summary.counts.pending, 3, "{act}");
        assert!(server.connections() >= 2, "{act}");
        assert!(
            desk.rows().await.iter().all(|row| row.attempts == 0),
            "{act}"
        );
    }
}

#[tokio::test]
async fn a_greeting_that_does_not_come_is_not_waited_for_for_ever() {
    let server = FakeRelay::start(|event| {
        (event.stage == Stage::Greeting && event.connection == 0).then_some(Act::Stall)
    })
    .await;
    let mut desk = Desk::new(1, &relay(&server)).await;
    desk.plan.retry.relay_patience = Duration::from_secs(5);
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
}

/// One relay refuses connections, one goes away in the middle, and the third carries the rest.
#[tokio::test]
async fn relays_step_in_for_each_other() {
    let dying = FakeRelay::start(|event| {
        (event.connection > 0 || event.messages >= 5).then_some(Act::Close)
    })
    .await;
    let well = FakeRelay::start(|_| None).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let lane = |name: &str, relay: Relay, weight: u32| {
        let transport = Smtp::new(relay.clone()).unwrap();
        let mut lane = Lane::new(&relay, Rate::Max, transport);
        lane.limits.relay = name.to_owned();
        lane.weight = weight;
        lane
    };
    let closed = Relay {
        port,
        ..relay(&dying)
    };
    let desk = Desk::new(60, &closed).await;
    let lanes = vec![
        lane("closed", closed.clone(), 3),
        lane("dying", relay(&dying), 1),
        lane("well", relay(&well), 0),
    ];
    let summary = desk.send_by(lanes).await.unwrap();
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(summary.counts.sent, 60);
    let sent: Vec<u64> = summary.lanes.iter().map(|lane| lane.sent).collect();
    assert_eq!((sent[0], sent.iter().sum::<u64>()), (0, 60));
    assert_eq!(sent[1], dying.copies().len() as u64);
    assert!(
        well.copies()
            .keys()
            .all(|to| !dying.copies().contains_key(to))
    );
}

/// A wrong password at one relay is that relay's affair alone, while there is another.
#[tokio::test]
async fn a_relay_that_does_not_know_us_is_left_out() {
    let wrong = FakeRelay::start(|event| match event.stage {
        Stage::Mail => say("535 5.7.8 wrong password"),
        _ => None,
    })
    .await;
    let right = FakeRelay::start(|_| None).await;
    let desk = Desk::new(10, &relay(&right)).await;
    let lane = |name: &str, relay: Relay| {
        let mut lane = Lane::new(&relay, Rate::Max, Smtp::new(relay.clone()).unwrap());
        lane.limits.relay = name.to_owned();
        lane
    };
    let lanes = vec![lane("wrong", relay(&wrong)), lane("right", relay(&right))];
    let summary = desk.send_by(lanes).await.unwrap();
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(right.copies().len(), 10);
    let out = summary.lanes[0].out.as_ref().unwrap();
    assert_eq!(out.kind(), Kind::Credentials);
    assert_eq!(wrong.connections(), 1);
}
