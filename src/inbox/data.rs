//! The octets of a message, from 354 to the final dot (RFC 5321 4.5.2): dots are un-stuffed, and
//! whatever breaks the rules is remembered, told at the dot, and never kept.
//!
//! Only CRLF `.` CRLF ends the data. A bare CR or a bare LF begins no new line, so that a dot after it
//! is text, and no second message can be smuggled inside the first.

use std::fmt;

use super::command::Body;

/// The longest text line with its CRLF, in octets (RFC 5321 4.5.3.1.6).
const LONGEST_LINE: usize = 1000;

/// What a message is refused for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is larger than what EHLO announced.
    TooLarge { most: usize },
    /// The content of a line is wrong; lines are counted from 1.
    Line { number: usize, fault: LineFault },
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFault {
    /// A CR without a LF.
    BareCr,
    /// A LF without a CR.
    BareLf,
    /// A NUL octet.
    Nul,
    /// An octet above 127, though the client did not say BODY=8BITMIME.
    EightBit,
    /// More octets than a line may have.
    TooLong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { most } => {
                write!(f, "the message is larger than {most} octets")
            }
            Self::Line { number, fault } => {
                write!(f, "line {number} ")?;
                match fault {
                    LineFault::BareCr => f.write_str("has a CR without LF; lines end with CRLF"),
                    LineFault::BareLf => f.write_str("has a LF without CR; lines end with CRLF"),
                    LineFault::Nul => f.write_str("has a NUL octet"),
                    LineFault::EightBit => {
                        f.write_str("has an octet above 127, and BODY=8BITMIME was not given")
                    }
                    LineFault::TooLong => write!(
                        f,
                        "has more than {LONGEST_LINE} octets, counted with its CRLF"
                    ),
                }
            }
        }
    }
}

/// Collects one message, however it is cut into reads.
#[derive(Debug)]
pub(super) struct Collector {
    content: Vec<u8>,
    fault: Option<Fault>,
    position: Position,
    line_number: usize,
    line_octets: usize,
    max_octets: usize,
    body: Body,
}

/// Where in a line the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// At its start: after CRLF, or after 354.
    Start,
    /// After a dot at its start.
    Dot,
    /// After a dot and a CR at its start.
    DotCr,
    /// Further on.
    Text,
    /// After a CR.
    Cr,
}

impl Collector {
    /// A collector of a message of at most `max_octets`, of which `expected` are announced.
    pub(super) fn new(body: Body, max_octets: usize, expected: usize) -> Self {
        Self {
            // The announcement is the client's word: room for more is made when more has come.
            content: Vec::with_capacity(expected.min(max_octets).min(1 << 20)),
            fault: None,
            position: Position::Start,
            line_number: 1,
            line_octets: 0,
            max_octets,
            body,
        }
    }

    /// Takes octets off the front of `input`; `true` once the final dot was among them. What comes
    /// after it stays in `input`.
    pub(super) fn take(&mut self, input: &mut &[u8]) -> bool {
        while let Some((&octet, rest)) = input.split_first() {
            let next = match (self.position, octet) {
                (Position::Start, b'.') => Position::Dot,
                (Position::Dot, b'\r') => Position::DotCr,
                (Position::DotCr, b'\n') => {
                    *input = rest;
                    return true;
                }
                // What looked like the end was a CR in a line whose first dot was stuffing.
                (Position::DotCr, _) => {
                    self.line_fault(LineFault::BareCr);
                    self.position = Position::Text;
                    continue;
                }
                (Position::Cr, b'\n') => {
                    self.end_line();
                    Position::Start
                }
                (Position::Cr, _) => {
                    self.line_fault(LineFault::BareCr);
                    self.position = Position::Text;
                    continue;
                }
                (_, b'\r') => Position::Cr,
                (_, b'\n') => {
                    self.line_fault(LineFault::BareLf);
                    Position::Text
                }
                _ => {
                    let end = input
                        .iter()
                        .position(|octet| matches!(octet, b'\r' | b'\n'))
                        .unwrap_or(input.len());
                    let (run, rest) = input.split_at(end);
                    self.text(run);
                    self.position = Position::Text;
                    *input = rest;
                    continue;
                }
            };
            self.position = next;
            *input = rest;
        }
        false
    }

    /// The message, un-stuffed, with the CRLF of its last line; or what it is refused for.
    pub(super) fn finish(self) -> Result<Vec<u8>, Fault> {
        match self.fault {
            None => Ok(self.content),
            Some(fault) => Err(fault),
        }
    }

