//! How much a document may make of itself: a short one can lay out to a very long one, as a default
//! value is written at each element that it is for, and each picture of a carousel is styled for each
//! of the others.

use std::collections::HashMap;

use super::{
    schema::{self, Kind},
    tree::Element,
};
use crate::error::{Error, Result};

/// Documents of more elements are refused.
pub(super) const MOST_ELEMENTS: usize = 100_000;
/// Documents with more comments between their elements are refused: each becomes a piece of the page.
pub(super) const MOST_COMMENTS: usize = 200_000;
/// Carousels of more pictures are refused.
const MOST_PICTURES: usize = 200;
/// Documents are refused whose elements get more bytes of values from others.
const MOST_GIVEN: usize = 64 * 1024 * 1024;

/// Refuses a document that would become too large. What it includes must be in it.
///
/// # Errors
/// Too many elements, too many pictures in one carousel, too long values for too many elements.
pub(super) fn check(top: &Element) -> Result<()> {
    let mut sum = Sum::default();
    let heads = top.elements().flat_map(Element::elements);
    let groups = heads.flat_map(Element::elements);
    for group in groups.filter(|group| group.name == "mj-attributes") {
        sum.defaults(group);
    }
    sum.all = sum.defaults.get("mj-all").copied().unwrap_or(0);
    sum.element(top, 0)
}

#[derive(Default)]
struct Sum<'a> {
    /// The bytes that an element of this name gets.
    defaults: HashMap<&'a str, usize>,
    /// The bytes that each element gets.
    all: usize,
    /// The bytes that an element of this class gets.
    classes: HashMap<&'a str, usize>,
    elements: usize,
    given: usize,
}

impl<'a> Sum<'a> {
    fn defaults(&mut self, group: &'a Element) {
        for element in group.elements() {
            let within: usize = element.elements().map(written).sum();
            let bytes = written(element) + within;
            let (map, name) = match element.attribute("name") {
                Some(name) if element.name == "mj-class" => (&mut self.classes, name),
                _ => (&mut self.defaults, element.name.as_str()),
            };
            *map.entry(name).or_default() += bytes;
        }
    }

    /// Counts an element, which gets so many bytes from the one around it, and all within it.
    fn element(&mut self, within: &Element, from_around: usize) -> Result<()> {
        self.elements += 1;
        let of = |map: &HashMap<&str, usize>, name: &str| map.get(name).copied().unwrap_or(0);
        let classes = within.attribute("mj-class").unwrap_or_default();
        let classes = classes.split(' ').filter(|_| !self.classes.is_empty());
        let classes: usize = classes.map(|name| of(&self.classes, name)).sum();
        let own = of(&self.defaults, &within.name) + self.all + classes;
        self.given = self.given.saturating_add(own + from_around);
        if self.elements > MOST_ELEMENTS {
            return Err(too_many("elements", MOST_ELEMENTS, within));
        }
        if self.given > MOST_GIVEN {
            let message = "the values of `<mj-attributes>` are too long for so many elements";
            return Err(Error::data(message).at(within.place.clone()));
        }
        if within.name == "mj-carousel" && within.elements().count() > MOST_PICTURES {
            return Err(too_many(
                "pictures in this `<mj-carousel>`",
                MOST_PICTURES,
                within,
            ));
        }
        // Social links, links and the like get what is written at the whole.
        let parts = schema::element(&within.name).is_some_and(|known| known.kind == Kind::Closed);
        let passed_on = if parts { own + written(within) } else { 0 };
        within
            .elements()
            .try_for_each(|child| self.element(child, passed_on))
    }
}

/// The bytes of the values that are written at an element.
fn written(element: &Element) -> usize {
    element
        .attributes
        .iter()
        .map(|attribute| attribute.value.len())
        .sum()
}

/// There is more than is allowed of something.
pub(super) fn too_many(what: &str, most: usize, element: &Element) -> Error {
    Error::data(format!("there are more than {most} {what}")).at(element.place.clone())
}

#[cfg(test)]
mod tests {
    use crate::{
        compose::mjml::reader::{Origin, read},
        place::Text,
    };

    #[test]
    fn comments_are_counted() {
        let comments = |count: usize| format!("<mjml>{}</mjml>", "<!---->".repeat(count));
        assert_eq!(refused(&comments(super::MOST_COMMENTS)), None);
        assert_eq!(
            refused(&comments(super::MOST_COMMENTS + 1)).as_deref(),
            Some("a.mjml:1:1400007: there are more than 200000 comments")
        );
    }

    fn refused(source: &str) -> Option<String> {
        let text = Text::new("a.mjml", source);
        let read = read(source, Origin::File(&text));
        read.err().map(|error| error.to_string())
    }

    fn with_defaults(defaults: &str, body: &str) -> String {
        format!(
            "<mjml><mj-head><mj-attributes>{defaults}</mj-attributes></mj-head><mj-body>\n{body}</mj-body></mjml>"
        )
    }

    #[test]
    fn what_becomes_too_large_is_refused() {
        let long = "x".repeat(100_000);
        let too_long = "the values of `<mj-attributes>` are too long for so many elements";
        let all = format!("<mj-all css-class='{long}' />");
        let sections = "<mj-section />".repeat(700);
        assert_eq!(
            refused(&with_defaults(&all, &sections))
                .unwrap()
                .split_once(": ")
                .unwrap()
                .1,
            too_long
        );
        assert_eq!(
            refused(&with_defaults(&all, "<mj-section /><mj-section />")),
            None
        );
        let class = format!("<mj-class name='a'><mj-section css-class='{long}' /></mj-class>");
        assert_eq!(refused(&with_defaults(&class, &sections)), None);
        let of_class = "<mj-section mj-class='b a' />".repeat(700);
        assert!(
            refused(&with_defaults(&class, &of_class))
                .unwrap()
                .ends_with(too_long)
        );
        let links = "<mj-navbar-link />".repeat(700);
        let navigation = format!("<mj-navbar base-url='{long}'>{links}</mj-navbar>");
        assert!(
            refused(&with_defaults("", &navigation))
                .unwrap()
                .ends_with(too_long)
        );
    }

    #[test]
    fn a_carousel_has_room_for_some_pictures() {
        let carousel = |count: usize| {
            let pictures = "<mj-carousel-image />".repeat(count);
            with_defaults("", &format!("<mj-carousel>{pictures}</mj-carousel>"))
        };
        assert_eq!(refused(&carousel(super::MOST_PICTURES)), None);
        assert_eq!(
            refused(&carousel(super::MOST_PICTURES + 1)).unwrap(),
            "a.mjml:2:1: there are more than 200 pictures in this `<mj-carousel>`"
        );
    }

    #[test]
    fn there_are_not_too_many_elements() {
        let source = with_defaults("", &"<mj-image/>".repeat(super::MOST_ELEMENTS));
        assert!(
            refused(&source)
                .unwrap()
                .ends_with("there are more than 100000 elements")
        );
    }
}
