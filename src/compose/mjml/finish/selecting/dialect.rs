//! What `selectors` asks of those who use it: the words of a selector, and the relatives of an element.

use std::{
    borrow::Borrow,
    cell::Cell,
    fmt::{self, Write},
    hash::{DefaultHasher, Hash, Hasher},
};

use cssparser::{ParseError, ToCss, serialize_identifier};
use precomputed_hash::PrecomputedHash;
use selectors::{
    Element, OpaqueElement, SelectorImpl,
    attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint},
    bloom::BloomFilter,
    context::MatchingContext,
    matching::ElementSelectorFlags,
    parser::{self, NonTSPseudoClass, PseudoElement, SelectorParseErrorKind},
};

use crate::compose::mjml::finish::{
    doubts::Asked,
    page::{self, Page},
};

/// Selectors as they are of use in a mail.
#[derive(Clone, Debug)]
pub(super) struct Dialect;

/// A name or a value in a selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) String);

impl From<&str> for Word {
    fn from(word: &str) -> Self {
        Self(word.to_owned())
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl ToCss for Word {
    fn to_css<W: Write>(&self, out: &mut W) -> fmt::Result {
        serialize_identifier(&self.0, out)
    }
}

impl PrecomputedHash for Word {
    fn precomputed_hash(&self) -> u32 {
        hash(&self.0)
    }
}

/// What stands for a word where many are compared at once.
pub(super) fn hash(word: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    // The lower half of a hash is a hash.
    u32::try_from(hasher.finish() & u64::from(u32::MAX)).unwrap_or_default()
}

/// Something that comes and goes, such as `hover`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State(String);

impl ToCss for State {
    fn to_css<W: Write>(&self, out: &mut W) -> fmt::Result {
        write!(out, ":{}", self.0)
    }
}

impl NonTSPseudoClass for State {
    fn is_active_or_hover(&self) -> bool {
        matches!(self.0.as_str(), "active" | "hover")
    }

    fn is_user_action_state(&self) -> bool {
        matches!(self.0.as_str(), "active" | "hover" | "focus")
    }
}

/// A part of an element, such as `before`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part(String);

impl ToCss for Part {
    fn to_css<W: Write>(&self, out: &mut W) -> fmt::Result {
        write!(out, "::{}", self.0)
    }
}

impl PseudoElement for Part {}

impl SelectorImpl for Dialect {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Word;
    type Identifier = Word;
    type LocalName = Word;
    type NamespaceUrl = Word;
    type NamespacePrefix = Word;
    type BorrowedNamespaceUrl = str;
    type BorrowedLocalName = str;
    type NonTSPseudoClass = State;
    type PseudoElement = Part;
}

const STATES: [&str; 9] = [
    "active",
    "any-link",
    "focus",
    "focus-visible",
    "focus-within",
    "hover",
    "link",
    "target",
    "visited",
];

impl<'i> parser::Parser<'i> for Dialect {
    type Impl = Self;
    type Error = SelectorParseErrorKind;

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_nth_child_of(&self) -> bool {
        true
    }

    fn allow_forgiving_selectors(&self) -> bool {
        false
    }

    fn parse_non_ts_pseudo_class(&self, name: &str) -> Result<State, ParseError<Self::Error>> {
        let name = name.to_ascii_lowercase();
        if STATES.contains(&name.as_str()) {
            return Ok(State(name));
        }
        Err(ParseError::custom(
            SelectorParseErrorKind::UnsupportedPseudoClassOrElement,
        ))
    }

    fn parse_pseudo_element(&self, name: &str) -> Result<Part, ParseError<Self::Error>> {
        Ok(Part(name.to_ascii_lowercase()))
    }
}

/// An element of a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) page: &'a Page<'a>,
    pub(super) number: usize,
    /// How many steps to other elements may still be taken.
    pub(super) steps: &'a Cell<usize>,
    /// Who wants to know what the answers depend on.
    pub(super) asked: Option<&'a Asked<'a>>,
}

impl<'a> Node<'a> {
    pub(super) fn name(self) -> &'a str {
        let element = self.page.elements.get(self.number);
        element.map_or("", |element| &element.name)
    }

    pub(super) fn classes(self) -> impl Iterator<Item = &'a str> {
        let classes = self.page.attribute(self.number, "class");
        classes.unwrap_or_default().split_ascii_whitespace()
    }

    fn ask(&self, question: impl FnOnce(&'a Asked<'a>)) {
        if let Some(asked) = self.asked {
            question(asked);
        }
    }

    fn relative(self, which: impl FnOnce(&page::Element<'_>) -> Option<usize>) -> Option<Self> {
        self.steps.set(self.steps.get().checked_sub(1)?);
        let number = which(self.page.elements.get(self.number)?)?;
        Some(Self { number, ..self })
    }
}

impl Element for Node<'_> {
    type Impl = Dialect;

    fn opaque(&self) -> OpaqueElement {
        match self.page.elements.get(self.number) {
            Some(element) => OpaqueElement::new(element),
            None => OpaqueElement::new(self.page),
        }
    }

    fn parent_element(&self) -> Option<Self> {
        self.relative(|element| element.parent)
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.ask(|asked| asked.before(self.number));
        self.relative(|element| element.previous)
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.ask(|asked| asked.after(self.number));
        self.relative(|element| element.next)
    }

    fn first_element_child(&self) -> Option<Self> {
        self.relative(|element| element.first_child)
    }

    fn is_html_element_in_html_document(&self) -> bool {
        true
    }

    fn has_local_name(&self, name: &str) -> bool {
        self.name() == name
    }

    fn has_namespace(&self, _: &str) -> bool {
        true
    }

    fn is_same_type(&self, other: &Self) -> bool {
        self.name() == other.name()
    }

    fn attr_matches(
        &self,
        _: &NamespaceConstraint<&Word>,
        name: &Word,
        operation: &AttrSelectorOperation<&Word>,
    ) -> bool {
        self.ask(|asked| asked.value(self.number, &name.0, operation));
        let value = self.page.attribute(self.number, &name.0);
        value.is_some_and(|value| operation.eval_str(value))
    }

    fn match_non_ts_pseudo_class(&self, _: &State, _: &mut MatchingContext<'_, Dialect>) -> bool {
        false
    }

    fn match_pseudo_element(&self, _: &Part, _: &mut MatchingContext<'_, Dialect>) -> bool {
        false
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.name() == "a"
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &Word, case: CaseSensitivity) -> bool {
        self.ask(|asked| asked.word(self.number, "id", &id.0));
        let own = self.page.attribute(self.number, "id");
        own.is_some_and(|own| case.eq(own.as_bytes(), id.0.as_bytes()))
    }

    fn has_class(&self, class: &Word, case: CaseSensitivity) -> bool {
        self.ask(|asked| asked.word(self.number, "class", &class.0));
        let mut classes = self.classes();
        classes.any(|own| case.eq(own.as_bytes(), class.0.as_bytes()))
    }

    fn has_custom_state(&self, _: &Word) -> bool {
        false
    }

    fn imported_part(&self, _: &Word) -> Option<Word> {
        None
    }

    fn is_part(&self, _: &Word) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        let element = self.page.elements.get(self.number);
        element.is_some_and(|element| element.is_empty)
    }

    fn is_root(&self) -> bool {
        self.parent_element().is_none()
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
