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
    let mut before = false;
    while let Some(end) = rest.find('"') {
        let between = &rest[..end];
        rest = &rest[end + 1..];
        if std::mem::replace(&mut before, true)
            && let Some(value) = after_property(between)
            // A mail names the same few fonts over and over.
            && known.insert(value)
        {
            mark(value, fonts);
        }
    }
}

/// Looks in each declaration.
fn search_css(css: &str, fonts: &mut [Font<'_>]) {
    let mut rest = css;
    while let Some(value) = after_property(rest) {
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

/// What stands behind the first `font-family:`.
fn after_property(text: &str) -> Option<&str> {
    let mut start = 0;
    while let Some(colon) = text[start..].find(':') {
        let end = start + colon + 1;
        let property = end.checked_sub(PROPERTY.len());
        let property = property.and_then(|property| text.get(property..end));
        if property.is_some_and(|found| found.eq_ignore_ascii_case(PROPERTY)) {
            return Some(&text[end..]);
        }
        start = end;
    }
    None
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
