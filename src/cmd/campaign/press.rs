//! The mails of a campaign, each made when its turn comes.

use super::{Audience, Bundle};
use crate::{
    audience::Address,
    error::{Error, Result},
    mail::{self, Mail, Merger},
};

/// Makes the mail of a row.
pub(in crate::cmd) struct Press {
    merger: Merger,
    bundle: Bundle,
    audience: Audience,
}

impl Press {
    pub(in crate::cmd) fn new(bundle: Bundle, audience: Audience) -> Result<Self> {
        Ok(Self {
            merger: Merger::new(&bundle.edition)?,
            bundle,
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
        mail::address(
            &self.bundle.letterhead,
            &self.merger,
            &self.bundle.edition.images,
            &recipient,
        )
    }
}
