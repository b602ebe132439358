//! One end of a connection: what comes in, line by line, and what goes out, in as few writes as can be.

use std::{
    fmt,
    future::poll_fn,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};
use tokio_rustls::client::TlsStream;

use super::Phase;
use crate::delivery::relay::Deadlines;

/// The longest line of a reply that is waited for. RFC 5321 4.5.3.1.5 says 512.
pub(super) const LONGEST_LINE: usize = 4096;

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

/// A connection, its phase and what it has brought.
pub(in crate::delivery) struct Line {
    pub(super) socket: Socket,
    pub(super) peer: SocketAddr,
    pub(super) deadlines: Deadlines,
    phase: Phase,
    /// How long this phase may make us wait.
    patience: Duration,
    /// Until when; from the first time that it makes us wait.
    until: Option<Instant>,
    // Rings no later than `until`: to set a timer for each phase costs more than to look again.
    alarm: Option<Pin<Box<Sleep>>>,
    // What the relay sent and nobody has read yet: plain ASCII, with CRLF line ends.
    pub(super) held: Vec<u8>,
    // How much was read in this phase.
    heard: usize,
    // What lettre was told of it in this phase, where that was its offer.
    pub(super) hello: Vec<u8>,
}

pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// While it changes to TLS, and for good when that fails.
    Gone,
}

impl Line {
    pub(super) fn new(socket: TcpStream, deadlines: Deadlines) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            peer: socket.peer_addr()?,
            socket: Socket::Plain(socket),
            phase: Phase::Greeting,
            patience: deadlines.greeting,
            deadlines,
            until: None,
            alarm: None,
            held: Vec::new(),
            heard: 0,
            hello: Vec::new(),
        })
    }

    /// Begins a phase and its deadline.
    pub(in crate::delivery) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.patience = self.deadline(phase);
        self.until = None;
        self.heard = 0;
        self.hello.clear();
    }

    /// Has less patience than usual in this phase.
    pub(in crate::delivery) fn hurry(&mut self, patience: Duration) {
        self.patience = self.patience.min(patience);
    }

    pub(in crate::delivery) fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether nothing has come in that we did not ask for, not even the end: as it should be between
    /// two exchanges.
    pub(in crate::delivery) fn is_quiet(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.held.is_empty() && self.poll_fill(&mut context).is_pending()
    }

    /// What was found when it was not quiet; nothing where the connection was closed.
    pub(in crate::delivery) fn overheard(&self) -> &[u8] {
        &self.held
    }

    /// The next line, with its end, in the place of what was in `line`.
    pub(in crate::delivery) async fn read(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        let length = poll_fn(|context| self.poll_line(context)).await?;
        line.clear();
        line.extend_from_slice(&self.held[..length]);
        self.held.drain(..length);
        Ok(())
    }

    /// Says all of it.
    pub(in crate::delivery) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut said = 0;
        poll_fn(|context| {
            while said < bytes.len() {
                said += ready!(self.poll_write(context, &[IoSlice::new(&bytes[said..])]))?;
            }
            self.poll_flush(context)
        })
        .await
    }

    /// Hands over a message, its end and what follows at once. From the last byte of the end on, it may
    /// have been taken: that is [`Phase::Dot`].
    pub(in crate::delivery) async fn hand_over(
        &mut self,
        message: &[u8],
        end: &[u8],
        follows: &[u8],
    ) -> io::Result<()> {
        self.enter(Phase::Body);
        let whole = message.len() + end.len();
        let mut done = 0;
        poll_fn(|context| {
            while done < whole + follows.len() {
                let pieces = [
                    IoSlice::new(message.get(done..).unwrap_or_default()),
                    IoSlice::new(
                        end.get(done.saturating_sub(message.len())..)
                            .unwrap_or_default(),
                    ),
                    IoSlice::new(
                        follows
                            .get(done.saturating_sub(whole)..)
                            .unwrap_or_default(),
                    ),
                ];
                done += ready!(self.poll_write(context, &pieces))?;
                if done < whole {
                    self.until = None;
                } else if self.phase == Phase::Body {
                    self.enter(Phase::Dot);
                }
            }
            self.poll_flush(context)
        })
        .await
    }

    fn deadline(&self, phase: Phase) -> Duration {
        let deadlines = &self.deadlines;
        match phase {
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
        let until = match self.until {
            Some(until) => until,
            None => *self.until.insert(Instant::now() + self.patience),
        };
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if alarm.deadline() > until {
            alarm.as_mut().reset(until);
        }
        loop {
            ready!(alarm.as_mut().poll(context));
            let now = Instant::now();
            let until = self.until.unwrap_or(now);
            if now < until {
                // It was set for an earlier phase.
                alarm.as_mut().reset(until);
            } else if now.saturating_duration_since(until) > SLEPT_THROUGH {
                self.until = Some(now + GRACE);
                alarm.as_mut().reset(now + GRACE);
            } else {
                return Poll::Ready(Err(late(self.patience)));
            }
        }
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

    /// Waits until a whole line is held, and says how long it is: half a reply is none.
    pub(super) fn poll_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.held) {
                let mut length = end + 1;
                if end > KEPT {
                    self.held.drain(KEPT..end - 1);
                    length = KEPT + 2;
                }
                self.heard += length;
                return Poll::Ready(match self.heard > LONGEST_REPLY {
                    true => Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the relay's reply does not end",
                    )),
                    false => Ok(length),
                });
            }
            if self.held.len() > LONGEST_LINE {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line of the reply does not end",
                )));
            }
            match self.poll_fill(context) {
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => {
                    let how = match self.held.is_empty() {
                        true => "the relay closed the connection",
                        false => "the relay closed the connection in the middle of a reply",
                    };
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, how)));
                }
                Poll::Ready(Err(cause)) => return Poll::Ready(Err(cause)),
                Poll::Pending => return self.poll_alarm(context),
            }
        }
    }

    pub(super) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_write_vectored(context, pieces),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_write_vectored(context, pieces),
            Socket::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        };
        match written {
            Poll::Pending => self.poll_alarm(context),
            Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            written => written,
        }
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.socket {
            Socket::Plain(socket) => Pin::new(socket).poll_flush(context),
            Socket::Tls(socket) => Pin::new(socket.as_mut()).poll_flush(context),
            Socket::Gone => Poll::Ready(Ok(())),
        };
        if flushed.is_pending() {
            return self.poll_alarm(context);
        }
        flushed
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({}, {:?})", self.peer, self.phase)
    }
}

pub(super) fn late(deadline: Duration) -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        format!("the relay did not answer within {deadline:?}"),
    )
}
