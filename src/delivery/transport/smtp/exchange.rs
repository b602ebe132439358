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
