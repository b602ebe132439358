//! An article: one item of the digest.

use jiff::civil::Date;

use super::{Block, Figure};

/// One item of the digest, wherever it came from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Article {
    /// A short name, unique in the issue: the stem of its file.
    pub slug: String,
    /// The headline.
    pub title: String,
    /// The sentence or two below the headline that say what it is about.
    pub standfirst: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// When it appeared.
    pub date: Option<Date>,
    /// Where it can be read on the web.
    pub url: Option<String>,
    /// The lead image.
    pub image: Option<Figure>,
    /// What it is about, for readers who choose; the first is its section.
    pub topics: Vec<String>,
    /// What it says.
    pub body: Vec<Block>,
}

impl Article {
    /// The words of headline, standfirst and body, counted as a reader would.
    #[must_use]
    pub fn words(&self) -> usize {
        let count = |text: &str| text.split_whitespace().count();
        count(&self.title)
            + self.standfirst.as_deref().map_or(0, count)
            + self
                .body
                .iter()
                .map(|block| count(&block.words()))
                .sum::<usize>()
    }

    /// Minutes to read it, at 220 words a minute, at least one.
    #[must_use]
    pub fn reading_minutes(&self) -> usize {
        self.words().div_ceil(220).max(1)
    }
}
