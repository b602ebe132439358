//! The slots, filled again.

use std::fmt::Write;

use super::{
    markup::Audience,
    prepare::{Prepared, Slot},
};
use crate::error::{Error, Result};

/// Fills the slots.
///
/// # Errors
/// Never, unless the engine has garbled one.
pub(super) fn fill(html: &str, prepared: &Prepared) -> Result<String> {
    let held: usize = prepared.slots.iter().map(|slot| slot.content().len()).sum();
    let mut out = String::with_capacity(html.len() + held.min(html.len()));
    let mut audience = Audience::Everyone;
    // How far that was looked for.
    let mut heard = 0;
    let mut written = 0;
    for at in memchr::memmem::find_iter(html.as_bytes(), "@@") {
        if at < written {
            continue; // The end of a slot.
        }
        let number = &html[at + 2..];
        let end = number.find("@@").ok_or_else(garbled)?;
        let index: usize = number[..end].parse().map_err(|_| garbled())?;
        let slot = prepared.slots.get(index).ok_or_else(garbled)?;
        let before = &html[written..at];
        out.push_str(before);
        match slot {
            Slot::Raw(raw) => {
                audience = audience_after(&html[heard..at], audience);
                heard = at;
                match audience {
                    Audience::Everyone => out.push_str(raw),
                    // The engine has joined two comments around it; everyone must see it.
                    Audience::Outlook => {
                        let _ = write!(out, "<![endif]-->{raw}<!--[if mso | IE]>");
                    }
                }
            }
            // The title is also written into an attribute.
            Slot::Content(content) if before.ends_with("=\"") => {
                out.push_str(&content.replace('"', "&quot;"));
            }
            _ => out.push_str(slot.content()),
        }
        written = at + end + 4;
    }
    out.push_str(&html[written..]);
    Ok(out)
}

/// Who sees what comes after `html`, which begins where `audience` sees it.
fn audience_after(html: &str, audience: Audience) -> Audience {
    let opened = memchr::memmem::rfind(html.as_bytes(), b"<!--[if ");
    let closed = memchr::memmem::rfind(html.as_bytes(), b"<![endif]");
    match opened {
        Some(at) if opened > closed && !html[at..].starts_with("<!--[if !") => Audience::Outlook,
        None if closed.is_none() => audience,
        _ => Audience::Everyone,
    }
}

fn garbled() -> Error {
    Error::bug("the MJML engine has garbled a slot")
}
