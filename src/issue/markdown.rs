//! Markdown into blocks: CommonMark with tables, task lists, strikethrough, bare links, footnotes
//! and typographic punctuation.
//!
//! Whatever the text, the answer is blocks: nothing fails, nothing panics, and what lies deeper than
//! anyone writes is flattened to its words. Raw HTML does not pass; its words do.

mod figure;
mod line;
mod markup;
mod pull_quote;

use std::ops::Range;

use comrak::{
    Arena, Node, Options,
    nodes::{ListType, NodeList, NodeTable, NodeValue, Sourcepos, TableAlignment},
    parse_document,
};

use super::{Block, Cell, Inline, ListItem};

/// Markdown, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// What it says.
    pub blocks: Vec<Block>,
    /// The pictures it names.
    pub images: Vec<ImageRef>,
    /// What could not be carried: where, in bytes of the Markdown, and what.
    pub warnings: Vec<(Range<usize>, String)>,
}

/// A picture that is named in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRef {
    /// Its address or path, as written.
    pub src: String,
    /// The bytes of the Markdown that name it: the address itself where it stands there.
    pub range: Range<usize>,
}

/// How deep blocks may lie in each other; what is deeper becomes plain words.
const MAX_DEPTH: usize = 24;

/// Reads Markdown. Ranges in the answer are bytes of `markdown`.
#[must_use]
pub fn parse(markdown: &str) -> Parsed {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let mut reader = Reader {
        markdown,
        line_starts: line_starts(markdown),
        shift: shift(root),
        parsed: Parsed::default(),
        notes: Vec::new(),
    };
    let mut blocks = reader.blocks(root, 0);
    if !reader.notes.is_empty() {
        blocks.push(Block::Divider);
        blocks.push(Block::List {
            start: Some(1),
            items: reader.notes,
        });
    }
    Parsed {
        blocks,
        ..reader.parsed
    }
}

/// The words of the `# Title` that a text begins with, and the byte where the rest begins.
#[must_use]
pub fn title(markdown: &str) -> Option<(String, usize)> {
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options());
    let first = root.first_child()?;
    if !matches!(&first.data().value, NodeValue::Heading(heading) if heading.level == 1) {
        return None;
    }
    let range = range(markdown, &line_starts(markdown), first.data().sourcepos);
    let rest = &markdown[range.end..];
    let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
    let words = words(first).trim().to_owned();
    (!words.is_empty()).then_some((words, range.end + end))
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.cjk_friendly_emphasis = true;
    options.parse.smart = true;
    options
}

struct Reader<'m> {
    markdown: &'m str,
    line_starts: Vec<usize>,
    /// What is added to the level of each heading, so that the highest is 2.
    shift: i16,
    parsed: Parsed,
    notes: Vec<ListItem>,
}

