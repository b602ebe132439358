//! Where a run's mails go: the relay, the sandbox inbox, or a folder. What differs between a send, a
//! delivery to the sandbox and a dry run hangs on [`Venue`], and on nothing else.

mod forecast;

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{project::Project, sandbox::Sandbox, signals::Signals};
use crate::{
    audience::Recipient,
    cli::SendArgs,
    config::{RelaySettings, RelayUrl, secret::Password},
    delivery::{
        Closures, Credentials, Lane, Mails, Plan, Progress, Relay, Security, Stop, Summary,
        Thresholds, deliver,
        ledger::{Key, Ledger},
        pace::{GroupLimit, Groups, Limits, Presets, Rate, Warmup},
        transport::{Files, Smtp, Transport},
    },
    error::{Error, Kind, Result},
};

pub(super) use forecast::Forecast;

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
    /// The relays of the settings, the one of `[relay]` first.
    Relay(Vec<Route>),
    Sandbox(Sandbox, Box<Relay>),
    DryRun(PathBuf),
    Rehearsal(Box<Relay>),
}

/// A relay of the settings, and how much it may be given.
pub(super) struct Route {
    relay: Relay,
    limits: Limits,
    weight: u32,
}

impl Route {
    /// A relay that is held to a rate alone.
    pub(super) fn alone(relay: Relay, rate: Rate) -> Self {
        let lane = Lane::new(&relay, rate, ());
        Self {
            limits: lane.limits,
            weight: lane.weight,
            relay,
        }
    }
}

/// Whether a run stays for what falls due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// For a minute.
    Briefly,
    /// Until nothing is left to do.
    UntilDone,
}

/// Lists of more than so many get a canary first.
const LARGE: u64 = 5000;

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
    pub(super) deliver_by: Option<Timestamp>,
    pub(super) stay: Stay,
}

