//! The wire under lettre's connection: a socket or TLS over it, with what lettre does not give.
//!
//! - Small packets leave at once (no Nagle delay).
//! - Each phase of the exchange has a deadline, on reading and on writing.
//! - Replies are passed on line by line, so that what stands behind a reply is seen: a relay that
//!   answers twice must not have its second answer taken for that to our next question.
//! - The driver can change to TLS (RFC 3207), and can look whether a resting connection still rests.
//!
//! Knows no mail and no policy.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::relay::Deadlines;

/// The longest line of a reply that is waited for. RFC 5321 4.5.3.1.5 says 512.
const LONGEST_LINE: usize = 4096;

/// How much of a line is passed on: lettre gives up on long ones, and a yes must stay a yes.
const KEPT: usize = 500;

/// The longest reply that is listened to, in all its lines: one that goes on and on is no answer, and
/// its deadline does not come while it speaks.
const LONGEST_REPLY: usize = 16 * 1024;

/// How long we wait for the answer to QUIT: it changes nothing.
const FAREWELL: Duration = Duration::from_secs(2);

/// An alarm that rings so much too late was not rung by the relay: the process had been stopped. The
/// answer may have come in the meantime, and the runtime tells us of timers before it has looked.
const SLEPT_THROUGH: Duration = Duration::from_millis(500);

/// How long we look for that answer.
const GRACE: Duration = Duration::from_secs(1);

/// What the exchange is about at the moment; each phase has its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Greeting,
    Hello,
    Login,
    Sender,
    Recipient,
    Message,
    /// The message itself, in one write; each step forward begins the deadline anew.
    Body,
    /// The final dot has been handed over: comes by itself after [`Phase::Body`].
    Dot,
    Farewell,
}

/// A handle on the wire: lettre has one, the driver another.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Inner>>);

struct Inner {
    socket: Socket,
    peer: SocketAddr,
    deadlines: Deadlines,
    phase: Phase,
    alarm: Option<Pin<Box<Sleep>>>,
    // What the relay sent and lettre has not read yet: plain ASCII, with CRLF line ends.
    held: Vec<u8>,
    // How much lettre has read in this phase.
    heard: usize,
}

enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// While it changes to TLS, and for good when that fails.
    Gone,
}

impl Wire {
    /// Takes a connected socket.
    pub(super) fn new(socket: TcpStream, deadlines: Deadlines) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self(Arc::new(Mutex::new(Inner {
            peer: socket.peer_addr()?,
            socket: Socket::Plain(socket),
            deadlines,
            phase: Phase::Greeting,
            alarm: None,
            held: Vec::new(),
            heard: 0,
        }))))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a phase and its deadline.
    pub(super) fn enter(&self, phase: Phase) {
        self.inner().enter(phase);
    }

    pub(super) fn phase(&self) -> Phase {
        self.inner().phase
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.inner().socket, Socket::Tls(_))
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.inner().peer
    }

    /// Changes to TLS. There must be nothing in between: who put it there was not the relay.
    pub(super) async fn encrypt(
        &self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let (socket, deadline) = {
            let mut inner = self.inner();
            if !inner.held.is_empty() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "there was clear text between STARTTLS and the handshake",
                ));
            }
            match std::mem::replace(&mut inner.socket, Socket::Gone) {
                Socket::Plain(socket) => (socket, inner.deadlines.tls),
                other => {
                    inner.socket = other;
                    return Err(io::Error::other("the wire is encrypted already"));
                }
            }
        };
        let handshake = TlsConnector::from(config).connect(name, socket);
        let stream = tokio::time::timeout(deadline, handshake)
            .await
            .map_err(|_| late(deadline))??;
        self.inner().socket = Socket::Tls(Box::new(stream));
        Ok(())
    }

    /// Whether nothing has come in that we did not ask for, not even the end: as it should be between
    /// two exchanges.
    pub(super) fn is_quiet(&self) -> bool {
        let mut inner = self.inner();
        let mut context = Context::from_waker(Waker::noop());
        inner.held.is_empty() && inner.poll_fill(&mut context).is_pending()
    }
}

