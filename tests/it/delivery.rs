//! Delivery against a relay that misbehaves in every way that we could think of: what stands in the
//! books afterwards, and what the relay has seen.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use letterpress::{
    audience::Address,
    clock::{Clock, System},
    delivery::{
        Credentials, Deadlines, End, Lane, Mails, Plan, Progress, Relay, Retry, Security, Stop,
        Summary, deliver,
        ledger::{CampaignState, Counts, Key, Ledger, NewCampaign, Row, State},
        pace::{Limits, Rate},
        transport::{Files, Smtp, Transport},
    },
    error::{Error, Kind, Result},
    mail::{Envelope, Mail},
};

use crate::delivery_relay::{Event, FakeRelay, Stage, say};

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
    pub limits: Limits,
    pub clock: Arc<dyn Clock>,
    pub stop: Stop,
    pub mails: Arc<dyn Mails>,
}

pub fn relay(server: &FakeRelay) -> Relay {
    let short = Duration::from_millis(400);
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
        let mut plan = Plan::new(key);
        plan.retry = Retry {
            relay_first: Duration::from_millis(5),
            relay_longest: Duration::from_millis(20),
            relay_patience: Duration::from_secs(1),
            ..Retry::default()
        };
        Self {
            ledger: Arc::new(ledger),
            limits: Lane::new(relay, Rate::Max, ()).limits,
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
        let lane = Lane {
            limits: self.limits.clone(),
            weight: 1,
            transport,
        };
        self.send_by(vec![lane]).await
    }

    pub async fn send_by<T: Transport>(&self, lanes: Vec<Lane<T>>) -> Result<Summary> {
        deliver(
            self.plan.clone(),
            lanes,
            self.ledger.clone(),
            self.mails.clone(),
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

pub fn is_for(event: &Event, stage: Stage, seq: u32) -> bool {
    event.stage == stage && event.line.contains(&format!("r{seq}@"))
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
            "MAIL FROM:<bounce@news.example.com> SIZE=34",
            "RCPT TO:<r0@example.com>",
            "DATA",
            "QUIT",
        ]]
    );
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
        assert_eq!(server.log().commands[0][1..=expected.len()], expected);
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
        vec![Lane {
            limits: desk.limits.clone(),
            weight: 1,
            transport: Files::new(folder.path().join("out")),
        }],
        desk.ledger.clone(),
        desk.mails.clone(),
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
