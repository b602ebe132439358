//! The nouns of content: an issue, its articles, and what an article is made of.
//!
//! Everything here is pure: texts in, values out. No file or socket is opened, no template is known,
//! and no subscriber is seen.

mod article;
mod block;
pub mod clean;
pub mod credit;
pub mod front_matter;
pub mod html;
pub mod markdown;
pub mod quotation;
pub mod schedule;
mod script;
pub mod text;

pub use article::Article;
pub use block::{Block, Cell, Figure, Inline, ListItem, Quote, plain};

use std::sync::Arc;

use crate::place::Text;

/// One number of the newsletter: what is said, before it is set. `send` addresses it by its slug.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The stem of its file: `welcome` for `issues/welcome.md`.
    pub slug: String,
    /// The whole file, for places.
    pub text: Text,
    /// What its front matter says.
    pub front: front_matter::IssueFront,
    /// Where the letter (the Markdown after the front matter) begins in `text`, in bytes.
    pub letter_start: usize,
    /// The articles it carries, in order; shared with whoever has read them.
    pub articles: Vec<Arc<Article>>,
}

impl Issue {
    /// The letter: Markdown that may hold template tags, as the author is trusted.
    #[must_use]
    pub fn letter(&self) -> &str {
        &self.text.content()[self.letter_start..]
    }
}