impl Reader<'_> {
    fn blocks<'a>(&mut self, parent: Node<'a>, depth: usize) -> Vec<Block> {
        let mut blocks = Vec::new();
        for node in parent.children() {
            self.block(node, depth, &mut blocks);
        }
        blocks
    }

    fn block<'a>(&mut self, node: Node<'a>, depth: usize, blocks: &mut Vec<Block>) {
        if depth > MAX_DEPTH {
            let words = words(node);
            if !words.trim().is_empty() {
                blocks.push(Block::Paragraph(vec![Inline::Text(words)]));
            }
            return;
        }
        match &node.data().value {
            NodeValue::Paragraph => {
                let inner = self.paragraph(node);
                blocks.extend(inner);
            }
            NodeValue::Heading(heading) => {
                let content = line::finish(self.line(node));
                let level = (i16::from(heading.level) + self.shift).clamp(2, 6);
                if !content.is_empty() {
                    blocks.push(Block::Heading {
                        level: u8::try_from(level).unwrap_or(2),
                        content,
                    });
                }
            }
            NodeValue::List(list) => blocks.push(self.list(node, *list, depth)),
            NodeValue::BlockQuote => blocks.push(self.quote(node, depth)),
            NodeValue::CodeBlock(code) => blocks.push(Block::Code {
                language: code.info.split_whitespace().next().map(str::to_owned),
                code: code.literal.clone(),
            }),
            NodeValue::HtmlBlock(html) => {
                let inner = self.markup(node, &html.literal);
                blocks.extend(inner);
            }
            NodeValue::ThematicBreak => blocks.push(Block::Divider),
            NodeValue::Table(table) => blocks.push(self.table(node, table)),
            NodeValue::FootnoteDefinition(_) => {
                let blocks = self.blocks(node, depth + 1);
                self.notes.push(ListItem {
                    checked: None,
                    blocks,
                });
            }
            // No other kind of block is asked for in `options`; its words are kept all the same.
            _ => {
                let inner = self.blocks(node, depth + 1);
                blocks.extend(inner);
            }
        }
    }

    fn list<'a>(&mut self, node: Node<'a>, list: NodeList, depth: usize) -> Block {
        let items = node
            .children()
            .map(|item| ListItem {
                checked: match &item.data().value {
                    NodeValue::TaskItem(task) => Some(task.symbol.is_some()),
                    _ => None,
                },
                blocks: self.blocks(item, depth + 1),
            })
            .collect();
        Block::List {
            start: (list.list_type == ListType::Ordered).then_some(list.start),
            items,
        }
    }

    fn quote<'a>(&mut self, node: Node<'a>, depth: usize) -> Block {
        match self.pull_quote(node) {
            Some(quote) => Block::PullQuote(quote),
            None => Block::Quote(self.blocks(node, depth + 1)),
        }
    }

    fn paragraph<'a>(&mut self, node: Node<'a>) -> Vec<Block> {
        if let Some(figures) = self.figures(node) {
            return figures.into_iter().map(Block::Figure).collect();
        }
        let content = line::finish(self.line(node));
        if content.is_empty() {
            return Vec::new();
        }
        vec![Block::Paragraph(content)]
    }

    fn table<'a>(&mut self, node: Node<'a>, table: &NodeTable) -> Block {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for row in node.children() {
            let cells = row.children().enumerate().map(|(column, cell)| Cell {
                align: match table.alignments.get(column) {
                    Some(TableAlignment::Center) => "center",
                    Some(TableAlignment::Right) => "right",
                    _ => "left",
                },
                content: line::finish(self.line(cell)),
            });
            rows.push(cells.collect());
        }
        let head = if rows.is_empty() {
            Vec::new()
        } else {
            rows.remove(0)
        };
        Block::Table { head, rows }
    }

    fn range(&self, position: Sourcepos) -> Range<usize> {
        range(self.markdown, &self.line_starts, position)
    }

    fn warn(&mut self, position: Sourcepos, message: String) {
        let range = self.range(position);
        self.parsed.warnings.push((range, message));
    }
}

/// What makes the highest heading of the text one of level 2.
fn shift<'a>(root: Node<'a>) -> i16 {
    let highest = root
        .descendants()
        .filter_map(|node| match &node.data().value {
            NodeValue::Heading(heading) => Some(heading.level),
            _ => None,
        });
    highest.min().map_or(0, |level| 2 - i16::from(level))
}

/// All words below a node, without recursion: for what is too deep.
fn words<'a>(node: Node<'a>) -> String {
    let mut out = String::new();
    for inner in node.descendants() {
        match &inner.data().value {
            NodeValue::Text(text) => out.push_str(text),
            NodeValue::Code(code) => out.push_str(&code.literal),
            NodeValue::CodeBlock(code) => out.push_str(&code.literal),
            NodeValue::SoftBreak
            | NodeValue::LineBreak
            | NodeValue::Paragraph
            | NodeValue::Heading(_)
            | NodeValue::TableCell
                if !out.is_empty() && !out.ends_with(' ') =>
            {
                out.push(' ');
            }
            _ => {}
        }
    }
    out
}

/// Where each line begins, by CommonMark's line ends.
fn line_starts(markdown: &str) -> Vec<usize> {
    let bytes = markdown.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0)
        .chain(ends.map(|(at, _)| at + 1))
        .collect()
}

/// The bytes of a node. A position that does not fit is moved to one that does.
fn range(markdown: &str, line_starts: &[usize], position: Sourcepos) -> Range<usize> {
    let offset = |line: usize, column: usize| {
        let start = line_starts.get(line.saturating_sub(1)).copied();
        let at = start.map_or(markdown.len(), |start| start + column);
        let mut at = at.min(markdown.len());
        while !markdown.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    let start = offset(position.start.line, position.start.column.saturating_sub(1));
    let end = offset(position.end.line, position.end.column);
    start..end.max(start)
}

#[cfg(test)]
mod tests;
