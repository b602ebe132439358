//! `status [ISSUE]`: the books, read without a lock.

use serde_json::json;

use super::{
    campaign::{self, Sandbox},
    project::Project,
    report,
};
use crate::{
    cli::StatusArgs,
    delivery::ledger::{Books, Campaign, CampaignState, Counts, State, holder},
    error::{Error, Kind, Result},
    exit::Exit,
    source,
    ui::Format,
};

/// Rows read at once: a list of a million is not held whole.
const PAGE: u32 = 10_000;

pub(super) fn run(args: &StatusArgs, project: &Project) -> Result<Exit> {
    let path = project.path(project.settings.ledger_path());
    let books = Books::open(&path)?;
    let campaigns = match &books {
        Some(books) => books.campaigns()?,
        None => Vec::new(),
    };
    let Some(issue) = &args.issue else {
        return all(project, books.as_ref(), &campaigns);
    };
    let slug = slug_of(issue);
    let sandbox = if args.sandbox {
        Sandbox::Yes
    } else {
        Sandbox::No
    };
    let id = campaign::id(slug, sandbox);
    let Some((books, found)) = books
        .as_ref()
        .zip(campaigns.iter().find(|campaign| campaign.id == id))
    else {
        return Err(not_sent(project, slug, sandbox, &campaigns));
    };
    if args.recipients {
        recipients(project, books, found)
    } else {
        let counts = books.counts(found.key)?;
        one(project, found, &counts)
    }
}

/// `issues/welcome.md`, `welcome.md` and `welcome` are the same issue; `2026.48` is another.
fn slug_of(issue: &str) -> &str {
    let name = issue.rsplit(['/', '\\']).next().unwrap_or(issue);
    name.strip_suffix(".md").unwrap_or(name)
}

fn not_sent(project: &Project, slug: &str, sandbox: Sandbox, campaigns: &[Campaign]) -> Error {
    let other = campaign::id(
        slug,
        match sandbox {
            Sandbox::Yes => Sandbox::No,
            Sandbox::No => Sandbox::Yes,
        },
    );
    let error = Error::new(
        Kind::NoInput,
        format!(
            "the books in `{}` know nothing of `{}`",
            project.settings.ledger_path(),
            campaign::id(slug, sandbox)
        ),
    );
    if campaigns.iter().any(|campaign| campaign.id == other) {
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

fn all(project: &Project, books: Option<&Books>, campaigns: &[Campaign]) -> Result<Exit> {
    let Some(books) = books else {
        project.ui.status("Nothing was sent yet.");
        return Ok(Exit::Done);
    };
    for campaign in campaigns {
        let counts = books.counts(campaign.key)?;
        match project.ui.format() {
            Format::Json => project.ui.json(&as_json(project, campaign, &counts)?),
            Format::Human => project.ui.product(&format!(
                "{:<32} {:<12} {} of {} sent",
                campaign.id,
                state(project, campaign)?,
                counts.sent,
                counts.total()
            )),
        }
    }
    Ok(Exit::Done)
}

fn one(project: &Project, campaign: &Campaign, counts: &Counts) -> Result<Exit> {
    if project.ui.format() == Format::Json {
        project.ui.json(&as_json(project, campaign, counts)?);
        return Ok(Exit::Done);
    }
    let mut lines = vec![format!("{}  {}", campaign.id, state(project, campaign)?)];
    if let CampaignState::Paused(reason) = &campaign.state {
        lines.push(format!("  {reason}"));
    }
    for row_state in State::ALL {
        let count = counts.of(row_state);
        if count > 0 {
            lines.push(format!("  {count:>9}  {}", row_state.word()));
        }
    }
    lines.push(format!("  {:>9}  in all", counts.total()));
    if counts.unknown > 0 {
        lines.push(format!(
            "Unknown: the connection broke before the reply. See who: `letterpress status {} --recipients`.",
            campaign.id.split('@').next().unwrap_or_default()
        ));
    }
    project.ui.product(&lines.join("\n"));
    Ok(Exit::Done)
}

/// The campaign's state; what a killed process left as running is interrupted.
fn state(project: &Project, campaign: &Campaign) -> Result<&'static str> {
    if campaign.state == CampaignState::Running {
        let ledger = project.path(project.settings.ledger_path());
        if holder(&ledger)?.is_none() {
            return Ok(CampaignState::Interrupted.word());
        }
    }
    Ok(campaign.state.word())
}

fn as_json(project: &Project, campaign: &Campaign, counts: &Counts) -> Result<serde_json::Value> {
    let rate = rate(project, campaign, counts);
    let left = counts.pending + counts.sending + counts.deferred;
    let finishes_at = rate
        .filter(|rate| *rate > 0.0 && left > 0 && campaign.state == CampaignState::Running)
        .and_then(|rate| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let seconds = left as f64 / rate;
            let span = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
            project.clock.now().checked_add(span).ok()
        });
    let mut object = serde_json::Map::new();
    object.insert("issue".into(), json!(campaign.id.split('@').next()));
    object.insert("campaign".into(), json!(campaign.id));
    object.insert("state".into(), json!(state(project, campaign)?));
    report::insert_counts(&mut object, counts);
    object.insert("rate_per_second".into(), json!(rate));
    let time = |at: Option<jiff::Timestamp>| json!(at.map(|at| at.to_string()));
    object.insert("started_at".into(), time(campaign.started_at));
    object.insert(
        "finishes_at".into(),
        time(finishes_at.or(campaign.finished_at)),
    );
    Ok(object.into())
}

/// Mails a second since the campaign began, over the time that it took or is taking.
fn rate(project: &Project, campaign: &Campaign, counts: &Counts) -> Option<f64> {
    let started = campaign.started_at?;
    let end = campaign.finished_at.unwrap_or_else(|| project.clock.now());
    let seconds = end.duration_since(started).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let sent = counts.sent as f64;
    (seconds > 0.0).then(|| (sent / seconds * 100.0).round() / 100.0)
}

fn recipients(project: &Project, books: &Books, campaign: &Campaign) -> Result<Exit> {
    let audience = campaign::audience(project, campaign)?;
    let mut after = None;
    loop {
        let rows = books.rows(campaign.key, after, PAGE)?;
        let Some(last) = rows.last() else {
            return Ok(Exit::Done);
        };
        after = Some(last.seq);
        for row in &rows {
            let email = audience
                .address(row.seq)?
                .map(|address| address.to_string());
            match project.ui.format() {
                Format::Json => project.ui.json(&json!({
                    "email": email,
                    "state": row.state.word(),
                    "attempts": row.attempts,
                    "code": row.code,
                    "reply": row.reply,
                    "at": row.at.map(|at| at.to_string()),
                    "message_id": row.message_id,
                })),
                Format::Human => project.ui.product(
                    format!(
                        "{:<9} {}  {} {}",
                        row.state.word(),
                        email.as_deref().unwrap_or("?"),
                        row.code.map(|code| code.to_string()).unwrap_or_default(),
                        row.reply.as_deref().unwrap_or_default()
                    )
                    .trim_end(),
                ),
            }
        }
    }
}
