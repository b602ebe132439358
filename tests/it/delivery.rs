//! Delivery against a relay that misbehaves in every way that we could think of: what stands in the
//! books afterwards, and what the relay has seen.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use letterpress::{
    audience::Address,
    clock::{Clock, Manual, System},
    delivery::{
        Credentials, Deadlines, End, Mails, Plan, Progress, Relay, Retry, Security, Stop, Summary,
        deliver,
        ledger::{Books, CampaignState, Counts, Key, Ledger, NewCampaign, Row, State},
        pace::Rate,
        transport::{Files, Smtp, Transport},
    },
    error::{Error, Kind, Result},
    mail::{Envelope, Mail},
};

use crate::delivery_relay::{Act, Event, FakeRelay, Stage, say, without_pipelining};

/// One mail for each row, `r0@example.com` and on.
pub struct Letters;

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

impl Mails for Letters {
    fn mail(&self, seq: u32) -> Result<Mail> {
        let lines = format!("Subject: {seq}\r\n\r\n.one\r\n..\r\n.\r\nend {seq}\r\n");
        Ok(Mail {
            envelope: Envelope {
                return_path: address("bounce@news.example.com"),
                recipient: address(&format!("r{seq}@example.com")),
            },
            message_id: format!("{seq}@news.example.com"),
            message: lines.into_bytes(),
        })
    }
}

/// A ledger with a campaign, and how to send it.
pub struct Desk {
    pub ledger: Arc<Ledger>,
    pub plan: Plan,
    pub clock: Arc<dyn Clock>,
    pub stop: Stop,
    pub mails: Arc<dyn Mails>,
}

pub fn relay(server: &FakeRelay) -> Relay {
    let short = Duration::from_millis(200);
    Relay {
        name: "main".to_owned(),
        host: server.address.ip().to_string(),
        port: server.address.port(),
        security: Security::None,
        credentials: None,
        connections: 1,
        messages_per_connection: 100,
        hello: "client.test".to_owned(),
        ca_file: None,
        deadlines: Deadlines {
            greeting: short,
            hello: short,
            tls: Duration::from_secs(5),
            auth: short,
            mail: short,
            rcpt: short,
            data: short,
            block: short,
            dot: short,
            connect: Duration::from_secs(5),
        },
    }
}

impl Desk {
    pub async fn new(rows: u32, relay: &Relay) -> Self {
        Self::on(Ledger::in_memory().unwrap(), rows, relay).await
    }

    pub async fn on(ledger: Ledger, rows: u32, relay: &Relay) -> Self {
        let campaign = NewCampaign {
            id: "welcome@all".to_owned(),
            content_hash: "c".to_owned(),
            audience_hash: "a".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
        };
        let key = match ledger.campaign(&campaign.id).await.unwrap() {
            Some(known) => known.key,
            None => ledger.begin(campaign, rows).await.unwrap().key,
        };
        let mut plan = Plan::new(key, relay, Rate::Max);
        plan.retry = Retry {
            relay_first: Duration::from_millis(5),
            relay_longest: Duration::from_millis(20),
            relay_patience: Duration::from_millis(100),
            ..Retry::default()
        };
        Self {
            ledger: Arc::new(ledger),
            plan,
            clock: Arc::new(System),
            stop: Stop::new(),
            mails: Arc::new(Letters),
        }
    }

    pub fn key(&self) -> Key {
        self.plan.campaign
    }

    pub async fn try_send<T: Transport>(&self, transport: T) -> Result<Summary> {
        deliver(
            self.plan.clone(),
            self.ledger.clone(),
            self.mails.clone(),
            Arc::new(transport),
            self.clock.clone(),
            Arc::new(()),
            self.stop.clone(),
        )
        .await
    }

    pub async fn send(&self, relay: Relay) -> Summary {
        self.try_send(Smtp::new(relay).unwrap()).await.unwrap()
    }

    pub async fn rows(&self) -> Vec<Row> {
        self.ledger.rows(self.key(), None, 1000).await.unwrap()
    }

