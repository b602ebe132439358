//! Sockets: moves octets between clients and their sessions, and keeps the deadlines. What is said is
//! the session's business.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    Options, Received,
    command::is_host_name,
    reply::Reply,
    session::{Message, Rules, Security, Session, Step},
    store::Store,
    tls,
};
use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
};

/// How much is read at once, in octets: a mail of the usual size in one go.
const READ: usize = 64 * 1024;
/// How long a slow answer takes.
const SLOWNESS: Duration = Duration::from_millis(100);
/// How long open sessions may go on once the server is told to stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long a client that was told goodbye may take to hang up.
const FAREWELL: Duration = Duration::from_secs(1);
/// The pause after a connection that could not be taken, as when there are no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The sandbox SMTP server, listening.
pub struct Inbox {
    listener: TcpListener,
    address: SocketAddr,
    max_connections: usize,
    house: House,
}

/// What all sessions share.
struct House {
    rules: Arc<Rules>,
    store: Store,
    acceptor: Option<TlsAcceptor>,
    idle: Duration,
    on_mail: Box<dyn Fn(&Received) + Send + Sync>,
    first_failure: Mutex<Option<Error>>,
}

impl Inbox {
    /// Makes the folder and begins to listen. Clients can connect from here on; they are answered
    /// once [`Inbox::serve`] runs.
    ///
    /// # Errors
    ///
    /// [`Kind::Unavailable`] when the address cannot be had, [`Kind::Settings`] for a bad host name
    /// or certificate, and what making the folder brings.
    pub async fn bind(options: Options, clock: Arc<dyn Clock>) -> Result<Self> {
        if !is_host_name(&options.hostname) {
            return Err(Error::new(
                Kind::Settings,
                format!("`{}` is not a host name", options.hostname.escape_default()),
            ));
        }
        let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
        let store = Store::new(options.folder, options.hostname.clone(), clock)?;
        let cannot_listen = |cause: io::Error| {
            Error::new(
                Kind::Unavailable,
                format!("cannot listen on `{}`", options.listen),
            )
            .because(&cause)
            .hint("Choose another port; port 0 takes any that is free.")
        };
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        Ok(Self {
            listener,
            address,
            max_connections: options.max_connections,
            house: House {
                rules: Arc::new(Rules {
                    hostname: options.hostname,
                    max_message_bytes: options.max_message_bytes,
                    max_recipients: options.max_recipients,
                    manners: options.manners,
                }),
                store,
                acceptor,
                idle: options.idle,
                on_mail: Box::new(|_| {}),
                first_failure: Mutex::new(None),
            },
        })
    }

    /// Where it listens, with the port that was taken for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves. Then no client is taken any more, sessions without an open
    /// transaction are told goodbye, and the others have two seconds to finish.
    ///
    /// `on_mail` is called for each message that is on stable storage, before the client hears so,
    /// on a thread that it may block.
    ///
    /// # Errors
    ///
    /// The first failure to write a message, told when all is over: the server goes on, as its
    /// client was asked to come again (451).
    pub async fn serve(
        self,
        on_mail: impl Fn(&Received) + Send + Sync + 'static,
        stop: impl Future,
    ) -> Result<()> {
        let house = Arc::new(House {
            on_mail: Box::new(on_mail),
            ..self.house
        });
        let places = Arc::new(Semaphore::new(
            self.max_connections.min(Semaphore::MAX_PERMITS),
        ));
        let (stopping, is_stopping) = watch::channel(false);
        let mut sessions = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                Some(_) = sessions.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let (house, is_stopping) = (Arc::clone(&house), is_stopping.clone());
                        let place = Arc::clone(&places).try_acquire_owned();
                        // A connection that breaks is the client's loss; there is nobody to tell.
                        sessions.spawn(async move {
                            match place {
                                Ok(_place) => house.receive(stream, peer.ip(), is_stopping).await,
                                Err(_) => turn_away(stream).await,
                            }
                        });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(self.listener);
        // Sessions look at the value; that none may be left to do so is no error.
        let _ = stopping.send(true);
        let all_over = async { while sessions.join_next().await.is_some() {} };
        if timeout(GRACE, all_over).await.is_err() {
            sessions.shutdown().await;
        }
        let failure = house.failure().take();
        failure.map_or(Ok(()), Err)
    }
}

/// How a conversation ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Closed,
    StartTls,
}

