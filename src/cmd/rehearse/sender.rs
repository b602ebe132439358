//! The real sender, as a process of its own that can be killed; and its books, as it shows them.

use std::{
    ffi::OsString,
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread::JoinHandle,
};

use serde::Deserialize;

use super::tally::Row;
use crate::{
    cmd::project::Project,
    delivery::ledger::State,
    error::{Error, Kind, Result},
    exit::Exit,
};

/// How senders are started.
pub(super) struct Cast {
    program: PathBuf,
    newsletter: PathBuf,
    stage: PathBuf,
    issue: String,
    is_quiet: bool,
}

/// A sender at work.
pub(super) struct Sender {
    child: Child,
    /// What it says, read while it runs: a pipe that is full would stop it.
    said: Option<JoinHandle<String>>,
}

/// How a sender ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    /// What it had to say, on stderr.
    pub(super) said: String,
}

/// How a sender ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Ended(Ended),
    Killed,
}

/// The counts of the books.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Standing {
    pub(super) pending: u64,
    pub(super) sending: u64,
    pub(super) deferred: u64,
}

impl Standing {
    /// The rows that are not settled.
    pub(super) fn open(self) -> u64 {
        self.pending + self.sending + self.deferred
    }
}

/// A line of `status --recipients --json`.
#[derive(Deserialize)]
struct Line {
    email: String,
    state: String,
    attempts: u32,
    message_id: Option<String>,
}

impl Cast {
    pub(super) fn new(project: &Project, stage: PathBuf, issue: &str) -> Result<Self> {
        Ok(Self {
            program: std::env::current_exe().map_err(|cause| {
                Error::new(Kind::Io, "cannot find the program that is running").because(&cause)
            })?,
            newsletter: project.folder.clone(),
            stage,
            issue: issue.to_owned(),
            is_quiet: project.ui.is_quiet(),
        })
    }

    /// Starts a sender, as cron would.
    pub(super) fn start(&self) -> Result<Sender> {
        let mut child = self
            .command(&["send", "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|cause| self.cannot_start(&cause))?;
        let pipe = child.stderr.take();
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // A pipe that breaks has said all that it has to say.
            let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        });
        Ok(Sender {
            child,
            said: Some(said),
        })
    }

    /// How the books stand; nothing while there are none.
    pub(super) fn standing(&self) -> Result<Option<Standing>> {
        let output = self.output(&["status", "--json"])?;
        if output.status.code() == Some(i32::from(Exit::NoInput.code())) {
            return Ok(None);
        }
        serde_json::from_slice(&output.stdout)
            .map(Some)
            .map_err(|cause| unreadable(&output).because(&cause))
    }

    /// All rows of the books.
    pub(super) fn books(&self) -> Result<Vec<Row>> {
        let output = self.output(&["status", "--recipients", "--json"])?;
        if !output.status.success() {
            return Err(unreadable(&output));
        }
        output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                let line: Line = serde_json::from_slice(line)
                    .map_err(|cause| unreadable(&output).because(&cause))?;
                let state = State::ALL.into_iter().find(|it| it.word() == line.state);
                Ok(Row {
                    email: line.email,
                    state: state.ok_or_else(|| unreadable(&output))?,
                    attempts: line.attempts,
                    message_id: line.message_id,
                })
            })
            .collect()
    }

    fn output(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments)
            .output()
            .map_err(|cause| self.cannot_start(&cause))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let (verb, options) = arguments.split_first().unwrap_or((&"", &[]));
        let mut command = Command::new(&self.program);
        command
            .args(["-C".into(), OsString::from(&self.newsletter)])
            .args(["--rehearsal".into(), OsString::from(&self.stage)])
            .args(self.is_quiet.then_some("--quiet"))
            .args(["--color", "never", verb])
            .args(options)
            // What follows is no option, whatever an issue is called.
            .args(["--", &self.issue])
            .stdin(Stdio::null());
        command
    }

    fn cannot_start(&self, cause: &std::io::Error) -> Error {
        Error::new(
            Kind::Io,
            format!("cannot start `{}`", self.program.display()),
        )
        .because(cause)
    }
}

impl Sender {
    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Result<Option<Ended>> {
        let status = self
            .child
            .try_wait()
            .map_err(|cause| Error::new(Kind::Io, "cannot watch the sender").because(&cause))?;
        Ok(status.map(|status| self.end(status)))
    }

    /// Kills it as `kill -9` does, unless it came to its end just before.
    pub(super) fn kill(&mut self) -> Result<Fate> {
        let status = self
            .child
            .kill()
            .and_then(|()| self.child.wait())
            .map_err(|cause| Error::new(Kind::Io, "cannot kill the sender").because(&cause))?;
        Ok(match status.code() {
            Some(_) => Fate::Ended(self.end(status)),
            None => Fate::Killed,
        })
    }

    fn end(&mut self, status: ExitStatus) -> Ended {
        let said = self.said.take().and_then(|said| said.join().ok());
        Ended {
            exit: status.code().and_then(Exit::meant_by).unwrap_or(Exit::Bug),
            said: said.unwrap_or_default(),
        }
    }
}

/// A rehearsal that ends leaves nobody behind who sends.
impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unreadable(output: &Output) -> Error {
    Error::bug("the books of the rehearsal cannot be read")
        .because_of(String::from_utf8_lossy(&output.stderr).into_owned())
}