    pub async fn states(&self) -> Vec<&'static str> {
        self.rows()
            .await
            .iter()
            .map(|row| row.state.word())
            .collect()
    }

    pub async fn state(&self) -> CampaignState {
        self.ledger
            .campaign("welcome@all")
            .await
            .unwrap()
            .unwrap()
            .state
    }
}

pub fn trouble(summary: &Summary) -> &Error {
    match &summary.end {
        End::Trouble(error) => error,
        other => panic!("{other:?}"),
    }
}

fn is_for(event: &Event, stage: Stage, seq: u32) -> bool {
    event.stage == stage && event.line.contains(&format!("r{seq}@"))
}

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
async fn everybody_gets_it_once_and_byte_for_byte() {
    let server = FakeRelay::start(|_| None).await;
    let relay = Relay {
        connections: 4,
        messages_per_connection: 7,
        ..relay(&server)
    };
    let desk = Desk::new(60, &relay).await;
    let summary = desk.send(relay).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(
        summary.counts,
        Counts {
            sent: 60,
            ..Counts::default()
        }
    );
    assert_eq!(summary.tried, 60);
    assert_eq!(desk.state().await, CampaignState::Complete);
    let copies = server.copies();
    assert_eq!(copies.len(), 60);
    assert!(copies.values().all(|copies| *copies == 1));
    for seq in 0..60 {
        let expected = Letters.mail(seq).unwrap().message;
        assert_eq!(
            server.log().accepted[&format!("r{seq}@example.com")],
            [expected]
        );
    }
    // No connection carried more than seven.
    for commands in &server.log().commands {
        let count = commands
            .iter()
            .filter(|line| line.starts_with("MAIL"))
            .count();
        assert!(count <= 7, "{commands:?}");
        assert_eq!(commands.last().unwrap(), "QUIT");
    }
    assert!(
        (9..=12).contains(&server.connections()),
        "{}",
        server.connections()
    );
    let row = &desk.rows().await[3];
    assert_eq!(
        (
            row.state,
            row.attempts,
            row.code,
            row.reply.as_deref(),
            row.message_id.as_deref()
        ),
        (
            State::Sent,
            1,
            Some(250),
            Some("2.0.0 queued as 4711"),
            Some("3@news.example.com")
        )
    );
}

#[tokio::test]
async fn the_commands_are_these() {
    let server = FakeRelay::start(|_| None).await;
    let desk = Desk::new(1, &relay(&server)).await;
    desk.send(relay(&server)).await;
    assert_eq!(
        server.log().commands,
        [[
            "EHLO client.test",
            "EHLO client.test",
            "MAIL FROM:<bounce@news.example.com> SIZE=34",
            "RCPT TO:<r0@example.com>",
            "DATA",
            "QUIT",
        ]]
    );
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

#[tokio::test]
async fn what_was_deferred_is_tried_again_when_it_is_due() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = tries.clone();
    let server = FakeRelay::start(move |event| {
        (is_for(event, Stage::Rcpt, 1) && seen.fetch_add(1, Ordering::Relaxed) < 2)
            .then(|| Act::Say("451 4.7.1 later\r\n".to_owned()))
    })
    .await;
    let mut desk = Desk::new(3, &relay(&server)).await;
    desk.plan.retry.first = Duration::from_millis(20);
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(desk.rows().await[1].attempts, 3);
    assert_eq!(server.copies()["r1@example.com"], 1);
}

#[tokio::test]
async fn after_the_deadline_of_the_news_nobody_is_bothered() {
    let server = FakeRelay::start(|event| {
        is_for(event, Stage::Rcpt, 0).then(|| Act::Say("450 4.2.0 later\r\n".to_owned()))
    })
    .await;
    let clock = Manual::at(Timestamp::from_second(1000).unwrap());
    let mut desk = Desk::new(2, &relay(&server)).await;
    desk.clock = Arc::new(clock.clone());
    desk.plan.deliver_by = Some(Timestamp::from_second(1060).unwrap());
    let summary = desk.send(relay(&server)).await;
    // It would be tried again in some minutes, which is too late.
    assert_eq!(desk.states().await, ["expired", "sent"]);
    assert!(matches!(summary.end, End::Complete));
    assert_eq!(desk.rows().await[0].code, Some(450));

    let mut desk = Desk::new(2, &relay(&server)).await;
    desk.clock = Arc::new(clock);
    desk.plan.deliver_by = Some(Timestamp::from_second(1000).unwrap());
    let summary = desk.send(relay(&server)).await;
    assert_eq!(
        summary.counts,
        Counts {
            expired: 2,
            ..Counts::default()
        }
    );
    assert_eq!(server.log().dots.len(), 1);
}

