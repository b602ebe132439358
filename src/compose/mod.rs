//! `Issue ─compose─▶ Mjml ─compile─▶ Edition`: staging, Tera, MJML and the text part.
//!
//! 1. `staging` cuts the tags that wait for the reader out of the author's sources.
//! 2. `moment` runs Tera over what is left, with the values of `context`.
//! 3. `mjml` makes the page of it; the plain text has a template of its own.
//! 4. `pictures` settles where the pictures come from.
//! 5. `assemble` puts the tags in again, each value escaped as its place demands.
//!
//! `standing` keeps what was made, for who composes again and again.
//!
//! Never sees a subscriber, opens no file and knows no clock.

mod assemble;
mod context;
mod edition;
mod faults;
mod filters;
mod mjml;
mod moment;
mod page;
mod pictures;
mod sending;
mod staging;
mod standing;
mod templates;
mod tokens;

use std::cell::LazyCell;

use crate::{
    error::{Error, Result},
    finding::Finding,
    issue::{Issue, html, markdown},
    place::Text,
    source::Picture,
};
use assemble::Assembled;
use context::Written;
use mjml::Included;
use moment::{Moment, Writing};
use staging::{Source, Tags};

pub(crate) use assemble::STATEMENT;
pub use edition::{Edition, InlineImage, MergeField, Origin, Part, Tag};
pub use mjml::Validation;
pub(crate) use sending::{ABSENT, HTML, SUBJECT, TEXT, engine, explain};
pub use standing::{Standing, Tally};
pub use templates::Templates;

/// What the newsletter is, as far as its pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its name.
    pub name: String,
    /// What stands below its name.
    pub tagline: Option<String>,
    /// Where it lives on the web, as an https address.
    pub base_url: Option<String>,
    /// Where it lives on earth; the law wants it in each mail.
    pub postal_address: String,
    /// As in BCP 47.
    pub language: String,
    /// The domain of the sender, for content ids (RFC 2392).
    pub domain: String,
}

/// Where readers get local pictures from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// They travel with the mail.
    Inline,
    /// They are called from [`Publication::base_url`].
    Hosted,
}

/// All that an issue needs to be composed.
pub struct Press<'a> {
    /// The newsletter.
    pub publication: &'a Publication,
    /// Its templates.
    pub templates: &'a Templates,
    /// Where readers get local pictures from.
    pub images: Images,
    /// Loads a picture by its path.
    pub picture: &'a dyn Fn(&str) -> Result<Picture>,
    /// Reads a file that a template includes with `<mj-include>`, by its path.
    pub include: &'a dyn Fn(&str) -> Result<Text>,
    /// How strictly MJML is taken.
    pub validation: Validation,
}

/// An issue, composed.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The page as MJML, for whoever wants to see what the templates made.
    pub mjml: String,
    /// The edition.
    pub edition: Edition,
    /// What was noticed on the way.
    pub findings: Vec<Finding>,
}

/// A plain MJML file, rendered.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The page.
    pub html: String,
    /// What was left out.
    pub findings: Vec<Finding>,
}

/// Renders a plain MJML file, without Tera, as npm's `mjml` does. `include` reads the files that it
/// includes.
///
/// # Errors
/// What cannot be read or laid out, at its place, and what `validation` does not let pass.
pub fn render_mjml(
    text: &Text,
    validation: Validation,
    include: &dyn Fn(&str) -> Result<Text>,
) -> Result<Rendered> {
    let options = mjml::Options {
        validation,
        purpose: mjml::Purpose::Template,
        language: None,
        include: &|path| include(path).map(Included::verbatim),
    };
    let (html, findings) = mjml::render(text.content(), mjml::Origin::File(text), options)?;
    Ok(Rendered { html, findings })
}

/// Composes an issue once for everyone.
///
/// # Errors
/// Whatever is wrong in the templates or in the author's own words, each at its place.
pub fn compose(issue: &Issue, press: &Press<'_>) -> Result<Composed> {
    compose_with(issue, press, &mut Standing::default())
}

/// Composes an issue, and takes what is still right from what stands there.
fn compose_with(issue: &Issue, press: &Press<'_>, standing: &mut Standing) -> Result<Composed> {
    let mut findings = Vec::new();
    match set(issue, press, standing, &mut findings) {
        Ok((mjml, edition)) => Ok(Composed {
            mjml,
            edition,
            findings,
        }),
        Err(error) => Err(error.after(findings)),
    }
}

