//! End to end: what a user sees, from the outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod inbox;
mod preview;
