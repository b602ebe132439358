//! Secrets do not reach the screen, even when they stand where they should not.

/// The same text, byte for byte as long, with what may be a secret starred out: the password in a
/// URL, and the value of a key whose name speaks of one.
pub(super) fn redact(content: &str) -> String {
    content
        .split_inclusive('\n')
        .map(|line| star_value(&star_userinfo(line)))
        .collect()
}

/// `smtps://user:******@host`.
fn star_userinfo(line: &str) -> String {
    let Some(authority) = line.find("://").map(|at| at + 3) else {
        return line.to_owned();
    };
    // Neither a slash nor a blank ends it: a password that was not percent-encoded may hold both.
    let end = line[authority..]
        .find(['"', '\'', '\n'])
        .map_or(line.len(), |at| authority + at);
    // A password may itself hold an `@`; the last one ends it.
    let Some(at) = line[authority..end].rfind('@').map(|at| authority + at) else {
        return line.to_owned();
    };
    match line[authority..at]
        .find(':')
        .map(|colon| authority + colon + 1)
    {
        Some(start) => stars(line, start, at),
        None => line.to_owned(),
    }
}

fn star_value(line: &str) -> String {
    let Some((key, _)) = line.split_once('=') else {
        return line.to_owned();
    };
    let name = key.trim().trim_matches('"').to_lowercase();
    let speaks = ["password", "passwd", "secret", "token", "api_key"]
        .iter()
        .any(|word| name.contains(word));
    let points = ["_env", "_file", "_command"]
        .iter()
        .any(|ending| name.ends_with(ending));
    if speaks && !points {
        let start = key.len() + 1;
        stars(line, start, line.trim_end().len().max(start))
    } else {
        line.to_owned()
    }
}

fn stars(line: &str, start: usize, end: usize) -> String {
    format!(
        "{}{}{}",
        &line[..start],
        "*".repeat(end - start),
        &line[end..]
    )
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn secrets_are_starred_and_nothing_moves() {
        for (from, to) in [
            (
                "url = \"smtps://me:p@ss@host:465\"\n",
                "url = \"smtps://me:****@host:465\"\n",
            ),
            (
                "url = \"smtps://me:p/w x@host/\"\n",
                "url = \"smtps://me:*****@host/\"\n",
            ),
            ("url = \"smtps://me@host\"\n", "url = \"smtps://me@host\"\n"),
            ("password = \"x y\"\n", "password =******\n"),
            (
                "password_env = \"SMTP_PASSWORD\"\n",
                "password_env = \"SMTP_PASSWORD\"\n",
            ),
            ("name = \"été\"", "name = \"été\""),
        ] {
            assert_eq!(redact(from), to);
            assert_eq!(from.len(), redact(from).len());
        }
    }
}
