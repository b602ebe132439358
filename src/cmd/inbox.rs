//! `inbox`: the sandbox inbox alone, until it is stopped.

use std::{path::Path, sync::Arc};

use super::{sandbox, signals::Signals};
use crate::{
    cli::InboxArgs,
    clock::System,
    config,
    error::Result,
    exit::Exit,
    fs,
    inbox::{Inbox, Options, Tls},
    ui::Ui,
};

pub(super) fn run(args: &InboxArgs, directory: &Path, ui: Ui) -> Result<Exit> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        // Outside a newsletter the inbox keeps its mail where it is started.
        None => sandbox::folder(&config::find(directory).unwrap_or_else(|_| directory.to_owned())),
    };
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls {
            cert_pem: fs::read(certificate)?,
            key_pem: fs::read(key)?,
        }),
        _ => None,
    };
    super::runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let options = Options {
            listen: args.listen,
            max_message_bytes: args.max_size,
            tls,
            ..Options::new(folder.clone())
        };
        let inbox = Inbox::bind(options, Arc::new(System)).await?;
        ui.product(&format!(
            "The sandbox inbox takes mail at smtp://{} and keeps it in {}.\nStop it with Ctrl-C.",
            inbox.address(),
            folder.display()
        ));
        inbox
            .serve(
                move |received| {
                    ui.status(&format!(
                        "{} bytes  {}",
                        received.bytes,
                        received.path.as_deref().unwrap_or(Path::new("")).display()
                    ));
                },
                signals.first(),
            )
            .await?;
        Ok(Exit::Done)
    })
}
