//! The keys of `[dkim]`: read once, when the first mail is to be made.

use std::path::Path;

use super::Project;
use crate::{
    error::{Error, Kind, Result},
    finding::Finding,
    fs,
    mail::dkim::{Key, KeyKind, Signer, Signers},
};

/// Whether mail can be made without a key of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cmd) enum Keys {
    /// It really leaves, or is to be what would leave.
    Needed,
    /// It is to be looked at; that it is unsigned is told.
    Wanted,
}

impl Project {
    /// What mail is signed with: nothing without `[dkim]`. At a rehearsal nothing leaves, so no key is
    /// needed there.
    pub(in crate::cmd) fn signers(&self, keys: Keys) -> Result<Signers> {
        if let Some(known) = self.signers.get() {
            return Ok(known.clone());
        }
        let signers = match self.read_signers() {
            Ok(signers) => signers,
            Err(error) if self.rehearsal.is_none() && keys == Keys::Needed => return Err(error),
            Err(error) => {
                if self.rehearsal.is_none() {
                    let message = format!("this mail is unsigned: {}", error.message());
                    self.ui
                        .finding_in_brief(&Finding::warning("unsigned", message));
                }
                Signers::default()
            }
        };
        Ok(self.signers.get_or_init(|| signers).clone())
    }

    fn read_signers(&self) -> Result<Signers> {
        let Some(settings) = &self.settings.dkim else {
            return Ok(Signers::default());
        };
        let rsa = (
            "key_file",
            KeyKind::Rsa,
            Some(&settings.selector),
            Some(&settings.key_file),
        );
        let ed25519 = (
            "ed25519_key_file",
            KeyKind::Ed25519,
            settings.ed25519_selector.as_ref(),
            settings.ed25519_key_file.as_ref(),
        );
        let mut signers = Vec::new();
        let mut errors = Vec::new();
        for (setting, kind, selector, file) in [rsa, ed25519] {
            let (Some(selector), Some(file)) = (selector, file) else {
                continue;
            };
            let signer = self
                .key(setting, kind, file)
                .and_then(|key| Signer::new(&settings.domain, selector, key));
            match signer {
                Ok(signer) => signers.push(signer),
                Err(error) => errors.push(error),
            }
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(Signers::new(signers)),
        }
    }

    fn key(&self, setting: &str, kind: KeyKind, file: &str) -> Result<Key> {
        let path = self.path(file);
        let text = fs::read_text(&path).map_err(|error| {
            error
                .of_kind(Kind::Settings)
                .hint(format!("`dkim.{setting}` says that a key to sign with is in `{file}`; `docs/dkim.md` tells how to make one. Where the relay signs, take `[dkim]` out."))
        })?;
        if let Some(mode) = open_to_others(&path) {
            self.ui.finding_in_brief(&Finding::warning(
                "key-mode",
                format!("`{file}` is a private key and can be read by others (mode {mode:o}): run `chmod 600 {file}`"),
            ));
        }
        Key::from_pem(&text, kind).map_err(|error| {
            let message = format!("`{file}` cannot sign: {}", error.message());
            let hints = error.hints().to_vec();
            let error = Error::new(Kind::Settings, message);
            hints
                .into_iter()
                .fold(error, |error, hint| error.hint(hint.replace("FILE", file)))
        })
    }
}

/// The mode of a file that others than its owner can read.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = fs::open(path).ok()?;
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}
