//! The exit codes: a documented interface, as cron wrappers and service managers act on them.
//!
//! The numbers follow sysexits(3), which mail programs have always used. *75 means that cron will
//! cure it; any other number that is not zero wants a person.* Nothing here decides when a code is
//! used: [`crate::error::Kind`] and the verbs in [`crate::cmd`] do.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: a check ran and found errors.
    Findings,
    /// 3: complete, but some recipients are `unknown`.
    Unknown,
    /// 4: complete, but failures passed the threshold.
    Failures,
    /// 64: the command line is wrong, or a confirmation is missing.
    Usage,
    /// 65: an issue, a template, a merge field or a list is wrong; nothing was sent.
    Data,
    /// 66: an issue, list, template or newsletter is not there.
    NoInput,
    /// 69: gave up; a person must look.
    Unavailable,
    /// 70: a bug in letterpress.
    Bug,
    /// 73: an output cannot be created.
    CannotCreate,
    /// 74: reading or writing failed, the ledger above all.
    Io,
    /// 75: run the same command later (locked, deferred, over a quota, relay out of reach).
    TryLater,
    /// 77: the relay refused our credentials.
    Credentials,
    /// 78: the settings are wrong.
    Settings,
    /// 130: stopped by SIGINT; safe to run again.
    Interrupted,
    /// 143: stopped by SIGTERM; safe to run again.
    Terminated,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Done,
        Self::Findings,
        Self::Unknown,
        Self::Failures,
        Self::Usage,
        Self::Data,
        Self::NoInput,
        Self::Unavailable,
        Self::Bug,
        Self::CannotCreate,
        Self::Io,
        Self::TryLater,
        Self::Credentials,
        Self::Settings,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// What another process of ours meant by the number that it returned.
    #[must_use]
    pub fn meant_by(code: i32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|exit| i32::from(exit.code()) == code)
    }

    /// The number that the process returns.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::Unknown => 3,
            Self::Failures => 4,
            Self::Usage => 64,
            Self::Data => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Bug => 70,
            Self::CannotCreate => 73,
            Self::Io => 74,
            Self::TryLater => 75,
            Self::Credentials => 77,
            Self::Settings => 78,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
