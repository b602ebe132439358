//! Blocks as HTML for a mail: well-formed, every text escaped, inline styles only.
//!
//! No style sets a color, so that the theme decides, and a program in dark mode after it: text takes
//! the color around it, and a border without a color takes that of the text. There is no way to
//! pass markup through: a text is a text.

use super::{Block, Cell, Figure, Inline, ListItem, clean, credit, plain};

const PARAGRAPH: &str = "margin:0 0 12px";
const LAST: &str = "margin:0";
const LINK: &str = "color:inherit;text-decoration:underline";
const CODE: &str = "font-family:Menlo,Consolas,'Courier New',monospace;font-size:0.9em";
const IMAGE: &str = "max-width:100%;height:auto;border:0;vertical-align:middle";
const PICTURE: &str = "display:block;width:100%;max-width:100%;height:auto;border:0";
const SMALL: &str = "font-size:0.85em";
// A box hangs where other items have their mark.
const TASK: &str = "text-indent:-1.2em";
const QUOTE: &str = "margin:0;padding:0 0 0 16px;border-left:3px solid";
const PRE: &str = "margin:0;white-space:pre-wrap;word-break:break-word";
const TABLE: &str = "width:100%;border-collapse:collapse;border-spacing:0";
const DIVIDER: &str = "margin:12px 0;border:0;border-top:1px solid";

/// The words of a line.
#[must_use]
pub fn inline(line: &[Inline]) -> String {
    let mut out = String::new();
    write_inline(line, &mut out);
    out
}

/// A block, whole: a paragraph with its `<p>`, a list with its `<ul>`.
#[must_use]
pub fn block(block: &Block) -> String {
    let mut out = String::new();
    write_block(block, LAST, &mut out);
    out
}

/// Several blocks below each other, with room between them.
#[must_use]
pub fn blocks(blocks: &[Block]) -> String {
    let mut out = String::new();
    write_blocks(blocks, &mut out);
    out
}

/// A text for HTML and for an attribute in double quotes. Tokens pass; what no XML may hold does not.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if clean::is_printable(character) => out.push(character),
            _ => {}
        }
    }
    out
}

/// Whether a mail may link to an address: http, https, mailto and tel, or a token that will be one.
#[must_use]
pub fn is_allowed(url: &str) -> bool {
    if url.starts_with(clean::is_token) {
        return true;
    }
    let Some((scheme, rest)) = url.split_once(':') else {
        return false;
    };
    let is_one_of = |known: &[&str]| known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_one_of(&["http", "https"]) && rest.starts_with("//") && rest.len() > 2)
        || (is_one_of(&["mailto", "tel"]) && !rest.is_empty())
}

fn write_inline(line: &[Inline], out: &mut String) {
    for inline in line {
        match inline {
            Inline::Text(text) => out.push_str(&escape(text)),
            Inline::Emphasis(content) => element("em", content, out),
            Inline::Strong(content) => element("strong", content, out),
            Inline::Strikethrough(content) => element("s", content, out),
            Inline::Code(code) => {
                out.push_str(&format!("<code style=\"{CODE}\">{}</code>", escape(code)));
            }
            Inline::Link { url, content } if is_allowed(url) => {
                out.push_str(&format!("<a href=\"{}\" style=\"{LINK}\">", escape(url)));
                write_inline(content, out);
                out.push_str("</a>");
            }
            Inline::Link { content, .. } => write_inline(content, out),
            Inline::Image { src, alt } => out.push_str(&image(src, alt, IMAGE)),
            Inline::Break => out.push_str("<br />"),
        }
    }
}

fn element(name: &str, content: &[Inline], out: &mut String) {
    out.push_str(&format!("<{name}>"));
    write_inline(content, out);
    out.push_str(&format!("</{name}>"));
}

fn image(src: &str, alt: &str, style: &str) -> String {
    format!(
        "<img src=\"{}\" alt=\"{}\" style=\"{style}\" />",
        escape(src),
        escape(alt)
    )
}

fn write_blocks(blocks: &[Block], out: &mut String) {
    let Some((last, rest)) = blocks.split_last() else {
        return;
    };
    for block in rest {
        write_block(block, PARAGRAPH, out);
    }
    write_block(last, LAST, out);
}

