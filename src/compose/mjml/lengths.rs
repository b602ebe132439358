//! Lengths as MJML reads them, which is how JavaScript does: as far as a number goes, and no farther.
//!
//! MJML counts in whole pixels, takes `5%` of a padding for five of them, and has no opinion on units
//! that it does not know. The engine reads pixels or nothing.

use super::document::Attributes;
use crate::compose::tokens;

/// A side of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Top,
    Right,
    Bottom,
    Left,
}

impl Side {
    pub(super) const ALL: [Self; 4] = [Self::Top, Self::Right, Self::Bottom, Self::Left];
    /// Those that take from a width.
    pub(super) const ENDS: [Self; 2] = [Self::Left, Self::Right];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Right => "right",
            Self::Bottom => "bottom",
            Self::Left => "left",
        }
    }
}

/// What a width is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Also where no unit is said.
    Pixel,
    Percent,
    Other,
}

/// Whether a share keeps its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    Whole,
    Exact,
}

/// The whole number at the start of `text`: JavaScript's `parseInt`.
pub(super) fn whole(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let number: f64 = unsigned[..digits].parse().ok()?;
    Some(if text.starts_with('-') {
        -number
    } else {
        number
    })
}

/// The number at the start of `text`: JavaScript's `parseFloat`.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let fraction = unsigned[whole..].strip_prefix('.');
    let fraction = fraction.map_or(0, |fraction| 1 + digits(fraction));
    text[..text.len() - unsigned.len() + whole + fraction]
        .parse()
        .ok()
}

/// A width and its unit; `None` where there is no number.
pub(super) fn width(text: &str, share: Share) -> Option<(f64, Unit)> {
    let unit = match text.rfind(|c: char| c.is_ascii_digit()) {
        Some(last) => text[last + 1..].trim_start_matches(['.', ',']),
        None => text,
    };
    let unit = match unit {
        "" | "px" => Unit::Pixel,
        "%" => Unit::Percent,
        _ => Unit::Other,
    };
    let parsed = match (unit, share) {
        (Unit::Percent, Share::Exact) => number(text),
        _ => whole(text),
    };
    Some((parsed?, unit))
}

/// What one side of `name` takes, such as of `padding`, where `default` says what the whole is when
/// nobody has said so.
pub(super) fn side(attributes: &Attributes, name: &str, default: &str, side: Side) -> f64 {
    if let Some(own) = sided(attributes, name, side).filter(|own| !own.is_empty()) {
        return count(own);
    }
    let all = attributes.get(name).unwrap_or(default);
    if all.is_empty() {
        return 0.0;
    }
    of_side(all.split_whitespace(), side).map_or(f64::NAN, count)
}

/// What waits for the reader takes nothing.
fn count(length: &str) -> f64 {
    match tokens::wait_in(length) {
        true => 0.0,
        false => whole(length).unwrap_or(f64::NAN),
    }
}

/// How wide one side of a border is: the first number that stands alone.
pub(super) fn border(attributes: &Attributes, name: &str, side: Side) -> f64 {
    let own = sided(attributes, name, side).filter(|own| !own.is_empty());
    let all = || attributes.get(name).filter(|all| !all.is_empty());
    let Some(border) = own.or_else(all) else {
        return 0.0;
    };
    let mut words = border.split(' ');
    let number = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    number.and_then(whole).unwrap_or(0.0)
}

/// What both ends take together.
pub(super) fn ends(count: impl Fn(Side) -> f64) -> f64 {
    Side::ENDS.into_iter().map(count).sum()
}

/// The attribute for one side of `name`, such as `padding-left`.
pub(super) fn sided<'a>(attributes: &'a Attributes, name: &str, side: Side) -> Option<&'a str> {
    let is_it = |known: &str| {
        let rest = known.strip_prefix(name);
        rest.and_then(|rest| rest.strip_prefix('-')) == Some(side.name())
    };
    let mut all = attributes.iter();
    all.find(|(known, _)| is_it(known)).map(|(_, value)| value)
}

/// Which of one to four lengths is that of a side.
pub(super) fn of_side<T: Copy>(lengths: impl Iterator<Item = T>, side: Side) -> Option<T> {
    let mut known = [None; 4];
    for (place, length) in known.iter_mut().zip(lengths) {
        *place = Some(length);
    }
    let [top, right, bottom, left] = known;
    match side {
        Side::Top => top,
        Side::Right => right.or(top),
        Side::Bottom => bottom.or(top),
        Side::Left => left.or(right).or(top),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_they_stop_to_be_numbers() {
        for (text, expected) in [
            ("12px", Some(12.0)),
            (" 5.9%", Some(5.0)),
            ("-3", Some(-3.0)),
            ("auto", None),
            (".5px", None),
            ("", None),
        ] {
            assert_eq!(whole(text), expected, "{text}");
        }
        for (text, expected) in [
            ("33.33%", Some(33.33)),
            (".5em", Some(0.5)),
            ("1.2.3", Some(1.2)),
            ("-4-", Some(-4.0)),
            ("x", None),
            ("5.%", Some(5.0)),
            ("-.5é", Some(-0.5)),
            ("+é", None),
            (".", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn time_to_read_a_number_grows_with_its_length_alone() {
        let odd = format!("{}{}", "1".repeat(300), "-".repeat(1_000_000)).repeat(4);
        let start = std::time::Instant::now();
        assert!(number(&odd).is_some());
        // A debug build takes some milliseconds; what is quadratic takes minutes.
        assert!(start.elapsed().as_secs() < 10);
    }

    #[test]
    fn widths_have_units() {
        for (text, exact, floor) in [
            (
                "33.5%",
                Some((33.5, Unit::Percent)),
                Some((33.0, Unit::Percent)),
            ),
            (
                "150.5px",
                Some((150.0, Unit::Pixel)),
                Some((150.0, Unit::Pixel)),
            ),
            ("20", Some((20.0, Unit::Pixel)), Some((20.0, Unit::Pixel))),
            ("2em", Some((2.0, Unit::Other)), Some((2.0, Unit::Other))),
            ("auto", None, None),
        ] {
            assert_eq!(width(text, Share::Exact), exact, "{text}");
            assert_eq!(width(text, Share::Whole), floor, "{text}");
        }
    }

    #[test]
    fn sides_are_found_in_shorthands() {
        for (padding, expected) in [
            ("1px", [1.0; 4]),
            ("1px 5%", [1.0, 5.0, 1.0, 5.0]),
            ("1px  2px 3px", [1.0, 2.0, 3.0, 2.0]),
            ("1 2 3 4", [1.0, 2.0, 3.0, 4.0]),
        ] {
            let attributes = Attributes::from([("padding", padding)]);
            let sides = Side::ALL.map(|one| side(&attributes, "padding", "9px", one));
            assert_eq!(sides, expected, "{padding}");
        }
        let attributes = Attributes::from([("padding-left", "7.5%")]);
        let sides = Side::ALL.map(|one| side(&attributes, "padding", "9px", one));
        assert_eq!(sides, [9.0, 9.0, 9.0, 7.0]);
    }

    #[test]
    fn borders_are_as_wide_as_their_first_number() {
        for (whole, left, expected) in [
            ("2px solid", "", 2.0),
            ("solid 3px red", "", 3.0),
            ("9px solid", "none", 0.0),
            ("thin solid", "", 0.0),
            ("", "1px", 1.0),
        ] {
            let attributes = Attributes::from([("border", whole), ("border-left", left)]);
            assert_eq!(
                border(&attributes, "border", Side::Left),
                expected,
                "{whole} {left}"
            );
        }
    }
}
