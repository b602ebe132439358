//! One article from one file: Markdown or plain text, with or without front matter.

use std::collections::BTreeMap;

use super::{
    Root,
    path::{Found, Sought, is_address, nearest_file},
    picture,
    plain_text::{self, Draft},
    slug_of,
};
use crate::{
    error::{Error, Kind, Result},
    finding::Finding,
    fs,
    issue::{
        Article, Block, Figure, Inline, clean, credit,
        front_matter::{self, ArticleFront, ImageFront, Located},
        markdown,
    },
    place::{Place, Text},
};

/// Reads an article by its path, relative to the newsletter's folder.
///
/// Fails with everything that is wrong in it, missing pictures included.
pub fn article(root: &Root, path: &str) -> Result<(Article, Vec<Finding>)> {
    let found = find(root, path)?;
    let read = read(root, &found, load(&found)?)?;
    Ok((read.article, read.findings))
}

/// The file of an article.
pub(super) fn find(root: &Root, path: &str) -> Result<Found> {
    if is_address(path) {
        return Err(Error::data(format!("`{path}` is an address, not a file"))
            .hint("Save the page as Markdown or plain text and name the file."));
    }
    match root.seek(path)? {
        Sought::File(found) => Ok(found),
        Sought::Folder => Err(Error::data(format!("`{path}` is a folder"))
            .hint("Name each article by its own path; folders are not read as a whole.")),
        Sought::Nothing if path.contains(['*', '?', '[']) => {
            Err(Error::data(format!("`{path}` is a pattern"))
                .hint("Name each article by its own path; patterns are not understood."))
        }
        Sought::Nothing => {
            let error = Error::new(Kind::NoInput, format!("there is no article `{path}`"));
            Err(match nearest_file(root, path) {
                Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
                None => error.hint("Paths are relative to the newsletter's folder."),
            })
        }
    }
}

/// An article, read, and what it was made of besides its file.
pub(super) struct Read {
    pub(super) article: Article,
    pub(super) findings: Vec<Finding>,
    /// The pictures that were looked up: paths as written, and relative to the newsletter's folder.
    pub(super) pictures: BTreeMap<String, String>,
}

/// What stands in the file of an article.
pub(super) fn load(found: &Found) -> Result<Text> {
    kind(found)?;
    Ok(Text::new(found.name.as_str(), fs::read_text(&found.path)?))
}

fn kind(found: &Found) -> Result<Markup> {
    let extension = found.path.extension().unwrap_or_default().to_string_lossy();
    match extension.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Ok(Markup::Markdown),
        "txt" | "text" => Ok(Markup::None),
        _ => Err(Error::data(format!("`{}` is not an article", found.name))
            .hint("Articles are Markdown (`.md`, `.markdown`) or plain text (`.txt`).")),
    }
}

/// Whether pictures are still where they were found, and can be shown.
pub(super) fn still_there(root: &Root, text: &Text, pictures: &BTreeMap<String, String>) -> bool {
    pictures.iter().all(|(src, name)| {
        let found = seek(root, text, src);
        matches!(found, Ok(Some(found)) if found.name == *name) && picture(root, name).is_ok()
    })
}

/// Reads an article, of which `text` is the file.
pub(super) fn read(root: &Root, found: &Found, text: Text) -> Result<Read> {
    let kind = kind(found)?;
    let (front, start) = front_matter::article(&text)?;
    let mut reader = Reader {
        root,
        text: &text,
        errors: Vec::new(),
        findings: Vec::new(),
        pictures: BTreeMap::new(),
    };
    let draft = match kind {
        Markup::Markdown => reader.markdown(&front, start),
        Markup::None => plain_text::read(
            text.content().get(start..).unwrap_or_default(),
            front.title.as_deref(),
        ),
    };
    let image = front.image.map(|image| reader.lead_image(image));
    let mut article = Article {
        slug: slug_of(&found.path),
        title: front.title.unwrap_or(draft.title),
        standfirst: front.standfirst.or(draft.standfirst),
        byline: front.byline.or(draft.byline),
        date: front.date.or(draft.date),
        url: front.url.map(|url| reader.link(url)),
        image,
        topics: front.topics,
        body: draft.body,
    };
    reader.locate_pictures(&mut article.body);
    clean::article(&mut article);
    if article.title.trim().is_empty() {
        reader.errors.insert(
            0,
            Error::data(format!("the article `{}` has no title", found.name))
                .at(text.line(1))
                .hint(match kind {
                    Markup::Markdown => {
                        "Begin it with a line `# Title`, or give it a `title` in its front matter."
                    }
                    Markup::None => "Its first line is its title; it has none.",
                }),
        );
    }
    match Error::all(reader.errors) {
        Some(error) => Err(error),
        None => Ok(Read {
            article,
            findings: reader.findings,
            pictures: reader.pictures,
        }),
    }
}

#[derive(Clone, Copy)]
enum Markup {
    Markdown,
    None,
}

struct Reader<'r> {
    root: &'r Root,
    text: &'r Text,
    errors: Vec<Error>,
    findings: Vec<Finding>,
    /// Paths as written, and relative to the newsletter's folder.
    pictures: BTreeMap<String, String>,
}

