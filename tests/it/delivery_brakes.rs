//! What holds a run back: groups of domains, a canary, quiet hours, a relay that says it is enough.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use letterpress::{
    delivery::{
        End, Lane, Mails, Relay,
        pace::{GroupLimit, Groups, Presets, Rate},
        transport::Smtp,
    },
    error::{Kind, Result},
    mail::Mail,
};

use crate::{
    delivery::{Desk, Letters, relay, trouble},
    delivery_relay::{FakeRelay, Stage, say},
};

/// Every other mail goes to a slow domain.
struct Mixed;

fn is_slow(seq: u32) -> bool {
    seq.is_multiple_of(2)
}

impl Mails for Mixed {
    fn mail(&self, seq: u32) -> Result<Mail> {
        Letters.mail(seq)
    }

    fn domain(&self, seq: u32) -> Option<String> {
        let name = if is_slow(seq) { "slow" } else { "swift" };
        Some(format!("{name}.example"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_group_has_its_connections_and_no_more() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (within, highest) = (now.clone(), most.clone());
    let server = FakeRelay::start(move |event| {
        let digits = event.line.chars().filter(char::is_ascii_digit);
        let seq = digits.collect::<String>().parse().unwrap_or(1);
        match event.stage {
            Stage::Rcpt if is_slow(seq) => {
                highest.fetch_max(within.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                #[expect(clippy::disallowed_methods, reason = "a script cannot await")]
                std::thread::sleep(Duration::from_millis(5));
            }
            Stage::Dot if is_slow(seq) => {
                within.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
        None
    })
    .await;
    let relay = Relay {
        connections: 4,
        ..relay(&server)
    };
    for (connections, expected) in [(1, 1..=1), (4, 2..=4)] {
        most.store(0, Ordering::SeqCst);
        let mut desk = Desk::new(60, &relay).await;
        let limit = GroupLimit {
            connections: Some(connections),
            ..GroupLimit::default()
        };
        let limits = BTreeMap::from([("slow.example".to_owned(), limit)]);
        desk.limits.groups = Arc::new(Groups::new(limits, Presets::Off).unwrap());
        desk.mails = Arc::new(Mixed);
        let summary = desk.send(relay.clone()).await;
        assert_eq!(summary.counts.sent, 60);
        let most = most.load(Ordering::SeqCst);
        assert!(expected.contains(&most), "{most} at {connections}");
    }
}

#[tokio::test]
async fn a_canary_that_fares_badly_keeps_the_rest_from_going() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Rcpt => say("550 5.1.1 no such user"),
        _ => None,
    })
    .await;
    let relay = Relay {
        connections: 4,
        ..relay(&server)
    };
    let mut desk = Desk::new(6000, &relay).await;
    desk.plan.canary = Some(50);
    let summary = desk.send(relay).await;
    assert_eq!(trouble(&summary).kind(), Kind::Unavailable);
    assert_eq!((summary.tried, summary.counts.failed), (50, 50));
    assert_eq!(summary.counts.pending, 5950);
}

#[tokio::test]
async fn quiet_hours_send_nothing_and_say_until_when() {
    let server = FakeRelay::start(|_| None).await;
    let mut desk = Desk::new(3, &relay(&server)).await;
    let hour = desk
        .clock
        .now()
        .strftime("%H")
        .to_string()
        .parse::<u32>()
        .unwrap();
    let (begin, end) = ((hour + 23) % 24, (hour + 2) % 24);
    desk.limits.quiet = Some(format!("{begin:02}:00-{end:02}:00 UTC").parse().unwrap());
    let summary = desk.send(relay(&server)).await;
    let End::Quota { until, reason } = summary.end else {
        panic!("{:?}", summary.end);
    };
    assert_eq!(reason, "the hours are quiet");
    let until = until.unwrap().strftime("%H:%M").to_string();
    assert_eq!(until, format!("{end:02}:00"));
    assert_eq!((summary.tried, server.connections()), (0, 0));
}

#[tokio::test]
async fn a_relay_that_says_its_quota_is_used_up_is_not_asked_by_the_next_run() {
    let server = FakeRelay::start(|event| match event.stage {
        Stage::Rcpt => say("550 5.4.5 Daily sending quota exceeded"),
        _ => None,
    })
    .await;
    let desk = Desk::new(3, &relay(&server)).await;
    for _ in 0..2 {
        let summary = desk.send(relay(&server)).await;
        assert!(
            matches!(summary.end, End::Quota { until: Some(_), .. }),
            "{:?}",
            summary.end
        );
        assert_eq!(summary.counts.pending, 3);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_slow_group_keeps_nobody_else_waiting() {
    let server = FakeRelay::start(|_| None).await;
    let relay = Relay {
        connections: 2,
        ..relay(&server)
    };
    let mut desk = Desk::new(8, &relay).await;
    let limit = GroupLimit {
        rate: Some("20/s".parse().unwrap()),
        ..GroupLimit::default()
    };
    let limits = BTreeMap::from([("slow.example".to_owned(), limit)]);
    desk.limits.groups = Arc::new(Groups::new(limits, Presets::Off).unwrap());
    desk.mails = Arc::new(Mixed);
    let summary = desk.send(relay).await;
    assert_eq!(summary.counts.sent, 8);
    // Three intervals of 55 ms.
    assert!(
        summary.took >= Duration::from_millis(165),
        "{:?}",
        summary.took
    );
    let dots = server.log().dots.clone();
    let last = dots.last_chunk::<2>().unwrap();
    assert_eq!(*last, ["r4@example.com", "r6@example.com"], "{dots:?}");
}

#[tokio::test]
async fn a_relay_without_weight_steps_in_when_the_first_is_out() {
    for is_out in [false, true] {
        let first = FakeRelay::start(move |event| match event.stage {
            Stage::Mail if is_out => say("550 5.4.5 Daily sending quota exceeded"),
            _ => None,
        })
        .await;
        let second = FakeRelay::start(|_| None).await;
        let desk = Desk::new(6, &relay(&first)).await;
        let lanes = [(&first, "first", 1), (&second, "second", 0)].map(|(server, name, weight)| {
            let relay = Relay {
                name: name.to_owned(),
                ..relay(server)
            };
            let transport = Smtp::new(relay.clone()).unwrap();
            Lane {
                weight,
                ..Lane::new(&relay, Rate::Max, transport)
            }
        });
        let summary = desk.send_by(lanes.into()).await.unwrap();
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        let sent: Vec<u64> = summary.lanes.iter().map(|lane| lane.sent).collect();
        assert_eq!(sent, if is_out { [0, 6] } else { [6, 0] });
    }
}
