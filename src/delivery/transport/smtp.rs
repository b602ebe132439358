//! SMTP (RFC 5321) on lettre's connection, driven command by command over our own wire.
//!
//! lettre speaks and reads replies; the phases, the deadlines, the change to TLS and what is done after
//! a reply are here, because lettre's ready-made transport loses the phase and can hang for ever.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use lettre::transport::smtp::{
    self,
    authentication::{Credentials as LettreCredentials, Mechanism},
    client::AsyncSmtpConnection,
    commands::{Auth, Data, Ehlo, Quit, Rset, Starttls},
    extension::{ClientId, Extension},
    response::Response,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;

use super::{Connection, Exchange, Transport};
use crate::{
    delivery::{
        ledger::Intent,
        outcome::{Asked, Outcome, Refused, Reply, Trouble, Verdict, judge, lost},
        relay::{Relay, Security},
        stream::{Phase, Wire},
    },
    error::{Error, Kind, Result},
    mail::Mail,
};

/// A relay, ready to be connected to.
#[derive(Clone, Debug)]
pub struct Smtp {
    relay: Relay,
    // Shared, so that a later connection can take up an earlier one's TLS session.
    tls: Arc<ClientConfig>,
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
        // Asked again in any case: lettre does not keep SIZE, and what was said before TLS is void.
        wire.enter(Phase::Hello);
        let offer = match session.command(Ehlo::new(hello)).await {
            Ok(response) => Offer::read(&response),
            Err(cause) => return Err(session_trouble(Err(cause))),
        };
        self.log_in(&mut session, &wire, &offer).await?;
        Ok(SmtpConnection {
            session,
            wire,
            offer,
            left: self.relay.messages_per_connection,
            fit: Fit::Ready,
        })
    }
}

/// What a relay says that it can do (RFC 5321 4.1.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Offer {
    /// The largest message (RFC 1870).
    size: Option<u64>,
    has_size: bool,
    smtputf8: bool,
    plain: bool,
    login: bool,
}

impl Offer {
    fn read(response: &Response) -> Self {
        let mut offer = Self::default();
        for line in response.message().skip(1) {
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("SIZE") => {
                    offer.has_size = true;
                    // 0 means that there is no fixed limit.
                    offer.size = words
                        .next()
                        .and_then(|size| size.parse().ok())
                        .filter(|size| *size > 0);
                }
                Some("SMTPUTF8") => offer.smtputf8 = true,
                Some("AUTH") => {
                    for word in words {
                        offer.plain |= word == "PLAIN";
                        offer.login |= word == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offer
    }
}

/// A connection to a relay.
pub struct SmtpConnection {
    session: AsyncSmtpConnection,
    wire: Wire,
    offer: Offer,
    // How many more messages it may take.
    left: usize,
    fit: Fit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    Ready,
    /// A transaction was begun and must be taken back first.
    NeedsReset,
    /// In the middle of an exchange, or broken: never to be used again.
    Unusable,
}

impl fmt::Debug for SmtpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpConnection({:?}, {:?})", self.wire, self.fit)
    }
}

impl Connection for SmtpConnection {
    async fn send(&mut self, _seq: u32, mail: &Mail, intent: Intent) -> Exchange {
        let size = mail.message.len() as u64;
        if let Some(limit) = self.offer.size.filter(|limit| size > *limit) {
            return refused(
                format!("the message has {size} bytes, and the relay takes {limit} at most"),
                Refused::Message,
            );
        }
        let sender = mail.envelope.return_path.to_string();
        let recipient = mail.envelope.recipient.to_string();
        let international = !sender.is_ascii() || !recipient.is_ascii();
        if international && !self.offer.smtputf8 {
            return refused(
                "the address is not ASCII, and the relay does not offer SMTPUTF8".to_owned(),
                Refused::Recipient,
            );
        }
        if !is_plain(&sender) || !is_plain(&recipient) {
            return refused(
                "the address cannot be said in a command".to_owned(),
                Refused::Recipient,
            );
        }
        let before = std::mem::replace(&mut self.fit, Fit::Unusable);
        self.left = self.left.saturating_sub(1);
        let (exchange, fit) = self
            .exchange(before, mail, &sender, &recipient, international, intent)
            .await;
        self.fit = fit;
        exchange
    }