impl Reader<'_> {
    /// Where the article is on the web; themes leave out what a mail must not link to.
    fn link(&mut self, url: Located<String>) -> String {
        let is_link = url::Url::parse(&url.value)
            .is_ok_and(|url| matches!(url.scheme(), "https" | "http" | "mailto" | "tel"));
        if !is_link {
            let message = format!("`{}` is no address that a mail may link to", url.value);
            let finding = Finding::warning("article-url", message).at(url.place);
            let hint = "Write the whole of it, as in `https://news.example.com/one`.";
            self.findings.push(finding.hint(hint));
        }
        url.value
    }

    fn markdown(&mut self, front: &ArticleFront, mut start: usize) -> Draft {
        let body = self.text.content().get(start..).unwrap_or_default();
        let mut draft = Draft::default();
        if let Some((title, rest)) = markdown::title(body) {
            // A title that repeats the front matter is not said twice.
            if front
                .title
                .as_ref()
                .is_none_or(|known| letters(known) == letters(&title))
            {
                draft.title = title;
                start += rest;
            }
        }
        let body = self.text.content().get(start..).unwrap_or_default();
        let parsed = markdown::parse(body);
        for (range, message) in parsed.warnings {
            let place = self.text.place(start + range.start..start + range.end);
            self.findings
                .push(Finding::warning("markdown", message).at(place));
        }
        for image in parsed.images {
            let place = self
                .text
                .place(start + image.range.start..start + image.range.end);
            self.see(&image.src, &place);
        }
        draft.body = parsed.blocks;
        draft
    }

    fn lead_image(&mut self, image: ImageFront) -> Figure {
        self.see(&image.src.value, &image.src.place);
        let mut caption = image.caption.unwrap_or_default();
        let mut given = image.credit;
        if given.is_none()
            && let Some(found) = credit::split(&caption)
        {
            given = Some(found.named());
            caption = found.caption.to_owned();
        }
        Figure {
            src: self.located(image.src.value),
            alt: image.alt.unwrap_or_default(),
            caption: match caption.is_empty() {
                true => Vec::new(),
                false => vec![Inline::Text(caption)],
            },
            credit: given,
        }
    }

    /// Looks a picture up: in the newsletter's folder first, then beside the article.
    fn see(&mut self, src: &str, place: &Place) {
        if self.pictures.contains_key(src) {
            return;
        }
        if is_address(src) {
            let is_web = ["http://", "https://"].iter().any(|scheme| {
                src.get(..scheme.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
            });
            if !is_web {
                self.errors.push(
                    Error::data(format!(
                        "the picture `{}` is neither a file nor on the web",
                        brief(src)
                    ))
                    .at(place.clone())
                    .hint("Name a file in the newsletter's folder, or an https address."),
                );
            }
            return;
        }
        match seek(self.root, self.text, src) {
            Ok(Some(found)) => {
                // Whether mails can show it is told here, where its place is known.
                if let Err(error) = picture(self.root, &found.name) {
                    self.errors.push(error.at(place.clone()));
                }
                self.pictures.insert(src.to_owned(), found.name);
            }
            Ok(None) => {
                let error = Error::data(format!("there is no picture `{src}`")).at(place.clone());
                let meant = nearest_file(self.root, src)
                    .or_else(|| nearest_file(self.root, &beside(self.text, src)));
                self.errors.push(match meant {
                    Some(meant) => error.hint(format!("Did you mean `{meant}`?")),
                    None => error.hint(
                        "Paths are relative to the newsletter's folder, or to the article's file.",
                    ),
                });
            }
            Err(error) => self.errors.push(error.at(place.clone())),
        }
    }

    fn located(&self, src: String) -> String {
        self.pictures.get(&src).cloned().unwrap_or(src)
    }

    fn locate_pictures(&self, blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Figure(figure) => {
                    figure.src = self.located(std::mem::take(&mut figure.src));
                    self.locate_in_line(&mut figure.caption);
                }
                Block::Paragraph(content) | Block::Heading { content, .. } => {
                    self.locate_in_line(content);
                }
                Block::List { items, .. } => {
                    for item in items {
                        self.locate_pictures(&mut item.blocks);
                    }
                }
                Block::Quote(inner) => self.locate_pictures(inner),
                Block::Table { head, rows } => {
                    for cell in head.iter_mut().chain(rows.iter_mut().flatten()) {
                        self.locate_in_line(&mut cell.content);
                    }
                }
                // A pull quote holds no pictures.
                Block::PullQuote(_) | Block::Code { .. } | Block::Divider => {}
            }
        }
    }

    fn locate_in_line(&self, line: &mut [Inline]) {
        for inline in line {
            match inline {
                Inline::Image { src, .. } => *src = self.located(std::mem::take(src)),
                Inline::Emphasis(content)
                | Inline::Strong(content)
                | Inline::Strikethrough(content)
                | Inline::Link { content, .. } => self.locate_in_line(content),
                Inline::Text(_) | Inline::Code(_) | Inline::Break => {}
            }
        }
    }
}

/// The file of a picture; a path may have its blanks percent-encoded, as Markdown asks for.
fn seek(root: &Root, text: &Text, src: &str) -> Result<Option<Found>> {
    let decoded = src.replace("%20", " ");
    let mut refused = None;
    for path in [src, &decoded] {
        for path in [path.to_owned(), beside(text, path)] {
            match root.seek(&path) {
                Ok(Sought::File(found)) => return Ok(Some(found)),
                Ok(_) => {}
                // `../images/a.png` leads out of the newsletter's folder, but not from the
                // article's.
                Err(error) => refused = refused.or(Some(error)),
            }
        }
    }
    let leads_out = refused.filter(|_| root.seek(&beside(text, src)).is_err());
    leads_out.map_or(Ok(None), Err)
}

fn beside(text: &Text, src: &str) -> String {
    match text.name().rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{src}"),
        None => src.to_owned(),
    }
}

/// The letters of a title, by which one is known again whatever its typography.
pub(super) fn letters(title: &str) -> String {
    let letters = title.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The start of an address that may be a whole picture.
fn brief(src: &str) -> String {
    match src.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &src[..at]),
        None => src.to_owned(),
    }
}
