//! Plain text as newsrooms send it, read for what it means: a headline, a standfirst, paragraphs,
//! photographs that are only a caption and a credit, quotations with the name of the speaker below.
//!
//! There is no markup to go by, so the reader goes by shape, and where it is in doubt the text stays
//! a paragraph. No word is lost; the one thing left out is a line that repeats a caption, which
//! becomes the picture's alternative text. Typography stays as it was written.

mod chunk;
mod header;
mod line;
mod list;

use jiff::civil::Date;

use self::chunk::{Chunk, chunks};
use super::article::letters;
use crate::issue::{Block, Figure, Inline, Quote, credit, quotation};

/// An article as its file alone tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Draft {
    /// Empty when there is none.
    pub title: String,
    pub standfirst: Option<String>,
    pub byline: Option<String>,
    pub date: Option<Date>,
    pub body: Vec<Block>,
}

/// The longest caption, in characters; what is longer and ends like one is a paragraph.
const MAX_CAPTION: usize = 600;

/// The longest heading, in characters and in words.
const MAX_HEADING: (usize, usize) = (80, 12);

/// Reads an article. `title` is what its front matter calls it: then the first line is the headline
/// only when it says the same.
pub(super) fn read(text: &str, title: Option<&str>) -> Draft {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut chunks = chunks(&text);
    let mut draft = header::read(&mut chunks, title);
    let mut body = Body::default();
    let mut rest = chunks.as_slice();
    while let Some((chunk, after)) = rest.split_first() {
        rest = &after[body.chunk(chunk, after)..];
    }
    draft.body = body.blocks;
    draft
}

#[derive(Default)]
struct Body {
    blocks: Vec<Block>,
}

impl Body {
    /// Reads a chunk; the answer is how many of those after it were read with it.
    fn chunk(&mut self, chunk: &Chunk<'_>, after: &[Chunk<'_>]) -> usize {
        if chunk.is_divider() {
            // One at the end only says that this is the end.
            if !after.is_empty() && !self.blocks.is_empty() {
                self.blocks.push(Block::Divider);
            }
            return 0;
        }
        if let Some((quote, used)) = pull_quote(chunk, after) {
            self.blocks.push(Block::PullQuote(quote));
            return used;
        }
        if self.photograph(chunk) {
            return 0;
        }
        if let Some(blocks) = list::read(chunk, self.next_number()) {
            blocks.into_iter().for_each(|block| self.add(block));
            return 0;
        }
        let words = chunk.joined();
        if is_heading(chunk) && after.first().is_some_and(|next| !is_heading(next)) {
            self.blocks.push(Block::Heading {
                level: 2,
                content: line::inlines(&words),
            });
        } else {
            for paragraph in chunk.paragraphs() {
                self.blocks
                    .push(Block::Paragraph(line::inlines(&paragraph)));
            }
        }
        0
    }

    /// The number with which the list that was read last would go on.
    fn next_number(&self) -> Option<usize> {
        match self.blocks.last() {
            Some(Block::List {
                start: Some(start),
                items,
            }) => Some(start + items.len()),
            _ => None,
        }
    }

    /// Adds a block; a list goes on with the list before it.
    fn add(&mut self, block: Block) {
        match (self.blocks.last_mut(), block) {
            (
                Some(Block::List { start: None, items }),
                Block::List {
                    start: None,
                    items: more,
                },
            ) => items.extend(more),
            (
                Some(Block::List {
                    start: Some(first),
                    items,
                }),
                Block::List {
                    start: Some(next),
                    items: more,
                },
            ) if *first + items.len() == next => items.extend(more),
            (_, block) => self.blocks.push(block),
        }
    }

    /// A photograph: its last line ends in a credit. Says whether the chunk was one.
    fn photograph(&mut self, chunk: &Chunk<'_>) -> bool {
        let Some((last, before)) = chunk.lines.split_last() else {
            return false;
        };
        let whole = chunk.joined();
        let Some(found) = credit::split(&whole) else {
            return false;
        };
        let credit = found.credit.to_owned();
        // The credit stands in the last line; a caption may be wrapped over several.
        let own = credit::split(last).map_or("", |own| own.caption);
        let mut caption = found.caption.to_owned();
        let mut alt = String::new();
        match before.split_last() {
            Some((above, earlier)) if is_repeated(above, own) => {
                alt = (*above).to_owned();
                caption = own.to_owned();
                // What comes before the repeated line is a paragraph that lacks its blank line.
                if !earlier.is_empty() {
                    self.blocks
                        .push(Block::Paragraph(line::inlines(&line::joined(earlier))));
                }
            }
            Some(_) if whole.chars().count() > MAX_CAPTION => {
                self.blocks
                    .push(Block::Paragraph(line::inlines(&line::joined(before))));
                caption = own.to_owned();
            }
            None if whole.chars().count() > MAX_CAPTION => return false,
            _ => {}
        }
        if alt.is_empty() {
            alt = self.take_repeated(&caption);
        }
        self.blocks.push(Block::Figure(Figure {
            src: String::new(),
            alt,
            caption: line::inlines(&caption),
            credit: Some(credit),
        }));
        true
    }

    /// Takes back a line just read that says what a caption says.
    fn take_repeated(&mut self, caption: &str) -> String {
        let said = match self.blocks.last() {
            Some(Block::Paragraph(content) | Block::Heading { content, .. }) => {
                crate::issue::plain(content)
            }
            _ => return String::new(),
        };
        if !is_repeated(&said, caption) {
            return String::new();
        }
        self.blocks.pop();
        said
    }
}

