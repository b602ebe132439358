//! A long page, laid out in several sheets at once.
//!
//! What stands at the top of a body is laid out row by row, and no row knows another. So a digest of
//! a thousand articles is cut into as many sheets as there are processors, and put together again.
//! The sheets share nothing but what the engine writes into the head: the widths of columns.

use std::{collections::BTreeSet, thread};

use super::{
    blocks,
    document::{Child, Component, Document, Head},
    engine, fill,
    head::{self, Cuts},
    markup::Markup,
    mends,
    prepare::{self, Prepared},
};
use crate::{
    compose::{staging::Tags, tokens},
    error::{Error, Result},
};

/// A page, or a part of one: laid out and mended, and its slots are filled.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// What each head begins with.
    pub(super) start: String,
    /// The rest of the head.
    pub(super) head: String,
    /// The start tag of the body, and the preview.
    pub(super) opening: String,
    /// The rest of the page.
    pub(super) content: String,
}

/// Lays out a document; takes the body out of it.
///
/// # Errors
/// What the engine refuses, and blocks of the sending moment that do not hold whole elements.
pub(super) fn lay(document: &mut Document, tags: &Tags) -> Result<Sheet> {
    let Some(body) = document.body.take() else {
        return Err(Error::bug("a page without a body is laid out"));
    };
    // How many processors there are is not asked for a short page: the answer is looked for in files.
    let sheets = count(&body).map_or(1, |count| count / SHORTEST);
    let sheets = match sheets {
        0 | 1 => 1,
        _ => thread::available_parallelism().map_or(1, |processors| sheets.min(processors.get())),
    };
    lay_in(sheets.min(MOST), body, document, tags)
}

/// More sheets than this are not worth their while.
const MOST: usize = 8;
/// So many components take longer than to start a thread.
const SHORTEST: usize = 100;

fn lay_in(sheets: usize, body: Component, document: &Document, tags: &Tags) -> Result<Sheet> {
    if sheets < 2 || body.children.iter().any(waits) {
        let pressed = Pressed::new(document, body, 0, tags)?;
        let cuts = pressed.cuts();
        return Ok(Sheet {
            start: fill::fill(cuts.start, &pressed.prepared)?,
            head: fill::fill(cuts.head, &pressed.prepared)?,
            opening: fill::fill(cuts.opening, &pressed.prepared)?,
            content: fill::fill(cuts.content, &pressed.prepared)?,
        });
    }
    // Title, styles and the rest of the head are on the first sheet only.
    let bare = Document {
        attributes: document.attributes.clone(),
        head: Head {
            breakpoint: document.head.breakpoint.clone(),
            ..Head::default()
        },
        ..Document::default()
    };
    let mut bodies = cut(body, sheets).into_iter();
    let Some((_, first)) = bodies.next() else {
        return Err(Error::bug("a page was cut into no sheets"));
    };
    thread::scope(|scope| {
        let bare = &bare;
        let others: Vec<_> = bodies
            .map(|(index, body)| scope.spawn(move || Rows::lay(bare, body, index, tags)))
            .collect();
        let mut errors = Vec::new();
        let first = Pressed::new(document, first, 0, tags);
        let first = first.map_err(|error| errors.push(error)).ok();
        let mut rows = Vec::new();
        for other in others {
            match other.join() {
                Ok(Ok(other)) => rows.push(other),
                Ok(Err(error)) => errors.push(error),
                Err(_) => errors.push(Error::bug("a thread that lays out MJML has panicked")),
            }
        }
        match (Error::all(errors), first) {
            (Some(error), _) => Err(error),
            (None, Some(first)) => join(&first, &rows),
            (None, None) => Err(Error::bug("a page has no first sheet")),
        }
    })
}

/// How many components a body holds; `None` when one of them has styles in the head, or a number that
/// no other may have.
fn count(component: &Component) -> Option<usize> {
    if matches!(
        component.name.as_str(),
        "mj-carousel" | "mj-navbar" | "mj-accordion"
    ) {
        return None;
    }
    component
        .children
        .iter()
        .try_fold(1, |sum, child| match child {
            Child::Component(child) => Some(sum + count(child)?),
            Child::Raw(_) => Some(sum),
        })
}

/// Whether a block of the sending moment may begin or end here, between two rows.
fn waits(child: &Child) -> bool {
    let content = match child {
        Child::Raw(raw) => raw,
        Child::Component(component) => &component.content,
    };
    tokens::wait_in(content)
}

