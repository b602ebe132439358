//! Components as the engine has them: its own tree, built without a text that it would have to read.

use mrml::{
    mj_accordion::{MjAccordion, MjAccordionChild},
    mj_accordion_element::{MjAccordionElement, MjAccordionElementChildren},
    mj_accordion_text::MjAccordionText,
    mj_accordion_title::MjAccordionTitle,
    mj_body::{MjBody, MjBodyChild},
    mj_breakpoint::{MjBreakpoint, MjBreakpointAttributes},
    mj_button::MjButton,
    mj_carousel::{MjCarousel, MjCarouselChild},
    mj_carousel_image::MjCarouselImage,
    mj_column::MjColumn,
    mj_divider::MjDivider,
    mj_group::MjGroup,
    mj_head::MjHeadChild,
    mj_hero::MjHero,
    mj_image::MjImage,
    mj_navbar::{MjNavbar, MjNavbarChild},
    mj_navbar_link::MjNavbarLink,
    mj_raw::{MjRaw, MjRawChild},
    mj_section::MjSection,
    mj_social::{MjSocial, MjSocialChild},
    mj_social_element::MjSocialElement,
    mj_spacer::MjSpacer,
    mj_table::MjTable,
    mj_text::MjText,
    mj_wrapper::MjWrapper,
    prelude::AttributeMap,
    text::Text,
};

/// A component, by where it may stand.
pub(super) enum Node {
    Whole(MjBody),
    Body(MjBodyChild),
    AccordionElement(MjAccordionElement),
    AccordionTitle(MjAccordionTitle),
    AccordionText(MjAccordionText),
    CarouselImage(MjCarouselImage),
    NavbarLink(MjNavbarLink),
    SocialElement(MjSocialElement),
}

/// A component with the `text` or the components that it holds; `None` when the engine has none of this
/// name, or when it cannot hold them.
pub(super) fn node(
    name: &str,
    attributes: AttributeMap,
    text: Option<String>,
    nodes: Vec<Node>,
) -> Option<Node> {
    let text = text.map(Text::from).into_iter();
    let raw = || text.clone().map(MjRawChild::Text).collect();
    let body = || text.clone().map(MjBodyChild::Text).collect();
    Some(Node::Body(match name {
        "mj-body" => return Some(Node::Whole(MjBody::new(attributes, within(nodes)?))),
        "mj-wrapper" => MjBodyChild::MjWrapper(MjWrapper::new(attributes, within(nodes)?)),
        "mj-section" => MjBodyChild::MjSection(MjSection::new(attributes, within(nodes)?)),
        "mj-group" => MjBodyChild::MjGroup(MjGroup::new(attributes, within(nodes)?)),
        "mj-column" => MjBodyChild::MjColumn(MjColumn::new(attributes, within(nodes)?)),
        "mj-hero" => MjBodyChild::MjHero(MjHero::new(attributes, within(nodes)?)),
        "mj-text" => MjBodyChild::MjText(MjText::new(attributes, raw())),
        "mj-button" => MjBodyChild::MjButton(MjButton::new(attributes, body())),
        "mj-table" => MjBodyChild::MjTable(MjTable::new(attributes, body())),
        "mj-image" => MjBodyChild::MjImage(MjImage::new(attributes, ())),
        "mj-divider" => MjBodyChild::MjDivider(MjDivider::new(attributes, ())),
        "mj-spacer" => MjBodyChild::MjSpacer(MjSpacer::new(attributes, ())),
        "mj-accordion" => {
            let elements = all(nodes, |node| match node {
                Node::AccordionElement(one) => Some(MjAccordionChild::MjAccordionElement(one)),
                _ => None,
            });
            MjBodyChild::MjAccordion(MjAccordion::new(attributes, elements?))
        }
        "mj-carousel" => {
            let images = all(nodes, |node| match node {
                Node::CarouselImage(image) => Some(MjCarouselChild::MjCarouselImage(image)),
                _ => None,
            });
            MjBodyChild::MjCarousel(MjCarousel::new(attributes, images?))
        }
        "mj-navbar" => {
            let links = all(nodes, |node| match node {
                Node::NavbarLink(link) => Some(MjNavbarChild::MjNavbarLink(link)),
                _ => None,
            });
            MjBodyChild::MjNavbar(MjNavbar::new(attributes, links?))
        }
        "mj-social" => {
            let elements = all(nodes, |node| match node {
                Node::SocialElement(element) => Some(MjSocialChild::MjSocialElement(element)),
                _ => None,
            });
            MjBodyChild::MjSocial(MjSocial::new(attributes, elements?))
        }
        "mj-accordion-element" => {
            let parts = MjAccordionElement::new(attributes, parts(nodes)?);
            return Some(Node::AccordionElement(parts));
        }
        "mj-accordion-title" => {
            let title = MjAccordionTitle::new(attributes, text.collect());
            return Some(Node::AccordionTitle(title));
        }
        "mj-accordion-text" => {
            return Some(Node::AccordionText(MjAccordionText::new(attributes, raw())));
        }
        "mj-carousel-image" => {
            return Some(Node::CarouselImage(MjCarouselImage::new(attributes, ())));
        }
        "mj-navbar-link" => return Some(Node::NavbarLink(MjNavbarLink::new(attributes, raw()))),
        "mj-social-element" => {
            return Some(Node::SocialElement(MjSocialElement::new(attributes, raw())));
        }
        _ => return None,
    }))
}