impl Inner {
    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.alarm = None;
        self.heard = 0;
    }

    fn deadline(&self) -> Duration {
        let deadlines = &self.deadlines;
        match self.phase {
            Phase::Greeting => deadlines.greeting,
            Phase::Hello => deadlines.hello,
            Phase::Login => deadlines.auth,
            Phase::Sender => deadlines.mail,
            Phase::Recipient => deadlines.rcpt,
            Phase::Message => deadlines.data,
            Phase::Body => deadlines.block,
            Phase::Dot => deadlines.dot,
            Phase::Farewell => FAREWELL,
        }
    }

    /// Called when the socket makes us wait: ends the wait when the phase has lasted too long.
    fn poll_alarm<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let deadline = self.deadline();
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + deadline)));
        ready!(alarm.as_mut().poll(context));
        let now = Instant::now();
        if now.saturating_duration_since(alarm.deadline()) > SLEPT_THROUGH {
            alarm.as_mut().reset(now + GRACE);
            ready!(alarm.as_mut().poll(context));
        }
        Poll::Ready(Err(late(deadline)))
    }

    /// Reads what has come in; `Ok(false)` at the end of the stream.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut bytes = [0; 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(match &mut self.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_read(context, &mut buffer),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_read(context, &mut buffer),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        })?;
        for byte in buffer.filled() {
            match byte {
                b'\n' if self.held.last() != Some(&b'\r') => self.held.extend_from_slice(b"\r\n"),
                b'\r' | b'\n' | b'\t' | b' '..=b'~' => self.held.push(*byte),
                // A reply is ASCII; one that is not must not become unreadable by that.
                _ => self.held.push(b'?'),
            }
        }
        Poll::Ready(Ok(!buffer.filled().is_empty()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        loop {
            if let Some(end) = inner.held.iter().position(|byte| *byte == b'\n') {
                let end = match end > KEPT {
                    true => {
                        inner.held.drain(KEPT..end - 1);
                        KEPT + 1
                    }
                    false => end,
                };
                // One line at a time, and whole lines only: half a reply is none.
                let length = (end + 1).min(buffer.remaining());
                buffer.put_slice(&inner.held[..length]);
                inner.held.drain(..length);
                inner.heard += length;
                if inner.heard > LONGEST_REPLY {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the relay's reply does not end",
                    )));
                }
                return Poll::Ready(Ok(()));
            }
            if inner.held.len() > LONGEST_LINE {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line of the reply does not end",
                )));
            }
            match inner.poll_fill(context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    let how = match inner.held.is_empty() {
                        true => "the relay closed the connection",
                        false => "the relay closed the connection in the middle of a reply",
                    };
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, how)));
                }
                Poll::Ready(Err(cause)) => return Poll::Ready(Err(cause)),
                Poll::Pending => return inner.poll_alarm(context),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        if inner.phase == Phase::Greeting {
            // lettre has read the greeting and goes on by itself.
            inner.enter(Phase::Hello);
        }
        let written = match &mut inner.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_write(context, bytes),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        if written.is_pending() {
            return inner.poll_alarm(context);
        }
        if inner.phase == Phase::Body {
            match written {
                // The message is written in one piece, so that its last byte is that of the dot.
                Poll::Ready(Ok(length)) if length == bytes.len() => inner.enter(Phase::Dot),
                _ => inner.alarm = None,
            }
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        let flushed = match &mut inner.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_flush(context),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_flush(context),
            Socket::Gone => Poll::Ready(Ok(())),
        };
        if flushed.is_pending() {
            return inner.poll_alarm(context);
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        match &mut inner.socket {
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

fn late(deadline: Duration) -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!("the relay did not answer within {deadline:?}"),
    )
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
    };

    use super::*;

    async fn pair(deadlines: Deadlines) -> (Wire, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (
            Wire::new(client.unwrap(), deadlines).unwrap(),
            server.unwrap().0,
        )
    }

    #[tokio::test]
    async fn replies_come_line_by_line_and_what_is_behind_them_shows() {
        let (wire, mut server) = pair(Deadlines::default()).await;
        server
            .write_all(b"250-one\n250 tw\xc3\xb6\r\n250 three\r\n")
            .await
            .unwrap();
        let mut lines = BufReader::new(wire.clone());
        let mut line = String::new();
        for expected in ["250-one\r\n", "250 tw??\r\n"] {
            line.clear();
            lines.read_line(&mut line).await.unwrap();
            assert_eq!(line, expected);
        }
        assert!(!wire.is_quiet());
        line.clear();
        lines.read_line(&mut line).await.unwrap();
        assert!(wire.is_quiet());
        drop(server);
        tokio::task::yield_now().await;
        while wire.is_quiet() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn half_a_reply_is_none() {
        let (wire, mut server) = pair(Deadlines::default()).await;
        server.write_all(b"250 queued as 12").await.unwrap();
        drop(server);
        let error = wire.clone().read_u8().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the relay closed the connection in the middle of a reply"
        );
    }

    #[tokio::test]
    async fn each_phase_has_its_deadline() {
        let short = Deadlines {
            mail: Duration::from_millis(20),
            block: Duration::from_millis(20),
            ..Deadlines::default()
        };
        let (wire, _server) = pair(short).await;
        wire.enter(Phase::Sender);
        let error = wire.clone().read_u8().await.unwrap_err();
        assert_eq!(error.to_string(), "the relay did not answer within 20ms");
        // Nobody reads: at some point writing stops, too.
        wire.enter(Phase::Body);
        let error = wire
            .clone()
            .write_all(&vec![b'x'; 64 << 20])
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// Otherwise a process that was stopped for long would not know of its last mails what it could
    /// read at once.
    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_was_slept_through_leaves_time_to_look() {
        let (wire, mut server) = pair(Deadlines::default()).await;
        wire.enter(Phase::Dot);
        let mut reader = wire.clone();
        let mut reading = Box::pin(reader.read_u8());
        let mut context = Context::from_waker(Waker::noop());
        assert!(reading.as_mut().poll(&mut context).is_pending());
        tokio::time::advance(2 * Deadlines::default().dot).await;
        assert!(reading.as_mut().poll(&mut context).is_pending());
        server.write_all(b"250 ok\r\n").await.unwrap();
        assert_eq!(reading.await.unwrap(), b'2');
        // Where nothing has come, that is the end.
        let mut rest = [0; 7];
        reader.read_exact(&mut rest).await.unwrap();
        wire.enter(Phase::Dot);
        let mut reading = Box::pin(reader.read_u8());
        assert!(reading.as_mut().poll(&mut context).is_pending());
        tokio::time::advance(2 * Deadlines::default().dot).await;
        let error = reading.await.unwrap_err();
        assert_eq!(error.to_string(), "the relay did not answer within 600s");
    }

    #[tokio::test]
    async fn the_dot_is_handed_over_with_the_last_byte() {
        let (wire, mut server) = pair(Deadlines::default()).await;
        wire.enter(Phase::Body);
        let message = vec![b'x'; 32 << 20];
        let mut writer = wire.clone();
        let writing = tokio::spawn(async move { writer.write_all(&message).await });
        let mut taken = vec![0; 1 << 20];
        server.read_exact(&mut taken).await.unwrap();
        assert_eq!(wire.phase(), Phase::Body);
        while !writing.is_finished() {
            server.read_exact(&mut taken).await.unwrap();
        }
        writing.await.unwrap().unwrap();
        assert_eq!(wire.phase(), Phase::Dot);
    }

    #[tokio::test]
    async fn a_line_that_does_not_end_is_cut_off() {
        let (wire, mut server) = pair(Deadlines::default()).await;
        server.write_all(&[b'x'; 2 * LONGEST_LINE]).await.unwrap();
        let error = wire.clone().read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
