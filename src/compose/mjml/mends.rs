//! What the engine lays out otherwise than MJML does, mended in what it wrote.
//!
//! A component that needs it is marked (see [`super::prepare`]), so that its tags are found again.
//! Each mend knows the component's own attributes and the few tokens that it became.

mod accordions;
mod buttons;
mod carousels;
mod columns;
mod counted;
mod dividers;
mod groups;
mod heroes;
mod images;
pub(super) mod lifted;
mod pictures;
mod sections;
mod social;
mod tables;

use super::{
    markup::{Audience, Markup, Piece},
    prepare::Mark,
};

/// Where a component came out.
#[derive(Clone, Debug, Default)]
pub(super) struct Spot {
    /// The start tags that bear its class.
    pub(super) everyone: Vec<usize>,
    /// The same, where only Outlook sees them.
    pub(super) outlook: Vec<usize>,
}

impl Spot {
    /// The first tag called `name` that everyone sees.
    fn named(&self, name: &str, markup: &Markup<'_>) -> Option<usize> {
        let mut all = self.everyone.iter().copied();
        all.find(|at| markup.tag(*at).is_some_and(|tag| tag.name == name))
    }
}

/// A component that was marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component<'a> {
    pub(super) mark: &'a Mark,
    number: usize,
    marks: &'a [Mark],
}

impl<'a> Component<'a> {
    /// An attribute, as its author set it, here or in the head; fit for the page.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.mark.attributes.get(name)
    }

    /// The component around it.
    pub(super) fn parent(&self) -> Option<Self> {
        let number = self.mark.parent?;
        let mark = self.marks.get(number)?;
        Some(Self {
            mark,
            number,
            ..*self
        })
    }

    /// The component right before it, if it is a `name` in the same parent and holds none itself.
    fn follows(&self, name: &str) -> bool {
        let before = self.number.checked_sub(1).and_then(|at| self.marks.get(at));
        before.is_some_and(|mark| mark.name == name && mark.parent == self.mark.parent)
    }

    /// The component around it, if it is a `name`.
    pub(super) fn parent_called(&self, name: &str) -> Option<Self> {
        self.parent().filter(|parent| parent.mark.name == name)
    }
}

/// Whether the engine may have counted its room otherwise.
fn has_odd_room(component: &Component<'_>) -> bool {
    component.mark.room.is_odd
}

/// What is mended, and when.
struct Rule {
    components: &'static [&'static str],
    /// Where one of these is set,
    attributes: &'static [&'static str],
    /// or where this is so.
    case: fn(&Component<'_>) -> bool,
    mend: fn(&mut Markup<'_>, &Spot, &Component<'_>),
}

const RULES: &[Rule] = &[
    Rule {
        components: &[
            "mj-section",
            "mj-wrapper",
            "mj-column",
            "mj-image",
            "mj-divider",
            "mj-hero",
        ],
        attributes: &[],
        case: |component| !component.mark.counted.is_empty(),
        mend: counted::mend,
    },
    Rule {
        components: &[
            "mj-social-element",
            "mj-navbar-link",
            "mj-accordion-element",
            "mj-accordion-title",
            "mj-accordion-text",
        ],
        attributes: &[],
        case: lifted::is_beside,
        mend: lifted::mend,
    },
    Rule {
        components: &["mj-section", "mj-wrapper"],
        attributes: &[],
        case: sections::is_other,
        mend: sections::mend,
    },
    Rule {
        components: &["mj-hero"],
        attributes: &["border-radius", "align"],
        case: heroes::is_other,
        mend: heroes::mend,
    },
    Rule {
        components: &["mj-column"],
        attributes: &["border-radius", "inner-border-radius"],
        case: columns::is_other,
        mend: columns::mend,
    },
    Rule {
        components: &["mj-group"],
        attributes: &[],
        case: groups::is_other,
        mend: groups::mend,
    },
    Rule {
        components: &["mj-image"],
        attributes: &[
            "border-left",
            "border-right",
            "border-top",
            "border-bottom",
            "sizes",
            "title",
            "height",
        ],
        case: has_odd_room,
        mend: images::mend,
    },
    Rule {
        components: &["mj-button"],
        attributes: &["title", "width"],
        case: |component| {
            component.get("background-color") == Some("none") || component.get("href") == Some("")
        },
        mend: buttons::mend,
    },
    Rule {
        components: &["mj-divider"],
        attributes: &["width"],
        case: has_odd_room,
        mend: dividers::mend,
    },
    Rule {
        components: &["mj-table"],
        attributes: &["role", "width", "border", "cellspacing"],
        case: |_| false,
        mend: tables::mend,
    },
    Rule {
        components: &["mj-social-element"],
        attributes: &[
            "icon-position",
            "srcset",
            "sizes",
            "icon-size",
            "icon-height",
        ],
        case: |_| false,
        mend: social::mend,
    },
    Rule {
        components: &["mj-accordion-title"],
        attributes: &["font-weight"],
        case: |_| false,
        mend: accordions::mend_title,
    },
    Rule {
        components: &["mj-accordion-title"],
        attributes: &[],
        case: accordions::is_last,
        mend: accordions::mend_order,
    },
    Rule {
        components: &["mj-carousel-image"],
        attributes: &[],
        case: |_| true,
        mend: carousels::mend_image,
    },
];

