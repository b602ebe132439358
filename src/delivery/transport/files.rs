//! Mails as `.eml` files in a folder: for looking at what would be sent.

use std::path::PathBuf;

use super::{Connection, Exchange, Next, Transport};
use crate::{
    delivery::{
        campaign::sha256,
        ledger::Intent,
        outcome::{Outcome, Trouble},
    },
    fs::{self, Access},
    mail::Mail,
};

/// Writes each mail to a file. Names hold the number of the row and a hash, never an address.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Files in a folder, which is made where it is not there.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

impl Transport for Files {
    type Connection = Self;

    async fn connect(&self) -> Result<Self, Trouble> {
        fs::create_folder(&self.folder).map_err(Trouble::Stop)?;
        Ok(self.clone())
    }
}

impl Connection for Files {
    async fn send(
        &mut self,
        seq: u32,
        mail: &Mail,
        intent: Intent,
        _next: Option<Next<'_>>,
    ) -> Exchange {
        if let Err(error) = intent.durable().await {
            return Exchange::Books(error);
        }
        let hash = sha256(mail.message_id.as_bytes());
        let name = format!("{seq:06}-{}.eml", hash.get(..12).unwrap_or_default());
        match fs::write(&self.folder.join(&name), &mail.message, Access::Private) {
            Ok(()) => Exchange::Settled(Outcome::Sent {
                code: 250,
                reply: format!("written to {name}"),
            }),
            Err(error) => Exchange::Trouble(Trouble::Stop(error)),
        }
    }

    fn is_usable(&mut self) -> bool {
        true
    }

    fn is_in_doubt(&self) -> bool {
        false
    }

    async fn close(self) {}
}
