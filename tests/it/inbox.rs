//! The sandbox inbox over real sockets.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use letterpress::{
    clock::Manual,
    error::{Kind, Result},
    fs,
    inbox::{Inbox, Options, Received, Tls},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Runtime,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

const GREETING: &str = "220 localhost ESMTP letterpress inbox";

/// A server of its own for a test, with its folder.
struct Sandbox {
    runtime: Runtime,
    folder: tempfile::TempDir,
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<()>>,
}

impl Sandbox {
    fn start(change: impl FnOnce(&mut Options)) -> Self {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options::new(folder.path().join("sandbox"));
        change(&mut options);
        let clock = Arc::new(Manual::at("2026-11-23T08:00:00Z".parse().unwrap()));
        let inbox = runtime.block_on(Inbox::bind(options, clock)).unwrap();
        let address = inbox.address();
        let received = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&received);
        let (stop, stopped) = oneshot::channel();
        let serving = runtime
            .spawn(inbox.serve(move |mail| seen.lock().unwrap().push(mail.clone()), stopped));
        Self {
            runtime,
            folder,
            address,
            received,
            stop,
            serving,
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        Client(BufReader::new(stream))
    }

    fn files(&self) -> Vec<PathBuf> {
        fs::list(&self.folder.path().join("sandbox")).unwrap()
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.serving).unwrap().unwrap();
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn say(&mut self, words: &str) {
        self.0.get_mut().write_all(words.as_bytes()).unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "it hung up");
        line.trim_end_matches("\r\n").to_owned()
    }

    /// All that is said until the server hangs up; then the client does, too.
    fn hear_all(mut self) -> Vec<String> {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).unwrap();
        rest.split_terminator("\r\n").map(str::to_owned).collect()
    }
}

#[test]
fn a_pipelined_session_with_two_messages() {
    let sandbox = Sandbox::start(|_| {});
    let mut client = sandbox.connect();
    assert_eq!(client.hear(), GREETING);
    client.say(
        "EHLO client.test\r\n\
         MAIL FROM:<press@news.test>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\
         Subject: one\r\n\r\n..\r\n.\r\n\
         MAIL FROM:<>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n\
         Subject: two\r\n\r\n.\r\n\
         QUIT\r\n",
    );
    assert_eq!(
        client.hear_all(),
        [
            "250-localhost greets you",
            "250-PIPELINING",
            "250-8BITMIME",
            "250-SIZE 26214400",
            "250 ENHANCEDSTATUSCODES",
            "250 2.1.0 sender is fine",
            "250 2.1.5 recipient is fine",
            "250 2.1.5 recipient is fine",
            "354 send the message; a line with a dot alone ends it",
            "250 2.0.0 kept as 20261123-080000-000000-000000-39d4ab4b",
            "250 2.1.0 sender is fine",
            "250 2.1.5 recipient is fine",
            "354 send the message; a line with a dot alone ends it",
            "250 2.0.0 kept as 20261123-080000-000000-000001-280ff5e1",
            "221 2.0.0 goodbye",
        ]
    );
    let files = sandbox.files();
    let received = sandbox.received.lock().unwrap().clone();
    let folder = sandbox.folder.path().join("sandbox");
    assert_eq!(
        received,
        [
            Received {
                path: Some(folder.join("20261123-080000-000000-000000-39d4ab4b.eml")),
                return_path: "press@news.test".to_owned(),
                recipients: vec!["a@example.com".to_owned(), "b@example.com".to_owned()],
                message_id: None,
                bytes: 19,
            },
            Received {
                path: Some(folder.join("20261123-080000-000000-000001-280ff5e1.eml")),
                return_path: String::new(),
                recipients: vec!["c@example.com".to_owned()],
                message_id: None,
                bytes: 16,
            },
        ]
    );
    assert_eq!(
        files.iter().map(Some).collect::<Vec<_>>(),
        [received[0].path.as_ref(), received[1].path.as_ref()]
    );
    assert_eq!(
        fs::read_text(&files[0]).unwrap(),
        "Return-Path: <press@news.test>\r\n\
         Delivered-To: a@example.com\r\n\
         Delivered-To: b@example.com\r\n\
         Received: from client.test ([127.0.0.1]) by localhost with ESMTP\r\n \
         id 20261123-080000-000000-000000-39d4ab4b; Mon, 23 Nov 2026 08:00:00 +0000\r\n\
         Subject: one\r\n\r\n.\r\n"
    );
    sandbox.stop();
}

#[test]
fn commands_and_data_in_single_octets() {
    let sandbox = Sandbox::start(|_| {});
    let mut client = sandbox.connect();
    client.0.get_ref().set_nodelay(true).unwrap();
    for octet in
        "EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n.a\r\n..\r\n.\r\nQUIT\r\n".chars()
    {
        client.say(&octet.to_string());
    }
    let heard = client.hear_all();
    assert_eq!(heard.last().unwrap(), "221 2.0.0 goodbye");
    let file = fs::read_text(&sandbox.files()[0]).unwrap();
    assert!(file.ends_with(" +0000\r\na\r\n.\r\n"), "{file}");
    sandbox.stop();
}

