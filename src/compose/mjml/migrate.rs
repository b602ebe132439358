//! MJML 3 → MJML 4, on the tree: old newsletters hold what version 4 has renamed, and npm's `mjml`
//! renders them all the same.
//!
//! A document is of version 3 when it has an `mj-container`.

use super::tree::{Attribute, Element, Node};
use crate::finding::Finding;

/// Elements that version 4 dropped without a successor.
const GONE: [&str; 4] = ["mj-html", "mj-invoice", "mj-list", "mj-location"];

/// Attributes that were written without a unit.
const LENGTHS: [&str; 24] = [
    "background-size",
    "border-radius",
    "border-width",
    "cellpadding",
    "cellspacing",
    "font-size",
    "height",
    "icon-height",
    "ico-padding",
    "ico-padding-bottom",
    "ico-font-size",
    "ico-line-height",
    "ico-padding-left",
    "ico-padding-right",
    "ico-padding-top",
    "icon-size",
    "icon-width",
    "inner-padding",
    "letter-spacing",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "width",
];

/// Brings a document of version 3 to version 4; leaves any other alone. Says so in a warning.
pub(super) fn migrate(top: &mut Element) -> Option<Finding> {
    let place = container(top)?.place.clone();
    children(top);
    let message = "this is MJML 3, read as what became of it in MJML 4";
    let finding = Finding::warning("mjml-3", message).at(place);
    Some(finding.hint("Take `<mj-container>` away, and give its attributes to `<mj-body>`."))
}

fn container(element: &Element) -> Option<&Element> {
    element
        .elements()
        .find_map(|child| match child.name.as_str() {
            "mj-container" => Some(child),
            _ => container(child),
        })
}

fn children(element: &mut Element) {
    element.children.retain(
        |node| !matches!(node, Node::Element(child) if GONE.contains(&child.name.as_str())),
    );
    for node in &mut element.children {
        if let Node::Element(child) = node {
            renew(child);
            for attribute in &mut child.attributes {
                let is_length = LENGTHS.contains(&attribute.name.as_str());
                if is_length && attribute.value.trim().parse::<f64>().is_ok() {
                    attribute.value.push_str("px");
                }
            }
            children(child);
        }
    }
}

fn renew(element: &mut Element) {
    match element.name.as_str() {
        "mj-body" => unwrap(element, "mj-container", Kept::Inner),
        "mj-hero" => unwrap(element, "mj-hero-content", Kept::Both),
        "mj-social" => social(element),
        "mj-navbar" => {
            element.name = "mj-section".to_owned();
            element
                .attributes
                .retain(|found| found.name != "full-width");
            element
                .attributes
                .push(Attribute::new("full-width", "full-width"));
        }
        "mj-inline-links" => element.name = "mj-navbar".to_owned(),
        "mj-link" => {
            element.name = "mj-navbar-link".to_owned();
            let texts = element.children.drain(..).filter_map(|node| match node {
                Node::Text(text, _) => Some(text.trim().to_owned()),
                _ => None,
            });
            element.content = texts.collect();
        }
        _ => {}
    }
}

/// Whose attributes are kept when one element takes the place of two.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Inner,
    /// The inner one's win.
    Both,
}

fn unwrap(element: &mut Element, inner: &str, kept: Kept) {
    let is_inner = |node: &Node| matches!(node, Node::Element(child) if child.name == inner);
    let Some(at) = element.children.iter().position(is_inner) else {
        return;
    };
    if let Node::Element(inner) = element.children.remove(at) {
        let outer = std::mem::replace(&mut element.attributes, inner.attributes);
        if kept == Kept::Both {
            for attribute in outer {
                if element.attribute(&attribute.name).is_none() {
                    element.attributes.push(attribute);
                }
            }
        }
        element.children.splice(at..at, inner.children);
    }
}

/// `display="facebook twitter:url"` and `facebook-href` become an element each.
fn social(element: &mut Element) {
    let display = element
        .attribute("display")
        .unwrap_or("facebook twitter google");
    let networks: Vec<String> = display.split_whitespace().map(str::to_owned).collect();
    let mut attributes = std::mem::take(&mut element.attributes);
    element.children.clear();
    for network in networks {
        let name = network.replace(":url", "-noshare").replace(":share", "");
        let plain = name.replace("-noshare", "");
        let mut child = Element::new("mj-social-element", element.place.clone());
        child.attributes.push(Attribute::new("name", name));
        attributes.retain(|attribute| {
            let Some(own) = attribute.name.strip_prefix(&plain) else {
                return true;
            };
            match own.strip_prefix('-') {
                Some("content") => child.content.clone_from(&attribute.value),
                Some(own) => child
                    .attributes
                    .push(Attribute::new(own, attribute.value.as_str())),
                None => return true,
            }
            false
        });
        element.children.push(Node::Element(child));
    }
    attributes.retain(|found| found.name != "display" && !found.name.ends_with("-content"));
    element.attributes = attributes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compose::mjml::reader, place::Text};

    fn migrated(source: &str) -> String {
        let text = Text::new("a.mjml", source);
        let mut top = reader::read(source, reader::Origin::File(&text)).unwrap();
        let finding = migrate(&mut top);
        assert_eq!(finding.is_some(), source.contains("mj-container"));
        shown(&top)
    }

    fn shown(element: &Element) -> String {
        let children = element.elements().map(|child| {
            let pairs = child.attributes.iter();
            let pairs = pairs.map(|found| format!(" {}={}", found.name, found.value));
            let attributes: String = pairs.collect();
            format!(
                "<{}{attributes}>{}{}</>",
                child.name,
                child.content,
                shown(child)
            )
        });
        children.collect()
    }

    #[test]
    fn old_documents_become_new_ones() {
        assert_eq!(
            migrated(
                "<mjml><mj-body><mj-container width='700'><mj-navbar><mj-column><mj-inline-links base-url='u'><mj-link href='/a' padding='5 10'>A</mj-link></mj-inline-links></mj-column></mj-navbar><mj-hero mode='fluid-height' height='9'><mj-hero-content width='300'><mj-text font-size='20'>x</mj-text></mj-hero-content></mj-hero><mj-list/></mj-container></mj-body></mjml>"
            ),
            "<mjml><mj-body width=700px><mj-section full-width=full-width><mj-column><mj-navbar base-url=u><mj-navbar-link href=/a padding=5 10>A</></></></><mj-hero width=300px mode=fluid-height height=9px><mj-text font-size=20px>x</></></></>"
        );
        assert_eq!(
            migrated(
                "<mjml><mj-body><mj-container><mj-social display='facebook twitter:url' facebook-href='f' facebook-content='F' twitter-icon-color='red' icon-size='30' google-content='G'/></mj-container></mj-body></mjml>"
            ),
            "<mjml><mj-body><mj-social icon-size=30px><mj-social-element name=facebook href=f>F</><mj-social-element name=twitter-noshare icon-color=red></></></></>"
        );
    }

    #[test]
    fn new_documents_stay_as_they_are() {
        let new = "<mjml><mj-body width=600><mj-navbar><mj-navbar-link>x</></></></>";
        assert_eq!(
            migrated(
                "<mjml><mj-body width='600'><mj-navbar><mj-navbar-link>x</mj-navbar-link></mj-navbar></mj-body></mjml>"
            ),
            new
        );
    }
}