impl House {
    /// One connection, from the greeting to the end.
    async fn receive(
        self: Arc<Self>,
        mut stream: TcpStream,
        peer: IpAddr,
        mut is_stopping: watch::Receiver<bool>,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let security = match &self.acceptor {
            Some(_) => Security::Offered,
            None => Security::Clear,
        };
        let mut session = Session::new(Arc::clone(&self.rules), security);
        let ending = self
            .converse(&mut stream, &mut session, peer, &mut is_stopping)
            .await?;
        if let (Ending::StartTls, Some(acceptor)) = (ending, &self.acceptor) {
            let mut stream = timeout(self.idle, acceptor.accept(stream)).await??;
            let mut session = session.secured();
            self.converse(&mut stream, &mut session, peer, &mut is_stopping)
                .await?;
        }
        Ok(())
    }

    /// Feeds a session from `stream` and sends its replies: once for all that was read at once.
    async fn converse(
        self: &Arc<Self>,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        session: &mut Session,
        peer: IpAddr,
        is_stopping: &mut watch::Receiver<bool>,
    ) -> io::Result<Ending> {
        let mut buffer = vec![0; READ];
        let mut unread = 0..0;
        loop {
            let mut input = buffer.get(unread.clone()).unwrap_or_default();
            let step = session.advance(&mut input);
            unread.start = unread.end - input.len();
            match step {
                Step::Keep(message) => {
                    let name = self.keep(message, peer).await;
                    session.kept(name.as_deref());
                }
                Step::StartTls => {
                    self.send(stream, session).await?;
                    return Ok(Ending::StartTls);
                }
                Step::Close => {
                    self.send(stream, session).await?;
                    hang_up(stream).await;
                    return Ok(Ending::Closed);
                }
                Step::Pause => sleep(SLOWNESS).await,
                Step::Drop => {
                    self.send(stream, session).await?;
                    return Ok(Ending::Closed);
                }
                Step::Stall => {
                    self.send(stream, session).await?;
                    tokio::select! {
                        _ = is_stopping.wait_for(|is| *is) => {}
                        () = silence(stream) => {}
                        () = sleep(self.idle) => {}
                    }
                    return Ok(Ending::Closed);
                }
                Step::Read => {
                    self.send(stream, session).await?;
                    tokio::select! {
                        biased;
                        _ = is_stopping.wait_for(|is| *is), if session.is_at_rest() => {
                            session.end(&Reply::new(421, "4.3.2", "going down; goodbye"));
                        }
                        octets = stream.read(&mut buffer) => match octets? {
                            0 => return Ok(Ending::Closed),
                            octets => unread = 0..octets,
                        },
                        () = sleep(self.idle) => {
                            let text = format!("nothing came for {} s; goodbye", self.idle.as_secs());
                            session.end(&Reply::new(421, "4.4.2", text));
                        }
                    }
                }
            }
        }
    }

    async fn send(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        session: &mut Session,
    ) -> io::Result<()> {
        let replies = session.take_replies();
        if !replies.is_empty() {
            timeout(self.idle, async {
                stream.write_all(&replies).await?;
                stream.flush().await
            })
            .await??;
        }
        Ok(())
    }

    /// Keeps a message, away from the threads of the runtime; the name of its file, if it was kept.
    async fn keep(self: &Arc<Self>, message: Message, peer: IpAddr) -> Option<String> {
        let house = Arc::clone(self);
        let keeping = tokio::task::spawn_blocking(move || {
            let (name, received) = house.store.keep(message, peer)?;
            (house.on_mail)(&received);
            Ok(name)
        });
        match keeping.await {
            Ok(Ok(name)) => Some(name),
            Ok(Err(error)) => {
                self.failure().get_or_insert(error);
                None
            }
            Err(cause) => {
                let error = Error::bug("keeping a message came to a sudden end").because(&cause);
                self.failure().get_or_insert(error);
                None
            }
        }
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.first_failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn turn_away(mut stream: TcpStream) -> io::Result<()> {
    let mut wire = Vec::new();
    Reply::new(421, "4.7.0", "too many connections; come back later").write(&mut wire);
    timeout(FAREWELL, stream.write_all(&wire)).await??;
    hang_up(&mut stream).await;
    Ok(())
}

/// Listens without a word, until the client gives up.
async fn silence(stream: &mut (impl AsyncRead + Unpin)) {
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest).await, Ok(1..)) {}
}