/// Each fault after the dot leaves the row unknown and the connection unused; nobody gets two.
#[tokio::test]
async fn no_clear_answer_to_the_dot_is_unknown_and_never_sent_again() {
    let acts: [(&str, MakeAct, &str); 7] = [
        ("close", || Act::Close, "the relay closed the connection"),
        (
            "stall",
            || Act::Stall,
            "the relay did not answer within 200ms",
        ),
        (
            "half",
            || Act::SayThenClose("250 2.0.0 queu".to_owned()),
            "the relay closed the connection in the middle of a reply",
        ),
        (
            "half and stall",
            || Act::Say("25".to_owned()),
            "the relay did not answer within 200ms",
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
    // The first connection was not asked anything after that.
    assert!(
        server.log().commands[0]
            .iter()
            .all(|line| !line.contains("r1@"))
    );
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
        first.then(|| Act::SayThenClose("354 go on\r\n".to_owned()))
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
async fn auth_says_who_we_are() {
    for (offer, expected) in [
        ("PLAIN LOGIN", vec!["AUTH PLAIN AG1lAHNlY3JldA=="]),
        ("LOGIN", vec!["AUTH LOGIN", "bWU=", "c2VjcmV0"]),
    ] {
        let server = FakeRelay::start(move |event| match (event.stage, event.line.as_str()) {
            (Stage::Hello, _) => say(&format!("250-relay.test\r\n250 AUTH {offer}")),
            (Stage::Auth, "AUTH LOGIN") => say("334 VXNlcm5hbWU6"),
            (Stage::Other, "bWU=") => say("334 UGFzc3dvcmQ6"),
            (Stage::Other, "c2VjcmV0") => say("235 2.7.0 welcome"),
            _ => None,
        })
        .await;
        let relay = Relay {
            credentials: Some(Credentials::new("me", "secret")),
            ..relay(&server)
        };
        let desk = Desk::new(1, &relay).await;
        let summary = desk.send(relay).await;
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        assert_eq!(server.log().commands[0][2..2 + expected.len()], expected);
    }
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Hello => say("250-relay.test\r\n250 AUTH CRAM-MD5"),
        _ => None,
    })
    .await;
    let relay = Relay {
        credentials: Some(Credentials::new("me", "secret")),
        ..relay(&server)
    };
    let desk = Desk::new(1, &relay).await;
    assert_eq!(trouble(&desk.send(relay).await).kind(), Kind::Credentials);
}

#[tokio::test]
async fn a_relay_out_of_reach_is_given_up_and_nobody_is_used_up() {
    let closed = {
        let server = FakeRelay::start(|_| None).await;
        relay(&server)
    };
    // The port is free again once the listener is gone.
    tokio::time::sleep(Duration::from_millis(20)).await;
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
        assert!(server.connections() > 2, "{act}");
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

#[tokio::test]
async fn a_quota_in_disguise_ends_the_run() {
    let server = FakeRelay::start(|event| {
        is_for(event, Stage::Rcpt, 1)
            .then(|| Act::Say("550 5.4.5 Daily user sending limit exceeded\r\n".to_owned()))
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(
        matches!(&summary.end, End::Quota { until: None, reason } if reason.contains("Daily")),
        "{:?}",
        summary.end
    );
    assert_eq!(
        summary.counts,
        Counts {
            sent: 1,
            pending: 2,
            ..Counts::default()
        }
    );
}

#[tokio::test]
async fn our_own_quota_counts_over_runs() {
    let server = FakeRelay::start(|_| None).await;
    let clock = Manual::at(Timestamp::from_second(1_000_000).unwrap());
    let mut desk = Desk::new(9, &relay(&server)).await;
    desk.clock = Arc::new(clock.clone());
    desk.plan.quotas = vec!["4/24h".parse().unwrap(), "100/h".parse().unwrap()];
    desk.plan.limit = Some(3);
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Limit), "{:?}", summary.end);
    assert_eq!(summary.counts.sent, 3);
    clock.advance(Duration::from_secs(3600));
    desk.plan.limit = None;
    let summary = desk.send(relay(&server)).await;
    let free = Timestamp::from_second(1_000_000 + 24 * 3600 + 1).unwrap();
    assert!(
        matches!(&summary.end, End::Quota { until: Some(until), .. } if *until == free),
        "{:?}",
        summary.end
    );
    assert_eq!(summary.counts.sent, 4);
    clock.advance(Duration::from_secs(24 * 3600 + 1));
    let summary = desk.send(relay(&server)).await;
    assert_eq!(summary.counts.sent, 8);
}

#[tokio::test]
async fn the_rate_is_kept_by_all_connections_together() {
    let server = FakeRelay::start(|_| None).await;
    let relay = Relay {
        connections: 4,
        ..relay(&server)
    };
    let mut desk = Desk::new(12, &relay).await;
    desk.plan.rate = "50/s".parse().unwrap();
    let summary = desk.send(relay).await;
    assert_eq!(summary.counts.sent, 12);
    // Eleven intervals of 22 ms.
    assert!(
        summary.took >= Duration::from_millis(242),
        "{:?}",
        summary.took
    );
}

#[tokio::test]
async fn the_intent_is_in_the_books_before_the_dot_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (looking, at) = (path.clone(), seen.clone());
    let server = FakeRelay::start(move |event| {
        if event.stage == Stage::Dot {
            let books = Books::open(&looking).unwrap().unwrap();
            let key = books.campaign("welcome@all").unwrap().unwrap().key;
            let seq: u32 = event.line[1..event.line.find('@').unwrap()]
                .parse()
                .unwrap();
            let row = books.rows(key, seq.checked_sub(1), 1).unwrap().remove(0);
            at.lock()
                .unwrap()
                .push((row.seq == seq, row.state, row.message_id));
        }
        None
    })
    .await;
    let relay = Relay {
        connections: 3,
        ..relay(&server)
    };
    let desk = Desk::on(Ledger::open(&path).unwrap(), 20, &relay).await;
    let summary = desk.send(relay).await;
    assert_eq!(summary.counts.sent, 20);
    assert!(summary.commit_time.is_some());
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_by_key(|(_, _, id)| {
        id.as_ref()
            .unwrap()
            .split('@')
            .next()
            .unwrap()
            .parse::<u32>()
            .unwrap()
    });
    let expected: Vec<_> = (0..20)
        .map(|seq| {
            (
                true,
                State::Sending,
                Some(format!("{seq}@news.example.com")),
            )
        })
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_was_being_sent_at_a_crash_is_unknown_and_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let server = FakeRelay::start(|_| None).await;
    {
        // A process that ends between the intent and the reply.
        let desk = Desk::on(Ledger::open(&path).unwrap(), 3, &relay(&server)).await;
        let intent = desk
            .ledger
            .intent(desk.key(), 1, "1@x", "main", Timestamp::UNIX_EPOCH);
        intent.durable().await.unwrap();
    }
    let ledger = Ledger::open(&path).unwrap();
    let desk = Desk::on(ledger, 3, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete));
    assert_eq!(desk.states().await, ["sent", "unknown", "sent"]);
    assert_eq!(server.log().dots, ["r0@example.com", "r2@example.com"]);
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_a_second_one_does_not() {
    let slow = Duration::from_millis(150);
    for (requests, expected) in [(1, "sent"), (2, "unknown")] {
        let stop = Stop::new();
        let asked = stop.clone();
        let server = FakeRelay::start(move |event| {
            if event.stage == Stage::Dot {
                for _ in 0..requests {
                    asked.request();
                }
                // The relay takes its time, on a thread of its own.
                let begun = std::time::Instant::now();
                while begun.elapsed() < slow {
                    std::hint::spin_loop();
                }
            }
            None
        });
        let server = server.await;
        let mut desk = Desk::new(5, &relay(&server)).await;
        desk.stop = stop;
        let summary = desk.send(relay(&server)).await;
        let states = desk.states().await;
        match requests {
            1 => {
                assert!(matches!(summary.end, End::Stopped), "{:?}", summary.end);
                assert_eq!(
                    states,
                    [expected, "pending", "pending", "pending", "pending"]
                );
                assert_eq!(desk.state().await, CampaignState::Interrupted);
            }
            _ => assert_eq!(states[1..], ["pending"; 4]),
        }
    }
}

#[tokio::test]
async fn a_second_stop_breaks_off_at_once() {
    let server = FakeRelay::start(|event| match event.stage {
        _ if is_for(event, Stage::Dot, 0) => Some(Act::Stall),
        _ if is_for(event, Stage::Rcpt, 1) => Some(Act::Stall),
        _ => None,
    })
    .await;
    let patient = Relay {
        connections: 2,
        deadlines: Deadlines::default(),
        ..relay(&server)
    };
    let desk = Desk::new(3, &patient).await;
    let stop = desk.stop.clone();
    let stopping = async {
        while server.log().dots.is_empty() || server.connections() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.request();
        tokio::time::sleep(Duration::from_millis(20)).await;
        stop.request();
    };
    let (summary, ()) = tokio::join!(desk.send(patient), stopping);
    assert!(matches!(summary.end, End::Stopped));
    // Only the one that was handed over is in doubt.
    assert_eq!(desk.states().await, ["unknown", "pending", "pending"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_even_offered() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Hello => say("250-relay.test\r\n250 SIZE 33"),
        _ => None,
    })
    .await;
    let desk = Desk::new(1, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Complete));
    let row = &desk.rows().await[0];
    assert_eq!(row.state, State::Failed);
    assert_eq!(
        row.reply.as_deref(),
        Some("the message has 34 bytes, and the relay takes 33 at most")
    );
    assert!(
        !server.log().commands[0]
            .iter()
            .any(|line| line.starts_with("MAIL"))
    );
}

