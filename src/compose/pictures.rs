//! The pictures of a page: those that lie in the newsletter's folder travel with the mail, or are
//! called from the web.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use data_encoding::{BASE32_NOPAD, HEXLOWER};

use super::{
    Images, Press,
    edition::InlineImage,
    page::{self, Spot, Stretch},
    staging::{Role, Tags},
};
use crate::{
    error::{Error, Kind, Result},
    issue::html,
    place::Text,
};

/// Classic Outlook shows a picture as wide as its file is unless an attribute says otherwise. This is
/// room enough in a mail of 600 pixels, and for a text that is indented.
const MAX_WIDTH: u32 = 500;

/// Rewrites the addresses of local pictures, and collects what must travel. `sources` is what the
/// author wrote, for the place of an address that is wrong.
///
/// # Errors
/// Pictures that cannot be loaded, and addresses that no mail may hold.
pub(super) fn settle(
    html: &str,
    press: &Press<'_>,
    tags: &Tags,
    sources: &[&Text],
) -> Result<(String, Vec<InlineImage>)> {
    let mut settler = Settler {
        press,
        tags,
        sources,
        settled: Vec::new(),
        images: Vec::new(),
        errors: Vec::new(),
    };
    let mut out = String::with_capacity(html.len());
    let stretches = page::stretches(html);
    let sizable = sizable(html, &stretches);
    // The picture whose width is to be said once its address is over, and the tag that it is in.
    let mut image_tag = 0;
    let mut width = None;
    for stretch in stretches {
        let text = &html[stretch.range];
        match stretch.spot {
            Spot::Value(name) if is_one_of(name, &["src", "background"]) => {
                let found = settler.value(text, &mut out);
                width = found.filter(|_| stretch.tag == image_tag);
            }
            Spot::Value(name) if is_one_of(name, &["style"]) => settler.style(text, &mut out),
            Spot::Tag => {
                if is_one_of(text, &["<img"]) && sizable.contains(&stretch.tag) {
                    image_tag = stretch.tag;
                }
                match (width.take(), text.split_at_checked(1)) {
                    (Some(width), Some((quote, rest))) => {
                        let width = MAX_WIDTH.min(width);
                        out.push_str(&format!("{quote} width=\"{width}\"{rest}"));
                    }
                    _ => out.push_str(text),
                }
            }
            _ => out.push_str(text),
        }
    }
    match Error::all(settler.errors) {
        Some(error) => Err(error),
        None => Ok((out, settler.images)),
    }
}

/// The tags that may be given a width: they have no size of their own, and a style that keeps the
/// height in proportion.
fn sizable(html: &str, stretches: &[Stretch<'_>]) -> BTreeSet<usize> {
    let tags = |is_meant: &dyn Fn(&str, &str) -> bool| -> BTreeSet<usize> {
        let meant = stretches.iter().filter(|stretch| match stretch.spot {
            Spot::Value(name) => is_meant(name, &html[stretch.range.clone()]),
            _ => false,
        });
        meant.map(|stretch| stretch.tag).collect()
    };
    let flexible =
        tags(&|name, style| is_one_of(name, &["style"]) && style.contains("height:auto"));
    let sized = tags(&|name, _| is_one_of(name, &["width", "height"]));
    &flexible - &sized
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

struct Settler<'a> {
    press: &'a Press<'a>,
    tags: &'a Tags,
    sources: &'a [&'a Text],
    /// Addresses as written, what they have become, and the width of the picture where it is known.
    settled: Vec<(String, String, Option<u32>)>,
    images: Vec<InlineImage>,
    errors: Vec<Error>,
}

