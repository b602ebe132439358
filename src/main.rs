//! The whole program is in the library.

fn main() {}
