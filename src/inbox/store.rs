//! Where received messages are kept: one `.eml` file a message, on stable storage before it is
//! acknowledged. The trace fields of RFC 5321 4.4 are put before the content, which is not touched.

use std::{
    fmt::Write as _,
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use super::{Received, session::Message};
use crate::{
    clock::Clock,
    error::{Error, Kind, Result},
    fs::{self, Access},
};

/// The column at which header lines are folded (RFC 5322 2.1.1).
const COLUMNS: usize = 78;
/// How many names are tried before the folder is given up; each other writer can take one.
const MOST_TRIES: usize = 1000;

/// The folder of the messages.
pub(super) struct Store {
    /// Nothing is kept where there is none.
    folder: Option<PathBuf>,
    hostname: String,
    clock: Arc<dyn Clock>,
    counter: AtomicU32,
}

impl Store {
    /// A store in `folder`, which is made where it is not there.
    pub(super) fn new(
        folder: Option<PathBuf>,
        hostname: String,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        if let Some(folder) = &folder {
            fs::create_folder(folder)?;
        }
        Ok(Self {
            folder,
            hostname,
            clock,
            counter: AtomicU32::new(0),
        })
    }

    /// Writes a message from `peer` and gives the name of its file, without `.eml`, as well.
    /// Several stores may share a folder: a name that another one took is left to it.
    pub(super) fn keep(&self, message: Message, peer: IpAddr) -> Result<(String, Received)> {
        let Some(folder) = &self.folder else {
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            return Ok((format!("{number:06}"), received(message, None)));
        };
        let hash = digest(&SHA256, &message.content);
        let hash = data_encoding::HEXLOWER.encode(hash.as_ref().get(..4).unwrap_or_default());
        for _ in 0..MOST_TRIES {
            let now = self.clock.now();
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number:06}-{hash}", stamp(now));
            let path = folder.join(format!("{name}.eml"));
            let mut file = self.trace(&message, peer, &name, now).into_bytes();
            file.extend_from_slice(&message.content);
            if fs::write_new(&path, &file, Access::Private)? {
                return Ok((name, received(message, Some(path))));
            }
        }
        Err(Error::new(
            Kind::CannotCreate,
            format!(
                "cannot find a free name for a message in `{}`",
                folder.display()
            ),
        ))
    }

    fn trace(&self, message: &Message, peer: IpAddr, name: &str, now: Timestamp) -> String {
        let mut trace = String::new();
        let return_path = format!("<{}>", message.return_path);
        field(&mut trace, "Return-Path:", &[&return_path]);
        for recipient in &message.recipients {
            field(&mut trace, "Delivered-To:", &[recipient]);
        }
        let literal = match peer.to_canonical() {
            IpAddr::V4(address) => format!("([{address}])"),
            IpAddr::V6(address) => format!("([IPv6:{address}])"),
        };
        let date = now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        field(
            &mut trace,
            "Received:",
            &[
                &format!("from {}", message.hello),
                &literal,
                &format!("by {}", self.hostname),
                &format!("with {}", message.protocol),
                &format!("id {name};"),
                &date,
            ],
        );
        trace
    }
}

fn received(message: Message, path: Option<PathBuf>) -> Received {
    Received {
        path,
        return_path: message.return_path,
        recipients: message.recipients,
        message_id: message_id(&message.content),
        bytes: message.content.len(),
    }
}

/// What the header says between the angle brackets of its Message-ID, be it on that line or folded
/// to the next.
fn message_id(content: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"message-id:";
    let mut rest = content;
    while let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line.trim_ascii().is_empty() {
            return None;
        }
        let is_it = line
            .get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME));
        if is_it {
            let value = rest.get(NAME.len()..)?;
            let start = value.iter().position(|octet| *octet == b'<')? + 1;
            let length = value
                .get(start..)?
                .iter()
                .position(|octet| *octet == b'>')?;
            let id = value.get(start..start + length)?;
            return String::from_utf8(id.to_vec()).ok();
        }
        rest = after;
    }
    None
}

/// `20261123-161820-123456`: sortable, and an atom, so that it can stand in a `Received` field.
fn stamp(now: Timestamp) -> String {
    now.strftime("%Y%m%d-%H%M%S-%6f").to_string()
}

