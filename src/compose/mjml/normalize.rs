//! Attributes as MJML means them → attributes as the engine understands them.
//!
//! Each rule here mends one difference between mrml and npm's `mjml`. Where the engine must be given
//! another length so that it counts right, [`super::mends`] writes the author's into the page again.

use super::{
    document::{Attributes, Kept},
    lengths::{self, Share, Side, Unit},
    widths,
};
use crate::compose::tokens;

/// The attributes of a component, ready for the engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Normal {
    pub(super) attributes: Attributes,
    /// What was said to the engine for the sake of its arithmetic only.
    pub(super) counted: Vec<String>,
}

/// Makes the attributes of a component ready for the engine.
pub(super) fn normalize(name: &str, attributes: &Attributes) -> Normal {
    let mut normal = attributes.kept(|attribute, value| {
        if is_unknown_to_engine(name, attribute) {
            Kept::Nothing
        } else if tokens::wait_in(value) {
            Kept::Same
        } else {
            for_engine(name, attribute, value)
        }
    });
    match name {
        "mj-accordion-title" | "mj-accordion-text" => join_sides("padding", "16px", &mut normal),
        "mj-navbar" => join_sides("ico-padding", "10px", &mut normal),
        _ => {}
    }
    let mut normal = Normal {
        attributes: normal,
        counted: Vec::new(),
    };
    for (components, what, sides) in COUNTED {
        if components.contains(&name) {
            count(name, what, sides, attributes, &mut normal);
        }
    }
    normal
}

/// What is put into the page afterwards.
fn is_unknown_to_engine(name: &str, attribute: &str) -> bool {
    matches!(
        (name, attribute),
        ("mj-button", "title")
            | ("mj-image" | "mj-social-element", "sizes")
            | ("mj-social-element", "srcset" | "icon-position")
            | ("mj-accordion-title", "font-weight")
            | ("mj-hero", "border-radius")
            | ("mj-table", "role")
            | ("mj-wrapper", "gap")
    )
}

/// What the engine is told of one attribute.
fn for_engine(name: &str, attribute: &str, value: &str) -> Kept {
    match (name, attribute) {
        // The engine takes any value for a yes, and most of them for a value.
        (_, "full-width") if value != "full-width" => Kept::Nothing,
        ("mj-column", "mobile-width") => Kept::Nothing,
        ("mj-column", "mobileWidth" | "mobilewidth") if value != "mobileWidth" => Kept::Nothing,
        (_, "mobileWidth" | "mobilewidth") => Kept::Renamed("mobile-width"),
        ("mj-image" | "mj-button" | "mj-social-element" | "mj-carousel-image", "href")
        | ("mj-section" | "mj-wrapper" | "mj-column", "border-radius" | "inner-border-radius")
        | ("mj-section" | "mj-wrapper", "background-color")
        | ("mj-text", "height")
            if value.is_empty() =>
        {
            Kept::Nothing
        }
        ("mj-image", "fluid-on-mobile") => match value {
            "" | "false" => Kept::Nothing,
            _ => Kept::Value("true".to_owned()),
        },
        // It knows borders of groups, which MJML does not.
        ("mj-group", _) if attribute.starts_with("border") || attribute.starts_with("inner-") => {
            Kept::Nothing
        }
        ("mj-button", "line-spacing") => Kept::Nothing,
        // Its own word for it.
        ("mj-hero", "mode") if value == "fluid-height" => Kept::Value("fluid".to_owned()),
        ("mj-hero", "mode") if value == "fluid" => Kept::Nothing,
        ("mj-hero", "height") => in_pixels(lengths::whole(value)).unwrap_or(Kept::Same),
        // What is to be shown where the client supports it is hidden again afterwards.
        ("mj-carousel", "thumbnails") => Kept::Value(match value {
            "visible" | "supported" => "visible".to_owned(),
            _ => "hidden".to_owned(),
        }),
        ("mj-section" | "mj-wrapper", "background-position") => Kept::Value(position(value)),
        ("mj-body", "width") => {
            in_pixels(lengths::number(value).map(f64::trunc)).unwrap_or(Kept::Same)
        }
        ("mj-image", "width") => in_pixels(lengths::whole(value)).unwrap_or(Kept::Nothing),
        ("mj-column" | "mj-group", "width") => match lengths::width(value, Share::Exact) {
            Some((share, Unit::Percent)) => Kept::Value(format!("{}%", widths::written(share))),
            Some((width, Unit::Pixel)) => Kept::Value(widths::pixels(width)),
            _ if value.is_empty() => Kept::Nothing,
            _ => Kept::Same,
        },
        _ if is_padding(attribute) => with_units(value).map_or(Kept::Same, Kept::Value),
        _ => Kept::Same,
    }
}

