//! The shape of a message (RFC 2045, RFC 2046, RFC 2387). Knows no policy: what the message says
//! and which headers it has is told.
//!
//! ```text
//! multipart/alternative
//! ├── text/plain
//! └── text/html, or with pictures:
//!     multipart/related
//!     ├── text/html
//!     └── image/…, one for each picture
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    encode::{Encoding, base64, parameters},
    header::{Headers, clean},
    stencil::Words,
};
use crate::{compose::InlineImage, error::Result};

/// What a message says.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    /// The plain text, with any line ends.
    pub(super) text: Words<'a>,
    /// The page, with any line ends.
    pub(super) html: Words<'a>,
}

/// What stands around the words: the headers of MIME, boundaries and pictures.
pub(super) struct Frame {
    /// The end of the headers and the start of the body.
    opening: Vec<u8>,
    text: PartHead,
    between: Vec<u8>,
    html: PartHead,
    /// The pictures and the last boundaries.
    closing: Vec<u8>,
    /// The length of the longest message so far, for the next one.
    longest: AtomicUsize,
}

impl Frame {
    /// `seed` makes the boundaries: letters and digits, at most 60. A boundary starts with `=_`, which
    /// no part can contain: in quoted-printable a `=` comes before two hexadecimal digits or the
    /// line's end, and base64 has no `_`. So no part has to be searched for it.
    ///
    /// # Errors
    ///
    /// When a header of a picture has something that cannot be there.
    pub(super) fn new(images: &[InlineImage], seed: &str) -> Result<Self> {
        let alternative = Boundary::new(1, seed);
        let mut headers = Headers::default();
        headers.structured("MIME-Version", &["1.0"])?;
        headers.structured("Content-Type", &alternative.content_type("alternative"))?;
        let (mut opening, mut between, mut closing) = (Vec::new(), Vec::new(), Vec::new());
        begin(&headers, &mut opening);
        alternative.first(&mut opening);
        alternative.next(&mut between);
        if !images.is_empty() {
            let related = Boundary::new(2, seed);
            let mut headers = Headers::default();
            let [kind, boundary] = related.content_type("related");
            let parts = [kind, "type=\"text/html\";".to_owned(), boundary];
            headers.structured("Content-Type", &parts)?;
            begin(&headers, &mut between);
            related.first(&mut between);
            for image in images {
                related.next(&mut closing);
                picture(image, &mut closing)?;
            }
            related.close(&mut closing);
        }
        alternative.close(&mut closing);
        Ok(Self {
            opening,
            text: PartHead::new("text/plain; charset=utf-8")?,
            between,
            html: PartHead::new("text/html; charset=utf-8")?,
            closing,
            longest: AtomicUsize::new(0),
        })
    }

    /// Puts a message together: the headers that are given, those of MIME, and the parts.
    pub(super) fn message(&self, headers: &Headers, content: Content<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.longest.load(Ordering::Relaxed));
        out.extend_from_slice(headers.as_str().as_bytes());
        out.extend_from_slice(&self.opening);
        self.text.part(content.text, &mut out);
        out.extend_from_slice(&self.between);
        self.html.part(content.html, &mut out);
        out.extend_from_slice(&self.closing);
        self.longest.fetch_max(out.len(), Ordering::Relaxed);
        out
    }
}

/// What stands before a text, in either encoding.
struct PartHead {
    quoted_printable: Vec<u8>,
    base64: Vec<u8>,
}

impl PartHead {
    fn new(media_type: &str) -> Result<Self> {
        let head = |encoding: Encoding| -> Result<Vec<u8>> {
            let mut headers = Headers::default();
            headers.structured("Content-Type", &[media_type])?;
            headers.structured("Content-Transfer-Encoding", &[encoding.name()])?;
            let mut head = Vec::new();
            begin(&headers, &mut head);
            Ok(head)
        };
        Ok(Self {
            quoted_printable: head(Encoding::QuotedPrintable)?,
            base64: head(Encoding::Base64)?,
        })
    }

    fn part(&self, words: Words<'_>, out: &mut Vec<u8>) {
        let encoding = words.encoding();
        out.extend_from_slice(match encoding {
            Encoding::QuotedPrintable => &self.quoted_printable,
            Encoding::Base64 => &self.base64,
        });
        words.write(encoding, out);
    }
}

fn picture(image: &InlineImage, out: &mut Vec<u8>) -> Result<()> {
    let mut headers = Headers::default();
    headers.structured("Content-Type", &[&image.media_type])?;
    headers.structured("Content-Transfer-Encoding", &[Encoding::Base64.name()])?;
    headers.structured("Content-ID", &[format!("<{}>", image.content_id)])?;
    let file_name = parameters("filename", &clean(&image.file_name)).join(";\n");
    let disposition = format!("inline;\n{file_name}");
    let disposition: Vec<&str> = disposition.lines().collect();
    headers.structured("Content-Disposition", &disposition)?;
    begin(&headers, out);
    base64(&image.bytes, out);
    Ok(())
}

/// The headers of a part, and the blank line after them.
fn begin(headers: &Headers, out: &mut Vec<u8>) {
    out.extend_from_slice(headers.as_str().as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// What stands between the parts of a multipart. Those of two levels differ before the seed, so that
/// neither is the start of the other.
struct Boundary(String);

impl Boundary {
    fn new(level: u8, seed: &str) -> Self {
        Self(format!("=_{level}_{seed}"))
    }

    fn content_type(&self, subtype: &str) -> [String; 2] {
        [
            format!("multipart/{subtype};"),
            format!("boundary=\"{}\"", self.0),
        ]
    }

    /// The line before the first part.
    fn first(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("--{}\r\n", self.0).as_bytes());
    }

    /// The line before another part. The line end in front of it is its own and not the part's (RFC
    /// 2046 5.1.1).
    fn next(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        self.first(out);
    }

    /// The line after the last part.
    fn close(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("\r\n--{}--\r\n", self.0).as_bytes());
    }
}
