//! What stands in the books, as values.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::delivery::pace::Usage;

/// The state of a row. The numbers are the ones in the file, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has happened yet.
    Pending = 0,
    /// An exchange is going on, or was when a process ended.
    Sending = 1,
    /// Accepted by the relay.
    Sent = 2,
    /// Refused for now; to be tried again.
    Deferred = 3,
    /// Refused for good.
    Failed = 4,
    /// Handed over, but never answered: nobody can tell.
    Unknown = 5,
    /// Left out by us.
    Skipped = 7,
    /// Given up, because its time had passed.
    Expired = 8,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Sending,
        Self::Sent,
        Self::Deferred,
        Self::Failed,
        Self::Unknown,
        Self::Skipped,
        Self::Expired,
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Expired => "expired",
        }
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        Self::ALL
            .into_iter()
            .find(|state| *state as i64 == number)
            .ok_or(FromSqlError::OutOfRange(number))
    }
}

impl ToSql for State {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

/// The state of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CampaignState {
    /// Entered; nothing was sent yet.
    Scheduled,
    /// A process is sending it (or was killed doing so).
    Running,
    /// Some rows are still due; running it again goes on with them.
    Interrupted,
    /// Stopped for a reason that a person must look into.
    Paused(String),
    /// Every row has come to its end.
    Complete,
    /// Called off.
    Cancelled,
}

impl CampaignState {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Paused(_) => "paused",
            Self::Complete => "complete",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Paused(reason) => Some(reason),
            _ => None,
        }
    }

    pub(super) fn read(word: &str, reason: Option<String>) -> Option<Self> {
        Some(match word {
            "scheduled" => Self::Scheduled,
            "running" => Self::Running,
            "interrupted" => Self::Interrupted,
            "paused" => Self::Paused(reason.unwrap_or_default()),
            "complete" => Self::Complete,
            "cancelled" => Self::Cancelled,
            _ => return None,
        })
    }
}

/// The number of a campaign within one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(pub(super) i64);

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

/// A campaign that is to be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCampaign {
    /// `<slug>@<segment or all>[@<slot>][#sandbox]`.
    pub id: String,
    /// The hash of its frozen content.
    pub content_hash: String,
    /// The hash of its frozen audience.
    pub audience_hash: String,
    /// Now.
    pub created_at: Timestamp,
}

/// What holds for a campaign from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The time of its schedule that it was sent for, if it recurs.
    pub slot: Option<Timestamp>,
    /// When it is no news any more.
    pub deliver_by: Option<Timestamp>,
}

/// Another content or audience of a campaign that has begun. Rows are never taken away: who is not to
/// be written to any more is skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// One more than the one before.
    pub number: u32,
    /// The hash of its content.
    pub content_hash: String,
    /// The hash of its audience.
    pub audience_hash: String,
    /// How many rows there are with it.
    pub total: u32,
    /// When it is no news any more.
    pub deliver_by: Option<Timestamp>,
}

/// A campaign, as the books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its number in this ledger.
    pub key: Key,
    /// Its id.
    pub id: String,
    /// The hash of its frozen content.
    pub content_hash: String,
    /// The hash of its frozen audience.
    pub audience_hash: String,
    /// How many rows it has.
    pub total: u32,
    /// How it stands.
    pub state: CampaignState,
    /// When it was entered.
    pub created_at: Timestamp,
    /// When its first message was about to leave.
    pub started_at: Option<Timestamp>,
    /// When it was complete.
    pub finished_at: Option<Timestamp>,
    /// Which of its frozen bundles counts.
    pub generation: u32,
    /// The time of its schedule that it is sent for, if it recurs.
    pub slot: Option<Timestamp>,
    /// When it is no news any more.
    pub deliver_by: Option<Timestamp>,
}

/// How many rows are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the states say what they are")]
pub struct Counts {
    pub pending: u64,
    pub sending: u64,
    pub sent: u64,
    pub deferred: u64,
    pub failed: u64,
    pub unknown: u64,
    pub skipped: u64,
    pub expired: u64,
}

impl Counts {
    /// All rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        State::ALL.into_iter().map(|state| self.of(state)).sum()
    }

    /// The rows in a state.
    #[must_use]
    pub fn of(&self, state: State) -> u64 {
        let mut counts = *self;
        *counts.at(state)
    }

    /// Whether any mail of the campaign may have left.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.total() > self.pending + self.skipped
    }

    /// The rows that will not change by themselves any more.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.total() - self.pending - self.sending - self.deferred
    }

    /// The place of a state, for counting.
    pub fn at(&mut self, state: State) -> &mut u64 {
        match state {
            State::Pending => &mut self.pending,
            State::Sending => &mut self.sending,
            State::Sent => &mut self.sent,
            State::Deferred => &mut self.deferred,
            State::Failed => &mut self.failed,
            State::Unknown => &mut self.unknown,
            State::Skipped => &mut self.skipped,
            State::Expired => &mut self.expired,
        }
    }
}

/// A row that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which.
    pub seq: u32,
    /// The Message-ID of its mail, without angle brackets.
    pub message_id: String,
    /// How it is counted, and with that the relay.
    pub usage: Usage,
    /// Now.
    pub now: Timestamp,
}

/// What became of a row that was `sending`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its new state. Back to `pending` means that the attempt does not count.
    pub state: State,
    /// The relay's reply code.
    pub code: Option<u16>,
    /// The relay's words, or ours where it had none.
    pub reply: String,
    /// Now.
    pub at: Timestamp,
    /// When to try again, for a deferred row.
    pub next_at: Option<Timestamp>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which recipient of the frozen audience it is about.
    pub seq: u32,
    /// How it stands.
    pub state: State,
    /// How often it was tried.
    pub attempts: u32,
    /// The last reply code.
    pub code: Option<u16>,
    /// The last reply, or why it was left out.
    pub reply: Option<String>,
    /// When it last changed.
    pub at: Option<Timestamp>,
    /// When it is tried again, if it is deferred.
    pub next_at: Option<Timestamp>,
    /// The Message-ID, without angle brackets, of what was sent.
    pub message_id: Option<String>,
}

/// A deferred row that falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub seq: u32,
    /// When it may be tried again.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
}
