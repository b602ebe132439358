//! Replies of the server: a code, an enhanced status code and a text (RFC 5321 4.2, RFC 2034, RFC 3463).
//!
//! Nothing here decides which reply is right; that is the session's and the parser's business.

/// One reply, of one line or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    status: Option<&'static str>,
    lines: Vec<String>,
}

impl Reply {
    /// A reply with an enhanced status code, which each 2xx, 4xx and 5xx has but for the two below.
    pub(super) fn new(code: u16, status: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            status: Some(status),
            lines: vec![text.into()],
        }
    }

    /// A reply without an enhanced status code: the greeting, the answer to EHLO and HELO, and 354
    /// (RFC 2034 3).
    pub(super) fn bare(code: u16, lines: Vec<String>) -> Self {
        Self {
            code,
            status: None,
            lines,
        }
    }

    /// Whether the command was not understood, in itself or where it stood: what a client that has
    /// lost its way collects.
    pub(super) fn is_bad_command(&self) -> bool {
        matches!(self.code, 500..=504 | 555)
    }

    /// Appends the reply as it goes on the wire.
    pub(super) fn write(&self, wire: &mut Vec<u8>) {
        let last = self.lines.len().saturating_sub(1);
        for (number, text) in self.lines.iter().enumerate() {
            let separator = if number == last { ' ' } else { '-' };
            wire.extend_from_slice(format!("{}{separator}", self.code).as_bytes());
            if let Some(status) = self.status {
                wire.extend_from_slice(format!("{status} ").as_bytes());
            }
            wire.extend_from_slice(text.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
    }
}

/// What a client wrote, fit to be quoted in a reply: short, and of visible ASCII alone.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut quoted: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        quoted.push_str("...");
    }
    format!("`{quoted}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(reply: &Reply) -> String {
        let mut wire = Vec::new();
        reply.write(&mut wire);
        String::from_utf8(wire).unwrap()
    }

    #[test]
    fn a_reply_of_several_lines_marks_all_but_the_last() {
        let reply = Reply::bare(250, vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(wire(&reply), "250-a\r\n250-b\r\n250 c\r\n");
        assert_eq!(
            wire(&Reply::new(250, "2.1.0", "fine")),
            "250 2.1.0 fine\r\n"
        );
    }

    #[test]
    fn a_quotation_is_short_and_visible() {
        assert_eq!(quoted("a\u{1b}[é"), "`a?[?`");
        assert_eq!(quoted(&"x".repeat(100)).len(), 65);
    }
}
