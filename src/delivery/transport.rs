//! Ways out for mail: a relay over SMTP, or a folder of `.eml` files.
//!
//! One exchange at a time and one phase after the other, so that it is always known how far an
//! exchange has come. What a reply means is decided in [`super::outcome`], what happens then in
//! [`super::run`].

mod files;
mod smtp;

use std::future::Future;

pub use files::Files;
pub use smtp::{Smtp, SmtpConnection};

use super::{
    ledger::Intent,
    outcome::{Outcome, Trouble},
};
use crate::{error::Error, mail::Mail};

/// A way out for mail.
pub trait Transport: Send + Sync + 'static {
    /// What one worker sends through.
    type Connection: Connection;

    /// Opens a connection.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, Trouble>> + Send;
}

/// A way out that is open.
pub trait Connection: Send + Sync {
    /// Sends one mail. The intent is waited for before the message is completed: a mail whose intent
    /// is not on stable storage must not go out.
    fn send(
        &mut self,
        seq: u32,
        mail: &Mail,
        intent: Intent,
    ) -> impl Future<Output = Exchange> + Send;

    /// Whether another mail can be sent.
    fn is_usable(&mut self) -> bool;

    /// Whether a message may have been handed over that nobody has answered for: to be asked when
    /// [`Connection::send`] was broken off.
    fn is_in_doubt(&self) -> bool;

    /// Says goodbye.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Exchange {
    /// The mail has its outcome.
    Settled(Outcome),
    /// It was not sent, and that is not its fault.
    Trouble(Trouble),
    /// The books could not take the intent; nothing was sent.
    Books(Error),
}
