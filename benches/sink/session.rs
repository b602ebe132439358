//! SMTP (RFC 5321) as far as a sink needs it, a thread a connection.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use rustls::{HandshakeKind, ServerConnection, StreamOwned};

use super::{Counts, Offer};

const END: &[u8] = b"\r\n.\r\n";

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// Takes connections for ever.
pub fn run(listener: &TcpListener, offer: &Arc<Offer>, counts: &Arc<Counts>) {
    for socket in listener.incoming().flatten() {
        let (offer, counts) = (Arc::clone(offer), Arc::clone(counts));
        counts.connections.fetch_add(1, Relaxed);
        // Whoever hangs up has ended the session; there is nobody to tell.
        std::thread::spawn(move || serve(socket, &offer, &counts));
    }
}

fn serve(socket: TcpStream, offer: &Offer, counts: &Counts) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let clear = socket.try_clone()?;
    let stream: Box<dyn Stream> = match offer.tls {
        true => encrypt(socket, offer, counts)?,
        false => Box::new(socket),
    };
    let mut session = Session {
        stream,
        input: vec![0; 1 << 18],
        start: 0,
        end: 0,
        answers: b"220 sink.example ESMTP\r\n".to_vec(),
        counts,
    };
    session.talk(clear, offer)
}

fn encrypt(socket: TcpStream, offer: &Offer, counts: &Counts) -> io::Result<Box<dyn Stream>> {
    let tls = ServerConnection::new(Arc::clone(&offer.certificate)).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, socket);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
        counts.resumed.fetch_add(1, Relaxed);
    }
    Ok(Box::new(stream))
}

struct Session<'a> {
    stream: Box<dyn Stream>,
    /// What has been read and not yet understood is from `start` to `end`.
    input: Vec<u8>,
    start: usize,
    end: usize,
    /// Said when there is nothing more to understand: that is what makes pipelining one turn.
    answers: Vec<u8>,
    counts: &'a Counts,
}

impl Session<'_> {
    fn talk(&mut self, clear: TcpStream, offer: &Offer) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let command = &self.input[line.clone()];
            let verb = command.get(..4).unwrap_or(command).to_ascii_uppercase();
            match verb.as_slice() {
                b"EHLO" => {
                    // The first line is our name, and offers nothing.
                    self.say("250-sink.example");
                    let tls = offer.starttls.then_some("STARTTLS");
                    let pipelining = offer.pipelining.then_some("PIPELINING");
                    let chunking = offer.chunking.then_some("CHUNKING");
                    for word in [tls, pipelining, chunking].into_iter().flatten() {
                        self.say(&format!("250-{word}"));
                    }
                    self.say("250-8BITMIME");
                    self.say("250 SIZE 0");
                }
                b"DATA" => {
                    self.say("354 go ahead");
                    // The line end of DATA belongs to it: a dot may follow at once.
                    self.start = line.end - 2;
                    self.text()?;
                    self.taken();
                }
                b"BDAT" => {
                    let words = String::from_utf8_lossy(command).to_ascii_uppercase();
                    let mut words = words.split_whitespace().skip(1);
                    let size = words.next().and_then(|size| size.parse().ok());
                    let is_last = words.next() == Some("LAST");
                    self.skip(size.ok_or(io::ErrorKind::InvalidData)?)?;
                    match is_last {
                        true => self.taken(),
                        false => self.say("250 ok"),
                    }
                }
                b"STAR" => {
                    self.say("220 go ahead");
                    self.flush()?;
                    self.stream = encrypt(clear.try_clone()?, offer, self.counts)?;
                }
                b"QUIT" => {
                    self.say("221 bye");
                    return self.flush();
                }
                b"HELO" | b"MAIL" | b"RCPT" | b"RSET" | b"NOOP" => self.say("250 ok"),
                _ => self.say("500 what?"),
            }
        }
    }

    /// The next line, with its end.
    fn line(&mut self) -> io::Result<std::ops::Range<usize>> {
        loop {
            let unread = &self.input[self.start..self.end];
            if let Some(at) = memchr::memmem::find(unread, b"\r\n") {
                let line = self.start..self.start + at + 2;
                self.start = line.end;
                return Ok(line);
            }
            self.read()?;
        }
    }

    /// Passes over a message to the end of its final dot.
    fn text(&mut self) -> io::Result<()> {
        loop {
            let unread = &self.input[self.start..self.end];
            if let Some(at) = memchr::memmem::find(unread, END) {
                self.count(at);
                self.start += at + END.len();
                return Ok(());
            }
            // Of the end, all but a byte may have come.
            let passed = unread.len().saturating_sub(END.len() - 1);
            self.count(passed);
            self.start += passed;
            self.read()?;
        }
    }

    /// Passes over so many bytes.
    fn skip(&mut self, mut bytes: usize) -> io::Result<()> {
        self.count(bytes);
        while bytes > self.end - self.start {
            bytes -= self.end - self.start;
            self.start = self.end;
            self.read()?;
        }
        self.start += bytes;
        Ok(())
    }

    fn count(&self, bytes: usize) {
        self.counts.bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn taken(&mut self) {
        self.counts.mails.fetch_add(1, Relaxed);
        self.say("250 2.0.0 taken");
    }

    fn say(&mut self, answer: &str) {
        self.answers.extend_from_slice(answer.as_bytes());
        self.answers.extend_from_slice(b"\r\n");
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.answers.is_empty() {
            self.counts.turns.fetch_add(1, Relaxed);
            self.stream.write_all(&self.answers)?;
            self.stream.flush()?;
            self.answers.clear();
        }
        Ok(())
    }

    /// Answers what is to be answered, and waits for more.
    fn read(&mut self) -> io::Result<()> {
        self.flush()?;
        self.input.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        match self.stream.read(&mut self.input[self.end..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => {
                self.end += bytes;
                Ok(())
            }
        }
    }
}
