//! A count over a rolling window. Told the time, in seconds.

use std::collections::VecDeque;

use super::Rate;

/// A window is counted in at most so many buckets, lest a long one fill the memory.
pub(super) const BUCKETS: i64 = 3600;

/// A count over a rolling window, which outlives the run because it is loaded from the books.
#[derive(Clone, Debug)]
pub struct Quota {
    limit: u64,
    window: i64,
    // Seconds that are counted together: what is in a bucket leaves the window when all of it has.
    width: i64,
    // First second of the bucket, and how many went out in it; ascending.
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
        let window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        Some(Self::of(count.into(), window, BUCKETS))
    }

    pub(super) fn of(limit: u64, window: i64, buckets: i64) -> Self {
        Self {
            limit,
            window,
            width: (window / buckets).max(1),
            buckets: VecDeque::new(),
            used: 0,
        }
    }

    /// The same count in fewer buckets.
    pub(super) fn coarse(&self, buckets: i64) -> Self {
        let mut coarse = Self::of(self.limit, self.window, buckets);
        for (second, n) in &self.buckets {
            coarse.count(*second, *n);
        }
        coarse
    }

    pub(super) fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    pub(super) fn window(&self) -> i64 {
        self.window
    }

    /// Counts `n` messages that went out in a second. Seconds should ascend; one that goes back (as
    /// when somebody set the clock) counts as the latest, which errs on the side of waiting.
    pub fn count(&mut self, second: i64, n: u64) {
        let bucket = second - second.rem_euclid(self.width);
        match self.buckets.back_mut() {
            Some((latest, count)) if *latest >= bucket => *count += n,
            _ => self.buckets.push_back((bucket, n)),
        }
        self.used += n;
    }

    /// A message that was counted in a second did not go out. One that is out of the window already
    /// makes no difference.
    pub(super) fn uncount(&mut self, second: i64) {
        // Where it was counted later than that, an earlier one makes room: that errs on the side of waiting.
        let bucket = self
            .buckets
            .iter_mut()
            .rev()
            .find(|(first, n)| *first <= second && *n > 0);
        if let Some((_, n)) = bucket {
            *n -= 1;
            self.used -= 1;
        }
    }

    /// How many may go now.
    pub(super) fn free(&mut self, now: i64) -> u64 {
        self.forget(now);
        self.limit.saturating_sub(self.used)
    }

    /// How many seconds from `now` on until one more may go: 0 when it may go at once.
    pub fn wait(&mut self, now: i64) -> i64 {
        self.forget(now);
        let mut surplus = (self.used + 1).saturating_sub(self.limit);
        let mut wait = 0;
        for (bucket, n) in &self.buckets {
            if surplus == 0 {
                break;
            }
            wait = self.leaves(*bucket) - now;
            surplus = surplus.saturating_sub(*n);
        }
        wait
    }

    fn forget(&mut self, now: i64) {
        while let Some((bucket, n)) = self.buckets.front().copied()
            && now >= self.leaves(bucket)
        {
            self.used -= n;
            self.buckets.pop_front();
        }
    }

    /// When a bucket is out of the window: its last message may have left at the very end of it.
    fn leaves(&self, bucket: i64) -> i64 {
        bucket
            .saturating_add(self.width)
            .saturating_add(self.window)
    }
}
