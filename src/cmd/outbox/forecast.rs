//! When a send will be done, before it begins: the relays' limits, with what the books say was used of
//! them.

use jiff::Timestamp;

use super::Outbox;
use crate::{
    clock::Clock,
    delivery::{
        ledger::Ledger,
        pace::{self, Limits, Outlook, Past},
    },
    error::Result,
};

/// What can be foreseen of a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cmd) struct Forecast {
    /// When everything will be gone, if it leaves now; `None` when there is nothing to reckon with.
    pub(in crate::cmd) finish: Option<Timestamp>,
    /// How many will not be gone when their news is no news any more, and when that is.
    pub(in crate::cmd) late: Option<(u64, Timestamp)>,
}

impl Outbox {
    /// What can be foreseen of sending so many mails.
    pub(in crate::cmd) async fn forecast(
        &self,
        ledger: &Ledger,
        clock: &dyn Clock,
        due: u64,
        deliver_by: Option<Timestamp>,
    ) -> Result<Forecast> {
        let Self::Relay(routes) = self else {
            return Ok(Forecast::default());
        };
        let now = clock.now();
        let all: u64 = routes.iter().map(|route| u64::from(route.weight)).sum();
        let mut shares = Vec::new();
        for route in routes.iter().filter(|route| route.weight > 0 || all == 0) {
            let past = ledger.past(&route.limits.relay, now).await?;
            shares.push((route.weight.max(1), &route.limits, past));
        }
        let finish = finish(&shares, due, now);
        let late = deliver_by.and_then(|end| {
            let late = due - in_time(&shares, due, now, end);
            (late > 0).then_some((late, end))
        });
        Ok(Forecast { finish, late })
    }
}

/// A relay's weight, its limits, and what was used of them.
type Share<'a> = (u32, &'a Limits, Past);

/// When so many will be gone, if they leave now: when the last relay is done with its share.
fn finish(shares: &[Share<'_>], due: u64, now: Timestamp) -> Option<Timestamp> {
    let all: u64 = shares.iter().map(|(weight, ..)| u64::from(*weight)).sum();
    let finishes = shares.iter().map(|(weight, limits, past)| {
        pace::finish(&Outlook {
            now,
            due: (due * u64::from(*weight)).div_ceil(all.max(1)),
            per_second: limits.rate.per_second(),
            quotas: &limits.quotas,
            used: &past.usage,
            warmup: limits
                .warmup
                .map(|warmup| (warmup, past.first_use.unwrap_or(now.as_second()))),
            quiet: limits.quiet.as_ref(),
            closed: past.closed.as_ref().map(|(until, _)| *until),
        })
    });
    finishes.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// How many of them will be gone by then.
fn in_time(shares: &[Share<'_>], due: u64, now: Timestamp, end: Timestamp) -> u64 {
    let is_in_time = |due| finish(shares, due, now).is_some_and(|finish| finish <= end);
    if is_in_time(due) {
        return due;
    }
    // So many are gone by then, and so many are not.
    let (mut some, mut most) = (0, due);
    while most - some > (due / 1000).max(1) {
        let middle = some + (most - some) / 2;
        match is_in_time(middle) {
            true => some = middle,
            false => most = middle,
        }
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_counts_and_what_will_be_late_is_known() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        let hours = |hours: i64| {
            now.checked_add(jiff::SignedDuration::from_hours(hours))
                .unwrap()
        };
        let limits = Limits {
            quotas: vec!["50000/24h".parse().unwrap()],
            ..Limits::new("main", "100/s".parse().unwrap())
        };
        let fresh = [(1, &limits, Past::default())];
        assert!(finish(&fresh, 50_000, now).unwrap() < hours(1));
        assert_eq!(in_time(&fresh, 50_000, now, hours(24)), 50_000);
        let in_a_day = in_time(&fresh, 200_000, now, hours(24));
        assert!((49_500..=50_500).contains(&in_a_day), "{in_a_day}");
        let used = [(
            1,
            &limits,
            Past {
                usage: vec![(now.as_second() - 3600, 30_000)],
                ..Past::default()
            },
        )];
        assert!(finish(&used, 50_000, now).unwrap() > hours(22));
        let today = in_time(&used, 50_000, now, hours(20));
        assert!((19_800..=20_200).contains(&today), "{today}");
    }
}
