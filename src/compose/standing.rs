//! Standing type: what was composed before is kept, and made anew only where what it was made of has
//! changed.
//!
//! Everything is compared by its content, never by a time. What comes of it is, byte for byte, what
//! [`super::compose`] makes of the same issue; nothing is kept of what was wrong.

use std::{cell::RefCell, collections::HashMap, sync::Arc};

use aws_lc_rs::digest::{self, Digest};
use tera::Value;

use super::{
    Composed, Images, Press, Publication, Templates, Validation, compose_with, context,
    moment::{Moment, Writing},
    staging::{Source, Tags},
    templates::Template,
};
use crate::{
    error::Result,
    issue::{Article, Issue},
    place::Text,
    source::Picture,
};

/// What stands ready from one composing to the next.
#[derive(Default)]
pub struct Standing {
    templates: Option<Arc<Loaded>>,
    /// By the slugs of the issues.
    issues: HashMap<String, Kept>,
    tally: Tally,
}

/// What was made so far, and not taken from what stood there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Templates that were compiled.
    pub templates: usize,
    /// Articles that were made into what templates show.
    pub articles: usize,
    /// Pages that were laid out.
    pub editions: usize,
}

/// What is kept of an issue.
#[derive(Default)]
struct Kept {
    /// The articles and their values, by their slugs.
    articles: HashMap<String, (Arc<Article>, Value)>,
    edition: Option<Made>,
}

/// An edition, and all that it was made of.
struct Made {
    text: Text,
    articles: Vec<Arc<Article>>,
    publication: Publication,
    templates: Templates,
    images: Images,
    validation: Validation,
    reads: Vec<Read>,
    composed: Arc<Composed>,
}

/// A file that was read while an issue was composed, and what was in it.
enum Read {
    Picture(String, Fingerprint),
    Include(String, Text),
}

/// A picture, without keeping it once more: its name, its width and the hash of its bytes.
type Fingerprint = (String, u32, Digest);

impl Standing {
    /// Composes an issue as [`super::compose`] does.
    ///
    /// # Errors
    /// Whatever is wrong in the templates or in the author's own words, each at its place.
    pub fn compose(&mut self, issue: &Issue, press: &Press<'_>) -> Result<Arc<Composed>> {
        let kept = self.issues.get(&issue.slug);
        if let Some(made) = kept.and_then(|kept| kept.edition.as_ref())
            && made.is_of(issue, press)
        {
            return Ok(Arc::clone(&made.composed));
        }
        self.tally.editions += 1;
        let (composed, reads) = match self.attempt(issue, press) {
            // Templates that were put together bit by bit must not be what an error is about.
            Err(_) if self.templates.as_ref().is_some_and(|it| it.patches > 0) => {
                self.templates = None;
                self.attempt(issue, press)?
            }
            made => made?,
        };
        let composed = Arc::new(composed);
        let edition = reads.map(|reads| Made {
            text: issue.text.clone(),
            articles: issue.articles.clone(),
            publication: press.publication.clone(),
            templates: press.templates.clone(),
            images: press.images,
            validation: press.validation,
            reads,
            composed: Arc::clone(&composed),
        });
        self.issues.entry(issue.slug.clone()).or_default().edition = edition;
        Ok(composed)
    }

    /// What was made so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Composes, and notes which files were read; not when one of them could not be.
    fn attempt(
        &mut self,
        issue: &Issue,
        press: &Press<'_>,
    ) -> Result<(Composed, Option<Vec<Read>>)> {
        let reads = RefCell::new(Some(Vec::new()));
        let note = |read: Option<Read>| {
            let mut reads = reads.borrow_mut();
            match (read, reads.as_mut()) {
                (Some(read), Some(reads)) => reads.push(read),
                _ => *reads = None,
            }
        };
        let watched = Press {
            picture: &|src| {
                let picture = (press.picture)(src);
                let print = picture.as_ref().ok().map(fingerprint);
                note(print.map(|print| Read::Picture(src.to_owned(), print)));
                picture
            },
            include: &|path| {
                let text = (press.include)(path);
                let known = text.as_ref().ok().cloned();
                note(known.map(|text| Read::Include(path.to_owned(), text)));
                text
            },
            ..*press
        };
        let composed = compose_with(issue, &watched, self)?;
        Ok((composed, reads.take()))
    }

