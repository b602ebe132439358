use std::{cell::Cell, collections::VecDeque};

use super::{
    super::{GroupLimit, Presets},
    *,
};
use crate::clock::Manual;

/// A clock that goes with the runtime's timer, and that somebody may set.
struct Wall {
    origin: Instant,
    begun: Timestamp,
    set: Mutex<jiff::SignedDuration>,
}

impl Wall {
    fn at(second: i64) -> Self {
        Self {
            origin: Instant::now(),
            begun: Timestamp::from_second(second).unwrap(),
            set: Mutex::default(),
        }
    }

    fn set(&self, hours: i64) {
        *self.set.lock().unwrap() = jiff::SignedDuration::from_hours(hours);
    }
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        self.begun + self.origin.elapsed() + *self.set.lock().unwrap()
    }
}

/// Numbers between 0 and 1 that are the same in each run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }
}

/// The most moments in any half-open window.
fn most_in_a_window(times: &mut [Duration], window: Duration) -> usize {
    times.sort_unstable();
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while *time - times[first] >= window {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn limited(rate: Rate, quotas: &[Rate], usage: &[(i64, u64)], now: Timestamp) -> Limiter {
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
    let limiter = limited(rate("10/s"), &[], &[], clock.now());
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
    let limiter = Arc::new(limited(rate("10/s"), &[], &[], clock.now()));
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
        let limiter = limited(rate("1/s"), &[], &[(past, 1)], now);
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
    let spent = limited(Rate::Max, &quotas, &past, now);
    assert!(is_granted(spent.permit(Group::NONE, &clock).await));
    let until = Timestamp::from_second(99_000 + 24 * 3600 + 24).unwrap();
    assert_eq!(
        spent.permit(Group::NONE, &clock).await,
        Permit::Exhausted {
            until,
            reason: "the quota of 3/24h is used up".to_owned()
        }
    );

    let soon = limited(Rate::Max, &[rate("1/min")], &[(99_990, 1)], now);
    let waiting = soon.permit(Group::NONE, &clock);
    let moving = async {
        sleep(Duration::from_secs(50)).await;
        clock.advance(Duration::from_secs(51));
    };
    let start = Instant::now();
    assert!(is_granted(tokio::join!(waiting, moving).0));
    assert_eq!(start.elapsed().as_secs(), 51);
}

/// The books of a run for the next one.
#[derive(Default)]
struct Notes {
    usage: Vec<(i64, u64)>,
    groups: BTreeMap<String, i64>,
}

impl Notes {
    fn enter(&mut self, usage: &Usage) {
        match self.usage.last_mut() {
            Some((second, n)) if *second == usage.second => *n += 1,
            _ => self.usage.push((usage.second, 1)),
        }
        if let Some(group) = &usage.group {
            self.groups.insert(group.to_string(), usage.second);
        }
    }

    fn past(&self) -> Past {
        Past {
            usage: self.usage.clone(),
            groups: self.groups.clone(),
            ..Past::default()
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_window_holds_more_than_allowed_and_few_hold_less_over_restarts() {
    for text in ["1/s", "14/s", "50/s", "200/s", "30/min", "100/h"] {
        let Rate::Per { count, window } = rate(text) else {
            unreachable!()
        };
        let span = (window * 30).max(Duration::from_secs(60));
        let wall = Wall::at(1_000_000);
        let mut dice = Dice(count.into());
        let mut arrived = Vec::new();
        let mut notes = Notes::default();
        for run in 1..=2 {
            let limits = Limits::new("main", rate(text));
            let limiter = Limiter::new(&limits, &notes.past(), wall.now());
            while wall.origin.elapsed() < span * run {
                // Two connections ask at once.
                let one = limiter.permit(Group::NONE, &wall);
                let two = limiter.permit(Group::NONE, &wall);
                let (one, two) = tokio::join!(one, two);
                for permit in [one, two] {
                    let Permit::Granted(moment) = permit else {
                        panic!("{permit:?}");
                    };
                    notes.enter(&limiter.usage(Group::NONE, &wall));
                    let late = window.mul_f64(0.099 * dice.throw());
                    arrived.push(moment - wall.origin + late);
                }
            }
        }
        let mean =
            arrived.len() as f64 / wall.origin.elapsed().as_secs_f64() * window.as_secs_f64();
        let most = most_in_a_window(&mut arrived, window);
        assert!(most <= count as usize, "{text}: {most} in a window");
        assert!(mean >= 0.88 * f64::from(count), "{text}: {mean} on average");
    }
}

#[tokio::test(start_paused = true)]
async fn a_quota_holds_over_kills() {
    let wall = Wall::at(1_000_000);
    let limits = Limits {
        quotas: vec![rate("100/24h"), rate("7/min")],
        ..Limits::new("main", Rate::Max)
    };
    let mut notes = Notes::default();
    let mut left = Vec::new();
    let mut dice = Dice(9);
    // A run every ten minutes for three days; each is killed after a few messages.
    for _ in 0..3 * 24 * 6 {
        let limiter = Limiter::new(&limits, &notes.past(), wall.now());
        for _ in 0..(dice.throw() * 5.0) as u32 {
            match limiter.permit(Group::NONE, &wall).await {
                Permit::Granted(moment) => {
                    notes.enter(&limiter.usage(Group::NONE, &wall));
                    left.push(moment - wall.origin);
                }
                Permit::Exhausted { until, .. } => {
                    assert!(until > wall.now() + PATIENCE);
                    break;
                }
            }
        }
        sleep(Duration::from_secs(600)).await;
    }
    assert!(left.len() >= 3 * 88, "{}", left.len());
    assert!(most_in_a_window(&mut left, Duration::from_secs(24 * 3600)) <= 100);
    assert!(most_in_a_window(&mut left, Duration::from_secs(60)) <= 7);
}

/// A relay that takes so many messages in any second and throttles the rest.
struct Sink {
    most: usize,
    taken: VecDeque<Instant>,
}

impl Sink {
    fn takes(&mut self) -> bool {
        let now = Instant::now();
        while self
            .taken
            .front()
            .is_some_and(|at| now - *at >= Duration::from_secs(1))
        {
            self.taken.pop_front();
        }
        let takes = self.taken.len() < self.most;
        if takes {
            self.taken.push_back(now);
        }
        takes
    }
}

/// Sends to a relay that takes 14 a second, with 16 connections: how many it throttled and took.
async fn send_to_a_slow_relay(configured: Rate, seconds: u64) -> (u32, u32) {
    let wall = Wall::at(1_000_000);
    let limiter = Limiter::new(
        &Limits::new("main", configured),
        &Past::default(),
        wall.now(),
    );
    let sink = std::cell::RefCell::new(Sink {
        most: 14,
        taken: VecDeque::new(),
    });
    let (throttled, taken) = (Cell::new(0), Cell::new(0));
    let worker = async |seed: u64| {
        let mut dice = Dice(seed);
        while wall.origin.elapsed() < Duration::from_secs(seconds) {
            let Permit::Granted(moment) = limiter.permit(Group::NONE, &wall).await else {
                panic!("a pause that is too long");
            };
            if !limiter.holds(moment, Group::NONE) {
                continue;
            }
            sleep(Duration::from_millis(5).mul_f64(1.0 + dice.throw() * 5.0)).await;
            let takes = sink.borrow_mut().takes();
            sleep(Duration::from_millis(20)).await;
            match takes {
                true => {
                    taken.set(taken.get() + 1);
                    limiter.clean(Group::NONE);
                }
                false => {
                    throttled.set(throttled.get() + 1);
                    limiter.throttled(None);
                }
            }
        }
    };
    tokio::join!(
        worker(1),
        worker(2),
        worker(3),
        worker(4),
        worker(5),
        worker(6),
        worker(7),
        worker(8),
        worker(9),
        worker(10),
        worker(11),
        worker(12),
        worker(13),
        worker(14),
        worker(15),
        worker(16)
    );
    (throttled.get(), taken.get())
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_bears_less_than_was_configured_gets_what_it_bears() {
    for configured in [rate("40/s"), Rate::Max] {
        let (throttled, taken) = send_to_a_slow_relay(configured, 60).await;
        let share = f64::from(throttled) / f64::from(throttled + taken);
        let used = f64::from(taken) / (14.0 * 60.0);
        let figures = format!(
            "{configured}: {throttled} throttled of {} ({:.1} %), {:.1} % of what it takes",
            throttled + taken,
            share * 100.0,
            used * 100.0
        );
        assert!(share <= 0.08, "{figures}");
        assert!(used >= 0.75, "{figures}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_neither_empties_a_quota_nor_stops_it() {
    for hours in [24, -24] {
        let wall = Wall::at(10_000_000);
        let limits = Limits {
            quotas: vec![rate("30/min")],
            ..Limits::new("main", Rate::Max)
        };
        let limiter = Limiter::new(&limits, &Past::default(), wall.now());
        let mut left = Vec::new();
        for n in 0..200 {
            match n {
                20 => wall.set(hours),
                50 => wall.set(0),
                _ => {}
            }
            let begun = Instant::now();
            let Permit::Granted(moment) = limiter.permit(Group::NONE, &wall).await else {
                panic!("stopped at {n}");
            };
            assert!(begun.elapsed() < Duration::from_secs(65));
            left.push(moment - wall.origin);
            sleep(Duration::from_millis(100)).await;
        }
        assert!(most_in_a_window(&mut left, Duration::from_secs(60)) <= 30);
        assert!(wall.origin.elapsed() < Duration::from_secs(8 * 60));
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_relay_and_quiet_hours_end_the_run_with_the_reason() {
    let night: Timestamp = "2026-11-23T22:30:00Z".parse().unwrap();
    let clock = Manual::at(night);
    let limits = Limits {
        quiet: Some("22:00-07:00 UTC".parse().unwrap()),
        ..Limits::new("main", Rate::Max)
    };
    let limiter = Limiter::new(&limits, &Past::default(), night);
    assert_eq!(
        limiter.permit(Group::NONE, &clock).await,
        Permit::Exhausted {
            until: "2026-11-24T07:00:00Z".parse().unwrap(),
            reason: "it is quiet at 22:00-07:00 UTC".to_owned()
        }
    );
    // A time in the books that is days ahead, as of a clock that was wrong, is not believed.
    let past = Past {
        closed: Some((
            night + Duration::from_secs(86_400),
            "the daily limit is reached".to_owned(),
        )),
        ..Past::default()
    };
    let limiter = Limiter::new(&Limits::new("main", Rate::Max), &past, night);
    assert_eq!(
        limiter.permit(Group::NONE, &clock).await,
        Permit::Exhausted {
            until: night + LONGEST_CLOSURE,
            reason: "the daily limit is reached".to_owned()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_warm_up_allows_more_each_day() {
    let wall = Wall::at(1_000_000);
    let limits = Limits {
        warmup: Some(Warmup::new(10, 2.0, 35).unwrap()),
        ..Limits::new("main", Rate::Max)
    };
    let mut notes = Notes::default();
    let mut days = Vec::new();
    for day in 0..4 {
        let past = Past {
            first_use: (day > 0).then_some(1_000_000),
            ..notes.past()
        };
        let limiter = Limiter::new(&limits, &past, wall.now());
        let mut sent = 0;
        while sent < 100 {
            match limiter.permit(Group::NONE, &wall).await {
                Permit::Granted(_) => sent += 1,
                Permit::Exhausted { reason, .. } => {
                    assert_eq!(
                        reason,
                        format!(
                            "the warm-up allows {} messages on its day {}",
                            10 << day,
                            day + 1
                        )
                    );
                    break;
                }
            }
            notes.enter(&limiter.usage(Group::NONE, &wall));
        }
        days.push(sent);
        sleep(Duration::from_secs(86_400 + 60)).await;
    }
    // Twice 20 would be more than 35: from then on there is no ramp.
    assert_eq!(days, [10, 20, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn a_group_waits_and_the_others_do_not() {
    let slow = GroupLimit {
        rate: Some(rate("1/s")),
        ..GroupLimit::default()
    };
    let groups = [("@google".to_owned(), slow)].into();
    let groups = Groups::new(groups, Presets::Off).unwrap();
    let google = groups.of("gmail.com");
    let limits = Limits {
        groups: Arc::new(groups),
        ..Limits::new("main", rate("100/s"))
    };
    let clock = Wall::at(1_000);
    let limiter = Limiter::new(&limits, &Past::default(), clock.now());
    assert_eq!(limiter.ready(google), None);
    assert!(is_granted(limiter.permit(google, &clock).await));
    assert_eq!(
        limiter.usage(google, &clock).group.as_deref(),
        Some("main/@google")
    );
    assert_eq!(
        limiter.ready(google),
        Some(clock.origin + Duration::from_millis(1100))
    );
    let mut others = 0;
    {
        let waiting = limiter.permit(google, &clock);
        tokio::pin!(waiting);
        loop {
            tokio::select! {
                biased;
                permit = &mut waiting => {
                    assert!(is_granted(permit));
                    break;
                }
                permit = limiter.permit(Group::NONE, &clock) => {
                    assert!(is_granted(permit));
                    others += 1;
                    // Those who wait are considered.
                    if others == 1 {
                        let ready = clock.origin + Duration::from_millis(2200);
                        assert_eq!(limiter.ready(google), Some(ready));
                    }
                }
            }
        }
    }
    assert!((90..=101).contains(&others), "{others}");
    let took = clock.origin.elapsed().as_millis();
    assert!((1100..1120).contains(&took), "{took}");
    // A group that was asked to slow down holds up nobody else.
    limiter.throttled(Some(google));
    assert!(limiter.holds(Instant::now(), Group::NONE));
    assert!(!limiter.holds(Instant::now(), google));
    assert!((limiter.share() - 1.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_too_many_are_fewer_and_probed_again() {
    let clock = Wall::at(1_000);
    let limits = Limits {
        connections: 4,
        ..Limits::new("main", Rate::Max)
    };
    let limiter = Limiter::new(&limits, &Past::default(), clock.now());
    limiter.crowded();
    limiter.crowded();
    assert_eq!(limiter.connections(), 3);
    sleep(Duration::from_secs(3)).await;
    limiter.crowded();
    assert_eq!(limiter.connections(), 2);
    limiter.clean(Group::NONE);
    assert_eq!(limiter.connections(), 2);
    sleep(Duration::from_secs(301)).await;
    limiter.clean(Group::NONE);
    assert_eq!(limiter.connections(), 3);
}
