//! Freezing: all mails of a campaign come from one content and one audience, whatever is edited later.
//!
//! A bundle of named files is written to a folder of its own, with a manifest of their hashes, and
//! takes its name in one step. What the files mean is the caller's business.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Kind, Result},
    fs::{self, Access},
};

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

/// Freezes a bundle for a campaign under `campaigns`, all or nothing. What an earlier run left there
/// is replaced: whether that is right (nothing was sent from it) is for the caller to know.
///
/// # Errors
/// [`Kind::Io`] or [`Kind::CannotCreate`] when it cannot be written.
pub fn freeze(campaigns: &Path, id: &str, files: &[(&str, &[u8])]) -> Result<Frozen> {
    let mut entries = BTreeMap::new();
    for (name, content) in files {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !plain || name.is_empty() || name.starts_with('.') || *name == MANIFEST {
            return Err(Error::bug(format!(
                "`{name}` cannot be frozen under that name"
            )));
        }
        let file = File {
            bytes: content.len() as u64,
            sha256: sha256(content),
        };
        if entries.insert((*name).to_owned(), file).is_some() {
            return Err(Error::bug(format!("`{name}` was to be frozen twice")));
        }
    }
    let manifest = Manifest {
        version: 1,
        campaign: id.to_owned(),
        hash: hash_of(&entries),
        files: entries,
    };
    let name = folder_name(id);
    let folder = campaigns.join(&name);
    let fresh = campaigns.join(format!(".{name}.new"));
    let stale = campaigns.join(format!(".{name}.old"));
    fs::remove_folder(&fresh)?;
    for (name, content) in files {
        fs::write(&fresh.join(name), content, Access::Private)?;
    }
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|cause| Error::bug("cannot write a manifest").because(&cause))?;
    fs::write(&fresh.join(MANIFEST), &text, Access::Private)?;
    // A folder cannot take the place of one that is not empty.
    fs::remove_folder(&stale)?;
    if folder.exists() {
        fs::rename(&folder, &stale)?;
    }
    fs::rename(&fresh, &folder)?;
    fs::remove_folder(&stale)?;
    Ok(Frozen { folder, manifest })
}

/// Opens the bundle of a campaign; `None` when there is none.
///
/// # Errors
/// [`Kind::Unavailable`] when its manifest is damaged.
pub fn open(campaigns: &Path, id: &str) -> Result<Option<Frozen>> {
    let folder = campaigns.join(folder_name(id));
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let manifest: Manifest = serde_json::from_slice(&fs::read(&path)?)
        .map_err(|cause| damaged(&path).because(&cause))?;
    if manifest.version != 1 || manifest.campaign != id || manifest.hash != hash_of(&manifest.files)
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

    /// Reads every file once, to see that all are as they were frozen; says all that are not.
    pub fn verify(&self) -> Result<()> {
        let errors = self
            .manifest
            .files
            .keys()
            .filter_map(|name| self.file(name).err());
        Error::all(errors).map_or(Ok(()), Err)
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

/// A name for a folder that is safe on every file system and different for every id.
fn folder_name(id: &str) -> String {
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
mod tests {
    use super::*;

    const FILES: [(&str, &[u8]); 2] = [("edition.json", b"{}"), ("audience.jsonl", b"one\ntwo\n")];

    #[test]
    fn what_is_frozen_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(open(folder.path(), "welcome@all").unwrap(), None);
        let frozen = freeze(folder.path(), "welcome@all", &FILES).unwrap();
        let again = open(folder.path(), "welcome@all").unwrap().unwrap();
        assert_eq!(again, frozen);
        assert_eq!(again.file("audience.jsonl").unwrap(), b"one\ntwo\n");
        assert_eq!(again.hash_of("edition.json"), Some(sha256(b"{}").as_str()));
        assert_eq!(again.hash().len(), 64);
        again.verify().unwrap();
        assert_eq!(
            fs::list(folder.path()).unwrap(),
            [folder.path().join("welcome@all")]
        );
        assert_eq!(open(folder.path(), "welcome@all#sandbox").unwrap(), None);
    }

    #[test]
    fn the_hash_is_that_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let one = freeze(folder.path(), "a@all", &FILES).unwrap();
        let same = freeze(folder.path(), "b@all", &[FILES[1], FILES[0]]).unwrap();
        let other = freeze(
            folder.path(),
            "c@all",
            &[FILES[0], ("audience.jsonl", b"one\n")],
        )
        .unwrap();
        assert_eq!(one.hash(), same.hash());
        assert_ne!(one.hash(), other.hash());
    }

    #[test]
    fn freezing_anew_replaces_what_a_crash_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            &folder.path().join(".a@all.new/edition.json"),
            b"half",
            Access::Private,
        )
        .unwrap();
        fs::write(
            &folder.path().join(".a@all.old/left.json"),
            b"old",
            Access::Private,
        )
        .unwrap();
        fs::write(
            &folder.path().join("a@all/orphan.json"),
            b"old",
            Access::Private,
        )
        .unwrap();
        assert_eq!(open(folder.path(), "a@all").unwrap(), None);
        let frozen = freeze(folder.path(), "a@all", &FILES).unwrap();
        frozen.verify().unwrap();
        assert_eq!(
            fs::list(folder.path()).unwrap(),
            [folder.path().join("a@all")]
        );
        assert_eq!(fs::list(frozen.folder()).unwrap().len(), 3);
    }

    #[test]
    fn what_was_changed_since_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let frozen = freeze(folder.path(), "a@all", &FILES).unwrap();
        fs::write(
            &frozen.folder().join("edition.json"),
            b"{ }",
            Access::Private,
        )
        .unwrap();
        std::fs::remove_file(frozen.folder().join("audience.jsonl")).unwrap();
        let error = frozen.verify().unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.others().len(), 1);
        let manifest = frozen.folder().join(MANIFEST);
        let text = fs::read_text(&manifest)
            .unwrap()
            .replace("\"bytes\": 2", "\"bytes\": 3");
        fs::write(&manifest, text.as_bytes(), Access::Private).unwrap();
        assert_eq!(
            open(folder.path(), "a@all").unwrap_err().kind(),
            Kind::Unavailable
        );
    }

    #[test]
    fn folders_have_safe_names() {
        for (id, name) in [
            ("welcome@all#sandbox", "welcome@all#sandbox"),
            ("../../etc", "%2e.%2f..%2fetc"),
            (
                "Weekly@all@2026-11-23T08:00Z",
                "%57eekly@all@2026-11-23%5408%3a00%5a",
            ),
            ("é", "%c3%a9"),
        ] {
            assert_eq!(folder_name(id), name);
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../a", ".a", "a/b", "manifest.json", "a b"] {
            let error = freeze(folder.path(), "a", &[(name, b"")]).unwrap_err();
            assert_eq!(error.kind(), Kind::Bug, "{name}");
        }
        assert_eq!(
            freeze(folder.path(), "a", &[FILES[0], FILES[0]])
                .unwrap_err()
                .kind(),
            Kind::Bug
        );
    }
}