/// Deals the children of a body out to so many; with the number of each one's first child.
fn cut(body: Component, sheets: usize) -> Vec<(usize, Component)> {
    let size = |child: &Child| match child {
        Child::Component(child) => count(child).unwrap_or(1),
        Child::Raw(_) => 0,
    };
    let total: usize = body.children.iter().map(size).sum();
    let mut parts: Vec<(usize, Component)> = Vec::new();
    let mut before = 0;
    for (index, child) in body.children.into_iter().enumerate() {
        if parts.len() * total <= before * sheets {
            let part = Component {
                name: body.name.clone(),
                attributes: body.attributes.clone(),
                children: Vec::new(),
                content: String::new(),
                place: body.place.clone(),
            };
            parts.push((index, part));
        }
        before += size(&child);
        if let Some((_, part)) = parts.last_mut() {
            part.children.push(child);
        }
    }
    parts
}

/// What the engine made of a document, mended; its slots are still open.
struct Pressed {
    prepared: Prepared,
    html: String,
}

impl Pressed {
    fn new(document: &Document, body: Component, index: usize, tags: &Tags) -> Result<Self> {
        let prepared = prepare::prepare(document, body, index, tags)?;
        let raw = engine::render(&prepared)?;
        let mut markup = Markup::read(&raw);
        mends::mend(&mut markup, &prepared.marks);
        head::mend(&mut markup, document);
        let mut html = String::with_capacity(raw.len() + raw.len() / 8);
        markup.write(&mut html);
        blocks::prove(&html, &prepared, tags)?;
        Ok(Self { prepared, html })
    }

    /// The page is cut while what authors wrote is still in its slots, so that none of it can look
    /// like a border.
    fn cuts(&self) -> Cuts<'_> {
        head::cut(&self.html)
    }
}

/// The rows of a sheet that is not the first.
struct Rows {
    /// What the head says of the widths of their columns.
    widths: Widths,
    html: String,
}

impl Rows {
    fn lay(document: &Document, body: Component, index: usize, tags: &Tags) -> Result<Self> {
        let pressed = Pressed::new(document, body, index, tags)?;
        let cuts = pressed.cuts();
        let (_, rows, _) = frame(cuts.content);
        Ok(Self {
            widths: Widths::of(&cuts.head[lead(cuts.head)..]),
            html: fill::fill(rows, &pressed.prepared)?,
        })
    }
}

/// Takes the element that holds all rows from around them.
fn frame(content: &str) -> (&str, &str, &str) {
    let start = content.find('<').unwrap_or_default();
    let start = start + super::markup::tag_length(&content[start..]);
    let end = content.rfind("</div></body>").unwrap_or(content.len());
    let end = end.max(start);
    (&content[..start], &content[start..end], &content[end..])
}

fn join(first: &Pressed, others: &[Rows]) -> Result<Sheet> {
    let cuts = first.cuts();
    let (lead, head) = cuts.head.split_at(lead(cuts.head));
    let own = Widths::of(head);
    let rest = &head[own.blocks.len()..];
    let all = own.with(others.iter().map(|rows| &rows.widths));
    let (open, rows, end) = frame(cuts.content);
    let mut content = fill::fill(open, &first.prepared)?;
    content.push_str(&fill::fill(rows, &first.prepared)?);
    for rows in others {
        content.push_str(&rows.html);
    }
    content.push_str(&fill::fill(end, &first.prepared)?);
    Ok(Sheet {
        start: fill::fill(cuts.start, &first.prepared)?,
        head: [lead, &all, &fill::fill(rest, &first.prepared)?].concat(),
        opening: fill::fill(cuts.opening, &first.prepared)?,
        content,
    })
}

/// The line end that a head begins with.
fn lead(head: &str) -> usize {
    head.len() - head.trim_start().len()
}

/// The styles of a head that make columns narrow again where there is room.
#[derive(Debug, Default, PartialEq, Eq)]
struct Widths {
    blocks: String,
    /// The rules in them, without what goes before each.
    rules: BTreeSet<String>,
}

impl Widths {
    /// Those that a head begins with.
    fn of(head: &str) -> Self {
        let end = |from: usize| head[from..].find("</style>").map(|at| from + at + 8);
        if !head
            .trim_start()
            .starts_with("<style type=\"text/css\">@media only screen and (min-width:")
        {
            return Self::default();
        }
        let Some((first, second)) = end(0).and_then(|first| Some((first, end(first)?))) else {
            return Self::default();
        };
        let last = match head[second..].starts_with("<style type=\"text/css\">[owa] ") {
            true => end(second).unwrap_or(second),
            false => second,
        };
        let rules = head[first..second].split_once(")\">").unwrap_or_default().1;
        let rules = rules.trim_end_matches("</style>").split_inclusive("; } ");
        let rules = rules.filter_map(|rule| rule.strip_prefix(THUNDERBIRD));
        Self {
            blocks: head[..last].to_owned(),
            rules: rules.map(str::to_owned).collect(),
        }
    }

