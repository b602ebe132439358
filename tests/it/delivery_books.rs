//! The promises: intent before dot, nothing lost and nothing doubled, limits over runs, stops.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use letterpress::{
    clock::Manual,
    delivery::{
        Deadlines, End, Relay, Stop, Thresholds,
        ledger::{Attempt, Books, CampaignState, Counts, Ledger, State},
        pace::Usage,
        transport::Smtp,
    },
};

use crate::delivery::{Desk, is_for, relay};
use crate::delivery_relay::{Act, FakeRelay, Stage};

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
        matches!(&summary.end, End::Quota { until: Some(_), reason } if reason.contains("Daily")),
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
    desk.limits.quotas = vec!["4/24h".parse().unwrap(), "100/h".parse().unwrap()];
    desk.plan.limit = Some(3);
    let summary = desk.send(relay(&server)).await;
    assert!(matches!(summary.end, End::Limit), "{:?}", summary.end);
    assert_eq!(summary.counts.sent, 3);
    clock.advance(Duration::from_secs(3600));
    desk.plan.limit = None;
    let summary = desk.send(relay(&server)).await;
    let free = Timestamp::from_second(1_000_000 + 24 * 3600 + 1).unwrap();
    // A long window is counted in buckets, and a bucket late is on the safe side.
    let late = free + Duration::from_secs(600);
    assert!(
        matches!(&summary.end, End::Quota { until: Some(until), .. } if (free..late).contains(until)),
        "{:?}",
        summary.end
    );
    assert_eq!(summary.counts.sent, 4);
    clock.advance(Duration::from_secs(24 * 3600 + 600));
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
    desk.limits.rate = "50/s".parse().unwrap();
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
        let attempt = Attempt {
            seq: 1,
            message_id: "1@x".to_owned(),
            usage: Usage::new("main", Timestamp::UNIX_EPOCH),
            now: Timestamp::UNIX_EPOCH,
        };
        let intent = desk.ledger.intent(desk.key(), attempt);
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
        // One is handed over, the other has named its recipient.
        let stalled = || {
            let log = server.log();
            let mut said = log.commands.iter().flatten();
            !log.dots.is_empty() && said.any(|line| line.contains("r1@example.com"))
        };
        while !stalled() {
            tokio::task::yield_now().await;
        }
        stop.request();
        stop.request();
    };
    let (summary, ()) = tokio::join!(desk.send(patient), stopping);
    assert!(matches!(summary.end, End::Stopped));
    // Only the one that was handed over is in doubt.
    assert_eq!(desk.states().await, ["unknown", "pending", "pending"]);
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
            let mut desk = Desk::on(Ledger::open(&path).unwrap(), ROWS, &relay).await;
            desk.plan.thresholds = Thresholds::never();
            let before = desk.ledger.counts(desk.key()).await.unwrap();
            let ledger = desk.ledger.clone();
            let transport = Smtp::new(relay.clone()).unwrap();
            let (key, running) = (
                desk.key(),
                tokio::spawn(async move { desk.try_send(transport).await }),
            );
            // The moment: so many messages on, which is now here and now there in an exchange.
            let moment = server.log().dots.len() as u64 + 1 + (seed * 7 + breaks * 13) % 40;
            while (server.log().dots.len() as u64) < moment && !running.is_finished() {
                tokio::task::yield_now().await;
            }
            running.abort();
            let ended = running.await;
            // The books are closed when the last one who holds them has let go.
            while Arc::strong_count(&ledger) > 1 {
                tokio::task::yield_now().await;
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
