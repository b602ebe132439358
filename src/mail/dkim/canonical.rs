//! Relaxed canonicalization (RFC 6376 3.4.2, 3.4.4): the form of a message that is hashed, which
//! relays can fold and pad without breaking the signature.

use aws_lc_rs::digest::{Context, SHA256};

/// The SHA-256 of a canonical body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyDigest(pub(super) [u8; 32]);

/// The hash of a body, piece by piece. It can be cloned anywhere, so that a beginning that many bodies
/// have in common is hashed once.
#[derive(Clone)]
pub struct BodyHash {
    digest: Context,
    body: Body,
}

impl Default for BodyHash {
    fn default() -> Self {
        Self::new()
    }
}

impl BodyHash {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            digest: Context::new(&SHA256),
            body: Body::default(),
        }
    }

    /// Goes on with the next piece, which may begin and end anywhere.
    pub fn update(&mut self, mut piece: &[u8]) {
        let mut canonical = Vec::with_capacity(piece.len().min(CHUNK) + BLOCK);
        while !piece.is_empty() {
            let (chunk, rest) = piece.split_at(piece.len().min(CHUNK));
            self.body.push(chunk, &mut canonical);
            self.digest.update(&canonical);
            canonical.clear();
            piece = rest;
        }
    }

    /// The hash of all of it.
    #[must_use]
    pub fn finish(mut self) -> BodyDigest {
        // A body that has nothing but blanks and line ends is the empty one.
        if self.body.has_content {
            self.digest.update(b"\r\n");
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(self.digest.finish().as_ref());
        BodyDigest(hash)
    }
}

/// How much is held in its canonical form at once: what fits the nearest cache.
const CHUNK: usize = 16 * 1024;
/// How much is looked at in one go for anything to change.
const BLOCK: usize = 256;

/// What was seen and does not count yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    /// Blanks: one if something follows on the line.
    blank: bool,
    /// A CR: half a line end, if LF follows.
    cr: bool,
    /// Line ends: they count if a line with something on it follows.
    ends: usize,
    /// Whether there was anything else.
    pub(super) has_content: bool,
}

impl Body {
    /// Appends the canonical form of the next piece.
    pub(super) fn push(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        while let Some(first) = piece.first() {
            let is_between = self.blank || self.cr;
            if !is_between && !is_white(*first) {
                let block = &piece[..piece.len().min(BLOCK)];
                let settled = settled(block);
                if settled > 0 {
                    self.flush(out);
                    out.extend_from_slice(&block[..settled]);
                    piece = &piece[settled..];
                    continue;
                }
            }
            // Something to change: a line at a time, or what there is of it.
            let line = memchr::memchr(b'\n', piece).map_or(piece.len(), |at| at + 1);
            let (line, rest) = piece.split_at(line);
            for byte in line {
                self.push_byte(*byte, out);
            }
            piece = rest;
        }
    }

    fn push_byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.cr {
            self.cr = false;
            if byte == b'\n' {
                // With it go the blanks before it.
                self.blank = false;
                self.ends += 1;
                return;
            }
            // A CR by itself is like any other character; our mails have none.
            self.content(b'\r', out);
        }
        match byte {
            b' ' | b'\t' => self.blank = true,
            b'\r' => self.cr = true,
            _ => self.content(byte, out),
        }
    }

    fn content(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.flush(out);
        if self.blank {
            self.blank = false;
            out.push(b' ');
        }
        out.push(byte);
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        for _ in 0..self.ends {
            out.extend_from_slice(b"\r\n");
        }
        self.ends = 0;
        self.has_content = true;
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// How much at the beginning of a block is canonical as it is, up to a character that is not white; 0
/// when anything in the block has to be changed. The block starts with such a character.
fn settled(block: &[u8]) -> usize {
    // Without a jump, so that the compiler can look at many octets at once. Empty lines are left out,
    // because those at the end do not count.
    let change = block.iter().zip(&block[1..]).fold(0, |found, (a, b)| {
        let blanks = u8::from(*a == b' ') & (u8::from(*b == b' ') | u8::from(*b == b'\r'));
        let empty_line = u8::from(*a == b'\n') & u8::from(*b == b'\r');
        found | blanks | empty_line | u8::from(*b == b'\t')
    });
    if change != 0 {
        return 0;
    }
    let last = block.iter().rposition(|byte| !is_white(*byte));
    last.map_or(0, |last| last + 1)
}

/// The header fields that a signature covers, in the order of `h=`.
pub(super) struct Covered {
    /// The names, as `h=` lists them.
    pub(super) names: Vec<&'static str>,
    /// The fields in canonical form, each with its line end.
    pub(super) canonical: Vec<u8>,
    /// The value of Date.
    pub(super) date: Option<String>,
}

/// Whether a field that is added later is to break the signature.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Later {
    /// It would change what the reader sees or where answers go, and no relay adds it.
    Breaks,
    /// It is harmless, or relays are known to add it.
    Passes,
}

