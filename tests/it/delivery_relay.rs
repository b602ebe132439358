//! A relay on this machine that does as it is told: the other side of the tests of delivery.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Where an exchange is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Dot,
    Rset,
    Quit,
    Other,
}

/// What has come in.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which connection, from 0.
    pub connection: usize,
    /// How many messages this connection has completed.
    pub messages: usize,
    pub stage: Stage,
    /// The line; at the dot, the recipient's address.
    pub line: String,
    /// Whether more had come in before this was answered.
    pub more: bool,
}

/// The answer to EHLO of a relay that takes one command at a time.
pub fn without_pipelining(event: &Event) -> Option<Act> {
    match event.stage {
        Stage::Hello => say("250-relay.test\r\n250 SIZE 1000000"),
        _ => None,
    }
}

/// What to do about it.
pub enum Act {
    Say(String),
    SayThenClose(String),
    Close,
    /// End the connection with a RST, and what was on its way with it.
    Reset,
    /// Ask for the message, take its first line, and end the connection with a RST.
    TakeALineThenReset,
    /// Say it after a while.
    Late(std::time::Duration, String),
    /// Say it, and take no notice of what had come in before.
    SayAndForget(String),
    /// Say it, and then nothing more.
    SayThenStall(String),
    /// Say nothing, and wait for the other side to lose patience.
    Stall,
}

pub fn say(text: &str) -> Option<Act> {
    Some(Act::Say(format!("{text}\r\n")))
}

#[derive(Default)]
pub struct Log {
    /// Each connection's commands.
    pub commands: Vec<Vec<String>>,
    /// Recipient → messages that were answered with a yes.
    pub accepted: BTreeMap<String, Vec<Vec<u8>>>,
    /// Dots that came, whatever the answer.
    pub dots: Vec<String>,
    /// Commands that came in clear text.
    pub clear: Vec<String>,
    /// How often all was answered and the other side had to be waited for.
    pub turns: usize,
    /// Messages that came together with the next envelope.
    pub ahead: usize,
    /// What came of messages whose dot never came.
    pub broken: Vec<Vec<u8>>,
    /// How TLS began on each connection.
    pub handshakes: Vec<rustls::HandshakeKind>,
}

#[derive(Clone)]
pub enum Tls {
    None,
    Implicit(TlsAcceptor),
    Later(TlsAcceptor),
}

type Script = dyn Fn(&Event) -> Option<Act> + Send + Sync;

pub struct FakeRelay {
    pub address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: tokio::task::JoinHandle<()>,
}

impl FakeRelay {
    /// Starts one; where the script has no opinion, it behaves.
    pub async fn start(script: impl Fn(&Event) -> Option<Act> + Send + Sync + 'static) -> Self {
        Self::with_tls(Tls::None, script).await
    }

    pub async fn with_tls(
        tls: Tls,
        script: impl Fn(&Event) -> Option<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let script: Arc<Script> = Arc::new(script);
        let seen = log.clone();
        let task = tokio::spawn(async move {
            let connections = AtomicUsize::new(0);
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let connection = connections.fetch_add(1, Ordering::Relaxed);
                seen.lock().unwrap().commands.push(Vec::new());
                let talk = Talk {
                    connection,
                    messages: 0,
                    script: script.clone(),
                    log: seen.clone(),
                    encrypted: false,
                };
                // How a conversation breaks off is for the tests to see in the books.
                tokio::spawn(serve(socket, tls.clone(), talk));
            }
        });
        Self { address, log, task }
    }

    pub fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }

    pub fn connections(&self) -> usize {
        self.log().commands.len()
    }

    /// How many messages went to each recipient.
    pub fn copies(&self) -> BTreeMap<String, usize> {
        let log = self.log();
        log.accepted
            .iter()
            .map(|(to, messages)| (to.clone(), messages.len()))
            .collect()
    }
}

impl Drop for FakeRelay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Talk {
    connection: usize,
    messages: usize,
    script: Arc<Script>,
    log: Arc<Mutex<Log>>,
    encrypted: bool,
}

async fn serve(socket: TcpStream, tls: Tls, mut talk: Talk) -> io::Result<()> {
    match tls {
        Tls::None => talk.run(socket, false).await.map(|_| ()),
        Tls::Implicit(acceptor) => {
            talk.encrypted = true;
            let socket = acceptor.accept(socket).await?;
            talk.note_handshake(&socket);
            talk.run(socket, false).await.map(|_| ())
        }
        Tls::Later(acceptor) => {
            let Some(socket) = talk.run(socket, true).await? else {
                return Ok(());
            };
            talk.encrypted = true;
            let socket = acceptor.accept(socket).await?;
            talk.note_handshake(&socket);
            talk.run(socket, false).await.map(|_| ())
        }
    }
}

impl Talk {
    fn note_handshake(&self, socket: &TlsStream<TcpStream>) {
        let kind = socket.get_ref().1.handshake_kind();
        self.log.lock().unwrap().handshakes.extend(kind);
    }

    fn wait<S>(&self, stream: &BufReader<S>)
    where
        S: AsyncRead,
    {
        if stream.buffer().is_empty() {
            self.log.lock().unwrap().turns += 1;
        }
    }

