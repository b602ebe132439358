//! The only reads and writes of files. Each error carries its path; each write is atomic.
//!
//! A write goes to a temporary file in the same folder, is synced, and takes the name of the old
//! file in one step, so that a crash leaves either the old content or the new and nothing between.

pub use std::fs::File;
use std::{
    fs::{OpenOptions, TryLockError},
    io::{self, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::error::{Error, Kind, Result};

/// Who may read a file that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As the user's umask says.
    Shared,
    /// The owner alone (0600): keys, ledgers, lists.
    Private,
}

/// All of a file, as bytes.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|cause| cannot("read", path, &cause))
}

/// All of a file, as UTF-8 text; a byte order mark is left out.
pub fn read_text(path: &Path) -> Result<String> {
    let bytes = read(path)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        }),
        Err(cause) => {
            let at = cause.utf8_error().valid_up_to();
            let line = cause.as_bytes()[..at]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            Err(Error::data(format!(
                "`{}` is not UTF-8 text: byte {at}, in line {line}, belongs to no character",
                path.display()
            ))
            .hint("Save the file as UTF-8 and run the command again."))
        }
    }
}

/// A file opened for reading, for what is too large to be held whole.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|cause| cannot("read", path, &cause))
}

/// A file opened for reading; `None` only when it is not there.
pub fn open_if_there(path: &Path) -> Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cannot("read", path, &cause)),
    }
}

/// All of a file piece by piece, for what is too large to be held whole.
pub fn read_pieces(path: &Path, mut piece: impl FnMut(&[u8])) -> Result<()> {
    let mut file = open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => piece(buffer.get(..length).unwrap_or_default()),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cannot("read", path, &cause)),
        }
    }
}

/// A file that is read here and there.
#[derive(Debug)]
pub struct Pages {
    file: File,
    path: PathBuf,
}

impl Pages {
    /// Opens it.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            file: open(path)?,
            path: path.to_owned(),
        })
    }

    /// `length` bytes from `offset` on; less where the file ends. Many threads may read at once.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let mut page = vec![0; length];
        let mut filled = 0;
        while let Some(room) = page.get_mut(filled..).filter(|room| !room.is_empty()) {
            match read_at(&self.file, room, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cannot("read", &self.path, &cause)),
            }
        }
        page.truncate(filled);
        Ok(page)
    }
}

#[cfg(unix)]
fn read_at(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, room, offset)
}

#[cfg(windows)]
fn read_at(file: &File, room: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, room, offset)
}

/// A file that is written piece by piece, in a folder that takes its name when all is in it
/// ([`rename`]): durable when it was finished.
#[derive(Debug)]
pub struct NewFile {
    file: BufWriter<File>,
    path: PathBuf,
}

impl NewFile {
    /// Makes it, and its folder where it is not there.
    pub fn create(path: &Path, access: Access) -> Result<Self> {
        create_folder(&folder_of(path))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        restrict(&mut options, access);
        let file = options
            .open(path)
            .map_err(|cause| cannot("create", path, &cause))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            path: path.to_owned(),
        })
    }

    /// Adds to its end.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|cause| cannot("write", &self.path, &cause))
    }

    /// Brings all of it to stable storage.
    pub fn finish(mut self) -> Result<()> {
        let flushed = self.file.flush();
        flushed
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|cause| cannot("write", &self.path, &cause))
    }
}

/// Writes a whole file atomically and durably, making its folder where it is not there.
pub fn write(path: &Path, content: &[u8], access: Access) -> Result<()> {
    let folder = folder_of(path);
    create_folder(&folder)?;
    let temporary = temporary(path);
    let write = || -> io::Result<()> {
        write_synced(&temporary, content, access)?;
        std::fs::rename(&temporary, path)?;
        sync_folder(&folder)
    };
    write().map_err(|cause| {
        // Best effort: the error that matters is the one we return.
        let _ = std::fs::remove_file(&temporary);
        cannot("write", path, &cause)
    })
}

