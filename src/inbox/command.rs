//! A command line becomes a [`Command`], or the reply that refuses it (RFC 5321 4.1). Pure: whether
//! the command is in order where it stands is the session's business.

use super::{
    path::{self, PathError},
    reply::{Reply, quoted},
};

/// How the client said hello, and so what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// HELO: no extensions.
    Helo,
    /// EHLO: the extensions that were offered.
    Ehlo,
}

/// What the client declares about the octets of its message (RFC 6152).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    /// Octets up to 127.
    #[default]
    SevenBit,
    /// Any octets, in lines.
    EightBitMime,
}

/// MAIL, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    /// The reverse path without brackets; empty for the null path.
    pub(super) return_path: String,
    /// The size that the client declares, in octets.
    pub(super) size: Option<u64>,
    /// `None` when the client did not say, which means 7 bit.
    pub(super) body: Option<Body>,
}

/// A command that is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// HELO or EHLO.
    Hello(Greeting, String),
    /// MAIL.
    Mail(Mail),
    /// RCPT.
    Recipient(String),
    /// DATA.
    Data,
    /// RSET.
    Reset,
    /// NOOP.
    Noop,
    /// VRFY.
    Verify,
    /// HELP.
    Help,
    /// STARTTLS.
    StartTls,
    /// QUIT.
    Quit,
    /// The first line of an HTTP request: a browser that was sent here.
    Http,
}

/// Reads a command line, without its CRLF.
pub(super) fn parse(line: &[u8]) -> Result<Command, Reply> {
    let line = std::str::from_utf8(line)
        .map_err(|_| syntax("the command has octets that are neither ASCII nor UTF-8"))?;
    if line.chars().any(|c| c.is_ascii_control()) {
        return Err(syntax("a command cannot have control characters"));
    }
    let line = line.trim_end_matches(' ');
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => hello(Greeting::Ehlo, argument),
        "HELO" => hello(Greeting::Helo, argument),
        "MAIL" => mail(argument),
        "RCPT" => recipient(argument),
        "DATA" => alone(Command::Data, "DATA", argument),
        "RSET" => alone(Command::Reset, "RSET", argument),
        "QUIT" => alone(Command::Quit, "QUIT", argument),
        "STARTTLS" => alone(Command::StartTls, "STARTTLS", argument),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if argument.is_empty() => Err(arguments("VRFY needs a name or an address")),
        "VRFY" => Ok(Command::Verify),
        "EXPN" | "TURN" | "AUTH" | "BDAT" => Err(Reply::new(
            502,
            "5.5.1",
            format!("{} is not offered here", quoted(verb)),
        )),
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "CONNECT" | "PATCH" => {
            Ok(Command::Http)
        }
        "" => Err(syntax("a command is missing")),
        _ => Err(syntax(format!("{} is not a command", quoted(verb)))),
    }
}

/// Whether a name may stand in a greeting and in a `Received` field: a domain or an address literal.
/// Underscores break the grammar, but host names with them are about.
pub(super) fn is_host_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}

fn hello(greeting: Greeting, argument: &str) -> Result<Command, Reply> {
    if is_host_name(argument) {
        Ok(Command::Hello(greeting, argument.to_owned()))
    } else if argument.is_empty() {
        Err(arguments(
            "say hello with your host name or address literal",
        ))
    } else {
        Err(arguments(format!(
            "{} is not a host name or an address literal",
            quoted(argument)
        )))
    }
}

fn mail(argument: &str) -> Result<Command, Reply> {
    let rest = after_keyword(argument, "FROM:")
        .ok_or_else(|| arguments("write `MAIL FROM:<press@example.com>`"))?;
    let (return_path, rest) = path::reverse(rest).map_err(|error| bad_path(error, "5.1.7"))?;
    let mut mail = Mail {
        return_path: return_path.to_owned(),
        size: None,
        body: None,
    };
    for (keyword, value) in parameters(rest)? {
        let is_new = match keyword.to_ascii_uppercase().as_str() {
            "SIZE" => mail.size.replace(size(value)?).is_none(),
            "BODY" => mail.body.replace(body(value)?).is_none(),
            _ => return Err(unknown_parameter(keyword)),
        };
        if !is_new {
            return Err(arguments(format!(
                "the parameter {} is given twice",
                quoted(keyword)
            )));
        }
    }
    Ok(Command::Mail(mail))
}

