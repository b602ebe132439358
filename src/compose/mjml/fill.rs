//! The slots, filled again; and the proof that nothing which waits for the reader was lost or moved.

use std::fmt::Write;

use super::{
    markup::Audience,
    prepare::{Prepared, Slot},
};
use crate::{
    compose::{
        staging::{Role, Tags},
        tokens,
    },
    error::{Error, Result},
};

/// Fills the slots.
///
/// # Errors
/// When the engine has left out, doubled or moved what holds a tag of the sending moment.
pub(super) fn fill(html: &str, prepared: &Prepared, tags: &Tags) -> Result<String> {
    let mut filler = Filler {
        prepared,
        used: vec![0; prepared.slots.len()],
        order: Vec::new(),
    };
    let filled = filler.fill(html)?;
    filler.check(tags)?;
    Ok(filled)
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
