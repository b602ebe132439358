//! A newsletter in a folder of its own, and letterpress run in it: files in, whole outputs out.
//!
//! ```ignore
//! Project::new()
//!     .file("issues/a.md", "+++\nsubject = \"Hello\"\n+++\n")
//!     .run(&["build", "a"])
//!     .exit(0);
//! ```

use std::{
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
};

/// Settings that need nothing: no relay, reserved domains.
pub const SETTINGS: &str = r#"[newsletter]
name = "The Test Press"
from = "The Test Press <press@news.example.com>"
list_id = "test.news.example.com"
postal_address = "1 Type Street, 10115 Berlin"
base_url = "https://news.example.com"
"#;

/// Three subscribers.
pub const LIST: &str = "email,first_name,plan,topics
ada@example.com,Ada,pro,type;paper
ben@example.org,,free,paper
chi@example.net,千尋,pro,
";

/// The key of unsubscribe links, so that they are the same on every machine.
pub const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A newsletter in a folder of its own, which goes when this does.
pub struct Project {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Project {
    /// A newsletter with [`SETTINGS`], [`LIST`], no suppressions and no issue.
    pub fn new() -> Self {
        Self::empty()
            .file("newsletter.toml", SETTINGS)
            .file("subscribers/list.csv", LIST)
    }

    /// An empty folder.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            environment: Vec::new(),
        }
    }

    /// A newsletter as `letterpress init` lays it out.
    pub fn sample() -> Self {
        let project = Self::empty();
        let _ = project.run(&["init"]).exit(0);
        project
    }

    /// Writes a file.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file, later.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    /// Adds to the settings.
    pub fn settings(self, more: &str) -> Self {
        let settings = self.read("newsletter.toml") + more;
        self.file("newsletter.toml", settings)
    }

    /// Sets an environment variable for each run.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The path of a file in the newsletter.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// A file's text.
    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The messages in a folder, in the order of their names.
    pub fn messages(&self, folder: &str) -> Vec<String> {
        files(&self.path(folder))
            .iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
            .map(|path| std::fs::read_to_string(path).expect("a message is ASCII"))
            .collect()
    }

    /// letterpress with these arguments, not started yet: no environment but ours, no terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_letterpress"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs letterpress to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("letterpress runs");
        self.output(output)
    }

    /// What a finished process said, with the folder's name taken out.
    pub fn output(&self, output: std::process::Output) -> Output {
        let folder = self.folder.path().display().to_string();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .expect("letterpress writes UTF-8")
                .replace(&folder, "$DIR")
        };
        Output {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts letterpress and goes on; the process ends with the value.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running(self.command(arguments).spawn().expect("letterpress runs"))
    }
}

/// The files in a folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

/// Lines of a pipe, as they come.
pub fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The sandbox inbox as a process of its own, which outlives the sender; its address, and a line for
/// each mail that it takes.
pub fn inbox(project: &Project) -> (Running, String, Receiver<String>) {
    let mut inbox = project.start(&["inbox", "--listen", "127.0.0.1:0", "-v"]);
    let stdout = lines(inbox.0.stdout.take().expect("a pipe"));
    let taken = lines(inbox.0.stderr.take().expect("a pipe"));
    let hello = stdout.recv().expect("the inbox says where it is");
    let address = hello
        .split_whitespace()
        .find_map(|word| word.strip_prefix("smtp://"))
        .unwrap_or_else(|| panic!("no address in `{hello}`"))
        .to_owned();
    (inbox, address, taken)
}

/// A process that ends with its value.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a run said, and how it ended.
#[must_use = "compare the output, or at least the exit code"]
#[derive(Debug)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// It ended with this code.
    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// All of stdout.
    #[track_caller]
    pub fn stdout(self, expected: &str) -> Self {
        assert_eq!(self.stdout, expected);
        self
    }

    /// All of stderr.
    #[track_caller]
    pub fn stderr(self, expected: &str) -> Self {
        assert_eq!(self.stderr, expected);
        self
    }
}