impl Settler<'_> {
    /// An attribute's value. Where a tag of the sending moment chooses one of several, each of them is
    /// an address; where a tag prints a part of it, it must lie on the web. Returns the width of the
    /// picture if it is always the same.
    fn value(&mut self, value: &str, out: &mut String) -> Option<u32> {
        let runs = self.tags.runs(value).unwrap_or_default();
        let Some((first, _)) = runs.first() else {
            return self.address(value, out);
        };
        if *first > 0 {
            self.on_the_web(&value[..*first]);
            out.push_str(value);
            return None;
        }
        for (index, (at, run)) in runs.iter().enumerate() {
            let start = at + run.length;
            out.push_str(&value[*at..start]);
            let next = runs.get(index + 1);
            let literal = &value[start..next.map_or(value.len(), |(at, _)| *at)];
            let begins = matches!(run.tag.role, Role::Open(_) | Role::Middle(_));
            let ends = next
                .is_some_and(|(_, next)| matches!(next.tag.role, Role::Middle(_) | Role::Close(_)));
            if begins && ends {
                self.address(literal, out);
                continue;
            }
            if begins && !literal.is_empty() {
                self.on_the_web(literal);
            }
            out.push_str(literal);
        }
        None
    }

    /// Refuses the beginning of an address that is completed at sending, unless it is on the web.
    fn on_the_web(&mut self, beginning: &str) {
        let beginning = page::unescape(beginning).trim_start().to_ascii_lowercase();
        if !beginning.starts_with("https://") && !beginning.starts_with("http://") {
            let error = Error::data(format!(
                "a picture whose address depends on the reader must lie on the web, but this one begins with `{}`",
                short(&beginning)
            ));
            let error = error.hint("Begin it with `https://`, or choose among whole paths: `{% if subscriber.… %}one.png{% else %}two.png{% endif %}`.");
            self.errors.push(self.placed(error, &beginning));
        }
    }

    /// A style: what stands in `url(…)`.
    fn style(&mut self, style: &str, out: &mut String) {
        let mut rest = style;
        while let Some(at) = rest.find("url(") {
            let start = at + 4;
            out.push_str(&rest[..start]);
            rest = &rest[start..];
            let end = rest.find(')').unwrap_or(rest.len());
            let inside = &rest[..end];
            let address = ["&quot;", "&#39;", "&#34;", "'"]
                .iter()
                .find_map(|quote| Some((quote, inside.strip_prefix(quote)?.strip_suffix(quote)?)));
            match address {
                Some((quote, address)) => {
                    out.push_str(quote);
                    self.value(address, out);
                    out.push_str(quote);
                }
                None => {
                    self.value(inside, out);
                }
            }
            rest = &rest[end..];
        }
        out.push_str(rest);
    }

    fn address(&mut self, written: &str, out: &mut String) -> Option<u32> {
        if let Some((_, settled, width)) = self.settled.iter().find(|(known, ..)| known == written)
        {
            out.push_str(settled);
            return *width;
        }
        let address = page::unescape(written).trim().to_owned();
        let (settled, width) = match self.settled_address(&address) {
            Ok(Some((settled, width))) => (html::escape(&settled), Some(width)),
            Ok(None) => (written.to_owned(), None),
            Err(error) => {
                self.errors.push(self.placed(error, &address));
                (written.to_owned(), None)
            }
        };
        out.push_str(&settled);
        self.settled.push((written.to_owned(), settled, width));
        width
    }

    /// An error about an address, where the author wrote it.
    fn placed(&self, error: Error, address: &str) -> Error {
        let mut found = self.sources.iter().filter_map(|text| {
            let start = text.content().find(address)?;
            Some(text.place(start..start + address.len()))
        });
        match found.next() {
            Some(place) => error.at_or(|| place),
            None => error,
        }
    }

    /// What an address becomes, and the width of its picture; `None` when it stays as it is.
    fn settled_address(&mut self, address: &str) -> Result<Option<(String, u32)>> {
        if address.is_empty() || address.starts_with('#') {
            return Ok(None);
        }
        let refused = |hint: &str| {
            Err(Error::data(format!(
                "the picture `{}` cannot be used in a mail",
                short(address)
            ))
            .hint(hint))
        };
        if address.starts_with("//") {
            return refused("Write `https://` before the name of the host.");
        }
        let scheme = address.split_once(':').map(|(scheme, _)| scheme);
        let is_scheme = |scheme: &&str| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
        };
        match scheme
            .filter(is_scheme)
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("https" | "http" | "cid") => Ok(None),
            Some("data") => refused(
                "Mail programs do not show `data:` pictures; save it as a file in the newsletter's folder.",
            ),
            Some(_) => {
                refused("Use an `https://` address, or a path relative to the newsletter's folder.")
            }
            None => self.local(address).map(Some),
        }
    }

    fn local(&mut self, path: &str) -> Result<(String, u32)> {
        let picture = (self.press.picture)(path)?;
        if self.press.images == Images::Hosted {
            let Some(base) = &self.press.publication.base_url else {
                return Err(Error::new(
                    Kind::Settings,
                    "pictures are to be called from the web, but the newsletter has no `base_url`",
                )
                .hint("Set `base_url`, or let pictures travel with the mail."));
            };
            let path = picture.src.trim_start_matches("./").trim_start_matches('/');
            let url = format!("{}/{}", base.trim_end_matches('/'), encoded(path));
            return Ok((url, picture.width));
        }
        let hash = digest::digest(&digest::SHA256, &picture.bytes);
        let hash = BASE32_NOPAD.encode(hash.as_ref().get(..16).unwrap_or_default());
        let content_id = format!("{}@{}", hash.to_lowercase(), self.press.publication.domain);
        if !self
            .images
            .iter()
            .any(|image| image.content_id == content_id)
        {
            let name = picture.src.rsplit('/').next().unwrap_or_default();
            self.images.push(InlineImage {
                content_id: content_id.clone(),
                media_type: picture.media_type.to_owned(),
                file_name: name.to_owned(),
                bytes: picture.bytes,
            });
        }
        Ok((format!("cid:{content_id}"), picture.width))
    }
}

/// A path for a URL.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&HEXLOWER.encode(&[byte]).to_uppercase());
        }
    }
    out
}

fn short(address: &str) -> String {
    match address.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &address[..at]),
        None => address.to_owned(),
    }
}
