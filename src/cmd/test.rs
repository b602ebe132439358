//! `test ISSUE --to ADDR`: the real mail to an address of the user's own. The books are left alone:
//! those of a test are in memory, and go with it.

use std::{sync::Arc, time::Duration};

use super::{
    job::Bar,
    outbox::{Outbox, Route, Run, Stay, Venue},
    project::{Keys, Project},
    reader, report,
    signals::Signals,
};
use crate::{
    audience::{Address, Recipient},
    cli::TestArgs,
    config::RelayUrl,
    delivery::{
        Mails, Relay,
        ledger::{Ledger, NewCampaign, State},
    },
    error::{Error, Kind, Result},
    exit::Exit,
    mail::{self, Letterhead, Mail, Merger},
};

pub(super) fn run(args: &TestArgs, project: &Project) -> Result<Exit> {
    let addresses = addresses(&args.to)?;
    project.signers(Keys::Needed)?;
    let issue = project.gather(&args.issue)?;
    let composed = project.compose(&issue)?;
    let reader = reader::reader(project, args.reader.as_deref())?;
    let campaign = format!("{}@test", issue.slug);
    let now = project.clock.now();
    let letterhead = Letterhead {
        subject_prefix: Some("[TEST] ".into()),
        ..project.letterhead(&issue, &campaign, now, Keys::Needed)?
    };
    let merger = Merger::new(&composed.edition)?;
    let mails: Vec<Mail> = addresses
        .into_iter()
        .map(|address| {
            let copy = Recipient {
                address,
                ..reader.clone()
            };
            mail::address(&letterhead, &merger, &composed.edition.images, &copy)
        })
        .collect::<Result<_>>()?;

    super::runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let (outbox, venue) = if args.sandbox {
            let outbox = Outbox::open(project, Venue::Sandbox, &issue.slug).await?;
            (outbox, Venue::Sandbox)
        } else {
            (
                Outbox::Relay(vec![Route::alone(relay(args, project)?, project.rate())]),
                Venue::Relay,
            )
        };
        let ledger = Arc::new(Ledger::in_memory()?);
        let total = u32::try_from(mails.len()).unwrap_or(u32::MAX);
        let campaign = NewCampaign {
            id: campaign,
            content_hash: String::new(),
            audience_hash: String::new(),
            created_at: now,
        };
        let run = Run {
            campaign: ledger.begin(campaign, total).await?.key,
            limit: None,
            ledger: Arc::clone(&ledger),
            mails: Arc::new(Copies(mails)),
            progress: Arc::new(Bar::new(project.ui.progress(0), project.ui)),
            // Somebody is waiting, and can try again.
            patience: Duration::from_secs(5),
            deliver_by: None,
            stay: Stay::Briefly,
        };
        let key = run.campaign;
        let summary = outbox.deliver(project, run, &signals).await;
        let rows = ledger.rows(key, None, total).await?;
        let name = outbox.name();
        let kept = outbox.close().await?;
        let words = rows
            .iter()
            .zip(&args.to)
            .map(|(row, to)| {
                // The books of a test go with it: what is pending in them will never be sent.
                let state = match row.state {
                    State::Pending => "not sent",
                    state => state.word(),
                };
                let code = row.code.map(|code| code.to_string()).unwrap_or_default();
                let reply = row.reply.as_deref().unwrap_or_default();
                format!("{state:<9} {to}  by way of {name}  {code} {reply}")
                    .trim_end()
                    .to_owned()
            })
            .collect();
        report::trial(
            project,
            &issue.slug,
            venue,
            words,
            summary?,
            &kept,
            &signals,
        )
    })
}

fn addresses(to: &[String]) -> Result<Vec<Address>> {
    let mut good = Vec::new();
    let mut bad = Vec::new();
    for text in to {
        match Address::parse(text) {
            Ok(address) => good.push(address),
            Err(cause) => bad.push(
                Error::new(
                    Kind::Usage,
                    format!("`{text}` is no address: {}", cause.reason),
                )
                .hint(cause.hint),
            ),
        }
    }
    Error::all(bad).map_or(Ok(good), Err)
}

/// The relay of the settings, or the one that the command line names.
fn relay(args: &TestArgs, project: &Project) -> Result<Relay> {
    let Some(url) = &args.relay else {
        return project.relay();
    };
    let url: RelayUrl = url
        .parse()
        .map_err(|cause: String| Error::new(Kind::Usage, cause))?;
    // The password in the settings is for the host in the settings, and is shown to no other.
    let same = project
        .settings
        .relay
        .as_ref()
        .is_some_and(|settings| settings.url.host == url.host);
    if url.user.is_some() && !same {
        return Err(Error::new(
            Kind::Usage,
            format!("there is no password for `{}` in the settings", url.host),
        )
        .hint("A relay that wants credentials has to be the one in `newsletter.toml`."));
    }
    if url.user.is_some() {
        let known = project.relay()?;
        return Ok(Relay {
            credentials: known.credentials.clone(),
            ..project.relay_at(&url, None)?
        });
    }
    project.relay_at(&url, None)
}

/// The same mail for each address.
struct Copies(Vec<Mail>);

impl Mails for Copies {
    fn mail(&self, seq: u32) -> Result<Mail> {
        self.0
            .get(seq as usize)
            .cloned()
            .ok_or_else(|| Error::bug(format!("there is no mail {seq}")))
    }
}
