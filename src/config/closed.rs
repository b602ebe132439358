//! Errors of a closed TOML file: the place, what was found, and the nearest right key.

use crate::{
    error::{Error, nearest},
    place::Text,
};

/// Says in our own words what the TOML reader found, at its place in `text`.
pub(super) fn explain(cause: &toml::de::Error, text: &Text) -> Error {
    let message = cause.message().trim();
    let error = match unknown(message) {
        Some((name, known)) => {
            let what = if message.starts_with("unknown variant") {
                "value"
            } else {
                "key"
            };
            let error = Error::data(format!("unknown {what} `{name}`"));
            match instead(name) {
                Some(hint) => error.hint(hint),
                None => match nearest(name, known.iter().copied()) {
                    Some(near) => error.hint(format!("Did you mean `{near}`?")),
                    None => error.hint(format!("Known here: {}.", known.join(", "))),
                },
            }
        }
        None => match missing(message) {
            Some("newsletter") => Error::data("there is no section `[newsletter]`")
                .hint("It needs `name`, `from` and `postal_address`."),
            Some(name) => Error::data(format!("`{name}` is missing"))
                .hint(format!("Add a line `{name} = \"…\"` to this section.")),
            None => Error::data(first_line(message)),
        },
    };
    match cause.span() {
        Some(range) => error.at(text.place(range)),
        None => error.at(text.place(0..0)),
    }
}

/// The key and what is known, out of the words with which serde refuses an unknown one:
/// ``unknown field `x`, expected one of `a`, `b` ``.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))?;
    let (name, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((name, known))
}

/// The key out of the words with which serde misses one: ``missing field `x` ``.
fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.split('`').next()
}

/// What to do instead of a key that many expect.
fn instead(name: &str) -> Option<&'static str> {
    match name {
        "password" => Some(
            "A password does not belong in this file: use `password_env`, `password_file` or `password_command`.",
        ),
        _ => None,
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}
