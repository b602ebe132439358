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
    /// Us, by a rule of whoever runs the mailbox: the next one there may be refused, too.
    Policy,
    /// The message: the same for everybody.
    Content,
}

/// Why no mail can be sent at the moment; the row that was being tried stays pending.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// This connection is at its end; a new one may do better at once.
    Closed(String),
    /// The relay is out of reach, or takes nothing.
    Relay(String),
    /// The relay takes mail, but not so fast.
    Throttle(String),
    /// The relay takes mail, but has too many connections of ours.
    Crowd(String),
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// Whether its status is one of these.
    fn is(&self, subject: u16, details: &[u16]) -> bool {
        self.status()
            .is_some_and(|status| status.subject == subject && details.contains(&status.detail))
    }

    /// Whether it is about the order of what was said rather than about a mail: so a relay answers that
    /// has lost count, or does not bear it when several commands come at once.
    pub(super) fn is_about_order(&self) -> bool {
        let of_protocol = self.status().is_none_or(|status| status.subject == 5);
        self.code >= 500
            && (matches!(self.code, 500 | 502 | 503 | 521) && of_protocol || self.says(&ORDER))
    }

    fn is_about_size(&self) -> bool {
        self.is(3, &[4])
            || self.is(2, &[3])
            || self.says(&["message size", "message too large", "message too big"])
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// A quota that is used up, in the words of relays that send it as a 4xx or even as a 5xx. (A full
/// mailbox has a quota, too; it is the recipient's.)
const QUOTA: [&str; 14] = [
    "daily message quota",
    "daily user sending",
    "daily sending",
    "daily smtp relay",
    "smtp relay limit",
    "sending limit",
    "sending quota",
    "message quota exceeded",
    "daily limit",
    "hourly limit",
    "messages per day",
    "messages per hour",
    "emails per day",
    "emails per hour",
];

/// A relay that wants us to slow down.
const THROTTLE: [&str; 9] = [
    "throttl",
    "maximum sending rate",
    "sending rate",
    "rate limit",
    "ratelimit",
    "too many messages",
    "peak smtp relay",
    "slow down",
    "too fast",
];

/// A relay that has too many connections of ours.
const CROWD: [&str; 4] = [
    "too many connections",
    "too many concurrent",
    "concurrent connections",
    "connection limit",
];

/// A refusal that is meant for now, whatever its code says.
const NOT_YET: [&str; 4] = ["greylist", "graylist", "grey-list", "gray-list"];

/// A relay that does not bear it when several commands come at once.
const ORDER: [&str; 5] = [
    "pipelin",
    "synchroni",
    "protocol error",
    "bad sequence",
    "out of sequence",
];

/// A relay that does not carry our mail to others.
const NO_RELAYING: [&str; 6] = [
    "relay access denied",
    "relaying denied",
    "not permitted to relay",
    "unable to relay",
    "relay not permitted",
    "relaying not allowed",
];

/// A mailbox that is not there, in words: some send them with a code of policy.
const NOBODY: [&str; 8] = [
    "user unknown",
    "unknown user",
    "no such user",
    "unknown recipient",
    "recipient not found",
    "invalid recipient",
    "does not exist",
    "mailbox unavailable",
];

/// A rule of the other side. Wins over [`NOBODY`]: `blocked, or no such user` says nothing about the
/// user.
const BLOCKED: [&str; 8] = [
    "spam",
    "block",
    "blacklist",
    "reputation",
    "policy",
    "listed",
    "banned",
    "not allowed to send",
];

/// Something in the message.
const BAD_CONTENT: [&str; 6] = ["spam", "virus", "malware", "phish", "content", "attachment"];

/// Statuses 5.7.x that say that our domain is not set up as it should be.
const UNAUTHENTICATED: [u16; 12] = [20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 40, 515];

/// What a reply means that is not the one hoped for.
pub(super) fn judge(asked: Asked, reply: &Reply) -> Verdict {
    let text = reply.to_string();
    // Neither a 4xx nor a 5xx where only those and one success make sense.
    if !(400..600).contains(&reply.code) {
        let nonsense = format!("the relay's answer makes no sense: {text}");
        return match asked {
            Asked::Dot => unknown(nonsense),
            _ => Verdict::Run(Trouble::Relay(nonsense)),
        };
    }
    if let Some(trouble) = trouble_with_relay(asked, reply, &text) {
        return Verdict::Run(trouble);
    }
    match asked {
        // Whatever it is, it is not about a row.
        Asked::Session | Asked::Login => Verdict::Run(Trouble::Relay(text)),
        Asked::Sender if reply.code < 500 => Verdict::Run(Trouble::Relay(text)),
        // Only the size can be told before there is a recipient.
        Asked::Sender => failed(reply, Refused::Content),
        _ if reply.code < 500 || reply.says(&NOT_YET) => Verdict::Row(Outcome::Deferred {
            code: Some(reply.code),
            reply: reply.text.clone(),
        }),
        Asked::Recipient => failed(reply, refused_recipient(reply)),
        Asked::Message | Asked::Dot => failed(reply, refused_message(reply)),
    }
}

/// Trouble with the relay, or between it and us: no row is used up by it.
fn trouble_with_relay(asked: Asked, reply: &Reply, text: &str) -> Option<Trouble> {
    let status = reply.status();
    let is = |subject: u16, details: &[u16]| reply.is(subject, details);
    let own = || text.to_owned();
    let for_good = reply.code >= 500;

    let throttle = reply.says(&THROTTLE);
    let quota = reply.says(&QUOTA) && !reply.says(&["peak"])
        || is(4, &[5]) && for_good
        // What is full before there is a recipient is our own account.
        || asked == Asked::Sender && reply.code == 552 && !reply.is_about_size();
    if quota {
        return Some(Trouble::Quota(own()));
    }
    if matches!(reply.code, 530 | 534 | 535 | 538)
        || is(7, &[8, 9, 11, 13, 14]) && for_good
        || asked == Asked::Login && (for_good || reply.code == 432)
    {
        return Some(stop(
            Kind::Credentials,
            "the relay does not accept our credentials",
            text,
        ));
    }
    if reply.says(&CROWD) || reply.code == 432 {
        return Some(Trouble::Crowd(own()));
    }
    if matches!(asked, Asked::Session | Asked::Login) {
        return Some(Trouble::Relay(own()));
    }
    if reply.code == 421 {
        return Some(match throttle {
            true => Trouble::Throttle(own()),
            false => Trouble::Closed(own()),
        });
    }
    if !for_good {
        if throttle || reply.code == 454 {
            return Some(Trouble::Throttle(own()));
        }
        // Too many recipients for one transaction: ours has one, so it counts more than that.
        let too_many = reply.code == 452 && is(5, &[3]);
        return (too_many && asked == Asked::Recipient).then(|| Trouble::Closed(own()));
    }
    if is(7, &UNAUTHENTICATED) {
        return Some(stop(
            Kind::Unavailable,
            "the relay does not trust the domain we send from (SPF, DKIM, DMARC or reverse DNS)",
            text,
        ));
    }
    let syntax = matches!(reply.code, 500 | 502 | 503 | 504 | 555);
    let of_protocol = status.is_none_or(|status| status.subject == 5);
    match asked {
        Asked::Sender if !reply.is_about_size() => Some(stop(
            Kind::Unavailable,
            "the relay refuses our sender address",
            text,
        )),
        Asked::Recipient if reply.says(&NO_RELAYING) => Some(stop(
            Kind::Unavailable,
            "the relay does not carry our mail",
            text,
        )),
        Asked::Recipient | Asked::Message | Asked::Dot if syntax && of_protocol => Some(stop(
            Kind::Unavailable,
            "the relay does not understand us",
            text,
        )),
        _ => None,
    }
}

fn refused_recipient(reply: &Reply) -> Refused {
    match reply.status() {
        Some(Status { subject: 7, .. }) if reply.says(&BLOCKED) => Refused::Policy,
        Some(Status { subject: 7, .. }) if reply.says(&NOBODY) => Refused::Recipient,
        Some(Status { subject: 7, .. }) => Refused::Policy,
        None if reply.says(&BLOCKED) => Refused::Policy,
        _ => Refused::Recipient,
    }
}

fn refused_message(reply: &Reply) -> Refused {
    let about_recipient = reply.is(1, &[1, 2, 3, 6, 10]) || reply.is(2, &[1, 2]);
    match reply.status() {
        _ if about_recipient => Refused::Recipient,
        Some(Status { subject: 7, .. }) if !reply.says(&BAD_CONTENT) => Refused::Policy,
        _ => Refused::Content,
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

fn stop(kind: Kind, what: &str, text: &str) -> Trouble {
    let hint = match kind {
        Kind::Credentials => {
            "Check the user and the password of the relay, then run the command again; nobody is left out."
        }
        _ => {
            "Mend this with whoever runs the relay, then run the command again; nobody is left out."
        }
    };
    Trouble::Stop(Error::new(kind, what).because_of(text).hint(hint))
}

#[cfg(test)]
mod tests;