fn in_pixels(number: Option<f64>) -> Option<Kept> {
    number.map(|number| Kept::Value(widths::pixels(number)))
}

/// The place of a background, from left and then from the top: MJML knows one word and two.
pub(super) fn position(value: &str) -> String {
    let words: Vec<&str> = value.split(' ').collect();
    let (x, y) = match words.as_slice() {
        [y @ ("top" | "bottom")] => ("center", *y),
        [x] => (*x, "center"),
        [y @ ("top" | "bottom"), x] | [y @ "center", x @ ("left" | "right")] => (*x, *y),
        [x, y] => (*x, *y),
        _ => ("center", "top"),
    };
    format!("{x} {y}")
}

/// Which lengths of which components the engine counts with.
const COUNTED: [(&[&str], &str, &[Side]); 4] = [
    (
        &[
            "mj-section",
            "mj-wrapper",
            "mj-column",
            "mj-group",
            "mj-image",
            "mj-divider",
        ],
        "padding",
        &Side::ENDS,
    ),
    (&["mj-hero"], "padding", &Side::ALL),
    (
        &["mj-section", "mj-wrapper", "mj-column", "mj-image"],
        "border",
        &Side::ENDS,
    ),
    (&["mj-column"], "inner-border", &Side::ENDS),
];

/// Where the engine would count otherwise than MJML does, tells it what to count.
fn count(name: &str, what: &str, sides: &[Side], attributes: &Attributes, normal: &mut Normal) {
    let is_said = attributes.iter().any(|(known, _)| known.starts_with(what));
    if !is_said {
        return;
    }
    let default = widths::default_padding(name);
    for side in sides {
        let right = match what {
            "padding" => lengths::side(attributes, what, default, *side),
            _ => lengths::border(attributes, what, *side),
        };
        let counted = match what {
            "border" => counted_border(&normal.attributes, *side),
            "padding" => counted_side(&normal.attributes, what, default, *side),
            _ => counted_side(&normal.attributes, what, "", *side),
        };
        #[expect(clippy::float_cmp, reason = "both are what was written")]
        if right.is_finite() && counted != right {
            let one = format!("{what}-{}", side.name());
            normal.attributes.set(&one, widths::pixels(right));
            normal.counted.push(one);
        }
    }
}

/// What the engine counts for a side of `name`.
fn counted_side(attributes: &Attributes, name: &str, default: &str, side: Side) -> f64 {
    let own = lengths::sided(attributes, name, side);
    if let Some(own) = own.and_then(counted_length) {
        return own;
    }
    // It reads all of them or none.
    let all = attributes.get(name).unwrap_or(default);
    let mut lengths = [0.0; 4];
    let mut count = 0;
    for (place, length) in lengths.iter_mut().zip(all.split(' ')) {
        let Some(length) = counted_length(length) else {
            return 0.0;
        };
        *place = length;
        count += 1;
    }
    lengths::of_side(lengths.into_iter().take(count), side).unwrap_or(0.0)
}

/// What the engine counts for a side of a border.
fn counted_border(attributes: &Attributes, side: Side) -> f64 {
    let first = |border: &str| counted_length(border.split_whitespace().next()?);
    let own = lengths::sided(attributes, "border", side).and_then(first);
    let all = || attributes.get("border").and_then(first);
    own.or_else(all).unwrap_or(0.0)
}

