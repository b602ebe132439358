//! The stage of a rehearsal: a folder of its own for all that a send keeps, and a relay of ours.
//!
//! The parent sets it, and each sender that it starts is told of its folder with `--rehearsal`. A
//! sender on a stage has no way to the real books, the real relay, its password or the key of
//! unsubscribe links: those settings are gone before a verb sees them.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use crate::{
    audience,
    cmd::project::Project,
    config::RelaySettings,
    delivery::{Retry, pace::Rate},
    error::{Error, Result},
    fs::{self, Access},
};

/// What is written down for the senders.
const FILE: &str = "stage.toml";
/// The made-up list.
const LIST: &str = "list.csv";
/// How long a sender waits for any answer. The relay answers within milliseconds when it does.
const DEADLINE: &str = "1s";

/// A rehearsal is not the place to wait: minutes are fractions of a second here. As in earnest, a sender
/// does not wait for whom it has just deferred; the next one writes to them.
pub(in crate::cmd) const RETRY: Retry = Retry {
    first: Duration::from_millis(300),
    longest: Duration::from_secs(2),
    patience: Duration::from_millis(100),
    relay_first: Duration::from_millis(50),
    relay_longest: Duration::from_millis(500),
    relay_patience: Duration::from_secs(30),
    relay_limit: Duration::from_secs(15 * 60),
};

/// How a sender is to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tempo {
    /// As fast as the relay takes it.
    Fast,
    /// At the pace of the settings.
    Settings,
}

/// What differs from the settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    /// The list, where it is made up.
    list: Option<String>,
    /// Whether limits for single domains hold.
    keeps_pace: bool,
    relay: RelaySettings,
}

/// A newsletter as a sender on the stage sees it.
pub(in crate::cmd) fn stage(mut project: Project, folder: &Path) -> Result<Project> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let text = fs::read_text(&folder.join(FILE))?;
    let stage: Stage = toml::from_str(&text)
        .map_err(|cause| Error::bug("the stage of the rehearsal cannot be read").because(&cause))?;
    let inside = |name: &str| folder.join(name).display().to_string();
    let settings = &mut project.settings;
    let real = settings.relay.replace(stage.relay);
    if let (Some(relay), Some(real)) = (&mut settings.relay, real) {
        relay.messages_per_connection = real.messages_per_connection;
        relay.hello = real.hello;
        if stage.keeps_pace {
            relay.rate = real.rate;
            relay.domains = real.domains;
            relay.domain_presets = real.domain_presets;
        }
    }
    settings.relays.clear();
    settings.ledger.url = format!("sqlite:{}", inside("ledger.db"));
    settings.unsubscribe.secret_file = inside("secret");
    // What makes a send wait for a person or for the morning.
    settings.send.quiet_hours = None;
    settings.send.canary = 0;
    if let Some(list) = &stage.list {
        settings.list.path = inside(list);
    }
    project.rehearsal = Some(folder);
    Ok(project)
}

/// Where a newsletter keeps its rehearsal.
pub(super) fn folder(project: &Project) -> PathBuf {
    project.state().join("rehearsal")
}

/// Writes down what the senders have to know.
pub(super) fn set(
    project: &Project,
    relay: SocketAddr,
    connections: usize,
    tempo: Tempo,
    made_up: Option<u32>,
) -> Result<()> {
    let folder = folder(project);
    let mut text = String::new();
    if let Some(count) = made_up {
        let name = &project.settings.list.path;
        let list = audience::stand_ins(fs::open(&project.path(name))?, name, count)?;
        fs::write(&folder.join(LIST), &list, Access::Private)?;
        text += &format!("list = \"{LIST}\"\n");
    }
    text += &format!(
        "keeps_pace = {}\n\n[relay]\nurl = \"smtp+plain://{relay}\"\nconnections = {connections}\nrate = \"{}\"\n\n[relay.deadlines]\n",
        tempo == Tempo::Settings,
        match tempo {
            Tempo::Fast => Rate::Max,
            Tempo::Settings => Rate::default(),
        },
    );
    for phase in [
        "connect", "greeting", "hello", "mail", "rcpt", "data", "block", "dot",
    ] {
        text += &format!("{phase} = \"{DEADLINE}\"\n");
    }
    fs::write(&folder.join(FILE), text.as_bytes(), Access::Private)
}
