//! Where a run's mails go: the relay, the sandbox inbox, or a folder. What differs between a send, a
//! delivery to the sandbox and a dry run hangs on [`Venue`], and on nothing else.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{project::Project, sandbox::Sandbox, signals::Signals};
use crate::{
    audience::Recipient,
    cli::SendArgs,
    config::{RelayUrl, secret::Password},
    delivery::{
        Credentials, Mails, Plan, Progress, Relay, Security, Stop, Summary, deliver,
        ledger::{Key, Ledger},
        pace::Rate,
        transport::{Files, Smtp, Transport},
    },
    error::{Error, Kind, Result},
};

/// Where to, as the command line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Venue {
    /// The relay of the settings.
    Relay,
    /// The built-in sandbox inbox.
    Sandbox,
    /// A folder.
    DryRun,
    /// The relay of a rehearsal: all as with a real one, but nothing is waited for.
    Rehearsal,
}

impl Venue {
    pub(super) fn of(args: &SendArgs, project: &Project) -> Self {
        match (args.sandbox, args.dry_run) {
            (true, _) => Self::Sandbox,
            (false, true) => Self::DryRun,
            (false, false) if project.rehearsal.is_some() => Self::Rehearsal,
            (false, false) => Self::Relay,
        }
    }
}

/// The open way out.
pub(super) enum Outbox {
    Relay(Relay),
    Sandbox(Sandbox, Relay),
    DryRun(PathBuf),
    Rehearsal(Relay),
}

/// The parts of a run that do not depend on where it goes.
pub(super) struct Run {
    pub(super) campaign: Key,
    pub(super) limit: Option<u32>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) mails: Arc<dyn Mails>,
    pub(super) progress: Arc<dyn Progress>,
    /// How long a relay that is out of reach is tried.
    pub(super) patience: Duration,
    /// When what is not sent is given up.
    pub(super) deliver_by: Option<jiff::Timestamp>,
}

impl Outbox {
    /// Opens the way out; a relay is not spoken to before the first mail.
    pub(super) async fn open(project: &Project, venue: Venue, slug: &str) -> Result<Self> {
        match venue {
            Venue::Relay => Ok(Self::Relay(project.relay()?)),
            Venue::Rehearsal => Ok(Self::Rehearsal(project.relay()?)),
            Venue::Sandbox => {
                let sandbox = Sandbox::start(project).await?;
                let relay = project.sandbox_relay(sandbox.address());
                Ok(Self::Sandbox(sandbox, relay))
            }
            Venue::DryRun => {
                let folder = project.state().join("dry-run").join(slug);
                // What an earlier dry run wrote is no part of this one.
                crate::fs::remove_folder(&folder)?;
                Ok(Self::DryRun(folder))
            }
        }
    }

    /// What it is called for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Relay(relay) | Self::Rehearsal(relay) => {
                format!("{}:{}", relay.host, relay.port)
            }
            Self::Sandbox(..) => "the sandbox inbox".into(),
            Self::DryRun(folder) => folder.display().to_string(),
        }
    }

    /// How often mail may leave.
    pub(super) fn rate(&self, project: &Project) -> Rate {
        match self {
            Self::DryRun(_) => Rate::Max,
            Self::Relay(_) | Self::Sandbox(..) | Self::Rehearsal(_) => project.rate(),
        }
    }

    /// Addresses of reserved domains (RFC 2606) lead nowhere: fine on this machine, a mistake beyond.
    pub(super) fn accepts(&self, recipient: &Recipient, list: &str) -> Result<()> {
        match self {
            Self::Relay(relay) if !relay.is_loopback() && recipient.address.is_reserved() => {
                Err(Error::data(format!(
                    "{list}:{}: `{}` is in a domain that is reserved for examples and gets no mail",
                    recipient.line, recipient.address
                )))
            }
            _ => Ok(()),
        }
    }

    /// Sends what is due of a campaign.
    pub(super) async fn deliver(
        &self,
        project: &Project,
        run: Run,
        signals: &Signals,
    ) -> Result<Summary> {
        let mut plan = match self {
            Self::Relay(relay) | Self::Sandbox(_, relay) | Self::Rehearsal(relay) => Plan {
                quotas: project.quotas(),
                ..Plan::new(run.campaign, relay, self.rate(project))
            },
            Self::DryRun(_) => Plan {
                relay: "dry-run".into(),
                connections: 1,
                rate: Rate::Max,
                ..Plan::new(
                    run.campaign,
                    &project.sandbox_relay(([127, 0, 0, 1], 0).into()),
                    Rate::Max,
                )
            },
        };
        plan.limit = run.limit;
        plan.deliver_by = run.deliver_by;
        plan.retry.relay_patience = run.patience;
        if let Self::Rehearsal(_) = self {
            plan.retry = super::rehearse::RETRY;
        }
        match self {
            Self::Relay(relay) | Self::Sandbox(_, relay) | Self::Rehearsal(relay) => {
                let transport = Smtp::new(relay.clone())?;
                start(plan, run, transport, project, signals).await
            }
            Self::DryRun(folder) => {
                start(plan, run, Files::new(folder.clone()), project, signals).await
            }
        }
    }

    /// Closes it, and says which files it has kept.
    pub(super) async fn close(self) -> Result<Vec<PathBuf>> {
        match self {
            Self::Relay(_) | Self::Rehearsal(_) => Ok(Vec::new()),
            Self::Sandbox(sandbox, _) => sandbox.finish().await,
            Self::DryRun(folder) => crate::fs::list(&folder),
        }
    }
}