struct Strange;

impl Mails for Strange {
    fn mail(&self, seq: u32) -> Result<Mail> {
        let mut mail = Letters.mail(seq)?;
        if seq == 0 {
            mail.envelope.recipient = address("zoë@example.com");
        }
        Ok(mail)
    }

    fn skip(&self, seq: u32) -> Option<String> {
        (seq == 1).then(|| "unsubscribed".to_owned())
    }
}

#[tokio::test]
async fn international_addresses_need_a_relay_that_knows_them() {
    for (offer, expected) in [("250 HELP", "failed"), ("250 SMTPUTF8", "sent")] {
        let server = FakeRelay::start(move |event| match event.stage {
            Stage::Hello => say(&format!("250-relay.test\r\n{offer}")),
            _ => None,
        })
        .await;
        let mut desk = Desk::new(3, &relay(&server)).await;
        desk.mails = Arc::new(Strange);
        let summary = desk.send(relay(&server)).await;
        assert_eq!(desk.states().await, [expected, "skipped", "sent"]);
        assert_eq!(summary.tried, 2);
        let mail = server.log().commands[0]
            .iter()
            .find(|line| line.starts_with("MAIL"))
            .cloned();
        let utf8 = mail.is_some_and(|line| line.ends_with(" SMTPUTF8"));
        assert_eq!(utf8, expected == "sent");
    }
}

