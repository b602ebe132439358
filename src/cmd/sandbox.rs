//! The sandbox inbox inside a send or a test: started for it, and gone with it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::oneshot, task::JoinHandle};

use super::project::Project;
use crate::{
    error::{Error, Result},
    inbox::{Inbox, Options},
};

/// Where the sandbox keeps its mail.
pub(super) fn folder(newsletter: &Path) -> PathBuf {
    newsletter.join(".letterpress").join("sandbox")
}

/// A running sandbox inbox.
pub(super) struct Sandbox {
    address: SocketAddr,
    received: Arc<Mutex<Vec<PathBuf>>>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Sandbox {
    /// Starts it at a free port of this machine.
    pub(super) async fn start(project: &Project) -> Result<Self> {
        let options = Options {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            ..Options::new(folder(&project.folder))
        };
        let inbox = Inbox::bind(options, Arc::clone(&project.clock)).await?;
        let address = inbox.address();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let keep = Arc::clone(&received);
        let server = tokio::spawn(inbox.serve(
            move |mail| {
                keep.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(mail.path.clone());
            },
            // It ends when it is told to, and when nobody is left to tell it.
            async {
                let _ = stopped.await;
            },
        ));
        Ok(Self {
            address,
            received,
            stop,
            server,
        })
    }

    /// Where it takes mail.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops it, and says what it has kept, in the order of its coming.
    pub(super) async fn finish(self) -> Result<Vec<PathBuf>> {
        let _ = self.stop.send(());
        self.server
            .await
            .map_err(|cause| Error::bug("the sandbox inbox broke").because(&cause))??;
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut received))
    }
}
