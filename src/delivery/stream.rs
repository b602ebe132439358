//! The wire: a socket or TLS over it, with what lettre does not give.
//!
//! - Small packets leave at once (no Nagle delay).
//! - Each phase of the exchange has a deadline, on reading and on writing.
//! - Replies are passed on line by line, so that what stands behind a reply is seen: a relay that
//!   answers twice must not have its second answer taken for that to our next question.
//! - The driver can change to TLS (RFC 3207), and can look whether a resting connection still rests.
//!
//! [`Wire`] is what lettre speaks over until a session stands; then the driver takes the [`Line`] out of
//! it and has it for itself. Knows no mail and no policy.

mod line;

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

pub(super) use line::Line;
use line::{Socket, late};

use super::relay::Deadlines;

/// What the exchange is about at the moment; each phase has its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Greeting,
    Hello,
    Login,
    Sender,
    Recipient,
    Message,
    /// The message itself; each step forward begins the deadline anew.
    Body,
    /// The final dot has been handed over: comes by itself after [`Phase::Body`].
    Dot,
    Farewell,
}

/// A handle on the line: lettre has one, the driver another.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Line>>);

impl Wire {
    /// Takes a connected socket.
    pub(super) fn new(socket: TcpStream, deadlines: Deadlines) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Line::new(socket, deadlines)?))))
    }

    /// The line itself, when this is the last handle on it.
    pub(super) fn into_line(self) -> Option<Line> {
        Arc::into_inner(self.0)
            .map(|line| line.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a phase and its deadline.
    pub(super) fn enter(&self, phase: Phase) {
        self.line().enter(phase);
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.line().socket, Socket::Tls(_))
    }

    /// The answer to EHLO, while that is the last thing that was asked: lettre keeps only some of it.
    pub(super) fn hello(&self) -> String {
        String::from_utf8_lossy(&self.line().hello).into_owned()
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.line().peer
    }

    /// Changes to TLS. There must be nothing in between: who put it there was not the relay.
    pub(super) async fn encrypt(
        &self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let (socket, deadline) = {
            let mut line = self.line();
            if !line.held.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "there was clear text between STARTTLS and the handshake",
                ));
            }
            match std::mem::replace(&mut line.socket, Socket::Gone) {
                Socket::Plain(socket) => (socket, line.deadlines.tls),
                other => {
                    line.socket = other;
                    return Err(io::Error::other("the wire is encrypted already"));
                }
            }
        };
        let handshake = TlsConnector::from(config).connect(name, socket);
        let stream = tokio::time::timeout(deadline, handshake)
            .await
            .map_err(|_| late(deadline))??;
        self.line().socket = Socket::Tls(Box::new(stream));
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut line = self.line();
        let whole = ready!(line.poll_line(context))?;
        // One line at a time, and whole lines only: lettre's own buffer is empty after each reply.
        let length = whole.min(buffer.remaining());
        buffer.put_slice(&line.held[..length]);
        let read: Vec<u8> = line.held.drain(..length).collect();
        if line.phase() == Phase::Hello {
            line.hello.extend(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut line = self.line();
        if line.phase() == Phase::Greeting {
            // lettre has read the greeting and goes on by itself.
            line.enter(Phase::Hello);
        }
        line.poll_write(context, &[io::IoSlice::new(bytes)])
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.line().socket {
            Socket::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_shutdown(context),
            Socket::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.peer())
    }
}

#[cfg(test)]
mod tests;
