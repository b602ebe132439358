//! One SMTP session as a state machine (RFC 5321): octets go in, replies and steps come out.
//!
//! There is no socket, no file and no clock here. What takes time (keeping a message, the handshake of
//! TLS) is asked for with a [`Step`], and the answer is given back.

use std::sync::Arc;

use super::{
    command::{self, Body, Command, Greeting, Mail},
    data::{Collector, Fault},
    faults::{Fault as Mischief, Manners, Moment},
    reply::Reply,
};

/// The longest command line with its CRLF, in octets (RFC 5321 4.5.3.1.4).
const LONGEST_COMMAND: usize = 512;
/// How many bad commands a client may give before it is shown the door.
const MOST_BAD_COMMANDS: usize = 20;

/// What is the same for all sessions.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// The name in the greeting.
    pub(super) hostname: String,
    /// The largest message, in octets.
    pub(super) max_message_bytes: usize,
    /// How many recipients one message may have.
    pub(super) max_recipients: usize,
    /// How it misbehaves, if it does.
    pub(super) manners: Option<Arc<dyn Manners>>,
}

/// How far the connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// In clear text, and it stays so.
    Clear,
    /// In clear text; STARTTLS is offered.
    Offered,
    /// Inside TLS.
    Active,
}

/// A message that was received whole and waits to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The reverse path without brackets; empty for the null path.
    pub(super) return_path: String,
    /// The recipients, in the order of their commands, as written.
    pub(super) recipients: Vec<String>,
    /// The content, byte for byte as received.
    pub(super) content: Vec<u8>,
    /// The name that the client gave itself.
    pub(super) hello: String,
    /// The protocol, as a `Received` field calls it (RFC 3848): SMTP, ESMTP or ESMTPS.
    pub(super) protocol: &'static str,
}

/// What the caller has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send the replies and read more: all input is used up.
    Read,
    /// Keep the message and say how that went with [`Session::kept`].
    Keep(Message),
    /// Send the replies, shake hands, and go on with [`Session::secured`].
    StartTls,
    /// Send the replies and close the connection.
    Close,
    /// Misbehave: let some time go by.
    Pause,
    /// Misbehave: close the connection as it is.
    Drop,
    /// Misbehave: answer nothing any more, and wait until the client goes.
    Stall,
}

/// A session: what the client said so far that still counts.
#[derive(Debug)]
pub(super) struct Session {
    rules: Arc<Rules>,
    security: Security,
    hello: Option<(Greeting, String)>,
    transaction: Option<Transaction>,
    reading: Reading,
    bad_commands: usize,
    replies: Vec<u8>,
    /// What is done instead of saying that a message was kept.
    mischief: Option<Mischief>,
    is_slow: bool,
}

/// What MAIL began and RCPT went on with.
#[derive(Debug)]
struct Transaction {
    return_path: String,
    body: Body,
    /// The announced size in octets; 0 when there is none.
    size: usize,
    recipients: Vec<String>,
}

/// What the next octets belong to.
#[derive(Debug)]
enum Reading {
    /// A command line, of which these are the first octets.
    Command(Vec<u8>),
    /// The rest of a command line that is too long.
    LongCommand,
    /// A message.
    Data(Collector),
    /// The handshake of TLS, which is the caller's.
    Handshake,
    /// Nothing: the session is over.
    Nothing,
    /// Nothing: the session was broken off.
    Broken(Breach),
}

/// How a session that misbehaves ends.
#[derive(Clone, Copy, Debug)]
enum Breach {
    Drop,
    Stall,
}

impl Session {
    /// A new session; the greeting is its first reply.
    pub(super) fn new(rules: Arc<Rules>, security: Security) -> Self {
        let greeting = format!("{} ESMTP letterpress inbox", rules.hostname);
        let mut session = Self::blank(rules, security);
        session.agree(Moment::Connect, &Reply::bare(220, vec![greeting]));
        session
    }

    /// The session after the handshake of TLS: all that was said before it is forgotten
    /// (RFC 3207 4.2).
    pub(super) fn secured(self) -> Self {
        Self::blank(self.rules, Security::Active)
    }

    fn blank(rules: Arc<Rules>, security: Security) -> Self {
        Self {
            rules,
            security,
            hello: None,
            transaction: None,
            reading: Reading::Command(Vec::new()),
            bad_commands: 0,
            replies: Vec::new(),
            mischief: None,
            is_slow: false,
        }
    }

