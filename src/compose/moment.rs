//! The moment of composing: Tera over the staged sources.

use std::{collections::BTreeMap, io::Write, ops::Range};

use tera::{Context, ErrorKind, Tera};

use super::{
    faults::{self, Sources},
    filters,
    staging::{Markup, Source, Staged, Tags},
};
use crate::{
    error::{Error, Result},
    place::Place,
};

/// How values are written into what a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// MJML and HTML escape them, all else does not.
    ByName,
    /// For Markdown: a value stays text.
    Markdown,
}

/// Templates that were staged and loaded.
pub(super) struct Moment {
    tera: Tera,
    staged: BTreeMap<String, Staged>,
}

impl Moment {
    /// Stages and loads `sources`, each with the name by which `include` finds it.
    ///
    /// # Errors
    /// All that is wrong with them, at the author's places.
    pub(super) fn new(
        sources: Vec<(String, Source)>,
        writing: Writing,
        tags: &mut Tags,
    ) -> Result<Self> {
        let mut tera = Tera::new();
        filters::register(&mut tera);
        match writing {
            Writing::ByName => tera.autoescape_on([".mjml", ".html"]),
            Writing::Markdown => {
                tera.autoescape_on([".md"]);
                tera.set_escape_fn(escape_markdown);
            }
        }
        let (staged, mut errors) = stage(sources, tags);
        let failed = match errors.is_empty() {
            true => tera.add_raw_templates(templates(&staged)).err(),
            false => None,
        };
        if failed.is_none() && errors.is_empty() {
            return Ok(Self { tera, staged });
        }
        // Each file on its own can say what is wrong with its syntax.
        for (name, source) in &staged {
            let mut alone = Tera::new();
            filters::register(&mut alone);
            if let Err(error) = alone.add_raw_template(name, &source.template)
                && let ErrorKind::SyntaxError(report) = error.kind()
            {
                errors.push(faults::reported(report, &staged));
            }
        }
        let of_all = || failed.map(|error| faults::translated(&error, &staged));
        Err(Error::all(errors)
            .or_else(of_all)
            .unwrap_or_else(|| Error::bug("templates that are right were refused")))
    }

    /// Puts these templates in the place of others of their names. What they say of tags is added to
    /// `tags`; what was said of the others stays there. `None` when that cannot be done, whatever the
    /// reason: then all of them are to be loaded anew, and that says what is wrong.
    pub(super) fn renewed(
        mut self,
        sources: Vec<(String, Source)>,
        tags: &mut Tags,
    ) -> Option<Self> {
        let (staged, errors) = stage(sources, tags);
        if !errors.is_empty() || tags.are_crowded() {
            return None;
        }
        self.tera.add_raw_templates(templates(&staged)).ok()?;
        self.staged.extend(staged);
        Some(self)
    }

    /// Renders one of the templates.
    ///
    /// # Errors
    /// At the author's place.
    pub(super) fn render(&self, name: &str, context: &Context) -> Result<String> {
        let rendered = self.tera.render(name, context);
        rendered.map_err(|error| faults::translated(&error, &self.staged))
    }

    /// The author's place of a byte of a template.
    pub(super) fn staged(&self, name: &str) -> Option<&Staged> {
        self.staged.get(name)
    }
}

/// Stages sources by their names, with all that is wrong in them.
fn stage(
    sources: Vec<(String, Source)>,
    tags: &mut Tags,
) -> (BTreeMap<String, Staged>, Vec<Error>) {
    let mut staged = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, source) in sources {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let markup = match extension {
            "mjml" => Markup::Mjml,
            _ => Markup::Other,
        };
        match tags.stage(&source, markup) {
            Ok(source) => {
                staged.insert(name, source);
            }
            Err(found) => errors.extend(found),
        }
    }
    (staged, errors)
}

fn templates(staged: &BTreeMap<String, Staged>) -> impl Iterator<Item = (&String, &String)> {
    staged.iter().map(|(name, source)| (name, &source.template))
}

impl Sources for BTreeMap<String, Staged> {
    fn template(&self, name: &str) -> Option<&str> {
        self.get(name).map(|staged| staged.template.as_str())
    }

    fn place(&self, name: &str, range: Range<usize>) -> Option<Place> {
        self.get(name).map(|staged| staged.place(range))
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }
}

/// Puts a backslash before whatever Markdown could read as more than text.
fn escape_markdown(text: &str, out: &mut dyn Write) -> std::io::Result<()> {
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            out.write_all(b"\\")?;
        }
        write!(out, "{character}")?;
    }
    Ok(())
}
