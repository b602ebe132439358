//! The attributes of an element: their names, their values, and the classes that they name.

use std::collections::HashSet;

use super::{Checker, Use, shortened, values};
use crate::{
    compose::{
        mjml::{
            schema::{self, ElementSchema, Realm, Type},
            tree::{Attribute, Element},
        },
        tokens,
    },
    error::nearest,
};

/// What the head of a document defines for elements.
pub(super) struct Defined<'a> {
    /// The names of classes, in their order.
    names: Vec<&'a str>,
    classes: HashSet<&'a str>,
    /// Elements, each with an attribute that it need not have itself.
    attributes: HashSet<(&'a str, &'a str)>,
}

impl<'a> Defined<'a> {
    /// Collects it. What stands at the top is given.
    pub(super) fn of(top: &'a Element) -> Self {
        let mut defined = Self {
            names: Vec::new(),
            classes: HashSet::new(),
            attributes: HashSet::new(),
        };
        let named = |name: &'static str| move |element: &&Element| element.name == name;
        let heads = top.elements().flat_map(Element::elements);
        let groups = heads.filter(named("mj-head")).flat_map(Element::elements);
        let all = groups
            .filter(named("mj-attributes"))
            .flat_map(Element::elements);
        for element in all {
            if element.name == "mj-class" {
                defined.names.extend(element.attribute("name"));
            } else {
                let names = element
                    .attributes
                    .iter()
                    .map(|attribute| attribute.name.as_str());
                let pairs = names.map(|name| (element.name.as_str(), name));
                defined.attributes.extend(pairs);
            }
        }
        defined.classes = defined.names.iter().copied().collect();
        defined
    }

    fn has(&self, element: &str, attribute: &str) -> bool {
        let has = |element| self.attributes.contains(&(element, attribute));
        has(element) || has("mj-all")
    }
}

impl Checker<'_> {
    /// Checks what is written at an element that MJML knows.
    pub(super) fn attributes(&mut self, element: &Element, purpose: Use) {
        let Some(known) = schema::element(&element.name) else {
            return;
        };
        for attribute in &element.attributes {
            match attribute.name.as_str() {
                "mj-class" if purpose == Use::Itself => self.classes(element, attribute),
                name if schema::is_universal(name) => {}
                _ => self.attribute(element, known, attribute),
            }
        }
        for attribute in &element.duplicates {
            self.duplicate(element, attribute);
        }
        self.required(element, known, purpose);
    }

    fn attribute(&mut self, element: &Element, known: &ElementSchema, attribute: &Attribute) {
        let value = attribute.value.as_str();
        let others = is_for_others(known.name).then(|| schema::having(&attribute.name));
        let types = others.into_iter().flatten().map(|(_, kind)| kind);
        let mut types = known.attribute(&attribute.name).into_iter().chain(types);
        let Some(kind) = types.next() else {
            return self.unknown_attribute(element, known, attribute);
        };
        let is_of = |kind: Type| values::is_of(kind, value);
        if is_of(kind) || tokens::wait_in(value) || types.any(is_of) {
            return;
        }
        let of = format!("`{}` of `<{}>`", attribute.name, element.name);
        let message = match value {
            "" => format!("{of} is empty"),
            _ => format!("{of} is `{}`", shortened(value)),
        };
        let place = element.place_of_value(attribute);
        self.warning("mjml-bad-value", &place, message, || {
            values::advice(kind, value)
        });
    }

    fn unknown_attribute(
        &mut self,
        element: &Element,
        known: &ElementSchema,
        attribute: &Attribute,
    ) {
        let name = attribute.name.as_str();
        let message = format!(
            "`<{}>` has no attribute `{}`",
            element.name,
            shortened(name)
        );
        let place = element.place_of_name(attribute);
        self.warning("mjml-unknown-attribute", &place, message, || {
            if let Some((name, value)) = name.split_once(':')
                && known.attribute(name).is_some()
            {
                let value = value.trim_matches(['"', '\'']);
                return format!("Write `{name}=\"{}\"`.", shortened(value));
            }
            if name.starts_with(['"', '\'']) && name.ends_with(['"', '\'']) && name.len() > 1 {
                return "Write `=` between a name and its value.".to_owned();
            }
            if name.contains(['"', '\'']) {
                return "A quote is missing before it, or there is one too many.".to_owned();
            }
            if name == "class" && known.realm == Realm::Body {
                return "Did you mean `css-class`?".to_owned();
            }
            let near = if is_for_others(known.name) {
                nearest(name, schema::attribute_names())
            } else {
                let own = known.attributes().map(|(name, _)| name);
                nearest(name, own.chain(["css-class", "mj-class"]))
            };
            if let Some(near) = near {
                return format!("Did you mean `{near}`?");
            }
            // Few mistype the first letter.
            if let Some(near) = nearest(name, schema::attribute_names())
                && near != name
                && near.chars().next() == name.chars().next()
            {
                return format!("Did you mean `{near}`? Only other elements have it.");
            }
            let others: Vec<&str> = schema::having(name).map(|(name, _)| name).collect();
            match others.len() {
                0 => "It changes nothing.".to_owned(),
                1..=3 => format!(
                    "It changes nothing here, only at {}.",
                    values::listed_elements(&others)
                ),
                _ => "It changes nothing here, only at other elements.".to_owned(),
            }
        });
    }

    fn duplicate(&mut self, element: &Element, attribute: &Attribute) {
        let name = attribute.name.as_str();
        let message = format!("`{name}` of `<{}>` is given twice", element.name);
        let place = element.place_of_name(attribute);
        self.warning(
            "mjml-duplicate-attribute",
            &place,
            message,
            || match element.attribute(name) {
                Some(first) if first != attribute.value && !first.is_empty() => format!(
                    "Take one out; the first one counts, which is `{}`.",
                    shortened(first)
                ),
                _ => "Take one out; the first one counts.".to_owned(),
            },
        );
    }

    fn required(&mut self, element: &Element, known: &ElementSchema, purpose: Use) {
        // What is laid out may get its attributes from elsewhere, and gives them to others in the head.
        let from_elsewhere = known.realm == Realm::Body
            && (purpose == Use::Defaults || element.attribute("mj-class").is_some());
        for name in known.required {
            let missing = element.attribute(name).is_none();
            if missing && !from_elsewhere && !self.defined.has(known.name, name) {
                let message = format!("`<{}>` has no `{name}`", element.name);
                self.warning("mjml-missing-attribute", &element.place, message, || {
                    format!("Write `{name}=\"…\"`; it means nothing otherwise.")
                });
            }
        }
    }

    fn classes(&mut self, element: &Element, attribute: &Attribute) {
        if tokens::wait_in(&attribute.value) {
            return;
        }
        let defined = self.defined;
        for name in attribute.value.split_whitespace() {
            if defined.classes.contains(name) {
                continue;
            }
            if self.undefined.contains(name) {
                continue;
            }
            let message = format!("no `<mj-class>` is named `{}`", shortened(name));
            let place = element.place_of_value(attribute);
            // To measure all of very many would take long.
            let known = defined.names.iter().copied().take(1_000);
            let near = nearest(name, known);
            if near.is_none() {
                // What mends it for one element mends it for all.
                self.undefined.insert(name.to_owned());
            }
            self.warning("mjml-unknown-class", &place, message, || match near {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!(
                    "Define it in `<mj-attributes>`: `<mj-class name=\"{}\" />`.",
                    shortened(name)
                ),
            });
        }
    }
}

/// Whether an element has attributes for others, and so those of all.
fn is_for_others(name: &str) -> bool {
    matches!(name, "mj-all" | "mj-class")
}
