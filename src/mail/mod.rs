//! `Edition + Recipient ─merge─▶ Mail`: merge, escaping, headers, MIME, signatures and tokens.
//!
//! Pure and fast: the same row gives the same bytes at any time. No file, no socket, no clock.

pub mod dkim;
mod encode;
mod forme;
mod header;
mod heading;
mod letterhead;
mod mailbox;
mod merge;
mod mime;
mod quoted;
mod stencil;
mod token;

pub use forme::Forme;
pub(crate) use letterhead::is_list_id;
pub use letterhead::{Letterhead, address, message};
pub use mailbox::Mailbox;
pub use merge::{Links, Merged, Merger};
pub use token::{Bounce, Secret, SubscriberId};

use crate::audience::Address;

/// Who a mail is from and for, on the wire: decides delivery, whatever the headers say (RFC 5321 2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where reports of failed delivery go.
    pub return_path: Address,
    /// The one recipient.
    pub recipient: Address,
}

/// A message and its envelope: what a transport takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who it is from and for.
    pub envelope: Envelope,
    /// The Message-ID without angle brackets.
    pub message_id: String,
    /// Headers and body (RFC 5322), with CRLF line ends, ending in CRLF, not dot-stuffed.
    pub message: Vec<u8>,
}