/// The page as MJML, and the edition.
fn set(
    issue: &Issue,
    press: &Press<'_>,
    standing: &mut Standing,
    findings: &mut Vec<Finding>,
) -> Result<(String, Edition)> {
    let chosen = issue.front.template.as_ref();
    let name = chosen.map_or(templates::DEFAULT, |name| name.value.as_str());
    let (page, plain) = press
        .templates
        .choose(name, chosen.map(|name| &name.place))?;

    // The tags of the templates come first, so that they are the same whatever the letter says. What
    // is wrong in the letter is told before what is wrong in them all the same.
    let loaded = standing.templates(press.templates);
    let mut tags = match &loaded {
        Ok(loaded) => loaded.tags.clone(),
        Err(_) => Tags::default(),
    };
    let written = write(issue, press, standing.articles(issue), &mut tags, findings)?;
    let loaded = loaded?;
    let moment = &loaded.moment;
    let context = context::context(issue, press.publication, &written, &tags);
    let document = moment.render(&page.name, &context)?;
    let text = moment.render(&plain.name, &context)?;

    let options = mjml::Options {
        validation: press.validation,
        purpose: mjml::Purpose::Newsletter,
        language: Some(&press.publication.language),
        include: &|path| included(path, press, moment, &context),
    };
    let origin = mjml::Origin::Composed {
        tags: &tags,
        template: &page.text,
    };
    let (html, warnings) = mjml::render(&document, origin, options)?;
    findings.extend(warnings);
    let own = press.templates.iter().map(|template| &template.text);
    let own: Vec<&Text> = std::iter::once(&issue.text).chain(own).collect();
    let (html, images) = pictures::settle(&tokens::restore(&html), press, &tags, &own)?;

    let subject = assemble::line(written.subject.as_deref().unwrap_or_default(), &tags);
    let html = assemble::page(&html, &tags);
    let text = assemble::text(&tidy(&tokens::without_marks(&text), &tags), &tags);
    let (subject, html, text) = match (subject, html, text) {
        (Ok(subject), Ok(html), Ok(text)) => (subject, html, text),
        (subject, html, text) => {
            let errors = [subject.err(), html.err(), text.err()];
            let errors = assemble::distinct(errors.into_iter().flatten());
            return Err(Error::all(errors).unwrap_or_else(|| Error::bug("a part is missing")));
        }
    };
    let sources = [&page.text, &plain.text];
    findings.extend(missing(press.publication, [&html, &text], sources));
    findings.extend(large(html.part.template.len()));
    let fields = fields([&subject, &html, &text]);
    let edition = Edition {
        subject: subject.part,
        html: html.part,
        text: text.part,
        images,
        fields,
        language: press.publication.language.clone(),
    };
    // What cannot be compiled at sending must not leave here.
    sending::prove(&edition)?;
    Ok((tags.shown(&tokens::without_marks(&document)), edition))
}

/// A file that a template includes by `mj-include`. It is a template itself where it is one of the
/// newsletter's; all else is taken as it is, cleaned as data is.
fn included(
    path: &str,
    press: &Press<'_>,
    moment: &Moment,
    context: &tera::Context,
) -> Result<Included> {
    let name = path.strip_prefix(templates::FOLDER);
    let template = name.and_then(|name| press.templates.get(name));
    let Some(template) = template.filter(|template| template.is_markup()) else {
        let text = (press.include)(path)?;
        let content = tokens::clean(text.content());
        return Ok(Included::verbatim(Text::new(text.name(), content)));
    };
    let composed = moment.render(&template.name, context);
    let composed = composed.map_err(|error| {
        if !error.message().ends_with("is not defined") {
            return error;
        }
        error.hint(format!(
            "A file that comes by `<mj-include>` does not know the loops and variables around it; write `{{% include \"{}\" %}}` instead where it needs them.",
            template.name
        ))
    })?;
    Ok(Included {
        text: template.text.clone(),
        composed: Some(composed),
    })
}

