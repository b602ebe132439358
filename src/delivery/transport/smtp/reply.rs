//! Replies, as lettre read them while the session was opened and as we read them ourselves after that.

use lettre::transport::smtp::{self, response::Response};

use crate::delivery::{
    outcome::{Asked, Reply, Trouble, Verdict, judge, lost},
    stream::Line,
    transport::Exchange,
};

/// What a relay says that it can do (RFC 5321 4.1.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// The largest message (RFC 1870).
    pub(super) size: Option<u64>,
    pub(super) has_size: bool,
    pub(super) smtputf8: bool,
    /// Several commands may be sent at once (RFC 2920).
    pub(super) pipelining: bool,
    pub(super) plain: bool,
    pub(super) login: bool,
}

impl Offer {
    pub(super) fn read(response: &Response) -> Self {
        let mut offer = Self::default();
        for line in response.message().skip(1) {
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("SIZE") => {
                    offer.has_size = true;
                    // 0 means that there is no fixed limit.
                    offer.size = words
                        .next()
                        .and_then(|size| size.parse().ok())
                        .filter(|size| *size > 0);
                }
                Some("SMTPUTF8") => offer.smtputf8 = true,
                Some("PIPELINING") => offer.pipelining = true,
                Some("AUTH") => {
                    for word in words {
                        offer.plain |= word == "PLAIN";
                        offer.login |= word == "LOGIN";
                    }
                }
                _ => {}
            }
        }
        offer
    }
}

/// The reply, or why there was none that could be read.
pub(super) fn reply(
    said: Result<Response, smtp::Error>,
) -> Result<(Reply, Option<Response>), String> {
    match said {
        Ok(response) => {
            let lines: Vec<&str> = response.message().collect();
            let reply = Reply {
                code: response.code().into(),
                text: lines.join(" "),
            };
            Ok((reply, Some(response)))
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            match error.status() {
                Some(code) => {
                    let text = source.unwrap_or_default();
                    let reply = Reply {
                        code: code.into(),
                        text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                    };
                    Ok((reply, None))
                }
                None if error.is_response() => Err("the relay's answer cannot be read".to_owned()),
                None => Err(source.unwrap_or_else(|| error.to_string())),
            }
        }
    }
}

/// Reads the next reply (RFC 5321 4.2), or says why there is none. The buffer is for its lines.
pub(super) async fn hear(line: &mut Line, buffer: &mut Vec<u8>) -> Result<Reply, String> {
    let mut reply: Option<Reply> = None;
    loop {
        line.read(buffer).await.map_err(|cause| cause.to_string())?;
        let Some((code, place, text)) = parse(buffer) else {
            return Err("the relay's answer cannot be read".to_owned());
        };
        let reply = match &mut reply {
            None => reply.insert(Reply {
                code,
                text: text.to_owned(),
            }),
            Some(known) if known.code == code => {
                let further = without_status(text, &known.text);
                known.text = format!("{} {further}", known.text);
                known
            }
            Some(_) => return Err("the relay's answer cannot be read".to_owned()),
        };
        if place == Place::Last {
            return Ok(std::mem::take(reply));
        }
    }
}

/// A further line of a reply, without the enhanced status code that each of them repeats (RFC 2034).
fn without_status<'a>(line: &'a str, first: &str) -> &'a str {
    let status = first.split(' ').next().unwrap_or_default();
    match line.strip_prefix(status) {
        Some(rest) if status.contains('.') => rest.trim_start(),
        _ => line,
    }
}

/// Whether another line follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Within,
    Last,
}

/// A line of a reply: its code, its place, its text.
fn parse(line: &[u8]) -> Option<(u16, Place, &str)> {
    let line = str::from_utf8(line).ok()?.trim_end();
    let (code, rest) = line.split_at_checked(3)?;
    let is_code = matches!(code.as_bytes(), [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9']);
    let code = is_code.then(|| code.parse().ok())??;
    match rest.as_bytes().first() {
        None => Some((code, Place::Last, "")),
        Some(b' ') => Some((code, Place::Last, rest[1..].trim())),
        Some(b'-') => Some((code, Place::Within, rest[1..].trim())),
        Some(_) => None,
    }
}

pub(super) fn session_trouble(said: Result<Response, smtp::Error>) -> Trouble {
    match reply(said) {
        Ok((reply, _)) => trouble(judge(Asked::Session, &reply)),
        Err(why) => trouble(lost(Asked::Session, why)),
    }
}

pub(super) fn trouble(verdict: Verdict) -> Trouble {
    match verdict {
        Verdict::Run(trouble) => trouble,
        // No row is concerned before a session stands.
        Verdict::Row(outcome) => Trouble::Relay(format!("{outcome:?}")),
    }
}

pub(super) fn exchange(verdict: Verdict) -> Exchange {
    match verdict {
        Verdict::Row(outcome) => Exchange::Settled(outcome),
        Verdict::Run(trouble) => Exchange::Trouble(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_read_line_by_line() {
        for (line, expected) in [
            ("250 2.0.0 ok\r\n", Some((250, Place::Last, "2.0.0 ok"))),
            ("250-one\r\n", Some((250, Place::Within, "one"))),
            ("354\r\n", Some((354, Place::Last, ""))),
            ("250-\r\n", Some((250, Place::Within, ""))),
            ("550  no \r\n", Some((550, Place::Last, "no"))),
            ("25\r\n", None),
            ("2500 ok\r\n", None),
            ("250_ok\r\n", None),
            ("150 ok\r\n", None),
            ("+50 ok\r\n", None),
            ("260 ok\r\n", None),
            ("\r\n", None),
            ("", None),
        ] {
            assert_eq!(parse(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn the_offer_is_read_from_ehlo() {
        let response: Response = "250-mail.example.com hello SIZE 1\r\n250-size 1000\r\n250-AUTH=LOGIN\r\n250-AUTH CRAM-MD5 plain\r\n250-SMTPUTF8X\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
            .parse()
            .unwrap();
        let expected = Offer {
            size: Some(1000),
            has_size: true,
            smtputf8: false,
            pipelining: true,
            plain: true,
            login: true,
        };
        assert_eq!(Offer::read(&response), expected);
        let response: Response = "250-x\r\n250-SIZE 0\r\n250 SMTPUTF8\r\n".parse().unwrap();
        let expected = Offer {
            has_size: true,
            smtputf8: true,
            ..Offer::default()
        };
        assert_eq!(Offer::read(&response), expected);
    }
}