fn recipient(argument: &str) -> Result<Command, Reply> {
    let rest = after_keyword(argument, "TO:")
        .ok_or_else(|| arguments("write `RCPT TO:<reader@example.com>`"))?;
    let (recipient, rest) = path::forward(rest).map_err(|error| bad_path(error, "5.1.3"))?;
    match parameters(rest)?.first() {
        None => Ok(Command::Recipient(recipient.to_owned())),
        Some((keyword, _)) => Err(unknown_parameter(keyword)),
    }
}

fn alone(command: Command, verb: &str, argument: &str) -> Result<Command, Reply> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(arguments(format!("{verb} takes no argument")))
    }
}

fn after_keyword<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(keyword.len())?;
    start.eq_ignore_ascii_case(keyword).then_some(rest)
}

/// ` KEYWORD=value KEYWORD …` (RFC 5321 4.1.2, `Mail-parameters`); a value may be absent.
fn parameters(text: &str) -> Result<Vec<(&str, Option<&str>)>, Reply> {
    if !text.is_empty() && !text.starts_with(' ') {
        return Err(arguments("a space is missing after the address"));
    }
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let (keyword, value) = match word.split_once('=') {
                Some((keyword, value)) => (keyword, Some(value)),
                None => (word, None),
            };
            let is_keyword = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
                && keyword
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let is_value = value.is_none_or(|value| {
                !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic() && b != b'=')
            });
            if is_keyword && is_value {
                Ok((keyword, value))
            } else {
                Err(arguments(format!("{} is not a parameter", quoted(word))))
            }
        })
        .collect()
}

/// The value of SIZE: 1 to 20 digits (RFC 1870 4). What is too large for the type is too large for
/// every limit, too.
fn size(value: Option<&str>) -> Result<u64, Reply> {
    value
        .filter(|value| value.len() <= 20 && value.bytes().all(|b| b.is_ascii_digit()))
        .map(|value| value.parse().unwrap_or(u64::MAX))
        .ok_or_else(|| arguments("SIZE is a number of octets, as in `SIZE=30000`"))
}

fn body(value: Option<&str>) -> Result<Body, Reply> {
    match value.map(str::to_ascii_uppercase).as_deref() {
        Some("7BIT") => Ok(Body::SevenBit),
        Some("8BITMIME") => Ok(Body::EightBitMime),
        _ => Err(arguments("BODY is `7BIT` or `8BITMIME`")),
    }
}

fn bad_path(error: PathError, status: &'static str) -> Reply {
    match error {
        PathError::Syntax(text) => Reply::new(501, status, text),
        PathError::NotAscii => Reply::new(
            553,
            "5.6.7",
            "the address has characters outside ASCII, and SMTPUTF8 is not offered",
        ),
    }
}

fn unknown_parameter(keyword: &str) -> Reply {
    Reply::new(
        555,
        "5.5.4",
        format!("the parameter {} is not offered here", quoted(keyword)),
    )
}

fn syntax(text: impl Into<String>) -> Reply {
    Reply::new(500, "5.5.2", text)
}

