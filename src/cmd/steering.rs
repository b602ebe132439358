//! What `pause`, `resume`, `cancel`, `resolve` and `status` share: which campaign is meant, and a wish
//! made known to whoever sends it.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    campaign::{self, Audience, Sandbox},
    project::Project,
    report,
};
use crate::{
    audience::Recipient,
    delivery::ledger::{Books, Campaign, CampaignState, Counts, Helm, Ledger, Wish},
    error::{Error, Kind, Result},
    source,
};

/// How long a run is waited for that was told to stop. Mails in flight may take longer; then it does
/// what it was told later.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the books are looked at meanwhile.
const EACH: Duration = Duration::from_millis(100);

/// A campaign in the books.
pub(super) struct Found {
    pub(super) books: Books,
    pub(super) campaign: Campaign,
    /// What the user calls it in another command, `--sandbox` included.
    pub(super) called: String,
}

/// The ledger's file.
pub(super) fn ledger(project: &Project) -> PathBuf {
    project.path(project.settings.ledger_path())
}

/// The campaign of an issue; of one that recurs, the latest. The id of a campaign does, too.
pub(super) fn find(project: &Project, issue: &str, sandbox: Sandbox) -> Result<Found> {
    let slug = slug_of(issue);
    let books = Books::open(&ledger(project))?;
    let campaigns = match &books {
        Some(books) => books.campaigns()?,
        None => Vec::new(),
    };
    let own: Vec<&Campaign> = campaigns
        .iter()
        .filter(|campaign| is_of(&campaign.id, slug, sandbox))
        .collect();
    // The latest comes first; of those without a slot, that which was entered last.
    let found = own
        .iter()
        .rev()
        .max_by_key(|campaign| campaign.slot)
        .copied();
    let others: Vec<String> = own
        .iter()
        .filter(|other| found.is_some_and(|found| found.id != other.id) && is_open(other))
        .map(|other| format!("`{}`", other.id))
        .collect();
    if let (Some(found), false) = (found, others.is_empty()) {
        project.ui.status(&format!(
            "This is about `{}`. Not at their end are also {}: say the name of one to mean it.",
            found.id,
            others.join(", ")
        ));
    }
    let Some((books, campaign)) = books.zip(found) else {
        return Err(not_sent(project, slug, sandbox, &campaigns));
    };
    Ok(Found {
        books,
        campaign: campaign.clone(),
        called: match sandbox {
            Sandbox::Yes => format!("{slug} --sandbox"),
            Sandbox::No => slug.to_owned(),
        },
    })
}

/// `issues/welcome.md`, `welcome.md` and `welcome` are the same issue; `2026.48` is another.
fn slug_of(issue: &str) -> &str {
    let name = issue.rsplit(['/', '\\']).next().unwrap_or(issue);
    name.strip_suffix(".md").unwrap_or(name)
}

fn is_of(id: &str, slug: &str, sandbox: Sandbox) -> bool {
    if id == slug {
        return true;
    }
    let (id, found) = match id.strip_suffix("#sandbox") {
        Some(id) => (id, Sandbox::Yes),
        None => (id, Sandbox::No),
    };
    let rest = id
        .strip_prefix(slug)
        .and_then(|rest| rest.strip_prefix("@all"));
    found == sandbox && rest.is_some_and(|slot| slot.is_empty() || slot.starts_with('@'))
}

/// Whether there is something left of a campaign for anybody to steer.
fn is_open(campaign: &Campaign) -> bool {
    !matches!(
        campaign.state,
        CampaignState::Complete | CampaignState::Cancelled
    )
}

fn not_sent(project: &Project, slug: &str, sandbox: Sandbox, campaigns: &[Campaign]) -> Error {
    let other = match sandbox {
        Sandbox::Yes => Sandbox::No,
        Sandbox::No => Sandbox::Yes,
    };
    let error = Error::new(
        Kind::NoInput,
        format!(
            "the books in `{}` know nothing of `{}`",
            project.settings.ledger_path(),
            campaign::id(slug, sandbox)
        ),
    );
    if campaigns.iter().any(|known| is_of(&known.id, slug, other)) {
        error.hint(match sandbox {
            Sandbox::No => "It was sent to the sandbox: add `--sandbox` to see those books.",
            Sandbox::Yes => "It was sent, but not to the sandbox: leave out `--sandbox`.",
        })
    } else if source::issues(&project.root()).is_ok_and(|known| !known.iter().any(|it| it == slug))
    {
        error.hint("There is no issue of this name either: they are the files `issues/*.md`.")
    } else {
        error.hint(format!(
            "Nothing was sent of it yet: `letterpress send {slug}`."
        ))
    }
}

/// Who the rows of a campaign are, by their numbers.
pub(super) struct People(Audience);

