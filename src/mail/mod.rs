//! `Edition + Recipient ─merge─▶ Mail`: merge, escaping, headers, MIME and tokens.
//!
//! Pure and fast: the same row gives the same bytes at any time. No file, no socket, no clock.

mod merge;

pub use merge::{Links, Merged, Merger};
