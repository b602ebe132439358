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
    let mut out = String::with_capacity(html.len() * 2);
    let mut audience = Audience::Everyone;
    let mut rest = html;
    while let Some(at) = rest.find(['<', '@']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(number) = rest.strip_prefix("@@") {
            let end = number.find("@@").ok_or_else(garbled)?;
            let index: usize = number[..end].parse().map_err(|_| garbled())?;
            let slot = prepared.slots.get(index).ok_or_else(garbled)?;
            let quoted = out.ends_with("=\"");
            put(slot, audience, quoted, &mut out);
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
