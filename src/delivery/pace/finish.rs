//! When it will be done: the brakes of a relay in fast motion, many messages at a step.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{QuietHours, Quota, Rate, Warmup, quota::BUCKETS, warmup::Ramp};

/// After so many steps the rest is taken to go as what went before.
const STEPS: u32 = 100_000;

/// In how many buckets a quota is counted for an estimate.
const COARSE: i64 = 200;

/// What an estimate needs to know.
#[derive(Clone, Debug)]
pub struct Outlook<'a> {
    /// Now.
    pub now: Timestamp,
    /// How many messages are still to go.
    pub due: u64,
    /// How many leave in a second when nothing else is in the way: see [`Rate::per_second`]; `None`
    /// when they leave at once.
    pub per_second: Option<f64>,
    /// The quotas.
    pub quotas: &'a [Rate],
    /// How many messages went out in which second, ascending.
    pub used: &'a [(i64, u64)],
    /// The warm-up, and the second of the first message of all (now, where there was none).
    pub warmup: Option<(Warmup, i64)>,
    /// When no mail leaves.
    pub quiet: Option<&'a QuietHours>,
    /// Until when nothing leaves at all.
    pub closed: Option<Timestamp>,
}

/// When all that is due will have left, as far as can be foreseen; `None` when that is beyond all
/// calendars.
#[must_use]
pub fn finish(outlook: &Outlook<'_>) -> Option<Timestamp> {
    let quotas = outlook.quotas.iter().filter_map(|rate| Quota::new(*rate));
    let mut quotas: Vec<Quota> = quotas.collect();
    let mut ramp = outlook
        .warmup
        .map(|(warmup, first)| Ramp::new(warmup, first, BUCKETS));
    for (second, n) in outlook.used {
        for quota in &mut quotas {
            quota.count(*second, *n);
        }
        if let Some(ramp) = &mut ramp {
            ramp.count(*second, *n);
        }
    }
    let begin = outlook.closed.map_or(SignedDuration::ZERO, |until| {
        until.duration_since(outlook.now)
    });
    let course_of = Course {
        due: outlook.due,
        per_second: outlook.per_second,
        quotas,
        ramp,
        quiet: outlook.quiet,
        begin: Duration::try_from(begin).unwrap_or_default(),
        ahead: 0,
    };
    course(course_of, outlook.now)
}

/// An estimate with the counts as they stand.
pub(super) struct Course<'a> {
    pub(super) due: u64,
    pub(super) per_second: Option<f64>,
    pub(super) quotas: Vec<Quota>,
    pub(super) ramp: Option<Ramp>,
    pub(super) quiet: Option<&'a QuietHours>,
    /// How long nothing goes at first.
    pub(super) begin: Duration,
    /// How many seconds the books are ahead of the clock.
    pub(super) ahead: i64,
}

pub(super) fn course(course: Course<'_>, now: Timestamp) -> Option<Timestamp> {
    let Course {
        due,
        per_second,
        quiet,
        begin,
        ahead,
        ..
    } = course;
    let mut quotas: Vec<Quota> = course
        .quotas
        .iter()
        .map(|quota| quota.coarse(COARSE))
        .collect();
    let mut ramp = course.ramp.map(|ramp| ramp.coarse(COARSE));
    let rate = per_second.filter(|rate| *rate > 0.0);
    let start = now.as_duration().as_secs_f64();
    let step = stride(due, rate, &quotas);
    let mut at = start + begin.as_secs_f64();
    let mut left = due;
    for _ in 0..STEPS {
        if left == 0 {
            break;
        }
        if let Some(end) = quiet.and_then(|quiet| quiet.end(time(at)?)) {
            at = at.max(end.as_duration().as_secs_f64());
        }
        let second = whole(at).saturating_add(ahead);
        let waits = quotas.iter_mut().map(|quota| quota.wait(second));
        let wait = waits
            .chain(ramp.as_mut().map(|ramp| ramp.wait(second)))
            .max()
            .unwrap_or(0);
        if wait > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a wait of days")]
            let wait = wait as f64;
            // Seconds of the books are whole.
            at = at.floor() + wait;
            continue;
        }
        let free = quotas.iter_mut().map(|quota| quota.free(second));
        let free = free
            .chain(ramp.as_mut().and_then(|ramp| ramp.free(second)))
            .min();
        let mut n = left.min(free.unwrap_or(u64::MAX));
        if let Some(rate) = rate {
            let silence = quiet.and_then(|quiet| quiet.begin(time(at)?));
            let until_silence = silence.map_or(f64::INFINITY, |begin| {
                begin.as_duration().as_secs_f64() - at
            });
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive number, and a huge one saturates"
            )]
            let fits = (rate * step.min(until_silence)).ceil() as u64;
            n = n.min(fits.max(1));
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let took = n as f64 / rate;
            at += took;
        }
        let second = whole(at).saturating_add(ahead);
        for quota in &mut quotas {
            quota.count(second, n);
        }
        if let Some(ramp) = &mut ramp {
            ramp.count(second, n);
        }
        left -= n;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let all = if left == 0 {
        1.0
    } else {
        due as f64 / (due - left).max(1) as f64
    };
    time(start + (at - start) * all)
}

/// How many seconds to take at a step: few for a short window, many for a long send.
fn stride(due: u64, rate: Option<f64>, quotas: &[Quota]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let whole = rate.map_or(0.0, |rate| due as f64 / rate);
    let shortest = quotas.iter().map(Quota::window).min().unwrap_or(3600);
    #[expect(clippy::cast_precision_loss, reason = "seven days at most")]
    let shortest = shortest as f64;
    (whole / 1000.0).min(shortest / 50.0).max(1.0)
}

fn time(second: f64) -> Option<Timestamp> {
    Timestamp::from_duration(SignedDuration::try_from_secs_f64(second).ok()?).ok()
}

fn whole(second: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let whole = second.floor() as i64;
    whole
}

#[cfg(test)]
mod tests;
