//! The mails of a campaign, each made when its turn comes.

use super::{Audience, Bundle};
use crate::{
    audience::Address,
    error::{Error, Result},
    mail::{Forme, Mail},
};

/// Makes the mail of a row.
pub(in crate::cmd) struct Press {
    forme: Forme,
    audience: Audience,
}

impl Press {
    pub(in crate::cmd) fn new(bundle: Bundle, audience: Audience) -> Result<Self> {
        Ok(Self {
            forme: Forme::new(&bundle.letterhead, &bundle.edition)?,
            audience,
        })
    }

    /// Whose row it is; nobody's when it cannot be read, of which the mail tells.
    pub(in crate::cmd) fn address(&self, seq: u32) -> Option<Address> {
        self.audience.address(seq).ok().flatten()
    }

    /// The mail of a row.
    pub(in crate::cmd) fn mail(&self, seq: u32) -> Result<Mail> {
        let recipient = self.audience.recipient(seq)?;
        let recipient = recipient
            .ok_or_else(|| Error::bug(format!("the ledger's row {seq} has no recipient")))?;
        self.forme.mail(&recipient)
    }
}
