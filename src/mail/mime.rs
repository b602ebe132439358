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

use super::{
    encode::{Encoding, base64, parameters},
    header::{Headers, clean},
};
use crate::{compose::InlineImage, error::Result};

/// What a message holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    /// The plain text, with any line ends.
    pub(super) text: &'a str,
    /// The page, with any line ends.
    pub(super) html: &'a str,
    /// The pictures that the page shows.
    pub(super) images: &'a [InlineImage],
}

/// Puts a message together: the headers that are given, those of MIME, and the parts.
///
/// `seed` makes the boundaries: letters and digits, at most 60. A boundary starts with `=_`, which no
/// part can contain: in quoted-printable a `=` comes before two hexadecimal digits or the line's end,
/// and base64 has no `_`. So no part has to be searched for it.
///
/// # Errors
///
/// When a header of a picture has something that cannot be there.
pub(super) fn message(mut headers: Headers, content: Content<'_>, seed: &str) -> Result<Vec<u8>> {
    let alternative = Boundary::new(1, seed);
    headers.structured("MIME-Version", &["1.0"])?;
    headers.structured("Content-Type", &alternative.content_type("alternative"))?;

    let images: usize = content.images.iter().map(|image| image.bytes.len()).sum();
    let capacity = (content.text.len() + content.html.len()) * 9 / 8 + images * 3 / 2 + 4096;
    let mut out = Vec::with_capacity(capacity);
    out.extend_from_slice(headers.as_str().as_bytes());
    out.extend_from_slice(b"\r\n");
    alternative.first(&mut out);
    text_part("text/plain; charset=utf-8", content.text, &mut out)?;
    alternative.next(&mut out);
    if content.images.is_empty() {
        text_part("text/html; charset=utf-8", content.html, &mut out)?;
    } else {
        related(content, &Boundary::new(2, seed), &mut out)?;
    }
    alternative.close(&mut out);
    Ok(out)
}

fn related(content: Content<'_>, boundary: &Boundary, out: &mut Vec<u8>) -> Result<()> {
    let mut headers = Headers::default();
    let [kind, boundary_parameter] = boundary.content_type("related");
    let parts = [kind, "type=\"text/html\";".to_owned(), boundary_parameter];
    headers.structured("Content-Type", &parts)?;
    begin(&headers, out);
    boundary.first(out);
    text_part("text/html; charset=utf-8", content.html, out)?;
    for image in content.images {
        boundary.next(out);
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
    }
    boundary.close(out);
    Ok(())
}

fn text_part(media_type: &str, text: &str, out: &mut Vec<u8>) -> Result<()> {
    let encoding = Encoding::of_text(text);
    let mut headers = Headers::default();
    headers.structured("Content-Type", &[media_type])?;
    headers.structured("Content-Transfer-Encoding", &[encoding.name()])?;
    begin(&headers, out);
    encoding.text(text, out);
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
