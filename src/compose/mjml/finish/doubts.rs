//! What of a page depends on the reader, for those who look for elements in it before there is one.
//!
//! Selectors are matched against the page that a reader would get to whom every branch of every block
//! is shown. Where they look at something that another reader may not get, or get otherwise, the
//! author must know. Nothing is decided here, and no page is changed.

use std::{cell::Cell, collections::HashMap};

use selectors::attr::{AttrSelectorOperation, AttrSelectorOperator};

use super::page::{Changes, Page};
use crate::{
    compose::{
        staging::{Role, Run, Tags},
        tokens,
    },
    finding::Finding,
    place::Place,
};

/// What is not the same for each reader.
#[derive(Debug, Default)]
pub(super) struct Doubts<'a> {
    /// Elements of which nobody knows what stands before them, and the tag that is why.
    before: HashMap<usize, &'a Place>,
    /// Elements of which nobody knows what comes after them.
    after: HashMap<usize, &'a Place>,
    attributes: HashMap<usize, Vec<Unsure<'a>>>,
}

/// An attribute that depends on the reader.
#[derive(Debug)]
struct Unsure<'a> {
    name: String,
    /// With one of our characters for each value of the reader's.
    value: String,
    presence: Presence,
    place: &'a Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// It is there for everyone, and so is all that is fixed in its value.
    Sure,
    /// Blocks decide about parts of its value.
    InParts,
    /// A block decides whether it is there.
    Optional,
}

/// What makes the answer to a question depend on the reader.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doubt<'a> {
    /// Which elements stand beside each other.
    Siblings(&'a Place),
    /// The value of an attribute, or whether it is there.
    Attribute(&'a Place),
}

impl Doubt<'_> {
    /// What is to be said of a selector.
    pub(super) fn finding(&self, rule: &'static str, selector: &str) -> Finding {
        let message = match self {
            Self::Siblings(place) => {
                format!("`{selector}` is matched as if every reader got the block at {place}")
            }
            Self::Attribute(place) => format!(
                "`{selector}` is matched before there is a reader, and asks for a value that depends on one at {place}"
            ),
        };
        Finding::warning(rule, message)
    }
}

/// Doubts, and the first one that came up in what was asked.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) doubts: &'a Doubts<'a>,
    pub(super) first: Cell<Option<Doubt<'a>>>,
}

impl<'a> Doubts<'a> {
    /// The doubts about a page.
    pub(super) fn of(page: &Page<'_>, tags: &'a Tags) -> Self {
        let mut doubts = Self::default();
        if !tags.is_empty() {
            doubts.read_siblings(page, tags);
            doubts.read_attributes(page, tags);
        }
        doubts
    }

    /// Whether a selector, as it is written, may look at any of it.
    pub(super) fn concern(&self, selector: &str) -> bool {
        let has_siblings = !self.before.is_empty() || !self.after.is_empty();
        has_siblings && selector.contains(['+', '~', ':'])
            || self.attributes.values().flatten().any(|attribute| {
                let sign = match attribute.name.as_str() {
                    "class" => '.',
                    "id" => '#',
                    _ => '[',
                };
                selector.contains(sign) || selector.contains('[')
            })
    }

    /// Whether it is not known what attributes an element has.
    pub(super) fn is_about_attributes_of(&self, element: usize) -> bool {
        self.attributes.contains_key(&element)
    }

