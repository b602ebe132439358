//! The one table of policy: what a reply of the relay means, by the phase of the exchange it came in.
//!
//! Trouble with the relay never uses up recipients, trouble with one recipient never stops the rest,
//! and trouble with our credentials, our sender or our domain stops the run. Pure: values in, values
//! out.

use std::fmt;

use crate::error::{Error, Kind};

/// What became of one mail: goes into the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The relay has taken responsibility for it.
    Sent {
        /// The reply code.
        code: u16,
        /// The relay's words, most often with its queue id.
        reply: String,
    },
    /// Refused for now.
    Deferred {
        /// The reply code, if there was a reply.
        code: Option<u16>,
        /// Why.
        reply: String,
    },
    /// Refused for good.
    Failed {
        /// The reply code, if there was a reply.
        code: Option<u16>,
        /// Why.
        reply: String,
        /// What was refused.
        refused: Refused,
    },
    /// Handed over and never answered: it may have gone out or not.
    Unknown {
        /// Why there was no answer.
        reason: String,
    },
}

/// What a relay did not want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// This recipient.
    Recipient,
    /// The message: the next recipient's may be refused, too.
    Message,
}

/// Why no mail can be sent at the moment; the row that was being tried stays pending.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// This connection is at its end; a new one may do better at once.
    Closed(String),
    /// The relay is out of reach or wants us to slow down.
    Relay(String),
    /// A quota of the relay is used up: not within minutes.
    Quota(String),
    /// A person must mend something first.
    Stop(Error),
}

/// What a reply means.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Row(Outcome),
    Run(Trouble),
}

/// What was asked when a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The greeting, EHLO, STARTTLS.
    Session,
    /// AUTH.
    Login,
    /// MAIL.
    Sender,
    /// RCPT.
    Recipient,
    /// DATA, before any of the message was sent.
    Message,
    /// The final dot.
    Dot,
}

/// A reply of the relay (RFC 5321 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// From 200 on.
    pub(super) code: u16,
    /// All lines, without codes.
    pub(super) text: String,
}

/// An enhanced status code (RFC 3463), such as 5.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Status {
    subject: u16,
    detail: u16,
}

impl Reply {
    /// The first enhanced status code in its text that agrees with its code.
    fn status(&self) -> Option<Status> {
        self.text
            .split(|character: char| !(character.is_ascii_digit() || character == '.'))
            .find_map(|word| {
                let mut parts = word.split('.').map(str::parse::<u16>);
                match (parts.next(), parts.next(), parts.next(), parts.next()) {
                    (Some(Ok(class)), Some(Ok(subject)), Some(Ok(detail)), None)
                        if class == self.code / 100 && subject < 10 && detail < 1000 =>
                    {
                        Some(Status { subject, detail })
                    }
                    _ => None,
                }
            })
    }

