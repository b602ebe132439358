//! Whole sessions, as transcripts.

use proptest::prelude::*;

use super::*;

mod manners;

fn session(security: Security) -> Session {
    Session::new(
        Arc::new(Rules {
            hostname: "inbox.test".to_owned(),
            max_message_bytes: 2000,
            max_recipients: 3,
            manners: None,
        }),
        security,
    )
}

/// Runs the client's lines (`C: …`) of a transcript and compares the whole of it with what the server
/// said to them. `K: …` stands where a message was kept; `X` at the end where the server hung up.
fn dialog(security: Security, transcript: &str) {
    let expected: Vec<&str> = transcript.trim().lines().map(str::trim).collect();
    let mut session = session(security);
    let mut said = Vec::new();
    hear(&mut session, &mut said);
    for line in expected.iter().filter_map(|line| line.strip_prefix("C:")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        said.push(format!("C: {line}").trim_end().to_owned());
        session = feed(session, format!("{line}\r\n").as_bytes(), &mut said);
    }
    assert_eq!(said.join("\n"), expected.join("\n"));
}

fn feed(mut session: Session, mut input: &[u8], said: &mut Vec<String>) -> Session {
    loop {
        let step = session.advance(&mut input);
        hear(&mut session, said);
        match step {
            Step::Read => return session,
            Step::Close => {
                said.push("X".to_owned());
                return session;
            }
            Step::StartTls => session = session.secured(),
            Step::Pause => said.push("(pause)".to_owned()),
            Step::Drop => {
                said.push("(drop)".to_owned());
                return session;
            }
            Step::Stall => {
                said.push("(stall)".to_owned());
                return session;
            }
            Step::Keep(message) => {
                said.push(format!(
                    "K: {} from {} <{}> to {}: {:?}",
                    message.protocol,
                    message.hello,
                    message.return_path,
                    message.recipients.join(", "),
                    String::from_utf8_lossy(&message.content),
                ));
                session.kept(Some("1"));
            }
        }
    }
}

fn hear(session: &mut Session, said: &mut Vec<String>) {
    let replies = String::from_utf8(session.take_replies()).unwrap();
    said.extend(
        replies
            .split_terminator("\r\n")
            .map(|line| format!("S: {line}")),
    );
}

#[test]
fn two_messages_in_a_session() {
    dialog(
        Security::Clear,
        r#"
        S: 220 inbox.test ESMTP letterpress inbox
        C: EHLO client.test
        S: 250-inbox.test greets you
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SIZE 2000
        S: 250 ENHANCEDSTATUSCODES
        C: MAIL FROM:<press@news.test> SIZE=100 BODY=8BITMIME
        S: 250 2.1.0 sender is fine
        C: RCPT TO:<a@example.com>
        S: 250 2.1.5 recipient is fine
        C: RCPT TO:<"b c"@example.com>
        S: 250 2.1.5 recipient is fine
        C: DATA
        S: 354 send the message; a line with a dot alone ends it
        C: Subject: é
        C:
        C: ..dot
        C: .
        K: ESMTP from client.test <press@news.test> to a@example.com, "b c"@example.com: "Subject: é\r\n\r\n.dot\r\n"
        S: 250 2.0.0 kept as 1
        C: MAIL FROM:<>
        S: 250 2.1.0 sender is fine
        C: RCPT TO:<Postmaster>
        S: 250 2.1.5 recipient is fine
        C: DATA
        S: 354 send the message; a line with a dot alone ends it
        C: .
        K: ESMTP from client.test <> to Postmaster: ""
        S: 250 2.0.0 kept as 1
        C: QUIT
        S: 221 2.0.0 goodbye
        X
        "#,
    );
}

