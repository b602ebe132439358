//! The one limiter that all connections to a relay share: the pure core on the runtime's timer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Pace, Quota, Rate, headroom};
use crate::clock::Clock;

/// The longest wait for a quota within a run; for a longer one the run ends.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the limiter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Permit {
    /// One message may go at this moment, which has come: not much later, for that is when the next
    /// ones may go (see [`Limiter::holds`]).
    Granted(Instant),
    /// A quota is used up for longer than a run should wait.
    Exhausted {
        /// When one more may go.
        until: Timestamp,
    },
}

/// The one brake that all connections to a relay share.
#[derive(Debug)]
pub(in crate::delivery) struct Limiter {
    origin: Instant,
    headroom: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Option<Pace>,
    quotas: Vec<Quota>,
}

impl Limiter {
    /// A limiter for a rate and quotas, given what the books say of the past: how many messages went
    /// out in which second, ascending.
    pub(in crate::delivery) fn new(
        rate: Rate,
        quotas: &[Rate],
        past: &[(i64, u64)],
        now: Timestamp,
    ) -> Self {
        let mut pace = Pace::new(rate);
        if let (Some(pace), Some((second, _))) = (&mut pace, past.last()) {
            // The last message left before the end of its second.
            let end = (second.saturating_add(1)).saturating_mul(1000);
            let gone = now.as_millisecond().saturating_sub(end);
            let gone = SignedDuration::from_millis(gone);
            let interval = SignedDuration::try_from(pace.interval()).unwrap_or(SignedDuration::MAX);
            let wait = Duration::try_from(interval.saturating_sub(gone)).unwrap_or(Duration::ZERO);
            // A clock that was set back by days must not stop the run for days.
            pace.not_before(wait.min(pace.interval() + Duration::from_secs(1)));
        }
        let mut quotas: Vec<Quota> = quotas.iter().copied().filter_map(Quota::new).collect();
        for quota in &mut quotas {
            for (second, n) in past {
                quota.count(*second, *n);
            }
        }
        Self {
            origin: Instant::now(),
            headroom: match rate {
                Rate::Max => None,
                Rate::Per { window, .. } => Some(headroom(window)),
            },
            state: Mutex::new(State { pace, quotas }),
        }
    }

    /// Waits for the next permit.
    pub(in crate::delivery) async fn permit(&self, clock: &dyn Clock) -> Permit {
        loop {
            let now = clock.now();
            let asked = Instant::now();
            let (wait, granted) = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let second = now.as_second();
                let wait = state
                    .quotas
                    .iter_mut()
                    .map(|quota| quota.wait(second))
                    .max();
                match wait.unwrap_or(0) {
                    ..=0 => {
                        for quota in &mut state.quotas {
                            quota.count(second, 1);
                        }
                        let pace = state.pace.as_mut();
                        let wait = pace.map(|pace| pace.next(self.origin.elapsed()));
                        (wait.unwrap_or_default(), true)
                    }
                    seconds => (Duration::from_secs(seconds.unsigned_abs()), false),
                }
            };
            if !granted && wait > PATIENCE {
                let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
                return Permit::Exhausted { until };
            }
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            if granted {
                return Permit::Granted(asked + wait);
            }
        }
    }

    /// Whether the permit for a moment may still be used. The time counts from that moment and not
    /// from the end of the wait: when the process was stopped in between, as a closed lid or a busy
    /// host does, the permits of all connections would be used at once.
    pub(in crate::delivery) fn holds(&self, moment: Instant) -> bool {
        self.headroom
            .is_none_or(|headroom| moment.elapsed() < headroom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Manual;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn is_granted(permit: Permit) -> bool {
        matches!(permit, Permit::Granted(_))
    }

    #[tokio::test(start_paused = true)]
    async fn permits_that_were_slept_through_do_not_hold() {
        let clock = Manual::at(Timestamp::UNIX_EPOCH);
        let limiter = Limiter::new(rate("10/s"), &[], &[], clock.now());
        let waiting = async {
            tokio::join!(
                limiter.permit(&clock),
                limiter.permit(&clock),
                limiter.permit(&clock)
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
            assert!(!limiter.holds(moment));
        }
        // The next one is for now, and there are no arrears.
        for expected in [0, 110] {
            let start = Instant::now();
            let Permit::Granted(moment) = limiter.permit(&clock).await else {
                panic!("a permit");
            };
            assert!(limiter.holds(moment));
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
        let limiter = std::sync::Arc::new(Limiter::new(rate("10/s"), &[], &[], clock.now()));
        let start = Instant::now();
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let (limiter, clock) = (limiter.clone(), clock.clone());
            workers.spawn(async move {
                for _ in 0..4 {
                    assert!(is_granted(limiter.permit(&clock).await));
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
            let limiter = Limiter::new(rate("1/s"), &[], &[(past, 1)], now);
            let start = Instant::now();
            assert!(is_granted(limiter.permit(&clock).await));
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
        let limiter = Limiter::new(Rate::Max, &quotas, &past, now);
        assert!(is_granted(limiter.permit(&clock).await));
        let until = Timestamp::from_second(99_000 + 24 * 3600 + 1).unwrap();
        assert_eq!(limiter.permit(&clock).await, Permit::Exhausted { until });

        let soon = Limiter::new(Rate::Max, &[rate("1/min")], &[(99_990, 1)], now);
        let waiting = soon.permit(&clock);
        let moving = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            clock.advance(Duration::from_secs(51));
        };
        let start = Instant::now();
        assert!(is_granted(tokio::join!(waiting, moving).0));
        assert_eq!(start.elapsed().as_secs(), 51);
    }
}
