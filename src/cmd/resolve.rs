//! `resolve ISSUE`: settles mails whose fate is unknown, by what the relay has written down, or by
//! hand. Whom the relay has taken a mail for is `sent`, whatever became of it later.

mod events;
mod maillog;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::Path,
};

use serde_json::json;

use self::{
    events::Events,
    maillog::{Fate, MailLog},
};
use super::{
    campaign::Sandbox,
    project::Project,
    receipt,
    steering::{self, Found, People},
};
use crate::{
    audience::Address,
    cli::ResolveArgs,
    delivery::ledger::{Campaign, CampaignState, Ledger, Row, State, Verdict},
    error::{Error, Kind, Result},
    exit::Exit,
    fs,
    ui::Format,
};

/// Rows read at once.
const PAGE: u32 = 10_000;

/// A row that is in doubt.
struct Doubt {
    row: Row,
    email: String,
    /// What the log says.
    fate: Option<Fate>,
    verdict: Option<Verdict>,
}

pub(super) fn run(args: &ResolveArgs, project: &Project) -> Result<Exit> {
    let found = steering::find(project, &args.issue, Sandbox::of(args.sandbox))?;
    let path = steering::ledger(project);
    let by_hand = [&args.sent, &args.resend, &args.skip];
    let is_asked = args.maillog.is_some()
        || args.events.is_some()
        || by_hand.iter().any(|words| !words.is_empty());
    // What is to be settled is not to change meanwhile; to look at it, a sender need not stop.
    let ledger = match Ledger::open(&path) {
        Ok(ledger) => Some(ledger),
        Err(error) if error.kind() == Kind::TryLater && !is_asked => None,
        Err(error) => return Err(error),
    };
    let runtime = super::runtime()?;
    if let Some(ledger) = &ledger {
        runtime.block_on(ledger.recover(project.clock.now()))?;
    }
    let mut doubts = doubts(project, &found)?;
    if let Some(path) = &args.maillog {
        by_log(project, &found, path, &mut doubts)?;
    }
    if let Some(path) = &args.events {
        by_events(project, path, &mut doubts)?;
    }
    by_hand_of(args, &found.campaign, &mut doubts)?;
    let again = count(&doubts, |verdict| matches!(verdict, Verdict::Resend(_)));
    if again > 0 {
        confirm(args, project, &found.campaign, again)?;
    }
    if let Some(ledger) = &ledger {
        let verdicts: Vec<_> = doubts
            .iter()
            .filter_map(|doubt| Some((doubt.row.seq, doubt.verdict.clone()?)))
            .collect();
        if !verdicts.is_empty() {
            let now = project.clock.now();
            runtime.block_on(ledger.resolve(found.campaign.key, verdicts, now))?;
            again_a_receipt(project, &found, args)?;
        }
    }
    say(project, &found, &doubts);
    let left = doubts.iter().filter(|doubt| doubt.verdict.is_none());
    Ok(match left.count() {
        0 => Exit::Done,
        _ => Exit::Unknown,
    })
}

fn doubts(project: &Project, found: &Found) -> Result<Vec<Doubt>> {
    let rows = found.books.unknown(found.campaign.key)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let people = People::of(project, &found.campaign)?;
    rows.into_iter()
        .map(|row| {
            Ok(Doubt {
                email: people.address(row.seq)?.unwrap_or_else(|| "?".to_owned()),
                row,
                fate: None,
                verdict: None,
            })
        })
        .collect()
}

/// The Message-IDs in doubt, and the domains that they are of.
fn ids(doubts: &[Doubt]) -> (HashSet<String>, HashSet<String>) {
    let ids = doubts
        .iter()
        .filter_map(|doubt| doubt.row.message_id.clone());
    let ids: HashSet<String> = ids.collect();
    let domain = |id: &String| Some(id.rsplit_once('@')?.1.to_owned());
    let domains = ids.iter().filter_map(domain).collect();
    (ids, domains)
}

fn by_log(project: &Project, found: &Found, path: &Path, doubts: &mut [Doubt]) -> Result<()> {
    let name = path.display().to_string();
    let (_, domains) = ids(doubts);
    let ours = |id: &str| {
        id.rsplit_once('@')
            .is_some_and(|(_, domain)| domains.contains(domain))
    };
    let file = fs::open(path).map_err(|error| error.of_kind(Kind::NoInput))?;
    let mut log = MailLog::read(file, &name, ours, project.clock.now())?;
    let mut after = None;
    while !log.is_compared() {
        let rows = found.books.rows(found.campaign.key, after, PAGE)?;
        let Some(last) = rows.last() else {
            break;
        };
        after = Some(last.seq);
        let sent = rows.iter().filter(|row| row.state == State::Sent);
        log.compare(sent.filter_map(|row| Some((row.message_id.as_deref()?, row.at?))));
    }
    let begun = found
        .campaign
        .started_at
        .unwrap_or(found.campaign.created_at);
    for doubt in doubts {
        let (Some(id), Some(at)) = (&doubt.row.message_id, doubt.row.at) else {
            continue;
        };
        let fate = log.fate(id, at, begun);
        if let Fate::Taken(queue_id) = &fate {
            doubt.verdict = Some(Verdict::Sent(format!("in the mail log as {queue_id}")));
        }
        doubt.fate = Some(fate);
    }
    Ok(())
}

