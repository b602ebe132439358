//! A frozen audience: a recipient a line, read when their turn comes.

use std::borrow::Cow;

use serde::Deserialize;

use super::{AUDIENCE, parse};
use crate::{
    audience::{Address, Recipient},
    delivery::campaign::{Frozen, Lines},
    error::Result,
};

/// The recipients of a campaign, in the order of the ledger's rows. A million take no memory.
pub(in crate::cmd) struct Audience(Lines);

/// The address alone: most questions are about that.
#[derive(Deserialize)]
struct Addressed {
    address: Address,
}

/// An address that was judged before it was written down, and need not be again.
#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    address: Cow<'a, str>,
}

impl Audience {
    /// That of a bundle, once all of it was seen to be as it was frozen.
    pub(in crate::cmd) fn of(frozen: &Frozen) -> Result<Self> {
        Ok(Self(frozen.lines(AUDIENCE)?))
    }

    /// How many rows there are.
    pub(in crate::cmd) fn len(&self) -> u32 {
        self.0.len()
    }

    /// Whose row it is.
    pub(in crate::cmd) fn recipient(&self, seq: u32) -> Result<Option<Recipient>> {
        self.0.get(seq)?.map(|line| parse(&line)).transpose()
    }

    /// The address of a row.
    pub(in crate::cmd) fn address(&self, seq: u32) -> Result<Option<Address>> {
        let line = self.0.get(seq)?;
        let addressed: Option<Addressed> = line.map(|line| parse(&line)).transpose()?;
        Ok(addressed.map(|addressed| addressed.address))
    }

    /// All of them, in order.
    pub(in crate::cmd) fn iter(&self) -> impl Iterator<Item = Result<Recipient>> {
        self.0.iter().map(|line| parse(&line?))
    }

    /// The keys of all addresses ([`Address::key`]), in order.
    pub(in crate::cmd) fn keys(&self) -> impl Iterator<Item = Result<String>> {
        self.0.iter().map(|line| {
            let line = line?;
            let written: Written<'_> = parse(&line)?;
            Ok(Address::key_of(&written.address))
        })
    }
}
