//! What lettre read, as our own values.

use lettre::transport::smtp::{self, response::Response};

use crate::delivery::{
    outcome::{Asked, Reply, Trouble, Verdict, judge, lost},
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
