//! End to end: what a user sees, from the outside. One binary; a module a subject.

mod golden;
mod kill;
mod project;
mod tidy;
