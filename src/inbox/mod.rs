//! The sandbox: an SMTP server that takes every mail and keeps it as a file (RFC 5321).
//!
//! It is small and strict, so that what it accepts, a relay accepts. `path` and `command` read command
//! lines, `data` reads messages, `session` decides what is answered, and all of them are pure; `store`
//! keeps messages, `faults` says how a relay misbehaves, `server` moves octets between sockets and sessions, `tls` has the certificate.
//! Nothing here knows what the mails are for, and nothing is relayed.

mod command;
mod data;
mod faults;
mod path;
mod reply;
mod server;
mod session;
mod store;
mod tls;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

pub use faults::{Dice, Fault, Manners, Misbehavior, Moment};
pub use server::Inbox;

/// The settings of an [`Inbox`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes any free port. Anybody who can reach the address can fill the
    /// folder, so that anything but loopback is the caller's decision.
    pub listen: SocketAddr,
    /// The folder that gets one `.eml` file a message; it is made where it is not there. Without one
    /// messages are taken and told of, and not kept.
    pub folder: Option<PathBuf>,
    /// The name in the greeting and in `Received` fields.
    pub hostname: String,
    /// The largest message, in octets, as it is announced with SIZE (RFC 1870).
    pub max_message_bytes: usize,
    /// How many recipients a message may have; RFC 5321 4.5.3.1.8 asks for 100 at least.
    pub max_recipients: usize,
    /// How many sessions may be open at once; the next client is told to come later.
    pub max_connections: usize,
    /// How long a client may be silent; RFC 5321 4.5.3.2.7 asks for five minutes at least.
    pub idle: Duration,
    /// The certificate; STARTTLS is offered when there is one.
    pub tls: Option<Tls>,
    /// How it misbehaves; not at all when there is nothing.
    pub manners: Option<Arc<dyn Manners>>,
}

impl Options {
    /// The usual settings: any free port of the loopback interface, 100 connections of up to five
    /// silent minutes, messages of up to 25 MiB with up to 100 recipients, no TLS.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            folder: Some(folder.into()),
            hostname: "localhost".to_owned(),
            max_message_bytes: 25 * 1024 * 1024,
            max_recipients: 100,
            max_connections: 100,
            idle: Duration::from_secs(300),
            tls: None,
            manners: None,
        }
    }

    /// The same without a folder: what comes is told of, and nothing is kept.
    #[must_use]
    pub fn without_folder() -> Self {
        Self {
            folder: None,
            ..Self::new("")
        }
    }
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Tls {
    /// The certificate, followed by those that vouch for it.
    pub cert_pem: Vec<u8>,
    /// The private key: PKCS #8, PKCS #1 or SEC 1.
    pub key_pem: Vec<u8>,
}

/// The key is nobody's business.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// A message that was accepted and, where messages are kept, is on stable storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its file, where it is kept.
    pub path: Option<PathBuf>,
    /// The reverse path of its envelope; empty for the null path.
    pub return_path: String,
    /// The recipients of its envelope, as the client wrote them.
    pub recipients: Vec<String>,
    /// Its Message-ID, without angle brackets, where it has one.
    pub message_id: Option<String>,
    /// The size of its content as received, in octets, without the fields put before it.
    pub bytes: usize,
}