/// Writes a file that must not be there yet. `false`, and nothing is touched, when it is.
/// Atomic and durable, too: nobody ever sees a part of it under its name.
pub fn write_new(path: &Path, content: &[u8], access: Access) -> Result<bool> {
    let folder = folder_of(path);
    create_folder(&folder)?;
    let temporary = temporary(path);
    let write = || -> io::Result<bool> {
        write_synced(&temporary, content, access)?;
        // A second name, unlike a new one, is never given in place of an old one.
        match std::fs::hard_link(&temporary, path) {
            Ok(()) => std::fs::remove_file(&temporary)?,
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            // A file system without second names. What is there is still not touched, as long as no
            // other process makes the same file at this very moment.
            Err(_) if path.exists() => return Ok(false),
            Err(_) => std::fs::rename(&temporary, path)?,
        }
        sync_folder(&folder)?;
        Ok(true)
    };
    let written = write();
    if !matches!(written, Ok(true)) {
        // Best effort: what matters is the answer that we return.
        let _ = std::fs::remove_file(&temporary);
    }
    written.map_err(|cause| cannot("create", path, &cause))
}

/// Makes a folder and those above it.
pub fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|cause| cannot("create the folder", path, &cause))
}

/// What changes when a file does: its time and its length. `None` when it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(std::time::SystemTime, u64);

impl Stamp {
    /// Whether there is nothing in the file.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.1 == 0
    }

    /// How many bytes are in it.
    #[must_use]
    pub fn length(self) -> u64 {
        self.1
    }
}

/// The stamp of a file.
#[must_use]
pub fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp(metadata.modified().ok()?, metadata.len()))
}

/// The files of a folder, by name; empty when there is no such folder.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cannot("read the folder", folder, &cause)),
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(|cause| cannot("read the folder", folder, &cause))?;
    paths.sort();
    Ok(paths)
}

/// What stands at a path, symbolic links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Nothing, or nothing that we may see.
    Nothing,
}

/// What stands at a path.
#[must_use]
pub fn entry(path: &Path) -> Entry {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Entry::Folder,
        Ok(_) => Entry::File,
        Err(_) => Entry::Nothing,
    }
}

/// The path itself, absolute and without symbolic links; it must exist.
pub fn real_path(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|cause| cannot("read", path, &cause))
}

/// Removes a folder and all in it; no error when it is not there.
pub fn remove_folder(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(cannot("remove the folder", path, &cause))
        }
        _ => Ok(()),
    }
}

/// Removes a file; no error when it is not there.
pub fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(cannot("remove", path, &cause))
        }
        _ => Ok(()),
    }
}

/// Gives a folder that is complete and synced its name, in one step.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)
        .and_then(|()| sync_folder(&folder_of(to)))
        .map_err(|cause| cannot("rename to", to, &cause))
}

/// The network file system that a path is on, by its type, where we can tell (on Linux).
#[must_use]
pub fn network_file_system(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    // What is not there yet will be where its folder is.
    let real = path
        .ancestors()
        .find_map(|path| std::fs::canonicalize(path).ok())?;
    mounted(&mounts, &real).filter(|kind| {
        let kind = kind.strip_prefix("fuse.").unwrap_or(kind);
        NETWORK.contains(&kind)
    })
}

const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "sshfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "s3fs",
    "rclone",
    "davfs",
    "davfs2",
    "ncpfs",
    "beegfs",
];

/// The type of the file system that a path is on, by the kernel's table.
fn mounted(mounts: &str, path: &Path) -> Option<String> {
    let mut found: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        let (Some(_), Some(point), Some(kind)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let point = point.replace("\\040", " ");
        let point = Path::new(&point);
        let depth = point.components().count();
        // Of two at one place the later one hides the other.
        if path.starts_with(point) && found.is_none_or(|(deepest, _)| depth >= deepest) {
            found = Some((depth, kind));
        }
    }
    found.map(|(_, kind)| kind.to_owned())
}

/// A lock of the kernel on a file: gone when the process is, whatever ended it.
#[derive(Debug)]
pub struct Lock {
    // Held for its lock, which ends when it is closed.
    _file: File,
}

/// How often a lock that is taken is tried again, and how long between: a look at the books holds it
/// for a moment, and so does a process between fork and exec, which has all the files of its parent.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Takes the lock of a file, or says who has it (the text that the holder left there), at once but for
/// what is held for a moment only.
pub fn lock(path: &Path, holder: &str) -> Result<Result<Lock, String>> {
    create_folder(&folder_of(path))?;
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(|cause| cannot("open", path, &cause))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)
                    .and_then(|()| file.write_all(holder.as_bytes()))
                    .map_err(|cause| cannot("write", path, &cause))?;
                return Ok(Ok(Lock { _file: file }));
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "the kernel has no lock with a patience, and nothing else is going on yet"
            )]
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(cause)) => return Err(cannot("lock", path, &cause)),
        }
    }
    Ok(Err(std::fs::read_to_string(path).unwrap_or_default()))
}