/// The author's own words: subject, preheader and letter are small templates themselves.
fn write(
    issue: &Issue,
    press: &Press<'_>,
    articles: Vec<tera::Value>,
    tags: &mut Tags,
    findings: &mut Vec<Finding>,
) -> Result<Written> {
    let subject = &issue.front.subject;
    let mut lines = vec![(
        "subject.txt".to_owned(),
        Source::value(&subject.value, &subject.place),
    )];
    if let Some(preheader) = &issue.front.preheader {
        lines.push((
            "preheader.txt".to_owned(),
            Source::value(&preheader.value, &preheader.place),
        ));
    }
    let letter = Source {
        text: issue.text.clone(),
        code: issue.letter().to_owned(),
        start: Ok(issue.letter_start),
    };
    let lines = Moment::new(lines, Writing::ByName, tags);
    let letter = Moment::new(
        vec![("letter.md".to_owned(), letter)],
        Writing::Markdown,
        tags,
    );
    let (lines, letter) = match (lines, letter) {
        (Ok(lines), Ok(letter)) => (lines, letter),
        (lines, letter) => {
            let errors = [lines.err(), letter.err()];
            return Err(Error::all(errors.into_iter().flatten())
                .unwrap_or_else(|| Error::bug("a source is missing")));
        }
    };
    let mut written = Written::new(articles);
    let context = |written: &Written| context::context(issue, press.publication, written, tags);
    written.subject = Some(lines.render("subject.txt", &context(&written))?);
    if issue.front.preheader.is_some() {
        written.preheader = Some(lines.render("preheader.txt", &context(&written))?);
    }
    let markdown = letter.render("letter.md", &context(&written))?;
    let parsed = markdown::parse(&markdown);
    let verbatim = markdown == issue.letter();
    for (range, message) in parsed.warnings {
        let range = if verbatim { range } else { 0..0 };
        let place = letter.staged("letter.md").map(|staged| staged.place(range));
        let finding = Finding::warning("letter-markdown", message);
        findings.push(match place {
            Some(place) => finding.at(place),
            None => finding,
        });
    }
    written.letter = parsed.blocks;
    Ok(written)
}

/// Takes blanks from the ends of lines and shortens gaps. A line of nothing but tags that print
/// nothing does not count as one, nor does the gap after it where there was one before.
fn tidy(text: &str, tags: &Tags) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = 1;
    let mut swallows = false;
    for line in text.trim().lines() {
        let line = line.trim_end();
        let runs = tags.runs(line).unwrap_or_default();
        let silent = runs.iter().filter(|(_, run)| run.tag.role.is_silent());
        let silent: usize = silent.map(|(_, run)| run.length).sum();
        if silent > 0 && silent == line.trim_start().len() {
            out.push_str(line.trim_start());
            swallows = blank > 0;
            continue;
        }
        if line.is_empty() && swallows {
            continue;
        }
        swallows = false;
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// What the law and the mail providers want, and is not there.
fn missing(
    publication: &Publication,
    parts: [&Assembled<'_>; 2],
    sources: [&Text; 2],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let whats = ["page", "plain text"];
    for ((part, what), source) in parts.into_iter().zip(whats).zip(sources) {
        let place = source.place(0..0);
        if !part.used.iter().any(|tag| tag.unsubscribes) {
            let message = format!("the {what} has no link to unsubscribe");
            let finding = Finding::error("no-unsubscribe-link", message).at(place.clone());
            findings.push(finding.hint("Use `{{ unsubscribe_url }}` in the template."));
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = &part.part.template;
        let respaced = LazyCell::new(|| words(page));
        let has = |line: &str| {
            let bytes = line.as_bytes();
            memchr::memmem::find(page.as_bytes(), bytes).is_some() || respaced.contains(line)
        };
        let mut lines = publication.postal_address.lines().map(words).peekable();
        let there =
            lines.peek().is_some() && lines.all(|line| has(&line) || has(&html::escape(&line)));
        if !there {
            let message = format!("the {what} does not show the postal address");
            let finding = Finding::error("no-postal-address", message).at(place);
            findings.push(finding.hint(
                "Set `postal_address`, and use `{{ newsletter.postal_address }}` in the template.",
            ));
        }
    }
    findings
}

/// Gmail shows the first 102 kB or so of a page and hides the rest behind a link, the way to
/// unsubscribe with it; what is left out takes the styles along. Fields make a page longer yet.
const CLIPPED: usize = 102_000;

/// A warning about a page that comes near that size, or is past it.
fn large(bytes: usize) -> Option<Finding> {
    let message = match bytes {
        CLIPPED.. => "Gmail will cut the page off",
        90_000.. => "Gmail may cut the page off",
        _ => return None,
    };
    let finding = Finding::warning(
        "large-page",
        format!(
            "{message}: it has {} kB, and {} are shown",
            bytes / 1000,
            CLIPPED / 1000
        ),
    );
    Some(finding.hint("Carry fewer articles, or shorter ones."))
}

/// The fields of the list that the parts ask for, each with the first tag that does.
fn fields(parts: [&Assembled<'_>; 3]) -> Vec<MergeField> {
    let mut fields: Vec<MergeField> = Vec::new();
    for tag in parts.into_iter().flat_map(|part| &part.used) {
        for name in &tag.fields {
            if !fields.iter().any(|field| field.name == *name) {
                fields.push(MergeField {
                    name: name.clone(),
                    origin: Origin::from(&tag.place),
                });
            }
        }
    }
    fields
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
