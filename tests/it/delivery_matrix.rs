//! The matrix of faults: each thing that can go wrong between a connection and its end, with and
//! without PIPELINING, and what it comes to: the rows, the end of the run, the connections, the time.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use letterpress::{
    delivery::{End, Mails, Relay, Security, Summary, ledger::CampaignState},
    error::{Kind, Result},
    mail::Mail,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use crate::{
    delivery::{Desk, Letters, is_for, relay, trouble},
    delivery_relay::{Act, FakeRelay, Stage, say, without_pipelining},
};

type MakeAct = fn() -> Act;

/// As `relay` sets each deadline.
const DEADLINE: Duration = Duration::from_millis(400);

/// Runs a campaign of three against a relay that answers so on its first connection, to the second
/// person.
async fn meet(stage: Stage, act: MakeAct, pipelining: bool) -> (FakeRelay, Desk, Summary) {
    let met = AtomicBool::new(false);
    let server = FakeRelay::start(move |event| {
        let here = event.messages == 1 && event.stage == stage;
        let act = (here && !met.swap(true, Ordering::Relaxed)).then(act);
        act.or_else(|| match pipelining {
            true => None,
            false => without_pipelining(event),
        })
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    let summary = desk.send(relay(&server)).await;
    (server, desk, summary)
}

fn line(text: &str) -> Act {
    Act::Say(format!("{text}\r\n"))
}

/// What a fault within an exchange comes to, for its row, and on how many connections.
#[tokio::test]
async fn each_fault_of_an_exchange_has_its_outcome() {
    const CASES: [(&str, Stage, MakeAct, &str, usize); 24] = [
        (
            "MAIL 451",
            Stage::Mail,
            || line("451 4.3.0 later"),
            "sent",
            2,
        ),
        (
            "RCPT 450",
            Stage::Rcpt,
            || line("450 4.2.1 later"),
            "deferred",
            1,
        ),
        (
            "RCPT 550",
            Stage::Rcpt,
            || line("550 5.1.1 nobody"),
            "failed",
            1,
        ),
        ("RCPT RST", Stage::Rcpt, || Act::Reset, "sent", 2),
        ("RCPT hang", Stage::Rcpt, || Act::Stall, "sent", 2),
        ("MAIL RST", Stage::Mail, || Act::Reset, "sent", 2),
        ("MAIL hang", Stage::Mail, || Act::Stall, "sent", 2),
        (
            "MAIL half",
            Stage::Mail,
            || Act::Say("25".into()),
            "sent",
            2,
        ),
        (
            "RCPT half",
            Stage::Rcpt,
            || Act::Say("25".into()),
            "sent",
            2,
        ),
        (
            "DATA half",
            Stage::Data,
            || Act::Say("35".into()),
            "sent",
            2,
        ),
        ("MAIL garbage", Stage::Mail, || line("\u{1b}[2J"), "sent", 2),
        ("DATA RST", Stage::Data, || Act::Reset, "sent", 2),
        (
            "DATA 451",
            Stage::Data,
            || line("451 4.3.0 later"),
            "deferred",
            1,
        ),
        (
            "DATA 554",
            Stage::Data,
            || line("554 5.6.0 no"),
            "failed",
            1,
        ),
        ("dot RST", Stage::Dot, || Act::Reset, "unknown", 2),
        ("dot close", Stage::Dot, || Act::Close, "unknown", 2),
        (
            "dot accepted, then half a reply and close",
            Stage::Dot,
            || Act::SayThenClose("250 2.0".into()),
            "unknown",
            2,
        ),
        ("dot hang", Stage::Dot, || Act::Stall, "unknown", 2),
        (
            "dot half",
            Stage::Dot,
            || Act::Say("25".into()),
            "unknown",
            2,
        ),
        (
            "dot garbage",
            Stage::Dot,
            || line("yes, thanks"),
            "unknown",
            2,
        ),
        (
            "dot 451",
            Stage::Dot,
            || line("451 4.3.0 later"),
            "deferred",
            1,
        ),
        ("dot 421", Stage::Dot, || line("421 4.3.2 down"), "sent", 2),
        (
            "dot 250, late",
            Stage::Dot,
            || Act::Late(Duration::from_millis(300), "250 ok\r\n".into()),
            "sent",
            1,
        ),
        (
            "RCPT 250, late",
            Stage::Rcpt,
            || Act::Late(Duration::from_millis(300), "250 ok\r\n".into()),
            "sent",
            1,
        ),
    ];
    let runs = CASES.iter().flat_map(|case| [(case, true), (case, false)]);
    let runs = runs.map(
        |(&(name, stage, act, state, connections), pipelining)| async move {
            let begun = Instant::now();
            let (server, desk, summary) = meet(stage, act, pipelining).await;
            let name = format!("{name}, pipelining {pipelining}");
            assert_eq!(desk.states().await, ["sent", state, "sent"], "{name}");
            match state {
                "deferred" => assert!(matches!(summary.end, End::Deferred { .. }), "{name}"),
                _ => assert!(matches!(summary.end, End::Complete), "{name}"),
            }
            assert_eq!(server.connections(), connections, "{name}");
            // Whose envelope rode with the message that met the fault was not begun by that.
            let attempts: Vec<u32> = desk.rows().await.iter().map(|row| row.attempts).collect();
            assert_eq!(attempts, [1, 1, 1], "{name}");
            // Nothing was said on the first connection after the fault, not even goodbye.
            if connections == 2 {
                let log = server.log();
                let said = log.commands[0].concat();
                let rode = pipelining && stage == Stage::Dot;
                assert!(rode || !said.contains("r2@"), "{name}");
                assert!(!said.contains("QUIT"), "{name}");
            }
            let took = begun.elapsed();
            assert!(
                took < 2 * DEADLINE + Duration::from_millis(1200),
                "{name}: {took:?}"
            );
            assert!(
                server.copies().values().all(|copies| *copies == 1),
                "{name}"
            );
        },
    );
    all_at_once(runs).await;
}

/// Most of their time is waiting.
async fn all_at_once(runs: impl Iterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let runs: tokio::task::JoinSet<()> = runs.collect();
    runs.join_all().await;
}

/// A hang ends at the deadline, and not half a second later.
#[tokio::test]
async fn a_hang_ends_at_its_deadline() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
        let begun = Instant::now();
        let (..) = meet(stage, || Act::Stall, true).await;
        let took = begun.elapsed();
        assert!(
            took >= DEADLINE && took < DEADLINE + Duration::from_millis(500),
            "{stage:?}: {took:?}"
        );
    }
}

