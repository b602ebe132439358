use proptest::prelude::*;

use super::*;

/// Sends one message after another, each as soon as all brakes let it go: when each of them had left.
fn sent_one_by_one(outlook: &Outlook<'_>, messages: u64) -> Vec<f64> {
    let start = outlook.now.as_duration().as_secs_f64();
    let mut quotas: Vec<Quota> = outlook
        .quotas
        .iter()
        .filter_map(|rate| Quota::new(*rate))
        .collect();
    let mut ramp = outlook
        .warmup
        .map(|(warmup, first)| Ramp::new(warmup, first, BUCKETS));
    for (second, n) in outlook.used {
        quotas.iter_mut().for_each(|quota| quota.count(*second, *n));
        ramp.iter_mut().for_each(|ramp| ramp.count(*second, *n));
    }
    let mut at = start;
    let mut left = Vec::new();
    for _ in 0..messages {
        loop {
            if let Some(end) = outlook.quiet.and_then(|quiet| quiet.end(time(at).unwrap())) {
                at = end.as_duration().as_secs_f64();
                continue;
            }
            let second = whole(at);
            let waits = quotas.iter_mut().map(|quota| quota.wait(second));
            let wait = waits
                .chain(ramp.as_mut().map(|ramp| ramp.wait(second)))
                .max()
                .unwrap_or(0);
            if wait == 0 {
                break;
            }
            at = at.floor() + wait as f64;
        }
        quotas
            .iter_mut()
            .for_each(|quota| quota.count(whole(at), 1));
        ramp.iter_mut().for_each(|ramp| ramp.count(whole(at), 1));
        at += outlook.per_second.map_or(0.0, |rate| 1.0 / rate);
        left.push(at - start);
    }
    left
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn an_estimate_is_near_to_what_comes(
        due in 1..20_000_u64,
        count in 1..200_u32,
        window in prop::sample::select(vec![1_u64, 60, 3600]),
        daily in 500..20_000_u32,
        hourly in 50..5_000_u32,
        used in 0..2_000_u64,
        warm in any::<bool>(),
        quiet in prop::sample::select(vec![None, Some("22:00-07:00 Europe/Berlin"), Some("12:00-13:00 UTC")]),
    ) {
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let per = |count, seconds| Rate::Per { count, window: Duration::from_secs(seconds) };
        let quotas = [per(daily, 86_400), per(hourly, 3_600)];
        let used = [(now.as_second() - 20_000, used)];
        let quiet: Option<QuietHours> = quiet.map(|text| text.parse().unwrap());
        let outlook = Outlook {
            now,
            due,
            per_second: per(count, window).per_second(),
            quotas: &quotas,
            used: &used,
            warmup: warm.then(|| (Warmup::new(100, 1.6, 15_000).unwrap(), now.as_second() - 30_000)),
            quiet: quiet.as_ref(),
            closed: None,
        };
        let estimate = finish(&outlook).unwrap().duration_since(now).as_secs_f64();
        // The last few messages can fall on either side of a night, so what is near is counted in
        // messages too: a hundredth of them fewer, or more.
        let few = due / 100 + 1;
        let left = sent_one_by_one(&outlook, due + few);
        let earliest = due.checked_sub(few + 1).map_or(0.0, |last| left[last as usize]);
        let latest = left[(due + few - 1) as usize];
        prop_assert!(estimate >= earliest * 0.95 - 60.0, "{estimate} is before {earliest}");
        prop_assert!(estimate <= latest * 1.05 + 60.0, "{estimate} is after {latest}");
    }
}

#[test]
fn without_brakes_it_is_done_at_once_and_a_closed_relay_is_waited_for() {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let outlook = Outlook {
        now,
        due: 1_000_000,
        per_second: None,
        quotas: &[],
        used: &[],
        warmup: None,
        quiet: None,
        closed: None,
    };
    assert_eq!(finish(&outlook), Some(now));
    let later = now + Duration::from_secs(3600);
    let closed = Outlook {
        closed: Some(later),
        per_second: Some(100.0),
        ..outlook.clone()
    };
    assert_eq!(finish(&closed), Some(later + Duration::from_secs(10_000)));
    // Ages are said as well.
    let slow = ["1/7d".parse().unwrap()];
    let ages = Outlook {
        quotas: &slow,
        due: 10_000,
        ..outlook
    };
    let years = finish(&ages).unwrap().duration_since(now).as_hours() / 24 / 365;
    assert!((190..194).contains(&years), "{years}");
}