    /// The attributes that cannot be changed, as a block decides whether they are there.
    pub(super) fn lost(&self, changes: &Changes, rule: &'static str) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for (element, values) in changes {
            for (name, _) in values {
                if let Some(place) = self.optional(*element, name) {
                    let message = format!(
                        "`{name}` is set for this element, and a block decides whether it has one"
                    );
                    let finding = Finding::error(rule, message).at(place.clone());
                    let hint = format!("Put the block into the value: `{name}=\"{{% if … %}}…\"`.");
                    let finding = finding.hint(hint);
                    if !findings.contains(&finding) {
                        findings.push(finding);
                    }
                }
            }
        }
        findings
    }

    /// The block that decides whether an element has this attribute.
    fn optional(&self, element: usize, name: &str) -> Option<&'a Place> {
        let mut unsure = self.attributes.get(&element)?.iter();
        let is_it = |it: &&Unsure<'_>| it.name == name && it.presence == Presence::Optional;
        unsure.find(is_it).map(|it| it.place)
    }

    /// Tags between elements: a step over one leads to another element for another reader.
    fn read_siblings(&mut self, page: &Page<'_>, tags: &'a Tags) {
        let mut gaps: HashMap<_, Vec<Run<'a>>> = HashMap::new();
        let mut starts: HashMap<usize, &'a Place> = HashMap::new();
        for gap in &page.gaps {
            let text = page.text(gap);
            for (_, run) in tags.runs(text).unwrap_or_default() {
                let gap = gaps.entry((gap.parent, gap.previous)).or_default();
                // A block of nothing but text stands between no elements.
                let number = match run.tag.role {
                    Role::Open(number) => {
                        starts.insert(number, &run.tag.place);
                        None
                    }
                    Role::Middle(number) | Role::Close(number) => Some(number),
                    Role::Print | Role::Statement => continue,
                };
                let open = gap
                    .iter()
                    .position(|it| matches!(it.tag.role, Role::Open(open) if Some(open) == number));
                match (open, run.tag.role) {
                    (Some(open), Role::Close(_)) => gap.truncate(open),
                    (Some(open), _) => gap.truncate(open + 1),
                    (None, _) => gap.push(run),
                }
            }
        }
        let start = |run: &Run<'a>| match run.tag.role {
            Role::Middle(number) | Role::Close(number) => {
                starts.get(&number).copied().unwrap_or(&run.tag.place)
            }
            _ => &run.tag.place,
        };
        for ((parent, previous), runs) in gaps {
            let first = match parent {
                Some(parent) => page.elements.get(parent).and_then(|it| it.first_child),
                None => (!page.elements.is_empty()).then_some(0),
            };
            let next = match previous {
                Some(previous) => page.elements.get(previous).and_then(|it| it.next),
                None => first,
            };
            // Whoever gets what is within an `if` gets what is around it, too; a loop has turns.
            let enters = |run: &&Run<'_>| {
                !(matches!(run.tag.role, Role::Open(_)) && run.code.trim_start().starts_with("if"))
            };
            let leaves = |run: &&Run<'_>| {
                !(matches!(run.tag.role, Role::Close(_))
                    && run.code.trim_start().starts_with("endif"))
            };
            if let (Some(next), Some(run)) = (next, runs.iter().find(enters)) {
                self.before.insert(next, start(run));
            }
            if let (Some(previous), Some(run)) = (previous, runs.iter().find(leaves)) {
                self.after.insert(previous, start(run));
            }
        }
    }

    fn read_attributes(&mut self, page: &Page<'_>, tags: &'a Tags) {
        for element in 0..page.elements.len() {
            let mut depth = 0_usize;
            let mut block = None;
            for (written, value) in page.named(element) {
                let mut name = written.to_owned();
                if written.contains(tokens::is_of_sending) {
                    let (bare, runs) = bare(written, tags);
                    name = bare;
                    for run in runs {
                        block = block.filter(|_| depth > 0).or(Some(&run.tag.place));
                        match run.tag.role {
                            Role::Open(_) => depth += 1,
                            Role::Close(_) => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                    }
                }
                let (value, runs) = bare(value, tags);
                let has_blocks = runs.iter().any(|run| run.tag.role.is_silent());
                let (presence, place) = match block.filter(|_| depth > 0 || name != written) {
                    Some(place) => (Presence::Optional, place),
                    None => match runs.first() {
                        Some(run) if has_blocks => (Presence::InParts, &run.tag.place),
                        Some(run) => (Presence::Sure, &run.tag.place),
                        None => continue,
                    },
                };
                self.attributes.entry(element).or_default().push(Unsure {
                    name,
                    value,
                    presence,
                    place,
                });
            }
        }
    }
}

