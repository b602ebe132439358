//! HTML as the engine writes it → HTML as it should be: slots filled, small faults mended.

use std::fmt::Write;

use super::{
    Purpose,
    prepare::{Prepared, Slot},
};
use crate::{
    compose::{
        staging::{Role, Tags},
        tokens,
    },
    error::{Error, Result},
};

/// Mends the engine's own markup, then fills the slots.
///
/// # Errors
/// When the engine has left out, doubled or moved what holds a tag of the sending moment.
pub(super) fn finish(
    html: &str,
    prepared: &Prepared,
    tags: &Tags,
    purpose: Purpose,
) -> Result<String> {
    // The engine's comma hides the arrows of a carousel on every screen.
    let mut html = mend_tags(html).replace("@media screen, yahoo {", "@media screen yahoo {");
    if purpose == Purpose::Newsletter {
        // White or tiny letters are what spam filters look for; the preview is hidden either way.
        html = html.replace(
            "display:none;font-size:1px;color:#ffffff;line-height:1px;",
            "display:none;mso-hide:all;",
        );
    }
    let mut filler = Filler {
        prepared,
        used: vec![0; prepared.slots.len()],
        order: Vec::new(),
    };
    let filled = filler.fill(&html)?;
    filler.check(tags)?;
    Ok(format!("{}{filled}", prepared.prologue))
}

/// Pictures get an `alt`, and widths whole pixels. What the engine wrote holds no text of anyone's.
fn mend_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + 1024);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = tag_length(rest);
        let (tag, after) = rest.split_at(length);
        if tag.starts_with("<img ") {
            if !tag.contains(" alt=") {
                out.push_str("<img alt=\"\"");
                out.push_str(&whole_pixels(&tag[4..], " width=\"", "\""));
            } else {
                out.push_str(&whole_pixels(tag, " width=\"", "\""));
            }
        } else if tag.contains("mso-padding-bottom-alt:0;padding-bottom:") {
            // The height of a fluid hero; the engine forgets the unit.
            out.push_str(&with_percent(tag));
        } else if tag.starts_with("<td ")
            && (after.starts_with("<img ") || after.starts_with("<a "))
        {
            out.push_str(&whole_pixels(tag, "style=\"width:", "px"));
        } else {
            out.push_str(tag);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The length of the tag at the start of `html`; of a comment, only its `<`.
fn tag_length(html: &str) -> usize {
    if !html[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
        return 1;
    }
    let mut quoted = false;
    for (at, byte) in html.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    html.len()
}

/// Cuts the fraction off a number that stands between `before` and `after`.
fn whole_pixels(tag: &str, before: &str, after: &str) -> String {
    let fraction = tag.find(before).and_then(|found| {
        let number = found + before.len();
        let length = tag[number..].find(after)?;
        let (whole, fraction) = tag[number..number + length].split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole) && digits(fraction)).then_some(number + whole.len()..number + length)
    });
    match fraction {
        Some(range) => format!("{}{}", &tag[..range.start], &tag[range.end..]),
        None => tag.to_owned(),
    }
}

/// Makes a percentage of the number in `padding-bottom`, rounded down.
fn with_percent(tag: &str) -> String {
    let before = "padding-bottom:";
    let number = tag.find(before).map(|found| found + before.len());
    let Some((start, rest)) = number.and_then(|start| Some((start, tag.get(start..)?))) else {
        return tag.to_owned();
    };
    let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = rest.find(';').unwrap_or(whole);
    format!("{}%{}", &tag[..start + whole], &rest[end..])
}

/// Where in the HTML we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Everyone,
    /// Within `<!--[if mso | IE]>`.
    Outlook,
}

struct Filler<'a> {
    prepared: &'a Prepared,
    /// How often each slot came out.
    used: Vec<usize>,
    /// The slots of the body that hold text, as they came out.
    order: Vec<usize>,
}

impl Filler<'_> {
    fn fill(&mut self, html: &str) -> Result<String> {
        let mut out = String::with_capacity(html.len() * 2);
        let mut audience = Audience::Everyone;
        let mut rest = html;
        while let Some(at) = rest.find(['<', '@']) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(number) = rest.strip_prefix("@@") {
                let end = number.find("@@").ok_or_else(garbled)?;
                let index: usize = number[..end].parse().map_err(|_| garbled())?;
                let slot = self.prepared.slots.get(index).ok_or_else(garbled)?;
                let quoted = out.ends_with("=\"");
                put(slot, audience, quoted, &mut out);
                if let Some(used) = self.used.get_mut(index) {
                    *used += 1;
                }
                if !quoted && index >= self.prepared.body && !matches!(slot, Slot::Value(_)) {
                    self.order.push(index);
                }
                rest = &number[end + 2..];
                continue;
            }
            if rest.starts_with("<!--[if !") || rest.starts_with("<![endif]") {
                audience = Audience::Everyone;
            } else if rest.starts_with("<!--[if ") {
                audience = Audience::Outlook;
            }
            out.push_str(&rest[..1]);
            rest = &rest[1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Sees to it that no tag of the sending moment was lost, and that no block was moved or doubled.
    fn check(&self, tags: &Tags) -> Result<()> {
        if tags.is_empty() {
            return Ok(()); // A plain file may hold any character.
        }
        let mut errors = Vec::new();
        for (index, slot) in self.prepared.slots.iter().enumerate() {
            let content = slot.content();
            if self.used.get(index) == Some(&0) && content.contains(tokens::is_of_sending) {
                for (_, run) in tags.runs(content)? {
                    errors.push(
                        Error::data(
                            "this tag has no effect here: MJML does not use what it stands in",
                        )
                        .at(run.tag.place.clone())
                        .hint(
                            "Put it where it is shown: into text, or into `href`, `src` or `alt`.",
                        ),
                    );
                }
            }
        }
        let mut expected = self.prepared.body;
        for index in &self.order {
            let content = self.prepared.slots.get(*index).map_or("", Slot::content);
            let runs = tags.runs(content)?;
            let block = runs
                .iter()
                .find(|(_, run)| !matches!(run.tag.role, Role::Print));
            if let Some((_, run)) = block
                && *index < expected
            {
                errors.push(
                    Error::data("MJML moves this block, or shows it more than once")
                        .at(run.tag.place.clone())
                        .hint("Put the whole element into the block."),
                );
            }
            expected = expected.max(index + 1);
        }
        Error::all(errors).map_or(Ok(()), Err)
    }
}

fn put(slot: &Slot, audience: Audience, quoted: bool, out: &mut String) {
    match slot {
        Slot::Raw(raw) if audience == Audience::Outlook => {
            // The engine has joined two comments around it; everyone must see it.
            let _ = write!(out, "<![endif]-->{raw}<!--[if mso | IE]>");
        }
        // The title is also written into an attribute.
        Slot::Content(content) if quoted => out.push_str(&content.replace('"', "&quot;")),
        Slot::Raw(content) | Slot::Content(content) | Slot::Value(content) => out.push_str(content),
    }
}

fn garbled() -> Error {
    Error::bug("the MJML engine has garbled a slot")
}