struct Broken;

impl Mails for Broken {
    fn mail(&self, seq: u32) -> Result<Mail> {
        match seq {
            2 => Err(Error::data("cannot fill in row 2")),
            _ => Letters.mail(seq),
        }
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_made_stops_the_run() {
    let server = FakeRelay::start(|_| None).await;
    let mut desk = Desk::new(5, &relay(&server)).await;
    desk.mails = Arc::new(Broken);
    let error = desk
        .try_send(Smtp::new(relay(&server)).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.message(), "cannot fill in row 2");
    assert_eq!(
        desk.states().await,
        ["sent", "sent", "pending", "pending", "pending"]
    );
}

#[derive(Default)]
struct Watch(Mutex<Vec<Counts>>);

impl Progress for Watch {
    fn settled(&self, counts: &Counts) {
        self.0.lock().unwrap().push(*counts);
    }
}

#[tokio::test]
async fn files_are_written_and_progress_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = FakeRelay::start(|_| None).await;
    let desk = Desk::new(3, &relay(&server)).await;
    let watch = Arc::new(Watch::default());
    deliver(
        desk.plan.clone(),
        desk.ledger.clone(),
        desk.mails.clone(),
        Arc::new(Files::new(folder.path().join("out"))),
        desk.clock.clone(),
        watch.clone(),
        desk.stop.clone(),
    )
    .await
    .unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3);
    assert!(
        names[0].starts_with("000000-") && names[0].ends_with(".eml"),
        "{names:?}"
    );
    assert!(!names.concat().contains("example"));
    let written = std::fs::read(folder.path().join("out").join(&names[1])).unwrap();
    assert_eq!(written, Letters.mail(1).unwrap().message);
    let told: Vec<(u64, u64)> = watch
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|counts| (counts.pending, counts.sent))
        .collect();
    assert_eq!(told, [(2, 1), (1, 2), (0, 3)]);
}