fn arguments(text: impl Into<String>) -> Reply {
    Reply::new(501, "5.5.4", text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(line: &str) -> String {
        match parse(line.as_bytes()) {
            Ok(command) => format!("{command:?}"),
            Err(reply) => {
                let mut wire = Vec::new();
                reply.write(&mut wire);
                String::from_utf8(wire).unwrap().trim_end().to_owned()
            }
        }
    }

    #[test]
    fn commands_are_known_in_any_case_and_with_spaces_at_the_end() {
        assert_eq!(
            said("ehlo mail.example.com  "),
            r#"Hello(Ehlo, "mail.example.com")"#
        );
        assert_eq!(said("HELO [127.0.0.1]"), r#"Hello(Helo, "[127.0.0.1]")"#);
        assert_eq!(said("Data"), "Data");
        assert_eq!(said("noop anything"), "Noop");
        assert_eq!(said("POST / HTTP/1.1"), "Http");
        assert_eq!(
            said("mail from:<a@b> size=20 body=8bitmime"),
            r#"Mail(Mail { return_path: "a@b", size: Some(20), body: Some(EightBitMime) })"#
        );
        assert_eq!(
            said("MAIL FROM:<>"),
            r#"Mail(Mail { return_path: "", size: None, body: None })"#
        );
        assert_eq!(said("RCPT TO:<\"a b\"@c>"), r#"Recipient("\"a b\"@c")"#);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("", "500 5.5.2 a command is missing"),
            ("HALLO x", "500 5.5.2 `HALLO` is not a command"),
            (
                "NOOP\t",
                "500 5.5.2 a command cannot have control characters",
            ),
            ("AUTH PLAIN eA==", "502 5.5.1 `AUTH` is not offered here"),
            (
                "EHLO",
                "501 5.5.4 say hello with your host name or address literal",
            ),
            (
                "EHLO a b",
                "501 5.5.4 `a b` is not a host name or an address literal",
            ),
            ("DATA x", "501 5.5.4 DATA takes no argument"),
            ("VRFY", "501 5.5.4 VRFY needs a name or an address"),
            (
                "MAIL <a@b>",
                "501 5.5.4 write `MAIL FROM:<press@example.com>`",
            ),
            ("RCPT", "501 5.5.4 write `RCPT TO:<reader@example.com>`"),
            (
                "MAIL FROM:<a@b>SIZE=1",
                "501 5.5.4 a space is missing after the address",
            ),
            ("MAIL FROM:<a>", "501 5.1.7 the address has no `@domain`"),
            ("RCPT TO:<a>", "501 5.1.3 the address has no `@domain`"),
            (
                "RCPT TO:<a@é>",
                "553 5.6.7 the address has characters outside ASCII, and SMTPUTF8 is not offered",
            ),
            (
                "MAIL FROM:<a@b> SMTPUTF8",
                "555 5.5.4 the parameter `SMTPUTF8` is not offered here",
            ),
            (
                "RCPT TO:<a@b> NOTIFY=NEVER",
                "555 5.5.4 the parameter `NOTIFY` is not offered here",
            ),
            (
                "MAIL FROM:<a@b> SIZE=1 size=2",
                "501 5.5.4 the parameter `size` is given twice",
            ),
            (
                "MAIL FROM:<a@b> SIZE=-1",
                "501 5.5.4 SIZE is a number of octets, as in `SIZE=30000`",
            ),
            (
                "MAIL FROM:<a@b> SIZE",
                "501 5.5.4 SIZE is a number of octets, as in `SIZE=30000`",
            ),
            (
                "MAIL FROM:<a@b> BODY=BINARYMIME",
                "501 5.5.4 BODY is `7BIT` or `8BITMIME`",
            ),
            ("MAIL FROM:<a@b> =x", "501 5.5.4 `=x` is not a parameter"),
        ];
        for (line, expected) in cases {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn a_size_beyond_every_number_is_the_largest_one() {
        let line = format!("MAIL FROM:<> SIZE={}", "9".repeat(21));
        assert_eq!(
            said(&line),
            "501 5.5.4 SIZE is a number of octets, as in `SIZE=30000`"
        );
        let line = format!("MAIL FROM:<> SIZE={}", "9".repeat(20));
        assert!(said(&line).contains(&format!("size: Some({})", u64::MAX)));
    }

    proptest! {
        #[test]
        fn any_line_is_judged_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&line);
            let _ = parse(&[b"MAIL FROM:<", line.as_slice()].concat());
            let _ = parse(&[b"RCPT TO:<a@b> ", line.as_slice()].concat());
        }
    }
}
