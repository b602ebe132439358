//! Mails out, books kept: campaign, ledger, pace, transport, outcome.
//!
//! Knows mails and relays; never Tera, CSV, the settings or an issue.