/// A piece between components.
pub(super) fn raw(text: Option<String>) -> Node {
    Node::Body(MjBodyChild::MjRaw(piece(text)))
}

/// The point below which columns stand above each other.
pub(super) fn breakpoint(width: String) -> MjHeadChild {
    MjHeadChild::MjBreakpoint(MjBreakpoint::new(MjBreakpointAttributes { width }, ()))
}

/// HTML for the head.
pub(super) fn raw_of_head(text: String) -> MjHeadChild {
    MjHeadChild::MjRaw(piece(Some(text)))
}

fn piece(text: Option<String>) -> MjRaw {
    let text = text.map(Text::from).map(MjRawChild::Text);
    MjRaw::new((), text.into_iter().collect())
}

fn within(nodes: Vec<Node>) -> Option<Vec<MjBodyChild>> {
    all(nodes, |node| match node {
        Node::Body(child) => Some(child),
        _ => None,
    })
}

fn all<T>(nodes: Vec<Node>, is: impl Fn(Node) -> Option<T>) -> Option<Vec<T>> {
    nodes.into_iter().map(is).collect()
}

/// The parts of the element of an accordion; of two, the last counts.
fn parts(nodes: Vec<Node>) -> Option<MjAccordionElementChildren> {
    let mut parts = MjAccordionElementChildren::default();
    for node in nodes {
        match node {
            Node::AccordionTitle(title) => parts.title = Some(title),
            Node::AccordionText(text) => parts.text = Some(text),
            _ => return None,
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(name: &str, nodes: Vec<Node>) -> Option<Node> {
        node(name, AttributeMap::new(), None, nodes)
    }

    #[test]
    fn a_component_holds_nothing_but_what_is_for_it() {
        for (name, part) in [
            ("mj-accordion", "mj-accordion-element"),
            ("mj-accordion-element", "mj-accordion-text"),
            ("mj-carousel", "mj-carousel-image"),
            ("mj-navbar", "mj-navbar-link"),
            ("mj-social", "mj-social-element"),
            ("mj-column", "mj-text"),
        ] {
            let part = || made(part, Vec::new()).into_iter().collect();
            assert!(made(name, part()).is_some(), "{name}");
            assert!(made("mj-section", part()).is_some() == (name == "mj-column"));
            if name != "mj-column" {
                assert!(made(name, vec![raw(None)]).is_none(), "{name}");
            }
        }
        assert!(made("mj-other", Vec::new()).is_none());
    }

    #[test]
    fn of_two_titles_the_last_counts() {
        let title = |text: &str| {
            let title = MjAccordionTitle::new(AttributeMap::new(), vec![text.into()]);
            Node::AccordionTitle(title)
        };
        let element = made("mj-accordion-element", vec![title("a"), title("b")]);
        let Some(Node::AccordionElement(element)) = element else {
            panic!("no element");
        };
        let shown = element.children.title.unwrap();
        assert_eq!(shown.children, [Text::from("b")]);
    }
}