    fn says(&self, words: &[&str]) -> bool {
        let text = self.text.to_lowercase();
        words.iter().any(|word| text.contains(word))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// A quota that is used up, in the words of relays that send it as a 4xx or even as a 5xx.
const QUOTA: [&str; 6] = [
    "daily message quota",
    "daily user sending",
    "daily sending",
    "daily smtp relay",
    "sending limit exceeded",
    "message quota exceeded",
];

/// A relay that wants us to slow down.
const THROTTLE: [&str; 9] = [
    "throttl",
    "maximum sending rate",
    "sending rate",
    "rate limit",
    "too many messages",
    "too many connections",
    "concurrent connections",
    "peak smtp relay",
    "slow down",
];

/// What a reply means that is not the one hoped for.
pub(super) fn judge(asked: Asked, reply: &Reply) -> Verdict {
    let status = reply.status();
    let text = reply.to_string();
    let is = |subject: u16, details: &[u16]| {
        status.is_some_and(|status| status.subject == subject && details.contains(&status.detail))
    };

    // Neither a 4xx nor a 5xx where only those and one success make sense.
    if !(400..600).contains(&reply.code) {
        return match asked {
            Asked::Dot => unknown(format!("the relay's answer makes no sense: {text}")),
            _ => Verdict::Run(Trouble::Relay(format!(
                "the relay's answer makes no sense: {text}"
            ))),
        };
    }
    // The relay itself, whatever it was asked.
    if reply.says(&QUOTA) || is(4, &[5]) && reply.code >= 500 {
        return Verdict::Run(Trouble::Quota(text));
    }
    if reply.code == 421 {
        return Verdict::Run(match asked {
            Asked::Session | Asked::Login => Trouble::Relay(text),
            _ if reply.says(&THROTTLE) => Trouble::Relay(text),
            _ => Trouble::Closed(text),
        });
    }
    if matches!(reply.code, 530 | 534 | 535 | 538)
        || is(7, &[8, 9, 11, 13, 14]) && reply.code >= 500
    {
        return stop(
            Kind::Credentials,
            "the relay does not accept our credentials",
            &text,
        );
    }
    if reply.code < 500 {
        let slow = reply.says(&THROTTLE) || reply.code == 454;
        return match asked {
            Asked::Session | Asked::Login | Asked::Sender => Verdict::Run(Trouble::Relay(text)),
            _ if slow => Verdict::Run(Trouble::Relay(text)),
            _ => Verdict::Row(Outcome::Deferred {
                code: Some(reply.code),
                reply: reply.text.clone(),
            }),
        };
    }
    // 5xx.
    let unauthenticated = is(7, &[20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 40, 515]);
    let syntax = matches!(reply.code, 500 | 502 | 503 | 504 | 555);
    let too_large = is(3, &[4])
        || is(2, &[3])
        || reply.says(&["message size", "message too large", "message too big"]);
    match asked {
        Asked::Session => Verdict::Run(Trouble::Relay(text)),
        Asked::Login => stop(
            Kind::Credentials,
            "the relay does not accept our credentials",
            &text,
        ),
        _ if unauthenticated => stop(
            Kind::Unavailable,
            "the relay does not trust the domain we send from (SPF, DKIM, DMARC or reverse DNS)",
            &text,
        ),
        Asked::Sender if too_large => failed(reply, Refused::Message),
        Asked::Sender => stop(
            Kind::Unavailable,
            "the relay refuses our sender address",
            &text,
        ),
        Asked::Recipient
            if reply.says(&[
                "relay access denied",
                "relaying denied",
                "not permitted to relay",
                "unable to relay",
                "relay not permitted",
                "relaying not allowed",
            ]) =>
        {
            stop(
                Kind::Unavailable,
                "the relay does not carry our mail",
                &text,
            )
        }
        Asked::Recipient if syntax && status.is_none_or(|status| status.subject != 1) => {
            stop(Kind::Unavailable, "the relay does not understand us", &text)
        }
        Asked::Recipient => failed(reply, Refused::Recipient),
        Asked::Message | Asked::Dot => {
            let about_recipient = is(1, &[1, 2, 3, 6, 10]) || is(2, &[1, 2]);
            failed(
                reply,
                if about_recipient {
                    Refused::Recipient
                } else {
                    Refused::Message
                },
            )
        }
    }
}

/// What it means that there was no reply that could be read.
pub(super) fn lost(asked: Asked, why: String) -> Verdict {
    match asked {
        Asked::Dot => unknown(why),
        Asked::Session | Asked::Login => Verdict::Run(Trouble::Relay(why)),
        _ => Verdict::Run(Trouble::Closed(why)),
    }
}

fn unknown(reason: String) -> Verdict {
    Verdict::Row(Outcome::Unknown { reason })
}

fn failed(reply: &Reply, refused: Refused) -> Verdict {
    Verdict::Row(Outcome::Failed {
        code: Some(reply.code),
        reply: reply.text.clone(),
        refused,
    })
}

fn stop(kind: Kind, what: &str, text: &str) -> Verdict {
    let hint = match kind {
        Kind::Credentials => {
            "Check the user and the password of the relay, then run the command again; nobody is left out."
        }
        _ => {
            "Mend this with whoever runs the relay, then run the command again; nobody is left out."
        }
    };
    Verdict::Run(Trouble::Stop(
        Error::new(kind, what).because_of(text).hint(hint),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Row(Outcome::Sent { .. }) => "sent".to_owned(),
            Verdict::Row(Outcome::Deferred { .. }) => "deferred".to_owned(),
            Verdict::Row(Outcome::Failed { refused, .. }) => format!("failed: {refused:?}"),
            Verdict::Row(Outcome::Unknown { .. }) => "unknown".to_owned(),
            Verdict::Run(Trouble::Closed(_)) => "reconnect".to_owned(),
            Verdict::Run(Trouble::Relay(_)) => "back off".to_owned(),
            Verdict::Run(Trouble::Quota(_)) => "quota".to_owned(),
            Verdict::Run(Trouble::Stop(error)) => format!("stop: {:?}", error.kind()),
        }
    }

    #[test]
    fn the_table() {
        use Asked::{Dot, Login, Message, Recipient, Sender, Session};
        let table: &[(&str, &[Asked], &str)] = &[
            // The session.
            ("421 too busy", &[Session, Login], "back off"),
            ("450 try again", &[Session], "back off"),
            ("554 no service here", &[Session], "back off"),
            (
                "454 4.7.0 temporary authentication failure",
                &[Login],
                "back off",
            ),
            ("535 5.7.8 bad credentials", &[Login], "stop: Credentials"),
            (
                "534 5.7.9 stronger mechanism needed",
                &[Login],
                "stop: Credentials",
            ),
            ("500 what", &[Login], "stop: Credentials"),
            (
                "530 5.7.0 authentication required",
                &[Sender, Recipient],
                "stop: Credentials",
            ),
            (
                "550 5.7.11 encryption needed",
                &[Sender],
                "stop: Credentials",
            ),
            // The end of a connection is nobody's fault.
            (
                "421 4.4.2 timeout exceeded",
                &[Sender, Recipient, Message, Dot],
                "reconnect",
            ),
            ("421 4.7.0 slow down", &[Sender, Recipient, Dot], "back off"),
            // The sender.
            ("451 4.3.0 temporary trouble", &[Sender], "back off"),
            ("550 5.1.8 sender rejected", &[Sender], "stop: Unavailable"),
            (
                "553 5.7.1 sender address not owned by user",
                &[Sender],
                "stop: Unavailable",
            ),
            (
                "552 5.3.4 message size exceeds fixed limit",
                &[Sender],
                "failed: Message",
            ),
            ("501 syntax", &[Sender], "stop: Unavailable"),
            // The recipient.
            ("450 4.2.0 greylisted", &[Recipient], "deferred"),
            ("451 local error", &[Recipient, Message, Dot], "deferred"),
            ("452 4.2.2 mailbox full", &[Recipient], "deferred"),
            (
                "550 5.1.1 no such user",
                &[Recipient, Dot],
                "failed: Recipient",
            ),
            ("550 no such user", &[Recipient], "failed: Recipient"),
            (
                "501 5.1.3 bad address syntax",
                &[Recipient],
                "failed: Recipient",
            ),
            ("501 bad address", &[Recipient], "failed: Recipient"),
            ("503 5.5.1 bad sequence", &[Recipient], "stop: Unavailable"),
            (
                "553 5.1.2 no such domain",
                &[Recipient],
                "failed: Recipient",
            ),
            (
                "554 5.7.1 <a@b>: relay access denied",
                &[Recipient],
                "stop: Unavailable",
            ),
            ("554 5.7.1 blocked", &[Recipient], "failed: Recipient"),
            // The message.
            (
                "554 5.7.1 looks like spam",
                &[Message, Dot],
                "failed: Message",
            ),
            ("552 5.3.4 too big", &[Dot], "failed: Message"),
            ("552 5.2.2 mailbox full", &[Dot], "failed: Recipient"),
            (
                "550 5.7.26 unauthenticated mail",
                &[Recipient, Dot],
                "stop: Unavailable",
            ),
            ("550 5.7.515 access denied", &[Dot], "stop: Unavailable"),
            // Quotas in disguise.
            (
                "550 5.4.5 Daily user sending quota exceeded",
                &[Sender, Recipient, Dot],
                "quota",
            ),
            (
                "550 5.7.1 Daily SMTP relay limit exceeded",
                &[Recipient, Dot],
                "quota",
            ),
            (
                "454 Throttling failure: Daily message quota exceeded.",
                &[Sender, Dot],
                "quota",
            ),
            (
                "454 Throttling failure: Maximum sending rate exceeded.",
                &[Sender, Dot],
                "back off",
            ),
            (
                "450 4.2.1 Peak SMTP relay limit exceeded",
                &[Recipient, Dot],
                "back off",
            ),
            // Nonsense: harmless before the dot, unclear after it.
            ("250 ok", &[Message], "back off"),
            ("354 go on", &[Sender, Recipient], "back off"),
            ("354 go on", &[Dot], "unknown"),
            ("199 what", &[Dot], "unknown"),
        ];
        for (text, phases, expected) in table {
            let (code, text) = text.split_at(3);
            let reply = Reply {
                code: code.parse().unwrap(),
                text: text.trim().to_owned(),
            };
            for asked in *phases {
                assert_eq!(word(&judge(*asked, &reply)), *expected, "{asked:?} {reply}");
            }
        }
    }

    #[test]
    fn no_reply_is_unclear_only_after_the_dot() {
        use Asked::{Dot, Login, Message, Recipient, Sender, Session};
        for (asked, expected) in [
            (Session, "back off"),
            (Login, "back off"),
            (Sender, "reconnect"),
            (Recipient, "reconnect"),
            (Message, "reconnect"),
            (Dot, "unknown"),
        ] {
            assert_eq!(
                word(&lost(asked, "reset".to_owned())),
                expected,
                "{asked:?}"
            );
        }
    }

    #[test]
    fn status_codes_are_found_in_the_text() {
        for (code, text, expected) in [
            (550, "5.1.1 no such user", Some((1, 1))),
            (550, "<a@b>: 5.7.515 denied", Some((7, 515))),
            (550, "#5.1.0 rejected", Some((1, 0))),
            // Not of this class, an address, a version.
            (550, "4.2.1 busy", None),
            (550, "host 5.1.1.9 said no", None),
            (550, "5.1 no", None),
            (550, "", None),
            (450, "4.99999.1 x", None),
        ] {
            let reply = Reply {
                code,
                text: text.to_owned(),
            };
            let status = reply.status().map(|status| (status.subject, status.detail));
            assert_eq!(status, expected, "{text}");
        }
    }
}
