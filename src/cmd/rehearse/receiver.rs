//! The relay of a rehearsal: it misbehaves as it was told, and counts all that it takes
//! responsibility for. It lives in the parent, which nobody kills.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::tally::Copies;
use crate::{
    clock::Clock,
    error::{Error, Result},
    inbox::{Inbox, Manners, Options},
};

/// Connections that are still being cleared away after a kill.
const LEFTOVERS: usize = 4;

/// A relay at work.
pub(super) struct Receiver {
    address: SocketAddr,
    copies: Arc<Mutex<Copies>>,
    /// Something for each mail that it took.
    pub(super) arrivals: mpsc::UnboundedReceiver<()>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<()>>,
}

impl Receiver {
    /// Starts it at a free port of this machine. It keeps the mails where there is a folder for them.
    pub(super) async fn start(
        manners: Arc<dyn Manners>,
        connections: usize,
        folder: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let options = Options {
            folder,
            max_connections: connections * LEFTOVERS,
            manners: Some(manners),
            ..Options::without_folder()
        };
        let inbox = Inbox::bind(options, clock).await?;
        let address = inbox.address();
        let copies = Arc::new(Mutex::new(Copies::new()));
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let count = Arc::clone(&copies);
        let server = tokio::spawn(inbox.serve(
            move |mail| {
                let mut copies = lock(&count);
                for recipient in &mail.recipients {
                    let came = copies.entry(recipient.clone()).or_default();
                    came.push(mail.message_id.clone());
                }
                // Nobody listens any more when the rehearsal is over.
                let _ = arrived.send(());
            },
            // It ends when it is told to, and when nobody is left to tell it.
            async {
                let _ = stopped.await;
            },
        ));
        Ok(Self {
            address,
            copies,
            arrivals,
            stop,
            server,
        })
    }

    /// Where it takes mail.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many recipients have had mail by now.
    pub(super) fn reached(&self) -> usize {
        lock(&self.copies).len()
    }

    /// Stops it when all that was sent has arrived, and says what came.
    pub(super) async fn finish(self) -> Result<Copies> {
        let _ = self.stop.send(());
        self.server
            .await
            .map_err(|cause| Error::bug("the relay of the rehearsal broke").because(&cause))??;
        Ok(std::mem::take(&mut *lock(&self.copies)))
    }
}

fn lock(copies: &Mutex<Copies>) -> MutexGuard<'_, Copies> {
    copies.lock().unwrap_or_else(PoisonError::into_inner)
}
