//! Two moments in one syntax: cuts the tags that need the reader out of the author's sources.
//!
//! Only trusted sources come here (templates, partials, the letter, subject and preheader), never
//! data. A tag belongs to the moment of sending when it uses `subscriber`, one of the reader's
//! addresses, or a name that such a tag has bound. It is replaced by one character (see
//! [`super::tokens`]), so that Tera, Markdown and MJML carry it along as text. Where it also uses
//! names of the composing moment, their values are captured in place: each turn of a loop has its own.
//!
//! In the sources of MJML each tag of the markup gets a mark after its name, so that the author's
//! place of every element is known after loops, includes and components.

mod code;
mod cut;
mod scan;
mod source;
mod tags;

pub(crate) use source::{Markup, Source, Staged};
pub(crate) use tags::{Role, Run, SendTag, Tags};

/// The names that belong to the moment of sending.
pub(crate) const ROOTS: [&str; 4] = [
    "subscriber",
    "unsubscribe_url",
    "preferences_url",
    "view_url",
];

/// The filter that captures a value of the composing moment; see [`super::filters`].
pub(crate) const CAPTURE: &str = "__capture";

#[cfg(test)]
mod tests;