    /// Takes octets off the front of `input` until something has to be done.
    pub(super) fn advance(&mut self, input: &mut &[u8]) -> Step {
        loop {
            if std::mem::take(&mut self.is_slow) {
                return Step::Pause;
            }
            match &mut self.reading {
                Reading::Nothing => return Step::Close,
                Reading::Broken(Breach::Drop) => return Step::Drop,
                Reading::Broken(Breach::Stall) => return Step::Stall,
                Reading::Handshake => return Step::StartTls,
                _ if input.is_empty() => return Step::Read,
                Reading::Command(line) => {
                    let (piece, is_end) = take_line(input);
                    let is_long = line.len() + piece.len() > LONGEST_COMMAND;
                    match (is_long, is_end) {
                        (true, false) => self.reading = Reading::LongCommand,
                        (true, true) => self.long_command(),
                        (false, false) => line.extend_from_slice(piece),
                        (false, true) => {
                            line.extend_from_slice(piece);
                            let line = std::mem::take(line);
                            self.command(&line, !input.is_empty());
                        }
                    }
                }
                Reading::LongCommand => {
                    if let (_, true) = take_line(input) {
                        self.long_command();
                    }
                }
                Reading::Data(collector) => {
                    if collector.take(input)
                        && let Some(message) = self.end_of_data()
                    {
                        return Step::Keep(message);
                    }
                }
            }
        }
    }

    /// Answers the final dot, once the caller has tried to keep the message: with the name under
    /// which it was kept, or not.
    pub(super) fn kept(&mut self, name: Option<&str>) {
        match name {
            Some(name) => {
                self.bad_commands = 0;
                let reply = Reply::new(250, "2.0.0", format!("kept as {name}"));
                match self.mischief.take() {
                    Some(mischief) => self.misbehave(mischief, &reply),
                    None => {
                        self.reply(&reply);
                        // Whatever it is, there is nothing left to say.
                        if self.mischief(Moment::Accepted).is_some() {
                            self.reading = Reading::Nothing;
                        }
                    }
                }
            }
            None => self.reply(&Reply::new(
                451,
                "4.3.0",
                "the message could not be written; try again later",
            )),
        }
    }

    /// Ends the session with a reply of the server's own: it waited too long, or it is going down.
    pub(super) fn end(&mut self, reply: &Reply) {
        self.reading = Reading::Nothing;
        self.transaction = None;
        self.reply(reply);
    }

    /// Whether nothing is lost when the session ends here: no transaction is open and no command is
    /// half read.
    pub(super) fn is_at_rest(&self) -> bool {
        self.transaction.is_none()
            && matches!(&self.reading, Reading::Command(line) if line.is_empty())
    }

    /// The replies that wait to be sent, which are then the caller's.
    pub(super) fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    fn reply(&mut self, reply: &Reply) {
        reply.write(&mut self.replies);
    }

    fn long_command(&mut self) {
        self.reading = Reading::Command(Vec::new());
        self.bad_command(&Reply::new(
            500,
            "5.5.2",
            format!("a command has at most {LONGEST_COMMAND} octets, counted with its CRLF"),
        ));
    }

    fn command(&mut self, line: &[u8], more_follows: bool) {
        let outcome = match line.strip_suffix(b"\r\n") {
            Some(line) => command::parse(line),
            None => Err(Reply::new(
                500,
                "5.5.2",
                "a command ends with CRLF, not with LF alone",
            )),
        };
        let outcome = outcome.and_then(|command| match command {
            Command::Hello(greeting, name) => {
                let reply = self.greet(greeting, name);
                self.agree(Moment::Hello, &reply);
                Ok(None)
            }
            Command::Mail(mail) => {
                let reply = self.mail(mail)?;
                self.agree(Moment::Sender, &reply);
                Ok(None)
            }
            Command::Recipient(recipient) => {
                let reply = self.recipient(recipient.clone())?;
                self.agree(Moment::Recipient(&recipient), &reply);
                Ok(None)
            }
            Command::Data => {
                let reply = self.data()?;
                self.agree(Moment::Data, &reply);
                Ok(None)
            }
            other => self.aside(other, more_follows).map(Some),
        });
        match outcome {
            Err(reply) if reply.is_bad_command() => self.bad_command(&reply),
            Ok(Some(reply)) | Err(reply) => self.reply(&reply),
            Ok(None) => {}
        }
    }

