//! Freezing: all mails of a campaign come from one content and one audience, whatever is edited later.
//!
//! A bundle of named files is written to a folder of its own, with a manifest of their hashes, and
//! takes its name in one step. A campaign whose content or audience is changed on purpose gets another
//! bundle, the next generation; the ledger says which one counts. What the files mean is the caller's
//! business.

mod freezing;
mod lines;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256, digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Kind, Result},
    fs,
};

pub use freezing::{Freezing, Stream};
pub use lines::Lines;

const MANIFEST: &str = "manifest.json";

/// A frozen bundle on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    folder: PathBuf,
    manifest: Manifest,
}

/// What a bundle holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    campaign: String,
    #[serde(default, skip_serializing_if = "is_first")]
    generation: u32,
    /// SHA-256 of the names and hashes below.
    hash: String,
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bytes: u64,
    sha256: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_first(generation: &u32) -> bool {
    *generation == 0
}

/// Opens a generation of a campaign; `None` when there is none.
///
/// # Errors
/// [`Kind::Unavailable`] when its manifest is damaged.
pub fn open(campaigns: &Path, id: &str, generation: u32) -> Result<Option<Frozen>> {
    let folder = campaigns.join(folder_name(id, generation));
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let manifest: Manifest = serde_json::from_slice(&fs::read(&path)?)
        .map_err(|cause| damaged(&path).because(&cause))?;
    let named = (manifest.campaign.as_str(), manifest.generation);
    if manifest.version != 1
        || named != (id, generation)
        || manifest.hash != hash_of(&manifest.files)
    {
        return Err(damaged(&path));
    }
    Ok(Some(Frozen { folder, manifest }))
}

impl Frozen {
    /// The hash of the whole: SHA-256, in hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.manifest.hash
    }

    /// The hash of one file.
    #[must_use]
    pub fn hash_of(&self, name: &str) -> Option<&str> {
        self.manifest
            .files
            .get(name)
            .map(|file| file.sha256.as_str())
    }

    /// The folder it is in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of the bundle, as it was frozen.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it is not what was frozen.
    pub fn file(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        let Some(file) = self.manifest.files.get(name) else {
            return Err(Error::bug(format!("`{name}` was not frozen")));
        };
        let content = fs::read(&path).map_err(|error| error.of_kind(Kind::Unavailable))?;
        if sha256(&content) != file.sha256 {
            return Err(damaged(&path));
        }
        Ok(content)
    }

    /// The lines of a file, after all of it was read once, to see that it is as it was frozen.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when it is not what was frozen.
    pub fn lines(&self, name: &str) -> Result<Lines> {
        let path = self.folder.join(name);
        let mut counter = lines::Counter::default();
        let mut hash = Context::new(&SHA256);
        let read = fs::read_pieces(&path, |piece| {
            hash.update(piece);
            counter.piece(piece);
        });
        read.map_err(|error| error.of_kind(Kind::Unavailable))?;
        if self.hash_of(name) != Some(HEXLOWER.encode(hash.finish().as_ref()).as_str()) {
            return Err(damaged(&path));
        }
        Ok(counter.lines(fs::Pages::open(&path)?))
    }
}

/// The SHA-256 of a text or a file, in hexadecimal digits.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, content).as_ref())
}

fn hash_of(files: &BTreeMap<String, File>) -> String {
    let mut text = String::new();
    for (name, file) in files {
        // Names hold no blank and no line end, so that no two bundles read the same.
        let _ = writeln!(text, "{} {} {name}", file.sha256, file.bytes);
    }
    sha256(text.as_bytes())
}

/// A name for a folder that is safe on every file system and different for every id and generation.
fn folder_name(id: &str, generation: u32) -> String {
    let mut name = String::new();
    for (at, byte) in id.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'@' | b'#' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            // Capitals, too: there are file systems that do not tell them from small letters.
            _ => {
                let _ = write!(name, "%{byte:02x}");
            }
        }
    }
    if generation > 0 {
        let _ = write!(name, "+{generation}");
    }
    name
}

fn damaged(path: &Path) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("`{}` is not what was frozen", path.display()),
    )
    .hint("Restore the file from a backup; a campaign is never sent from two contents.")
}

#[cfg(test)]
mod tests;
