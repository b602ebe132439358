//! The slots, filled again.

use std::fmt::Write;

use super::prepare::{Prepared, Slot};
use crate::error::{Error, Result};

/// Fills the slots.
///
/// # Errors
/// Never, unless the engine has garbled one.
pub(super) fn fill(html: &str, prepared: &Prepared) -> Result<String> {
    let held: usize = prepared.slots.iter().map(|slot| slot.content().len()).sum();
    let mut out = String::with_capacity(html.len() + held.min(html.len()));
    let mut written = 0;
    for at in memchr::memmem::find_iter(html.as_bytes(), "@@") {
        if at < written {
            continue; // The end of a slot.
        }
        let number = &html[at + 2..];
        let end = number.find("@@").ok_or_else(garbled)?;
        let index: usize = number[..end].parse().map_err(|_| garbled())?;
        let slot = prepared.slots.get(index).ok_or_else(garbled)?;
        out.push_str(&html[written..at]);
        put(slot, &html[..at], &mut out);
        written = at + end + 4;
    }
    out.push_str(&html[written..]);
    Ok(out)
}

/// Writes what a slot holds; `before` is what the engine wrote before it.
fn put(slot: &Slot, before: &str, out: &mut String) {
    match slot {
        Slot::Raw(raw) if is_for_outlook(before) => {
            // The engine has joined two comments around it; everyone must see it.
            let _ = write!(out, "<![endif]-->{raw}<!--[if mso | IE]>");
        }
        // The title is also written into an attribute.
        Slot::Content(content) if before.ends_with("=\"") => {
            out.push_str(&content.replace('"', "&quot;"));
        }
        Slot::Raw(content) | Slot::Content(content) | Slot::Value(content) => out.push_str(content),
    }
}

/// Whether what comes after `before` stands in a comment that only Outlook reads.
fn is_for_outlook(before: &str) -> bool {
    let opened = memchr::memmem::rfind(before.as_bytes(), b"<!--[if ");
    let closed = memchr::memmem::rfind(before.as_bytes(), b"<![endif]");
    opened > closed && opened.is_some_and(|at| !before[at..].starts_with("<!--[if !"))
}

fn garbled() -> Error {
    Error::bug("the MJML engine has garbled a slot")
}
