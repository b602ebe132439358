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
///
/// Sender and recipient of the mail after the next may ride with a message, so that no turn is spent on
/// them alone. From then on the connection is *promised*: the mail that was announced is the only one
/// that it can send, and where that one does not go after all the connection is given up. Nothing of
/// the kind is in the books: a mail that was announced is a mail that was not begun.
pub trait Connection: Send + Sync + 'static {
    /// Sends one mail, and announces the next one if it can. The intent is waited for before the
    /// message is completed: a mail whose intent is not on stable storage must not go out. It ends with
    /// the answer about this mail; what is answered about the next one is read when that is sent.
    fn send(
        &mut self,
        seq: u32,
        mail: &Mail,
        intent: Intent,
        next: Option<Next<'_>>,
    ) -> impl Future<Output = Exchange> + Send;

    /// Whether it would announce another mail with the one that is sent now.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// The mail that was announced, if one was.
    fn promised(&self) -> Option<u32> {
        None
    }

    /// Whether another mail can be sent, which must be the one that was announced.
    fn is_usable(&mut self) -> bool;

    /// Whether a message may have been handed over that nobody has answered for: to be asked when
    /// [`Connection::send`] was broken off.
    fn is_in_doubt(&self) -> bool;

    /// Says goodbye, where that can be said.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The mail that will be sent next over the same connection, if nothing comes between.
#[derive(Clone, Copy, Debug)]
pub struct Next<'a> {
    /// Its row.
    pub seq: u32,
    /// The mail.
    pub mail: &'a Mail,
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Exchange {
    /// The mail has its outcome.
    Settled(Outcome),
    /// It was not sent, and that is not its fault.
    Trouble(Trouble),
    /// It was not sent, because the relay did not keep up with all that was said at once. It will be
    /// told less at a time; the mail can go at once, over another connection.
    Again,
    /// The books could not take the intent; nothing was sent.
    Books(Error),
}
