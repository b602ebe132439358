//! A part of an edition, cut into what is the same for everyone, which is encoded once, and what is
//! not, which Tera writes for each.
//!
//! Tera still runs the author's tags, all of them, so that conditions, loops, filters and errors are
//! what they are; but of each longer text between two tags it gets a mark only. Where the mark comes
//! out of it, be it never or once for each round of a loop, [`Words`] puts the text in.

use super::{
    encode::{Encoding, base64, further_octets, with_crlf},
    quoted::{Plate, Quoted},
};
use crate::compose::{Part, STATEMENT, Tag};

/// Stands before and after the number of a plate. No template has it: the list's cells and the
/// newsletter's texts lose their control characters, and Tera's strings cannot name one.
const MARK: u8 = 2;
/// A text that is shorter, in octets, is as quickly encoded as found.
const LEAST: usize = 24;

/// A part that was cut.
pub(super) struct Stencil {
    /// What Tera gets: the tags as they are, and marks.
    pub(super) part: Part,
    plates: Vec<Plate>,
}

impl Stencil {
    /// Cuts a part. One in which there are blocks that cannot be told stays whole.
    pub(super) fn new(part: &Part) -> Self {
        Self::cut(part).unwrap_or_else(|| Self {
            part: part.clone(),
            plates: Vec::new(),
        })
    }

    fn cut(part: &Part) -> Option<Self> {
        if part.template.contains(char::from(MARK)) {
            return None;
        }
        let mut stencil = Self {
            part: Part::default(),
            plates: Vec::new(),
        };
        // Within a block that makes a value of the text in it, the text must be there.
        let mut captures = 0_usize;
        let mut at = 0;
        for tag in &part.tags {
            stencil.text(part.template.get(at..tag.range.start)?, captures);
            let code = part.template.get(tag.range.clone())?;
            captures = captures.checked_add_signed(capture(code)?)?;
            let start = stencil.part.template.len();
            stencil.part.template.push_str(code);
            stencil.part.tags.push(Tag {
                range: start..stencil.part.template.len(),
                origin: tag.origin.clone(),
            });
            at = tag.range.end;
        }
        stencil.text(part.template.get(at..)?, captures);
        Some(stencil)
    }

    fn text(&mut self, text: &str, captures: usize) {
        let template = &mut self.part.template;
        if text.len() < LEAST || captures > 0 {
            template.push_str(text);
        } else {
            let mark = char::from(MARK);
            template.push_str(&format!("{mark}{}{mark}", self.plates.len()));
            self.plates.push(Plate::new(text));
        }
    }

    /// What Tera made of it for one recipient.
    pub(super) fn words<'a>(&'a self, copy: &'a str) -> Words<'a> {
        Words {
            copy,
            plates: &self.plates,
        }
    }
}

/// How many more captured texts are open after a tag; nothing when it is not known.
fn capture(code: &str) -> Option<isize> {
    let [open, close] = STATEMENT;
    let Some(code) = code.strip_prefix(open) else {
        return Some(0);
    };
    let code = code.strip_suffix(close)?.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let keyword = code.split(|c| !is_name(c)).next()?;
    match keyword {
        "if" | "elif" | "else" | "endif" | "for" | "endfor" | "break" | "continue" => Some(0),
        "set" | "set_global" => {
            let name = code.get(keyword.len()..)?.trim_start();
            let after = name.trim_start_matches(is_name).trim_start();
            Some(isize::from(!after.starts_with('=')))
        }
        "filter" => Some(1),
        "endset" | "endfilter" => Some(-1),
        _ => None,
    }
}

/// One recipient's text, with marks for what is encoded already.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    copy: &'a str,
    plates: &'a [Plate],
}

enum Piece<'a> {
    Text(&'a str),
    Plate(&'a Plate),
}

impl<'a> Words<'a> {
    /// A text without marks.
    pub(super) fn plain(text: &'a str) -> Self {
        Self {
            copy: text,
            plates: &[],
        }
    }

    /// How it is to be encoded.
    pub(super) fn encoding(self) -> Encoding {
        let (mut octets, mut further) = (0, 0);
        for piece in self.pieces() {
            let (text, more) = match piece {
                Piece::Text(text) => (text, further_octets(text)),
                Piece::Plate(plate) => (plate.text(), plate.further_octets()),
            };
            octets += text.len();
            further += more;
        }
        Encoding::of_text(octets, further)
    }

    /// Appends it as it is encoded, with CRLF for each of its line ends.
    pub(super) fn write(self, encoding: Encoding, out: &mut Vec<u8>) {
        match encoding {
            Encoding::QuotedPrintable => {
                let mut quoted = Quoted::new(out);
                for piece in self.pieces() {
                    match piece {
                        Piece::Text(text) => quoted.text(text, out),
                        Piece::Plate(plate) => quoted.plate(plate, out),
                    }
                }
                quoted.finish(out);
            }
            Encoding::Base64 => {
                let texts = self.pieces().map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Plate(plate) => plate.text(),
                });
                base64(with_crlf(&texts.collect::<String>()).as_bytes(), out);
            }
        }
    }

    fn pieces(self) -> impl Iterator<Item = Piece<'a>> {
        let mut rest = Some(self.copy);
        // Every second one is a number.
        let mut is_number = true;
        std::iter::from_fn(move || {
            loop {
                is_number = !is_number;
                let text = rest?;
                let mark = if self.plates.is_empty() {
                    None
                } else {
                    memchr::memchr(MARK, text.as_bytes())
                };
                let (piece, after) = match mark.and_then(|at| text.split_at_checked(at)) {
                    Some((piece, after)) => (piece, after.get(1..)),
                    None => (text, None),
                };
                rest = after;
                if !is_number && !piece.is_empty() {
                    return Some(Piece::Text(piece));
                }
                let number = is_number.then(|| piece.parse().ok()).flatten();
                if let Some(plate) = number.and_then(|number: usize| self.plates.get(number)) {
                    return Some(Piece::Plate(plate));
                }
            }
        })
    }
}