    /// The templates, loaded; only those that are not what they were are compiled.
    pub(super) fn templates(&mut self, templates: &Templates) -> Result<Arc<Loaded>> {
        let known = self.templates.take().and_then(Arc::into_inner);
        let renewed = known.and_then(|known| known.renewed(templates, &mut self.tally));
        let loaded = match renewed {
            Some(loaded) => loaded,
            None => Loaded::new(templates, &mut self.tally)?,
        };
        Ok(Arc::clone(self.templates.insert(Arc::new(loaded))))
    }

    /// The articles of an issue as values.
    pub(super) fn articles(&mut self, issue: &Issue) -> Vec<Value> {
        let kept = self.issues.entry(issue.slug.clone()).or_default();
        let mut known = std::mem::take(&mut kept.articles);
        let mut values = Vec::with_capacity(issue.articles.len());
        for article in &issue.articles {
            let same = known
                .remove(&article.slug)
                .filter(|(known, _)| Arc::ptr_eq(known, article) || known == article);
            let (_, value) = same.unwrap_or_else(|| {
                self.tally.articles += 1;
                (Arc::clone(article), context::article(article))
            });
            values.push(value.clone());
            let entry = (Arc::clone(article), value);
            kept.articles.insert(article.slug.clone(), entry);
        }
        values
    }
}

impl Made {
    /// Whether it is what would be made.
    fn is_of(&self, issue: &Issue, press: &Press<'_>) -> bool {
        self.text == issue.text
            && self.articles == issue.articles
            && self.publication == *press.publication
            && self.templates == *press.templates
            && self.images == press.images
            && self.validation == press.validation
            && self.reads.iter().all(|read| match read {
                Read::Picture(src, known) => (press.picture)(src).is_ok_and(|picture| {
                    let (name, width, hash) = fingerprint(&picture);
                    name == known.0 && width == known.1 && hash.as_ref() == known.2.as_ref()
                }),
                Read::Include(path, known) => {
                    (press.include)(path).is_ok_and(|text| text == *known)
                }
            })
    }
}

fn fingerprint(picture: &Picture) -> Fingerprint {
    let hash = digest::digest(&digest::SHA256, &picture.bytes);
    (picture.src.clone(), picture.width, hash)
}

/// Templates, staged and compiled.
pub(super) struct Loaded {
    sources: Vec<Template>,
    /// What waits for the reader in them; also what waited in templates that were replaced.
    pub(super) tags: Tags,
    pub(super) moment: Moment,
    /// How often some of them were replaced.
    patches: usize,
}

impl Loaded {
    fn new(templates: &Templates, tally: &mut Tally) -> Result<Self> {
        let sources: Vec<Template> = templates.iter().cloned().collect();
        tally.templates += sources.len();
        let mut tags = Tags::default();
        let staged = sources.iter().map(source).collect();
        Ok(Self {
            moment: Moment::new(staged, Writing::ByName, &mut tags)?,
            sources,
            tags,
            patches: 0,
        })
    }

    /// The same with the templates as they are now; `None` when all must be loaded anew.
    fn renewed(mut self, templates: &Templates, tally: &mut Tally) -> Option<Self> {
        let names = self.sources.iter().map(|template| &template.name);
        if !names.eq(templates.iter().map(|template| &template.name)) {
            return None;
        }
        let pairs = self.sources.iter_mut().zip(templates.iter());
        let mut changed = Vec::new();
        for (known, now) in pairs.filter(|(known, now)| known != now) {
            known.clone_from(now);
            changed.push(source(now));
        }
        if changed.is_empty() {
            return Some(self);
        }
        tally.templates += changed.len();
        self.patches += 1;
        self.moment = self.moment.renewed(changed, &mut self.tags)?;
        Some(self)
    }
}

fn source(template: &Template) -> (String, Source) {
    (template.name.clone(), Source::whole(&template.text))
}

#[cfg(test)]
mod tests;