/// Appends a header field, folded between its words where a line would be too long.
fn field(header: &mut String, name: &str, words: &[&str]) {
    header.push_str(name);
    let mut column = name.len();
    for word in words {
        if column + 1 + word.len() > COLUMNS {
            header.push_str("\r\n");
            column = 0;
        }
        // Writing to a string cannot fail.
        let _ = write!(header, " {word}");
        column += 1 + word.len();
    }
    header.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Manual;

    fn store(folder: &Path) -> Store {
        let now = "2026-11-23T16:18:20.123456Z".parse().unwrap();
        let clock = Arc::new(Manual::at(now));
        Store::new(Some(folder.to_owned()), "inbox.test".to_owned(), clock).unwrap()
    }

    fn message() -> Message {
        Message {
            return_path: "press@news.test".to_owned(),
            recipients: vec!["a@example.com".to_owned(), "\"b c\"@example.com".to_owned()],
            content: b"Subject: x\r\n\r\nHi\r\n".to_vec(),
            hello: "client.test".to_owned(),
            protocol: "ESMTP",
        }
    }

    #[test]
    fn a_message_is_kept_with_its_trace_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let (name, received) = store(folder.path())
            .keep(message(), IpAddr::from([127, 0, 0, 1]))
            .unwrap();
        assert_eq!(name, "20261123-161820-123456-000000-7d874f62");
        assert_eq!(
            received.path,
            Some(folder.path().join(format!("{name}.eml")))
        );
        assert_eq!(received.bytes, 18);
        assert_eq!(
            fs::read_text(&received.path.unwrap()).unwrap(),
            "Return-Path: <press@news.test>\r\n\
             Delivered-To: a@example.com\r\n\
             Delivered-To: \"b c\"@example.com\r\n\
             Received: from client.test ([127.0.0.1]) by inbox.test with ESMTP\r\n \
             id 20261123-161820-123456-000000-7d874f62; Mon, 23 Nov 2026 16:18:20 +0000\r\n\
             Subject: x\r\n\r\nHi\r\n"
        );
    }

    #[test]
    fn without_a_folder_a_message_is_taken_and_not_kept() {
        let clock = Arc::new(Manual::at(Timestamp::UNIX_EPOCH));
        let store = Store::new(None, "inbox.test".to_owned(), clock).unwrap();
        let mail = Message {
            content: b"Subject: x\r\nMESSAGE-ID:\r\n <a.1@b.test>\r\n\r\nHi\r\n".to_vec(),
            ..message()
        };
        let (name, received) = store.keep(mail, IpAddr::from([127, 0, 0, 1])).unwrap();
        assert_eq!(name, "000000");
        assert_eq!(received.path, None);
        assert_eq!(received.message_id.as_deref(), Some("a.1@b.test"));
    }

    #[test]
    fn a_message_id_is_found_in_the_header_alone() {
        assert_eq!(
            message_id(b"Message-ID: <1@a>\r\n\r\n").as_deref(),
            Some("1@a")
        );
        for content in [
            &b"Subject: x\r\n\r\nMessage-ID: <1@a>\r\n"[..],
            b"Message-ID: 1@a\r\n\r\n",
            b"Message-ID: <1@a",
            b"",
        ] {
            assert_eq!(message_id(content), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (_, received) = store(folder.path())
            .keep(message(), IpAddr::from([127, 0, 0, 1]))
            .unwrap();
        let mode = std::fs::metadata(received.path.unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn stores_that_share_a_folder_and_a_moment_share_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let stores = [(); 4].map(|()| store(folder.path()));
        let keep = |store: &Store| {
            [(); 10].map(|()| {
                let peer = IpAddr::from([127, 0, 0, 1]);
                store.keep(message(), peer).unwrap().1.path.unwrap()
            })
        };
        let mut paths: Vec<PathBuf> = std::thread::scope(|scope| {
            let threads = stores.each_ref().map(|store| scope.spawn(|| keep(store)));
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        paths.sort();
        assert_eq!(fs::list(folder.path()).unwrap(), paths);
    }

    #[test]
    fn lines_are_folded_where_they_can_be() {
        let mut header = String::new();
        field(&mut header, "Delivered-To:", &[&"x".repeat(80)]);
        assert_eq!(header, format!("Delivered-To:\r\n {}\r\n", "x".repeat(80)));
        // 78 columns are the most: `A: ` and 75 more.
        for (length, separator) in [(34, " "), (35, "\r\n ")] {
            let (first, second) = ("x".repeat(40), "y".repeat(length));
            let mut header = String::new();
            field(&mut header, "A:", &[&first, &second, "z"]);
            let third = if length == 34 { "\r\n z" } else { " z" };
            let expected = format!("A: {first}{separator}{second}{third}\r\n");
            assert_eq!(header, expected);
        }
    }
}
