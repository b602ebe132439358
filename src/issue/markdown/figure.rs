//! Figures: pictures that stand alone in their line, with the lines below them as captions.

use comrak::{
    Node,
    nodes::{NodeLink, NodeValue},
};

use super::{
    Reader,
    line::{alt, finish, push},
};
use crate::issue::{Figure, Inline, credit, plain};

impl Reader<'_> {
    /// The figures that a paragraph is made of; `None` when it is words, with or without pictures.
    pub(super) fn figures<'a>(&mut self, paragraph: Node<'a>) -> Option<Vec<Figure>> {
        let mut found: Vec<(Node<'a>, Vec<Vec<Node<'a>>>)> = Vec::new();
        for line in lines(paragraph) {
            match *line.as_slice() {
                [picture] if image(picture).is_some() => found.push((picture, Vec::new())),
                // `![…](…) *caption*` in one line.
                [picture, caption] if image(picture).is_some() && is_emphasis(caption) => {
                    found.push((picture, vec![vec![caption]]));
                }
                _ if line.iter().any(|node| image(node).is_some()) => return None,
                _ => found.last_mut()?.1.push(line),
            }
        }
        let figures = found.into_iter().filter_map(|(picture, lines)| {
            let image = image(picture)?;
            self.see(&image, picture.data().sourcepos);
            let mut caption = Vec::new();
            push(&mut caption, &image.title);
            let mut below = Vec::new();
            for line in lines {
                push(&mut below, "\n");
                for node in line {
                    self.inline(node, 0, &mut below);
                }
            }
            let below = without_emphasis(finish(below));
            if !caption.is_empty() && !below.is_empty() {
                push(&mut caption, " ");
            }
            caption.extend(below);
            Some(credited(Figure {
                src: image.url,
                alt: alt(picture),
                caption: finish(caption),
                credit: None,
            }))
        });
        let figures: Vec<Figure> = figures.collect();
        (!figures.is_empty()).then_some(figures)
    }
}

/// Splits the credit off a caption.
fn credited(mut figure: Figure) -> Figure {
    let caption = plain(&figure.caption);
    if let Some(found) = credit::split(&caption) {
        let start = caption.len() - caption.trim_start().len();
        keep(&mut figure.caption, start + found.caption.len());
        figure.caption = finish(figure.caption);
        figure.credit = Some(found.named());
    }
    figure
}

/// Keeps the first bytes of a line's words, as [`plain`] counts them.
fn keep(line: &mut Vec<Inline>, bytes: usize) {
    let mut left = bytes;
    line.retain_mut(|inline| {
        if left == 0 {
            return false;
        }
        let length = plain(std::slice::from_ref(inline)).len();
        match inline {
            Inline::Text(text) | Inline::Code(text) => {
                let mut end = left.min(text.len());
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
            }
            Inline::Emphasis(content)
            | Inline::Strong(content)
            | Inline::Strikethrough(content)
            | Inline::Link { content, .. } => keep(content, left),
            Inline::Image { .. } | Inline::Break => {}
        }
        left = left.saturating_sub(length);
        true
    });
}

/// The emphasis around a whole caption is dress that the theme puts on anyway.
fn without_emphasis(mut line: Vec<Inline>) -> Vec<Inline> {
    match line.as_mut_slice() {
        [Inline::Emphasis(content)] => std::mem::take(content),
        _ => line,
    }
}

/// The nodes of each line, without those that are blank.
fn lines<'a>(paragraph: Node<'a>) -> Vec<Vec<Node<'a>>> {
    let mut lines = vec![Vec::new()];
    for node in paragraph.children() {
        match &node.data().value {
            NodeValue::SoftBreak | NodeValue::LineBreak => lines.push(Vec::new()),
            NodeValue::Text(text) if text.trim().is_empty() => {}
            _ => {
                if let Some(line) = lines.last_mut() {
                    line.push(node);
                }
            }
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

fn image(node: Node<'_>) -> Option<NodeLink> {
    match &node.data().value {
        NodeValue::Image(image) => Some(image.as_ref().clone()),
        _ => None,
    }
}

fn is_emphasis(node: Node<'_>) -> bool {
    matches!(node.data().value, NodeValue::Emph)
}
