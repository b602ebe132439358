//! Selectors of CSS, and the elements of a page that they match.
//!
//! The reading and the matching is done by `selectors`, as in browsers and in inliners of CSS; here it
//! learns what our pages are.

mod dialect;

use std::{cell::Cell, collections::HashMap};

use cssparser::{Parser, ToCss};
use selectors::{
    bloom::BloomFilter,
    context::{
        MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode,
        SelectorCaches,
    },
    matching::matches_selector,
    parser::{AncestorHashes, Component, ParseRelative, SelectorList},
};

use super::{
    doubts::{Asked, Doubt, Doubts},
    page::Page,
};
use dialect::{Dialect, Node, Word, hash};

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

    /// As it is written.
    pub(super) fn shown(&self) -> String {
        self.0.to_css_string()
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

/// How many steps from element to element are taken for each element of a page, and for each page. A
/// selector such as `.a ~ b` looks at all that stands before an element; of many elements that would
/// take hours.
const STEPS: (usize, usize) = (200, 5_000_000);

/// The elements of a page could not all be looked at in a reasonable time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// Tells `each` of every element that some of the selectors match, in the order of the page, and which
/// of them do, in their own.
pub(super) fn select(
    page: &Page<'_>,
    selectors: &[&Selector],
    mut each: impl FnMut(usize, &[usize]),
) -> Result<(), TooMany> {
    let steps = Cell::new(STEPS.0 * page.elements.len() + STEPS.1);
    let index = Index::of(selectors);
    let above: Vec<AncestorHashes> = selectors
        .iter()
        .map(|selector| AncestorHashes::new(&selector.0, QuirksMode::NoQuirks))
        .collect();
    let mut caches = SelectorCaches::default();
    let mut ancestors = Ancestors::default();
    let mut found = Vec::new();
    for number in 0..page.elements.len() {
        let node = Node {
            page,
            number,
            steps: &steps,
            asked: None,
        };
        ancestors.leave_for(node);
        found.clear();
        index.candidates(node, &mut found);
        found.sort_unstable();
        found.dedup();
        let mut context = MatchingContext::new(
            MatchingMode::Normal,
            Some(&ancestors.filter),
            &mut caches,
            QuirksMode::NoQuirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        found.retain(|at| {
            let selector = selectors.get(*at);
            selector.is_some_and(|selector| {
                matches_selector(&selector.0, 0, above.get(*at), node, &mut context)
            })
        });
        if !found.is_empty() {
            each(number, &found);
        }
        if steps.get() == 0 {
            return Err(TooMany);
        }
        ancestors.enter(node);
    }
    Ok(())
}

/// Tells `each` of every selector that looks at what depends on the reader.
pub(super) fn doubtful(
    page: &Page<'_>,
    selectors: &[&Selector],
    doubts: &Doubts<'_>,
    mut each: impl FnMut(usize, Doubt<'_>),
) {
    let concerned = selectors.iter().copied().enumerate();
    let concerned = concerned.filter(|(_, selector)| doubts.concern(&selector.shown()));
    let (numbers, left): (Vec<usize>, Vec<&Selector>) = concerned.unzip();
    if left.is_empty() {
        return;
    }
    let steps = Cell::new(STEPS.0 * page.elements.len() + STEPS.1);
    let index = Index::of(&left);
    let mut is_told = vec![false; left.len()];
    let mut found = Vec::new();
    for number in 0..page.elements.len() {
        found.clear();
        let asked = Asked::about(doubts);
        let node = Node {
            page,
            number,
            steps: &steps,
            asked: Some(&asked),
        };
        if doubts.is_about_attributes_of(number) {
            found.extend(0..left.len());
        } else {
            index.candidates(node, &mut found);
        }
        for at in found.drain(..) {
            let (Some(selector), Some(is_told)) = (left.get(at), is_told.get_mut(at)) else {
                continue;
            };
            if *is_told || steps.get() == 0 {
                continue;
            }
            // What is remembered of one element must not hide that it was in doubt.
            let mut caches = SelectorCaches::default();
            let mut context = MatchingContext::new(
                MatchingMode::Normal,
                None,
                &mut caches,
                QuirksMode::NoQuirks,
                NeedsSelectorFlags::No,
                MatchingForInvalidation::No,
            );
            matches_selector(&selector.0, 0, None, node, &mut context);
            if let Some(doubt) = asked.first.take() {
                *is_told = true;
                each(numbers.get(at).copied().unwrap_or_default(), doubt);
            }
        }
    }
}

/// What is around an element, so that most selectors can be ruled out without a look at it.
#[derive(Default)]
struct Ancestors {
    filter: BloomFilter,
    /// The elements, outermost first, each with how many hashes it has.
    path: Vec<(usize, usize)>,
    hashes: Vec<u32>,
}

impl Ancestors {
    /// Leaves all that is not around `node`.
    fn leave_for(&mut self, node: Node<'_>) {
        let parent = node.page.elements.get(node.number).and_then(|it| it.parent);
        while let Some((element, count)) = self.path.pop() {
            if Some(element) == parent {
                return self.path.push((element, count));
            }
            for hash in self.hashes.drain(self.hashes.len() - count..) {
                self.filter.remove_hash(hash);
            }
        }
    }

    fn enter(&mut self, node: Node<'_>) {
        let before = self.hashes.len();
        self.hashes.push(hash(node.name()));
        self.hashes.extend(node.classes().map(hash));
        let id = node.page.attribute(node.number, "id");
        self.hashes.extend(id.map(hash));
        let added = self.hashes.get(before..).unwrap_or_default();
        added.iter().for_each(|hash| self.filter.insert_hash(*hash));
        self.path.push((node.number, added.len()));
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
