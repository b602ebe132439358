//! SIGINT and SIGTERM: the first asks to finish, the second means now.

use tokio::sync::watch;

use crate::{
    error::{Error, Kind, Result},
    exit::Exit,
};

/// How often and by what the user asked us to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    times: u8,
    by: Option<Signal>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Terminate,
}

/// The signals of this process.
#[derive(Clone, Debug)]
pub(super) struct Signals(watch::Receiver<Asked>);

impl Signals {
    /// Listens from now on; call it inside the runtime.
    pub(super) fn listen() -> Result<Self> {
        let (sender, receiver) = watch::channel(Asked::default());
        let mut next = stream()
            .map_err(|cause| Error::new(Kind::Io, "cannot listen for signals").because(&cause))?;
        tokio::spawn(async move {
            while let Some(signal) = next.recv().await {
                sender.send_modify(|asked| {
                    asked.times = asked.times.saturating_add(1);
                    asked.by.get_or_insert(signal);
                });
            }
        });
        Ok(Self(receiver))
    }

    /// Resolves at the first signal.
    pub(super) fn first(&self) -> impl Future<Output = ()> + Send + use<> {
        self.nth(1)
    }

    /// Resolves at the second signal.
    pub(super) fn second(&self) -> impl Future<Output = ()> + Send + use<> {
        self.nth(2)
    }

    fn nth(&self, times: u8) -> impl Future<Output = ()> + Send + use<> {
        let mut receiver = self.0.clone();
        async move {
            if receiver
                .wait_for(|asked| asked.times >= times)
                .await
                .is_err()
            {
                // The listener is gone: no signal will come.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The exit code, when a signal came.
    pub(super) fn exit(&self) -> Option<Exit> {
        self.0.borrow().by.map(|signal| match signal {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate => Exit::Terminated,
        })
    }
}

#[cfg(unix)]
fn stream() -> std::io::Result<tokio::sync::mpsc::Receiver<Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            let next = tokio::select! {
                Some(()) = interrupt.recv() => Signal::Interrupt,
                Some(()) = terminate.recv() => Signal::Terminate,
                else => return,
            };
            if sender.send(next).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

#[cfg(not(unix))]
fn stream() -> std::io::Result<tokio::sync::mpsc::Receiver<Signal>> {
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if sender.send(Signal::Interrupt).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