    /// Takes octets of one line. The first one that is wrong decides, so that the verdict does not
    /// depend on how the message is cut into reads.
    fn text(&mut self, run: &[u8]) {
        if self.fault.is_none() {
            let room_in_line = (LONGEST_LINE - 2).saturating_sub(self.line_octets);
            let room = self.max_octets.saturating_sub(self.content.len());
            let is_seven_bit = self.body == Body::SevenBit;
            let unfit = run
                .iter()
                .position(|octet| *octet == 0 || (is_seven_bit && !octet.is_ascii()));
            let first_fault = [
                unfit.map(|at| match run.get(at) {
                    Some(0) => (at, self.in_line(LineFault::Nul)),
                    _ => (at, self.in_line(LineFault::EightBit)),
                }),
                (run.len() > room_in_line)
                    .then(|| (room_in_line, self.in_line(LineFault::TooLong))),
                (run.len() > room).then_some((room, self.too_large())),
            ]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at);
            match first_fault {
                Some((_, fault)) => self.fail(fault),
                None => self.content.extend_from_slice(run),
            }
        }
        self.line_octets = self.line_octets.saturating_add(run.len());
    }

    fn end_line(&mut self) {
        if self.content.len() + 2 > self.max_octets {
            self.fail(self.too_large());
        } else if self.fault.is_none() {
            self.content.extend_from_slice(b"\r\n");
        }
        self.line_number += 1;
        self.line_octets = 0;
    }

    fn line_fault(&mut self, fault: LineFault) {
        self.fail(self.in_line(fault));
    }

    fn in_line(&self, fault: LineFault) -> Fault {
        Fault::Line {
            number: self.line_number,
            fault,
        }
    }

    fn too_large(&self) -> Fault {
        Fault::TooLarge {
            most: self.max_octets,
        }
    }

    /// The first fault is the one that is told. The content is of no more use.
    fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.content = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Collected = (Result<Vec<u8>, String>, Vec<u8>);

    fn collect(pieces: &[&[u8]], body: Body) -> Collected {
        collect_up_to(4000, pieces, body)
    }

    fn collect_up_to(max_octets: usize, pieces: &[&[u8]], body: Body) -> Collected {
        let mut collector = Collector::new(body, max_octets, 0);
        let mut pieces = pieces.iter();
        for piece in pieces.by_ref() {
            let mut input = *piece;
            if collector.take(&mut input) {
                let rest = [&[input], pieces.as_slice()].concat().concat();
                return (collector.finish().map_err(|fault| fault.to_string()), rest);
            }
        }
        panic!("the data has no end");
    }

    fn verdict(wire: &[u8]) -> Result<String, String> {
        let (message, rest) = collect(&[wire], Body::SevenBit);
        assert_eq!(rest, b"", "the end came too early");
        message.map(|message| String::from_utf8(message).unwrap())
    }

    #[test]
    fn dots_are_unstuffed_and_what_follows_the_end_is_left() {
        let (message, rest) = collect(&[b"a\r\n..b\r\n...\r\n.\r\nQUIT\r\n"], Body::SevenBit);
        assert_eq!(message.unwrap(), b"a\r\n.b\r\n..\r\n");
        assert_eq!(rest, b"QUIT\r\n");
        assert_eq!(verdict(b".\r\n").unwrap(), "");
    }

    #[test]
    fn no_end_but_the_true_end() {
        let bare_lf = "line 1 has a LF without CR; lines end with CRLF";
        let bare_cr = "line 1 has a CR without LF; lines end with CRLF";
        for (wire, fault) in [
            (&b"a\n.\r\nMAIL\r\n.\r\n"[..], bare_lf),
            (b"a\n.\nMAIL\r\n.\r\n", bare_lf),
            (b"a\r.\r\nMAIL\r\n.\r\n", bare_cr),
            (b"a\r.\rMAIL\r\n.\r\n", bare_cr),
            (b"a\r\r\n.\r\n", bare_cr),
            (b".\rMAIL\r\n.\r\n", bare_cr),
            (b".\r\r\n.\r\n", bare_cr),
            (b".\n.\r\n\r\n.\r\n", bare_lf),
            (b"\n.\r\n\r\n.\r\n", bare_lf),
        ] {
            assert_eq!(verdict(wire).unwrap_err(), fault, "{wire:?}");
        }
        assert_eq!(
            verdict(b"a\r\n.\rb\r\n.\r\n").unwrap_err(),
            "line 2 has a CR without LF; lines end with CRLF"
        );
    }

    #[test]
    fn octets_that_do_not_belong_are_named_with_their_line() {
        assert_eq!(
            verdict(b"a\r\nb\0\r\n.\r\n").unwrap_err(),
            "line 2 has a NUL octet"
        );
        assert_eq!(
            verdict(b"a\r\n\r\n\xc3\xa9\r\n.\r\n").unwrap_err(),
            "line 3 has an octet above 127, and BODY=8BITMIME was not given"
        );
        // The first one is named, whatever else comes in the same read.
        assert_eq!(
            verdict(b"a\xff\0\r\n.\r\n").unwrap_err(),
            "line 1 has an octet above 127, and BODY=8BITMIME was not given"
        );
        let long = format!("{}\0\r\n.\r\n", "x".repeat(999));
        assert_eq!(
            verdict(long.as_bytes()).unwrap_err(),
            "line 1 has more than 1000 octets, counted with its CRLF"
        );
        let (message, _) = collect(&[b"\xc3\xa9\r\n.\r\n"], Body::EightBitMime);
        assert_eq!(message.unwrap(), "é\r\n".as_bytes());
    }

    #[test]
    fn a_line_has_at_most_a_thousand_octets_without_its_stuffed_dot() {
        let longest = format!(".{}\r\n.\r\n", ".".repeat(998));
        assert_eq!(verdict(longest.as_bytes()).unwrap().len(), 1000);
        let longer = format!("a\r\n{}\r\n.\r\n", "x".repeat(999));
        assert_eq!(
            verdict(longer.as_bytes()).unwrap_err(),
            "line 2 has more than 1000 octets, counted with its CRLF"
        );
    }

    #[test]
    fn a_message_has_at_most_the_octets_announced() {
        let line = format!("{}\r\n", "x".repeat(998));
        let fits = format!("{}.\r\n", line.repeat(4));
        assert_eq!(verdict(fits.as_bytes()).unwrap().len(), 4000);
        let larger = format!("{}y\r\n.\r\n", line.repeat(4));
        assert_eq!(
            verdict(larger.as_bytes()).unwrap_err(),
            "the message is larger than 4000 octets"
        );
    }

    /// As a client stuffs: each line that begins with a dot gets one more.
    fn stuff(lines: &[String]) -> Vec<u8> {
        let mut wire = Vec::new();
        for line in lines {
            if line.starts_with('.') {
                wire.push(b'.');
            }
            wire.extend_from_slice(line.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b".\r\n");
        wire
    }

    /// Cuts `wire` at the points given, each taken within its length.
    fn cut<'a>(wire: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
        let mut points: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).collect();
        points.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for to in points.into_iter().chain([wire.len()]) {
            pieces.push(&wire[from..to]);
            from = to;
        }
        pieces
    }

    proptest! {
        #[test]
        fn a_good_message_comes_back_however_it_is_cut(
            lines in proptest::collection::vec("[.a ]{0,5}|[ -~é]{0,60}", 0..12),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
        ) {
            let wire = [stuff(&lines), b"RSET\r\n".to_vec()].concat();
            let (message, rest) = collect(&cut(&wire, &cuts), Body::EightBitMime);
            let expected: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            prop_assert_eq!(String::from_utf8(message.unwrap()).unwrap(), expected);
            prop_assert_eq!(rest, b"RSET\r\n");
        }

        #[test]
        fn any_octets_are_judged_alike_however_they_are_cut(
            octets in proptest::collection::vec(
                prop_oneof![4 => proptest::sample::select(&b"\r\n.a"[..]), 1 => any::<u8>()],
                0..60,
            ),
            cuts in proptest::collection::vec(any::<usize>(), 0..12),
        ) {
            let wire = [octets, b"\r\n.\r\n".to_vec()].concat();
            let whole = collect_up_to(30, &[&wire], Body::SevenBit);
            // The end is the first CRLF.CRLF of the wire, with the CRLF of 354 before it.
            let with_start = [b"\r\n", wire.as_slice()].concat();
            let end = with_start.windows(5).position(|five| five == b"\r\n.\r\n").unwrap() + 5;
            prop_assert_eq!(whole.1.as_slice(), &with_start[end..]);
            prop_assert_eq!(collect_up_to(30, &cut(&wire, &cuts), Body::SevenBit), whole);
        }
    }
}