impl Outbox {
    /// Opens the way out; a relay is not spoken to before the first mail.
    pub(super) async fn open(project: &Project, venue: Venue, slug: &str) -> Result<Self> {
        match venue {
            Venue::Relay => Ok(Self::Relay(project.routes()?)),
            Venue::Rehearsal => Ok(Self::Rehearsal(Box::new(project.relay()?))),
            Venue::Sandbox => {
                let sandbox = Sandbox::start(project).await?;
                let relay = project.sandbox_relay(sandbox.address());
                Ok(Self::Sandbox(sandbox, Box::new(relay)))
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
            Self::Rehearsal(relay) => format!("{}:{}", relay.host, relay.port),
            Self::Relay(routes) => {
                let names = routes
                    .iter()
                    .map(|Route { relay, .. }| format!("{}:{}", relay.host, relay.port));
                names.collect::<Vec<_>>().join(" and ")
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
            Self::Relay(_) if self.refuses_reserved() && recipient.address.is_reserved() => {
                Err(Error::data(format!(
                    "{list}:{}: `{}` is in a domain that is reserved for examples and gets no mail",
                    recipient.line, recipient.address
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether mail to domains that are reserved for examples is refused: on a way into the world.
    pub(super) fn refuses_reserved(&self) -> bool {
        match self {
            Self::Relay(routes) => routes.iter().any(|route| !route.relay.is_loopback()),
            _ => false,
        }
    }

    /// Sends what is due of a campaign.
    pub(super) async fn deliver(
        &self,
        project: &Project,
        run: Run,
        signals: &Signals,
    ) -> Result<Summary> {
        let mut plan = Plan::new(run.campaign);
        plan.limit = run.limit;
        plan.deliver_by = run.deliver_by;
        plan.retry.relay_patience = run.patience;
        if let Self::Rehearsal(_) = self {
            plan.retry = super::rehearse::RETRY;
            plan.thresholds = Thresholds::never();
        }
        if run.stay == Stay::UntilDone {
            plan.retry.patience = Duration::MAX;
        }
        match self {
            Self::Relay(routes) => {
                let send = &project.settings.send;
                let counts = run.ledger.counts(run.campaign).await?;
                plan.canary = (counts.total() > LARGE && send.canary > 0).then_some(send.canary);
                if project.ui.is_interactive() {
                    plan.closures = Closures::Forgotten;
                }
                let lanes = routes.iter().map(|route| {
                    Ok(Lane {
                        limits: route.limits.clone(),
                        weight: route.weight,
                        transport: Smtp::new(route.relay.clone())?,
                    })
                });
                start(plan, lanes.collect::<Result<_>>()?, run, project, signals).await
            }
            Self::Sandbox(_, relay) | Self::Rehearsal(relay) => {
                let transport = Smtp::new(Relay::clone(relay))?;
                let mut lane = Lane::new(relay, self.rate(project), transport);
                lane.limits.quotas = project.quotas();
                start(plan, vec![lane], run, project, signals).await
            }
            Self::DryRun(folder) => {
                let lane = Lane {
                    limits: Limits::new("dry-run", Rate::Max),
                    weight: 1,
                    transport: Files::new(folder.clone()),
                };
                start(plan, vec![lane], run, project, signals).await
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
    lanes: Vec<Lane<T>>,
    run: Run,
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
        lanes,
        run.ledger,
        run.mails,
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
        let Some(settings) = &self.settings.relay else {
            return Err(Error::new(Kind::Settings, "the settings name no relay")
                .hint("Add a `[relay]` section with its `url`, or deliver to the sandbox with `--sandbox`."));
        };
        self.relay_of(settings)
    }

    /// All relays of the settings; all that is wrong with any of them is said.
    fn routes(&self) -> Result<Vec<Route>> {
        let main = self.relay()?;
        let settings = self.settings.relay.iter().map(|settings| (None, settings));
        let others = self.settings.relays.iter();
        let others = others.map(|(name, settings)| (Some(name), settings));
        let mut routes = Vec::new();
        let mut errors = Vec::new();
        for (name, settings) in settings.chain(others) {
            let relay = match name {
                None => Ok(main.clone()),
                Some(_) => self.relay_of(settings),
            };
            match relay.and_then(|relay| self.route(relay, name, settings)) {
                Ok(route) => routes.push(route),
                Err(error) => errors.push(match name {
                    Some(name) => error.because_of(format!("this is about `[relays.{name}]`")),
                    None => error,
                }),
            }
        }
        Error::all(errors).map_or(Ok(routes), Err)
    }

    fn route(
        &self,
        mut relay: Relay,
        name: Option<&String>,
        settings: &RelaySettings,
    ) -> Result<Route> {
        // Two ways to the same host have limits of their own; the first keeps the name it always had.
        if let Some(name) = name {
            relay.name = name.clone();
        }
        let groups = settings.domains.iter().map(|(name, domain)| {
            let limit = GroupLimit {
                rate: domain.rate,
                connections: domain.connections,
                messages_per_connection: domain.messages_per_connection,
            };
            (name.clone(), limit)
        });
        let presets = match settings.domain_presets {
            true => Presets::On,
            false => Presets::Off,
        };
        let warmup = settings.warmup;
        let warmup = warmup.map(|ramp| Warmup::new(ramp.start, ramp.growth, ramp.max));
        Ok(Route {
            limits: Limits {
                quotas: settings.quota.clone(),
                groups: Arc::new(Groups::new(groups.collect(), presets)?),
                warmup: warmup.transpose()?,
                quiet: self.settings.send.quiet_hours.clone(),
                connections: relay.connections,
                ..Limits::new(relay.name.clone(), settings.rate)
            },
            weight: settings.weight,
            relay,
        })
    }

    fn relay_of(&self, settings: &RelaySettings) -> Result<Relay> {
        let password = crate::config::secret::password(settings, &self.folder, |name| {
            std::env::var(name).ok()
        })?;
        self.relay_like(Some(settings), &settings.url, password)
    }

    /// A relay at an address, with all else as the settings have it.
    pub(super) fn relay_at(&self, url: &RelayUrl, password: Option<Password>) -> Result<Relay> {
        self.relay_like(self.settings.relay.as_ref(), url, password)
    }

    fn relay_like(
        &self,
        settings: Option<&RelaySettings>,
        url: &RelayUrl,
        password: Option<Password>,
    ) -> Result<Relay> {
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
        let alike = self.sandbox_relay(([127, 0, 0, 1], url.port).into());
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
            connections: settings.map_or(alike.connections, |settings| settings.connections),
            messages_per_connection: settings.map_or(alike.messages_per_connection, |settings| {
                settings.messages_per_connection
            }),
            deadlines: settings.map_or(alike.deadlines, |settings| {
                settings.deadlines.clone().into()
            }),
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
