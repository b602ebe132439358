//! Mails out, books kept: campaign, ledger, pace, transport, outcome.
//!
//! Knows mails and relays; never Tera, CSV, the settings or an issue. The promises G1 to G8 of
//! ARCHITECTURE.md are kept here.

pub mod campaign;
pub mod ledger;
mod outcome;
pub mod pace;
mod relay;
mod run;
mod stream;
pub mod transport;

pub use outcome::{Outcome, Refused, Trouble};
pub use relay::{Credentials, Deadlines, Relay, Security};
pub use run::{
    Closures, End, Lane, LaneSummary, Mails, Plan, Progress, Retry, Stop, Summary, Thresholds,
    deliver,
};
