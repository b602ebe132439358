//! `status [ISSUE]`: the books, read without a lock.

mod table;

use std::{collections::BTreeSet, path::Path};

use serde_json::json;

use self::table::{Columns, Table};
use super::{
    campaign::Sandbox,
    project::Project,
    report,
    steering::{self, Found, People},
};
use crate::{
    cli::StatusArgs,
    delivery::ledger::{
        Books, Campaign, CampaignState, Counts, Outlook, Reason, Row, State, holder,
    },
    error::{Error, Kind, Result, nearest},
    exit::Exit,
    fs::{self, Access},
    ui::Format,
};

/// Rows read at once: a list of a million is not held whole.
const PAGE: u32 = 10_000;

pub(super) fn run(args: &StatusArgs, project: &Project) -> Result<Exit> {
    let Some(issue) = &args.issue else {
        return all(project);
    };
    let only = args.state.as_deref().map(state_of).transpose()?;
    let found = steering::find(project, issue, Sandbox::of(args.sandbox))?;
    if let Some(path) = &args.csv {
        table(project, &found, only, path)
    } else if args.recipients || only.is_some() {
        recipients(project, &found, only)
    } else {
        one(project, &found)
    }
}

fn state_of(word: &str) -> Result<State> {
    let found = State::ALL.into_iter().find(|state| state.word() == word);
    found.ok_or_else(|| {
        let words = State::ALL.map(State::word);
        let error = Error::new(Kind::Usage, format!("there is no state `{word}`"));
        match nearest(word, words) {
            Some(near) => error.hint(format!("Did you mean `{near}`?")),
            None => error.hint(format!("The states: {}.", words.join(", "))),
        }
    })
}

fn all(project: &Project) -> Result<Exit> {
    let Some(books) = Books::open(&steering::ledger(project))? else {
        project.ui.status("Nothing was sent yet.");
        return Ok(Exit::Done);
    };
    for campaign in books.campaigns()? {
        let counts = books.counts(campaign.key)?;
        match project.ui.format() {
            Format::Json => {
                let object = brief(project, &campaign, &counts)?;
                project.ui.json(&object.into());
            }
            Format::Human => project.ui.product(&format!(
                "{:<32} {:<12} {} of {} sent",
                campaign.id,
                state(project, &campaign)?,
                counts.sent,
                counts.total()
            )),
        }
    }
    Ok(Exit::Done)
}

/// What only one campaign is asked for: it takes a look at all of its rows.
struct Details {
    outlook: Outlook,
    next_retry: Option<jiff::Timestamp>,
    relays: Vec<(String, u64)>,
    reasons: Vec<Reason>,
}

impl Details {
    fn of(books: &Books, campaign: &Campaign) -> Result<Self> {
        Ok(Self {
            outlook: books.outlook(campaign.key)?,
            next_retry: books.next_deferred(campaign.key)?,
            relays: books.taken(campaign.key)?,
            reasons: books.reasons(campaign.key)?,
        })
    }

    fn json(&self, campaign: &Campaign, object: &mut serde_json::Map<String, serde_json::Value>) {
        let time = |at: Option<jiff::Timestamp>| json!(at.map(|at| at.to_string()));
        object.insert("reason".into(), json!(steering::reason(campaign)));
        let wanted = self.outlook.wanted.map(|wish| wish.word());
        object.insert("wanted".into(), json!(wanted));
        object.insert("generation".into(), json!(self.outlook.generation));
        object.insert("deliver_by".into(), time(self.outlook.deliver_by));
        object.insert("next_retry".into(), time(self.next_retry));
        let relays: serde_json::Map<_, _> = self
            .relays
            .iter()
            .map(|(name, count)| (name.clone(), json!(count)))
            .collect();
        object.insert("relays".into(), relays.into());
        let reasons = self.reasons.iter().map(|reason| {
            json!({
                "state": reason.state.word(),
                "code": reason.code,
                "reply": reason.reply,
                "count": reason.count,
            })
        });
        object.insert("reasons".into(), reasons.collect());
    }

    /// What goes behind the number of rows in a state.
    fn note(&self, state: State) -> String {
        match (state, self.next_retry) {
            (State::Deferred, Some(next)) => format!("  tried again from {next:.0} on"),
            (State::Sent, _) if self.relays.len() > 1 => {
                let relays = self.relays.iter();
                let shares = relays.map(|(name, count)| format!("{count} through {name}"));
                format!("  {}", shares.collect::<Vec<_>>().join(", "))
            }
            _ => String::new(),
        }
    }
}