/// What a fault before any exchange comes to, when it is there on every connection: nobody is used
/// up, and the run ends in time.
#[tokio::test]
async fn each_fault_of_a_session_is_the_relays() {
    const CASES: [(&str, Stage, MakeAct); 10] = [
        ("no greeting", Stage::Greeting, || Act::Stall),
        ("greeting RST", Stage::Greeting, || Act::Reset),
        ("greeting close", Stage::Greeting, || Act::Close),
        ("greeting 421", Stage::Greeting, || line("421 4.3.2 busy")),
        ("greeting 554", Stage::Greeting, || line("554 5.3.2 no")),
        ("greeting garbage", Stage::Greeting, || line("SSH-2.0-x")),
        ("EHLO 550", Stage::Hello, || line("550 5.7.1 go away")),
        ("EHLO hang", Stage::Hello, || Act::Stall),
        ("EHLO half", Stage::Hello, || Act::Say("250-relay".into())),
        ("EHLO RST", Stage::Hello, || Act::Reset),
    ];
    let runs = CASES.iter().map(|&(name, stage, act)| async move {
        let server = FakeRelay::start(move |event| (event.stage == stage).then(act)).await;
        let desk = Desk::new(2, &relay(&server)).await;
        let begun = Instant::now();
        let summary = desk.send(relay(&server)).await;
        let took = begun.elapsed();
        assert_eq!(trouble(&summary).kind(), Kind::TryLater, "{name}");
        assert_eq!((summary.counts.pending, summary.tried), (2, 0), "{name}");
        assert_eq!(desk.state().await, CampaignState::Interrupted, "{name}");
        assert!(server.connections() >= 2, "{name}");
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
    });
    all_at_once(runs).await;
}

/// What a relay does when it was asked to begin TLS.
#[derive(Clone, Copy, Debug)]
enum Handshake {
    Garbage,
    Reset,
    Hang,
}

