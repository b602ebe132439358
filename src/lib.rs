//! Letterpress, a newsletter press for the terminal.
//!
//! ```text
//! source ─gather─▶ Article* ─edit─▶ Issue ─compose─▶ Mjml ─compile─▶ Edition { subject, html, text }
//!                                                                       │
//! list.csv ─load─▶ List ─ segment, suppressions ─▶ Recipient* ───────merge──▶ Mail { Envelope, Message }
//!                                                                       │
//!      status ◀── Ledger ◀─record── Delivery { recipient, outcome } ◀─deliver── Transport, Pace
//! ```
//!
//! The modules stand below in the order of `ARCHITECTURE.md`: an item may use what comes after it in
//! the list, never what comes before. The library serves the binary and its tests; it is not a public
//! interface, and there are no semantic version guarantees for it.

pub mod cmd;
pub mod cli;
pub mod preview;
pub mod inbox;
pub mod config;
pub mod delivery;
pub mod mail;
pub mod compose;
pub mod audience;
pub mod source;
pub mod issue;

pub mod clock;
pub mod error;
pub mod exit;
pub mod finding;
pub mod fs;
pub mod place;
pub mod ui;

/// What programs take their memory from. A page is made of very many short strings, and a quarter of
/// its time went into the system's allocator.
pub use mimalloc::MiMalloc as Allocator;
