//! What all mails of a campaign have in common, and the policy of a newsletter's headers.

use jiff::Timestamp;
use url::Url;

use super::{
    Mail,
    dkim::Signers,
    forme::Base,
    header::Headers,
    heading::{ListFields, Ways},
    mailbox::Mailbox,
    merge::{Links, Merged, Merger},
    token::{BOUNCE_TOKEN, Secret},
};
use crate::{
    audience::{Address, Recipient},
    compose::InlineImage,
    error::{Error, Kind, Result},
};

/// What all mails of a campaign have in common.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// Who the newsletter is from.
    pub from: Mailbox,
    /// Where answers go, if not there.
    pub reply_to: Option<Mailbox>,
    /// Where reports of failed delivery go: an address, in which `{token}` becomes the token of each
    /// mail ([`Secret::bounce_token`]).
    pub return_path: String,
    /// The name of the newsletter.
    pub list_name: String,
    /// The id of the list (RFC 2919), such as `weekly.news.example.com`; see [`Self::list_id`].
    pub list_id: Option<String>,
    /// Where the newsletter is on the web.
    pub base_url: Option<String>,
    /// Takes requests to unsubscribe by mail.
    pub unsubscribe_mailto: Option<Address>,
    /// The id of the campaign.
    pub campaign: String,
    /// What the issue is called in paths.
    pub slug: String,
    /// The Date of each mail.
    pub date: Timestamp,
    /// Makes the tokens.
    pub secret: Secret,
    /// Stands before the subject, such as `[TEST] `.
    pub subject_prefix: Option<String>,
    /// Sign each mail. They belong to the moment of sending, and are no part of what is frozen.
    pub signers: Signers,
}

/// Makes the mail for one recipient: the same bytes for the same input, always.
///
/// # Errors
///
/// When a merge field cannot be filled in, or as [`message`] does.
pub fn address(
    letterhead: &Letterhead,
    merger: &Merger,
    images: &[InlineImage],
    recipient: &Recipient,
) -> Result<Mail> {
    let links = letterhead.links(&recipient.address);
    let merged = merger.merge(&recipient.fields, &links)?;
    message(letterhead, &merged, images, recipient)
}

/// Makes the mail of what was merged for one recipient.
///
/// # Errors
///
/// When the letterhead is one that [`Letterhead::check`] finds fault with, or a picture has a name
/// or a type that cannot be in a header.
pub fn message(
    letterhead: &Letterhead,
    merged: &Merged,
    images: &[InlineImage],
    recipient: &Recipient,
) -> Result<Mail> {
    Base::new(letterhead, images)?.merged(recipient, merged)
}

impl Letterhead {
    /// The addresses that are one reader's own.
    ///
    /// Without [`Self::base_url`] there is no page to go to: the subscription then ends by mail, and
    /// the other two are empty.
    #[must_use]
    pub fn links(&self, to: &Address) -> Links {
        let token = self.secret.unsubscribe_token(&self.list_id(), to);
        Ways::new(self).links(&token)
    }

    /// The id of the list (RFC 2919): the one that was given, or else the address of From with a dot
    /// for its `@`. It goes into every unsubscribe token, so it must not change during a list's life.
    #[must_use]
    pub fn list_id(&self) -> String {
        match &self.list_id {
            Some(list_id) => list_id.trim().to_owned(),
            None => {
                let from = &self.from.address;
                let label = label(from.local(), 63);
                let label = if label.is_empty() {
                    "newsletter"
                } else {
                    &label
                };
                format!("{label}.{}", from.domain())
            }
        }
    }

    /// Looks for what no mail could be made with, before the first one is.
    ///
    /// # Errors
    ///
    /// All of it, as errors of the settings.
    pub fn check(&self) -> Result<()> {
        let token = self.secret.bounce_token(&self.campaign, &self.from.address);
        let unsubscribe = self
            .secret
            .unsubscribe_token(&self.list_id(), &self.from.address);
        let list = ListFields::new(self)
            .and_then(|list| list.write(&unsubscribe, &mut Headers::default()));
        let errors = [
            self.return_path(&token).err(),
            self.base().err(),
            // It fails for the base URL, too, which is told already.
            list.err().filter(|_| self.base().is_ok()),
        ];
        Error::all(errors.into_iter().flatten()).map_or(Ok(()), Err)
    }

