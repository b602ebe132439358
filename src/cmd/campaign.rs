//! A campaign's frozen files: what goes into the bundle, and how it comes out again.

mod alike;
mod audience;
mod freezer;
mod press;
mod sheet;

use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::project::{Keys, Project};
use crate::{
    audience::Address,
    compose::Edition,
    delivery::{
        campaign::{self, Freezing, Frozen},
        ledger::Campaign,
    },
    error::{Error, Kind, Result},
    fs,
    mail::{Letterhead, Mailbox, Secret, dkim::Signers},
};

pub(super) use audience::Audience;
pub(super) use freezer::freeze_audience;
pub(super) use press::Press;
pub(super) use sheet::{Hashed, Sheet};

const EDITION: &str = "edition.json";
const LETTERHEAD: &str = "letterhead.json";
const AUDIENCE: &str = "audience.jsonl";

/// Says which program has composed an edition.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a campaign's mails say; the same on every run.
pub(super) struct Bundle {
    pub(super) edition: Edition,
    pub(super) letterhead: Letterhead,
}

/// A bundle and its readers, out of the freezer.
pub(super) struct Thawed {
    pub(super) bundle: Bundle,
    pub(super) audience: Audience,
    /// Whether this very version of letterpress has composed it.
    pub(super) is_of_this_version: bool,
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
    /// The hash of what is said, as it was reckoned when it was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_hash: Option<String>,
    /// The version of letterpress that composed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letterpress: Option<String>,
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
            content_hash: None,
            letterpress: None,
        }
    }

    fn letterhead(self, secret: Secret, signers: Signers) -> Result<Letterhead> {
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
            signers,
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
    /// The hash of what is said: words, pictures and headers. Not of where in a file a tag stands, nor
    /// of how this program writes an edition down; without the date, which freezing fixes, and without
    /// the secret, whose loss is told of by itself.
    pub(super) fn content_hash(&self) -> String {
        let Letterhead {
            from,
            reply_to,
            return_path,
            list_name,
            list_id,
            base_url,
            unsubscribe_mailto,
            campaign,
            slug,
            ..
        } = &self.letterhead;
        let mut hash = Context::new(&SHA256);
        let mut add = |name: &str, value: &[u8]| {
            // With its length before it, no value reads like two.
            hash.update(format!("{name} {}\n", value.len()).as_bytes());
            hash.update(value);
        };
        let edition = &self.edition;
        for (name, part) in [
            ("subject", &edition.subject),
            ("html", &edition.html),
            ("text", &edition.text),
        ] {
            add(name, part.template.as_bytes());
        }
        for image in &edition.images {
            add("image", image.content_id.as_bytes());
            add("type", image.media_type.as_bytes());
            add("name", image.file_name.as_bytes());
            add("bytes", &image.bytes);
        }
        let or_none = |value: Option<String>| value.unwrap_or_default();
        for (name, value) in [
            ("from", from.to_string()),
            (
                "reply-to",
                or_none(reply_to.as_ref().map(Mailbox::to_string)),
            ),
            ("return-path", return_path.clone()),
            ("list", list_name.clone()),
            ("list-id", or_none(list_id.clone())),
            ("base", or_none(base_url.clone())),
            (
                "unsubscribe",
                or_none(unsubscribe_mailto.as_ref().map(Address::to_string)),
            ),
            ("campaign", campaign.clone()),
            ("slug", slug.clone()),
        ] {
            add(name, value.as_bytes());
        }
        HEXLOWER.encode(hash.finish().as_ref())
    }

    /// Adds what is said to a bundle.
    pub(super) fn freeze(&self, freezing: &mut Freezing) -> Result<()> {
        let heading = Heading {
            content_hash: Some(self.content_hash()),
            letterpress: Some(VERSION.to_owned()),
            ..Heading::of(&self.letterhead)
        };
        freezing.add(EDITION, &json(&self.edition)?)?;
        freezing.add(LETTERHEAD, &json(&heading)?)
    }
}

/// Adds what an earlier generation says to a bundle, as it is.
pub(super) fn refreeze(
    project: &Project,
    campaign: &Campaign,
    freezing: &mut Freezing,
) -> Result<()> {
    let frozen = open(project, campaign)?;
    [EDITION, LETTERHEAD]
        .iter()
        .try_for_each(|name| freezing.add(name, &frozen.file(name)?))
}

/// What was frozen for a campaign, checked against its hashes and against those in the books. The
/// secret is not in the bundle.
pub(super) fn thaw(project: &Project, campaign: &Campaign) -> Result<Thawed> {
    let frozen = open(project, campaign)?;
    let edition = frozen.file(EDITION);
    let heading = frozen.file(LETTERHEAD);
    let audience = Audience::of(&frozen);
    let faults = [
        edition.as_ref().err(),
        heading.as_ref().err(),
        audience.as_ref().err(),
    ];
    if let Some(error) = Error::all(faults.into_iter().flatten().cloned()) {
        return Err(error);
    }
    let audience = audience?;
    let heading: Heading = parse(&heading?)?;
    // The rows of the ledger are numbers in this audience: another one, though sound in itself, would
    // send people what others have had.
    let is_known = heading
        .content_hash
        .as_ref()
        .is_none_or(|hash| *hash == campaign.content_hash)
        && frozen.hash_of(AUDIENCE) == Some(campaign.audience_hash.as_str())
        && audience.len() == campaign.total;
    if !is_known {
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
    Ok(Thawed {
        is_of_this_version: heading.letterpress.as_deref() == Some(VERSION),
        bundle: Bundle {
            edition: parse(&edition?)?,
            letterhead: heading.letterhead(project.secret()?, project.signers(Keys::Needed)?)?,
        },
        audience,
    })
}

/// Whether any campaign has been frozen that is not for the sandbox.
pub(super) fn is_any_frozen(project: &Project) -> Result<bool> {
    let folders = fs::list(&folder(project))?;
    Ok(folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        // What begins with a dot was being written when a process ended.
        .any(|name| {
            let campaign = name.split('+').next().unwrap_or_default();
            !name.starts_with('.') && !campaign.ends_with("#sandbox")
        }))
}

/// The frozen audience of a campaign; its rows are those of the ledger.
pub(super) fn audience(project: &Project, campaign: &Campaign) -> Result<Audience> {
    Audience::of(&open(project, campaign)?)
}

fn open(project: &Project, campaign: &Campaign) -> Result<Frozen> {
    let found = campaign::open(&folder(project), &campaign.id, campaign.generation)?;
    found.ok_or_else(|| {
        Error::new(
            Kind::Unavailable,
            format!("the frozen files of the campaign `{}` are gone", campaign.id),
        )
        .hint(format!(
            "They were in `{}`; bring them back from a copy. Without them nobody can tell who the rows in the ledger are.",
            folder(project).display()
        ))
    })
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|cause| Error::bug("cannot freeze").because(&cause))
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|cause| unreadable().because(&cause))
}

fn unreadable() -> Error {
    Error::new(
        Kind::Unavailable,
        "a frozen file of the campaign cannot be read",
    )
}
