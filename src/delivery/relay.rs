//! The relay: where mail is handed over, and what we may ask of it.
//!
//! Plain values. Nothing here opens a socket; [`super::transport`] does.

use std::{fmt, net::IpAddr, time::Duration};

use crate::error::{Error, Kind, Result};

/// A mail server that takes our mail and carries it on.
#[derive(Clone, Debug)]
pub struct Relay {
    /// What the books call it: quotas are counted under this name.
    pub name: String,
    /// Its host name, which its certificate must carry, or its IP address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the wire is kept secret.
    pub security: Security,
    /// Who we are to it, if it wants to know.
    pub credentials: Option<Credentials>,
    /// How many connections may be open at once: at least 1.
    pub connections: usize,
    /// After how many messages a connection is closed and opened anew: at least 1.
    pub messages_per_connection: usize,
    /// How we introduce ourselves (RFC 5321 4.1.1.1): a host name.
    pub hello: String,
    /// Certificates to trust besides those of the web, in PEM.
    pub ca_file: Option<Vec<u8>>,
    /// How long to wait for what.
    pub deadlines: Deadlines,
}

impl Relay {
    /// Whether it is on this machine, by its name.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether it can be used as it is described; all that is wrong is said at once, as
    /// [`Kind::Settings`].
    pub fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let mut wrong = |message: String, hint: &str| {
            errors.push(Error::new(Kind::Settings, message).hint(hint));
        };
        if self.security == Security::None && !is_loopback(&self.host) {
            wrong(
                format!(
                    "mail to `{}` would cross the network in clear text",
                    self.host
                ),
                "Use `smtps://` or `smtp://` (which demands STARTTLS); `smtp+plain://` is for this machine only.",
            );
        }
        if self.connections == 0 {
            wrong(
                format!("relay `{}` may have no connection at all", self.name),
                "Let `connections` be at least 1.",
            );
        }
        if self.messages_per_connection == 0 {
            wrong(
                format!("relay `{}` may take no message", self.name),
                "Let `messages_per_connection` be at least 1.",
            );
        }
        if self.hello.is_empty() || !self.hello.bytes().all(|byte| byte.is_ascii_graphic()) {
            wrong(
                format!("`{}` cannot be said in a greeting", self.hello),
                "Give the host name of this machine, such as `mail.example.com`.",
            );
        }
        Error::all(errors).map_or(Ok(()), Err)
    }
}

/// How the wire is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314), most often on port 465.
    Implicit,
    /// TLS after a STARTTLS command (RFC 3207), which the relay must offer: there is no falling back.
    StartTls,
    /// Clear text, to this machine only.
    None,
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub user: String,
    password: String,
}

impl Credentials {
    /// Credentials for AUTH.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("password", &"(hidden)")
            .finish()
    }
}

/// How long to wait for each answer of the relay. The defaults are those of RFC 5321 4.5.3.2, because
/// who hangs up too early after the final dot will never know whether the mail went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// To look up its name and reach it.
    pub connect: Duration,
    /// For its first line.
    pub greeting: Duration,
    /// For the answer to EHLO.
    pub hello: Duration,
    /// For the TLS handshake.
    pub tls: Duration,
    /// For each step of AUTH.
    pub auth: Duration,
    /// For the answer to MAIL.
    pub mail: Duration,
    /// For the answer to RCPT.
    pub rcpt: Duration,
    /// For the answer to DATA.
    pub data: Duration,
    /// For the relay to take the next piece of the message.
    pub block: Duration,
    /// For the answer to the final dot.
    pub dot: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            hello: minutes(5),
            tls: minutes(1),
            auth: minutes(5),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
        }
    }
}

/// Whether a host as written is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(host: &str, security: Security) -> Relay {
        Relay {
            name: "main".to_owned(),
            host: host.to_owned(),
            port: 25,
            security,
            credentials: None,
            connections: 1,
            messages_per_connection: 1,
            hello: "client.example".to_owned(),
            ca_file: None,
            deadlines: Deadlines::default(),
        }
    }

    #[test]
    fn clear_text_stays_on_this_machine() {
        for host in [
            "localhost",
            "LocalHost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
        ] {
            assert!(relay(host, Security::None).check().is_ok(), "{host}");
        }
        for host in [
            "smtp.example.com",
            "10.0.0.1",
            "localhost.example.com",
            "0.0.0.0",
        ] {
            let error = relay(host, Security::None).check().unwrap_err();
            assert_eq!(error.kind(), Kind::Settings, "{host}");
            assert!(relay(host, Security::StartTls).check().is_ok(), "{host}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = Relay {
            connections: 0,
            messages_per_connection: 0,
            hello: "two words".to_owned(),
            ..relay("example.com", Security::None)
        };
        assert_eq!(wrong.check().unwrap_err().others().len(), 3);
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", Credentials::new("me", "hunter2"));
        assert_eq!(shown, r#"Credentials { user: "me", password: "(hidden)" }"#);
    }
}
