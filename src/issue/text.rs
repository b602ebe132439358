//! Blocks as plain text: the dress for those who read without pictures and styles.
//!
//! It is written from the blocks, never from HTML. Lines are wrapped by the width that a terminal
//! gives them, links are numbered and listed at the end.

mod wrap;

use std::collections::BTreeMap;

use self::wrap::{GLUE, width_of, wrap};
use super::{Block, Cell, Figure, Inline, ListItem, Quote, clean, credit, html};

/// The width of the plain text of a mail, in columns.
pub const WIDTH: usize = 72;

/// The words of a line without any dress; a break is a blank, a link is its words.
#[must_use]
pub fn inline(line: &[Inline]) -> String {
    let lines = Flat::of(line, &mut Links::Dropped);
    let words: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    words.join(" ")
}

/// Blocks as text, wrapped at `width` columns; the addresses of links are listed after them.
///
/// It ends without a line feed. A line is longer than `width` only when a single word is.
#[must_use]
pub fn blocks(blocks: &[Block], width: usize) -> String {
    personal(blocks, width, &|_| Nesting::None)
}

/// What a character does to what depends on the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// It begins a part that not everyone sees.
    Open,
    /// It ends one.
    Close,
    /// It does neither.
    None,
}

/// The same for blocks with parts that not everyone sees. The address of a link in one of them
/// stands beside its words: in the list after the blocks everyone would see it.
#[must_use]
pub fn personal(blocks: &[Block], width: usize, nesting: &dyn Fn(char) -> Nesting) -> String {
    let mut links = Links::Numbered {
        numbers: BTreeMap::new(),
        nesting,
        depth: 0,
    };
    let mut lines = stack(blocks, width.max(1), &mut links);
    for (at, url) in links.in_order().into_iter().enumerate() {
        if at == 0 && !lines.is_empty() {
            lines.push(String::new());
        }
        let number = at + 1;
        lines.extend(wrap(&format!("[{number}]{GLUE}{}", cleaned(url)), width));
    }
    lines.join("\n")
}

/// Words wrapped at `width` columns behind `before`; the lines below are indented as far as it is wide.
///
/// A line is longer than `width` only when a single word is.
#[must_use]
pub fn hanging(before: &str, words: &str, width: usize) -> String {
    let before = cleaned(before);
    let rest = " ".repeat(width_of(&before));
    let lines = hang(&before, &rest, width, |width| wrap(&cleaned(words), width));
    lines.join("\n")
}

/// What becomes of the addresses of links.
enum Links<'n> {
    /// Each is given a number, from 1, but those that not everyone sees.
    Numbered {
        numbers: BTreeMap<String, usize>,
        nesting: &'n dyn Fn(char) -> Nesting,
        /// How many parts that not everyone sees are open.
        depth: usize,
    },
    /// The words say enough.
    Dropped,
}

impl Links<'_> {
    /// What stands for an address behind its words.
    fn reference(&mut self, url: &str) -> Option<String> {
        match self {
            Self::Dropped => None,
            Self::Numbered { depth: 1.., .. } => Some(format!(" ({})", cleaned(url))),
            Self::Numbered { numbers, .. } => {
                let next = numbers.len() + 1;
                let number = *numbers.entry(url.to_owned()).or_insert(next);
                Some(format!("{GLUE}[{number}]"))
            }
        }
    }

    /// Sees what is written, to know which part it belongs to.
    fn pass(&mut self, words: &str) {
        if let Self::Numbered { nesting, depth, .. } = self {
            for character in words.chars().filter(|c| clean::is_token(*c)) {
                match nesting(character) {
                    Nesting::Open => *depth += 1,
                    Nesting::Close => *depth = depth.saturating_sub(1),
                    Nesting::None => {}
                }
            }
        }
    }

    fn in_order(&self) -> Vec<&str> {
        let Self::Numbered { numbers, .. } = self else {
            return Vec::new();
        };
        let mut urls: Vec<(&usize, &str)> = numbers
            .iter()
            .map(|(url, number)| (number, url.as_str()))
            .collect();
        urls.sort_unstable();
        urls.into_iter().map(|(_, url)| url).collect()
    }
}

/// Blocks below each other, an empty line between them.
fn stack(blocks: &[Block], width: usize, links: &mut Links<'_>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for block in blocks {
        let inner = lines_of(block, width, links);
        if !inner.is_empty() && !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(inner);
    }
    lines
}

