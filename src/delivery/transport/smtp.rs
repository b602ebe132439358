//! SMTP (RFC 5321) over our own wire.
//!
//! lettre opens the session (greeting, EHLO, STARTTLS, AUTH), driven command by command. Then we have
//! the line for ourselves: the phases, the deadlines, what is said together and what is done after a
//! reply are here, because lettre's ready-made transport loses the phase, waits for each reply and can
//! hang for ever.

mod envelope;
mod exchange;
mod manners;
mod reply;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use lettre::transport::smtp::{
    authentication::{Credentials as LettreCredentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::{Auth, Ehlo, Starttls},
    extension::{ClientId, Extension},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;

pub use exchange::SmtpConnection;

use super::Transport;
use crate::{
    delivery::{
        outcome::{Asked, Reply, Trouble, judge, lost},
        relay::{Relay, Security},
        stream::{Phase, Wire},
    },
    error::{Error, Kind, Result},
};
use manners::Manners;
use reply::{Offer, reply, session_trouble, trouble};

/// A relay, ready to be connected to.
#[derive(Clone, Debug)]
pub struct Smtp {
    relay: Relay,
    // Shared, so that a later connection can take up an earlier one's TLS session.
    tls: Arc<ClientConfig>,
    // Shared, so that no connection has to find out again what another one has.
    manners: Arc<Manners>,
}

impl Smtp {
    /// Checks the settings of a relay and reads its certificates.
    ///
    /// # Errors
    /// [`Kind::Settings`] when it cannot be used as it is described.
    pub fn new(relay: Relay) -> Result<Self> {
        relay.check()?;
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(pem) = &relay.ca_file {
            let unreadable = |cause: &dyn std::error::Error| {
                Error::new(Kind::Settings, "cannot read the certificates of the relay")
                    .because(cause)
                    .hint("Give a file of certificates in PEM (`-----BEGIN CERTIFICATE-----`).")
            };
            let mut found = 0;
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|cause| unreadable(&cause))?;
                roots.add(certificate).map_err(|cause| unreadable(&cause))?;
                found += 1;
            }
            if found == 0 {
                return Err(unreadable(&io::Error::other("there are none in the file")));
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| Error::bug("cannot set up TLS").because(&cause))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            relay,
            tls: Arc::new(tls),
            manners: Manners::new(),
        })
    }

    async fn socket(&self) -> io::Result<TcpStream> {
        let host = bare(&self.relay.host);
        let deadline = self.relay.deadlines.connect;
        let late = || {
            io::Error::new(
                io::ErrorKind::TimedOut,
                format!("no answer within {deadline:?}"),
            )
        };
        let addresses: Vec<SocketAddr> =
            tokio::time::timeout(deadline, tokio::net::lookup_host((host, self.relay.port)))
                .await
                .map_err(|_| late())??
                // `localhost` is what the machine says it is; clear text must not follow it elsewhere.
                .filter(|address| {
                    self.relay.security != Security::None || address.ip().is_loopback()
                })
                .collect();
        // The first address must not use up the time of the second.
        let share = deadline / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match tokio::time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(cause)) => last = cause,
                Err(_) => last = late(),
            }
        }
        Err(last)
    }

    async fn encrypt(&self, wire: &Wire) -> Result<(), Trouble> {
        let host = bare(&self.relay.host);
        let name = ServerName::try_from(host.to_owned()).map_err(|cause| {
            let what = format!("`{host}` is not a host name that a certificate could carry");
            Trouble::Stop(Error::new(Kind::Settings, what).because(&cause))
        })?;
        let encrypted = wire.encrypt(self.tls.clone(), name).await;
        encrypted.map_err(|cause| match cause.get_ref() {
            // What TLS itself has to say does not go away by trying again.
            Some(inner) if inner.is::<rustls::Error>() => Trouble::Stop(
                self.insecure("cannot be trusted")
                    .because(inner)
                    .hint("Check the host name; where the relay has a certificate of its own authority, name that authority in `ca_file`."),
            ),
            _ if cause.kind() == io::ErrorKind::InvalidData => {
                Trouble::Stop(self.insecure("cannot be trusted").because(&cause))
            }
            _ => Trouble::Relay(format!("no TLS with the relay: {cause}")),
        })
    }

    fn insecure(&self, what: &str) -> Error {
        let Relay { host, port, .. } = &self.relay;
        Error::new(
            Kind::Unavailable,
            format!("the relay `{host}:{port}` {what}"),
        )
    }

    async fn log_in(
        &self,
        session: &mut AsyncSmtpConnection,
        wire: &Wire,
        offer: &Offer,
    ) -> Result<(), Trouble> {
        let Some(credentials) = &self.relay.credentials else {
            return Ok(());
        };
        if !wire.is_encrypted() && !wire.peer().ip().is_loopback() {
            return Err(Trouble::Stop(
                self.insecure("would get the password in clear text"),
            ));
        }
        let mechanism = match offer {
            Offer { plain: true, .. } => Mechanism::Plain,
            Offer { login: true, .. } => Mechanism::Login,
            _ => {
                let error = self.insecure("offers neither AUTH PLAIN nor AUTH LOGIN");
                return Err(Trouble::Stop(error.of_kind(Kind::Credentials).hint(
                    "Leave the user out of the relay's URL if it wants no password.",
                )));
            }
        };
        let credentials =
            LettreCredentials::new(credentials.user.clone(), credentials.password().to_owned());
        let mut command = Auth::new(mechanism, credentials.clone(), None);
        for _ in 0..4 {
            wire.enter(Phase::Login);
            let said = match command {
                Ok(command) => session.command(command).await,
                Err(cause) => Err(cause),
            };
            let challenge = match reply(said) {
                Ok((Reply { code: 235, .. }, _)) => return Ok(()),
                Ok((Reply { code: 334, .. }, Some(challenge))) => challenge,
                Ok((reply, _)) => return Err(trouble(judge(Asked::Login, &reply))),
                Err(why) => return Err(trouble(lost(Asked::Login, why))),
            };
            command = Auth::new_from_response(mechanism, credentials.clone(), &challenge);
        }
        Err(Trouble::Relay(
            "the relay keeps asking for credentials".to_owned(),
        ))
    }
}

