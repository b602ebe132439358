//! An edition and its letterhead, locked up for printing: what all mails of a campaign have in common
//! is encoded once, and each mail is put together around it.

use super::{
    Mail,
    dkim::Signers,
    heading::{Heading, Tokens},
    letterhead::Letterhead,
    merge::{Merged, Merger},
    mime::{Content, Frame},
    stencil::{Stencil, Words},
};
use crate::{
    audience::Recipient,
    compose::{Edition, InlineImage},
    error::Result,
};

/// All that the mails of a campaign have in common, ready for the wire. It can be shared by threads.
///
/// Its mails are byte for byte those of [`super::address`].
pub struct Forme {
    base: Base,
    merger: Merger,
    html: Stencil,
    text: Stencil,
}

impl Forme {
    /// Makes an edition ready.
    ///
    /// # Errors
    ///
    /// What is wrong in the author's tags, each at its place; and as [`super::message`].
    pub fn new(letterhead: &Letterhead, edition: &Edition) -> Result<Self> {
        let html = Stencil::new(&edition.html);
        let text = Stencil::new(&edition.text);
        let cut = Edition {
            html: html.part.clone(),
            text: text.part.clone(),
            subject: edition.subject.clone(),
            images: Vec::new(),
            fields: edition.fields.clone(),
            language: edition.language.clone(),
        };
        Ok(Self {
            base: Base::new(letterhead, &edition.images)?,
            merger: Merger::new(&cut)?,
            html,
            text,
        })
    }

    /// Makes the mail for one recipient: the same bytes for the same input, always.
    ///
    /// # Errors
    ///
    /// When a merge field cannot be filled in, or a header not be written.
    pub fn mail(&self, recipient: &Recipient) -> Result<Mail> {
        let tokens = self.base.heading.tokens(&recipient.address);
        let links = self.base.heading.links(&tokens);
        let Merged {
            subject,
            html,
            text,
        } = self.merger.merge(&recipient.fields, &links)?;
        let content = Content {
            text: self.text.words(&text),
            html: self.html.words(&html),
        };
        self.base.mail(recipient, &tokens, &subject, content)
    }
}

/// What does not depend on the words: headers, pictures and all that is between.
pub(super) struct Base {
    heading: Heading,
    frame: Frame,
    signers: Signers,
}

impl Base {
    pub(super) fn new(letterhead: &Letterhead, images: &[InlineImage]) -> Result<Self> {
        let heading = Heading::new(letterhead)?;
        Ok(Self {
            frame: Frame::new(images, &heading.boundary_seed())?,
            signers: letterhead.signers.clone(),
            heading,
        })
    }

    /// The mail for one recipient of what was merged for them.
    pub(super) fn merged(&self, recipient: &Recipient, merged: &Merged) -> Result<Mail> {
        let tokens = self.heading.tokens(&recipient.address);
        let content = Content {
            text: Words::plain(&merged.text),
            html: Words::plain(&merged.html),
        };
        self.mail(recipient, &tokens, &merged.subject, content)
    }

    fn mail(
        &self,
        recipient: &Recipient,
        tokens: &Tokens,
        subject: &str,
        content: Content<'_>,
    ) -> Result<Mail> {
        let to = &recipient.address;
        let (envelope, message_id, headers) = self.heading.write(to, subject, tokens)?;
        Ok(Mail {
            envelope,
            message_id,
            message: self.signers.seal(self.frame.message(&headers, content))?,
        })
    }
}

#[cfg(test)]
mod tests;
