//! Pictures: each has an `alt`, and is whole pixels wide.

use crate::compose::mjml::markup::Markup;

/// Mends the tag at `at`, where it is of a picture.
pub(super) fn mend(markup: &mut Markup<'_>, at: usize) {
    let Some(tag) = markup.tag_mut(at) else {
        return;
    };
    if tag.name != "img" {
        return;
    }
    if tag.get("alt").is_none() {
        tag.set("alt", "");
    }
    let width = tag.get("width").unwrap_or_default();
    if let Some(whole) = whole(&width) {
        tag.set("width", whole);
    }
}

/// A number without its fraction, where it has one.
fn whole(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(fraction)).then(|| whole.to_owned())
}