impl Transport for Smtp {
    type Connection = SmtpConnection;

    async fn connect(&self) -> Result<SmtpConnection, Trouble> {
        let Relay { host, port, .. } = &self.relay;
        let socket = self.socket().await.map_err(|cause| {
            Trouble::Relay(format!("cannot reach the relay `{host}:{port}`: {cause}"))
        })?;
        let wire = Wire::new(socket, self.relay.deadlines)
            .map_err(|cause| Trouble::Relay(format!("cannot use the connection: {cause}")))?;
        if self.relay.security == Security::Implicit {
            self.encrypt(&wire).await?;
        }
        let hello = match self.relay.hello.parse() {
            Ok(IpAddr::V4(ip)) => ClientId::Ipv4(ip),
            Ok(IpAddr::V6(ip)) => ClientId::Ipv6(ip),
            Err(_) => ClientId::Domain(self.relay.hello.clone()),
        };
        let stream = Box::new(wire.clone());
        let mut session = AsyncSmtpConnection::connect_with_transport(stream, &hello)
            .await
            .map_err(|cause| session_trouble(Err(cause)))?;
        if self.relay.security == Security::StartTls {
            if !session.server_info().supports_feature(Extension::StartTls) {
                return Err(Trouble::Stop(self.insecure("does not offer STARTTLS").hint(
                    "Use `smtps://` if it has a port with TLS from the start (most often 465); nothing is sent in clear text.",
                )));
            }
            wire.enter(Phase::Hello);
            match reply(session.command(Starttls).await) {
                Ok((Reply { code: 220, .. }, _)) => self.encrypt(&wire).await?,
                Ok((reply, _)) if reply.code < 500 => {
                    return Err(trouble(judge(Asked::Session, &reply)));
                }
                Ok((reply, _)) => {
                    let error = self
                        .insecure("does not begin TLS")
                        .because_of(reply.to_string());
                    return Err(Trouble::Stop(error));
                }
                Err(why) => return Err(trouble(lost(Asked::Session, why))),
            }
        }
        let offer = match self.relay.security {
            // What was said before TLS is void.
            Security::StartTls => {
                wire.enter(Phase::Hello);
                session.command(Ehlo::new(hello)).await
            }
            Security::Implicit | Security::None => wire.hello().parse(),
        };
        let offer = match offer {
            Ok(response) => Offer::read(&response),
            Err(cause) => return Err(session_trouble(Err(cause))),
        };
        self.log_in(&mut session, &wire, &offer).await?;
        // lettre holds nothing back that it has read: see `Wire`.
        drop(session);
        let line = wire
            .into_line()
            .ok_or_else(|| Trouble::Stop(Error::bug("the connection is still in other hands")))?;
        let left = self.relay.messages_per_connection;
        let manners = self.manners.clone();
        Ok(SmtpConnection::new(line, offer, manners, left))
    }
}

/// An IPv6 address may be written in brackets.
fn bare(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}