/// Runs are broken off at any moment, again and again. Whatever the books call sent has arrived once;
/// whatever has arrived is in the books as sent or unknown; a break leaves no more rows in doubt than
/// there are connections; and nobody gets two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_break_loses_or_doubles_anything() {
    const ROWS: u32 = 400;
    const CONNECTIONS: usize = 4;
    for seed in 0..4_u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        // A few lose their connection after the relay has taken the message.
        let server = FakeRelay::start(move |event| {
            let lost =
                event.stage == Stage::Dot && event.line.ends_with("7@example.com") && seed % 2 == 1;
            lost.then(|| Act::SayThenClose("250".to_owned()))
        })
        .await;
        let relay = Relay {
            connections: CONNECTIONS,
            messages_per_connection: 30,
            ..relay(&server)
        };
        let mut breaks = 0;
        loop {
            let desk = Desk::on(Ledger::open(&path).unwrap(), ROWS, &relay).await;
            let before = desk.ledger.counts(desk.key()).await.unwrap();
            let ledger = desk.ledger.clone();
            let transport = Smtp::new(relay.clone()).unwrap();
            let (key, running) = (
                desk.key(),
                tokio::spawn(async move { desk.try_send(transport).await }),
            );
            tokio::time::sleep(Duration::from_millis(15 + (seed * 7 + breaks * 13) % 40)).await;
            running.abort();
            let ended = running.await;
            // The books are closed when the last one who holds them has let go.
            while Arc::strong_count(&ledger) > 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ledger.flush().await.unwrap();
            let now = ledger.counts(key).await.unwrap();
            assert!(now.sending <= CONNECTIONS as u64, "{now:?}");
            assert!(now.sent >= before.sent);
            drop(ledger);
            match ended {
                Ok(summary) => {
                    summary.unwrap();
                    break;
                }
                Err(_) => breaks += 1,
            }
        }
        let books = Books::open(&path).unwrap().unwrap();
        let key = books.campaign("welcome@all").unwrap().unwrap().key;
        let copies = server.copies();
        for row in books.rows(key, None, ROWS).unwrap() {
            let got = copies
                .get(&format!("r{}@example.com", row.seq))
                .copied()
                .unwrap_or_default();
            match row.state {
                State::Sent => assert_eq!(got, 1, "{row:?}"),
                State::Unknown => assert!(got <= 1, "{row:?}"),
                _ => panic!("{row:?}"),
            }
        }
        assert!(breaks > 0, "the test has broken nothing");
    }
}