    /// The commands that have nothing to do with a message.
    fn aside(&mut self, command: Command, more_follows: bool) -> Result<Reply, Reply> {
        match command {
            Command::StartTls => self.start_tls(more_follows),
            Command::Reset => {
                self.transaction = None;
                Ok(Reply::new(250, "2.0.0", "forgotten"))
            }
            Command::Noop => Ok(Reply::new(250, "2.0.0", "at your service")),
            Command::Verify => Ok(Reply::new(
                252,
                "2.0.0",
                "every recipient is taken here; send a message and see",
            )),
            Command::Help => Ok(Reply::new(
                214,
                "2.0.0",
                "EHLO HELO STARTTLS MAIL RCPT DATA RSET NOOP VRFY HELP QUIT (RFC 5321)",
            )),
            Command::Quit => {
                self.reading = Reading::Nothing;
                Ok(Reply::new(221, "2.0.0", "goodbye"))
            }
            Command::Http => {
                self.reading = Reading::Nothing;
                Ok(Reply::new(421, "4.7.0", "this is SMTP, not HTTP; goodbye"))
            }
            Command::Hello(..) | Command::Mail(_) | Command::Recipient(_) | Command::Data => {
                Err(out_of_order("this is part of a message"))
            }
        }
    }

    /// Says yes, or misbehaves.
    fn agree(&mut self, moment: Moment<'_>, yes: &Reply) {
        let Some(mischief) = self.mischief(moment) else {
            return self.reply(yes);
        };
        // Who says no, or nothing, has not done what was asked.
        if !matches!(mischief, Mischief::Twice | Mischief::Slow) {
            match moment {
                Moment::Connect | Moment::Dot(_) | Moment::Accepted => {}
                Moment::Hello => self.hello = None,
                Moment::Sender => self.transaction = None,
                Moment::Recipient(_) => {
                    if let Some(transaction) = &mut self.transaction {
                        transaction.recipients.pop();
                    }
                }
                Moment::Data => self.reading = Reading::Command(Vec::new()),
            }
        }
        self.misbehave(mischief, yes);
    }

    fn mischief(&self, moment: Moment<'_>) -> Option<Mischief> {
        self.rules.manners.as_ref()?.fault(moment)
    }

    /// Does something else than to say yes.
    fn misbehave(&mut self, mischief: Mischief, yes: &Reply) {
        match mischief {
            Mischief::Busy => self.end(&Reply::new(421, "4.3.2", "not now; goodbye")),
            Mischief::Greeting => self.end(&Reply::bare(554, vec!["no SMTP service here".into()])),
            Mischief::Defer => {
                self.reply(&Reply::new(
                    450,
                    "4.2.0",
                    "the mailbox is busy; try again later",
                ));
            }
            Mischief::Refuse => self.reply(&Reply::new(550, "5.1.1", "there is no such mailbox")),
            Mischief::DropBefore | Mischief::DropAfter => {
                self.reading = Reading::Broken(Breach::Drop);
            }
            Mischief::Stall | Mischief::StallAfter => {
                self.reading = Reading::Broken(Breach::Stall);
            }
            Mischief::Close => self.reading = Reading::Nothing,
            Mischief::Half => {
                let mut wire = Vec::new();
                yes.write(&mut wire);
                self.replies.extend_from_slice(&wire[..wire.len() / 2]);
                self.reading = Reading::Nothing;
            }
            Mischief::Twice => {
                self.reply(yes);
                self.reply(yes);
            }
            Mischief::Slow => {
                self.is_slow = true;
                self.reply(yes);
            }
        }
    }

    fn bad_command(&mut self, reply: &Reply) {
        self.bad_commands += 1;
        if self.bad_commands < MOST_BAD_COMMANDS {
            self.reply(reply);
        } else {
            self.end(&Reply::new(421, "4.7.0", "too many bad commands; goodbye"));
        }
    }

    /// EHLO and HELO: begins anew, as RSET does (RFC 5321 4.1.4).
    fn greet(&mut self, greeting: Greeting, name: String) -> Reply {
        let mut lines = vec![format!("{} greets you", self.rules.hostname)];
        if greeting == Greeting::Ehlo {
            lines.push("PIPELINING".to_owned());
            lines.push("8BITMIME".to_owned());
            lines.push(format!("SIZE {}", self.rules.max_message_bytes));
            if self.security == Security::Offered {
                lines.push("STARTTLS".to_owned());
            }
            lines.push("ENHANCEDSTATUSCODES".to_owned());
        }
        self.hello = Some((greeting, name));
        self.transaction = None;
        Reply::bare(250, lines)
    }

