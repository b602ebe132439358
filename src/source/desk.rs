//! The desk, where articles lie that were read before.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Gathered, Root, article, gather, path::Found};
use crate::{error::Result, finding::Finding, issue::Article, place::Text};

/// Reads issues, and reads an article again only when its file or one of its pictures has changed.
///
/// What comes of it is what [`super::issue`] would have given: files are compared by what stands in
/// them, never by their times.
#[derive(Default)]
pub struct Desk {
    /// By the names of the files.
    articles: HashMap<String, Manuscript>,
    parsed: usize,
}

/// An article, and what it was made of.
struct Manuscript {
    text: Text,
    /// See [`article::Read::pictures`].
    pictures: BTreeMap<String, String>,
    article: Arc<Article>,
    findings: Vec<Finding>,
}

impl Desk {
    /// Reads an issue as [`super::issue`] does.
    ///
    /// # Errors
    /// With everything that is wrong in any of the files, each fault at its place.
    pub fn issue(&mut self, root: &Root, name: &str) -> Result<Gathered> {
        gather(root, name, self)
    }

    /// How many articles were parsed so far.
    #[must_use]
    pub fn parsed(&self) -> usize {
        self.parsed
    }

    /// What is wrong is never kept, so that it is told at each time.
    pub(super) fn article(
        &mut self,
        root: &Root,
        found: &Found,
    ) -> Result<(Arc<Article>, Vec<Finding>)> {
        let text = article::load(found)?;
        if let Some(known) = self.articles.get(&found.name)
            && known.text == text
            && article::still_there(root, &text, &known.pictures)
        {
            return Ok((Arc::clone(&known.article), known.findings.clone()));
        }
        self.parsed += 1;
        let read = article::read(root, found, text.clone())?;
        let manuscript = Manuscript {
            text,
            pictures: read.pictures,
            article: Arc::new(read.article),
            findings: read.findings,
        };
        let read = (Arc::clone(&manuscript.article), manuscript.findings.clone());
        self.articles.insert(found.name.clone(), manuscript);
        Ok(read)
    }
}
