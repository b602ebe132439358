//! `mj-group`: its class names whole percents, while its width keeps the fraction.

use super::{Component, Spot};
use crate::compose::mjml::{
    document::Attributes,
    lengths::Unit,
    markup::{Markup, Piece},
    prepare::Mark,
    widths::{self, Room},
};

/// Whether the engine makes something else of it.
pub(super) fn is_other(component: &Component<'_>) -> bool {
    let mut names = component.mark.attributes.iter().map(|(name, _)| name);
    component.mark.room.is_odd
        || is_fraction(component.mark)
        || names.any(|name| name.starts_with("padding"))
}

pub(super) fn mend(markup: &mut Markup<'_>, spot: &Spot, component: &Component<'_>) {
    let mark = component.mark;
    let outlook = mark.room.outlook_width(&mark.attributes);
    let cell = spot.outlook.first().and_then(|at| markup.tag_mut(*at));
    if let Some(cell) = cell {
        cell.restyle(|style| style.set("width", widths::pixels(outlook)));
    }
    let div = spot.named("div", markup);
    let div = div.and_then(|at| markup.tag_mut(at));
    if let Some(div) = div
        && is_fraction(mark)
        && let Some(class) = div.get("class")
    {
        let name = class_and_width(mark).0;
        let classes = class
            .split(' ')
            .map(|class| match class.starts_with("mj-column-p") {
                true => name.as_str(),
                false => class,
            });
        let classes = classes.collect::<Vec<_>>().join(" ");
        div.set("class", classes);
    }
}

/// Writes the widths of all columns anew, where there are groups of a fraction of a percent.
pub(super) fn mend_rules(markup: &mut Markup<'_>, marks: &[Mark]) {
    if !marks
        .iter()
        .any(|mark| mark.name == "mj-group" && is_fraction(mark))
    {
        return;
    }
    let mut rules: Vec<(String, String)> = Vec::new();
    for mark in marks
        .iter()
        .filter(|mark| matches!(&*mark.name, "mj-column" | "mj-group"))
    {
        let (class, width) = class_and_width(mark);
        match rules.iter_mut().find(|(known, _)| *known == class) {
            Some((_, known)) => *known = width,
            None => rules.push((class, width)),
        }
    }
    let written = |before: &str| -> String {
        let rules = rules.iter();
        let rules = rules.map(|(class, width)| {
            format!("{before}.{class} {{ width:{width} !important; max-width:{width}; }} ")
        });
        rules.collect()
    };
    for at in 0..markup.tokens().len() {
        if matches!(
            markup.tokens().get(at).map(|token| &token.piece),
            Some(Piece::End("head"))
        ) {
            return;
        }
        let Some(text) = markup.text_mut(at) else {
            continue;
        };
        if text.starts_with(".moz-text-html .mj-column-") {
            *text = written(".moz-text-html ").into();
        } else if text.starts_with("@media only screen and (min-width:")
            && let Some((media, rest)) = text.split_once(" { ")
            && rest.starts_with(".mj-column-p")
        {
            *text = format!("{media} {{ {} }}", written("")).into();
        }
    }
}

/// The class of a column or a group, and how wide it makes them.
fn class_and_width(mark: &Mark) -> (String, String) {
    let (number, unit) = share(mark.room, &mark.attributes);
    let (unit, name) = match unit {
        Unit::Percent => ("%", "per"),
        _ => ("px", "px"),
    };
    let named = if mark.name == "mj-group" {
        widths::written(number.trunc())
    } else {
        counted(number)
    };
    let class = format!("mj-column-{name}-{}", named.replace('.', "-"));
    (class, format!("{}{unit}", counted(number)))
}

/// As the engine writes a number; it counts with half the digits.
#[expect(clippy::cast_possible_truncation, reason = "which is the point")]
fn counted(number: f64) -> String {
    (number as f32).to_string()
}

fn is_fraction(mark: &Mark) -> bool {
    share(mark.room, &mark.attributes).0.fract() != 0.0
}

#[expect(clippy::cast_precision_loss, reason = "there are few siblings")]
fn share(room: Room, attributes: &Attributes) -> (f64, Unit) {
    let share = 100.0 / room.siblings.max(1) as f64;
    widths::own_width(attributes).unwrap_or((share, Unit::Percent))
}
