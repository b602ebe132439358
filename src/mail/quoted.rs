//! Quoted-printable (RFC 2045 6.7), as a stream of pieces of text and of [`Plate`]s: pieces that were
//! encoded before. Texts in, ASCII out; the same octets however a text is cut into pieces.
//!
//! Where a line is full depends on all that stands in it. If lines were simply filled, one name more
//! or less would move every soft line break up to the next real one, and pages that MJML becomes have
//! lines of 60 KB. So a break goes where the text itself says: of the places in the last two thirds
//! of a full line, to the one that ranks highest ([`best_place`]). Two copies of a text that begin at
//! different columns choose the same place after a line or two, and from there on they are the same.
//!
//! Beyond what the standard asks, no line starts with a dot or with `From `, so that neither a relay
//! nor a mailbox file has to stuff it, and no character is cut in two at the end of a line.

use super::encode::{BODY_COLUMNS, HEX, further_octets};

/// Soft line breaks leave room for the `=` that ends the line.
const ROOM: usize = BODY_COLUMNS - 1;
/// A soft line break leaves at least so much in its line.
const LEAST: usize = ROOM / 3;
const FROM: &[u8] = b"From";

/// A text in the making, whose end is that of `out`.
#[derive(Debug)]
pub(super) struct Quoted {
    /// Where the line begins in `out`.
    line: usize,
    /// Whether a line feed would still belong to the line end before.
    after_return: bool,
}

/// A piece of text that many mails have in common: encoded as if a line began with it.
#[derive(Debug)]
pub(super) struct Plate {
    text: String,
    encoded: Vec<u8>,
    /// Where lines begin, in the text and in what it became.
    lines: Vec<(usize, usize)>,
    after_return: bool,
    /// See [`further_octets`].
    further_octets: usize,
}

impl Plate {
    pub(super) fn new(text: &str) -> Self {
        let mut encoded = Vec::with_capacity(text.len() * 9 / 8);
        let mut quoted = Quoted::new(&encoded);
        let mut lines = vec![(0, 0)];
        let mut at = 0;
        while let Some(next) = quoted.line(text.as_bytes(), at, &mut encoded) {
            at = next;
            lines.push((at - octets(quoted.open_line(&encoded)), quoted.line));
        }
        Self {
            text: text.to_owned(),
            further_octets: further_octets(text),
            lines,
            after_return: quoted.after_return,
            encoded,
        }
    }

    /// The text itself.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// See [`further_octets`].
    pub(super) fn further_octets(&self) -> usize {
        self.further_octets
    }
}

impl Quoted {
    /// Begins a text at the end of `out`.
    pub(super) fn new(out: &[u8]) -> Self {
        Self {
            line: out.len(),
            after_return: false,
        }
    }

    /// Appends a piece of text.
    pub(super) fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        out.reserve(text.len() + text.len() / 8);
        let mut at = 0;
        while let Some(next) = self.line(text.as_bytes(), at, out) {
            at = next;
        }
    }

    /// Appends a plate, as [`Self::text`] appends its text: octet by octet up to where a line begins
    /// that begins in the plate, too.
    pub(super) fn plate(&mut self, plate: &Plate, out: &mut Vec<u8>) {
        let bytes = plate.text.as_bytes();
        let mut known = (self.line == out.len() && !self.after_return).then_some(0);
        let mut at = 0;
        while known.is_none() {
            let Some(next) = self.line(bytes, at, out) else {
                return;
            };
            at = next;
            // What came before the plate may have moved into this line.
            let start = at.checked_sub(octets(self.open_line(out)));
            let found = start.map(|start| plate.lines.binary_search_by_key(&start, |line| line.0));
            if let Some(Ok(line)) = found {
                known = plate.lines.get(line).map(|line| line.1);
            }
        }
        out.truncate(self.line);
        out.extend_from_slice(
            plate
                .encoded
                .get(known.unwrap_or_default()..)
                .unwrap_or_default(),
        );
        let last = plate.lines.last().map_or(0, |line| line.1);
        self.line = out.len() - (plate.encoded.len() - last);
        self.after_return = plate.after_return;
    }

    /// Ends the text.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        self.keep_trailing_blank(out);
    }

    /// What stands in the line so far.
    fn open_line<'a>(&self, out: &'a [u8]) -> &'a [u8] {
        out.get(self.line..).unwrap_or_default()
    }

    /// Appends `bytes` from `at`, up to where the next line begins: then says how far it came. At the
    /// end of the bytes it says nothing.
    fn line(&mut self, bytes: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
        if self.after_return {
            let first = bytes.get(at)?;
            self.after_return = false;
            at += usize::from(*first == b'\n');
        }
        loop {
            let rest = bytes.get(at..)?;
            let byte = *rest.first()?;
            let line = self.open_line(out);
            let column = line.len();
            let room = match column {
                0 if byte == b'.' => {
                    octet(byte, out);
                    at += 1;
                    continue;
                }
                4 if byte == b' ' && line == FROM => {
                    octet(byte, out);
                    at += 1;
                    continue;
                }
                0 if byte != b'F' => ROOM,
                0..4 if FROM.starts_with(line) => FROM.len() - column,
                _ => ROOM - column,
            };
            let plain = plain_run(rest, room);
            if plain > 0 {
                out.extend_from_slice(rest.get(..plain).unwrap_or_default());
                at += plain;
                continue;
            }
            if matches!(byte, b'\r' | b'\n') {
                self.keep_trailing_blank(out);
                out.extend_from_slice(b"\r\n");
                self.line = out.len();
                self.after_return = byte == b'\r';
                return Some(at + 1);
            }
            // The octets of one character, at most four; one when it is plain but has no room.
            let (octets, width, first) = if is_plain(byte) {
                (1, 1, byte)
            } else {
                let octets = character(byte);
                (octets, 3 * octets, b'=')
            };
            if column + width > ROOM {
                self.soft_break(first, out);
                return Some(at);
            }
            for &byte in rest.iter().take(octets) {
                octet(byte, out);
            }
            at += octets;
        }
    }

    /// Breaks the line that is full where its best place is; `next` is the octet that found no room.
    fn soft_break(&mut self, next: u8, out: &mut Vec<u8>) {
        let place = self.line + best_place(self.open_line(out), next);
        out.extend_from_slice(b"=\r\n");
        if let Some(moved) = out.get_mut(place..) {
            moved.rotate_right(3);
        }
        self.line = place + 3;
    }

    /// A blank at the end of a line would be lost on the way (RFC 2045 6.7, rule 3).
    fn keep_trailing_blank(&mut self, out: &mut Vec<u8>) {
        if let Some(&blank @ (b' ' | b'\t')) = self.open_line(out).last() {
            out.pop();
            if self.open_line(out).len() + 3 > ROOM {
                self.soft_break(b'=', out);
            }
            octet(blank, out);
        }
    }
}

