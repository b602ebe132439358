//! What all mails of a campaign have in common, and the policy of a newsletter's headers.

use jiff::Timestamp;
use url::Url;

use super::{
    Envelope, Mail,
    dkim::Signers,
    header::Headers,
    mailbox::Mailbox,
    merge::{Links, Merged, Merger},
    mime::{self, Content},
    token::Secret,
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
    let to = &recipient.address;
    let token = letterhead.secret.bounce_token(&letterhead.campaign, to);
    let envelope = Envelope {
        return_path: letterhead.return_path(&token)?,
        recipient: to.clone(),
    };
    let message_id = letterhead.message_id(&token);
    let subject = match &letterhead.subject_prefix {
        Some(prefix) => format!("{prefix}{}", merged.subject),
        None => merged.subject.clone(),
    };

    let mut headers = Headers::default();
    headers.structured("Date", &[letterhead.date()])?;
    headers.mailbox("From", &letterhead.from)?;
    headers.address("To", to)?;
    if let Some(reply_to) = &letterhead.reply_to {
        headers.mailbox("Reply-To", reply_to)?;
    }
    headers.text("Subject", &subject)?;
    headers.structured("Message-ID", &[format!("<{message_id}>")])?;
    letterhead.list_headers(to, &mut headers)?;
    let content = Content {
        text: &merged.text,
        html: &merged.html,
        images,
    };
    let message = mime::message(headers, content, &token)?;
    Ok(Mail {
        message: letterhead.signers.seal(message)?,
        envelope,
        message_id,
    })
}

impl Letterhead {
    /// The addresses that are one reader's own.
    ///
    /// Without [`Self::base_url`] there is no page to go to: the subscription then ends by mail, and
    /// the other two are empty.
    #[must_use]
    pub fn links(&self, to: &Address) -> Links {
        let token = self.secret.unsubscribe_token(&self.list_id(), to);
        let Ok(Some(base)) = self.base() else {
            return Links {
                unsubscribe_url: self.unsubscribe_mail(&token),
                preferences_url: String::new(),
                view_url: String::new(),
            };
        };
        Links {
            unsubscribe_url: page(&base, &["u", &token]),
            preferences_url: page(&base, &["p", &token]),
            view_url: page(&base, &["issues", &self.slug, ""]),
        }
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
        let list = self.list_headers(&self.from.address, &mut Headers::default());
        let errors = [
            self.return_path(&token).err(),
            self.base().err(),
            // It fails for the base URL, too, which is told already.
            list.err().filter(|_| self.base().is_ok()),
        ];
        Error::all(errors.into_iter().flatten()).map_or(Ok(()), Err)
    }

    /// What mail programs and providers go by to tell a list, and to let readers leave it.
    fn list_headers(&self, to: &Address, headers: &mut Headers) -> Result<()> {
        let of_settings = |error: Error| error.of_kind(Kind::Settings);
        let list_id = self.list_id();
        if !is_list_id(&list_id) {
            return Err(Error::new(
                Kind::Settings,
                format!("`{list_id}` is not the id of a list"),
            )
            .hint("Write a name like that of a domain, such as `weekly.news.example.com`."));
        }
        headers.phrase("List-ID", &self.list_name, &list_id)?;

        // Only https can be unsubscribed from with one click (RFC 8058 3.1); then the preferred way
        // comes first. A mail without any way out would be neither lawful nor polite, so without a
        // page there is always an address.
        let token = self.secret.unsubscribe_token(&list_id, to);
        let page = self.base()?.map(|base| page(&base, &["u", &token]));
        let one_click = page.as_ref().is_some_and(|page| page.starts_with("https:"));
        let mail = (page.is_none() || self.unsubscribe_mailto.is_some())
            .then(|| self.unsubscribe_mail(&token));
        let ways: Vec<String> = page.into_iter().chain(mail).collect();
        let last = ways.len().saturating_sub(1);
        let ways: Vec<String> = (0..)
            .zip(&ways)
            .map(|(at, way)| format!("<{way}>{}", if at < last { "," } else { "" }))
            .collect();
        headers
            .structured("List-Unsubscribe", &ways)
            .map_err(of_settings)?;
        if one_click {
            headers.structured("List-Unsubscribe-Post", &["List-Unsubscribe=One-Click"])?;
        }
        headers.structured("Feedback-ID", &[self.feedback_id(&list_id)])?;
        headers.structured("Precedence", &["bulk"])?;
        headers.structured("X-Auto-Response-Suppress", &["OOF,", "AutoReply"])
    }

    /// The address to send a request to unsubscribe to (RFC 6068), that of answers if there is no
    /// other.
    fn unsubscribe_mail(&self, token: &str) -> String {
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
        format!("{url}?subject=unsubscribe%20{token}")
    }

    /// Date and time as in RFC 5322 3.3.
    fn date(&self) -> String {
        self.date
            .strftime("%a, %-d %b %Y %H:%M:%S +0000")
            .to_string()
    }

    /// The one id of a mail (RFC 5322 3.6.4): that of the issue, for people, and the token, by which
    /// a report of failed delivery can be told from a forged one.
    fn message_id(&self, token: &str) -> String {
        let domain = self.from.address.domain();
        // As much of the slug as keeps the header on one line.
        let room = 78_usize.saturating_sub("Message-ID: <.@>".len() + token.len() + domain.len());
        match label(&self.slug, room.min(24)) {
            slug if slug.is_empty() => format!("{token}@{domain}"),
            slug => format!("{slug}.{token}@{domain}"),
        }
    }

    /// Campaign, issue, list and sender, for the reports of Gmail; nothing of the recipient.
    fn feedback_id(&self, list_id: &str) -> String {
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

    fn return_path(&self, token: &str) -> Result<Address> {
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
    fn base(&self) -> Result<Option<Url>> {
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
fn page(base: &Url, segments: &[&str]) -> String {
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
