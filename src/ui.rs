//! The only printing.