/// What is covered where it is there. A field that may not be added later is listed once more than
/// there are (RFC 6376 5.4.2): so the end of `h=` stands for its absence.
const FIELDS: &[(&str, Later)] = &[
    ("From", Later::Breaks),
    ("To", Later::Breaks),
    ("Cc", Later::Breaks),
    ("Reply-To", Later::Breaks),
    ("Subject", Later::Breaks),
    ("Date", Later::Breaks),
    ("Message-ID", Later::Breaks),
    ("MIME-Version", Later::Breaks),
    ("Content-Type", Later::Breaks),
    // Some servers add one to a multipart, where it says nothing.
    ("Content-Transfer-Encoding", Later::Passes),
    ("List-Unsubscribe", Later::Breaks),
    ("List-Unsubscribe-Post", Later::Breaks),
    ("List-ID", Later::Passes),
    ("List-Help", Later::Passes),
    ("List-Subscribe", Later::Passes),
    ("List-Post", Later::Passes),
    ("List-Owner", Later::Passes),
    ("List-Archive", Later::Passes),
    // Large relays add one of their own.
    ("Feedback-ID", Later::Passes),
    ("CFBL-Address", Later::Passes),
    ("CFBL-Feedback-ID", Later::Passes),
    ("Auto-Submitted", Later::Passes),
    ("Precedence", Later::Passes),
];

impl Covered {
    /// What is covered of a block of header fields.
    pub(super) fn of(head: &[u8]) -> Self {
        let fields = fields(head);
        let mut names = Vec::with_capacity(2 * FIELDS.len());
        let mut canonical = Vec::with_capacity(head.len() + 64);
        let mut date = None;
        for (name, later) in FIELDS {
            // Of several, the lowest is the first (RFC 6376 5.4.2).
            for (_, value) in fields
                .iter()
                .rev()
                .filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            {
                let start = canonical.len() + name.len() + 1;
                relaxed_field(name.as_bytes(), value, &mut canonical);
                canonical.extend_from_slice(b"\r\n");
                if *name == "Date" {
                    date = String::from_utf8(canonical[start..].trim_ascii().to_vec()).ok();
                }
                names.push(*name);
            }
            if *later == Later::Breaks {
                names.push(name);
            }
        }
        Self {
            names,
            canonical,
            date,
        }
    }
}

/// Name and value of each field; lines that begin with a blank go on with the one before.
fn fields(head: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut fields = Vec::with_capacity(24);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', head)
        .map(|at| at + 1)
        .chain([head.len()])
    {
        if head
            .get(end)
            .is_some_and(|next| matches!(next, b' ' | b'\t'))
            || end <= start
        {
            continue;
        }
        let field = &head[start..end];
        if let Some(colon) = memchr::memchr(b':', field) {
            fields.push((field[..colon].trim_ascii_end(), &field[colon + 1..]));
        }
        start = end;
    }
    fields
}

/// Appends a field in canonical form, without a line end: the name in lower case, line ends taken out,
/// blanks run together, and none around the value.
pub(super) fn relaxed_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend(name.iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let mut is_first = true;
    for word in value.split(|byte| is_white(*byte)) {
        if word.is_empty() {
            continue;
        }
        if !is_first {
            out.push(b' ');
        }
        out.extend_from_slice(word);
        is_first = false;
    }
}