    /// Talks until the end, or until the other side wants TLS.
    async fn run<S: AsyncRead + AsyncWrite + Unpin + Cut>(
        &mut self,
        socket: S,
        starttls: bool,
    ) -> io::Result<Option<S>> {
        let mut stream = BufReader::new(socket);
        let greet = starttls
            || !self.encrypted
            || self.log.lock().unwrap().commands[self.connection].is_empty();
        if greet
            && self
                .act(&mut stream, Stage::Greeting, "", "220 relay.test ESMTP")
                .await?
                .is_none()
        {
            return Ok(None);
        }
        let mut recipient = String::new();
        loop {
            let mut line = String::new();
            self.wait(&stream);
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let line = line.trim_end().to_owned();
            {
                let mut log = self.log.lock().unwrap();
                log.commands[self.connection].push(line.clone());
                if !self.encrypted {
                    log.clear.push(line.clone());
                }
            }
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_uppercase();
            let (stage, reply) = match verb.as_str() {
                "EHLO" if starttls => (
                    Stage::Hello,
                    "250-relay.test\r\n250-SIZE 1000000\r\n250 STARTTLS",
                ),
                "EHLO" => (
                    Stage::Hello,
                    "250-relay.test\r\n250-SIZE 1000000\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN",
                ),
                "STARTTLS" => (Stage::StartTls, "220 go ahead"),
                "AUTH" => (Stage::Auth, "235 2.7.0 welcome"),
                "MAIL" => (Stage::Mail, "250 2.1.0 ok"),
                "RCPT" => {
                    recipient = line
                        .trim_start_matches("RCPT TO:<")
                        .trim_end_matches('>')
                        .to_owned();
                    (Stage::Rcpt, "250 2.1.5 ok")
                }
                "DATA" if recipient.is_empty() => (Stage::Other, "554 5.5.1 no valid recipients"),
                "DATA" => (Stage::Data, "354 go on"),
                "RSET" => (Stage::Rset, "250 2.0.0 ok"),
                "QUIT" => (Stage::Quit, "221 2.0.0 bye"),
                _ => (Stage::Other, "500 what"),
            };
            let Some(yes) = self.act(&mut stream, stage, &line, reply).await? else {
                return Ok(None);
            };
            match stage {
                Stage::Mail => recipient.clear(),
                Stage::Rcpt if !yes => recipient.clear(),
                Stage::Quit => return Ok(None),
                Stage::StartTls if starttls => return Ok(Some(stream.into_inner())),
                Stage::Data if yes => {
                    self.wait(&stream);
                    let (message, ending) = read_message(&mut stream).await?;
                    if ending == Ending::Broken {
                        self.log.lock().unwrap().broken.push(message);
                        return Ok(None);
                    }
                    self.log.lock().unwrap().dots.push(recipient.clone());
                    let queued = "250 2.0.0 queued as 4711".to_owned();
                    let event = self.event(Stage::Dot, &recipient, &stream);
                    self.log.lock().unwrap().ahead += usize::from(event.more);
                    let act = (self.script)(&event).unwrap_or(Act::Say(queued + "\r\n"));
                    let yes = match &act {
                        Act::Say(text)
                        | Act::SayThenClose(text)
                        | Act::SayAndForget(text)
                        | Act::Late(_, text) => text.starts_with('2'),
                        _ => false,
                    };
                    if yes {
                        let mut log = self.log.lock().unwrap();
                        log.accepted
                            .entry(recipient.clone())
                            .or_default()
                            .push(message);
                    }
                    self.messages += 1;
                    if !perform(&mut stream, act).await? {
                        return Ok(None);
                    }
                }
                _ => {}
            }
        }
    }

    fn event<S: AsyncRead>(&self, stage: Stage, line: &str, stream: &BufReader<S>) -> Event {
        Event {
            more: !stream.buffer().is_empty(),
            connection: self.connection,
            messages: self.messages,
            stage,
            line: line.to_owned(),
        }
    }

    /// Answers; says whether it was a yes, or nothing when the conversation is over.
    async fn act<S: AsyncRead + AsyncWrite + Unpin + Cut>(
        &self,
        stream: &mut BufReader<S>,
        stage: Stage,
        line: &str,
        usual: &str,
    ) -> io::Result<Option<bool>> {
        let act = (self.script)(&self.event(stage, line, stream));
        let act = act.unwrap_or_else(|| Act::Say(format!("{usual}\r\n")));
        let yes = match &act {
            Act::Say(text) | Act::SayAndForget(text) | Act::Late(_, text) => {
                text.starts_with(['2', '3'])
            }
            _ => false,
        };
        Ok(perform(stream, act).await?.then_some(yes))
    }
}

/// A connection that can be ended without a goodbye.
pub trait Cut {
    fn socket(&self) -> &TcpStream;
}

impl Cut for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Cut for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn perform<S: AsyncRead + AsyncWrite + Unpin + Cut>(
    stream: &mut BufReader<S>,
    act: Act,
) -> io::Result<bool> {
    match act {
        Act::Reset => {
            stream.get_ref().socket().set_zero_linger()?;
            Ok(false)
        }
        Act::TakeALineThenReset => {
            stream.write_all(b"354 go on\r\n").await?;
            stream.flush().await?;
            stream.read_line(&mut String::new()).await?;
            stream.get_ref().socket().set_zero_linger()?;
            Ok(false)
        }
        Act::Late(after, text) => {
            tokio::time::sleep(after).await;
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            Ok(true)
        }
        Act::Say(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            Ok(true)
        }
        Act::SayAndForget(text) => {
            let forgotten = stream.buffer().len();
            stream.consume(forgotten);
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            Ok(true)
        }
        Act::SayThenStall(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            std::future::pending().await
        }
        Act::SayThenClose(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await?;
            stream.shutdown().await?;
            Ok(false)
        }
        Act::Close => {
            stream.shutdown().await?;
            Ok(false)
        }
        Act::Stall => std::future::pending().await,
    }
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Dot,
    /// The connection ended before.
    Broken,
}

/// The message without dot-stuffing.
async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut BufReader<S>,
) -> io::Result<(Vec<u8>, Ending)> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok((message, Ending::Broken));
        }
        if line == b".\r\n" {
            return Ok((message, Ending::Dot));
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