    fn mail(&mut self, mail: Mail) -> Result<Reply, Reply> {
        let Some((greeting, _)) = &self.hello else {
            return Err(out_of_order("say EHLO first"));
        };
        if self.transaction.is_some() {
            return Err(out_of_order(
                "a MAIL command was given already; RSET forgets it",
            ));
        }
        if *greeting == Greeting::Helo && (mail.size.is_some() || mail.body.is_some()) {
            return Err(Reply::new(
                555,
                "5.5.4",
                "parameters belong to EHLO, and HELO was said",
            ));
        }
        let most = self.rules.max_message_bytes;
        let size = match mail.size.map(usize::try_from) {
            None => 0,
            Some(Ok(size)) if size <= most => size,
            Some(_) => return Err(too_large(&Fault::TooLarge { most })),
        };
        self.transaction = Some(Transaction {
            return_path: mail.return_path,
            body: mail.body.unwrap_or_default(),
            size,
            recipients: Vec::new(),
        });
        Ok(Reply::new(250, "2.1.0", "sender is fine"))
    }

    fn recipient(&mut self, recipient: String) -> Result<Reply, Reply> {
        let Some(transaction) = &mut self.transaction else {
            return Err(out_of_order("MAIL comes before RCPT"));
        };
        let most = self.rules.max_recipients;
        if transaction.recipients.len() >= most {
            return Err(Reply::new(
                452,
                "4.5.3",
                format!("a message has at most {most} recipients; send it again to the others"),
            ));
        }
        transaction.recipients.push(recipient);
        Ok(Reply::new(250, "2.1.5", "recipient is fine"))
    }

    fn data(&mut self) -> Result<Reply, Reply> {
        let Some(transaction) = &self.transaction else {
            return Err(out_of_order("MAIL and RCPT come before DATA"));
        };
        if transaction.recipients.is_empty() {
            return Err(Reply::new(554, "5.5.1", "there is no valid recipient"));
        }
        self.reading = Reading::Data(Collector::new(
            transaction.body,
            self.rules.max_message_bytes,
            transaction.size,
        ));
        let text = "send the message; a line with a dot alone ends it";
        Ok(Reply::bare(354, vec![text.to_owned()]))
    }

    /// What came in clear text behind STARTTLS was put there by somebody who wants it to be taken
    /// for a command of the secured session.
    fn start_tls(&mut self, more_follows: bool) -> Result<Reply, Reply> {
        match self.security {
            Security::Clear => Err(Reply::new(502, "5.5.1", "STARTTLS is not offered here")),
            Security::Active => Err(out_of_order("TLS is active already")),
            Security::Offered if more_follows => {
                self.reading = Reading::Nothing;
                Ok(Reply::new(
                    421,
                    "4.7.0",
                    "nothing may follow STARTTLS in clear text; goodbye",
                ))
            }
            Security::Offered => {
                self.reading = Reading::Handshake;
                Ok(Reply::new(220, "2.0.0", "begin the handshake"))
            }
        }
    }

    /// After the final dot: the message, or nothing when it was refused.
    fn end_of_data(&mut self) -> Option<Message> {
        let reading = std::mem::replace(&mut self.reading, Reading::Command(Vec::new()));
        let transaction = self.transaction.take()?;
        let (greeting, hello) = self.hello.as_ref()?;
        let Reading::Data(collector) = reading else {
            return None;
        };
        match collector.finish() {
            Ok(content) => {
                let message = Message {
                    return_path: transaction.return_path,
                    recipients: transaction.recipients,
                    content,
                    hello: hello.clone(),
                    protocol: match (greeting, self.security) {
                        (Greeting::Helo, _) => "SMTP",
                        (Greeting::Ehlo, Security::Active) => "ESMTPS",
                        (Greeting::Ehlo, _) => "ESMTP",
                    },
                };
                let mischief = self.mischief(Moment::Dot(&message.recipients));
                match mischief {
                    Some(mischief) if !mischief.takes_the_mail() => {
                        // What it would have said: it does not come to that.
                        self.misbehave(mischief, &Reply::new(250, "2.0.0", "kept"));
                        None
                    }
                    mischief => {
                        self.mischief = mischief;
                        Some(message)
                    }
                }
            }
            Err(fault @ Fault::TooLarge { .. }) => {
                self.reply(&too_large(&fault));
                None
            }
            Err(fault @ Fault::Line { .. }) => {
                self.reply(&Reply::new(550, "5.6.0", fault.to_string()));
                None
            }
        }
    }
}

/// The octets up to and with the next LF, or all there are; and whether the LF is among them.
fn take_line<'a>(input: &mut &'a [u8]) -> (&'a [u8], bool) {
    let end = input.iter().position(|octet| *octet == b'\n');
    let (line, rest) = input.split_at(end.map_or(input.len(), |end| end + 1));
    *input = rest;
    (line, end.is_some())
}

fn out_of_order(text: &str) -> Reply {
    Reply::new(503, "5.5.1", text)
}

fn too_large(fault: &Fault) -> Reply {
    Reply::new(552, "5.3.4", fault.to_string())
}

#[cfg(test)]
mod tests;