/// The error of a file operation, with its path.
#[must_use]
pub fn cannot(verb: &str, path: &Path, cause: &io::Error) -> Error {
    let kind = match (cause.kind(), verb) {
        (io::ErrorKind::NotFound, "read") => Kind::NoInput,
        (_, "create" | "create the folder") => Kind::CannotCreate,
        _ => Kind::Io,
    };
    let why = match cause.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the quota of the disk is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        _ => cause.to_string(),
    };
    let error = Error::new(kind, format!("cannot {verb} `{}`: {why}", path.display()));
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            error.hint("Free some space and run the command again; it goes on where it was.")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            error.hint("Run it where it may write, or mount the disk for writing.")
        }
        _ => error,
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A name beside `path` that belongs to one write of this process.
fn temporary(path: &Path) -> PathBuf {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    folder_of(path).join(format!(
        ".{}.{}-{}.tmp",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id(),
        WRITES.fetch_add(1, Ordering::Relaxed)
    ))
}

fn write_synced(path: &Path, content: &[u8], access: Access) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    restrict(&mut options, access);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A name is durable only when its folder is synced, too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

fn restrict(options: &mut OpenOptions, access: Access) {
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = (options, access);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.txt");
        write(&path, b"one", Access::Shared).unwrap();
        write(&path, b"two", Access::Private).unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        assert_eq!(
            list(&folder.path().join("deep")).unwrap(),
            std::slice::from_ref(&path)
        );
        assert!(!write_new(&path, b"three", Access::Shared).unwrap());
        assert_eq!(read(&path).unwrap(), b"two");
        let new = folder.path().join("deep/new.txt");
        assert!(write_new(&new, b"four", Access::Private).unwrap());
        assert_eq!(read(&new).unwrap(), b"four");
        assert_eq!(list(&folder.path().join("deep")).unwrap(), [path, new]);
    }

    #[test]
    fn text_that_is_not_utf8_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, b"good\nb\xe9d", Access::Shared).unwrap();
        let error = read_text(&path).unwrap_err();
        assert!(
            error
                .message()
                .ends_with("byte 6, in line 2, belongs to no character"),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_written_and_read_in_pieces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/a.txt");
        let mut file = NewFile::create(&path, Access::Private).unwrap();
        for piece in ["one\n", "two\n", "three"] {
            file.write(piece.as_bytes()).unwrap();
        }
        file.finish().unwrap();
        let mut all = Vec::new();
        read_pieces(&path, |piece| all.extend_from_slice(piece)).unwrap();
        assert_eq!(all, b"one\ntwo\nthree");
        let pages = Pages::open(&path).unwrap();
        assert_eq!(pages.read(4, 3).unwrap(), b"two");
        assert_eq!(pages.read(8, 100).unwrap(), b"three");
        assert_eq!(pages.read(100, 1).unwrap(), b"");
    }

    #[test]
    fn the_file_system_of_a_path_is_that_of_the_nearest_mount() {
        let mounts = "/dev/sda1 / ext4 rw 0 0\n\
                      server:/home /home nfs4 rw 0 0\n\
                      tmpfs /home/local tmpfs rw 0 0\n\
                      //nas/news /mnt/my\\040news cifs rw 0 0\n";
        for (path, kind) in [
            ("/srv/news", "ext4"),
            ("/homes", "ext4"),
            ("/home/ada/news", "nfs4"),
            ("/home/local/news", "tmpfs"),
            ("/mnt/my news/x", "cifs"),
        ] {
            assert_eq!(mounted(mounts, Path::new(path)).as_deref(), Some(kind));
        }
    }

    #[test]
    fn a_lock_is_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = lock(&path, "me").unwrap().unwrap();
        assert_eq!(lock(&path, "you").unwrap().unwrap_err(), "me");
        drop(held);
        assert!(lock(&path, "you").unwrap().is_ok());
    }
}
