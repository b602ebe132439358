//! Pull quotes: block quotes whose last line names the speaker after a dash.

use comrak::{Node, nodes::NodeValue};

use super::{Reader, line::finish};
use crate::issue::{Inline, Quote, plain, quotation};

impl Reader<'_> {
    /// A block quote as a pull quote; `None`, and nothing is noted, when it is another quotation.
    pub(super) fn pull_quote<'a>(&mut self, node: Node<'a>) -> Option<Quote> {
        let is_paragraph = |child: &Node<'a>| matches!(child.data().value, NodeValue::Paragraph);
        let has_image = |child: Node<'a>| {
            let mut nodes = child.descendants();
            nodes.any(|inner| matches!(inner.data().value, NodeValue::Image(_)))
        };
        if !node
            .children()
            .all(|child| is_paragraph(&child) && !has_image(child))
        {
            return None;
        }
        // Reading a line may warn, and the lines are read again when this is no pull quote.
        let warnings = self.parsed.warnings.len();
        let paragraphs = node.children().map(|child| self.line(child)).collect();
        let quote = taken_apart(paragraphs);
        if quote.is_none() {
            self.parsed.warnings.truncate(warnings);
        }
        quote
    }
}

fn taken_apart(mut paragraphs: Vec<Vec<Inline>>) -> Option<Quote> {
    let mut last = paragraphs.pop()?;
    let attribution = last_line(&mut last);
    let mut attribution = finish(attribution);
    let spoken = plain(&attribution);
    let name = quotation::after_dash(&spoken)?;
    drop_first(
        &mut attribution,
        spoken.len() - spoken.trim_end().len() + name.len(),
        &spoken,
    );
    if !last.is_empty() {
        paragraphs.push(last);
    }
    let mut text: Vec<Inline> = Vec::new();
    for paragraph in paragraphs.into_iter().map(finish) {
        if !text.is_empty() {
            text.push(Inline::Break);
        }
        text.extend(paragraph);
    }
    let said = plain(&text);
    if said.trim().is_empty() {
        return None;
    }
    if quotation::unquote(&said).is_some() {
        drop_mark(&mut text, End::First);
        drop_mark(&mut text, End::Last);
    }
    Some(Quote {
        text: finish(text),
        attribution: finish(attribution),
    })
}

/// Takes the last line off a paragraph: what follows its last line end, soft or hard.
fn last_line(paragraph: &mut Vec<Inline>) -> Vec<Inline> {
    let end = paragraph.iter().rposition(|inline| match inline {
        Inline::Break => true,
        Inline::Text(text) => text.contains('\n'),
        _ => false,
    });
    let Some(at) = end else {
        return std::mem::take(paragraph);
    };
    let mut line = paragraph.split_off(at);
    match line.first_mut() {
        Some(Inline::Text(text)) => {
            if let Some((before, after)) = text.rsplit_once('\n') {
                paragraph.push(Inline::Text(before.to_owned()));
                *text = after.to_owned();
            }
        }
        _ => {
            line.drain(..1);
        }
    }
    line
}

/// Drops all words but the last `keep` bytes of `words`, which are the words of the line.
fn drop_first(line: &mut Vec<Inline>, keep: usize, words: &str) {
    let mut left = words.len().saturating_sub(keep);
    line.retain_mut(|inline| {
        if left == 0 {
            return true;
        }
        let length = plain(std::slice::from_ref(inline)).len();
        let dropped = left.min(length);
        match inline {
            Inline::Text(text) | Inline::Code(text) if dropped < length => {
                *text = text.get(dropped..).unwrap_or_default().to_owned();
            }
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. }
                if dropped < length =>
            {
                let words = plain(content);
                drop_first(content, length - dropped, &words);
            }
            _ => {}
        }
        left -= dropped;
        dropped < length
    });
}

#[derive(Clone, Copy)]
enum End {
    First,
    Last,
}

/// Drops a quotation mark at one end of a line, however deep it lies in emphasis.
fn drop_mark(line: &mut [Inline], end: End) {
    let inline = match end {
        End::First => line.first_mut(),
        End::Last => line.last_mut(),
    };
    match inline {
        Some(Inline::Text(text)) => {
            *text = match end {
                End::First => text.trim_start().chars().skip(1).collect(),
                End::Last => {
                    let mut characters = text.trim_end().chars();
                    characters.next_back();
                    characters.as_str().to_owned()
                }
            };
        }
        Some(
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. },
        ) => drop_mark(content, end),
        _ => {}
    }
}
