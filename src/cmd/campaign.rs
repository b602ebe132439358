//! A campaign's frozen files: what goes into the bundle, and how it comes out again.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::project::Project;
use crate::{
    audience::{Address, Recipient},
    compose::Edition,
    delivery::{
        campaign::{self, Frozen, sha256},
        ledger::Campaign,
    },
    error::{Error, Kind, Result},
    fs,
    mail::{self, Letterhead, Mail, Mailbox, Merger, Secret},
};

const EDITION: &str = "edition.json";
const LETTERHEAD: &str = "letterhead.json";
const AUDIENCE: &str = "audience.jsonl";

/// All that a campaign's mails are made of; the same on every run.
pub(super) struct Bundle {
    pub(super) edition: Edition,
    pub(super) letterhead: Letterhead,
    pub(super) recipients: Vec<Recipient>,
}

/// The letterhead as it is written to disk: all of it but the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Heading {
    campaign: String,
    slug: String,
    date: String,
    from: String,
    reply_to: Option<String>,
    return_path: String,
    list_name: String,
    list_id: Option<String>,
    base_url: Option<String>,
    unsubscribe_mailto: Option<Address>,
    /// The fingerprint of the secret: with another one the same row would render to other bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Heading {
    fn of(letterhead: &Letterhead) -> Self {
        Self {
            campaign: letterhead.campaign.clone(),
            slug: letterhead.slug.clone(),
            date: letterhead.date.to_string(),
            from: letterhead.from.to_string(),
            reply_to: letterhead.reply_to.as_ref().map(ToString::to_string),
            return_path: letterhead.return_path.clone(),
            list_name: letterhead.list_name.clone(),
            list_id: letterhead.list_id.clone(),
            base_url: letterhead.base_url.clone(),
            unsubscribe_mailto: letterhead.unsubscribe_mailto.clone(),
            secret: Some(letterhead.secret.fingerprint()),
        }
    }

    fn letterhead(self, secret: Secret) -> Result<Letterhead> {
        if self
            .secret
            .is_some_and(|known| known != secret.fingerprint())
        {
            return Err(Error::new(
                Kind::Unavailable,
                format!(
                    "the key of unsubscribe links is another than when the campaign `{}` began",
                    self.campaign
                ),
            )
            .hint("Bring the `secret_file` of `[unsubscribe]` back from a copy: links in mails that are out work with that key alone."));
        }
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| unreadable());
        Ok(Letterhead {
            from: mailbox(&self.from)?,
            reply_to: self.reply_to.as_deref().map(mailbox).transpose()?,
            date: self.date.parse().map_err(|_| unreadable())?,
            return_path: self.return_path,
            list_name: self.list_name,
            list_id: self.list_id,
            base_url: self.base_url,
            unsubscribe_mailto: self.unsubscribe_mailto,
            campaign: self.campaign,
            slug: self.slug,
            secret,
            subject_prefix: None,
        })
    }
}

/// Where campaigns are frozen.
pub(super) fn folder(project: &Project) -> PathBuf {
    project.state().join("campaigns")
}

/// `<slug>@<segment>`, and `#sandbox` for the sandbox, whose books are its own.
pub(super) fn id(slug: &str, sandbox: Sandbox) -> String {
    id_at(slug, None, sandbox)
}

/// The same for a time slot of an issue that recurs: `<slug>@<segment>@<slot>`.
pub(super) fn id_at(slug: &str, slot: Option<Timestamp>, sandbox: Sandbox) -> String {
    let slot = slot.map(|slot| format!("@{slot:.0}")).unwrap_or_default();
    let sandbox = match sandbox {
        Sandbox::Yes => "#sandbox",
        Sandbox::No => "",
    };
    format!("{slug}@all{slot}{sandbox}")
}

/// Whether a campaign goes to the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sandbox {
    Yes,
    No,
}

impl Bundle {
    /// The hash of what is said: the edition and the headers, without the date, which freezing fixes,
    /// and without the secret, whose loss is told of by itself.
    pub(super) fn content_hash(&self) -> Result<String> {
        let undated = Heading {
            date: String::new(),
            secret: None,
            ..Heading::of(&self.letterhead)
        };
        let mut content = json(&self.edition)?;
        content.extend(json(&undated)?);
        Ok(sha256(&content))
    }

