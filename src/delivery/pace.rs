//! The pace: how often mail may leave, in a moment and over a day.
//!
//! A pure core that is told the time ([`Pace`], [`Quota`]) and one limiter over it that all
//! connections to a relay share. Knows neither mails nor sockets.

mod limiter;
mod quiet;

use std::{collections::VecDeque, fmt, str::FromStr, time::Duration};

pub(super) use limiter::{Limiter, Permit};
pub use quiet::QuietHours;

use crate::error::{Error, Kind, Result};

/// The longest window that a rate can have. The books forget what is older.
pub(super) const LONGEST_WINDOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How much longer than its window a rate counts: messages that are delayed on their way by less than
/// this share of the window still do not arrive in a bunch that is too large.
const HEADROOM_PERCENT: u32 = 10;

/// So many messages in any window of such a length: `14/s`, `30/min`, `100/h`, `50000/24h`, or `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// As fast as the relay takes it.
    Max,
    /// At most `count` in any `window`.
    Per {
        /// At least 1.
        count: u32,
        /// Whole seconds, from one second to seven days.
        window: Duration,
    },
}

/// Ten a second: slow enough for any relay that takes newsletters at all.
impl Default for Rate {
    fn default() -> Self {
        Self::Per {
            count: 10,
            window: Duration::from_secs(1),
        }
    }
}

impl FromStr for Rate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::new(Kind::Settings, why).hint(
                "Write a number and a span of time, such as `14/s`, `30/min`, `100/h` or `50000/24h`; `max` takes the brake off.",
            )
        };
        if text == "max" {
            return Ok(Self::Max);
        }
        let Some((count, span)) = text.split_once('/') else {
            return Err(wrong(format!("`{text}` is not a rate")));
        };
        let (count, span) = (count.trim(), span.trim());
        let count = match count.parse::<u32>() {
            Ok(0) => {
                return Err(wrong(format!(
                    "the rate `{text}` would never send anything"
                )));
            }
            Ok(count) => count,
            Err(_) => {
                return Err(wrong(format!(
                    "`{count}` in the rate `{text}` is not a number"
                )));
            }
        };
        let unit = span.trim_start_matches(|character: char| character.is_ascii_digit());
        let times = match &span[..span.len() - unit.len()] {
            "" => Ok(1),
            digits => digits.parse::<u64>(),
        };
        let seconds = match unit.trim() {
            "s" => 1,
            "min" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => {
                return Err(wrong(format!(
                    "`{span}` in the rate `{text}` is not a span of time"
                )));
            }
        };
        let window = times
            .ok()
            .and_then(|times| times.checked_mul(seconds))
            .map(Duration::from_secs);
        match window {
            Some(window) if !window.is_zero() && window <= LONGEST_WINDOW => {
                Ok(Self::Per { count, window })
            }
            _ => Err(wrong(format!(
                "the span of the rate `{text}` is not between a second and seven days"
            ))),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Per { count, window } = self else {
            return f.write_str("max");
        };
        let seconds = window.as_secs();
        let (times, unit) = match seconds {
            _ if seconds.is_multiple_of(60 * 60) => (seconds / (60 * 60), "h"),
            _ if seconds.is_multiple_of(60) => (seconds / 60, "min"),
            _ => (seconds, "s"),
        };
        match times {
            1 => write!(f, "{count}/{unit}"),
            _ => write!(f, "{count}/{times}{unit}"),
        }
    }
}

/// Spaces permits evenly (GCRA with a burst of one), told the time.
///
/// Permits stand `1.1 × window / count` apart, so that no window ever holds more than `count` of them,
/// even if each one is delayed on its way by up to a tenth of the window.
#[derive(Clone, Debug)]
pub struct Pace {
    interval: Duration,
    // The earliest time of the next permit.
    next: Duration,
}

impl Pace {
    /// The pace of a rate; `None` where there is none to keep.
    #[must_use]
    pub fn new(rate: Rate) -> Option<Self> {
        let Rate::Per { count, window } = rate else {
            return None;
        };
        let spread = (window + headroom(window)).as_nanos();
        let interval = spread.div_ceil(u128::from(count.max(1)));
        Some(Self {
            interval: Duration::from_nanos(u64::try_from(interval).unwrap_or(u64::MAX)),
            next: Duration::ZERO,
        })
    }

    /// The time between two permits.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Takes the next permit and says how long after `now` it holds. Times are measured from any
    /// fixed moment and may stand still, but a permit is never earlier than the one before it.
    pub fn next(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at + self.interval;
        at - now
    }

    /// No permit before `at`.
    pub fn not_before(&mut self, at: Duration) {
        self.next = self.next.max(at);
    }
}

/// A count over a rolling window, which outlives the run because it is loaded from the books.
#[derive(Clone, Debug)]
pub struct Quota {
    limit: u64,
    window: i64,
    // Second since the epoch, and how many went out in it; ascending.
    buckets: VecDeque<(i64, u64)>,
    used: u64,
}

impl Quota {
    /// A quota of which nothing is used yet; `None` for a rate without a limit.
    #[must_use]
    pub fn new(rate: Rate) -> Option<Self> {
        let Rate::Per { count, window } = rate else {
            return None;
        };
        Some(Self {
            limit: u64::from(count),
            window: i64::try_from(window.as_secs()).unwrap_or(i64::MAX),
            buckets: VecDeque::new(),
            used: 0,
        })
    }

    /// Counts `n` messages that went out in a second. Seconds should ascend; one that goes back (as
    /// when somebody set the clock) counts as the latest, which errs on the side of waiting.
    pub fn count(&mut self, second: i64, n: u64) {
        match self.buckets.back_mut() {
            Some((latest, count)) if *latest >= second => *count += n,
            _ => self.buckets.push_back((second, n)),
        }
        self.used += n;
    }

    /// How many seconds from `now` on until one more may go: 0 when it may go at once.
    pub fn wait(&mut self, now: i64) -> i64 {
        // A message of a bucket may have left at the very end of its second.
        while let Some((second, n)) = self.buckets.front().copied()
            && now > second.saturating_add(self.window)
        {
            self.used -= n;
            self.buckets.pop_front();
        }
        let mut surplus = (self.used + 1).saturating_sub(self.limit);
        let mut wait = 0;
        for (second, n) in &self.buckets {
            if surplus == 0 {
                break;
            }
            wait = second.saturating_add(self.window) + 1 - now;
            surplus = surplus.saturating_sub(*n);
        }
        wait
    }
}

fn headroom(window: Duration) -> Duration {
    window * HEADROOM_PERCENT / 100
}

#[cfg(test)]
mod tests {
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
}
