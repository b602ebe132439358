use super::*;
use crate::clock::Manual;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn limiter(rate: Rate, quotas: &[Rate], usage: &[(i64, u64)], now: Timestamp) -> Limiter {
    let limits = Limits {
        quotas: quotas.to_vec(),
        ..Limits::new("main", rate)
    };
    let past = Past {
        usage: usage.to_vec(),
        ..Past::default()
    };
    Limiter::new(&limits, &past, now)
}

fn is_granted(permit: Permit) -> bool {
    matches!(permit, Permit::Granted(_))
}

#[tokio::test(start_paused = true)]
async fn permits_that_were_slept_through_do_not_hold() {
    let clock = Manual::at(Timestamp::UNIX_EPOCH);
    let limiter = limiter(rate("10/s"), &[], &[], clock.now());
    let waiting = async {
        tokio::join!(
            limiter.permit(Group::NONE, &clock),
            limiter.permit(Group::NONE, &clock),
            limiter.permit(Group::NONE, &clock)
        )
    };
    tokio::pin!(waiting);
    // All three wait for their moments, and then nobody looks for five seconds.
    assert!(poll_once(waiting.as_mut()).is_none());
    tokio::time::advance(Duration::from_secs(5)).await;
    let (first, second, third) = waiting.await;
    for permit in [first, second, third] {
        let Permit::Granted(moment) = permit else {
            panic!("{permit:?}");
        };
        assert!(!limiter.holds(moment, Group::NONE));
    }
    // The next one is for now, and there are no arrears.
    for expected in [0, 110] {
        let start = Instant::now();
        let Permit::Granted(moment) = limiter.permit(Group::NONE, &clock).await else {
            panic!("a permit");
        };
        assert!(limiter.holds(moment, Group::NONE));
        let took = start.elapsed().as_millis();
        assert!((expected..=expected + 2).contains(&took), "{took}");
    }
}

/// Polls once.
fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn workers_share_one_limiter() {
    let clock = Manual::at(Timestamp::UNIX_EPOCH);
    let limiter = std::sync::Arc::new(limiter(rate("10/s"), &[], &[], clock.now()));
    let start = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let (limiter, clock) = (limiter.clone(), clock.clone());
        workers.spawn(async move {
            for _ in 0..4 {
                assert!(is_granted(limiter.permit(Group::NONE, &clock).await));
            }
        });
    }
    workers.join_all().await;
    let took = start.elapsed().as_millis();
    assert!((2_090..2_120).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn the_first_permit_of_a_run_minds_the_last_of_the_run_before() {
    let now = Timestamp::from_second(100).unwrap();
    for (past, earliest, latest) in [
        (100, 2_100, 2_110),
        (98, 100, 110),
        (50, 0, 5),
        (9_999, 2_100, 2_110),
    ] {
        let clock = Manual::at(now);
        let limiter = limiter(rate("1/s"), &[], &[(past, 1)], now);
        let start = Instant::now();
        assert!(is_granted(limiter.permit(Group::NONE, &clock).await));
        let took = start.elapsed().as_millis();
        assert!((earliest..latest).contains(&took), "{past}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_that_is_used_up_ends_the_run_unless_it_frees_soon() {
    let now = Timestamp::from_second(100_000).unwrap();
    let clock = Manual::at(now);
    let quotas = [rate("3/24h"), rate("100/h")];
    let past = [(99_000, 1), (99_500, 1)];
    let spent = limiter(Rate::Max, &quotas, &past, now);
    assert!(is_granted(spent.permit(Group::NONE, &clock).await));
    let until = Timestamp::from_second(99_000 + 24 * 3600 + 1).unwrap();
    assert_eq!(
        spent.permit(Group::NONE, &clock).await,
        Permit::Exhausted {
            until,
            reason: "the quota of 3/24h is used up".to_owned()
        }
    );

    let soon = limiter(Rate::Max, &[rate("1/min")], &[(99_990, 1)], now);
    let waiting = soon.permit(Group::NONE, &clock);
    let moving = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        clock.advance(Duration::from_secs(51));
    };
    let start = Instant::now();
    assert!(is_granted(tokio::join!(waiting, moving).0));
    assert_eq!(start.elapsed().as_secs(), 51);
}
