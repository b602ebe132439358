//! Paths as a user writes them: relative to the newsletter's folder, and inside of it.

use std::path::{Component, Path, PathBuf};

use super::{Bounds, Root};
use crate::{
    error::{Error, Result, nearest},
    fs::{self, Entry},
};

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called: relative to the newsletter's folder where it lies in it, with `/`.
    pub name: String,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    File(Found),
    Folder,
    Nothing,
}

impl Root {
    /// Follows a path from the newsletter's folder. Fails when it leads out of it.
    pub(super) fn seek(&self, path: &str) -> Result<Sought> {
        let name = normalized(Path::new(path));
        let full = match &name {
            Some(name) => self.folder.join(name),
            None => self.folder.join(path),
        };
        let real_root = fs::real_path(&self.folder)?;
        let is_within = full.starts_with(&self.folder) || full.starts_with(&real_root);
        let climbs = name.is_none() && (!is_within || path.contains(".."));
        if fs::entry(&full) == Entry::Nothing {
            // A path that leads out is refused without telling what is there.
            return match climbs && self.bounds != Bounds::None {
                true => Err(self.outside(path)),
                false => Ok(Sought::Nothing),
            };
        }
        let real = fs::real_path(&full)?;
        if self.bounds != Bounds::None && !real.starts_with(&real_root) {
            return Err(self.outside(path));
        }
        if fs::entry(&real) == Entry::Folder {
            return Ok(Sought::Folder);
        }
        let name = match (name, real.strip_prefix(&real_root)) {
            (Some(name), _) => name,
            (None, Ok(inside)) => inside.to_owned(),
            (None, Err(_)) => PathBuf::from(path),
        };
        let name = name.to_string_lossy().replace('\\', "/");
        Ok(Sought::File(Found { path: full, name }))
    }

    fn outside(&self, path: &str) -> Error {
        let (what, hint) = match self.bounds {
            Bounds::Project => (
                "project",
                "Move it inside, or name a folder that holds it and the page with `--root`.",
            ),
            Bounds::None | Bounds::Newsletter => (
                "newsletter",
                "Move it inside, or set `allow_outside = true` under `[sources]` in `newsletter.toml`.",
            ),
        };
        let error = Error::data(format!("`{path}` lies outside the {what}'s folder"));
        let from_root = path.trim_start_matches('/');
        let is_meant = from_root != path && matches!(self.seek(from_root), Ok(Sought::File(_)));
        error.hint(if is_meant {
            format!("Write `{from_root}`, without the slash before it.")
        } else {
            hint.to_owned()
        })
    }
}

/// Whether a path is an address of the web, or of another scheme.
pub(super) fn is_address(path: &str) -> bool {
    let Some((scheme, _)) = path.split_once(':') else {
        return false;
    };
    scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// The file nearest to a path that leads nowhere, by its name within its folder.
pub(super) fn nearest_file(root: &Root, path: &str) -> Option<String> {
    let path = normalized(Path::new(path))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = fs::list(&root.folder.join(folder)).ok()?;
    let names: Vec<String> = files
        .iter()
        .filter_map(|file| file.file_name()?.to_str().map(str::to_owned))
        .collect();
    let wanted = path.file_name()?.to_str()?;
    let stem = |name: &str| {
        Path::new(name)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let found = nearest(wanted, names.iter().map(String::as_str)).or_else(|| {
        // The right name with the wrong ending, or with none.
        let mut same = names.iter().filter(|name| stem(name) == stem(wanted));
        same.next().map(String::as_str)
    })?;
    Some(folder.join(found).to_string_lossy().replace('\\', "/"))
}

/// A relative path without `.` and `..`; `None` when it is absolute or climbs out.
fn normalized(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => out.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(out)
}
