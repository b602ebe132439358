//! The pace: how often mail may leave, in a moment and over a day, to all and to some domains.
//!
//! Pure cores that are told the time ([`Pace`], [`Quota`], [`Warmup`], [`QuietHours`], the throttle and
//! [`finish`]) and one limiter over them that all connections to a relay share. Knows neither mails nor
//! sockets, and keeps no books: what the books know comes in as [`Past`].

mod finish;
mod groups;
mod limiter;
mod quiet;
mod quota;
mod throttle;
mod warmup;

use std::{fmt, str::FromStr, time::Duration};

pub use finish::{Outlook, finish};
pub use groups::{Group, GroupLimit, Groups, Presets};
pub(super) use limiter::{Limiter, Permit};
pub use limiter::{Limits, Past, Usage};
pub use quiet::QuietHours;
pub use quota::Quota;
pub use warmup::Warmup;

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

impl Rate {
    /// How many leave in a second when the pace is kept, headroom and all; `None` for [`Rate::Max`].
    #[must_use]
    pub fn per_second(self) -> Option<f64> {
        Pace::new(self).map(|pace| 1.0 / pace.interval().as_secs_f64())
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

    /// The pace of a measured rate: messages a second, more than 0.
    pub(super) fn of(per_second: f64) -> Self {
        let second = Duration::from_secs(1);
        let spread = second + headroom(second);
        Self {
            interval: Duration::try_from_secs_f64(spread.as_secs_f64() / per_second)
                .unwrap_or(LONGEST_WINDOW),
            next: Duration::ZERO,
        }
    }

    /// The time between two permits.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// When the next permit is to be had.
    pub(super) fn earliest(&self, now: Duration) -> Duration {
        self.next.max(now)
    }

    /// Takes the permit of a moment that is not before [`Pace::earliest`], at a share of the full rate.
    pub(super) fn take(&mut self, at: Duration, share: f64) {
        // A wait of years is as good as any longer one.
        let interval = Duration::try_from_secs_f64(self.interval.as_secs_f64() / share);
        let interval = interval.unwrap_or(LONGEST_WINDOW * 52);
        // Division rounds; at its full rate a relay gets exactly its interval.
        self.next = at + interval.max(self.interval.mul_f64(1.0 / share.max(1.0)));
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

fn headroom(window: Duration) -> Duration {
    window * HEADROOM_PERCENT / 100
}

#[cfg(test)]
mod tests;
