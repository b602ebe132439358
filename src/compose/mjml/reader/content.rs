//! What an ending tag holds: text and HTML, which is nobody's business here, up to its own end tag.
//!
//! Comments, quoted values, scripts and the like may hold that end tag without meaning it, so they are
//! stepped over, as a browser does.

use std::collections::HashMap;

use super::{
    Loss, Reader, as_written, faults, is_blank,
    lexer::{self, Lexed, Lexer},
};
use crate::{
    compose::mjml::{schema, tree::Element},
    error::Result,
};

impl Reader<'_> {
    /// Reads the content of an ending tag, up to its own end.
    pub(super) fn content(&mut self, element: &mut Element) -> Result<()> {
        let start = self.at;
        if !lexer::is_opaque(&element.name) {
            self.end_of_content(element)?;
        } else if !self.skip_opaque(&element.name) {
            self.lose(faults::unclosed(element));
            return Ok(());
        }
        let end = self.at;
        let content = self.document[start..end].trim_matches(is_blank);
        element.content = as_written(content);
        let (name, place) = self.name(lexer::close_length(self.rest()));
        if name == element.name {
            self.end_of_close(&name, &place);
            return Ok(());
        }
        if !element.content.is_empty() {
            // npm's `mjml` forgets it.
            self.loss = Loss::Some;
        }
        if faults::is_mistyped(&name, &element.name) {
            self.end_of_close(&name, &place);
        } else {
            // The end tag of something around it, which is read once more as such.
            self.at = end;
        }
        self.errors.push(faults::unmatched(&name, place, element));
        Ok(())
    }

    /// Goes to the end tag of an ending tag. Where there is none, to one that looks like it, or to that
    /// of an element around it.
    fn end_of_content(&mut self, element: &Element) -> Result<()> {
        let mut inner = Inner::default();
        let mut mistyped = None;
        while let Some(less) = self.rest().find('<') {
            self.at += less;
            let rest = self.rest();
            if rest.starts_with("<!--") {
                self.pass("-->", 2, "a comment")?;
            } else if rest.starts_with("<![CDATA[") {
                self.pass("]]>", 3, "a CDATA section")?;
            } else if rest.starts_with("<?") {
                self.at += rest.find('>').unwrap_or(rest.len());
            } else if rest.starts_with("</") {
                let length = lexer::close_length(rest);
                let name = lexer::name(&rest[length..]);
                if inner.close(name) {
                    self.at += length + name.len();
                    continue;
                }
                let is = |open: &Element| name.eq_ignore_ascii_case(&open.name);
                let is_around = known(name).is_some() && self.open.iter().any(is);
                if is(element) {
                    return Ok(());
                }
                if is_around {
                    self.at = mistyped.unwrap_or(self.at);
                    return Ok(());
                }
                if mistyped.is_none() && is_of_mjml(name) {
                    let is_mistyped = faults::is_mistyped(name, &element.name);
                    mistyped = is_mistyped.then_some(self.at);
                }
                self.at += length.max(1) + name.len();
            } else {
                let name = lexer::name(&rest[1..]);
                self.at += 1 + name.len();
                if name.is_empty() {
                    continue;
                }
                let closed = self.skip_attributes(element)?;
                if closed {
                    continue;
                }
                if lexer::is_opaque(&name.to_ascii_lowercase()) {
                    self.skip_opaque(name);
                } else if let Some(name) = known(name) {
                    inner.open(name);
                }
            }
        }
        self.at = mistyped.unwrap_or(self.document.len());
        match mistyped {
            Some(_) => Ok(()),
            None => Err(faults::unclosed(element)),
        }
    }

    /// Steps over the attributes of a tag of HTML; says whether it closes itself.
    fn skip_attributes(&mut self, element: &Element) -> Result<bool> {
        let mut lexer = Lexer::new(self.document, self.at);
        loop {
            let lexed = lexer.next();
            self.at = lexer.at;
            match lexed {
                Lexed::Attribute { .. } => {}
                Lexed::End | Lexed::Less | Lexed::Over => return Ok(false),
                Lexed::SelfEnd => return Ok(true),
                Lexed::Quote(quote) => {
                    let place = self.place(quote, quote + 1);
                    return Err(faults::endless_quote(element).at(place));
                }
            }
        }
    }

    /// Goes to the end tag of an element that HTML takes for text; stays and says so when there is none.
    fn skip_opaque(&mut self, name: &str) -> bool {
        let is = |found: &str| found.eq_ignore_ascii_case(name);
        if self.endless.iter().any(|endless| is(endless)) {
            return false;
        }
        let rest = self.rest();
        let mut ends = rest.match_indices("</");
        match ends.find(|(at, _)| is(lexer::name(&rest[at + 2..]))) {
            Some((at, _)) => self.at += at,
            None => self.endless.push(name.to_owned()),
        }
        self.endless.last().is_none_or(|endless| !is(endless))
    }
}

/// The name of an element of MJML, in whatever case.
fn known(name: &str) -> Option<&'static str> {
    if !is_of_mjml(name) {
        return None;
    }
    let element = schema::element(&name.to_ascii_lowercase());
    element.map(|element| element.name)
}

/// Whether a name looks like one of MJML's.
fn is_of_mjml(name: &str) -> bool {
    let prefix = name.as_bytes().get(..2);
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"mj"))
}

/// The elements of MJML that are open within an ending tag: they close one another as they do
/// elsewhere, so that `</mj-text>` may be the end of an inner one.
#[derive(Default)]
struct Inner {
    open: Vec<&'static str>,
    /// How often each is open, so that a search for one that is not costs nothing.
    counts: HashMap<&'static str, usize>,
}

impl Inner {
    fn open(&mut self, name: &'static str) {
        self.open.push(name);
        *self.counts.entry(name).or_default() += 1;
    }

    /// Closes the innermost element of this name, and what is open in it, if there is one.
    fn close(&mut self, name: &str) -> bool {
        let Some(name) = known(name) else {
            return false;
        };
        if self.counts.get(name).is_none_or(|count| *count == 0) {
            return false;
        }
        while let Some(open) = self.open.pop() {
            if let Some(count) = self.counts.get_mut(open) {
                *count -= 1;
            }
            if open == name {
                break;
            }
        }
        true
    }
}
