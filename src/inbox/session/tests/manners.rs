//! A relay that misbehaves, as transcripts: one fault, at one moment, and what becomes of the mail.

use super::*;

/// Does one thing at one moment, once.
#[derive(Debug)]
struct Once {
    moment: &'static str,
    fault: Mischief,
    is_done: std::sync::atomic::AtomicBool,
}

impl Manners for Once {
    fn fault(&self, moment: Moment<'_>) -> Option<Mischief> {
        let name = match moment {
            Moment::Connect => "connect",
            Moment::Hello => "ehlo",
            Moment::Sender => "mail",
            Moment::Recipient(recipient) => {
                assert_eq!(recipient, "a@b");
                "rcpt"
            }
            Moment::Data => "data",
            Moment::Dot(recipients) => {
                assert_eq!(recipients, ["a@b"]);
                "dot"
            }
            Moment::Accepted => "accepted",
        };
        let now = name == self.moment && !self.is_done.swap(name == self.moment, RELAXED);
        now.then_some(self.fault)
    }
}

const RELAXED: std::sync::atomic::Ordering = std::sync::atomic::Ordering::Relaxed;

/// A session in which a client says all of this, in pieces as a client that pipelines sends them, and
/// stops when it is cut off. What was said, in short: codes, `K` for a mail that was kept.
fn transcript(moment: &'static str, fault: Mischief) -> String {
    let mut session = Session::new(
        Arc::new(Rules {
            hostname: "inbox.test".to_owned(),
            max_message_bytes: 2000,
            max_recipients: 3,
            manners: Some(Arc::new(Once {
                moment,
                fault,
                is_done: false.into(),
            })),
        }),
        Security::Clear,
    );
    let mut said = Vec::new();
    for piece in [
        "",
        "EHLO client.test\r\n",
        "MAIL FROM:<p@q>\r\nRCPT TO:<a@b>\r\nDATA\r\n",
        ".\r\n",
        "QUIT\r\n",
    ] {
        if said
            .last()
            .is_some_and(|last: &String| last.starts_with('(') && last != "(pause)")
        {
            break;
        }
        if said.last().is_some_and(|last| last == "X") {
            break;
        }
        session = feed(session, piece.as_bytes(), &mut said);
    }
    let brief = said.iter().map(|line| match line.strip_prefix("S: ") {
        Some(reply) if reply.get(3..4) == Some("-") => "",
        Some(reply) if reply.get(3..4) == Some(" ") => &reply[..3],
        Some(reply) => reply,
        None if line.starts_with("K:") => "K",
        None => line,
    });
    let brief: Vec<&str> = brief.filter(|word| !word.is_empty()).collect();
    brief.join(" ")
}

#[test]
fn what_a_fault_does_to_a_session() {
    for (moment, fault, expected) in [
        ("never", Mischief::Stall, "220 250 250 250 354 K 250 221 X"),
        ("connect", Mischief::Greeting, "554 X"),
        ("connect", Mischief::Busy, "421 X"),
        ("connect", Mischief::Stall, "(stall)"),
        ("ehlo", Mischief::DropBefore, "220 (drop)"),
        ("mail", Mischief::Busy, "220 250 421 X"),
        // Who was refused is nobody a message can go to.
        ("mail", Mischief::Defer, "220 250 450 503 503 500 221 X"),
        ("rcpt", Mischief::Defer, "220 250 250 450 554 500 221 X"),
        ("rcpt", Mischief::Refuse, "220 250 250 550 554 500 221 X"),
        (
            "rcpt",
            Mischief::Twice,
            "220 250 250 250 250 354 K 250 221 X",
        ),
        ("data", Mischief::Defer, "220 250 250 250 450 500 221 X"),
        ("data", Mischief::Stall, "220 250 250 250 (stall)"),
        ("mail", Mischief::DropBefore, "220 250 (drop)"),
        ("dot", Mischief::Busy, "220 250 250 250 354 421 X"),
        ("dot", Mischief::Defer, "220 250 250 250 354 450 221 X"),
        ("dot", Mischief::Refuse, "220 250 250 250 354 550 221 X"),
        ("dot", Mischief::DropBefore, "220 250 250 250 354 (drop)"),
        ("dot", Mischief::Stall, "220 250 250 250 354 (stall)"),
        // From here on the mail is taken.
        ("dot", Mischief::DropAfter, "220 250 250 250 354 K (drop)"),
        ("dot", Mischief::StallAfter, "220 250 250 250 354 K (stall)"),
        ("dot", Mischief::Half, "220 250 250 250 354 K 250 X"),
        (
            "dot",
            Mischief::Twice,
            "220 250 250 250 354 K 250 250 221 X",
        ),
        (
            "dot",
            Mischief::Slow,
            "220 250 250 250 354 K 250 (pause) 221 X",
        ),
        ("accepted", Mischief::Close, "220 250 250 250 354 K 250 X"),
    ] {
        assert_eq!(transcript(moment, fault), expected, "{fault:?} at {moment}");
    }
}

#[test]
fn half_a_reply_has_no_end() {
    let mut session = session(Security::Clear);
    let _greeting = session.take_replies();
    session.misbehave(Mischief::Half, &Reply::new(250, "2.0.0", "kept as 1"));
    let wire = session.take_replies();
    assert_eq!(wire, b"250 2.0.0 ");
    assert_eq!(session.advance(&mut &b"NOOP\r\n"[..]), Step::Close);
}
