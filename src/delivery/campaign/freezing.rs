//! A bundle on its way: its files are hashed and counted while they are written, and all of them take
//! their place in one step.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::{File, Frozen, MANIFEST, Manifest, folder_name, hash_of};
use crate::{
    error::{Error, Result},
    fs::{self, Access, NewFile},
};

/// A bundle that is being written. Until it is finished nobody sees it, and when it never is, nothing
/// is left of it.
#[derive(Debug)]
pub struct Freezing {
    campaigns: PathBuf,
    campaign: String,
    generation: u32,
    fresh: PathBuf,
    files: BTreeMap<String, File>,
}

/// A file of a bundle that is written piece by piece.
pub struct Stream<'a> {
    freezing: &'a mut Freezing,
    name: String,
    file: NewFile,
    hash: Context,
    bytes: u64,
}

impl Freezing {
    /// Begins a generation of a campaign under `campaigns`. When it is finished, it replaces what an
    /// earlier run left there: whether that is right (nothing was sent from it) is for the caller to
    /// know.
    ///
    /// # Errors
    /// When what a crash left cannot be removed.
    pub fn begin(campaigns: &Path, campaign: &str, generation: u32) -> Result<Self> {
        let name = folder_name(campaign, generation);
        let fresh = campaigns.join(format!(".{name}.new"));
        fs::remove_folder(&fresh)?;
        Ok(Self {
            campaigns: campaigns.to_owned(),
            campaign: campaign.to_owned(),
            generation,
            fresh,
            files: BTreeMap::new(),
        })
    }

    /// Adds a whole file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<()> {
        let mut file = self.stream(name)?;
        file.write(content)?;
        file.finish().map(drop)
    }

    /// Begins a file that is written piece by piece.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn stream(&mut self, name: &str) -> Result<Stream<'_>> {
        let plain = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !plain || name.is_empty() || name.starts_with('.') || name == MANIFEST {
            return Err(Error::bug(format!(
                "`{name}` cannot be frozen under that name"
            )));
        }
        if self.files.contains_key(name) {
            return Err(Error::bug(format!("`{name}` was to be frozen twice")));
        }
        let file = NewFile::create(&self.fresh.join(name), Access::Private)?;
        Ok(Stream {
            name: name.to_owned(),
            file,
            hash: Context::new(&SHA256),
            bytes: 0,
            freezing: self,
        })
    }

    /// Gives the bundle its place, in one step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<Frozen> {
        let files = std::mem::take(&mut self.files);
        let manifest = Manifest {
            version: 1,
            campaign: self.campaign.clone(),
            generation: self.generation,
            hash: hash_of(&files),
            files,
        };
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|cause| Error::bug("cannot write a manifest").because(&cause))?;
        fs::write(&self.fresh.join(MANIFEST), &text, Access::Private)?;
        let name = folder_name(&self.campaign, self.generation);
        let folder = self.campaigns.join(&name);
        let stale = self.campaigns.join(format!(".{name}.old"));
        // A folder cannot take the place of one that is not empty.
        fs::remove_folder(&stale)?;
        if folder.exists() {
            fs::rename(&folder, &stale)?;
        }
        fs::rename(&self.fresh, &folder)?;
        fs::remove_folder(&stale)?;
        Ok(Frozen { folder, manifest })
    }
}

impl Drop for Freezing {
    fn drop(&mut self) {
        // Best effort: the next one that begins here removes it, too.
        let _ = fs::remove_folder(&self.fresh);
    }
}

impl Stream<'_> {
    /// Adds to its end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write(piece)
    }

    /// Ends the file, and says its hash.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> Result<String> {
        self.file.finish()?;
        let sha256 = HEXLOWER.encode(self.hash.finish().as_ref());
        let file = File {
            bytes: self.bytes,
            sha256: sha256.clone(),
        };
        self.freezing.files.insert(self.name, file);
        Ok(sha256)
    }
}
