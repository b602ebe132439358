//! x
mod encode;
mod header;
mod mailbox;
mod merge;
mod token;

pub use mailbox::Mailbox;
pub use merge::{Links, Merged};
pub use token::{Bounce, Secret, SubscriberId};
