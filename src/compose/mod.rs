//! `Issue ─compose─▶ Mjml ─compile─▶ Edition`: staging, Tera, MJML and the text part.
//!
//! Never sees a subscriber, opens no file and knows no clock.

mod edition;
mod filters;
mod mjml;
mod staging;
mod tokens;

pub use edition::{Edition, InlineImage, MergeField, Origin, Part, Tag};
