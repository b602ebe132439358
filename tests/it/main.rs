//! End to end: what a user sees, from the outside. One binary; a module a subject.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod cmd_due;
mod cmd_errors;
mod cmd_init;
mod cmd_send;
mod delivery;
mod delivery_ahead;
mod delivery_books;
mod delivery_brakes;
mod delivery_faults;
mod delivery_matrix;
mod delivery_relay;
mod delivery_tls;
mod dkim;
mod freeze;
mod golden;
mod inbox;
mod kill;
mod mjml;
mod mjml_include;
mod preview;
mod project;
mod rehearse;
mod steer;
mod tidy;
