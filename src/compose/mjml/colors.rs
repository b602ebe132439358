//! Colors as MJML writes them.

use std::borrow::Cow;

/// The attributes of which MJML knows that they are colors.
const COLORS: [&str; 5] = [
    "background-color",
    "border-color",
    "color",
    "container-background-color",
    "inner-background-color",
];

/// The value of an attribute; a color of three digits in six, which is all that old clients read.
pub(super) fn in_full<'a>(attribute: &str, value: &'a str) -> Cow<'a, str> {
    let digits = value.strip_prefix('#').unwrap_or_default();
    let is_digit = |digit: char| digit.is_ascii_alphanumeric() || digit == '_';
    if !COLORS.contains(&attribute) || digits.len() != 3 || !digits.chars().all(is_digit) {
        return Cow::Borrowed(value);
    }
    let doubled = digits.chars().flat_map(|digit| [digit, digit]);
    Cow::Owned(std::iter::once('#').chain(doubled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_become_six() {
        for (attribute, value, expected) in [
            ("color", "#aBc", "#aaBBcc"),
            ("inner-background-color", "#000", "#000000"),
            ("background", "#abc", "#abc"),
            ("tb-border-radius", "#abc", "#abc"),
            ("color", "#abcd", "#abcd"),
            ("color", "#a\u{e9}", "#a\u{e9}"),
            ("color", "abc", "abc"),
            ("color", "", ""),
        ] {
            assert_eq!(in_full(attribute, value), expected, "{attribute}={value}");
        }
    }
}