fn counted_length(length: &str) -> Option<f64> {
    length.strip_suffix("px")?.parse().ok()
}

fn is_padding(name: &str) -> bool {
    let side = Side::ALL
        .iter()
        .find_map(|side| name.strip_suffix(side.name())?.strip_suffix('-'));
    let name = side.unwrap_or(name);
    name == "padding" || name.ends_with("-padding")
}

/// The engine does not count a `0` without a unit; `None` where there is none.
fn with_units(value: &str) -> Option<String> {
    if value != "0" && !value.contains(char::is_whitespace) {
        return None;
    }
    let lengths = value.split_whitespace();
    let lengths = lengths.map(|length| if length == "0" { "0px" } else { length });
    Some(lengths.collect::<Vec<_>>().join(" "))
}

/// The engine writes `padding-top` before `padding`, which then wins; so one value says it all.
fn join_sides(name: &str, default: &str, attributes: &mut Attributes) {
    let own = SIDES.map(|side| attributes.get(&format!("{name}-{side}")).map(str::to_owned));
    if own.iter().all(Option::is_none) {
        return;
    }
    let whole = attributes.get(name).unwrap_or(default);
    let lengths: Vec<&str> = whole.split_whitespace().collect();
    let [top, right, bottom, left] = match lengths[..] {
        [all] => [all; 4],
        [ends, sides] => [ends, sides, ends, sides],
        [top, sides, bottom] => [top, sides, bottom, sides],
        [top, right, bottom, left] => [top, right, bottom, left],
        _ => return,
    };
    let all = [top, right, bottom, left].into_iter().zip(own);
    let all = all.map(|(whole, own)| own.unwrap_or_else(|| whole.to_owned()));
    let value = all.collect::<Vec<_>>().join(" ");
    for side in SIDES {
        attributes.remove(&format!("{name}-{side}"));
    }
    attributes.set(name, value);
}

const SIDES: [&str; 4] = ["top", "right", "bottom", "left"];

#[cfg(test)]
mod tests {
    use super::*;

    fn normal<const N: usize>(name: &str, pairs: &[(&str, &str); N]) -> String {
        let normal = normalize(name, &Attributes::from(*pairs)).attributes;
        let normal = normal.iter().map(|(name, value)| format!("{name}={value}"));
        normal.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn zeros_get_a_unit_in_paddings_only() {
        assert_eq!(
            normal(
                "mj-text",
                &[
                    ("padding", "20px 0  0 10%"),
                    ("inner-padding-left", "0"),
                    ("letter-spacing", "0"),
                    ("padding-top", "\u{F0000}")
                ]
            ),
            "padding=20px 0px 0px 10% inner-padding-left=0px letter-spacing=0 padding-top=\u{F0000}"
        );
    }

    #[test]
    fn sides_are_joined_where_the_engine_mixes_them_up() {
        assert_eq!(
            normal(
                "mj-accordion-text",
                &[
                    ("padding-top", "0"),
                    ("color", "red"),
                    ("padding", "1px 2px 3px")
                ]
            ),
            "color=red padding=0px 2px 3px 2px"
        );
        assert_eq!(
            normal(
                "mj-navbar",
                &[("ico-padding-left", "1px"), ("ico-padding-x", "2")]
            ),
            "ico-padding-x=2 ico-padding=10px 10px 10px 1px"
        );
        assert_eq!(
            normal("mj-text", &[("padding-top", "1px")]),
            "padding-top=1px"
        );
        assert_eq!(
            normal("mj-accordion-title", &[("padding", "1px")]),
            "padding=1px"
        );
    }

    #[test]
    fn words_of_npm_become_words_of_the_engine() {
        assert_eq!(normal("mj-section", &[("full-width", "false")]), "");
        assert_eq!(
            normal("mj-section", &[("full-width", "full-width")]),
            "full-width=full-width"
        );
        assert_eq!(normal("mj-hero", &[("mode", "fluid-height")]), "mode=fluid");
    }
}