    /// The id of the list, if it is one.
    pub(super) fn checked_list_id(&self) -> Result<String> {
        let list_id = self.list_id();
        if is_list_id(&list_id) {
            return Ok(list_id);
        }
        Err(Error::new(
            Kind::Settings,
            format!("`{list_id}` is not the id of a list"),
        )
        .hint("Write a name like that of a domain, such as `weekly.news.example.com`."))
    }

    /// The address to send a request to unsubscribe to (RFC 6068), that of answers if there is no
    /// other; up to the token.
    pub(super) fn unsubscribe_mail(&self) -> String {
        let reply_to = self.reply_to.as_ref().unwrap_or(&self.from);
        let address = self
            .unsubscribe_mailto
            .as_ref()
            .unwrap_or(&reply_to.address);
        let mut url = String::from("mailto:");
        for byte in address.as_str().bytes() {
            if byte.is_ascii_alphanumeric() || b"@.-_~+!$'*".contains(&byte) {
                url.push(char::from(byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        format!("{url}?subject=unsubscribe%20")
    }

    /// Date and time as in RFC 5322 3.3.
    pub(super) fn date(&self) -> String {
        self.date
            .strftime("%a, %-d %b %Y %H:%M:%S +0000")
            .to_string()
    }

    /// The one id of a mail (RFC 5322 3.6.4): that of the issue, for people, and the token, by which
    /// a report of failed delivery can be told from a forged one. What stands before and after the
    /// token.
    pub(super) fn message_id(&self) -> [String; 2] {
        let domain = self.from.address.domain();
        // As much of the slug as keeps the header on one line.
        let room = 78_usize.saturating_sub("Message-ID: <.@>".len() + BOUNCE_TOKEN + domain.len());
        let mut before = label(&self.slug, room.min(24));
        if !before.is_empty() {
            before.push('.');
        }
        [before, format!("@{domain}")]
    }

    /// Campaign, issue, list and sender, for the reports of Gmail; nothing of the recipient.
    pub(super) fn feedback_id(&self, list_id: &str) -> String {
        let campaign = self.secret.campaign(&self.campaign);
        let campaign = campaign.map(|byte| format!("{byte:02x}")).concat();
        let list = list_id.split('.').next().unwrap_or_default();
        // The sender is 5 to 15 characters that never change.
        let domain: String = self.from.address.domain().replace('.', "");
        let sender = label(&domain, 15);
        let sender = if sender.len() < 5 {
            format!("mail-{sender}")
        } else {
            sender
        };
        format!(
            "{campaign}:{}:{}:{sender}",
            label(&self.slug, 24),
            label(list, 24)
        )
    }

    pub(super) fn return_path(&self, token: &str) -> Result<Address> {
        let filled = self.return_path.replace("{token}", token);
        Address::parse(&filled).map_err(|cause| {
            Error::new(
                Kind::Settings,
                format!("`{}` cannot be the return path: {cause}", self.return_path),
            )
            .hint(cause.hint)
        })
    }

    /// The web address of the newsletter, in ASCII.
    pub(super) fn base(&self) -> Result<Option<Url>> {
        let Some(base_url) = &self.base_url else {
            return Ok(None);
        };
        match Url::parse(base_url.trim()) {
            Ok(url)
                if matches!(url.scheme(), "https" | "http")
                    && url.query().is_none()
                    && url.fragment().is_none() =>
            {
                Ok(Some(url))
            }
            _ => Err(Error::new(
                Kind::Settings,
                format!("`{base_url}` cannot be the web address of a newsletter"),
            )
            .hint("Write an address such as `https://news.example.com`.")),
        }
    }
}

/// A page below the newsletter's web address.
pub(super) fn page(base: &Url, segments: &[&str]) -> String {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url.into()
}

/// Labels of letters, digits and hyphens with dots between them, two at least (RFC 2919 2).
pub(crate) fn is_list_id(id: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    id.len() <= 255 && id.contains('.') && id.split('.').all(is_label)
}

/// A name made of lower-case letters, digits and single hyphens, `most` at most.
fn label(name: &str, most: usize) -> String {
    let mut label = String::new();
    for c in name.chars() {
        if label.len() >= most {
            break;
        }
        if c.is_ascii_alphanumeric() {
            label.push(c.to_ascii_lowercase());
        } else if !label.is_empty() && !label.ends_with('-') {
            label.push('-');
        }
    }
    label.truncate(label.trim_end_matches('-').len());
    label
}

#[cfg(test)]
mod tests;
