//! What the engine lays out otherwise than MJML does, mended in what it wrote.
//!
//! A component that needs it is marked (see [`super::prepare`]), so that its tags are found again.
//! Each mend knows the component's own attributes and the few tokens that it became.

mod pictures;

use super::{
    document::Attributes,
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

/// Changes what one component became.
type Mend = fn(&mut Markup<'_>, &Spot, &Component<'_>);

/// A component that was marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Component<'a> {
    pub(super) mark: &'a Mark,
    marks: &'a [Mark],
}

impl Component<'_> {
    /// An attribute, as its author set it, here or in the head.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.mark.attributes.get(name)
    }

    /// The component around it.
    pub(super) fn parent(&self) -> Option<Self> {
        let mark = self.marks.get(self.mark.parent?)?;
        Some(Self { mark, ..*self })
    }
}

/// For a component with one of these attributes, this mend.
const MENDS: &[(&str, &[&str], Mend)] = &[];

/// Whether a component must be found again after the engine.
pub(super) fn wants(name: &str, attributes: &Attributes) -> bool {
    MENDS.iter().any(|(known, _, _)| *known == name) && mends(name, attributes).next().is_some()
}

fn mends(name: &str, attributes: &Attributes) -> impl Iterator<Item = Mend> {
    let found = MENDS.iter().filter(move |(known, wanted, _)| {
        *known == name
            && (wanted.is_empty() || wanted.iter().any(|wanted| attributes.get(wanted).is_some()))
    });
    found.map(|(_, _, mend)| *mend)
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
    for (mark, spot) in marks.iter().zip(&spots) {
        for mend in mends(&mark.name, &mark.attributes) {
            mend(markup, spot, &Component { mark, marks });
        }
    }
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
        classes.extend(own.map(|class| format!("{class}{suffix}").replace('"', "&quot;")));
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
