//! End to end: what a user sees, from the outside.
