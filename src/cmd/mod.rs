//! One verb, one file: arguments → plain values → stages → [`crate::ui`].
//!
//! The only caller of several stages. Each verb reads like the README; policy lives in the stages.

mod build;
mod campaign;
mod cancel;
mod confirm;
mod due;
mod inbox;
mod init;
mod job;
mod lint;
mod mjml;
mod new;
mod outbox;
mod pause;
mod preview;
mod project;
mod reader;
mod receipt;
mod rehearse;
mod report;
mod resolve;
mod resume;
mod rollcall;
mod sandbox;
mod send;
mod signals;
mod status;
mod steering;
mod test;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser as _;

use crate::{
    cli::{Cli, Verb},
    error::Result,
    exit::Exit,
    ui::{Format, Ui, Verbosity},
};

/// The whole program: arguments in, exit code out.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version arrive as errors, too; a closed pipe is no trouble.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let format = if cli.json {
        Format::Json
    } else {
        Format::Human
    };
    let ui = Ui::new(verbosity, format, cli.color);
    match perform(cli, ui) {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.error(&error);
            error.kind().exit().into()
        }
    }
}

fn perform(cli: Cli, ui: Ui) -> Result<Exit> {
    let open = || {
        let project = project::Project::open(&cli.directory, ui)?;
        match &cli.rehearsal {
            Some(folder) => rehearse::stage(project, folder),
            None => Ok(project),
        }
    };
    match &cli.verb {
        Verb::Init(args) => init::run(args, &cli.directory, ui),
        Verb::New(args) => new::run(args, &open()?),
        Verb::Build(args) => build::run(args, &open()?),
        Verb::Lint(args) => lint::run(args, &open()?),
        Verb::Mjml(args) => mjml::run(args, &cli.directory, ui),
        Verb::Preview(args) => preview::run(args, open()?),
        Verb::Test(args) => test::run(args, &open()?),
        Verb::Send(args) => send::run(args, &open()?),
        Verb::Status(args) => status::run(args, &open()?),
        Verb::Pause(args) => pause::run(args, &open()?),
        Verb::Resume(args) => resume::run(args, &open()?),
        Verb::Cancel(args) => cancel::run(args, &open()?),
        Verb::Resolve(args) => resolve::run(args, &open()?),
        Verb::Rehearse(args) => rehearse::run(args, &open()?),
        Verb::Inbox(args) => inbox::run(args, &cli.directory, ui),
    }
}

/// The runtime for verbs that wait for the network.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().map_err(|cause| {
        crate::error::Error::new(crate::error::Kind::Io, "cannot start the runtime").because(&cause)
    })
}
