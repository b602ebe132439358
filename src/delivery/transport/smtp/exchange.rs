//! One exchange after the other on a connection that stands.

use std::fmt;

use lettre::transport::smtp::{
    client::AsyncSmtpConnection,
    commands::{Data, Quit, Rset},
};

use super::reply::{Offer, exchange, reply};
use crate::{
    delivery::{
        ledger::Intent,
        outcome::{Asked, Outcome, Refused, Reply, Verdict, judge, lost},
        stream::{Phase, Wire},
        transport::{Connection, Exchange},
    },
    mail::Mail,
};

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
                Refused::Content,
            );
        }
        // We do not ask for 8BITMIME, so that no relay on the way has to convert anything.
        let message = match str::from_utf8(&mail.message) {
            Ok(message) if message.is_ascii() => message,
            _ => return refused("the message is not 7-bit".to_owned(), Refused::Content),
        };
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
            .exchange(before, message, &sender, &recipient, international, intent)
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
    /// A connection over which `left` messages may go.
    pub(super) fn new(session: AsyncSmtpConnection, wire: Wire, offer: Offer, left: usize) -> Self {
        Self {
            session,
            wire,
            offer,
            left,
            fit: Fit::Ready,
        }
    }

    async fn exchange(
        &mut self,
        before: Fit,
        message: &str,
        sender: &str,
        recipient: &str,
        international: bool,
        intent: Intent,
    ) -> (Exchange, Fit) {
        let mut parameters = String::new();
        if self.offer.has_size {
            parameters += &format!(" SIZE={}", message.len());
        }
        if international {
            parameters += " SMTPUTF8";
        }
        let from = format!("MAIL FROM:<{sender}>{parameters}\r\n");
        let to = format!("RCPT TO:<{recipient}>\r\n");
        let mut steps = vec![
            Step::new(Phase::Sender, Asked::Sender, from, &[250]),
            Step::new(Phase::Recipient, Asked::Recipient, to, &[250, 251, 252]),
            Step::new(Phase::Message, Asked::Message, Data.to_string(), &[354]),
        ];
        if before == Fit::NeedsReset {
            steps.insert(
                0,
                Step::new(Phase::Sender, Asked::Sender, Rset.to_string(), &[250]),
            );
        }
        let begun = match self.offer.pipelining {
            true => self.say_all(&steps).await,
            false => self.say_each(&steps).await,
        };
        if let Err(end) = begun {
            return end;
        }
        // The write-ahead promise: from here on the message can be completed.
        if let Err(error) = intent.durable().await {
            return (Exchange::Books(error), Fit::Unusable);
        }
        self.wire.enter(Phase::Body);
        let answer = reply(self.session.command(stuffed(message)).await);
        let asked = match self.wire.phase() {
            Phase::Dot => Asked::Dot,
            _ => Asked::Message,
        };
        match answer {
            Ok((Reply { code, text }, _)) if asked == Asked::Dot && code / 100 == 2 => (
                Exchange::Settled(Outcome::Sent { code, reply: text }),
                Fit::Ready,
            ),
            Ok((reply, _)) => Self::end(judge(asked, &reply), Fit::Ready),
            Err(why) => (exchange(lost(asked, why)), Fit::Unusable),
        }
    }

    /// Says one thing after the other, as long as the answer is yes.
    async fn say_each(&mut self, steps: &[Step]) -> Result<(), (Exchange, Fit)> {
        for step in steps {
            self.wire.enter(step.phase);
            match reply(self.session.command(&step.command).await) {
                Ok((reply, _)) if step.yes.contains(&reply.code) => {}
                Ok((reply, _)) => {
                    return Err(Self::end(judge(step.asked, &reply), Fit::NeedsReset));
                }
                Err(why) => return Err((exchange(lost(step.asked, why)), Fit::Unusable)),
            }
        }
        Ok(())
    }

    /// Says everything at once and takes all answers (RFC 2920): one turn instead of three.
    async fn say_all(&mut self, steps: &[Step]) -> Result<(), (Exchange, Fit)> {
        let group: String = steps.iter().map(|step| step.command.as_str()).collect();
        let mut group = Some(group);
        let mut refusal: Option<Verdict> = None;
        for step in steps {
            self.wire.enter(step.phase);
            let said = match group.take() {
                Some(group) => self.session.command(group).await,
                None => self.session.read_response().await,
            };
            match (reply(said), &refusal) {
                (Ok((reply, _)), None) if step.yes.contains(&reply.code) => {}
                (Ok((reply, _)), None) => {
                    let verdict = judge(step.asked, &reply);
                    if matches!(verdict, Verdict::Run(_)) {
                        return Err((exchange(verdict), Fit::Unusable));
                    }
                    refusal = Some(verdict);
                }
                // What follows a refusal is refused, too. A relay that waits for a message without a
                // recipient is left waiting.
                (Ok((reply, _)), Some(_)) if reply.code >= 500 => {}
                (_, Some(verdict)) => return Err((exchange(verdict.clone()), Fit::Unusable)),
                (Err(why), None) => return Err((exchange(lost(step.asked, why)), Fit::Unusable)),
            }
        }
        match refusal {
            None => Ok(()),
            Some(verdict) => Err(Self::end(verdict, Fit::NeedsReset)),
        }
    }

    /// After a definite answer about one mail the connection goes on; after any other it does not.
    fn end(verdict: Verdict, fit: Fit) -> (Exchange, Fit) {
        let fit = match &verdict {
            Verdict::Row(Outcome::Deferred { .. } | Outcome::Failed { .. }) => fit,
            _ => Fit::Unusable,
        };
        (exchange(verdict), fit)
    }
}

/// A command of an exchange, and what is a yes to it.
struct Step {
    phase: Phase,
    asked: Asked,
    command: String,
    yes: &'static [u16],
}

impl Step {
    fn new(phase: Phase, asked: Asked, command: String, yes: &'static [u16]) -> Self {
        Self {
            phase,
            asked,
            command,
            yes,
        }
    }
}

/// The message as it goes over the wire, with its final dot (RFC 5321 4.5.2). In one piece, because a
/// dot that comes by itself costs a turn; and by hand, because lettre does it byte by byte.
fn stuffed(message: &str) -> String {
    let mut wire = String::with_capacity(message.len() + message.len() / 64 + 8);
    let mut rest = message;
    if rest.starts_with('.') {
        wire.push('.');
    }
    while let Some(at) = rest.find("\r\n.") {
        let (line, after) = rest.split_at(at + 2);
        wire.push_str(line);
        wire.push_str("..");
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    wire.push_str(rest);
    if !message.ends_with("\r\n") {
        wire.push_str("\r\n");
    }
    wire.push_str(".\r\n");
    wire
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_where_a_line_begins() {
        for (message, expected) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", "\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            (
                "a.b\r\n.c\r\n..\r\n\r\n.\r\n",
                "a.b\r\n..c\r\n...\r\n\r\n..\r\n.\r\n",
            ),
            ("\r\n.\r\n.\r\n", "\r\n..\r\n..\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(message), expected, "{message:?}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_stuffed_has_one_end_and_comes_out_again(lines in "([.a]{0,3}\r\n){0,8}") {
            let wire = stuffed(&lines);
            let mut received = String::new();
            let mut ended = false;
            for line in wire.split_inclusive("\r\n") {
                assert!(!ended, "{wire:?}");
                ended = line == ".\r\n";
                if !ended {
                    received += line.strip_prefix('.').unwrap_or(line);
                }
            }
            assert!(ended);
            let expected = if lines.is_empty() { "\r\n" } else { &lines };
            assert_eq!(received, expected);
        }
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
