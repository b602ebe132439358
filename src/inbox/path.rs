//! Reverse and forward paths: `<local@domain>` (RFC 5321 4.1.2). Pure syntax, told in good words.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::reply::quoted;

/// The longest local part, in octets (RFC 5321 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// The longest domain, in octets (RFC 5321 4.5.3.1.2).
const LONGEST_DOMAIN: usize = 255;
/// The longest path with its angle brackets, in octets (RFC 5321 4.5.3.1.3).
const LONGEST_PATH: usize = 256;

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathError {
    /// It breaks the grammar; the text says how.
    Syntax(String),
    /// It has characters outside ASCII, for which SMTPUTF8 would be needed.
    NotAscii,
}

type Parsed<'a> = Result<(&'a str, &'a str), PathError>;

/// The path of MAIL: what stands between the angle brackets, empty for the null path, and what
/// follows it.
pub(super) fn reverse(text: &str) -> Parsed<'_> {
    match text.strip_prefix("<>") {
        Some(rest) => Ok(("", rest)),
        None => mailbox(text),
    }
}

/// The path of RCPT: what stands between the angle brackets, and what follows it. The one mailbox
/// without a domain that a server has to know is `postmaster` (RFC 5321 4.1.1.3).
pub(super) fn forward(text: &str) -> Parsed<'_> {
    const POSTMASTER: &str = "<postmaster>";
    if text.starts_with("<>") {
        return wrong("a recipient cannot be empty");
    }
    match text.split_at_checked(POSTMASTER.len()) {
        Some((path, rest)) if path.eq_ignore_ascii_case(POSTMASTER) => {
            Ok((path.trim_matches(['<', '>']), rest))
        }
        _ => mailbox(text),
    }
}

fn mailbox(text: &str) -> Parsed<'_> {
    let Some(inside) = text.strip_prefix('<') else {
        return match text.trim_start().starts_with('<') {
            true => wrong("no space may stand between the colon and `<`"),
            false => wrong("an address stands in angle brackets, as in `<reader@example.com>`"),
        };
    };
    if inside.starts_with('@') {
        return wrong("source routes are not accepted; give the mailbox alone");
    }
    let (local, rest) = match inside.strip_prefix('"') {
        Some(_) => quoted_local(inside)?,
        None => dotted_local(inside)?,
    };
    if local.len() > LONGEST_LOCAL {
        return wrong(format!(
            "the local part has {} octets; {LONGEST_LOCAL} are the most",
            local.len()
        ));
    }
    let Some(after_at) = rest.strip_prefix('@') else {
        return match rest.chars().next() {
            None | Some('>') => wrong("the address has no `@domain`"),
            Some(other) => unfit(other, "a local part without quotes"),
        };
    };
    let (domain, rest) = match after_at.strip_prefix('[') {
        Some(_) => literal(after_at)?,
        None => name(after_at)?,
    };
    let Some(rest) = rest.strip_prefix('>') else {
        return match rest.chars().next() {
            None => wrong("the closing `>` is missing"),
            Some(other) => unfit(other, "a domain"),
        };
    };
    let mailbox = inside
        .get(..local.len() + 1 + domain.len())
        .unwrap_or_default();
    if mailbox.len() + 2 > LONGEST_PATH {
        return wrong(format!(
            "the path has {} octets; {LONGEST_PATH} are the most",
            mailbox.len() + 2
        ));
    }
    Ok((mailbox, rest))
}

/// `Dot-string`: atoms with single dots between them.
fn dotted_local(text: &str) -> Parsed<'_> {
    let (local, rest) = split_where(text, |c| !(is_atext(c) || c == '.'));
    if local.is_empty() && !rest.starts_with('@') {
        return Ok((local, rest));
    }
    if local.is_empty() {
        return wrong("the local part is empty");
    }
    if local.split('.').any(str::is_empty) {
        return wrong("a dot in a local part without quotes stands between two other characters");
    }
    Ok((local, rest))
}

/// `Quoted-string`, with its quotes.
fn quoted_local(text: &str) -> Parsed<'_> {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        let inside = match character {
            '"' => return Ok(text.split_at(at + 1)),
            '\\' => characters.next().map(|(_, escaped)| escaped),
            other => Some(other),
        };
        match inside {
            None => break,
            Some(' '..='~') => {}
            Some(other) => return unfit(other, "a quoted local part"),
        }
    }
    wrong("the quoted local part has no closing quote")
}

/// A domain of letters, digits, hyphens and dots.
fn name(text: &str) -> Parsed<'_> {
    let (domain, rest) = split_where(text, |c| {
        !(c.is_ascii_alphanumeric() || c == '-' || c == '.')
    });
    if let Some(other) = rest.chars().next().filter(|c| *c != '>') {
        return unfit(other, "a domain");
    }
    if domain.is_empty() {
        return wrong("the domain is empty");
    }
    if domain.len() > LONGEST_DOMAIN {
        return wrong(format!(
            "the domain has {} octets; {LONGEST_DOMAIN} are the most",
            domain.len()
        ));
    }
    for label in domain.split('.') {
        if label.is_empty() {
            return wrong("a dot in a domain stands between two labels");
        }
        if label.len() > 63 {
            return wrong(format!(
                "the label {} of the domain is longer than 63 octets",
                quoted(label)
            ));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return wrong(format!(
                "the label {} of the domain begins or ends with a hyphen",
                quoted(label)
            ));
        }
    }
    Ok((domain, rest))
}