/// Writes a block; `margin` is the style of the room below it.
fn write_block(block: &Block, margin: &str, out: &mut String) {
    // The room below a block that has a style of its own comes from a wrapper.
    let is_wrapped = margin != LAST
        && !matches!(
            block,
            Block::Paragraph(_) | Block::Heading { .. } | Block::Divider
        );
    if is_wrapped {
        out.push_str(&format!("<div style=\"{margin}\">"));
    }
    match block {
        Block::Paragraph(content) => {
            out.push_str(&format!("<p style=\"{margin}\">"));
            write_inline(content, out);
            out.push_str("</p>");
        }
        Block::Heading { level, content } => {
            let level = level.clamp(&2, &6);
            out.push_str(&format!("<h{level} style=\"{margin}\">"));
            write_inline(content, out);
            out.push_str(&format!("</h{level}>"));
        }
        Block::List { start, items } => write_list(*start, items, out),
        Block::Quote(inner) => {
            out.push_str(&format!("<blockquote style=\"{QUOTE}\">"));
            write_blocks(inner, out);
            out.push_str("</blockquote>");
        }
        Block::PullQuote(quote) => {
            out.push_str(&format!(
                "<blockquote style=\"{QUOTE}\"><p style=\"{PARAGRAPH}\">"
            ));
            write_inline(&quote.text, out);
            out.push_str(&format!("</p><p style=\"{LAST}\">— "));
            write_inline(&quote.attribution, out);
            out.push_str("</p></blockquote>");
        }
        Block::Figure(figure) => write_figure(figure, out),
        Block::Code { code, .. } => {
            let code = escape(code.trim_end_matches('\n'));
            out.push_str(&format!(
                "<pre style=\"{PRE}\"><code style=\"{CODE}\">{code}</code></pre>"
            ));
        }
        Block::Table { head, rows } => write_table(head, rows, out),
        Block::Divider => out.push_str(&format!("<hr style=\"{DIVIDER}\" />")),
    }
    if is_wrapped {
        out.push_str("</div>");
    }
}

fn write_list(start: Option<usize>, items: &[ListItem], out: &mut String) {
    let name = if start.is_some() { "ol" } else { "ul" };
    // Numbers stand to the left of the text, and long ones need more room there.
    let last = start.map_or(1, |start| start.saturating_add(items.len().max(1) - 1));
    let style = format!(
        "margin:0 0 0 {}px;padding:0",
        24 + 10 * last.max(1).ilog10()
    );
    out.push_str(&match start {
        Some(start) if start != 1 => format!("<ol start=\"{start}\" style=\"{style}\">"),
        _ => format!("<{name} style=\"{style}\">"),
    });
    for item in items {
        let mark = item
            .checked
            .map(|checked| if checked { "☑ " } else { "☐ " });
        if let (Some(mark), None) = (mark, start) {
            write_task(mark, &item.blocks, out);
            continue;
        }
        out.push_str("<li style=\"margin:0 0 4px\">");
        out.push_str(mark.unwrap_or_default());
        match item.blocks.split_first() {
            // One paragraph, or one with lists below it, needs no room of its own.
            Some((Block::Paragraph(first), rest))
                if rest.iter().all(|block| matches!(block, Block::List { .. })) =>
            {
                write_inline(first, out);
                rest.iter().for_each(|block| write_block(block, LAST, out));
            }
            _ => write_blocks(&item.blocks, out),
        }
        out.push_str("</li>");
    }
    out.push_str(&format!("</{name}>"));
}

/// An item of a list of tasks, with its box in place of the bullet.
fn write_task(mark: &str, blocks: &[Block], out: &mut String) {
    let (first, rest) = match blocks.split_first() {
        Some((Block::Paragraph(first), rest)) => (first.as_slice(), rest),
        _ => (&[][..], blocks),
    };
    let is_brief = rest.iter().all(|block| matches!(block, Block::List { .. }));
    let margin = if is_brief { LAST } else { PARAGRAPH };
    out.push_str(&format!(
        "<li style=\"margin:0 0 4px;list-style:none\"><p style=\"{margin};{TASK}\">{mark}"
    ));
    write_inline(first, out);
    out.push_str("</p>");
    if is_brief {
        rest.iter().for_each(|block| write_block(block, LAST, out));
    } else {
        write_blocks(rest, out);
    }
    out.push_str("</li>");
}

/// A picture with its caption; one that was not supplied shows its caption alone.
fn write_figure(figure: &Figure, out: &mut String) {
    if !figure.src.is_empty() {
        out.push_str(&image(&figure.src, &figure.alt, PICTURE));
    }
    if !figure.caption.is_empty() || figure.credit.is_some() {
        out.push_str(&format!("<p style=\"{LAST};{SMALL}\">"));
        write_inline(&figure.caption, out);
        if let Some(name) = &figure.credit {
            let joint = credit::joint(&plain(&figure.caption));
            let label = credit::label(name);
            out.push_str(&format!("{joint}{label}{}", escape(name)));
        }
        out.push_str("</p>");
    }
}

/// A table may be wider than a phone, and themes let it scroll; with a focus, keys can do that too.
fn write_table(head: &[Cell], rows: &[Vec<Cell>], out: &mut String) {
    out.push_str(&format!(
        "<table role=\"table\" tabindex=\"0\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" width=\"100%\" style=\"{TABLE}\">"
    ));
    if head.iter().any(|cell| !cell.content.is_empty()) {
        out.push_str("<thead><tr>");
        for cell in head {
            write_cell("th scope=\"col\"", "th", "2px", cell, out);
        }
        out.push_str("</tr></thead>");
    }
    out.push_str("<tbody>");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            write_cell("td", "td", "1px", cell, out);
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

fn write_cell(open: &str, name: &str, border: &str, cell: &Cell, out: &mut String) {
    let align = match cell.align {
        "" => "left",
        align => align,
    };
    out.push_str(&format!(
        "<{open} align=\"{align}\" style=\"padding:6px 8px;border-bottom:{border} solid;text-align:{align};vertical-align:top\">"
    ));
    write_inline(&cell.content, out);
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests;
