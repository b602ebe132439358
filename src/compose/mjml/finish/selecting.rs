//! Selectors of CSS, and the elements of a page that they match.
//!
//! The reading and the matching is done by `selectors`, as in browsers and in inliners of CSS; here it
//! learns what our pages are.

mod dialect;

use std::collections::HashMap;

use cssparser::Parser;
use selectors::{
    context::{
        MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode,
        SelectorCaches,
    },
    matching::matches_selector,
    parser::{Component, ParseRelative, SelectorList},
};

use super::page::Page;
use dialect::{Dialect, Node, Word};

/// A selector.
#[derive(Clone, Debug)]
pub(super) struct Selector(selectors::parser::Selector<Dialect>);

/// How many identifiers, classes and names a selector names; more of the first come before all else.
pub(super) type Weight = [usize; 3];

impl Selector {
    /// Reads what stands between commas; `None` when one of it cannot be read.
    pub(super) fn read_all(text: &str) -> Option<Vec<Self>> {
        let mut input = Parser::new(text);
        let list = SelectorList::parse(&Dialect, &mut input, ParseRelative::No).ok()?;
        input.expect_exhausted().ok()?;
        Some(list.slice().iter().cloned().map(Self).collect())
    }

    /// Whether it is about something that comes and goes, such as `:hover`, or about a part of an
    /// element that is none itself, such as `::before`.
    pub(super) fn is_fleeting(&self) -> bool {
        self.0.iter_raw_match_order().any(|component| {
            matches!(
                component,
                Component::NonTSPseudoClass(_) | Component::PseudoElement(_)
            )
        })
    }

    /// What decides between selectors, counted as MJML's inliner does: its pseudo-classes weigh as
    /// much as names.
    pub(super) fn weight(&self) -> Weight {
        weight(&self.0)
    }
}

fn weight(selector: &selectors::parser::Selector<Dialect>) -> Weight {
    let mut sum = [0; 3];
    for component in selector.iter_raw_match_order() {
        match component {
            Component::ID(_) => sum[0] += 1,
            Component::Class(_)
            | Component::AttributeInNoNamespaceExists { .. }
            | Component::AttributeInNoNamespace { .. }
            | Component::AttributeOther(_) => sum[1] += 1,
            Component::Negation(list) => {
                for [ids, classes, names] in list.slice().iter().map(weight) {
                    sum = [sum[0] + ids, sum[1] + classes, sum[2] + names];
                }
            }
            Component::Combinator(_)
            | Component::ExplicitUniversalType
            | Component::ExplicitAnyNamespace => {}
            _ => sum[2] += 1,
        }
    }
    sum
}

/// Tells `each` of every element that some of the selectors match, in the order of the page, and which
/// of them do, in their own.
pub(super) fn select(
    page: &Page<'_>,
    selectors: &[&Selector],
    mut each: impl FnMut(usize, &[usize]),
) {
    let index = Index::of(selectors);
    let mut caches = SelectorCaches::default();
    let mut context = MatchingContext::new(
        MatchingMode::Normal,
        None,
        &mut caches,
        QuirksMode::NoQuirks,
        NeedsSelectorFlags::No,
        MatchingForInvalidation::No,
    );
    let mut found = Vec::new();
    for number in 0..page.elements.len() {
        let node = Node { page, number };
        found.clear();
        index.candidates(node, &mut found);
        found.sort_unstable();
        found.dedup();
        found.retain(|at| {
            selectors
                .get(*at)
                .is_some_and(|selector| matches_selector(&selector.0, 0, None, node, &mut context))
        });
        if !found.is_empty() {
            each(number, &found);
        }
    }
}

/// Selectors by what an element must have, so that few have to be tried.
#[derive(Default)]
struct Index<'a> {
    ids: HashMap<&'a str, Vec<usize>>,
    classes: HashMap<&'a str, Vec<usize>>,
    names: HashMap<&'a str, Vec<usize>>,
    others: Vec<usize>,
}

impl<'a> Index<'a> {
    fn of(selectors: &[&'a Selector]) -> Self {
        let mut index = Self::default();
        for (at, selector) in selectors.iter().enumerate() {
            // The first to come are those about the element itself; of these, the rarest decides.
            let rank = |component: &&Component<Dialect>| match component {
                Component::ID(_) => 3,
                Component::Class(_) => 2,
                Component::LocalName(_) => 1,
                _ => 0,
            };
            let list = match selector.0.iter().max_by_key(rank) {
                Some(Component::ID(Word(id))) => index.ids.entry(id).or_default(),
                Some(Component::Class(Word(class))) => index.classes.entry(class).or_default(),
                Some(Component::LocalName(name)) => {
                    index.names.entry(&name.lower_name.0).or_default()
                }
                _ => &mut index.others,
            };
            list.push(at);
        }
        index
    }

    fn candidates(&self, node: Node<'_>, found: &mut Vec<usize>) {
        found.extend(&self.others);
        let mut add = |list: Option<&Vec<usize>>| found.extend(list.into_iter().flatten());
        add(self.names.get(node.name()));
        if !self.classes.is_empty() {
            for class in node.classes() {
                add(self.classes.get(class));
            }
        }
        if !self.ids.is_empty()
            && let Some(id) = node.page.attribute(node.number, "id")
        {
            add(self.ids.get(id));
        }
    }
}

#[cfg(test)]
mod tests;