    /// The hash of who it goes to.
    pub(super) fn audience_hash(&self) -> Result<String> {
        Ok(sha256(&self.audience()?))
    }

    /// Freezes it under the campaign's id.
    pub(super) fn freeze(&self, project: &Project) -> Result<Frozen> {
        campaign::freeze(
            &folder(project),
            &self.letterhead.campaign,
            &[
                (EDITION, &json(&self.edition)?),
                (LETTERHEAD, &json(&Heading::of(&self.letterhead))?),
                (AUDIENCE, &self.audience()?),
            ],
        )
    }

    /// What was frozen for a campaign, checked against its hashes and against those in the books. The
    /// secret is not in the bundle.
    pub(super) fn thaw(project: &Project, campaign: &Campaign) -> Result<Self> {
        let frozen = open(project, &campaign.id)?;
        frozen.verify()?;
        let heading: Heading = parse(&frozen.file(LETTERHEAD)?)?;
        let bundle = Self {
            edition: parse(&frozen.file(EDITION)?)?,
            letterhead: heading.letterhead(project.secret()?)?,
            recipients: recipients(&frozen)?,
        };
        // The rows of the ledger are numbers in this audience: another one, though sound in itself,
        // would send people what others have had.
        if bundle.content_hash()? != campaign.content_hash
            || frozen.hash_of(AUDIENCE) != Some(campaign.audience_hash.as_str())
        {
            return Err(Error::new(
                Kind::Unavailable,
                format!(
                    "the frozen files of the campaign `{}` are not those that the ledger knows",
                    campaign.id
                ),
            )
            .hint(format!(
                "The ledger or `{}` comes from another time; bring back both from the same copy.",
                folder(project).display()
            )));
        }
        Ok(bundle)
    }

    fn audience(&self) -> Result<Vec<u8>> {
        let mut lines = Vec::new();
        for recipient in &self.recipients {
            lines.extend(json(recipient)?);
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

/// Whether any campaign has been frozen that is not for the sandbox.
pub(super) fn is_any_frozen(project: &Project) -> Result<bool> {
    let folders = fs::list(&folder(project))?;
    Ok(folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        // What begins with a dot was being written when a process ended.
        .any(|name| !name.starts_with('.') && !name.ends_with("#sandbox")))
}

/// The frozen audience of a campaign, in the order of the ledger's rows.
pub(super) fn audience(project: &Project, id: &str) -> Result<Vec<Recipient>> {
    recipients(&open(project, id)?)
}

fn open(project: &Project, id: &str) -> Result<Frozen> {
    campaign::open(&folder(project), id)?.ok_or_else(|| {
        Error::new(
            Kind::Unavailable,
            format!("the frozen files of the campaign `{id}` are gone"),
        )
        .hint(format!(
            "They were in `{}`; bring them back from a copy. Without them nobody can tell who the rows in the ledger are.",
            folder(project).display()
        ))
    })
}

fn recipients(frozen: &Frozen) -> Result<Vec<Recipient>> {
    frozen
        .file(AUDIENCE)?
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|cause| Error::bug("cannot freeze").because(&cause))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|cause| unreadable().because(&cause))
}

fn unreadable() -> Error {
    Error::new(
        Kind::Unavailable,
        "a frozen file of the campaign cannot be read",
    )
}

/// The mails of a campaign, each made when its turn comes.
pub(super) struct Press {
    merger: Merger,
    bundle: Bundle,
}

impl Press {
    pub(super) fn new(bundle: Bundle) -> Result<Self> {
        Ok(Self {
            merger: Merger::new(&bundle.edition)?,
            bundle,
        })
    }

    /// Whose row it is.
    pub(super) fn address(&self, seq: u32) -> Option<&Address> {
        let recipient = self.bundle.recipients.get(seq as usize)?;
        Some(&recipient.address)
    }

    /// The mail of a row.
    pub(super) fn mail(&self, seq: u32) -> Result<Mail> {
        let recipient = self
            .bundle
            .recipients
            .get(seq as usize)
            .ok_or_else(|| Error::bug(format!("the ledger's row {seq} has no recipient")))?;
        mail::address(
            &self.bundle.letterhead,
            &self.merger,
            &self.bundle.edition.images,
            recipient,
        )
    }
}