#[test]
fn commands_out_of_order() {
    dialog(
        Security::Clear,
        "
        S: 220 inbox.test ESMTP letterpress inbox
        C: MAIL FROM:<a@b>
        S: 503 5.5.1 say EHLO first
        C: HELO client.test
        S: 250 inbox.test greets you
        C: RCPT TO:<a@b>
        S: 503 5.5.1 MAIL comes before RCPT
        C: DATA
        S: 503 5.5.1 MAIL and RCPT come before DATA
        C: MAIL FROM:<a@b> SIZE=1
        S: 555 5.5.4 parameters belong to EHLO, and HELO was said
        C: MAIL FROM:<a@b>
        S: 250 2.1.0 sender is fine
        C: MAIL FROM:<a@b>
        S: 503 5.5.1 a MAIL command was given already; RSET forgets it
        C: DATA
        S: 554 5.5.1 there is no valid recipient
        C: RSET
        S: 250 2.0.0 forgotten
        C: RCPT TO:<a@b>
        S: 503 5.5.1 MAIL comes before RCPT
        C: MAIL FROM:<a@b>
        S: 250 2.1.0 sender is fine
        C: RCPT TO:<a@b>
        S: 250 2.1.5 recipient is fine
        C: HELO client.test
        S: 250 inbox.test greets you
        C: DATA
        S: 503 5.5.1 MAIL and RCPT come before DATA
        C: STARTTLS
        S: 502 5.5.1 STARTTLS is not offered here
        C: NOOP
        S: 250 2.0.0 at your service
        C: VRFY a
        S: 252 2.0.0 every recipient is taken here; send a message and see
        C: HELP
        S: 214 2.0.0 EHLO HELO STARTTLS MAIL RCPT DATA RSET NOOP VRFY HELP QUIT (RFC 5321)
        ",
    );
}

#[test]
fn limits() {
    dialog(
        Security::Clear,
        "
        S: 220 inbox.test ESMTP letterpress inbox
        C: EHLO client.test
        S: 250-inbox.test greets you
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SIZE 2000
        S: 250 ENHANCEDSTATUSCODES
        C: MAIL FROM:<a@b> SIZE=2001
        S: 552 5.3.4 the message is larger than 2000 octets
        C: MAIL FROM:<a@b> SIZE=99999999999999999999
        S: 552 5.3.4 the message is larger than 2000 octets
        C: MAIL FROM:<a@b> SIZE=2000
        S: 250 2.1.0 sender is fine
        C: RCPT TO:<a@b>
        S: 250 2.1.5 recipient is fine
        C: RCPT TO:<b@b>
        S: 250 2.1.5 recipient is fine
        C: RCPT TO:<b@b>
        S: 250 2.1.5 recipient is fine
        C: RCPT TO:<c@b>
        S: 452 4.5.3 a message has at most 3 recipients; send it again to the others
        C: DATA
        S: 354 send the message; a line with a dot alone ends it
        C: é
        C: .
        S: 550 5.6.0 line 1 has an octet above 127, and BODY=8BITMIME was not given
        C: DATA
        S: 503 5.5.1 MAIL and RCPT come before DATA
        ",
    );
}

#[test]
fn starttls_forgets_all_that_was_said() {
    dialog(
        Security::Offered,
        "
        S: 220 inbox.test ESMTP letterpress inbox
        C: EHLO client.test
        S: 250-inbox.test greets you
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SIZE 2000
        S: 250-STARTTLS
        S: 250 ENHANCEDSTATUSCODES
        C: MAIL FROM:<a@b>
        S: 250 2.1.0 sender is fine
        C: STARTTLS
        S: 220 2.0.0 begin the handshake
        C: RCPT TO:<a@b>
        S: 503 5.5.1 MAIL comes before RCPT
        C: MAIL FROM:<a@b>
        S: 503 5.5.1 say EHLO first
        C: EHLO client.test
        S: 250-inbox.test greets you
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SIZE 2000
        S: 250 ENHANCEDSTATUSCODES
        C: STARTTLS
        S: 503 5.5.1 TLS is active already
        C: MAIL FROM:<a@b>
        S: 250 2.1.0 sender is fine
        C: RCPT TO:<a@b>
        S: 250 2.1.5 recipient is fine
        C: DATA
        S: 354 send the message; a line with a dot alone ends it
        C: .
        K: ESMTPS from client.test <a@b> to a@b: \"\"
        S: 250 2.0.0 kept as 1
        ",
    );
}

#[test]
fn commands_behind_starttls_end_the_session() {
    let mut said = Vec::new();
    feed(
        session(Security::Offered),
        b"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<evil@b>\r\n",
        &mut said,
    );
    assert_eq!(
        said[said.len() - 2..],
        [
            "S: 421 4.7.0 nothing may follow STARTTLS in clear text; goodbye",
            "X"
        ]
    );
}

#[test]
fn a_browser_is_turned_away() {
    let mut said = Vec::new();
    feed(
        session(Security::Clear),
        b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nEHLO a\r\nMAIL FROM:<a@b>\r\n",
        &mut said,
    );
    assert_eq!(
        said[1..],
        ["S: 421 4.7.0 this is SMTP, not HTTP; goodbye", "X"]
    );
}