impl Rule {
    fn holds(&self, component: &Component<'_>) -> bool {
        self.components.contains(&component.mark.name.as_str())
            && (self
                .attributes
                .iter()
                .any(|name| component.get(name).is_some())
                || (self.case)(component))
    }
}

/// Whether a component, one of `marks`, must be found again after the engine.
pub(super) fn wants(marks: &[Mark], number: usize) -> bool {
    marks.get(number).is_some_and(|mark| {
        let component = Component {
            mark,
            number,
            marks,
        };
        RULES.iter().any(|rule| rule.holds(&component))
    })
}

/// Puts the authors' classes back, and mends what there is to mend.
pub(super) fn mend(markup: &mut Markup<'_>, marks: &[Mark]) {
    let mut spots = vec![Spot::default(); marks.len()];
    for at in 0..markup.tokens().len() {
        let audience = markup.tokens().get(at).map(|token| token.audience);
        if let Some(number) = restore_class(markup, at, marks)
            && let Some(spot) = spots.get_mut(number)
        {
            match audience {
                Some(Audience::Outlook) => spot.outlook.push(at),
                _ => spot.everyone.push(at),
            }
        }
    }
    for (number, (mark, spot)) in marks.iter().zip(&spots).enumerate() {
        if spot.everyone.is_empty() && spot.outlook.is_empty() {
            continue;
        }
        let component = Component {
            mark,
            number,
            marks,
        };
        for rule in RULES.iter().filter(|rule| rule.holds(&component)) {
            (rule.mend)(markup, spot, &component);
        }
    }
    groups::mend_rules(markup, marks);
    for at in 0..markup.tokens().len() {
        pictures::mend(markup, at);
    }
    let texts = markup.tokens().iter().enumerate();
    let carousels: Vec<usize> = texts
        .filter(|(_, token)| matches!(&token.piece, Piece::Text(text) if text.contains(HIDING)))
        .map(|(at, _)| at)
        .collect();
    for at in carousels {
        if let Some(text) = markup.text_mut(at) {
            *text = text.replace(HIDING, "@media screen yahoo {").into();
        }
    }
}

/// The engine's comma hides the arrows of a carousel on every screen.
const HIDING: &str = "@media screen, yahoo {";

/// Puts the class of its author where the tag at `at` bears a mark; the mark's number.
fn restore_class(markup: &mut Markup<'_>, at: usize, marks: &[Mark]) -> Option<usize> {
    let tag = markup.tag_mut(at)?;
    if !tag.source().contains("lp") {
        return None;
    }
    let class = tag.get("class")?;
    let mut number = None;
    let mut classes: Vec<String> = Vec::new();
    for class in class.split(' ') {
        let Some((found, suffix)) = marked(class) else {
            classes.push(class.to_owned());
            continue;
        };
        number = Some(found);
        let own = marks
            .get(found)
            .and_then(|mark| mark.attributes.get("css-class"));
        let own = own.unwrap_or_default().split_whitespace();
        classes.extend(own.map(|class| format!("{class}{suffix}")));
    }
    number?;
    if classes.is_empty() {
        tag.remove("class");
    } else {
        tag.set("class", classes.join(" "));
    }
    number
}

/// Takes `lp12-outlook` apart.
fn marked(class: &str) -> Option<(usize, &str)> {
    let digits = class.strip_prefix("lp")?;
    let end = digits.find('-').unwrap_or(digits.len());
    Some((digits[..end].parse().ok()?, &digits[end..]))
}

#[cfg(test)]
mod tests;