    /// The blocks with the rules of others in their order, as if the engine had seen all of them.
    fn with<'a>(self, others: impl Iterator<Item = &'a Self>) -> String {
        let mut model = self;
        let mut all = model.rules.clone();
        for other in others {
            if model.blocks.is_empty() {
                model.blocks.clone_from(&other.blocks);
                model.rules.clone_from(&other.rules);
            }
            all.extend(other.rules.iter().cloned());
        }
        if all == model.rules {
            return model.blocks;
        }
        let written = |rules: &BTreeSet<String>, before: &str| -> String {
            rules.iter().flat_map(|rule| [before, rule]).collect()
        };
        let mut blocks = model.blocks;
        for (before, start, end) in [
            ("", ") { ", " }</style>"),
            (THUNDERBIRD, "\">", "</style>"),
            ("[owa] ", "\">", "</style>"),
        ] {
            let [old, new] = [&model.rules, &all].map(|rules| {
                let rules = written(rules, before);
                format!("{start}{rules}{end}")
            });
            blocks = blocks.replace(&old, &new);
        }
        blocks
    }
}

/// What goes before the class of a column for Thunderbird.
const THUNDERBIRD: &str = ".moz-text-html ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compose::mjml::{Purpose, document, reader},
        place::Text,
    };

    fn page(source: &str, sheets: usize) -> String {
        let text = Text::new("a.mjml", source);
        let top = reader::read(source, reader::Origin::File(&text)).unwrap();
        let tags = Tags::default();
        let (mut document, _) = document::resolve(top, &tags, Purpose::Template);
        let body = document.body.take().unwrap();
        let sheet = lay_in(sheets, body, &document, &tags).unwrap();
        [sheet.start, sheet.head, sheet.opening, sheet.content].concat()
    }

    fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
        let rows: String = (0..count).map(row).collect();
        format!(
            "<mjml owa='desktop'><mj-head><mj-title>a > \"b\"</mj-title><mj-preview>p</mj-preview><mj-style>x > y {{}}</mj-style></mj-head><mj-body css-class='k' background-color='#abc'>{rows}</mj-body></mjml>"
        )
    }

    #[test]
    fn several_sheets_make_the_page_that_one_makes() {
        let column = |width: usize| {
            format!("<mj-column width='{width}px'><mj-text>a > b</mj-text></mj-column>")
        };
        let same = |index: usize| match index % 3 {
            0 => "<!-- note --><mj-raw><hr></mj-raw>".to_owned(),
            _ => format!("<mj-section>{}{}</mj-section>", column(100), column(200)),
        };
        let other = |index: usize| format!("<mj-section>{}</mj-section>", column(index + 9));
        let late = |index: usize| match index {
            0..400 => "<mj-hero><mj-text>x</mj-text></mj-hero>".to_owned(),
            _ => same(index),
        };
        for source in [rows(500, same), rows(500, other), rows(900, late)] {
            let whole = page(&source, 1);
            for sheets in [2, 3, 7] {
                let cut = page(&source, sheets);
                let same = cut.bytes().zip(whole.bytes()).take_while(|(a, b)| a == b);
                let from = same.count().saturating_sub(80);
                let shown = |page: &str| -> String { page.chars().skip(from).take(300).collect() };
                assert_eq!(shown(&cut), shown(&whole), "{sheets} sheets");
                assert!(cut == whole);
            }
        }
    }

    #[test]
    fn children_are_dealt_out_in_order() {
        let source = rows(500, |_| "<mj-section><mj-column /></mj-section>".to_owned());
        let text = Text::new("a.mjml", source.as_str());
        let top = reader::read(&source, reader::Origin::File(&text)).unwrap();
        let (document, _) = document::resolve(top, &Tags::default(), Purpose::Template);
        let parts = cut(document.body.unwrap(), 3);
        let firsts: Vec<usize> = parts.iter().map(|(first, _)| *first).collect();
        let lengths: Vec<usize> = parts.iter().map(|(_, part)| part.children.len()).collect();
        assert_eq!((firsts, lengths), (vec![0, 167, 334], vec![167, 167, 166]));
    }
}
