//! The command line. The doc comments are the help; nothing here does anything.

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};

use crate::ui::Color;

/// A newsletter press for the terminal
///
/// Composes a digest of articles into responsive mail, proves it, and delivers it once to everyone
/// on the list.
#[derive(Debug, Parser)]
#[command(
    name = "letterpress",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "\
Exit codes: 0 done or nothing to do · 1 a check found errors · 3 complete, some rows unknown
4 complete, too many failures · 64 usage · 65 bad data, nothing was sent · 66 no such input
69 gave up, a person must look · 70 a bug · 73, 74 cannot write · 75 run the same command later
77 credentials refused · 78 bad settings · 130, 143 stopped by a signal, safe to run again
75 means that cron will cure it; any other code that is not 0 wants a person."
)]
pub struct Cli {
    /// The newsletter's folder, or one inside it
    #[arg(
        short = 'C',
        long = "directory",
        value_name = "DIR",
        default_value = ".",
        global = true,
        help_heading = "Global options",
        hide_default_value = true
    )]
    pub directory: PathBuf,

    /// The folder of a rehearsal: all that is kept is kept there, and its relay gets the mail
    #[arg(long, value_name = "DIR", global = true, hide = true)]
    pub rehearsal: Option<PathBuf>,

    /// Say nothing but errors
    #[arg(
        short,
        long,
        global = true,
        help_heading = "Global options",
        conflicts_with = "verbose"
    )]
    pub quiet: bool,

    /// Say more
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub verbose: bool,

    /// Print JSON on stdout
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,

    /// When to use color
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        global = true,
        help_heading = "Global options",
        hide_default_value = true
    )]
    pub color: Color,

    #[allow(missing_docs)]
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lay out a newsletter: settings, a sample issue, templates and a list
    Init(InitArgs),
    /// Start an issue
    New(NewArgs),
    /// Write an issue's MJML, HTML, text and message to a folder
    Build(BuildArgs),
    /// Check issues, templates, list and settings, and name all that is wrong
    Lint(LintArgs),
    /// Render plain MJML files to HTML, as npm's `mjml` does
    Mjml(MjmlArgs),
    /// Show issues in the browser, as their files are at each load
    Preview(PreviewArgs),
    /// Send the real mail to an address of yours; the books are left alone
    Test(TestArgs),
    /// Send an issue to everyone who is still due; run again to resume
    Send(SendArgs),
    /// Show the books
    Status(StatusArgs),
    /// Stop sending an issue until `resume`; what is in flight is finished
    Pause(PauseArgs),
    /// Let a paused issue go on
    Resume(ResumeArgs),
    /// Call an issue off for good; what is in flight is finished
    Cancel(CancelArgs),
    /// Settle mails whose fate is unknown: by a mail log, by events, or by hand
    Resolve(ResolveArgs),
    /// Send an issue to a relay of our own that misbehaves, and count at the receiver
    Rehearse(RehearseArgs),
    /// Run the sandbox inbox: takes any mail, delivers none, keeps it as .eml files
    Inbox(InboxArgs),
}

/// `init`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Where; made when it is not there. What is there already is never overwritten
    #[arg(default_value = ".", hide_default_value = true)]
    pub dir: PathBuf,
}

/// `new`
#[derive(Args, Debug)]
pub struct NewArgs {
    /// The issue's name: lower-case letters, digits and hyphens
    pub slug: String,
}

/// `build`
#[derive(Args, Debug)]
pub struct BuildArgs {
    /// The issue: a name (`welcome`) or a path (`issues/welcome.md`)
    pub issue: String,
    /// Where to write; `out/<issue>` when it is not said
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The subscriber whose mail it is; a reader without any fields when it is not said
    #[arg(long = "as", value_name = "EMAIL")]
    pub reader: Option<String>,
}

/// `lint`
#[derive(Args, Debug)]
pub struct LintArgs {
    /// The issue; all of them when it is not said
    pub issue: Option<String>,
}

/// `mjml`
#[derive(Args, Debug)]
pub struct MjmlArgs {
    /// The files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Where to write `<name>.html`; stdout when it is not said
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Where included files may lie; the project of each file when it is not said: the nearest folder
    /// with a `newsletter.toml`, `.git`, `.mjmlconfig` or `package.json`, or else the current one
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// What to make of what is not right
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t)]
    pub validation: ValidationLevel,
}

/// How strictly MJML is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ValidationLevel {
    /// Warn, and make what page can be made
    #[default]
    Soft,
    /// Refuse what would be lost from the page
    Standard,
    /// Refuse everything that is not MJML
    Strict,
}

/// `preview`
#[derive(Args, Debug)]
pub struct PreviewArgs {
    /// The issue to begin with
    pub issue: Option<String>,
    /// The port on this machine
    #[arg(long, default_value_t = 8025)]
    pub port: u16,
}

/// `test`
#[derive(Args, Debug)]
pub struct TestArgs {
    /// The issue
    pub issue: String,
    /// Where to send it; can be given again
    #[arg(long, value_name = "ADDR", required = true)]
    pub to: Vec<String>,
    /// The subscriber whose mail it is
    #[arg(long = "as", value_name = "EMAIL")]
    pub reader: Option<String>,
    /// Deliver to the built-in sandbox inbox
    #[arg(long, conflicts_with = "relay")]
    pub sandbox: bool,
    /// Deliver to this relay and not to that of the settings
    #[arg(long, value_name = "URL")]
    pub relay: Option<String>,
}

