//! Which fonts a page fetches, by MJML's rule: those that a quoted `font-family` names.
//!
//! The rule looks at the page as text. A name counts wherever it stands between two quotes behind
//! `font-family:`, in whatever case, be it in the `style` of an element or in what an author wrote.

use std::{collections::HashSet, fmt::Write};

use crate::compose::mjml::{
    Purpose,
    document::{Head, Inlined},
};

/// What MJML knows without being told.
const KNOWN: [(&str, &str); 5] = [
    (
        "Open Sans",
        "https://fonts.googleapis.com/css?family=Open+Sans:300,400,500,700",
    ),
    (
        "Droid Sans",
        "https://fonts.googleapis.com/css?family=Droid+Sans:300,400,500,700",
    ),
    (
        "Lato",
        "https://fonts.googleapis.com/css?family=Lato:300,400,500,700",
    ),
    (
        "Roboto",
        "https://fonts.googleapis.com/css?family=Roboto:300,400,500,700",
    ),
    (
        "Ubuntu",
        "https://fonts.googleapis.com/css?family=Ubuntu:300,400,500,700",
    ),
];

const PROPERTY: &str = "font-family:";

/// The block of the head that fetches what `content` uses; empty where nothing is fetched.
pub(super) fn block(content: &str, head: &Head, purpose: Purpose) -> String {
    let mut fonts: Vec<Font<'_>> = match purpose {
        // A font that nobody has asked for must not make each reader call a font server.
        Purpose::Newsletter => Vec::new(),
        Purpose::Template => KNOWN.map(|(name, url)| Font::new(name, url)).into(),
    };
    for (name, url) in &head.fonts {
        match fonts.iter_mut().find(|font| font.name == name) {
            Some(font) => font.url = url,
            None => fonts.push(Font::new(name, url)),
        }
    }
    search_page(content, &mut fonts);
    for Inlined { css, .. } in &head.inline_styles {
        search_css(css, &mut fonts);
    }
    let urls: Vec<&str> = fonts
        .iter()
        .filter(|font| font.is_used)
        .map(|font| font.url)
        .collect();
    written(&urls)
}

struct Font<'a> {
    name: &'a str,
    /// The name in lower case.
    wanted: String,
    url: &'a str,
    is_used: bool,
}

impl<'a> Font<'a> {
    fn new(name: &'a str, url: &'a str) -> Self {
        Self {
            name,
            wanted: name.to_lowercase(),
            url,
            is_used: false,
        }
    }
}

/// Looks between each two quotes that follow each other, whether or not they belong together.
fn search_page(content: &str, fonts: &mut [Font<'_>]) {
    let mut known = HashSet::new();
    let mut rest = content;
    while let Some((before, value)) = around_property(rest) {
        let Some(end) = memchr::memchr(b'"', value.as_bytes()) else {
            return;
        };
        let (value, after) = value.split_at(end);
        // A mail names the same few fonts over and over.
        if memchr::memrchr(b'"', before.as_bytes()).is_some() && known.insert(value) {
            mark(value, fonts);
        }
        rest = after;
    }
}

/// Looks in each declaration.
fn search_css(css: &str, fonts: &mut [Font<'_>]) {
    let mut rest = css;
    while let Some((_, value)) = around_property(rest) {
        let end = value.find([';', '}']).unwrap_or(value.len());
        mark(&value[..end], fonts);
        rest = &value[end..];
    }
}

fn mark(value: &str, fonts: &mut [Font<'_>]) {
    let value = value.to_lowercase();
    for font in fonts {
        font.is_used |= value.contains(&font.wanted);
    }
}

/// What stands before and behind the first `font-family:`.
fn around_property(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes).find_map(|colon| {
        let start = (colon + 1).checked_sub(PROPERTY.len())?;
        let found = bytes[start..=colon].eq_ignore_ascii_case(PROPERTY.as_bytes());
        found.then(|| (&text[..start], &text[colon + 1..]))
    })
}

fn written(urls: &[&str]) -> String {
    if urls.is_empty() {
        return String::new();
    }
    let mut out = String::from("<!--[if !mso]><!-->");
    for url in urls {
        let _ = write!(
            out,
            "<link href=\"{}\" rel=\"stylesheet\" type=\"text/css\">",
            url.replace('"', "&quot;")
        );
    }
    out.push_str("<style type=\"text/css\">");
    for url in urls {
        let _ = write!(out, "@import url({url});");
    }
    out.push_str("</style><!--<![endif]-->\n");
    out
}

#[cfg(test)]
mod tests;
