//! Attributes as MJML means them → attributes as the engine understands them.
//!
//! Each rule here mends one difference between mrml and npm's `mjml`.

use super::tree::{Attribute, Element};
use crate::compose::tokens;

const SIDES: [&str; 4] = ["top", "right", "bottom", "left"];

/// The attributes of an element, ready for the engine.
pub(super) fn attributes(element: &Element) -> Vec<Attribute> {
    let mut attributes = element.attributes.clone();
    // The engine takes any value for a yes.
    attributes.retain(|found| found.name != "full-width" || found.value == "full-width");
    for attribute in &mut attributes {
        if is_padding(&attribute.name) && !attribute.value.contains(tokens::is_of_sending) {
            attribute.value = with_units(&attribute.value);
        }
        // Its own word for it.
        let is_mode = element.name == "mj-hero" && attribute.name == "mode";
        if is_mode && attribute.value == "fluid-height" {
            attribute.value = "fluid".to_owned();
        }
    }
    match element.name.as_str() {
        "mj-accordion-title" | "mj-accordion-text" => {
            join_sides("padding", "16px", &mut attributes)
        }
        "mj-navbar" => join_sides("ico-padding", "10px", &mut attributes),
        _ => {}
    }
    attributes
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
fn join_sides(name: &str, default: &str, attributes: &mut Vec<Attribute>) {
    let find = |name: &str| attributes.iter().find(|found| found.name == name);
    let own = SIDES.map(|side| find(&format!("{name}-{side}")).map(|found| found.value.clone()));
    if own.iter().all(Option::is_none) {
        return;
    }
    let whole = find(name).map_or(default, |found| found.value.as_str());
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
    attributes.retain(|found| {
        found
            .name
            .strip_prefix(name)
            .is_none_or(|rest| !rest.is_empty() && !rest.starts_with('-'))
    });
    attributes.push(Attribute::new(name, value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Text;

    fn normal(name: &str, attributes: &[(&str, &str)]) -> String {
        let attributes = attributes.iter();
        let attributes = attributes.map(|(name, value)| Attribute::new(*name, *value));
        let mut element = Element::new(name, Text::new("a.mjml", "").place(0..0));
        element.attributes = attributes.collect();
        let normal = super::attributes(&element).into_iter();
        let normal = normal.map(|Attribute { name, value, .. }| format!("{name}={value}"));
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
