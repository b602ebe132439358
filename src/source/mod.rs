//! Where content comes from: the files of the newsletter's folder, read into issues and articles.
//!
//! Everything is relative to that folder and stays inside it, symbolic links followed, unless the
//! settings allow more. Templates are not known here; an article is data, so what the composer uses
//! as tokens is taken out of it ([`crate::issue::clean`]).

mod article;
mod desk;
mod path;
mod picture;
mod plain_text;
mod text;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

pub use self::{
    article::article,
    desk::Desk,
    picture::{Picture, picture},
    text::text,
};

use self::path::{Sought, nearest_file};
use crate::{
    error::{Error, Kind, Result, nearest},
    finding::Finding,
    fs,
    issue::{Article, Issue, front_matter, front_matter::Located, markdown},
    place::Text,
};

/// The folder of a newsletter.
#[derive(Clone, Debug)]
pub struct Root {
    /// Where it is.
    pub folder: PathBuf,
    /// Whether what it names may lie outside of it.
    pub bounds: Bounds,
}

/// What a path must not lead out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bounds {
    /// Articles and pictures may lie anywhere.
    None,
    /// The folder of a newsletter.
    Newsletter,
    /// The folder that plain MJML files belong to.
    Project,
}

/// An issue with all that it carries.
#[derive(Clone, Debug)]
pub struct Gathered {
    /// The issue.
    pub issue: Issue,
    /// What was noticed on the way; warnings only, as errors end the gathering.
    pub findings: Vec<Finding>,
}

/// The folder of the issues.
const ISSUES: &str = "issues";

/// The slugs of all issues, sorted.
///
/// Fails when the folder is there and cannot be read.
pub fn issues(root: &Root) -> Result<Vec<String>> {
    let files = fs::list(&root.folder.join(ISSUES))?;
    let slugs = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .filter(|slug| !slug.starts_with('.'));
    Ok(slugs.collect())
}

/// When an issue is due, by its slug. Nothing but that is read of it.
pub fn timing(root: &Root, slug: &str) -> Result<front_matter::Timing> {
    let name = format!("{ISSUES}/{slug}.md");
    let content = fs::read_text(&root.folder.join(&name))?;
    front_matter::timing(&Text::new(name, content))
}

/// Reads an issue by its slug or its path, with every article that it names.
///
/// Fails with everything that is wrong in any of the files, each fault at its place.
pub fn issue(root: &Root, name: &str) -> Result<Gathered> {
    Desk::default().issue(root, name)
}

fn gather(root: &Root, name: &str, desk: &mut Desk) -> Result<Gathered> {
    let found = find_issue(root, name)?;
    let slug = slug_of(&found.path);
    if let Some(bad) = slug
        .chars()
        .find(|c| c.is_whitespace() || c.is_control() || "@#".contains(*c))
    {
        return Err(Error::data(format!("the issue's name `{slug}` holds `{bad}`"))
            .hint("Name the file with letters, digits, `-`, `_` and `.`: the name is part of the campaign's id."));
    }
    // `...md` would be the issue `..`, and its folder the one above all others.
    if slug.starts_with('.') {
        return Err(
            Error::data(format!("the issue's name `{slug}` begins with a dot"))
                .hint("Files whose names begin with a dot are hidden; give this one another name."),
        );
    }
    let text = Text::new(found.name.as_str(), fs::read_text(&found.path)?);
    let (front, letter_start) = front_matter::issue(&text)?;
    let mut errors = Vec::new();
    let mut findings = Vec::new();
    let mut articles = Vec::new();
    let mut seen = HashMap::new();
    for named in &front.articles {
        match article_of(root, named, &mut seen, desk) {
            Ok((article, found)) => {
                articles.push(article);
                findings.extend(found);
            }
            Err(error) => errors.push(error),
        }
    }
    errors.extend(letter_faults(root, &text, letter_start));
    if let Some(error) = Error::all(errors) {
        return Err(error);
    }
    make_slugs_unique(&mut articles);
    let letter = text.content().get(letter_start..).unwrap_or_default();
    if articles.is_empty() && letter.trim().is_empty() {
        let finding = Finding::warning("empty-issue", "the issue has no letter and no articles");
        let finding = finding.at(text.line(1));
        findings.push(finding.hint("Write below the front matter, or name `articles` in it."));
    }
    Ok(Gathered {
        issue: Issue {
            slug,
            text,
            front,
            letter_start,
            articles,
        },
        findings,
    })
}

