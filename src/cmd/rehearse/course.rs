//! The course of a rehearsal: a sender is started, killed at a moment that the dice choose, and
//! started again, until everything is settled.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::{
    receiver::Receiver,
    sender::{Cast, Ended, Fate, Sender, Standing},
    stage::{RETRY, Tempo},
};
use crate::{cmd::signals::Signals, error::Result, exit::Exit, inbox::Dice, ui::Ui};

/// How often a sender is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How long after a mail has come the sender dies at the latest: its reply is on its way, or in the
/// books, or the next mail is being sent.
const MOST_LATE: Duration = Duration::from_millis(4);
/// How long a sender takes before its first mail leaves, before we have seen one.
pub(super) const STARTUP: Duration = Duration::from_millis(250);
/// One kill of so many comes while a sender is still reading and freezing.
const EARLY: u64 = 6;
/// Between two senders, as between two runs of cron.
const PAUSE: Duration = Duration::from_millis(50);
/// So many senders in a row that change nothing are the end, unless what is deferred may still fall
/// due: senders that find nothing due come and go within milliseconds.
const MOST_BARREN: u32 = 20;
const MOST_BARREN_TIME: Duration = RETRY.longest.saturating_mul(2);
/// So long a sender may be at work without any change, at full speed.
const MOST_IDLE: Duration = Duration::from_secs(30);

/// What happened.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// How many senders were started.
    pub(super) runs: u32,
    /// How often one gave up, and a person would have looked and let it go on.
    pub(super) pauses: u32,
    /// For each kill, how many mails it left in doubt.
    pub(super) doubts: Vec<u64>,
    pub(super) took: Duration,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Curtain {
    /// Everything is settled, says the sender.
    Complete,
    /// The sender refused to work.
    Failed(Ended),
    /// Nothing changes any more; what the last sender had to say.
    Stuck(String),
    /// Somebody stopped it.
    Stopped,
}

/// What a watch has seen.
enum Turn {
    Fate(Fate),
    Idle,
    Stopped,
}

/// When a sender is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cue {
    Never,
    /// After so many mails more, and a moment.
    Arrivals(u64, Duration),
    /// So long after its start.
    Time(Duration),
}

pub(super) struct Director<'a> {
    pub(super) cast: &'a Cast,
    pub(super) receiver: &'a mut Receiver,
    pub(super) signals: &'a Signals,
    pub(super) ui: Ui,
    pub(super) dice: Dice,
    pub(super) tempo: Tempo,
    /// How often a sender is to be killed.
    pub(super) kills: u32,
    /// How long the last sender took before its first mail arrived.
    pub(super) startup: Duration,
}

impl Director<'_> {
    /// Plays it to the end.
    pub(super) async fn play(&mut self) -> Result<(Course, Curtain)> {
        let begun = Instant::now();
        let mut course = Course::default();
        let mut standing: Option<Standing> = None;
        let mut barren = 0;
        let mut changed_at = begun;
        let curtain = loop {
            let before = (self.receiver.reached(), standing.map(Standing::open));
            let left = u64::from(self.kills).saturating_sub(course.doubts.len() as u64);
            let cue = self.cue(left, standing);
            let mut sender = self.cast.start()?;
            course.runs += 1;
            let mut seen = None;
            let turn = loop {
                let turn = tokio::select! {
                    biased;
                    () = self.signals.first() => {
                        sender.kill()?;
                        break Turn::Stopped;
                    }
                    turn = watch(&mut sender, cue, self.receiver, &mut self.startup) => turn?,
                };
                let Turn::Idle = turn else {
                    break turn;
                };
                // A relay that refuses everybody brings no mail, either.
                let open = self.cast.standing()?.map(Standing::open);
                if self.tempo == Tempo::Fast && open == seen {
                    break Turn::Idle;
                }
                seen = open;
            };
            let fate = match turn {
                Turn::Fate(fate) => fate,
                Turn::Stopped => break Curtain::Stopped,
                Turn::Idle => break Curtain::Stuck(String::new()),
            };
            let last = match fate {
                Fate::Ended(ended) => match ended.exit {
                    Exit::Done | Exit::Unknown | Exit::Failures => {
                        self.ui.echo(&ended.said);
                        break Curtain::Complete;
                    }
                    Exit::TryLater | Exit::Unavailable => {
                        course.pauses += u32::from(ended.exit == Exit::Unavailable);
                        self.ui.detail(&ended.said);
                        sleep(PAUSE).await;
                        standing = self.cast.standing()?;
                        Some(ended)
                    }
                    _ => break Curtain::Failed(ended),
                },
                Fate::Killed => {
                    standing = self.cast.standing()?;
                    let doubt = standing.map_or(0, |standing| standing.sending);
                    course.doubts.push(doubt);
                    self.ui.status(&format!(
                        "Killed {} of {}: {doubt} mails in doubt, {} recipients reached.",
                        course.doubts.len(),
                        self.kills,
                        self.receiver.reached()
                    ));
                    None
                }
            };
            barren = match last {
                Some(_) if before == (self.receiver.reached(), standing.map(Standing::open)) => {
                    barren + 1
                }
                _ => {
                    changed_at = Instant::now();
                    0
                }
            };
            if let Some(ended) = last
                && barren >= MOST_BARREN
                && changed_at.elapsed() >= MOST_BARREN_TIME
            {
                break Curtain::Stuck(ended.said);
            }
        };
        course.took = begun.elapsed();
        Ok((course, curtain))
    }

    /// The next kill, so that those that are left meet work.
    fn cue(&mut self, left: u64, standing: Option<Standing>) -> Cue {
        if left == 0 {
            return Cue::Never;
        }
        let share = standing.map(|standing| standing.open() / (left + 1));
        let startup = u64::try_from(self.startup.as_micros()).unwrap_or(u64::MAX);
        if share.is_some_and(|share| share < 2) || self.dice.below(EARLY) == 0 {
            return Cue::Time(Duration::from_micros(self.dice.below(startup)));
        }
        let mails = 1 + self.dice.below(2 * share.unwrap_or(2) - 1);
        let late = u64::try_from(MOST_LATE.as_micros()).unwrap_or(u64::MAX);
        Cue::Arrivals(mails, Duration::from_micros(self.dice.below(late)))
    }
}

/// Watches a sender until it ends or its cue comes, and sees how long it takes to begin.
async fn watch(
    sender: &mut Sender,
    cue: Cue,
    receiver: &mut Receiver,
    startup: &mut Duration,
) -> Result<Turn> {
    let begun = Instant::now();
    // What came from an earlier sender is no cue.
    while receiver.arrivals.try_recv().is_ok() {}
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let at = match cue {
        Cue::Time(after) => Some(begun + after),
        _ => None,
    };
    let mut arrived = 0;
    let mut last = begun;
    loop {
        tokio::select! {
            biased;
            () = sleep_until(at.unwrap_or(begun)), if at.is_some() => {
                return sender.kill().map(Turn::Fate);
            }
            Some(()) = receiver.arrivals.recv() => {
                last = Instant::now();
                arrived += 1;
                if arrived == 1 {
                    *startup = begun.elapsed();
                }
                if let Cue::Arrivals(mails, late) = cue && arrived == mails {
                    sleep(late).await;
                    return sender.kill().map(Turn::Fate);
                }
            }
            _ = look.tick() => {
                if let Some(ended) = sender.ended()? {
                    return Ok(Turn::Fate(Fate::Ended(ended)));
                }
                if last.elapsed() > MOST_IDLE {
                    return Ok(Turn::Idle);
                }
            }
        }
    }
}
