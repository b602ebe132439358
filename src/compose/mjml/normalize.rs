//! Attributes as MJML means them → attributes as the engine understands them.
//!
//! Each rule here mends one difference between mrml and npm's `mjml`.

use super::{colors, document::Attributes};
use crate::compose::tokens;

const SIDES: [&str; 4] = ["top", "right", "bottom", "left"];

/// The attributes of a component, ready for the engine.
pub(super) fn attributes(name: &str, attributes: &Attributes) -> Attributes {
    let mut normal = Attributes::default();
    for (attribute, value) in attributes.iter() {
        match attribute {
            // The engine takes any value for a yes.
            "full-width" if value != "full-width" => {}
            // Its own word for it.
            "mode" if name == "mj-hero" && value == "fluid-height" => normal.set("mode", "fluid"),
            _ if is_padding(attribute) && !value.contains(tokens::is_of_sending) => {
                normal.set(attribute, with_units(value));
            }
            _ => normal.set(attribute, colors::in_full(attribute, value)),
        }
    }
    match name {
        "mj-accordion-title" | "mj-accordion-text" => join_sides("padding", "16px", &mut normal),
        "mj-navbar" => join_sides("ico-padding", "10px", &mut normal),
        _ => {}
    }
    normal
}

fn is_padding(name: &str) -> bool {
    let ends = |side: &&str| name.strip_suffix(*side)?.strip_suffix('-');
    let name = SIDES.iter().find_map(ends).unwrap_or(name);
    name == "padding" || name.ends_with("-padding")
}

/// The engine does not count a `0` without a unit.
fn with_units(value: &str) -> String {
    let lengths = value.split_whitespace();
    let lengths = lengths.map(|length| if length == "0" { "0px" } else { length });
    lengths.collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn normal<const N: usize>(name: &str, pairs: &[(&str, &str); N]) -> String {
        let normal = attributes(name, &Attributes::from(*pairs));
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
            "ico-padding=10px 10px 10px 1px"
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
