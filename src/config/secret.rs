//! Secrets, fetched at the last moment from the environment, a file or a command.

use std::{path::Path, process::Command};

use super::RelaySettings;
use crate::{
    error::{Error, Kind, Result},
    fs,
};

/// A secret; it has no way to be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The password of a relay, from wherever the settings say it is; `None` when they say nothing.
/// Paths are relative to `folder`.
pub fn password(
    relay: &RelaySettings,
    folder: &Path,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Option<Password>> {
    let sources = [
        &relay.password_env,
        &relay.password_file,
        &relay.password_command,
    ];
    if sources.iter().filter(|source| source.is_some()).count() > 1 {
        return Err(wrong(
            "more than one of `password_env`, `password_file` and `password_command` is set",
        )
        .hint("Keep the one that holds the password."));
    }
    let secret = if let Some(name) = &relay.password_env {
        environment(name).ok_or_else(|| {
            wrong(format!("the environment variable `{name}` is not set")).hint(format!(
                "`relay.password_env` says that it holds the relay's password: `export {name}=…`."
            ))
        })?
    } else if let Some(path) = &relay.password_file {
        let path = folder.join(path);
        private(&path)?;
        fs::read_text(&path).map_err(|error| error.of_kind(Kind::Settings))?
    } else if let Some(command) = &relay.password_command {
        run(command, folder)?
    } else {
        return Ok(None);
    };
    let secret = secret.lines().next().unwrap_or_default().to_owned();
    if secret.is_empty() {
        return Err(wrong("the relay's password is empty"));
    }
    Ok(Some(Password(secret)))
}

/// A file that holds a secret must be the owner's alone.
#[cfg(unix)]
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = fs::open(path).map_err(|error| error.of_kind(Kind::Settings))?;
    let mode = file
        .metadata()
        .map_err(|cause| fs::cannot("read", path, &cause))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(wrong(format!(
        "`{}` holds a secret and can be read by others (mode {:o})",
        path.display(),
        mode & 0o777
    ))
    .hint(format!("Run `chmod 600 {}`.", path.display())))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<()> {
    Ok(())
}

/// The first line that a command of the user's prints. What it says on stderr is the user's to see.
fn run(command: &str, folder: &Path) -> Result<String> {
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|cause| wrong("cannot run `relay.password_command`").because(&cause))?;
    if !output.status.success() {
        return Err(wrong(format!(
            "`relay.password_command` failed ({})",
            output.status
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| wrong("what `relay.password_command` printed is not UTF-8 text"))
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Settings, message)
}
