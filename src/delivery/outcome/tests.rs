//! The table of replies, row by row.

use super::*;

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Row(Outcome::Sent { .. }) => "sent".to_owned(),
        Verdict::Row(Outcome::Deferred { .. }) => "deferred".to_owned(),
        Verdict::Row(Outcome::Failed { refused, .. }) => format!("failed: {refused:?}"),
        Verdict::Row(Outcome::Unknown { .. }) => "unknown".to_owned(),
        Verdict::Run(Trouble::Closed(_)) => "reconnect".to_owned(),
        Verdict::Run(Trouble::Relay(_)) => "back off".to_owned(),
        Verdict::Run(Trouble::Throttle(_)) => "slow down".to_owned(),
        Verdict::Run(Trouble::Crowd(_)) => "fewer connections".to_owned(),
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
        (
            "421 4.7.0 too many connections from you",
            &[Session, Login, Sender, Recipient],
            "fewer connections",
        ),
        // The end of a connection is nobody's fault.
        (
            "421 4.4.2 timeout exceeded",
            &[Sender, Recipient, Message, Dot],
            "reconnect",
        ),
        (
            "421 4.7.0 slow down",
            &[Sender, Recipient, Message, Dot],
            "slow down",
        ),
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
            "failed: Content",
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
        ("554 5.7.1 blocked", &[Recipient, Dot], "failed: Policy"),
        (
            "550 5.2.1 mailbox disabled",
            &[Recipient, Dot],
            "failed: Recipient",
        ),
        ("552 5.2.2 mailbox full", &[Recipient], "failed: Recipient"),
        (
            "552 5.2.2 mailbox quota exceeded",
            &[Recipient],
            "failed: Recipient",
        ),
        ("550 5.7.1 user unknown", &[Recipient], "failed: Recipient"),
        (
            "550 5.7.1 blocked, or user unknown",
            &[Recipient],
            "failed: Policy",
        ),
        (
            "550 rejected because of your reputation",
            &[Recipient],
            "failed: Policy",
        ),
        (
            "550 SC-001 unfortunately, messages from you weren't sent: on our block list",
            &[Recipient],
            "failed: Policy",
        ),
        (
            "553 5.7.1 not accepted for policy reasons",
            &[Recipient],
            "failed: Policy",
        ),
        ("500 what", &[Recipient, Message, Dot], "stop: Unavailable"),
        (
            "555 5.5.4 unsupported option",
            &[Recipient],
            "stop: Unavailable",
        ),
        // For now, whatever the code says.
        (
            "550 5.7.1 greylisted, try again in 5 minutes",
            &[Recipient, Dot],
            "deferred",
        ),
        ("554 Graylisting in action", &[Recipient], "deferred"),
        // One recipient is too many: another connection counts anew.
        ("452 4.5.3 too many recipients", &[Recipient], "reconnect"),
        ("452 4.5.3 too many recipients", &[Dot], "deferred"),
        ("452 4.3.1 insufficient storage", &[Sender], "back off"),
        (
            "452 4.3.1 insufficient storage",
            &[Recipient, Message, Dot],
            "deferred",
        ),
        (
            "432 4.3.2 concurrent connections limit exceeded",
            &[Sender, Recipient, Dot],
            "fewer connections",
        ),
        (
            "432 4.7.12 a password transition is needed",
            &[Login],
            "stop: Credentials",
        ),
        (
            "451 4.7.1 rate limit exceeded",
            &[Recipient, Dot],
            "slow down",
        ),
        ("451 4.7.24 SPF not aligned", &[Recipient, Dot], "deferred"),
        // The message.
        (
            "554 no SMTP service for you",
            &[Message, Dot],
            "failed: Content",
        ),
        (
            "550 5.6.0 malformed message",
            &[Message, Dot],
            "failed: Content",
        ),
        (
            "552 5.2.3 longer than the mailbox takes",
            &[Dot],
            "failed: Content",
        ),
        (
            "550 5.7.1 rejected by policy",
            &[Message, Dot],
            "failed: Policy",
        ),
        ("503 5.5.1 RCPT first", &[Message], "stop: Unavailable"),
        ("451 4.3.0 queue trouble", &[Message, Dot], "deferred"),
        (
            "554 5.7.1 looks like spam",
            &[Message, Dot],
            "failed: Content",
        ),
        ("552 5.3.4 too big", &[Dot], "failed: Content"),
        ("552 5.2.2 mailbox full", &[Dot], "failed: Recipient"),
        (
            "550 5.7.26 unauthenticated mail",
            &[Recipient, Dot],
            "stop: Unavailable",
        ),
        ("550 5.7.515 access denied", &[Dot], "stop: Unavailable"),
        // Quotas in disguise.
        (
            "552 5.2.2 your account is over its quota",
            &[Sender],
            "quota",
        ),
        (
            "550 5.7.1 SMTP relay limit exceeded",
            &[Sender, Recipient, Dot],
            "quota",
        ),
        (
            "450 4.7.1 you have reached the hourly limit",
            &[Sender, Recipient, Dot],
            "quota",
        ),
        ("552 too many emails per hour", &[Recipient], "quota"),
        ("454 4.7.0 Daily sending quota exceeded", &[Login], "quota"),
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
            "slow down",
        ),
        (
            "450 4.2.1 Peak SMTP relay limit exceeded",
            &[Sender, Recipient, Dot],
            "slow down",
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