    fn is_usable(&mut self) -> bool {
        self.fit != Fit::Unusable && self.left > 0 && self.wire.is_quiet()
    }

    fn is_in_doubt(&self) -> bool {
        self.fit == Fit::Unusable && self.wire.phase() == Phase::Dot
    }

    async fn close(mut self) {
        if self.fit != Fit::Unusable {
            self.wire.enter(Phase::Farewell);
            // The books are closed; whatever it answers changes nothing.
            let _ = self.session.command(Quit).await;
        }
    }
}

impl SmtpConnection {
    async fn exchange(
        &mut self,
        before: Fit,
        mail: &Mail,
        sender: &str,
        recipient: &str,
        international: bool,
        intent: Intent,
    ) -> (Exchange, Fit) {
        let mut parameters = String::new();
        if self.offer.has_size {
            parameters += &format!(" SIZE={}", mail.message.len());
        }
        if international {
            parameters += " SMTPUTF8";
        }
        if before == Fit::NeedsReset
            && let Err(end) = self.say(Phase::Sender, Asked::Sender, Rset, &[250]).await
        {
            return end;
        }
        let from = format!("MAIL FROM:<{sender}>{parameters}\r\n");
        if let Err(end) = self.say(Phase::Sender, Asked::Sender, from, &[250]).await {
            return end;
        }
        let to = format!("RCPT TO:<{recipient}>\r\n");
        if let Err(end) = self
            .say(Phase::Recipient, Asked::Recipient, to, &[250, 251, 252])
            .await
        {
            return end;
        }
        if let Err(end) = self.say(Phase::Message, Asked::Message, Data, &[354]).await {
            return end;
        }
        // The write-ahead promise: from here on the message can be completed.
        if let Err(error) = intent.durable().await {
            return (Exchange::Books(error), Fit::Unusable);
        }
        // lettre closes the message with a line end of its own.
        let message = mail.message.strip_suffix(b"\r\n").unwrap_or(&mail.message);
        self.wire.enter(Phase::Body);
        let body = Body {
            message: Some(message),
            wire: &self.wire,
        };
        let answer = reply(self.session.message_iter(body).await);
        let asked = match self.wire.phase() {
            Phase::Dot => Asked::Dot,
            _ => Asked::Message,
        };
        match answer {
            Ok((Reply { code, text }, _)) if asked == Asked::Dot && code / 100 == 2 => (
                Exchange::Settled(Outcome::Sent { code, reply: text }),
                self.rest(Fit::Ready),
            ),
            Ok((reply, _)) => self.end(judge(asked, &reply), Fit::Ready),
            Err(why) => (exchange(lost(asked, why)), Fit::Unusable),
        }
    }

    /// Says something and takes one of the codes for a yes; anything else ends the exchange.
    async fn say(
        &mut self,
        phase: Phase,
        asked: Asked,
        command: impl fmt::Display,
        yes: &[u16],
    ) -> Result<(), (Exchange, Fit)> {
        self.wire.enter(phase);
        match reply(self.session.command(command).await) {
            Ok((reply, _)) if yes.contains(&reply.code) => Ok(()),
            Ok((reply, _)) => Err(self.end(judge(asked, &reply), Fit::NeedsReset)),
            Err(why) => Err((exchange(lost(asked, why)), Fit::Unusable)),
        }
    }

    /// After a definite answer about one mail the connection goes on; after any other it does not.
    fn end(&self, verdict: Verdict, fit: Fit) -> (Exchange, Fit) {
        let fit = match &verdict {
            Verdict::Row(Outcome::Deferred { .. } | Outcome::Failed { .. }) => self.rest(fit),
            _ => Fit::Unusable,
        };
        (exchange(verdict), fit)
    }