/// `[192.0.2.1]` or `[IPv6:2001:db8::1]`, with the brackets.
fn literal(text: &str) -> Parsed<'_> {
    let Some(end) = text.find(']') else {
        return wrong("the closing `]` of the address literal is missing");
    };
    let (literal, rest) = text.split_at(end + 1);
    let address = literal.trim_matches(['[', ']']);
    let is_good = match address.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("ipv6:") => {
            address.parse::<Ipv6Addr>().is_ok()
        }
        _ => address.parse::<Ipv4Addr>().is_ok(),
    };
    if is_good {
        Ok((literal, rest))
    } else {
        wrong(format!(
            "{} is not an address literal, as in `[192.0.2.1]` or `[IPv6:2001:db8::1]`",
            quoted(literal)
        ))
    }
}

fn split_where(text: &str, is_end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn unfit<T>(character: char, place: &str) -> Result<T, PathError> {
    if character.is_ascii() {
        let mut text = [0; 4];
        let text = character.encode_utf8(&mut text);
        wrong(format!("{} cannot stand in {place}", quoted(text)))
    } else {
        Err(PathError::NotAscii)
    }
}

fn wrong<T>(text: impl Into<String>) -> Result<T, PathError> {
    Err(PathError::Syntax(text.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(path: Parsed<'_>) -> String {
        match path {
            Ok((mailbox, rest)) => format!("{mailbox}|{rest}"),
            Err(PathError::Syntax(text)) => text,
            Err(PathError::NotAscii) => "not ASCII".to_owned(),
        }
    }

    #[test]
    fn what_the_grammar_allows_is_taken_as_written() {
        for path in [
            "a@b",
            "First.Last+tag@Example.COM",
            "!#$%&'*+-/=?^_`{|}~@x-1.example",
            r#""a b"@example.com"#,
            r#""<>@\"\\,"@example.com"#,
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
        ] {
            assert_eq!(said(reverse(&format!("<{path}>"))), format!("{path}|"));
            assert_eq!(
                said(forward(&format!("<{path}> SIZE=1"))),
                format!("{path}| SIZE=1")
            );
        }
        assert_eq!(said(reverse("<> BODY=7BIT")), "| BODY=7BIT");
        assert_eq!(said(forward("<PostMaster>")), "PostMaster|");
    }

    #[test]
    fn what_it_forbids_is_said() {
        let long = "x".repeat(65);
        let cases = [
            (
                "a@b",
                "an address stands in angle brackets, as in `<reader@example.com>`",
            ),
            (" <a@b>", "no space may stand between the colon and `<`"),
            (
                "<@relay:a@b>",
                "source routes are not accepted; give the mailbox alone",
            ),
            ("<a>", "the address has no `@domain`"),
            ("<a", "the address has no `@domain`"),
            ("<", "the address has no `@domain`"),
            ("<postmaster", "the address has no `@domain`"),
            ("<a b@c>", "` ` cannot stand in a local part without quotes"),
            (
                ".a@b",
                "an address stands in angle brackets, as in `<reader@example.com>`",
            ),
            (
                "<a..b@c>",
                "a dot in a local part without quotes stands between two other characters",
            ),
            (
                "<a.@c>",
                "a dot in a local part without quotes stands between two other characters",
            ),
            ("<\"a@c>", "the quoted local part has no closing quote"),
            ("<\"a\\", "the quoted local part has no closing quote"),
            ("<é@c>", "not ASCII"),
            ("<\"é\"@c>", "not ASCII"),
            ("<a@bücher.example>", "not ASCII"),
            ("<a@>", "the domain is empty"),
            ("<a@b", "the closing `>` is missing"),
            ("<a@b c>", "` ` cannot stand in a domain"),
            ("<a@b_c>", "`_` cannot stand in a domain"),
            ("<a@b@c>", "`@` cannot stand in a domain"),
            ("<a@b.>", "a dot in a domain stands between two labels"),
            (
                "<a@-b.c>",
                "the label `-b` of the domain begins or ends with a hyphen",
            ),
            (
                "<a@[192.0.2]>",
                "`[192.0.2]` is not an address literal, as in `[192.0.2.1]` or `[IPv6:2001:db8::1]`",
            ),
            (
                "<a@[1.2.3.4>",
                "the closing `]` of the address literal is missing",
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(said(forward(path)), expected, "{path}");
        }
        assert_eq!(said(forward("<>")), "a recipient cannot be empty");
        assert_eq!(
            said(forward("<@b>")),
            "source routes are not accepted; give the mailbox alone"
        );
        assert_eq!(
            said(reverse(&format!("<{long}@b>"))),
            "the local part has 65 octets; 64 are the most"
        );
        let label = "y".repeat(63);
        let domain = format!("{label}.{label}.{label}");
        assert_eq!(
            said(reverse(&format!("<a@{domain}>"))),
            format!("a@{domain}|")
        );
        assert_eq!(
            said(reverse(&format!("<a@{label}y.example>"))),
            format!(
                "the label `{}...` of the domain is longer than 63 octets",
                "y".repeat(60)
            )
        );
        assert_eq!(
            said(reverse(&format!("<a@{domain}.{label}.y>"))),
            "the domain has 257 octets; 255 are the most"
        );
        assert_eq!(
            said(reverse(&format!("<a@{domain}.{}>", "y".repeat(62)))),
            "the path has 258 octets; 256 are the most"
        );
        assert_eq!(
            said(reverse(&format!("<{}@{domain}>", "x".repeat(64)))),
            "the path has 258 octets; 256 are the most"
        );
    }

    proptest! {
        #[test]
        fn anything_is_judged_without_a_panic(text in "\\PC{0,40}") {
            let _ = reverse(&text);
            let _ = forward(&text);
            let _ = forward(&format!("<{text}"));
            let _ = forward(&format!("<\"{text}"));
            let _ = forward(&format!("<a@[{text}"));
        }
    }
}