fn lines_of(block: &Block, width: usize, links: &mut Links<'_>) -> Vec<String> {
    match block {
        Block::Paragraph(content) => wrapped(content, width, links),
        Block::Heading { level, content } => heading(*level, content, width, links),
        Block::List { start, items } => list(*start, items, width, links),
        Block::Quote(inner) => hang("> ", "> ", width, |width| stack(inner, width, links)),
        Block::PullQuote(quote) => pull_quote(quote, width, links),
        Block::Figure(figure) => caption(figure, width, links),
        Block::Code { code, .. } => hang("    ", "    ", width, |width| {
            let lines = code.trim_end_matches('\n').split('\n');
            lines.flat_map(|line| code_line(line, width)).collect()
        }),
        Block::Table { head, rows } => table(head, rows, width, links),
        Block::Divider => vec!["* * *".to_owned()],
    }
}

/// Lines with something before the first and something before each of the others.
fn hang(
    first: &str,
    rest: &str,
    width: usize,
    lines: impl FnOnce(usize) -> Vec<String>,
) -> Vec<String> {
    let inner = lines(width.saturating_sub(width_of(first)).max(1));
    let hung = inner.into_iter().enumerate().map(|(at, line)| {
        let before = if at == 0 { first } else { rest };
        format!("{before}{line}").trim_end().to_owned()
    });
    hung.collect()
}

fn wrapped(content: &[Inline], width: usize, links: &mut Links<'_>) -> Vec<String> {
    let lines = Flat::of(content, links);
    lines.iter().flat_map(|line| wrap(line, width)).collect()
}

fn heading(level: u8, content: &[Inline], width: usize, links: &mut Links<'_>) -> Vec<String> {
    let mut lines = wrapped(content, width, links);
    let longest = lines.iter().map(|line| width_of(line)).max().unwrap_or(0);
    if longest > 0 {
        let line = if level <= 2 { "-" } else { "." };
        lines.push(line.repeat(longest.min(width)));
    }
    lines
}

fn list(
    start: Option<usize>,
    items: &[ListItem],
    width: usize,
    links: &mut Links<'_>,
) -> Vec<String> {
    let is_brief = |item: &ListItem| {
        let mut blocks = item.blocks.iter();
        matches!(blocks.next(), None | Some(Block::Paragraph(_)))
            && blocks.all(|block| matches!(block, Block::List { .. }))
    };
    let is_tight = items.iter().all(is_brief);
    let marker = |at: usize| match start {
        Some(start) => format!("{}. ", start.saturating_add(at)),
        None => "- ".to_owned(),
    };
    let widest = marker(items.len().saturating_sub(1)).len();
    let mut lines = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 && !is_tight {
            lines.push(String::new());
        }
        let check = match item.checked {
            Some(true) => "[x] ",
            Some(false) => "[ ] ",
            None => "",
        };
        let first = format!("{:>widest$}{check}", marker(at));
        let rest = " ".repeat(first.len());
        let inner = hang(&first, &rest, width, |width| {
            if !is_tight {
                return stack(&item.blocks, width, links);
            }
            let blocks = item.blocks.iter();
            blocks
                .flat_map(|block| lines_of(block, width, links))
                .collect()
        });
        if inner.is_empty() {
            // An item that says nothing keeps its place.
            lines.push(first.trim_end().to_owned());
        }
        lines.extend(inner);
    }
    lines
}

fn pull_quote(quote: &Quote, width: usize, links: &mut Links<'_>) -> Vec<String> {
    let mut lines = hang("    ", "    ", width, |width| {
        wrapped(&quote.text, width, links)
    });
    lines.extend(hang("    — ", "      ", width, |width| {
        wrapped(&quote.attribution, width, links)
    }));
    lines
}

/// What stands for a picture. An ornament, which says nothing, leaves nothing.
fn caption(figure: &Figure, width: usize, links: &mut Links<'_>) -> Vec<String> {
    let mut words = Flat::of(&figure.caption, links).join(" ");
    if words.trim().is_empty() {
        words = cleaned(&figure.alt);
    }
    if let Some(credit) = &figure.credit {
        words.truncate(words.trim_end().len());
        words.push_str(credit::joint(&words));
        words.push_str(credit::label(credit));
        words.push_str(&cleaned(credit));
    }
    if words.trim().is_empty() {
        return Vec::new();
    }
    wrap(&format!("[Picture: {}]", words.trim()), width)
}

