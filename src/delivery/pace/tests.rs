use proptest::prelude::*;

use super::*;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn rates_are_read_and_written() {
    for text in [
        "14/s",
        "30/min",
        "100/h",
        "50000/24h",
        "7/90s",
        "1/5min",
        "max",
    ] {
        assert_eq!(rate(text).to_string(), text);
    }
    assert_eq!(rate("2000 / 1d").to_string(), "2000/24h");
    assert_eq!(
        rate("14/s"),
        Rate::Per {
            count: 14,
            window: Duration::from_secs(1)
        }
    );
}

#[test]
fn what_is_no_rate_is_said() {
    for (text, message) in [
        ("14", "`14` is not a rate"),
        ("", "`` is not a rate"),
        ("0/s", "the rate `0/s` would never send anything"),
        ("-1/s", "`-1` in the rate `-1/s` is not a number"),
        ("14/m", "`m` in the rate `14/m` is not a span of time"),
        ("14/é", "`é` in the rate `14/é` is not a span of time"),
        (
            "1/8d",
            "the span of the rate `1/8d` is not between a second and seven days",
        ),
        (
            "1/0s",
            "the span of the rate `1/0s` is not between a second and seven days",
        ),
        (
            "1/99999999999999999999h",
            "the span of the rate `1/99999999999999999999h` is not between a second and seven days",
        ),
    ] {
        let error = text.parse::<Rate>().unwrap_err();
        assert_eq!(error.message(), message);
        assert_eq!(error.kind(), Kind::Settings);
    }
}

/// The largest number of events in any half-open window.
fn most_in_a_window(mut times: Vec<u128>, window: u128) -> usize {
    times.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while time - times[first] >= window {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_window_holds_more_than_was_allowed(
        count in 1..60_u32,
        seconds in 1..120_u64,
        steps in proptest::collection::vec((0..3_000_u64, 0..1_000_u128), 1..300),
    ) {
        let window = Duration::from_secs(seconds);
        let mut pace = Pace::new(Rate::Per { count, window }).unwrap();
        let mut now = Duration::ZERO;
        let mut left = Vec::new();
        let mut arrived = Vec::new();
        for (step, late) in steps {
            now += Duration::from_millis(step * seconds / u64::from(count) / 2);
            let at = now + pace.next(now);
            left.push(at.as_nanos());
            // Late by less than a tenth of the window.
            arrived.push(at.as_nanos() + window.as_nanos() / 10 * late / 1_000);
        }
        prop_assert!(most_in_a_window(left, window.as_nanos()) <= count as usize);
        prop_assert!(most_in_a_window(arrived, window.as_nanos()) <= count as usize);
    }

    #[test]
    fn a_quota_holds_over_restarts(
        limit in 1..20_u32,
        seconds in 1..50_u64,
        steps in proptest::collection::vec((0..4_000_i64, any::<bool>()), 1..300),
    ) {
        let rate = Rate::Per { count: limit, window: Duration::from_secs(seconds) };
        let mut quota = Quota::new(rate).unwrap();
        let mut now = 1_000_000_i64; // in milliseconds
        let mut sent: Vec<i64> = Vec::new();
        for (step, restart) in steps {
            now += step;
            if restart {
                quota = Quota::new(rate).unwrap();
                for at in &sent {
                    quota.count(at / 1000, 1);
                }
            }
            let wait = quota.wait(now / 1000);
            prop_assert!(wait >= 0);
            if wait == 0 {
                quota.count(now / 1000, 1);
                sent.push(now);
            } else {
                // What it says is true: that much later one more may go, and not sooner.
                prop_assert_eq!(quota.clone().wait(now / 1000 + wait), 0);
                prop_assert!(quota.clone().wait(now / 1000 + wait - 1) > 0);
            }
        }
        let sent = sent.into_iter().map(|at| at.unsigned_abs().into()).collect();
        prop_assert!(most_in_a_window(sent, u128::from(seconds) * 1000) <= limit as usize);
    }
}

#[test]
fn the_pace_is_kept_up_when_there_is_work() {
    let mut pace = Pace::new(rate("14/s")).unwrap();
    let last = (0..141).map(|_| pace.next(Duration::ZERO)).last().unwrap();
    let interval = last.as_secs_f64() / 140.0;
    assert!((interval - 1.1 / 14.0).abs() < 1e-6, "{interval}");
}

#[test]
fn what_did_not_leave_is_not_counted() {
    let per = Rate::Per {
        count: 3,
        window: Duration::from_secs(60),
    };
    let mut quota = Quota::new(per).unwrap();
    for second in [10, 20, 20] {
        quota.count(second, 1);
    }
    assert_eq!(quota.wait(20), 51);
    quota.uncount(20);
    assert_eq!((quota.wait(20), quota.free(20)), (0, 1));
    quota.count(21, 1);
    // The one of the tenth second is still there.
    assert_eq!(quota.wait(21), 50);
    // What has left the window, or was never counted, changes nothing.
    quota.uncount(5);
    assert_eq!(quota.free(21), 0);
    assert_eq!(quota.free(200), 3);
    quota.uncount(21);
    assert_eq!(quota.free(200), 3);
}
