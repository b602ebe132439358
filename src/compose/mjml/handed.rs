//! What components hand down to those within them.
//!
//! It wins over `mj-all`, and gives way to everything that is said of the inner component itself. The
//! engine lets it win over too much; so the inner components say all of it themselves.

use super::document::Attributes;

/// What the components around one have to say about it.
#[derive(Default)]
pub(super) struct Around {
    /// What the nearest of them that is of a class is of.
    pub(super) class: String,
    pub(super) handed: Attributes,
    /// The fonts of the element of an accordion, and of the accordion.
    fonts: [Option<String>; 2],
}

impl Around {
    /// Sets the font of the title or the text of an accordion. Only what is written on the tag itself,
    /// which is `own`, wins over the font of the element, and of the accordion around it;
    /// `mj-attributes` and classes do not.
    pub(super) fn complete(&self, name: &str, own: &Attributes, attributes: &mut Attributes) {
        if !matches!(name, "mj-accordion-title" | "mj-accordion-text") {
            return;
        }
        let mut fonts = self.fonts.iter().flatten().filter(|font| !font.is_empty());
        let around = fonts.next().map_or(FONT, String::as_str);
        attributes.set("font-family", own.get("font-family").unwrap_or(around));
    }

    /// What is around that which stands in the component `name`.
    pub(super) fn within(
        &self,
        name: &str,
        class: Option<String>,
        attributes: &Attributes,
    ) -> Self {
        let font = || attributes.get("font-family").map(str::to_owned);
        let [_, accordion] = &self.fonts;
        Self {
            class: class.unwrap_or_else(|| self.class.clone()),
            handed: down(name, attributes),
            fonts: match name {
                "mj-accordion-element" => [font(), accordion.clone()],
                "mj-accordion" => [None, font()],
                _ => [None, None],
            },
        }
    }
}

/// What `parent` hands to the components within it.
fn down(parent: &str, attributes: &Attributes) -> Attributes {
    let table: &[Handed] = match parent {
        "mj-social" => &SOCIAL,
        "mj-accordion" => &ACCORDION,
        "mj-accordion-element" => &ACCORDION_ELEMENT,
        "mj-carousel" => &CAROUSEL,
        _ => &[],
    };
    let mut handed = Attributes::default();
    for (name, inner, default) in table {
        let value = attributes.get(name).unwrap_or(default);
        if !value.is_empty() {
            handed.set(inner, value);
        }
    }
    handed
}

const FONT: &str = "Ubuntu, Helvetica, Arial, sans-serif";

/// The name outside, the name inside, and what it is when nobody says so.
type Handed = (&'static str, &'static str, &'static str);

const SOCIAL: [Handed; 13] = [
    ("inner-padding", "padding", ""),
    ("border-radius", "border-radius", "3px"),
    ("color", "color", "#333333"),
    ("font-family", "font-family", FONT),
    ("font-size", "font-size", "13px"),
    ("font-weight", "font-weight", ""),
    ("font-style", "font-style", ""),
    ("icon-size", "icon-size", "20px"),
    ("icon-height", "icon-height", ""),
    ("icon-padding", "icon-padding", ""),
    ("text-padding", "text-padding", ""),
    ("line-height", "line-height", "22px"),
    ("text-decoration", "text-decoration", "none"),
];

const ACCORDION: [Handed; 9] = [
    ("border", "border", "2px solid black"),
    ("icon-align", "icon-align", "middle"),
    ("icon-width", "icon-width", "32px"),
    ("icon-height", "icon-height", "32px"),
    ("icon-position", "icon-position", "right"),
    (
        "icon-wrapped-url",
        "icon-wrapped-url",
        "https://i.imgur.com/bIXv1bk.png",
    ),
    ("icon-wrapped-alt", "icon-wrapped-alt", "+"),
    (
        "icon-unwrapped-url",
        "icon-unwrapped-url",
        "https://i.imgur.com/w4uTygT.png",
    ),
    ("icon-unwrapped-alt", "icon-unwrapped-alt", "-"),
];

const ACCORDION_ELEMENT: [Handed; 9] = [
    ("border", "border", ""),
    ("icon-align", "icon-align", ""),
    ("icon-width", "icon-width", ""),
    ("icon-height", "icon-height", ""),
    ("icon-position", "icon-position", ""),
    ("icon-wrapped-url", "icon-wrapped-url", ""),
    ("icon-wrapped-alt", "icon-wrapped-alt", ""),
    ("icon-unwrapped-url", "icon-unwrapped-url", ""),
    ("icon-unwrapped-alt", "icon-unwrapped-alt", ""),
];

const CAROUSEL: [Handed; 3] = [
    ("border-radius", "border-radius", "6px"),
    ("tb-border", "tb-border", "2px solid transparent"),
    ("tb-border-radius", "tb-border-radius", "6px"),
];
