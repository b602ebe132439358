//! Pictures: PNG, JPEG and GIF, the three that every mail program shows. Only the header is read.

use super::{
    Root,
    path::{Sought, is_address, nearest_file},
};
use crate::{
    error::{Error, Kind, Result},
    fs,
};

/// Larger pictures are refused, in octets: a mail with one is larger than most relays take.
const LARGEST: usize = 10 * 1024 * 1024;

/// A picture from the newsletter's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its path, relative to the newsletter's folder.
    pub src: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub media_type: &'static str,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

/// Reads a picture by its path.
///
/// Fails when there is none, when it lies outside, and when it is of a kind that mails cannot show.
pub fn picture(root: &Root, src: &str) -> Result<Picture> {
    if is_address(src) {
        return Err(Error::data(format!("`{src}` is an address, not a file")));
    }
    let found = match root.seek(src)? {
        Sought::File(found) => found,
        Sought::Folder => return Err(Error::data(format!("`{src}` is a folder, not a picture"))),
        Sought::Nothing => {
            let error = Error::new(Kind::NoInput, format!("there is no picture `{src}`"));
            return Err(match nearest_file(root, src) {
                Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
                None => error,
            });
        }
    };
    let bytes = fs::read(&found.path)?;
    if bytes.len() > LARGEST {
        let size = bytes.len() / (1024 * 1024);
        return Err(
            Error::data(format!("`{src}` is a picture of {size} MiB")).hint(
                "Relays refuse such mails: 1200 pixels in width are enough, and well below 1 MiB.",
            ),
        );
    }
    let Some((media_type, width, height)) = header(&bytes) else {
        return Err(
            Error::data(format!("`{src}` is not a picture that mails can show"))
                .hint("Mail programs show PNG, JPEG and GIF; convert it to one of them."),
        );
    };
    Ok(Picture {
        src: found.name,
        bytes,
        media_type,
        width,
        height,
    })
}

/// Media type, width and height.
fn header(bytes: &[u8]) -> Option<(&'static str, u32, u32)> {
    let (media_type, (width, height)) = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', rest @ ..] => ("image/png", png(rest)?),
        [0xff, 0xd8, rest @ ..] => ("image/jpeg", jpeg(rest)?),
        [
            b'G',
            b'I',
            b'F',
            b'8',
            b'7' | b'9',
            b'a',
            w0,
            w1,
            h0,
            h1,
            ..,
        ] => {
            let size = |low, high| u32::from(u16::from_le_bytes([low, high]));
            ("image/gif", (size(*w0, *w1), size(*h0, *h1)))
        }
        _ => return None,
    };
    (width > 0 && height > 0).then_some((media_type, width, height))
}

/// The header chunk comes first (PNG 5.6): length, `IHDR`, width, height.
fn png(rest: &[u8]) -> Option<(u32, u32)> {
    let chunk = rest.get(4..16)?.strip_prefix(b"IHDR")?;
    let (width, height) = chunk.split_at_checked(4)?;
    let number = |bytes: &[u8]| bytes.try_into().ok().map(u32::from_be_bytes);
    Some((number(width)?, number(height)?))
}

/// Segments up to the start of a frame (ITU T.81 B.1.1.3), which holds height and width.
fn jpeg(mut rest: &[u8]) -> Option<(u32, u32)> {
    loop {
        let marker;
        (marker, rest) = match rest {
            // Fill bytes may stand before a marker.
            [0xff, 0xff, ..] => {
                rest = rest.get(1..)?;
                continue;
            }
            [0xff, marker, after @ ..] => (*marker, after),
            _ => return None,
        };
        match marker {
            // Markers without a segment.
            0x01 | 0xd0..=0xd7 => continue,
            // Start of a frame; C4, C8 and CC are other things.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [_, _, _, h0, h1, w0, w1, ..] = rest else {
                    return None;
                };
                let size = |high, low| u32::from(u16::from_be_bytes([high, low]));
                return Some((size(*w0, *w1), size(*h0, *h1)));
            }
            _ => {
                let [high, low, ..] = rest else { return None };
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(length.max(2)..)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::Bounds;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x58\0\0\x01\x2c\x08\x02";
    const GIF: &[u8] = b"GIF89a\x01\0\x02\x01\0";
    const JPEG: &[u8] =
        b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc4\0\x02\xff\xc2\0\x0b\x08\x01\x2c\x02\x58\x03";

    #[test]
    fn the_three_kinds_are_known_by_their_headers() {
        assert_eq!(header(PNG), Some(("image/png", 600, 300)));
        assert_eq!(header(JPEG), Some(("image/jpeg", 600, 300)));
        assert_eq!(header(GIF), Some(("image/gif", 1, 258)));
    }

    #[test]
    fn what_is_cut_short_or_empty_is_no_picture() {
        for whole in [PNG, JPEG, GIF] {
            for length in 0..whole.len().min(20) {
                let cut = header(&whole[..length]);
                assert!(cut.is_none() || length >= 10, "{length}");
            }
        }
        assert_eq!(header(b"GIF89a\0\0\x02\x01\0"), None);
        assert_eq!(header(b"<svg/>"), None);
        assert_eq!(header(b"RIFF\0\0\0\0WEBP"), None);
        assert_eq!(header(b"\xff\xd8\xff\xd9"), None);
    }

    #[test]
    fn a_picture_is_read_and_named_from_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root {
            folder: folder.path().to_owned(),
            bounds: Bounds::Newsletter,
        };
        std::fs::create_dir(folder.path().join("images")).unwrap();
        std::fs::write(folder.path().join("images/press.png"), PNG).unwrap();
        std::fs::write(folder.path().join("images/press.svg"), b"<svg/>").unwrap();
        assert_eq!(
            picture(&root, "./images/../images/press.png").unwrap(),
            Picture {
                src: "images/press.png".to_owned(),
                bytes: PNG.to_vec(),
                media_type: "image/png",
                width: 600,
                height: 300,
            }
        );
        let error = |src: &str| {
            let error = picture(&root, src).unwrap_err();
            format!("{error} | {}", error.hints().join(" "))
        };
        assert_eq!(
            error("images/pres.png"),
            "there is no picture `images/pres.png` | Did you mean `images/press.png`?"
        );
        assert_eq!(
            error("images/press.svg"),
            "`images/press.svg` is not a picture that mails can show | Mail programs show PNG, JPEG and GIF; convert it to one of them."
        );
        let large = [PNG, &vec![0; LARGEST]].concat();
        std::fs::write(folder.path().join("images/large.png"), large).unwrap();
        assert!(error("images/large.png").starts_with("`images/large.png` is a picture of 10 MiB"));
        assert_eq!(error("images"), "`images` is a folder, not a picture | ");
        assert_eq!(
            error("https://a.example/a.png"),
            "`https://a.example/a.png` is an address, not a file | "
        );
        assert!(error("../a.png").contains("lies outside"));
        assert!(error("/etc/passwd").contains("lies outside"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(start in 0..3_usize, rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut bytes = [&PNG[..12], &JPEG[..4], &GIF[..6]][start].to_vec();
            bytes.extend(rest);
            header(&bytes);
        }
    }
}
