//! End to end: what a user sees, from the outside.

mod delivery;
mod delivery_books;
mod delivery_faults;
mod delivery_relay;
mod delivery_tls;