#[test]
fn the_size_is_limited_at_mail_and_at_the_dot() {
    let sandbox = Sandbox::start(|options| options.max_message_bytes = 100_000);
    let mut client = sandbox.connect();
    let long = format!("{}\r\n", "x".repeat(998)).repeat(101);
    client.say("EHLO a\r\nMAIL FROM:<a@b> SIZE=100001\r\nMAIL FROM:<a@b> SIZE=100000\r\n");
    client.say("RCPT TO:<a@b>\r\nDATA\r\n");
    client.say(&format!("{long}.\r\nQUIT\r\n"));
    assert_eq!(
        client.hear_all()[6..],
        [
            "552 5.3.4 the message is larger than 100000 octets",
            "250 2.1.0 sender is fine",
            "250 2.1.5 recipient is fine",
            "354 send the message; a line with a dot alone ends it",
            "552 5.3.4 the message is larger than 100000 octets",
            "221 2.0.0 goodbye",
        ]
    );
    assert!(sandbox.files().is_empty());
    sandbox.stop();
}

#[test]
fn one_client_too_many_is_told_so() {
    let sandbox = Sandbox::start(|options| options.max_connections = 1);
    let mut first = sandbox.connect();
    assert_eq!(first.hear(), GREETING);
    let second = sandbox.connect();
    assert_eq!(
        second.hear_all(),
        ["421 4.7.0 too many connections; come back later"]
    );
    first.say("NOOP\r\n");
    assert_eq!(first.hear(), "250 2.0.0 at your service");
    drop(first);
    sandbox.stop();
}

#[test]
fn a_stop_ends_idle_sessions_and_lets_the_others_finish() {
    let sandbox = Sandbox::start(|_| {});
    let mut idle = sandbox.connect();
    assert_eq!(idle.hear(), GREETING);
    let mut busy = sandbox.connect();
    busy.say("HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
    for _ in 0..4 {
        busy.hear();
    }
    assert!(busy.hear().starts_with("354 "));
    sandbox.stop.send(()).unwrap();
    assert_eq!(idle.hear_all(), ["421 4.3.2 going down; goodbye"]);
    busy.say("Subject: last\r\n\r\n.\r\n");
    assert!(busy.hear().starts_with("250 2.0.0 kept as "));
    assert_eq!(busy.hear_all(), ["421 4.3.2 going down; goodbye"]);
    sandbox.runtime.block_on(sandbox.serving).unwrap().unwrap();
    assert_eq!(sandbox.received.lock().unwrap().len(), 1);
    assert!(TcpStream::connect(sandbox.address).is_err());
}

#[test]
fn an_address_that_is_taken_is_an_error() {
    let sandbox = Sandbox::start(|_| {});
    let mut options = Options::new(sandbox.folder.path());
    options.listen = sandbox.address;
    let clock = Arc::new(Manual::at(jiff::Timestamp::UNIX_EPOCH));
    let error = match sandbox.runtime.block_on(Inbox::bind(options, clock)) {
        Ok(_) => panic!("two servers listen on {}", sandbox.address),
        Err(error) => error,
    };
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(
        error.message(),
        format!("cannot listen on `{}`", sandbox.address)
    );
    sandbox.stop();
}

fn certificate() -> (Tls, RootCertStore) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls {
        cert_pem: certified.cert.pem().into_bytes(),
        key_pem: certified.signing_key.serialize_pem().into_bytes(),
    };
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&tls.cert_pem).unwrap())
        .unwrap();
    (tls, roots)
}

#[test]
fn starttls_begins_a_new_session_inside_tls() {
    let (tls, roots) = certificate();
    let sandbox = Sandbox::start(|options| options.tls = Some(tls));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = sandbox.address;
    let heard = sandbox.runtime.block_on(async move {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let words = b"EHLO a\r\nMAIL FROM:<clear@b>\r\nSTARTTLS\r\n";
        stream.write_all(words).await.unwrap();
        let mut clear = Vec::new();
        while !clear.ends_with(b"220 2.0.0 begin the handshake\r\n") {
            assert_ne!(stream.read_buf(&mut clear).await.unwrap(), 0);
        }
        let clear = String::from_utf8(clear).unwrap();
        assert!(clear.contains("250-STARTTLS\r\n"), "{clear}");
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap();
        let words = b"RCPT TO:<c@d>\r\nEHLO a\r\n\
            MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n";
        stream.write_all(words).await.unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).await.unwrap();
        heard
    });
    let heard: Vec<&str> = heard.lines().collect();
    assert_eq!(heard[0], "503 5.5.1 MAIL comes before RCPT");
    assert!(!heard.contains(&"250-STARTTLS"), "{heard:?}");
    assert_eq!(heard.last().unwrap(), &"221 2.0.0 goodbye");
    let file = fs::read_text(&sandbox.files()[0]).unwrap();
    assert!(file.contains(" with ESMTPS\r\n"), "{file}");
    assert!(file.starts_with("Return-Path: <a@b>\r\n"), "{file}");
    sandbox.stop();
}

#[test]
fn clear_text_in_place_of_a_handshake_reaches_no_session() {
    let (tls, _) = certificate();
    let sandbox = Sandbox::start(|options| options.tls = Some(tls));
    let mut client = sandbox.connect();
    client.say("EHLO a\r\nSTARTTLS\r\n");
    while client.hear() != "220 2.0.0 begin the handshake" {}
    client.say("EHLO a\r\nMAIL FROM:<evil@b>\r\n");
    let mut answer = Vec::new();
    // The server may reset the connection; whatever it sends is no reply.
    let _ = client.0.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"2"), "{answer:?}");
    sandbox.stop();
}