/// A text with one character for each tag that prints, and none for the others.
fn bare<'a>(text: &str, tags: &'a Tags) -> (String, Vec<Run<'a>>) {
    if !text.contains(tokens::is_of_sending) {
        return (text.to_owned(), Vec::new());
    }
    let runs = tags.runs(text).unwrap_or_default();
    let mut out = String::new();
    let mut copied = 0;
    for (at, run) in &runs {
        out.push_str(&text[copied..*at]);
        if !run.tag.role.is_silent() {
            out.extend(text[*at..].chars().next());
        }
        copied = at + run.length;
    }
    out.push_str(&text[copied..]);
    (out, runs.into_iter().map(|(_, run)| run).collect())
}

impl<'a> Asked<'a> {
    pub(super) fn about(doubts: &'a Doubts<'a>) -> Self {
        Self {
            doubts,
            first: Cell::new(None),
        }
    }

    fn doubt(&self, doubt: Doubt<'a>) {
        let first = self.first.take();
        self.first.set(first.or(Some(doubt)));
    }

    /// Someone asks what stands before an element.
    pub(super) fn before(&self, element: usize) {
        if let Some(place) = self.doubts.before.get(&element) {
            self.doubt(Doubt::Siblings(place));
        }
    }

    /// Someone asks what comes after an element.
    pub(super) fn after(&self, element: usize) {
        if let Some(place) = self.doubts.after.get(&element) {
            self.doubt(Doubt::Siblings(place));
        }
    }

    fn unsure(&self, element: usize, name: &str) -> impl Iterator<Item = &'a Unsure<'a>> {
        let unsure = self.doubts.attributes.get(&element);
        let unsure = unsure.into_iter().flatten();
        unsure.filter(move |it| it.name == name)
    }

    /// Someone asks whether an element is of a class, or has another word in an attribute.
    pub(super) fn word(&self, element: usize, attribute: &str, word: &str) {
        for unsure in self.unsure(element, attribute) {
            let value = &unsure.value;
            let has_it = value.split_ascii_whitespace().any(|own| own == word);
            if has_it && unsure.presence == Presence::Sure {
                continue;
            }
            let mut words = value.split_ascii_whitespace();
            let may_have_it = value.contains(word) || words.any(|own| may_be(own, word));
            if may_have_it {
                self.doubt(Doubt::Attribute(unsure.place));
            }
        }
    }

    /// Someone asks for the value of an attribute.
    pub(super) fn value<V: AsRef<str>>(
        &self,
        element: usize,
        attribute: &str,
        operation: &AttrSelectorOperation<V>,
    ) {
        for unsure in self.unsure(element, attribute) {
            let is_asked = match operation {
                _ if unsure.presence == Presence::Optional => true,
                AttrSelectorOperation::Exists => false,
                AttrSelectorOperation::WithValue {
                    operator: AttrSelectorOperator::Prefix,
                    value,
                    ..
                } if unsure.presence == Presence::Sure => {
                    let fixed = unsure.value.split(tokens::is_of_sending).next();
                    let fixed = fixed.unwrap_or_default().to_ascii_lowercase();
                    let sought = value.as_ref().to_ascii_lowercase();
                    // What is fixed has or lacks the beginning for everyone.
                    sought.starts_with(&fixed) && sought.len() > fixed.len()
                }
                AttrSelectorOperation::WithValue { .. } => true,
            };
            if is_asked {
                self.doubt(Doubt::Attribute(unsure.place));
            }
        }
    }
}

/// Whether a word that holds a value of the reader's may come to be another one.
fn may_be(own: &str, word: &str) -> bool {
    let mut fixed = own.split(tokens::is_of_sending);
    let (first, last) = (fixed.next().unwrap_or_default(), fixed.next_back());
    let Some(last) = last else {
        return own == word;
    };
    word.len() >= first.len() + last.len() && word.starts_with(first) && word.ends_with(last)
}
