//! The receipt of a campaign: `issues/<slug>.sent.toml`, written when it is complete, to be committed
//! with the issue. It holds counts and no addresses.
//!
//! A ledger that is lost, or another machine with the same files, would otherwise send to everyone
//! again: a campaign that has a receipt and is in no ledger is refused.

use std::path::PathBuf;

use jiff::Timestamp;
use toml::{Table, Value};

use super::project::Project;
use crate::{
    delivery::ledger::{Campaign, Counts, State},
    error::{Error, Result},
    fs::{self, Access},
    place::Text,
};

const HEAD: &str = "# What was sent of this issue. Commit this file: letterpress refuses to send again what has a\n# receipt and is in no ledger it knows.\n\n";

fn name(slug: &str) -> String {
    format!("issues/{slug}.sent.toml")
}

fn path(project: &Project, slug: &str) -> PathBuf {
    project.path(name(slug))
}

/// Refuses a campaign that the ledger does not know, if there is a receipt of it.
pub(super) fn refuse(project: &Project, slug: &str, campaign: &str) -> Result<()> {
    let Some(receipt) = read(project, slug)?.remove(campaign) else {
        return Ok(());
    };
    let when = receipt
        .get("completed_at")
        .and_then(Value::as_str)
        .unwrap_or("an earlier day");
    let name = name(slug);
    Err(Error::data(format!(
        "`{campaign}` was sent already, on {when}, says `{name}`"
    ))
    .because_of(format!(
        "the ledger in `{}` does not know it, and would send it to everyone again",
        project.settings.ledger_path()
    ))
    .hint("Bring the ledger back from the machine that sent it, or from a copy.")
    .hint(format!(
        "If everyone is really to get it again, remove `{name}`."
    )))
}

/// Writes down that a campaign is complete.
pub(super) fn write(
    project: &Project,
    slug: &str,
    campaign: &Campaign,
    counts: &Counts,
    now: Timestamp,
) -> Result<()> {
    let mut receipts = read(project, slug)?;
    let mut receipt = Table::new();
    let completed_at = campaign.finished_at.unwrap_or(now);
    receipt.insert("completed_at".into(), completed_at.to_string().into());
    receipt.insert("content_hash".into(), campaign.content_hash.clone().into());
    for state in State::ALL {
        let count = i64::try_from(counts.of(state)).unwrap_or(i64::MAX);
        if count > 0 {
            receipt.insert(state.word().into(), count.into());
        }
    }
    if receipts.get(&campaign.id) == Some(&Value::Table(receipt.clone())) {
        return Ok(());
    }
    receipts.insert(campaign.id.clone(), receipt.into());
    let content = format!("{HEAD}{receipts}");
    fs::write(&path(project, slug), content.as_bytes(), Access::Shared)
}

fn read(project: &Project, slug: &str) -> Result<Table> {
    let path = path(project, slug);
    if !path.exists() {
        return Ok(Table::new());
    }
    let content = fs::read_text(&path)?;
    content.parse().map_err(|cause: toml::de::Error| {
        let text = Text::new(name(slug), content.as_str());
        Error::data("the receipt cannot be read")
            .because_of(cause.message().to_owned())
            .at(text.place(cause.span().unwrap_or(0..0)))
            .hint("Bring it back as it was committed; without it nobody can tell what was sent.")
    })
}
