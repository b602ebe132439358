//! `rehearse ISSUE`: the whole send to a relay of ours that misbehaves, and the proof.
//!
//! The relay and its count live in this process, which nobody kills. The sender is this program
//! again, as a process of its own on a stage: the real list, the real rendering, the real books in
//! another place. It may be killed as often as one likes; what counts is what arrived.

mod course;
mod receiver;
mod sender;
mod stage;
mod tally;
mod words;

use std::sync::Arc;

use super::{project::Project, signals::Signals};
use crate::{
    cli::RehearseArgs,
    error::{Error, Kind, Result},
    exit::Exit,
    fs,
    inbox::{Dice, Manners, Misbehavior},
    ui::Format,
};
use course::{Curtain, Director};
use receiver::Receiver;
use sender::Cast;
use stage::Tempo;
use tally::Tally;
use words::Account;

pub(super) use stage::{RETRY, stage};

pub(super) fn run(args: &RehearseArgs, project: &Project) -> Result<Exit> {
    let manners = Arc::new(Misbehavior::parse(&args.faults, args.seed)?);
    let folder = stage::folder(project);
    let lock = folder.with_extension("lock");
    let holder = format!("process {}", std::process::id());
    let _lock = fs::lock(&lock, &holder)?.map_err(|holder| {
        Error::new(Kind::TryLater, "another rehearsal is going on").because_of(holder)
    })?;
    fs::remove_folder(&folder)?;
    super::runtime()?.block_on(perform(args, project, manners))
}

async fn perform(
    args: &RehearseArgs,
    project: &Project,
    manners: Arc<Misbehavior>,
) -> Result<Exit> {
    let folder = stage::folder(project);
    let relay = project.settings.relay.as_ref();
    let usual = relay.map_or(4, |relay| relay.connections);
    let connections = args.connections.map_or(usual, usize::from);
    let signals = Signals::listen()?;
    let mut receiver = Receiver::start(
        Arc::clone(&manners) as Arc<dyn Manners>,
        connections,
        args.keep.then(|| folder.join("mail")),
        Arc::clone(&project.clock),
    )
    .await?;
    let tempo = if args.pace {
        Tempo::Settings
    } else {
        Tempo::Fast
    };
    stage::set(
        project,
        receiver.address(),
        connections,
        tempo,
        args.recipients.map(u32::from),
    )?;
    let cast = Cast::new(project, folder.clone(), &args.issue)?;
    let mut director = Director {
        cast: &cast,
        receiver: &mut receiver,
        signals: &signals,
        ui: project.ui,
        dice: Dice::new(args.seed),
        tempo,
        kills: args.kill,
        startup: course::STARTUP,
    };
    let (course, curtain) = director.play().await?;
    let copies = receiver.finish().await?;
    match curtain {
        Curtain::Complete => {}
        Curtain::Stopped => return Ok(signals.exit().unwrap_or(Exit::Interrupted)),
        Curtain::Stuck(said) => {
            project.ui.echo(&said);
            let what = "the rehearsal comes to no end: nothing changes any more";
            return Err(Error::new(Kind::Unavailable, what)
                .hint("Let the relay misbehave less: what is deferred each time is never sent."));
        }
        Curtain::Failed(ended) => {
            project.ui.echo(&ended.said);
            return Ok(ended.exit);
        }
    }
    let tally = Tally::of(&cast.books()?, &copies);
    let account = Account {
        issue: &args.issue,
        seed: args.seed,
        connections,
        tally: &tally,
        course: &course,
        kills_wanted: args.kill,
        faults: &manners.dealt(),
    };
    report(args, project, &account)
}

/// Tells what came of it. What is left of a proof that failed is kept: somebody will want to see it.
fn report(args: &RehearseArgs, project: &Project, account: &Account) -> Result<Exit> {
    let folder = stage::folder(project);
    match project.ui.format() {
        Format::Json => project.ui.json(&account.json()),
        Format::Human => project.ui.product(&account.words()),
    }
    if account.holds() && !args.keep {
        fs::remove_folder(&folder)?;
    } else if project.ui.format() == Format::Human {
        project.ui.product(&format!(
            "The books and all else are kept in {}.",
            folder.display()
        ));
    }
    Ok(if account.holds() {
        Exit::Done
    } else {
        Exit::Bug
    })
}
