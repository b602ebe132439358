//! A relay that takes every mail, counts it, and keeps nothing: what the senders in `bench/` send to.
//!
//!     sink PORT [--chunking] [--tls | --starttls] [--certificate FILE] [--delay-ms N] [--to PORT]
//!
//! It listens on 127.0.0.1, offers PIPELINING and 8BITMIME, and says where it listens (0 is any port
//! that is free). A line on its standard input is answered with what was counted since the last one,
//! as JSON; at the end of input it leaves.
//!
//! * `--chunking` offers CHUNKING, and `--no-pipelining` does not offer PIPELINING.
//! * `--tls` speaks TLS from the first byte, `--starttls` offers it; the certificate that vouches for
//!   `localhost` is made at the start and written to the file of `--certificate`.
//! * `--delay-ms` puts a link with such a round trip time before it ([`link`]), and `--to` lets that
//!   link lead to another server on this machine.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "it cannot begin without, and says what it has counted"
)]

mod link;
mod session;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};

/// What has been counted since somebody asked.
#[derive(Default)]
struct Counts {
    mails: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU64,
    /// How often all that was said had been answered, and a client had to hear of it: at most so many
    /// round trips were waited for. (Greetings count, and the handshakes below do not.)
    turns: AtomicU64,
    /// TLS sessions that took up an earlier one.
    resumed: AtomicU64,
}

impl Counts {
    fn take(&self) -> String {
        let counts = [
            ("mails", &self.mails),
            ("bytes", &self.bytes),
            ("connections", &self.connections),
            ("turns", &self.turns),
            ("resumed", &self.resumed),
        ];
        let fields = counts.map(|(name, count)| format!("\"{name}\": {}", count.swap(0, Relaxed)));
        format!("{{{}}}", fields.join(", "))
    }
}

/// What is offered in the answer to EHLO, and how the wire is kept secret.
struct Offer {
    pipelining: bool,
    chunking: bool,
    starttls: bool,
    tls: bool,
    certificate: Arc<ServerConfig>,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut port = None;
    let (mut delay, mut to, mut pem) = (None, None, None);
    let (mut pipelining, mut chunking, mut tls, mut starttls) = (true, false, false, false);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|text| text.parse::<u64>().ok());
        match argument.as_str() {
            "--no-pipelining" => pipelining = false,
            "--chunking" => chunking = true,
            "--tls" => tls = true,
            "--starttls" => starttls = true,
            "--certificate" => pem = arguments.next(),
            "--delay-ms" => delay = number().map(Duration::from_millis),
            "--to" => to = number(),
            // `cargo bench` runs whatever is in this folder.
            "--bench" => return println!("a sink measures nothing by itself: see bench/"),
            port_number => port = port_number.parse().ok(),
        }
    }
    let port = port.expect("a port, as in `sink 2626`");
    let (certificate, authority) = certificate();
    if let Some(path) = pem {
        std::fs::write(path, authority).expect("a file for the certificate");
    }
    let counts = Arc::new(Counts::default());
    let offer = Arc::new(Offer {
        pipelining,
        chunking,
        starttls,
        tls,
        certificate,
    });

    let listen =
        |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port that is free");
    let front = listen(port);
    let address = front.local_addr().expect("an address");
    let behind = match (delay, to) {
        (None, _) => Some(front),
        (Some(delay), Some(to)) => {
            let to = (Ipv4Addr::LOCALHOST, u16::try_from(to).expect("a port"));
            std::thread::spawn(move || link::run(&front, SocketAddr::from(to), delay));
            None
        }
        (Some(delay), None) => {
            let behind = listen(0);
            let to = behind.local_addr().expect("an address");
            std::thread::spawn(move || link::run(&front, to, delay));
            Some(behind)
        }
    };
    if let Some(listener) = behind {
        let counts = Arc::clone(&counts);
        std::thread::spawn(move || session::run(&listener, &offer, &counts));
    }

    println!("listening on {address}");
    for _ in std::io::stdin().lines() {
        println!("{}", counts.take());
    }
}

/// A certificate for `localhost` and this machine's address, and what a client must trust to trust it.
fn certificate() -> (Arc<ServerConfig>, String) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes());
    let config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .expect("TLS")
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key.expect("a key"))
    .expect("TLS");
    (Arc::new(config), made.cert.pem())
}