/// Where to break a line before which `next` found no room: after the end of a tag, or else after a
/// blank, or else within a word; of several such places, where the greatest octet comes next; of
/// several such again, the last. That a later place is not simply better is the point: which of them
/// are in reach depends on where the line began, but the greatest of many seldom does.
fn best_place(line: &[u8], next: u8) -> usize {
    let from = LEAST.min(line.len());
    let before = line.get(from.saturating_sub(1)..).unwrap_or_default();
    if let Some(place) = best_of(
        line,
        next,
        memchr::memchr_iter(b'>', before).map(|at| from + at),
    ) {
        return place;
    }
    let blanks = memchr::memchr2_iter(b' ', b'\t', before);
    if let Some(place) = best_of(line, next, blanks.map(|at| from + at)) {
        return place;
    }
    let is_whole = |place: usize| {
        let octet = line.get(place + 1);
        let further =
            after(line, place, next) == b'=' && octet.is_some_and(|digit| b"89AB".contains(digit));
        let escaped = line
            .get(place - 2..place)
            .is_some_and(|two| two.contains(&b'='));
        !further && !escaped
    };
    let within = (from.max(2)..line.len()).filter(|place| is_whole(*place));
    // The end of a full line is good whatever comes next: a dot or a `From ` would be encoded.
    match best_of(line, next, within) {
        Some(place) if after(line, place, next) > next => place,
        _ => line.len(),
    }
}

/// Of several places the one before the greatest octet, the last of those; none before which a line
/// would start with what has to be encoded there.
fn best_of(line: &[u8], next: u8, places: impl Iterator<Item = usize>) -> Option<usize> {
    let mut best = None;
    let mut rank = 0;
    // A plain loop, as this is much of what a line costs.
    for place in places {
        let octet = after(line, place, next);
        if octet >= rank {
            let rest = line.get(place..).unwrap_or_default();
            if octet == b'.' && place < line.len() || rest.starts_with(FROM) {
                continue;
            }
            rank = octet;
            best = Some(place);
        }
    }
    best
}

/// The octet that a line would start with.
fn after(line: &[u8], place: usize, next: u8) -> u8 {
    line.get(place).copied().unwrap_or(next)
}

/// How many octets of text these stand for.
fn octets(encoded: &[u8]) -> usize {
    encoded.len() - 2 * memchr::memchr_iter(b'=', encoded).count()
}

/// How many octets at the start may stand as they are, up to `room`.
fn plain_run(bytes: &[u8], room: usize) -> usize {
    let bytes = bytes.get(..room).unwrap_or(bytes);
    let mut length = 0;
    // Eight at a time without a branch between them; then the rest one by one.
    for chunk in bytes.chunks_exact(8) {
        if !chunk
            .iter()
            .fold(true, |plain, &byte| plain & is_plain(byte))
        {
            break;
        }
        length += 8;
    }
    let rest = bytes.get(length..).unwrap_or_default();
    length + rest.iter().take_while(|&&byte| is_plain(byte)).count()
}

fn is_plain(byte: u8) -> bool {
    (byte.wrapping_sub(b' ') < 0x5f) & (byte != b'=') | (byte == b'\t')
}

/// How many octets the character has that starts with this one (RFC 3629 3).
fn character(first: u8) -> usize {
    match first {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
        _ => 1,
    }
}

fn octet(byte: u8, out: &mut Vec<u8>) {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
}

#[cfg(test)]
mod tests;