/// A line of code as it is, unless it is too long.
fn code_line(line: &str, width: usize) -> Vec<String> {
    let line = cleaned(line).replace('\t', "    ");
    let line = line.trim_end();
    if width_of(line) <= width {
        return vec![line.to_owned()];
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    hang(indent, indent, width, |width| wrap(line, width))
}

/// Aligned columns where they fit, else a list of `Head: cell`.
fn table(head: &[Cell], rows: &[Vec<Cell>], width: usize, links: &mut Links<'_>) -> Vec<String> {
    let mut flat = |cells: &[Cell]| -> Vec<String> {
        let words = cells.iter().map(|cell| {
            let lines = Flat::of(&cell.content, links);
            let words: Vec<&str> = lines
                .iter()
                .flat_map(|line| line.split_whitespace())
                .collect();
            words.join(" ")
        });
        words.collect()
    };
    let heads = flat(head);
    let rows: Vec<Vec<String>> = rows.iter().map(|row| flat(row)).collect();
    let count = rows
        .iter()
        .map(Vec::len)
        .chain([heads.len()])
        .max()
        .unwrap_or(0);
    let all = || std::iter::once(&heads).chain(&rows);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| width_of(cell)).max().unwrap_or(0)
        })
        .collect();
    let total = widths.iter().sum::<usize>() + 2 * count.saturating_sub(1);
    if total > width {
        return cells_in_turn(&heads, &rows, width);
    }
    let aligned = |row: &Vec<String>| {
        let cells = widths.iter().enumerate().map(|(column, width)| {
            let cell = row.get(column).map_or("", String::as_str);
            let align = head.get(column).map_or("left", |cell| cell.align);
            let room = width.saturating_sub(width_of(cell));
            let before = match align {
                "right" => room,
                "center" => room / 2,
                _ => 0,
            };
            format!("{}{cell}{}", " ".repeat(before), " ".repeat(room - before))
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.replace(GLUE, " ").trim_end().to_owned()
    };
    let mut lines = Vec::new();
    if heads.iter().any(|head| !head.is_empty()) {
        lines.push(aligned(&heads));
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.push(rules.join("  ").trim_end().to_owned());
    }
    lines.extend(rows.iter().map(aligned));
    lines
}

fn cells_in_turn(heads: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    if rows.is_empty() {
        return heads.iter().flat_map(|head| wrap(head, width)).collect();
    }
    let mut lines = Vec::new();
    for row in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for (column, cell) in row.iter().enumerate() {
            let words = match heads.get(column) {
                Some(head) if !head.is_empty() => format!("{head}: {cell}"),
                _ => cell.clone(),
            };
            lines.extend(hang("", "  ", width.saturating_sub(2), |width| {
                wrap(&words, width)
            }));
        }
    }
    lines
}

/// A text without what no mail may hold.
fn cleaned(text: &str) -> String {
    let is_kept = |character: &char| clean::is_printable(*character) && *character != GLUE;
    text.chars().filter(is_kept).collect()
}

/// The words of a line, between the breaks that were asked for.
struct Flat<'l, 'n> {
    lines: Vec<String>,
    links: &'l mut Links<'n>,
}

impl<'l, 'n> Flat<'l, 'n> {
    fn of(line: &[Inline], links: &'l mut Links<'n>) -> Vec<String> {
        let mut flat = Self {
            lines: vec![String::new()],
            links,
        };
        flat.walk(line);
        flat.lines
    }

    fn push(&mut self, words: &str) {
        self.links.pass(words);
        if let Some(line) = self.lines.last_mut() {
            line.push_str(words);
        }
    }

    fn walk(&mut self, line: &[Inline]) {
        for inline in line {
            match inline {
                Inline::Text(text) | Inline::Code(text) => self.push(&cleaned(text)),
                Inline::Emphasis(content) | Inline::Strong(content) => self.walk(content),
                Inline::Strikethrough(content) => {
                    // Without its strokes it would say the contrary.
                    self.push("~~");
                    self.walk(content);
                    self.push("~~");
                }
                Inline::Link { url, content } => self.link(url, content),
                Inline::Image { alt, .. } => self.push(&cleaned(alt)),
                Inline::Break => self.lines.push(String::new()),
            }
        }
    }

    fn link(&mut self, url: &str, content: &[Inline]) {
        self.walk(content);
        let words = super::plain(content);
        if !html::is_allowed(url) || bare(&words) == bare(url) {
            return;
        }
        let Some(reference) = self.links.reference(url) else {
            return;
        };
        // Without words there is nothing to stand behind.
        let is_wordless = words.trim().is_empty();
        let bare = reference.trim_start_matches([' ', GLUE]);
        let reference = if is_wordless { bare } else { &reference };
        if let Some(line) = self.lines.last_mut() {
            line.push_str(reference);
        }
    }
}

/// An address without what a reader would not type.
fn bare(url: &str) -> &str {
    let url = url.trim();
    let schemes = ["https://", "http://", "mailto:", "tel:"];
    let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
    rest.unwrap_or(url).trim_end_matches('/')
}

#[cfg(test)]
mod tests;