async fn start<T: Transport>(
    plan: Plan,
    run: Run,
    transport: T,
    project: &Project,
    signals: &Signals,
) -> Result<Summary> {
    let stop = Stop::new();
    let ask = stop.clone();
    let (first, second) = (signals.first(), signals.second());
    let listener = tokio::spawn(async move {
        first.await;
        ask.request();
        second.await;
        ask.request();
    });
    let summary = deliver(
        plan,
        run.ledger,
        run.mails,
        Arc::new(transport),
        Arc::clone(&project.clock),
        run.progress,
        stop,
    )
    .await;
    listener.abort();
    summary
}

impl Project {
    /// The relay of the settings, with its password.
    pub(super) fn relay(&self) -> Result<Relay> {
        self.settings.refuse()?;
        let Some(settings) = &self.settings.relay else {
            return Err(Error::new(Kind::Settings, "the settings name no relay")
                .hint("Add a `[relay]` section with its `url`, or deliver to the sandbox with `--sandbox`."));
        };
        let password = crate::config::secret::password(settings, &self.folder, |name| {
            std::env::var(name).ok()
        })?;
        self.relay_at(&settings.url, password)
    }

    /// A relay at an address, with all else as the settings have it.
    pub(super) fn relay_at(&self, url: &RelayUrl, password: Option<Password>) -> Result<Relay> {
        let settings = self.settings.relay.as_ref();
        let ca_file = settings
            .and_then(|settings| settings.ca_file.as_ref())
            .map(|path| crate::fs::read(&self.path(path)))
            .transpose()
            .map_err(|error| error.of_kind(Kind::Settings))?;
        let credentials = match (&url.user, password) {
            (Some(user), Some(password)) => Some(Credentials::new(user, password.expose())),
            (Some(user), None) if settings.is_some_and(|settings| settings.url == *url) => {
                return Err(Error::new(
                    Kind::Settings,
                    format!("there is no password for `{user}` at the relay"),
                )
                .hint("Say where it is: `password_env`, `password_file` or `password_command` in `[relay]`."));
            }
            _ => None,
        };
        let relay = Relay {
            name: format!("{}:{}", url.host, url.port),
            host: url.host.clone(),
            port: url.port,
            security: url.security,
            credentials,
            ca_file,
            hello: settings
                .and_then(|settings| settings.hello.clone())
                .unwrap_or_else(|| self.settings.newsletter.from.address.domain().to_owned()),
            ..self.sandbox_relay(([127, 0, 0, 1], url.port).into())
        };
        relay.check()?;
        Ok(relay)
    }

    /// The sandbox as a relay, with the connections of the real one.
    pub(super) fn sandbox_relay(&self, address: std::net::SocketAddr) -> Relay {
        Relay {
            name: "sandbox".into(),
            host: address.ip().to_string(),
            port: address.port(),
            security: Security::None,
            credentials: None,
            connections: self
                .settings
                .relay
                .as_ref()
                .map_or(4, |relay| relay.connections),
            messages_per_connection: self
                .settings
                .relay
                .as_ref()
                .map_or(100, |relay| relay.messages_per_connection),
            hello: self.settings.newsletter.from.address.domain().to_owned(),
            ca_file: None,
            deadlines: self
                .settings
                .relay
                .as_ref()
                .map(|relay| relay.deadlines.clone().into())
                .unwrap_or_default(),
        }
    }

    pub(super) fn rate(&self) -> Rate {
        self.settings
            .relay
            .as_ref()
            .map(|relay| relay.rate)
            .unwrap_or_default()
    }

    fn quotas(&self) -> Vec<Rate> {
        self.settings
            .relay
            .as_ref()
            .map(|relay| relay.quota.clone())
            .unwrap_or_default()
    }
}
