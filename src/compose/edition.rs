//! The edition: an issue composed once, with its merge fields open.
//!
//! Each part is a Tera template of its own kind: its delimiters are control characters that no
//! content can contain (see [`super::staging`]), so what an article or a list says is never code.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// An issue composed once for everyone; [`crate::mail`] fills in what is each reader's own.
///
/// It can be written to disk and read back without loss, which is how a campaign is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edition {
    /// The subject line.
    pub subject: Part,
    /// The HTML page.
    pub html: Part,
    /// The plain text.
    pub text: Part,
    /// The pictures that travel with each mail.
    pub images: Vec<InlineImage>,
    /// The fields of the list that it asks for, each with the first place that does: `first_name`.
    pub fields: Vec<MergeField>,
    /// The language of the issue, as in BCP 47.
    pub language: String,
}

/// A part of an edition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The template, with control characters for delimiters.
    pub template: String,
    /// Which bytes of the template came from which tag of the author's, in order.
    pub tags: Vec<Tag>,
}

/// A tag of the author's that waits for a recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Its bytes in [`Part::template`].
    pub range: Range<usize>,
    /// Where the author wrote it.
    pub origin: Origin,
}

/// A place that survives being written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The file's name.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line itself; of a line that is too long to be shown, what stands at `span` alone.
    pub source_line: String,
    /// The bytes of the tag in `source_line`.
    pub span: Range<usize>,
}

/// A line longer than this, in bytes, is not kept with each of its tags: a page without line ends
/// would be, as often as it has tags.
const LONGEST_LINE: usize = 2_000;

/// A field of the list that the edition asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeField {
    /// The column's name, as written after `subscriber.`.
    pub name: String,
    /// The first tag that asks for it.
    pub origin: Origin,
}

/// A picture that travels with the mail, referred to as `cid:` (RFC 2392).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlineImage {
    /// The content id without angle brackets: hash of the content, at the newsletter's domain.
    pub content_id: String,
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub media_type: String,
    /// The file name that a mail program shows.
    pub file_name: String,
    /// The picture, base64 in the frozen file.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl From<&crate::place::Place> for Origin {
    fn from(place: &crate::place::Place) -> Self {
        let content = place.text().content();
        let range = place.range();
        let start = content[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let line = content[start..].lines().next().unwrap_or_default();
        let from = (range.start - start).min(line.len());
        let span = from..(range.end - start).clamp(from, line.len());
        let (source_line, span) = if line.len() > LONGEST_LINE {
            (&line[span.clone()], 0..span.len())
        } else {
            (line, span)
        };
        Self {
            file: place.file().to_owned(),
            line: place.line(),
            column: place.column(),
            source_line: source_line.to_owned(),
            span,
        }
    }
}

impl From<&Origin> for crate::place::Place {
    fn from(origin: &Origin) -> Self {
        let place = Self::in_line(
            origin.file.as_str(),
            origin.line,
            origin.source_line.as_str(),
            origin.span.clone(),
        );
        // What is missing before a tag of a long line still counts.
        let first_column = 1 + origin.column.saturating_sub(place.column());
        place.from_column(first_column)
    }
}

mod base64_bytes {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        BASE64
            .decode(String::deserialize(from)?.as_bytes())
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::{Place, Text};

    #[test]
    fn a_long_line_is_not_kept_but_its_column_is() {
        for (blanks, kept) in [(10, "          {{ a }}é"), (LONGEST_LINE, "{{ a }}")] {
            let line = format!("x\n{}{{{{ a }}}}é\ny", " ".repeat(blanks));
            let place = Text::new("a.mjml", line).place(blanks + 2..blanks + 9);
            let origin = Origin::from(&place);
            assert_eq!(origin.source_line, kept);
            let again = Place::from(&origin);
            assert_eq!(again.to_string(), place.to_string());
            assert_eq!(&again.text().content()[again.range()], "{{ a }}");
        }
    }
}