impl People {
    /// Those of a campaign, as they were frozen.
    pub(super) fn of(project: &Project, campaign: &Campaign) -> Result<Self> {
        campaign::audience(project, campaign).map(Self)
    }

    /// Whose row it is.
    pub(super) fn get(&self, seq: u32) -> Result<Option<Recipient>> {
        self.0.recipient(seq)
    }

    /// The address of a row.
    pub(super) fn address(&self, seq: u32) -> Result<Option<String>> {
        let found = self.0.address(seq)?;
        Ok(found.map(|address| address.to_string()))
    }
}

/// What came of a wish.
pub(super) enum Granted {
    /// The campaign stands so now.
    Done(Box<Campaign>),
    /// A run was told, and has not finished the mails in flight yet.
    Told,
}

/// Makes a wish known, and waits until it is granted, for a while.
pub(super) fn wish(project: &Project, id: &str, wish: Wish) -> Result<Granted> {
    super::runtime()?.block_on(granted(project, id, wish))
}

async fn granted(project: &Project, id: &str, wish: Wish) -> Result<Granted> {
    let path = ledger(project);
    let gone = || {
        let what = format!("the campaign `{id}` is gone from the books");
        Error::new(Kind::NoInput, what)
    };
    let begun = Instant::now();
    let mut helm = Helm::open(&path)?;
    let mut told =
        || -> Result<Campaign> { helm.wish(id, wish, project.clock.now())?.ok_or_else(gone) };
    let mut campaign = told()?;
    loop {
        match campaign.state {
            CampaignState::Running => {}
            CampaignState::Scheduled | CampaignState::Interrupted => {
                let books = Books::open(&path)?.ok_or_else(gone)?;
                if books.outlook(campaign.key)?.wanted.is_none() {
                    // Somebody has taken it back meanwhile.
                    return Ok(Granted::Done(Box::new(campaign)));
                }
                // The run ended of itself, and did not see it any more.
                campaign = told()?;
                continue;
            }
            _ => return Ok(Granted::Done(Box::new(campaign))),
        }
        match Ledger::open(&path) {
            // Nobody sends: who did was killed.
            Ok(ledger) => {
                ledger.recover(project.clock.now()).await?;
            }
            Err(error) if error.kind() == Kind::TryLater => {
                if begun.elapsed() > PATIENCE {
                    return Ok(Granted::Told);
                }
                tokio::time::sleep(EACH).await;
            }
            Err(error) => return Err(error),
        }
        let books = Books::open(&path)?.ok_or_else(gone)?;
        campaign = books.campaign(id)?.ok_or_else(gone)?;
    }
}

/// A campaign that was called off is over: it does not go on.
pub(super) fn refuse_cancelled(campaign: &Campaign) -> Result<()> {
    if campaign.state != CampaignState::Cancelled {
        return Ok(());
    }
    Err(Error::new(
        Kind::Unavailable,
        format!("`{}` was cancelled, which is for good", campaign.id),
    )
    .hint("To send it after all, give the issue another name; those who had it get it again then."))
}

/// What was done to a campaign, as programs read it.
pub(super) fn as_json(campaign: &Campaign, done: &str, counts: &Counts) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    object.insert("issue".into(), json!(campaign.id.split('@').next()));
    object.insert("campaign".into(), json!(campaign.id));
    object.insert("done".into(), json!(done));
    object.insert("state".into(), json!(campaign.state.word()));
    object.insert("reason".into(), json!(reason(campaign)));
    report::insert_counts(&mut object, counts);
    object.into()
}

/// Why it is paused, if it is.
pub(super) fn reason(campaign: &Campaign) -> Option<&str> {
    match &campaign.state {
        CampaignState::Paused(reason) => Some(reason),
        _ => None,
    }
}

/// Those who are still to be written to.
pub(super) fn due(counts: &Counts) -> u64 {
    counts.pending + counts.sending + counts.deferred
}

impl Sandbox {
    /// What `--sandbox` says.
    pub(super) fn of(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_has_its_campaigns_and_no_others() {
        for (id, slug, sandbox, is) in [
            ("a@all", "a", Sandbox::No, true),
            ("a@all", "a", Sandbox::Yes, false),
            ("a@all#sandbox", "a", Sandbox::Yes, true),
            ("a@all#sandbox", "a", Sandbox::No, false),
            ("a@all@2026-11-23T08:00:00Z", "a", Sandbox::No, true),
            (
                "a@all@2026-11-23T08:00:00Z#sandbox",
                "a",
                Sandbox::Yes,
                true,
            ),
            (
                "a@all@2026-11-23T08:00:00Z",
                "a@all@2026-11-23T08:00:00Z",
                Sandbox::No,
                true,
            ),
            ("ab@all", "a", Sandbox::No, false),
            ("a@allies", "a", Sandbox::No, false),
        ] {
            assert_eq!(is_of(id, slug, sandbox), is, "{id} of {slug}");
        }
    }
}
