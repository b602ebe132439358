//! Lists: lines that begin with a bullet, or with numbers that count on.

use super::{Chunk, line};
use crate::issue::{Block, ListItem};

/// The list of a chunk, with the paragraph that may lead to it; `None` when it is no list.
/// `next` is the number with which the list before it would go on.
pub(super) fn read(chunk: &Chunk<'_>, next: Option<usize>) -> Option<Vec<Block>> {
    let first = chunk.lines.iter().position(|line| marker(line).is_some())?;
    let (lead, rest) = chunk.lines.split_at(first);
    let start = match marker(rest.first()?)?.0 {
        Marker::Bullet => None,
        Marker::Number(number) => Some(number),
    };
    let mut items: Vec<Vec<&str>> = Vec::new();
    for line in rest {
        match (marker(line), start) {
            (Some((Marker::Bullet, words)), None) => items.push(vec![words]),
            (Some((Marker::Number(number), words)), Some(start))
                if number == start + items.len() =>
            {
                items.push(vec![words]);
            }
            // A line without a marker goes on with the item before it.
            _ => items.last_mut()?.push(line),
        }
    }
    // A single number is more often a sentence that begins with one.
    let is_certain = start.is_none()
        || items.len() > 1
        || (lead.is_empty() && (start == Some(1) || start == next));
    if !is_certain {
        return None;
    }
    let mut blocks = Vec::new();
    if !lead.is_empty() {
        blocks.push(Block::Paragraph(line::inlines(&line::joined(lead))));
    }
    let items = items.iter().map(|lines| ListItem {
        checked: None,
        blocks: vec![Block::Paragraph(line::inlines(&line::joined(lines)))],
    });
    blocks.push(Block::List {
        start,
        items: items.collect(),
    });
    Some(blocks)
}

#[derive(Clone, Copy)]
enum Marker {
    Bullet,
    Number(usize),
}

/// The marker of a line, and what it marks.
fn marker(line: &str) -> Option<(Marker, &str)> {
    let (head, words) = line.split_once(char::is_whitespace)?;
    let words = words.trim();
    let kind = match head {
        "-" | "*" | "•" | "·" | "▪" | "◦" | "‣" | "–" => Marker::Bullet,
        _ => {
            let digits = head.strip_suffix(['.', ')'])?;
            let is_number = digits.len() <= 3 && digits.chars().all(|digit| digit.is_ascii_digit());
            Marker::Number(digits.parse().ok().filter(|_| is_number)?)
        }
    };
    (!words.is_empty()).then_some((kind, words))
}
