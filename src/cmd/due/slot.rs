//! The slot of a campaign: in its id, and when a person sends an issue that recurs.

use std::ops::ControlFlow;

use jiff::Timestamp;

use crate::{
    cmd::{outbox::Venue, project::Project},
    delivery::ledger::{Books, Campaign, CampaignState},
    error::Result,
    exit::Exit,
    issue::Issue,
    ui::Format,
};

/// The slot that an issue is sent for: the one that cron says, or else, when a person sends an issue that
/// recurs, that of a campaign that is under way or the last one, however long ago it was. Before its
/// first slot it is not sent, as one with `send_at` is not before its time.
pub(in crate::cmd) fn slot(
    project: &Project,
    issue: &Issue,
    venue: Venue,
    said: Option<Timestamp>,
) -> Result<ControlFlow<Exit, Option<Timestamp>>> {
    let schedule = match &issue.front.every {
        Some(schedule) if venue == Venue::Relay && said.is_none() => schedule,
        _ => return Ok(ControlFlow::Continue(said)),
    };
    let now = project.clock.now();
    let books = Books::open_if_begun(&project.path(project.settings.ledger_path()))?;
    let campaigns = books.as_ref().map_or(Ok(Vec::new()), Books::campaigns)?;
    let slot = under_way(&issue.slug, &campaigns).or_else(|| schedule.last_at_or_before(now));
    if slot.is_some() {
        return Ok(ControlFlow::Continue(slot));
    }
    let next = schedule.next_after(now);
    match project.ui.format() {
        Format::Human => project.ui.product(&match next {
            Some(next) => format!(
                "`{}` is due at {} for the first time; nothing was sent.",
                issue.slug,
                schedule.show(next)
            ),
            None => format!("`{}` is never due; nothing was sent.", issue.slug),
        }),
        Format::Json => project.ui.json(&serde_json::json!({
            "issue": issue.slug,
            "end": "scheduled",
            "send_at": next.map(|next| next.to_string()),
        })),
    }
    Ok(ControlFlow::Break(Exit::TryLater))
}

/// The latest slot of an issue whose campaign is not at its end.
fn under_way(slug: &str, campaigns: &[Campaign]) -> Option<Timestamp> {
    let open = campaigns.iter().filter(|campaign| {
        matches!(
            campaign.state,
            CampaignState::Running | CampaignState::Interrupted | CampaignState::Paused(_)
        )
    });
    let slots = open.filter_map(|campaign| {
        Name::of(&campaign.id)
            .filter(|name| name.slug == slug)?
            .slot
    });
    slots.max()
}

/// What the id of a campaign says: `<slug>@<segment>[@<slot>]`.
pub(super) struct Name<'a> {
    pub(super) slug: &'a str,
    pub(super) slot: Option<Timestamp>,
}

impl<'a> Name<'a> {
    /// Of a campaign to the relay; `None` for the sandbox.
    pub(super) fn of(id: &'a str) -> Option<Self> {
        if id.contains('#') {
            return None;
        }
        let (slug, rest) = id.split_once('@')?;
        let slot = match rest.split_once('@') {
            Some((_, slot)) => Some(slot.parse().ok()?),
            None => None,
        };
        Some(Self { slug, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_whose_campaign_it_is() {
        let name = |id: &str| {
            let name = Name::of(id)?;
            Some(format!(
                "{} {}",
                name.slug,
                name.slot.map(|slot| slot.to_string()).unwrap_or_default()
            ))
        };
        assert_eq!(name("a@all").as_deref(), Some("a "));
        assert_eq!(
            name("a.b@pro@2026-11-23T08:00:00Z").as_deref(),
            Some("a.b 2026-11-23T08:00:00Z")
        );
        assert_eq!(name("a@all#sandbox"), None);
        assert_eq!(name("a@all@soon"), None);
        assert_eq!(name("a"), None);
    }
}