fn one(project: &Project, found: &Found) -> Result<Exit> {
    let (books, campaign) = (&found.books, &found.campaign);
    let counts = books.counts(campaign.key)?;
    let details = Details::of(books, campaign)?;
    let mut object = brief(project, campaign, &counts)?;
    if project.ui.format() == Format::Json {
        details.json(campaign, &mut object);
        project.ui.json(&object.into());
        return Ok(Exit::Done);
    }
    let word = state(project, campaign)?;
    let mut lines = vec![format!("{}  {word}", campaign.id)];
    lines.extend(steering::reason(campaign).map(|reason| format!("  {reason}")));
    if let Some(wish) = details.outlook.wanted.filter(|_| word == "running") {
        lines.push(format!(
            "  told to {}; it does when the mails in flight are finished",
            wish.word()
        ));
    }
    for row_state in State::ALL {
        let count = counts.of(row_state);
        if count > 0 {
            let note = details.note(row_state);
            lines.push(format!("  {count:>9}  {}{note}", row_state.word()));
        }
    }
    lines.push(format!("  {:>9}  in all", counts.total()));
    if let (true, Some(rate)) = (word == "running", object["rate_per_second"].as_f64()) {
        let end = object["finishes_at"].as_str();
        let end = end.and_then(|end| end.parse::<jiff::Timestamp>().ok());
        let end = end.map(|end| format!(", done at about {end:.0}"));
        lines.push(format!("{rate} a second{}", end.unwrap_or_default()));
    }
    if let (true, Some(end)) = (steering::due(&counts) > 0, details.outlook.deliver_by) {
        lines.push(format!("What is not sent by {end:.0} is given up."));
    }
    if !details.reasons.is_empty() {
        lines.push("Why:".into());
    }
    for reason in &details.reasons {
        let code = reason.code.map(|code| format!("{code} "));
        lines.push(
            format!(
                "  {:>9}  {:<8}  {}{}",
                reason.count,
                reason.state.word(),
                code.unwrap_or_default(),
                reason.reply
            )
            .trim_end()
            .to_owned(),
        );
    }
    if counts.unknown > 0 {
        lines.push(format!(
            "Unknown: the connection broke before the reply. To settle them: letterpress resolve {}",
            found.called
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

/// What every campaign is asked for.
fn brief(
    project: &Project,
    campaign: &Campaign,
    counts: &Counts,
) -> Result<serde_json::Map<String, serde_json::Value>> {
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
    Ok(object)
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

/// Each row of a group, a page at a time.
fn each(found: &Found, only: Option<State>, mut row: impl FnMut(&Row) -> Result<()>) -> Result<()> {
    let key = found.campaign.key;
    let mut after = None;
    loop {
        let rows = match only {
            Some(state) => found.books.rows_in(key, state, after, PAGE)?,
            None => found.books.rows(key, after, PAGE)?,
        };
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = Some(last.seq);
        rows.iter().try_for_each(&mut row)?;
    }
}

fn recipients(project: &Project, found: &Found, only: Option<State>) -> Result<Exit> {
    let people = People::of(project, &found.campaign)?;
    each(found, only, |row| {
        let email = people.address(row.seq)?;
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
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// Writes a group as a list. It holds addresses, so it is for the owner alone.
fn table(project: &Project, found: &Found, only: Option<State>, path: &Path) -> Result<Exit> {
    let people = People::of(project, &found.campaign)?;
    // A field that is blank for everyone so far is not there; so all are asked first.
    let mut fields = BTreeSet::new();
    each(found, only, |row| {
        if let Some(person) = people.get(row.seq)? {
            let new = Columns::said(&person).filter(|name| !fields.contains(*name));
            let new: Vec<String> = new.cloned().collect();
            fields.extend(new);
        }
        Ok(())
    })?;
    let mut table = Table::new(Columns::new(fields))?;
    let mut count = 0_u64;
    each(found, only, |row| {
        if let Some(person) = people.get(row.seq)? {
            table.add(&person, row)?;
            count += 1;
        }
        Ok(())
    })?;
    fs::write(path, &table.finish()?, Access::Private)?;
    let id = &found.campaign.id;
    let word = only.map(State::word);
    match project.ui.format() {
        Format::Json => project.ui.json(&json!({
            "campaign": id,
            "state": word,
            "rows": count,
            "file": path.display().to_string(),
        })),
        Format::Human => project.ui.product(&format!(
            "{}: {count} recipients of `{id}`{}",
            path.display(),
            word.map(|word| format!(", {word}")).unwrap_or_default()
        )),
    }
    Ok(Exit::Done)
}