/// `send`
#[derive(Args, Debug, Default)]
pub struct SendArgs {
    /// The issue
    #[arg(required_unless_present = "due")]
    pub issue: Option<String>,
    /// Send every issue whose time has come and go on with what is unfinished: the cron line. Says
    /// nothing when nothing is due
    #[arg(long, conflicts_with_all = ["issue", "sandbox", "dry_run", "limit", "expect", "amend", "include_new"])]
    pub due: bool,
    /// Go on with the issue as it is now: who has not had it yet gets the edited one
    #[arg(long)]
    pub amend: bool,
    /// Send to those, too, who joined the list after the issue began
    #[arg(long)]
    pub include_new: bool,
    /// Stay until everything is settled, however long relays defer it
    #[arg(long)]
    pub wait: bool,
    /// Deliver to the built-in sandbox inbox: a campaign of its own, nobody is written to
    #[arg(long)]
    pub sandbox: bool,
    /// With --sandbox: forget the sandbox's books of this issue, and deliver to everyone anew
    #[arg(long, requires = "sandbox")]
    pub fresh: bool,
    /// Write the mails as .eml files, and keep no books
    #[arg(short = 'n', long, conflicts_with = "sandbox")]
    pub dry_run: bool,
    /// Send to at most so many in this run
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Do not ask, but refuse if the number of recipients is another
    #[arg(long, value_name = "N", conflicts_with = "yes")]
    pub expect: Option<u64>,
}

/// `status`
#[derive(Args, Debug)]
pub struct StatusArgs {
    /// The issue; all of them when it is not said
    pub issue: Option<String>,
    /// A line for each recipient
    #[arg(long, requires = "issue")]
    pub recipients: bool,
    /// The books of the sandbox
    #[arg(long)]
    pub sandbox: bool,
    /// Only recipients in this state
    #[arg(long, value_name = "STATE", requires = "issue")]
    pub state: Option<String>,
    /// Write these recipients as a list: CSV with the columns of the subscribers, and why
    #[arg(long, value_name = "FILE", requires = "issue")]
    pub csv: Option<PathBuf>,
}

/// `pause`
#[derive(Args, Debug)]
pub struct PauseArgs {
    /// The issue
    pub issue: String,
    /// The campaign of the sandbox
    #[arg(long)]
    pub sandbox: bool,
}

/// `resume`
#[derive(Args, Debug)]
pub struct ResumeArgs {
    /// The issue
    pub issue: String,
    /// The campaign of the sandbox
    #[arg(long)]
    pub sandbox: bool,
}

/// `cancel`
#[derive(Args, Debug)]
pub struct CancelArgs {
    /// The issue
    pub issue: String,
    /// The campaign of the sandbox
    #[arg(long)]
    pub sandbox: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `resolve`
#[derive(Args, Debug)]
pub struct ResolveArgs {
    /// The issue
    pub issue: String,
    /// The campaign of the sandbox
    #[arg(long)]
    pub sandbox: bool,
    /// The mail log of the relay (Postfix): who is in it was sent to
    #[arg(long, value_name = "FILE")]
    pub maillog: Option<PathBuf>,
    /// Events of the relay, a JSON object a line: who was delivered or bounced was sent to
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// These had their mail; `all` for everyone who is unknown
    #[arg(long, value_name = "ADDR")]
    pub sent: Vec<String>,
    /// Send to these again, at the risk of a second copy; `all` for everyone who is unknown
    #[arg(long, value_name = "ADDR")]
    pub resend: Vec<String>,
    /// Leave these out; `all` for everyone who is unknown
    #[arg(long, value_name = "ADDR")]
    pub skip: Vec<String>,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// `rehearse`
#[derive(Args, Debug)]
pub struct RehearseArgs {
    /// The issue
    pub issue: String,
    /// How the relay misbehaves, as `name=percent` of the mails, parted by commas; `all=percent` for
    /// each of them, `none` for not at all. The names: `421`, `4xx`, `5xx`, `drop-before` and
    /// `drop-after` (it takes the mail), `stall`, `close`, `half` a reply, `twice` the reply,
    /// `greeting` (of the connections), `slow`. With `@` and a command one strikes there alone:
    /// `4xx@rcpt=5`
    #[arg(
        long,
        value_name = "FAULTS",
        default_value = "421=2,4xx=3,drop-before=2,drop-after=2"
    )]
    pub faults: String,
    /// Kill the sender so many times (as `kill -9` does) and start it again
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub kill: u32,
    /// Send to so many made-up people, and not to the list
    #[arg(long, value_name = "N")]
    pub recipients: Option<NonZeroU32>,
    /// Connections open at once; those of the settings when it is not said
    #[arg(long, value_name = "N")]
    pub connections: Option<NonZeroUsize>,
    /// The seed of all chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Keep the pace of the settings; without it mail leaves as fast as the relay takes it
    #[arg(long)]
    pub pace: bool,
    /// Keep every mail that arrives as an .eml file, and the books with them
    #[arg(long)]
    pub keep: bool,
}

/// `inbox`
#[derive(Args, Debug)]
pub struct InboxArgs {
    /// The address to listen at
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:1025")]
    pub listen: SocketAddr,
    /// The folder to keep mail in; `.letterpress/sandbox` when it is not said
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The largest message taken, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 26_214_400)]
    pub max_size: usize,
    /// A PEM certificate, to offer STARTTLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's PEM key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}