/// Whether two lines say the same, but for punctuation and a letter or two.
fn is_repeated(line: &str, caption: &str) -> bool {
    let brief = |text: &str| letters(text).chars().take(MAX_CAPTION).collect::<String>();
    let (line, caption) = (brief(line), brief(caption));
    if line.is_empty() || caption.is_empty() {
        return false;
    }
    line == caption || strsim::normalized_damerau_levenshtein(&line, &caption) >= 0.85
}

/// A quotation with its speaker, and how many of the chunks after it were read with it.
fn pull_quote(chunk: &Chunk<'_>, after: &[Chunk<'_>]) -> Option<(Quote, usize)> {
    let quote = |text: &str, name: &str| Quote {
        text: line::inlines(text),
        attribution: line::inlines(name),
    };
    let whole = chunk.joined();
    if let Some(said) = quotation::unquote(&whole) {
        return Some((quote(said, speaker(after.first()?)?), 1));
    }
    // The name in the last line of the chunk, with or without a dash.
    if let Some((below, said)) = chunk.lines.split_last()
        && let Some(said) = quotation::unquote(&line::joined(said))
    {
        return Some((quote(said, name(below)?), 0));
    }
    // The name at the end of the last line, after a dash.
    let dash = whole.char_indices().rev().take(quotation::MAX_ATTRIBUTION);
    for (at, _) in dash.filter(|(_, mark)| matches!(mark, '—' | '–' | '―' | '-')) {
        if let Some(said) = quotation::unquote(&whole[..at])
            && let Some(name) = name(&whole[at..])
        {
            return Some((quote(said, name), 0));
        }
    }
    quote_of_paragraphs(&whole, after)
}

/// The most paragraphs of one quotation.
const MAX_QUOTE: usize = 5;

/// A quotation of several paragraphs, each of which opens it while only the last closes it.
fn quote_of_paragraphs(first: &str, after: &[Chunk<'_>]) -> Option<(Quote, usize)> {
    let open = |text: &str| {
        let mark = text.chars().next().filter(|mark| "“„«".contains(*mark))?;
        let rest = text.strip_prefix(mark)?;
        (!rest.contains(['”', '“', '»'])).then(|| rest.trim().to_owned())
    };
    let mut paragraphs = vec![open(first)?];
    for (at, chunk) in after.iter().take(MAX_QUOTE).enumerate() {
        let whole = chunk.joined();
        if let Some(said) = quotation::unquote(&whole) {
            let attribution = line::inlines(speaker(after.get(at + 1)?)?);
            let mut text = Vec::new();
            for paragraph in &paragraphs {
                text.extend(line::inlines(paragraph));
                text.push(Inline::Break);
            }
            text.extend(line::inlines(said));
            return Some((Quote { text, attribution }, at + 2));
        }
        paragraphs.push(open(&whole)?);
    }
    None
}

/// The speaker that a chunk names, when that is all it does.
fn speaker<'t>(chunk: &Chunk<'t>) -> Option<&'t str> {
    let [line] = *chunk.lines.as_slice() else {
        return None;
    };
    name(line)
}

/// The name in a line, after a dash, a hyphen, or nothing.
fn name(line: &str) -> Option<&str> {
    let bare = line.strip_prefix('-').map_or(line, str::trim);
    quotation::after_dash(line).or_else(|| line::is_name(bare).then_some(bare))
}

/// A brief line in capitals or in title case, without a final stop.
fn is_heading(chunk: &Chunk<'_>) -> bool {
    let [line] = *chunk.lines.as_slice() else {
        return false;
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let (max_characters, max_words) = MAX_HEADING;
    line.chars().count() <= max_characters
        && words.len() <= max_words
        && !line.ends_with(['.', '!', '…', ',', ';', ':', '”', '"', '»'])
        && quotation::after_dash(line).is_none()
        && line::is_title_case(&words)
}

#[cfg(test)]
mod tests;
