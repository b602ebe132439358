//! A letterhead made ready for many mails: what needs no recipient is done once.

use super::{
    Envelope,
    header::Headers,
    letterhead::{Letterhead, page},
    merge::Links,
};
use crate::{
    audience::Address,
    error::{Error, Kind, Result},
};

/// The addresses that are a reader's own, up to their token.
pub(super) struct Ways {
    /// Those of the newsletter's pages, when it has any.
    pages: Option<Pages>,
    /// Ends the subscription by mail.
    mail: String,
}

struct Pages {
    unsubscribe: String,
    preferences: String,
    view: String,
}

impl Ways {
    /// A web address that is none counts as none.
    pub(super) fn new(letterhead: &Letterhead) -> Self {
        let base = letterhead.base().ok().flatten();
        Self {
            pages: base.map(|base| Pages {
                unsubscribe: page(&base, &["u", ""]),
                preferences: page(&base, &["p", ""]),
                view: page(&base, &["issues", &letterhead.slug, ""]),
            }),
            mail: letterhead.unsubscribe_mail(),
        }
    }

    pub(super) fn links(&self, token: &str) -> Links {
        match &self.pages {
            Some(pages) => Links {
                unsubscribe_url: [&pages.unsubscribe, token].concat(),
                preferences_url: [&pages.preferences, token].concat(),
                view_url: pages.view.clone(),
            },
            None => Links {
                unsubscribe_url: [&self.mail, token].concat(),
                preferences_url: String::new(),
                view_url: String::new(),
            },
        }
    }
}

/// What mail programs and providers go by to tell a list, and to let readers leave it.
pub(super) struct ListFields {
    before: Headers,
    /// The ways out, each before and after the token.
    ways: Vec<[String; 2]>,
    after: Headers,
}

impl ListFields {
    pub(super) fn new(letterhead: &Letterhead) -> Result<Self> {
        let list_id = letterhead.checked_list_id()?;
        let mut before = Headers::default();
        before.phrase("List-ID", &letterhead.list_name, &list_id)?;

        // Only https can be unsubscribed from with one click (RFC 8058 3.1); then the preferred way
        // comes first. A mail without any way out would be neither lawful nor polite, so without a
        // page there is always an address.
        letterhead.base()?;
        let Ways { pages, mail } = Ways::new(letterhead);
        let page = pages.map(|pages| pages.unsubscribe);
        let one_click = page.as_ref().is_some_and(|page| page.starts_with("https:"));
        let mail = (page.is_none() || letterhead.unsubscribe_mailto.is_some()).then_some(mail);
        let mut ways: Vec<_> = page
            .into_iter()
            .chain(mail)
            .map(|way| [format!("<{way}"), ">,".to_owned()])
            .collect();
        if let Some([_, end]) = ways.last_mut() {
            *end = ">".to_owned();
        }

        let mut after = Headers::default();
        if one_click {
            after.structured("List-Unsubscribe-Post", &["List-Unsubscribe=One-Click"])?;
        }
        after.structured("Feedback-ID", &[letterhead.feedback_id(&list_id)])?;
        after.structured("Precedence", &["bulk"])?;
        after.structured("X-Auto-Response-Suppress", &["OOF,", "AutoReply"])?;
        Ok(Self {
            before,
            ways,
            after,
        })
    }

    pub(super) fn write(&self, token: &str, headers: &mut Headers) -> Result<()> {
        headers.append(&self.before);
        let ways = self.ways.iter();
        let ways: Vec<String> = ways
            .map(|[start, end]| [start, token, end].concat())
            .collect();
        headers
            .structured("List-Unsubscribe", &ways)
            .map_err(|error: Error| error.of_kind(Kind::Settings))?;
        headers.append(&self.after);
        Ok(())
    }
}

/// The tokens of one recipient.
pub(super) struct Tokens {
    pub(super) unsubscribe: String,
    pub(super) bounce: String,
}

/// A letterhead made ready.
pub(super) struct Heading {
    letterhead: Letterhead,
    list_id: String,
    campaign: [u8; 5],
    ways: Ways,
    before_to: Headers,
    after_to: Headers,
    list: ListFields,
    /// The Message-ID, before and after the token.
    id: [String; 2],
}

impl Heading {
    /// # Errors
    ///
    /// When the letterhead is one that [`Letterhead::check`] finds fault with.
    pub(super) fn new(letterhead: &Letterhead) -> Result<Self> {
        let mut before_to = Headers::default();
        before_to.structured("Date", &[letterhead.date()])?;
        before_to.mailbox("From", &letterhead.from)?;
        let mut after_to = Headers::default();
        if let Some(reply_to) = &letterhead.reply_to {
            after_to.mailbox("Reply-To", reply_to)?;
        }
        Ok(Self {
            list_id: letterhead.list_id(),
            campaign: letterhead.secret.campaign(&letterhead.campaign),
            ways: Ways::new(letterhead),
            before_to,
            after_to,
            list: ListFields::new(letterhead)?,
            id: letterhead.message_id(),
            letterhead: letterhead.clone(),
        })
    }

    /// What makes the boundaries of MIME: a mail holds no other of its campaign, so all can have the
    /// same.
    pub(super) fn boundary_seed(&self) -> String {
        self.campaign.map(|byte| format!("{byte:02x}")).concat()
    }

    pub(super) fn tokens(&self, to: &Address) -> Tokens {
        let secret = &self.letterhead.secret;
        Tokens {
            unsubscribe: secret.unsubscribe_token(&self.list_id, to),
            bounce: secret.bounce_token_in(self.campaign, to),
        }
    }

    pub(super) fn links(&self, tokens: &Tokens) -> Links {
        self.ways.links(&tokens.unsubscribe)
    }

    /// The envelope, the Message-ID and the headers of one mail, without those of MIME.
    pub(super) fn write(
        &self,
        to: &Address,
        subject: &str,
        tokens: &Tokens,
    ) -> Result<(Envelope, String, Headers)> {
        let envelope = Envelope {
            return_path: self.letterhead.return_path(&tokens.bounce)?,
            recipient: to.clone(),
        };
        let [before, after] = &self.id;
        let message_id = [before, tokens.bounce.as_str(), after].concat();
        let mut headers = Headers::default();
        headers.append(&self.before_to);
        headers.address("To", to)?;
        headers.append(&self.after_to);
        match &self.letterhead.subject_prefix {
            Some(prefix) => headers.text("Subject", &[prefix, subject].concat())?,
            None => headers.text("Subject", subject)?,
        }
        headers.structured("Message-ID", &[["<", &message_id, ">"].concat()])?;
        self.list.write(&tokens.unsubscribe, &mut headers)?;
        Ok((envelope, message_id, headers))
    }
}