fn by_events(project: &Project, path: &Path, doubts: &mut [Doubt]) -> Result<()> {
    let name = path.display().to_string();
    let (ids, _) = ids(doubts);
    let file = fs::read(path).map_err(|error| error.of_kind(Kind::NoInput))?;
    let events = Events::read(&file, &name, |id| ids.contains(id))?;
    if events.unread > 0 {
        project.ui.status(&format!(
            "{} places in `{name}` are no JSON, and are passed over.",
            events.unread
        ));
    }
    for doubt in doubts.iter_mut().filter(|doubt| doubt.verdict.is_none()) {
        let word = doubt.row.message_id.as_ref();
        if let Some(word) = word.and_then(|id| events.seen.get(id)) {
            doubt.verdict = Some(Verdict::Sent(format!("the relay says `{word}`")));
        }
    }
    Ok(())
}

/// What the flags say, each person by their address first, then those who are left.
fn by_hand_of(args: &ResolveArgs, campaign: &Campaign, doubts: &mut [Doubt]) -> Result<()> {
    type Make = fn(String) -> Verdict;
    let flags: [(&str, &[String], Make); 3] = [
        ("--sent", &args.sent, Verdict::Sent),
        ("--resend", &args.resend, Verdict::Resend),
        ("--skip", &args.skip, Verdict::Skip),
    ];
    let mut errors = Vec::new();
    if !args.resend.is_empty() && campaign.state == CampaignState::Cancelled {
        errors.push(Error::new(
            Kind::Unavailable,
            format!(
                "`{}` was cancelled; nothing of it is sent again",
                campaign.id
            ),
        ));
    }
    let mut decided = BTreeSet::new();
    let is_group = |word: &str| matches!(word, "all" | "absent");
    for (flag, words, make) in flags {
        for word in words.iter().filter(|word| !is_group(word)) {
            let key = Address::parse(word).map_or_else(|_| word.clone(), |it| it.key());
            let same = |doubt: &&mut Doubt| {
                Address::parse(&doubt.email).is_ok_and(|address| address.key() == key)
            };
            let Some(doubt) = doubts.iter_mut().find(same) else {
                errors.push(
                    Error::data(format!(
                        "nothing of `{word}` is unknown in `{}`",
                        campaign.id
                    ))
                    .hint("Without any flag, `resolve` shows who is unknown."),
                );
                continue;
            };
            if !decided.insert(doubt.row.seq) {
                errors.push(Error::new(
                    Kind::Usage,
                    format!("`{word}` is named more than once"),
                ));
                continue;
            }
            match &doubt.verdict {
                Some(Verdict::Sent(_)) if flag == "--sent" => {}
                Some(Verdict::Sent(how)) => errors.push(Error::data(format!(
                    "`{word}` has had the mail: {how}; `{flag}` would be wrong"
                ))),
                _ => doubt.verdict = Some(make("by hand".to_owned())),
            }
        }
    }
    let groups: BTreeMap<&str, (&str, Make)> = flags
        .iter()
        .flat_map(|(flag, words, make)| {
            let named = words.iter().filter(|word| is_group(word));
            named.map(|word| (word.as_str(), (*flag, *make)))
        })
        .collect();
    let named: usize = flags
        .iter()
        .map(|(_, words, _)| words.iter().filter(|word| is_group(word)).count())
        .sum();
    if named > groups.len() {
        errors.push(Error::new(Kind::Usage, "`all` is named more than once"));
    }
    // `absent` comes before `all`: they are some of all.
    for (word, (flag, make)) in groups {
        if word == "absent" && (flag != "--resend" || args.maillog.is_none()) {
            errors.push(
                Error::new(Kind::Usage, format!("`{flag} absent` has no meaning here"))
                    .hint("`--resend absent`, with `--maillog`, sends again to those whom the log shows not to have been taken."),
            );
            continue;
        }
        for doubt in doubts.iter_mut().filter(|doubt| doubt.verdict.is_none()) {
            let is_absent = doubt.fate == Some(Fate::Absent);
            if word == "absent" && !is_absent {
                continue;
            }
            let why = match (flag, is_absent) {
                ("--resend", true) => "not in the mail log",
                _ => "by hand",
            };
            doubt.verdict = Some(make(why.to_owned()));
        }
    }
    Error::all(errors).map_or(Ok(()), Err)
}