async fn begins_tls_so(how: Handshake) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(socket);
            for answer in ["220 relay.test", "250-relay.test\r\n250 STARTTLS", "220 go"] {
                let answer = format!("{answer}\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                if !answer.starts_with("220 go") {
                    stream.read_line(&mut String::new()).await.unwrap();
                }
            }
            let _ = stream.read_u8().await;
            match how {
                Handshake::Garbage => stream.write_all(&[b'x'; 200]).await.unwrap(),
                Handshake::Reset => stream.get_ref().set_zero_linger().unwrap(),
                Handshake::Hang => {}
            }
            if !matches!(how, Handshake::Reset) {
                kept.push(stream);
            }
        }
    });
    (address, task)
}

#[tokio::test]
async fn a_handshake_that_fails_sends_nothing() {
    for (how, kind) in [
        (Handshake::Garbage, Kind::Unavailable),
        (Handshake::Reset, Kind::TryLater),
        (Handshake::Hang, Kind::TryLater),
    ] {
        let (address, task) = begins_tls_so(how).await;
        let server = FakeRelay::start(|_| None).await;
        let mut relay = Relay {
            host: "localhost".to_owned(),
            port: address.port(),
            security: Security::StartTls,
            ..relay(&server)
        };
        relay.deadlines.tls = DEADLINE;
        let desk = Desk::new(2, &relay).await;
        let begun = Instant::now();
        let summary = desk.send(relay).await;
        assert_eq!(trouble(&summary).kind(), kind, "{how:?}");
        assert_eq!((summary.counts.pending, summary.tried), (2, 0), "{how:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{how:?}");
        task.abort();
    }
}

/// One mail that no buffer between us and the relay can hold.
struct Huge;

impl Mails for Huge {
    fn mail(&self, seq: u32) -> Result<Mail> {
        let mut mail = Letters.mail(seq)?;
        if seq == 1 {
            mail.message = "x\r\n".repeat(16 << 20).into_bytes();
        }
        Ok(mail)
    }
}

/// The dot was not handed over, so there is no doubt: it goes out again, at once.
#[tokio::test]
async fn a_connection_lost_within_the_message_leaves_no_doubt() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Hello => say("250-relay.test\r\n250 PIPELINING"),
        Stage::Data if event.connection == 0 && event.messages == 1 => {
            Some(Act::TakeALineThenReset)
        }
        _ => None,
    })
    .await;
    let relay = Relay {
        deadlines: letterpress::delivery::Deadlines::default(),
        ..relay(&server)
    };
    let mut desk = Desk::new(3, &relay).await;
    desk.mails = Arc::new(Huge);
    let summary = desk.send(relay).await;
    assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
    assert_eq!(desk.states().await, ["sent", "sent", "sent"]);
    assert_eq!(desk.rows().await[1].attempts, 1);
    assert_eq!(server.connections(), 2);
    assert!(server.copies().values().all(|copies| *copies == 1));
}

/// A reply without an end is no way to keep a sender, nor its memory.
#[tokio::test]
async fn a_reply_that_does_not_end_is_cut() {
    let server = FakeRelay::start(|event| {
        let flood = || Act::Say("250-and on and on and on and on\r\n".repeat(100_000));
        is_for(event, Stage::Dot, 1).then(flood)
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    let begun = Instant::now();
    desk.send(relay(&server)).await;
    assert_eq!(desk.states().await, ["sent", "unknown", "sent"]);
    assert_eq!(
        desk.rows().await[1].reply.as_deref(),
        Some("the relay's reply does not end")
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// What a relay says goes to a terminal and into a file: printable ASCII, and not much of it.
#[tokio::test]
async fn what_a_relay_says_is_kept_short_and_plain() {
    let server = FakeRelay::start(|event| match event.stage {
        _ if is_for(event, Stage::Rcpt, 0) => {
            say("550 5.1.1 \u{1b}[2J\u{7}\u{0}\u{9b}zo\u{eb} \u{202e}gone")
        }
        _ if is_for(event, Stage::Rcpt, 1) => Some(Act::Say(
            "550-5.1.1 no no no no no no\r\n".repeat(500) + "550 5.1.1 no\r\n",
        )),
        _ if is_for(event, Stage::Dot, 2) => say(&format!("250 ok {}", "x".repeat(3000))),
        _ => None,
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    desk.send(relay(&server)).await;
    assert_eq!(desk.states().await, ["failed", "failed", "sent"]);
    assert_eq!(server.connections(), 1);
    let rows = desk.rows().await;
    for row in &rows {
        let reply = row.reply.as_deref().unwrap();
        assert!(reply.len() <= 500, "{}", reply.len());
        assert!(
            reply.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{reply:?}"
        );
    }
}