/// Closes our side and waits for the client to close its own: a socket that is dropped with octets
/// unread is reset, and the last reply would be lost with it.
async fn hang_up(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut rest = [0; 1024];
    let farewell = async {
        if stream.shutdown().await.is_ok() {
            while matches!(stream.read(&mut rest).await, Ok(1..)) {}
        }
    };
    // Whether the client was polite or not, the connection is over.
    let _ = timeout(FAREWELL, farewell).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Manual,
        inbox::{Fault, Manners, Moment},
    };

    /// Does the same whenever a mail would be accepted.
    #[derive(Debug)]
    struct At(Fault);

    impl Manners for At {
        fn fault(&self, moment: Moment<'_>) -> Option<Fault> {
            matches!(moment, Moment::Dot(_)).then_some(self.0)
        }
    }

    fn house(folder: &std::path::Path) -> Arc<House> {
        misbehaving(folder, None)
    }

    fn misbehaving(folder: &std::path::Path, manners: Option<Arc<dyn Manners>>) -> Arc<House> {
        let clock = Arc::new(Manual::at(jiff::Timestamp::UNIX_EPOCH));
        Arc::new(House {
            rules: Arc::new(Rules {
                hostname: "inbox.test".to_owned(),
                max_message_bytes: 1000,
                max_recipients: 1,
                manners,
            }),
            store: Store::new(Some(folder.to_owned()), "inbox.test".to_owned(), clock).unwrap(),
            acceptor: None,
            idle: Duration::from_secs(300),
            on_mail: Box::new(|_| {}),
            first_failure: Mutex::new(None),
        })
    }

    /// What a client hears that says `words` and then nothing more, and never hangs up.
    async fn heard(house: Arc<House>, words: &[u8], is_stopping: bool) -> String {
        let (mut client, mut server) = tokio::io::duplex(4096);
        let (_sender, mut stopping) = watch::channel(is_stopping);
        client.write_all(words).await.unwrap();
        let mut session = Session::new(Arc::clone(&house.rules), Security::Clear);
        let peer = IpAddr::from([127, 0, 0, 1]);
        house
            .converse(&mut server, &mut session, peer, &mut stopping)
            .await
            .unwrap();
        drop(server);
        let mut heard = String::new();
        client.read_to_string(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_told_goodbye_after_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let before = tokio::time::Instant::now();
        let heard = heard(house(folder.path()), b"NOOP\r\nNOO", false).await;
        assert_eq!(
            heard,
            "220 inbox.test ESMTP letterpress inbox\r\n\
             250 2.0.0 at your service\r\n\
             421 4.4.2 nothing came for 300 s; goodbye\r\n"
        );
        let waited = before.elapsed();
        assert_eq!(waited, Duration::from_secs(300) + FAREWELL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_at_rest_ends_when_the_server_stops() {
        let folder = tempfile::tempdir().unwrap();
        let heard = heard(house(folder.path()), b"", true).await;
        assert_eq!(
            heard,
            "220 inbox.test ESMTP letterpress inbox\r\n421 4.3.2 going down; goodbye\r\n"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn faults_take_the_time_and_the_mail_that_they_should() {
        for (fault, last, takes, kept) in [
            (
                Fault::Slow,
                "250 2.0.0 kept as ",
                Some(SLOWNESS + FAREWELL),
                1,
            ),
            (Fault::DropBefore, "354 ", None, 0),
            (Fault::DropAfter, "354 ", None, 1),
            // The client of this test is the one that does not give up.
            (Fault::Stall, "354 ", Some(Duration::from_secs(300)), 0),
            (Fault::StallAfter, "354 ", Some(Duration::from_secs(300)), 1),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let house = misbehaving(folder.path(), Some(Arc::new(At(fault))));
            let before = tokio::time::Instant::now();
            let words = b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nQUIT\r\n";
            let heard = heard(house, words, false).await;
            let ending = heard
                .lines()
                .rfind(|line| !line.starts_with("221"))
                .unwrap_or_default();
            assert!(ending.starts_with(last), "{fault:?}: {heard}");
            assert_eq!(before.elapsed(), takes.unwrap_or_default(), "{fault:?}");
            assert_eq!(
                crate::fs::list(folder.path()).unwrap().len(),
                kept,
                "{fault:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_cannot_be_written_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let house = house(folder.path());
        std::fs::remove_dir(folder.path()).unwrap();
        std::fs::write(folder.path(), "in the way").unwrap();
        let words = b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nQUIT\r\n";
        let heard = heard(Arc::clone(&house), words, false).await;
        assert!(heard.contains("\r\n451 4.3.0 "), "{heard}");
        let failure = house.failure().take().unwrap();
        assert_eq!(failure.kind(), Kind::CannotCreate);
        std::fs::remove_file(folder.path()).unwrap();
    }
}
