//! What is said around a message: its envelope as commands, and its end.

use std::{borrow::Cow, io::Write as _};

use memchr::memmem;

use super::reply::Offer;
use crate::{
    delivery::outcome::{Asked, Outcome, Refused},
    delivery::stream::Phase,
    mail::Mail,
};

/// A command of an envelope, and what is a yes to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) phase: Phase,
    pub(super) asked: Asked,
    pub(super) yes: &'static [u16],
}

/// Takes back the transaction before, where that was not completed.
pub(super) const RESET: Step = Step {
    phase: Phase::Sender,
    asked: Asked::Sender,
    yes: &[250],
};

/// The steps of an envelope, in their order.
pub(super) const STEPS: [Step; 3] = [
    Step {
        phase: Phase::Sender,
        asked: Asked::Sender,
        yes: &[250],
    },
    Step {
        phase: Phase::Recipient,
        asked: Asked::Recipient,
        yes: &[250, 251, 252],
    },
    Step {
        phase: Phase::Message,
        asked: Asked::Message,
        yes: &[354],
    },
];

/// Writes MAIL, RCPT and DATA behind what is in the buffer; or says why the relay cannot take the mail.
pub(super) fn write(buffer: &mut Vec<u8>, mail: &Mail, offer: &Offer) -> Result<(), Outcome> {
    check(mail, offer)?;
    let sender = mail.envelope.return_path.as_str();
    let recipient = mail.envelope.recipient.as_str();
    // Nothing can fail here: a buffer takes all.
    let _ = write!(buffer, "MAIL FROM:<{sender}>");
    if offer.has_size {
        let _ = write!(buffer, " SIZE={}", mail.message.len());
    }
    if is_international(mail) {
        let _ = write!(buffer, " SMTPUTF8");
    }
    let _ = write!(buffer, "\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
    Ok(())
}

/// Whether a relay with this offer can take a mail at all.
fn check(mail: &Mail, offer: &Offer) -> Result<(), Outcome> {
    let size = mail.message.len() as u64;
    if let Some(limit) = offer.size.filter(|limit| size > *limit) {
        return Err(refused(
            &format!("the message has {size} bytes, and the relay takes {limit} at most"),
            Refused::Content,
        ));
    }
    // We do not ask for 8BITMIME, so that no relay on the way has to convert anything.
    if !mail.message.is_ascii() {
        return Err(refused("the message is not 7-bit", Refused::Content));
    }
    if is_international(mail) && !offer.smtputf8 {
        return Err(refused(
            "the address is not ASCII, and the relay does not offer SMTPUTF8",
            Refused::Recipient,
        ));
    }
    let envelope = &mail.envelope;
    if !is_plain(envelope.return_path.as_str()) || !is_plain(envelope.recipient.as_str()) {
        return Err(refused(
            "the address cannot be said in a command",
            Refused::Recipient,
        ));
    }
    Ok(())
}

fn is_international(mail: &Mail) -> bool {
    let envelope = &mail.envelope;
    !envelope.return_path.as_str().is_ascii() || !envelope.recipient.as_str().is_ascii()
}

fn refused(reply: &str, refused: Refused) -> Outcome {
    Outcome::Failed {
        code: None,
        reply: reply.to_owned(),
        refused,
    }
}

/// Whether an address can stand between angle brackets in a command, whoever made it. (A quoted local
/// part may hold a blank or an angle bracket, but there are no such addresses in practice.)
fn is_plain(address: &str) -> bool {
    !address.chars().any(|character| {
        character.is_control() || character.is_whitespace() || matches!(character, '<' | '>')
    })
}

/// A message as it goes over the wire, and its end with the final dot (RFC 5321 4.5.2). Mails have no
/// line that begins with a dot; only one that has is copied.
pub(super) fn stuffed(message: &[u8]) -> (Cow<'_, [u8]>, &'static [u8]) {
    let end: &[u8] = match message.ends_with(b"\r\n") {
        true => b".\r\n",
        false => b"\r\n.\r\n",
    };
    let mut dots = memmem::find_iter(message, b"\r\n.")
        .map(|at| at + 2)
        .peekable();
    if dots.peek().is_none() && !message.starts_with(b".") {
        return (Cow::Borrowed(message), end);
    }
    let mut wire = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    if message.starts_with(b".") {
        wire.push(b'.');
    }
    let mut begun = 0;
    for dot in dots {
        wire.extend_from_slice(&message[begun..dot]);
        wire.push(b'.');
        begun = dot;
    }
    wire.extend_from_slice(&message[begun..]);
    (Cow::Owned(wire), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(message: &str) -> String {
        let (body, end) = stuffed(message.as_bytes());
        String::from_utf8([&body, end].concat()).unwrap()
    }

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
            assert_eq!(wire(message), expected, "{message:?}");
        }
        // What needs no dots is not copied.
        assert!(matches!(stuffed(b"a.b\r\nc.\r\n").0, Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_stuffed_has_one_end_and_comes_out_again(lines in "([.a]{0,3}\r\n){0,8}") {
            let wire = wire(&lines);
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
