//! `newsletter.toml`: typed, closed, commented settings.
//!
//! A wrong key or value is named with file, line, column and the nearest right one. The environment
//! overrides a key as `LETTERPRESS_RELAY__URL`. Secrets are never in this file; where they are is, and
//! [`secret`] fetches them at the last moment. Known to `cmd` alone: every other room is given plain
//! values of its own.

mod check;
mod closed;
mod redact;
pub mod secret;
mod settings;

pub use settings::{
    DkimSettings, DomainSettings, ImageDelivery, Images, Ledger, ListSettings, Newsletter, Percent,
    RelaySettings, RelayUrl, Send, Settings, Sources, TemplateSettings, TemplateValidation,
    Unsubscribe, WarmupSettings,
};

use std::path::{Path, PathBuf};

use crate::{
    error::{Error, Kind, Result},
    fs,
    place::Text,
};

/// The file's name, which marks the folder of a newsletter.
pub const FILE: &str = "newsletter.toml";

/// What begins the name of an environment variable that overrides a key.
const PREFIX: &str = "LETTERPRESS_";

/// The folder of the newsletter: `start` or the nearest one above it that holds [`FILE`].
pub fn find(start: &Path) -> Result<PathBuf> {
    let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    if !start.is_dir() {
        // A folder above a misspelled one may well be another newsletter.
        return Err(Error::new(
            Kind::NoInput,
            format!("there is no folder `{}`", start.display()),
        ));
    }
    start
        .ancestors()
        .find(|folder| folder.join(FILE).is_file())
        .map(Path::to_owned)
        .ok_or_else(|| {
            Error::new(
                Kind::NoInput,
                format!("there is no `{FILE}` in `{}` or above it", start.display()),
            )
            .hint(
                "Run `letterpress init` to lay out a newsletter, or name its folder with `-C DIR`.",
            )
        })
}

/// Reads the settings of the newsletter in `folder`; `environment` can override them.
pub fn load(
    folder: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings> {
    let text = fs::read_text(&folder.join(FILE))?;
    parse(&text, environment)
}

fn parse(
    content: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Settings> {
    let shown = Text::new(FILE, redact::redact(content));
    let in_file = |cause: &toml::de::Error| closed::explain(cause, &shown).of_kind(Kind::Settings);
    let mut overrides: Vec<(String, String)> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__"))
        .collect();
    overrides.sort();
    let alone = toml::from_str::<Settings>(content);
    if overrides.is_empty() {
        return alone.map_err(|cause| in_file(&cause))?.checked(&shown);
    }
    let table: toml::Table = content.parse().map_err(|cause| in_file(&cause))?;
    match overridden(&table, &overrides)? {
        Ok(settings) => settings.checked(&shown),
        Err(cause) => match alone {
            Err(cause) => Err(in_file(&cause)),
            Ok(_) => Err(blame(&table, &overrides, &cause)),
        },
    }
}

fn overridden(
    table: &toml::Table,
    overrides: &[(String, String)],
) -> Result<Result<Settings, toml::de::Error>> {
    let mut table = table.clone();
    for (name, value) in overrides {
        set(&mut table, name, value)?;
    }
    Ok(settings::from_table(table))
}

/// The variable at fault is the one without which all is well. Its value may be a secret and is not
/// repeated.
fn blame(table: &toml::Table, overrides: &[(String, String)], cause: &toml::de::Error) -> Error {
    let culprit = (0..overrides.len()).find(|index| {
        let mut others = overrides.to_vec();
        others.remove(*index);
        matches!(overridden(table, &others), Ok(Ok(_)))
    });
    let names: Vec<String> = overrides
        .iter()
        .enumerate()
        .filter(|(index, _)| culprit.is_none_or(|culprit| culprit == *index))
        .map(|(_, (name, _))| format!("`{name}`"))
        .collect();
    let message = match names.as_slice() {
        [name] => format!("the environment variable {name} does not fit"),
        names => format!("the environment variables {} do not fit", names.join(", ")),
    };
    Error::new(Kind::Settings, message).because_of(redact::redact(cause.message()))
}

/// Sets `section.key` from `LETTERPRESS_SECTION__KEY`.
fn set(table: &mut toml::Table, name: &str, value: &str) -> Result<()> {
    let path: Vec<String> = name[PREFIX.len()..]
        .split("__")
        .map(str::to_lowercase)
        .collect();
    let Some((key, sections)) = path.split_last() else {
        return Ok(());
    };
    let mut section = table;
    for part in sections {
        section = section
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| {
                Error::new(
                    Kind::Settings,
                    format!("the environment variable `{name}` does not fit"),
                )
                .because_of(format!("`{part}` is not a section"))
            })?;
    }
    // A number, a truth value or a list is written as in the file; all else is text.
    let value = match format!("v = {value}").parse::<toml::Table>() {
        Ok(mut parsed) => match parsed.remove("v") {
            Some(
                parsed
                @ (toml::Value::Integer(_) | toml::Value::Boolean(_) | toml::Value::Array(_)),
            ) => parsed,
            _ => toml::Value::String(value.trim_matches('"').to_owned()),
        },
        Err(_) => toml::Value::String(value.to_owned()),
    };
    section.insert(key.clone(), value);
    Ok(())
}

#[cfg(test)]
mod tests;