fn article_of(
    root: &Root,
    named: &Located<String>,
    seen: &mut HashMap<PathBuf, usize>,
    desk: &mut Desk,
) -> Result<(Arc<Article>, Vec<Finding>)> {
    let found = article::find(root, &named.value).map_err(|error| error.at(named.place.clone()))?;
    let real = fs::real_path(&found.path)?;
    let number = seen.len() + 1;
    if let Some(first) = seen.get(&real) {
        return Err(
            Error::data(format!("the article `{}` is named twice", named.value))
                .at(named.place.clone())
                .hint(format!(
                    "It is the issue's article {first} already; take one of them out."
                )),
        );
    }
    seen.insert(real, number);
    desk.article(root, &found)
}

/// An issue by its slug, its file name, or its path.
fn find_issue(root: &Root, name: &str) -> Result<path::Found> {
    let is_path = name.contains(['/', '\\']);
    let candidates = if is_path {
        vec![name.to_owned()]
    } else {
        vec![
            format!("{ISSUES}/{name}.md"),
            format!("{ISSUES}/{name}"),
            name.to_owned(),
        ]
    };
    for candidate in &candidates {
        let is_markdown = Path::new(candidate)
            .extension()
            .is_some_and(|extension| extension == "md");
        match root.seek(candidate)? {
            Sought::File(found) if is_markdown => return Ok(found),
            Sought::File(_) if is_path => {
                return Err(
                    Error::new(Kind::Usage, format!("`{name}` is not a Markdown file"))
                        .hint("An issue is a file that ends in `.md`."),
                );
            }
            _ => {}
        }
    }
    let known = issues(root)?;
    let slug = name.trim_start_matches("issues/").trim_end_matches(".md");
    let hint = match nearest(slug, known.iter().map(String::as_str)) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None if known.is_empty() => {
            "There are no issues yet: they are files `issues/<name>.md`.".to_owned()
        }
        None => {
            let shown: Vec<String> = known
                .iter()
                .rev()
                .take(8)
                .map(|slug| format!("`{slug}`"))
                .collect();
            let more = if known.len() > shown.len() {
                ", …"
            } else {
                ""
            };
            format!("The issues are {}{more}.", shown.join(", "))
        }
    };
    Err(Error::new(Kind::NoInput, format!("there is no issue `{name}`")).hint(hint))
}

/// The pictures that a letter names literally and that are not there.
fn letter_faults(root: &Root, text: &Text, start: usize) -> Vec<Error> {
    let letter = text.content().get(start..).unwrap_or_default();
    let images = markdown::parse(letter).images.into_iter();
    let faults = images.filter_map(|image| {
        let is_template = image.src.contains("{{") || image.src.contains("{%");
        if is_template || path::is_address(&image.src) {
            return None;
        }
        let fault = match root.seek(&image.src) {
            Ok(Sought::File(_)) => picture(root, &image.src).err()?,
            Ok(_) => {
                let error = Error::data(format!("there is no picture `{}`", image.src));
                let beside = Path::new(text.name()).parent().unwrap_or(Path::new(""));
                let beside = beside.join(&image.src).to_string_lossy().into_owned();
                match root.seek(&beside) {
                    Ok(Sought::File(found)) => error.hint(format!(
                        "Write `{}`: in a letter, paths are relative to the newsletter's folder.",
                        found.name
                    )),
                    _ => match nearest_file(root, &image.src) {
                        Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
                        None => error.hint("Paths are relative to the newsletter's folder."),
                    },
                }
            }
            Err(error) => error,
        };
        Some(fault.at(text.place(start + image.range.start..start + image.range.end)))
    });
    faults.collect()
}

/// The stem of a file's name.
fn slug_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Gives the second article of a name the name with `-2`, and so on.
fn make_slugs_unique(articles: &mut [Arc<Article>]) {
    let mut taken: HashSet<String> = articles
        .iter()
        .map(|article| article.slug.clone())
        .collect();
    // How often a name has come, and so the number that its next article tries first.
    let mut came: HashMap<String, usize> = HashMap::new();
    for article in articles {
        let number = came.entry(article.slug.clone()).or_default();
        *number += 1;
        if *number == 1 {
            continue;
        }
        let mut slug = format!("{}-{number}", article.slug);
        while !taken.insert(slug.clone()) {
            *number += 1;
            slug = format!("{}-{number}", article.slug);
        }
        Arc::make_mut(article).slug = slug;
    }
}

#[cfg(test)]
mod tests;
