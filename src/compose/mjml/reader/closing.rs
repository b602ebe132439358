//! What an end tag closes, and what is closed without one.
//!
//! An end tag closes what stands open within its element, as npm's `mjml` has it, and one of an element
//! that is not open closes nothing. Each of these is an error; whether anything is lost by it is seen
//! here, too.

use super::{Loss, Reader, faults, lexer};
use crate::{
    compose::mjml::{
        elements::{self, Kind},
        tree::{Element, Node},
    },
    place::Place,
};

impl Reader<'_> {
    /// Reads an end tag, and closes what it closes.
    pub(super) fn close(&mut self) {
        let (name, place) = self.name(lexer::close_length(self.rest()));
        self.end_of_close(&name, &place);
        let found = self.open.iter().skip(1).rposition(|open| open.name == name);
        let Some(found) = found.map(|found| found + 1) else {
            return self.orphan(&name, place);
        };
        let innermost = self.open.last().filter(|_| found + 1 < self.open.len());
        if let Some(innermost) = innermost {
            self.errors.push(faults::unmatched(&name, place, innermost));
            self.close_within(found + 1);
        }
        self.pop();
    }

    /// Closes the elements that are open within the outermost `kept`.
    pub(super) fn close_within(&mut self, kept: usize) {
        while self.open.len() > kept {
            if self.open.last().is_some_and(swallows) {
                self.loss = Loss::Some;
            }
            self.pop();
        }
    }

    /// Steps behind the `>` of an end tag.
    pub(super) fn end_of_close(&mut self, name: &str, place: &Place) {
        let rest = self.rest();
        let end = rest.find(['<', '>']).unwrap_or(rest.len());
        self.at += end;
        if rest[end..].starts_with('>') {
            self.at += 1;
        } else {
            self.lose(faults::incomplete(name).at(place.clone()));
        }
    }

    /// An end tag of an element that is not open.
    fn orphan(&mut self, name: &str, place: Place) {
        if elements::is_void(name) {
            return;
        }
        let open = self.open.last().filter(|_| self.open.len() > 1);
        self.errors.push(faults::orphan(name, place, open));
        let Some(open) = open.filter(|open| faults::is_mistyped(name, &open.name)) else {
            return;
        };
        // A name that is mistyped closes what it was typed for. That is no guess only where something
        // around it ends, too, and where it is the start tag that is right.
        let is_known = elements::kind(&open.name).is_some();
        if !is_known || !self.rest().trim_ascii_start().starts_with("</") {
            self.loss = Loss::Some;
        }
        self.pop();
    }

    fn pop(&mut self) {
        if self.open.len() > 1
            && let Some(open) = self.open.pop()
        {
            self.push(Node::Element(open));
        }
    }
}

/// Whether an element has got others that it can do nothing with. (What stands in an `mj-include` is
/// put behind what it includes.)
fn swallows(element: &Element) -> bool {
    let kind = elements::kind(&element.name);
    matches!(kind, None | Some(Kind::Leaf))
        && element.name != "mj-include"
        && element.elements().next().is_some()
}