#[test]
fn twenty_bad_commands_are_enough_unless_a_message_comes_between() {
    let mut said = Vec::new();
    let mut session = session(Security::Clear);
    session = feed(session, &b"FOO\r\n".repeat(19), &mut said);
    let good = b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\n";
    session = feed(session, good, &mut said);
    session = feed(session, &b"FOO\r\n".repeat(19), &mut said);
    assert_eq!(said.last().unwrap(), "S: 500 5.5.2 `FOO` is not a command");
    feed(session, b"FOO\r\nNOOP\r\n", &mut said);
    assert_eq!(
        said[said.len() - 2..],
        ["S: 421 4.7.0 too many bad commands; goodbye", "X"]
    );
}

#[test]
fn a_command_line_has_at_most_512_octets_and_its_rest_is_swallowed() {
    let mut said = Vec::new();
    let longest = [&b"NOOP "[..], &b"x".repeat(505), b"\r\n"].concat();
    let longer = [&b"NOOP "[..], &b"x".repeat(506), b"\r\n"].concat();
    let mut session = feed(session(Security::Clear), &longest, &mut said);
    session = feed(session, &longer, &mut said);
    // The same in two reads, with a command hidden in the rest.
    session = feed(session, &b"x".repeat(600), &mut said);
    session = feed(session, b"QUIT\r\nNOOP\r\n", &mut said);
    feed(session, b"NOOP\n", &mut said);
    assert_eq!(
        said[1..],
        [
            "S: 250 2.0.0 at your service",
            "S: 500 5.5.2 a command has at most 512 octets, counted with its CRLF",
            "S: 500 5.5.2 a command has at most 512 octets, counted with its CRLF",
            "S: 250 2.0.0 at your service",
            "S: 500 5.5.2 a command ends with CRLF, not with LF alone",
        ]
    );
}

#[test]
fn a_message_refused_at_its_dot_is_swallowed_to_its_end() {
    let head = "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n";
    for (content, reply) in [
        (
            "a\n.\nMAIL FROM:<evil@b>\r\n.\r\n",
            "S: 550 5.6.0 line 1 has a LF without CR; lines end with CRLF",
        ),
        (
            &format!("{}.\r\n", "x\r\n".repeat(700)),
            "S: 552 5.3.4 the message is larger than 2000 octets",
        ),
    ] {
        let mut said = Vec::new();
        let wire = format!("{head}{content}NOOP\r\n");
        feed(session(Security::Clear), wire.as_bytes(), &mut said);
        assert_eq!(
            said[said.len() - 2..],
            [reply, "S: 250 2.0.0 at your service"]
        );
    }
}

#[test]
fn a_message_that_cannot_be_written_is_not_accepted() {
    let mut session = session(Security::Clear);
    let mut input = &b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\n"[..];
    assert!(matches!(session.advance(&mut input), Step::Keep(_)));
    session.take_replies();
    session.kept(None);
    assert_eq!(
        String::from_utf8(session.take_replies()).unwrap(),
        "451 4.3.0 the message could not be written; try again later\r\n"
    );
}

#[test]
fn a_session_is_at_rest_between_transactions_only() {
    let mut said = Vec::new();
    let mut session = session(Security::Clear);
    assert!(session.is_at_rest());
    session = feed(session, b"EHLO a\r\nMAIL FROM:<a@b>\r\n", &mut said);
    assert!(!session.is_at_rest());
    session = feed(session, b"RSET\r\n", &mut said);
    assert!(session.is_at_rest());
    session = feed(session, b"MAI", &mut said);
    assert!(!session.is_at_rest());
}

/// Pieces that sessions are made of, good and bad.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::sample::select(vec![
            "EHLO a\r\n", "MAIL FROM:<a@b>\r\n", "MAIL FROM:<> BODY=8BITMIME\r\n", "RCPT TO:<c@d>\r\n",
            "DATA\r\n", "Subject: x\r\n", "\r\n", "..\r\n", ".\r\n", ".\n", "\n", "\r", "NOOP\r\n", "RSET\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
        1 => (500_usize..1100).prop_map(|length| b"x".repeat(length)),
    ]
}

proptest! {
    #[test]
    fn any_octets_are_answered_alike_however_they_are_cut(
        pieces in proptest::collection::vec(piece(), 0..30),
        size in 1_usize..20,
    ) {
        let wire = pieces.concat();
        let mut whole = Vec::new();
        feed(session(Security::Clear), &wire, &mut whole);
        let mut cut = Vec::new();
        let mut session = session(Security::Clear);
        hear(&mut session, &mut cut);
        for piece in wire.chunks(size) {
            if cut.last().is_none_or(|last| last != "X") {
                session = feed(session, piece, &mut cut);
            }
        }
        // The first words of a session that ends come with the next read at the latest.
        prop_assert_eq!(cut, whole);
    }
}
