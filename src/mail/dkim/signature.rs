//! The `DKIM-Signature` field (RFC 6376 3.5): written, signed, folded.

use aws_lc_rs::digest;
use data_encoding::BASE64;
use jiff::fmt::rfc2822;

use super::{
    Signer,
    canonical::{BodyDigest, Covered, relaxed_field},
};
use crate::error::Result;

const NAME: &str = "DKIM-Signature";
/// What a line has at most, without CRLF.
const COLUMNS: usize = 78;

/// Appends the field of one signer, with its line end.
pub(super) fn write(
    signer: &Signer,
    covered: &Covered,
    body: &BodyDigest,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut field = Folded::new(NAME);
    field.tag("v=1;");
    field.tag(&format!("a={}-sha256;", signer.key.kind().name()));
    field.tag("c=relaxed/relaxed;");
    field.tag(&format!("d={};", signer.domain));
    field.tag(&format!("s={};", signer.selector));
    if let Some(time) = covered.date.as_deref().and_then(seconds) {
        field.tag(&format!("t={time};"));
    }
    for (at, name) in covered.names.iter().enumerate() {
        match (at, at + 1 == covered.names.len()) {
            (0, _) => field.tag(&format!("h={name}:")),
            (_, false) => field.piece(&format!("{name}:")),
            (_, true) => field.piece(&format!("{name};")),
        }
    }
    field.tag(&format!("bh={};", BASE64.encode(&body.0)));
    field.tag("b=");

    // Without the value of `b=` the field itself is signed, too, but not its line end.
    let mut signed = digest::Context::new(&digest::SHA256);
    signed.update(&covered.canonical);
    let mut own = Vec::with_capacity(field.text.len());
    relaxed_field(NAME.as_bytes(), field.value().as_bytes(), &mut own);
    signed.update(&own);
    let signature = signer.key.sign(&signed.finish())?;
    field.broken(&BASE64.encode(&signature));
    out.extend_from_slice(field.text.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// The seconds since 1970 of a Date.
fn seconds(date: &str) -> Option<u64> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    u64::try_from(date.as_second()).ok()
}

/// A field whose lines are short, where they can be.
struct Folded {
    text: String,
    name: usize,
    column: usize,
}

impl Folded {
    fn new(name: &str) -> Self {
        Self {
            text: format!("{name}:"),
            name: name.len() + 1,
            column: name.len() + 1,
        }
    }

    fn value(&self) -> &str {
        &self.text[self.name..]
    }

    /// Words with a blank between them.
    fn tag(&mut self, tag: &str) {
        if self.column + 1 + tag.len() > COLUMNS {
            self.end_line();
        } else {
            self.text.push(' ');
            self.column += 1;
        }
        self.append(tag);
    }

    /// What follows right after the last, unless the line is full.
    fn piece(&mut self, piece: &str) {
        if self.column + piece.len() > COLUMNS {
            self.end_line();
        }
        self.append(piece);
    }

    /// What may be broken anywhere.
    fn broken(&mut self, mut text: &str) {
        while !text.is_empty() {
            if self.column >= COLUMNS {
                self.end_line();
            }
            let (line, rest) = text.split_at(text.len().min(COLUMNS - self.column));
            self.append(line);
            text = rest;
        }
    }

    fn end_line(&mut self) {
        self.text.push_str("\r\n ");
        self.column = 1;
    }

    fn append(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }
}