    /// The connection as it rests, unless more has come in than was asked for.
    fn rest(&self, fit: Fit) -> Fit {
        match self.wire.is_quiet() {
            true => fit,
            false => Fit::Unusable,
        }
    }
}

/// The message, which notes when there is no more of it: what is written next is the final dot.
struct Body<'a> {
    message: Option<&'a [u8]>,
    wire: &'a Wire,
}

impl<'a> Iterator for Body<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let message = self.message.take();
        if message.is_none() {
            self.wire.enter(Phase::Dot);
        }
        message
    }
}

/// The reply, or why there was none that could be read.
fn reply(said: Result<Response, smtp::Error>) -> Result<(Reply, Option<Response>), String> {
    match said {
        Ok(response) => {
            let lines: Vec<&str> = response.message().collect();
            let reply = Reply {
                code: response.code().into(),
                text: lines.join(" "),
            };
            Ok((reply, Some(response)))
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            match error.status() {
                Some(code) => {
                    let text = source.unwrap_or_default();
                    let reply = Reply {
                        code: code.into(),
                        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                    };
                    Ok((reply, None))
                }
                None if error.is_response() => Err("the relay's answer cannot be read".to_owned()),
                None => Err(source.unwrap_or_else(|| error.to_string())),
            }
        }
    }
}

fn session_trouble(said: Result<Response, smtp::Error>) -> Trouble {
    match reply(said) {
        Ok((reply, _)) => trouble(judge(Asked::Session, &reply)),
        Err(why) => trouble(lost(Asked::Session, why)),
    }
}

fn trouble(verdict: Verdict) -> Trouble {
    match verdict {
        Verdict::Run(trouble) => trouble,
        // No row is concerned before a session stands.
        Verdict::Row(outcome) => Trouble::Relay(format!("{outcome:?}")),
    }
}

fn exchange(verdict: Verdict) -> Exchange {
    match verdict {
        Verdict::Row(outcome) => Exchange::Settled(outcome),
        Verdict::Run(trouble) => Exchange::Trouble(trouble),
    }
}

fn refused(reply: String, refused: Refused) -> Exchange {
    Exchange::Settled(Outcome::Failed {
        code: None,
        reply,
        refused,
    })
}

/// Whether an address can stand between angle brackets in a command, whoever made it. (A quoted local
/// part may hold a blank or an angle bracket, but there are no such addresses in practice.)
fn is_plain(address: &str) -> bool {
    !address.chars().any(|character| {
        character.is_control() || character.is_whitespace() || matches!(character, '<' | '>')
    })
}

/// An IPv6 address may be written in brackets.
fn bare(host: &str) -> &str {
    let inside = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    inside.unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_is_read_from_ehlo() {
        let response: Response = "250-mail.example.com hello SIZE 1\r\n250-size 1000\r\n250-AUTH=LOGIN\r\n250-AUTH CRAM-MD5 plain\r\n250-SMTPUTF8X\r\n250 8BITMIME\r\n"
            .parse()
            .unwrap();
        let expected = Offer {
            size: Some(1000),
            has_size: true,
            smtputf8: false,
            plain: true,
            login: true,
        };
        assert_eq!(Offer::read(&response), expected);
        let response: Response = "250-x\r\n250-SIZE 0\r\n250 SMTPUTF8\r\n".parse().unwrap();
        let expected = Offer {
            has_size: true,
            smtputf8: true,
            ..Offer::default()
        };
        assert_eq!(Offer::read(&response), expected);
    }

    #[test]
    fn commands_cannot_be_broken_out_of() {
        for address in [
            "a@b\r\nRCPT TO:<c@d",
            "a b@c",
            "a>@b",
            "a@b\u{2028}",
            "a\u{0}@b",
        ] {
            assert!(!is_plain(address), "{address:?}");
        }
        assert!(is_plain("o'brien+tag@example.com") && is_plain("zoë@example.com"));
    }
}