fn count(doubts: &[Doubt], is: impl Fn(&Verdict) -> bool) -> usize {
    let verdicts = doubts.iter().filter_map(|doubt| doubt.verdict.as_ref());
    verdicts.filter(|verdict| is(verdict)).count()
}

/// To send again is the one thing that can give somebody two copies.
fn confirm(args: &ResolveArgs, project: &Project, campaign: &Campaign, again: usize) -> Result<()> {
    if args.yes {
        return Ok(());
    }
    if !project.ui.is_interactive() {
        return Err(Error::new(
            Kind::Usage,
            "there is no terminal to ask for a confirmation",
        )
        .hint(format!(
            "Add `--yes` to send {again} mails of `{}` again; who had them gets a second copy.",
            campaign.id
        )));
    }
    let question = format!("Type the number of mails ({again}) to send them again:");
    match project.ui.ask(&question) {
        Some(answer) if answer == again.to_string() => Ok(()),
        _ => Err(Error::new(
            Kind::Usage,
            "not confirmed; nothing was settled",
        )),
    }
}

/// A campaign that is complete has a receipt, which says how many are unknown.
fn again_a_receipt(project: &Project, found: &Found, args: &ResolveArgs) -> Result<()> {
    let Some(campaign) = found.books.campaign(&found.campaign.id)? else {
        return Ok(());
    };
    if args.sandbox || campaign.state != CampaignState::Complete {
        return Ok(());
    }
    let counts = found.books.counts(campaign.key)?;
    let slug = campaign.id.split('@').next().unwrap_or_default();
    receipt::write(project, slug, &campaign, &counts, project.clock.now())
}

fn say(project: &Project, found: &Found, doubts: &[Doubt]) {
    if project.ui.format() == Format::Json {
        for doubt in doubts {
            project.ui.json(&as_json(doubt));
        }
        return;
    }
    let id = &found.campaign.id;
    if doubts.is_empty() {
        project
            .ui
            .product(&format!("Nothing of `{id}` is unknown."));
        return;
    }
    let mut lines = Vec::new();
    for doubt in doubts {
        let (word, why) = words(doubt);
        lines.push(format!("{word:<8} {}  {why}", doubt.email));
        if doubt.verdict.is_none() {
            let at = doubt
                .row
                .at
                .map(|at| format!("{at:.0}  "))
                .unwrap_or_default();
            let message_id = doubt.row.message_id.as_deref().unwrap_or_default();
            lines.push(format!("         {at}<{message_id}>"));
        }
    }
    let left: Vec<&Doubt> = doubts.iter().filter(|it| it.verdict.is_none()).collect();
    let called = &found.called;
    lines.push(String::new());
    lines.push(match left.len() {
        0 => format!("Nothing of `{id}` is unknown any more."),
        many => format!("{many} of `{id}` are unknown: the relay may have taken them or not."),
    });
    let absent = left.iter().filter(|it| it.fate == Some(Fate::Absent));
    match (left.is_empty(), absent.count()) {
        (true, _) => {}
        (false, 0) => lines.push(format!(
            "To settle them: letterpress resolve {called} --maillog FILE, --events FILE, or --sent, --resend, --skip ADDR|all"
        )),
        (false, absent) => lines.push(format!(
            "The log shows that {absent} were not taken. To send them again: add `--resend absent`"
        )),
    }
    if count(doubts, |verdict| matches!(verdict, Verdict::Resend(_))) > 0 {
        lines.push(format!("To send what is due: letterpress send {called}"));
    }
    project.ui.product(&lines.join("\n"));
}

/// The word for what a row is now, and why.
fn words(doubt: &Doubt) -> (&'static str, String) {
    match (&doubt.verdict, &doubt.fate) {
        (Some(Verdict::Sent(why)), _) => ("sent", why.clone()),
        (Some(Verdict::Resend(why)), _) => ("pending", why.clone()),
        (Some(Verdict::Skip(why)), _) => ("skipped", why.clone()),
        (None, Some(Fate::Absent)) => ("unknown", "not in the mail log".to_owned()),
        (None, Some(Fate::Begun(queue_id))) => (
            "unknown",
            format!("the mail log has its beginning as {queue_id}, and not its end"),
        ),
        (None, Some(Fate::Unsaid(why))) => ("unknown", (*why).to_owned()),
        (None, _) => ("unknown", doubt.row.reply.clone().unwrap_or_default()),
    }
}

fn as_json(doubt: &Doubt) -> serde_json::Value {
    let (state, why) = words(doubt);
    json!({
        "email": doubt.email,
        "state": state,
        "reason": why,
        "attempts": doubt.row.attempts,
        "at": doubt.row.at.map(|at| at.to_string()),
        "message_id": doubt.row.message_id,
        "log": doubt.fate.as_ref().map(|fate| match fate {
            Fate::Taken(_) => "taken",
            Fate::Begun(_) => "begun",
            Fate::Absent => "absent",
            Fate::Unsaid(_) => "unsaid",
        }),
    })
}
