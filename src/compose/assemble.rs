//! A composed text with its tags → a part of the edition: one template whose delimiters are control
//! characters, each value escaped as its place in the page demands.
//!
//! No content can hold U+0001, as it is taken out here; so what is not a tag of the author's own can
//! never become one.

use std::collections::HashSet;

use super::{
    edition::{Origin, Part, Tag},
    page::{self, Spot, Stretch},
    staging::{Role, Run, SendTag, Tags},
    tokens,
};
use crate::error::{Error, Result};

/// The delimiters of a part.
pub(crate) const PRINT: [&str; 2] = ["\u{1}(", ")\u{1}"];
/// See [`PRINT`].
pub(crate) const STATEMENT: [&str; 2] = ["\u{1}[", "]\u{1}"];
/// See [`PRINT`].
pub(crate) const COMMENT: [&str; 2] = ["\u{1}<", ">\u{1}"];

/// The filter for a whole address: only known schemes pass.
pub(crate) const URL: &str = "__url";
/// The filter for a part of an address.
pub(crate) const URL_PART: &str = "__url_part";
/// The filter for the value of an attribute: escaped, whatever the author says.
pub(crate) const ATTRIBUTE: &str = "__attribute";
/// The filter for a header: one line.
pub(crate) const LINE: &str = "__line";

/// A part, and the tags that it uses.
#[derive(Debug)]
pub(super) struct Assembled<'a> {
    pub(super) part: Part,
    pub(super) used: Vec<&'a SendTag>,
}

/// Assembles a page.
///
/// # Errors
/// Values where none can be made safe, and blocks that do not end where they began.
pub(super) fn page<'a>(html: &str, tags: &'a Tags) -> Result<Assembled<'a>> {
    let mut assembler = Assembler::new(tags);
    assembler.assembled.part.template.reserve(html.len());
    for (number, stretch) in page::stretches(html).iter().enumerate() {
        assembler.stretch(html, stretch, number);
    }
    assembler.finish()
}

/// Assembles a plain text, of which nothing is escaped.
///
/// # Errors
/// Blocks that do not end.
pub(super) fn text<'a>(text: &str, tags: &'a Tags) -> Result<Assembled<'a>> {
    let mut assembler = Assembler::new(tags);
    assembler.pieces(text, |_, run| Ok(print(&run.code, None)));
    assembler.finish()
}

/// Assembles a line for a header.
///
/// # Errors
/// Blocks that do not end.
pub(super) fn line<'a>(text: &str, tags: &'a Tags) -> Result<Assembled<'a>> {
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut assembler = Assembler::new(tags);
    assembler.pieces(&text, |_, run| Ok(print(&run.code, Some(LINE))));
    assembler.finish()
}

fn print(code: &str, filter: Option<&str>) -> String {
    let [open, close] = PRINT;
    match filter {
        Some(filter) => format!("{open} ({code}) | {filter} {close}"),
        None => format!("{open} {code} {close}"),
    }
}

/// A block of the author's that is open.
struct Block<'a> {
    tag: &'a SendTag,
    number: usize,
    frame: Frame,
    address: Address,
}

/// What a block must not reach out of: a tag, a value, a title.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Frame {
    tag: usize,
    stretch: usize,
}

/// What is known of an address before a block, to know it after each of its branches.
#[derive(Clone, Copy, Debug, Default)]
struct Address {
    begins_before: bool,
    begins_after: bool,
    has_else: bool,
}

struct Assembler<'a> {
    tags: &'a Tags,
    assembled: Assembled<'a>,
    open: Vec<Block<'a>>,
    frame: Frame,
    /// Whether a value here can be the beginning of an address.
    begins: bool,
    errors: Vec<Error>,
}

impl<'a> Assembler<'a> {
    fn new(tags: &'a Tags) -> Self {
        Self {
            tags,
            assembled: Assembled {
                part: Part::default(),
                used: Vec::new(),
            },
            open: Vec::new(),
            frame: Frame::default(),
            begins: false,
            errors: Vec::new(),
        }
    }

    fn finish(mut self) -> Result<Assembled<'a>> {
        for block in self.open.drain(..) {
            self.errors.push(
                Error::data("this block is still open where the text ends")
                    .at(block.tag.place.clone())
                    .hint("Its end was lost on the way; put both into the same text."),
            );
        }
        match Error::all(distinct(self.errors)) {
            Some(error) => Err(error),
            None => Ok(self.assembled),
        }
    }

    fn stretch(&mut self, page: &str, stretch: &Stretch<'_>, number: usize) {
        let text = &page[stretch.range.clone()];
        self.begins = true;
        if tokens::find_of_sending(text).is_none() {
            return self.copy(text);
        }
        let own = !matches!(stretch.spot, Spot::Text | Spot::Tag);
        self.frame = Frame {
            tag: stretch.tag,
            stretch: if own { number + 1 } else { 0 },
        };
        let spot = stretch.spot;
        // A tag of the author's must not split a name: `on{% if … %}click`.
        let before = page[..stretch.range.start].chars().next_back();
        let after = page[stretch.range.start..].trim_start_matches(tokens::is_of_sending);
        let splits = before.is_some_and(|c| !c.is_whitespace() && !"\"'".contains(c))
            && after.starts_with(|c: char| !c.is_whitespace() && !"/>".contains(c));
        // A lone `<` is text, but not in front of what may become a name.
        let begins_tag =
            spot == Spot::Text && before == Some('<') && text.starts_with(tokens::is_of_sending);
        self.pieces(text, |assembler, run| {
            let filter = match spot {
                Spot::Text if begins_tag => Err("in the name of a tag or an attribute"),
                Spot::Text | Spot::PlainText => Ok(None),
                Spot::Value(name) => assembler.value_filter(name),
                Spot::Style => Err("within `<style>`"),
                Spot::Script => Err("within `<script>`"),
                Spot::Comment => Err("within a comment"),
                Spot::Unquoted => Err("in a value without quotes"),
                Spot::Tag | Spot::Declaration => Err("within a tag, outside of a value"),
            };
            match filter {
                Ok(filter) => Ok(print(&run.code, filter)),
                Err(place) => Err(unsafe_here(run.tag, place)),
            }
        });
        let silent = match spot {
            Spot::Script => Some("within `<script>`"),
            Spot::Comment => Some("within a comment"),
            Spot::Unquoted => Some("in a value without quotes"),
            Spot::Declaration => Some("within a declaration"),
            Spot::Tag if splits => Some("in the name of a tag or an attribute"),
            Spot::Text if begins_tag => Some("in the name of a tag or an attribute"),
            _ => None,
        };
        if let (Some(place), Ok(runs)) = (silent, self.tags.runs(text)) {
            let first = runs.into_iter().find(|(at, run)| {
                run.tag.role.is_silent() && (*at == 0 || !matches!(spot, Spot::Tag | Spot::Text))
            });
            if let Some((_, run)) = first {
                self.errors.push(unsafe_here(run.tag, place));
            }
        }
    }

    fn value_filter(&self, name: &str) -> Result<Option<&'static str>, &'static str> {
        let name = name.to_ascii_lowercase();
        // `xlink:href` and VML's `o:href` lead somewhere, too.
        match name.rsplit(':').next().unwrap_or_default() {
            "href" | "src" | "background" | "action" | "formaction" | "poster" | "cite"
            | "data" | "longdesc" | "lowsrc" | "dynsrc" | "ping" | "manifest" | "codebase" => {
                Ok(Some(if self.begins { URL } else { URL_PART }))
            }
            // A tag stands between the `=` and its name: whose value it is, nobody can tell.
            "" => Err("in the value of an attribute without a name"),
            "style" => Err("within `style=\"\"`, or in an attribute of MJML that becomes a style"),
            "srcset" | "srcdoc" => Err("in an attribute that holds more than one value"),
            _ if name.starts_with("on") => Err("within a script"),
            _ => Ok(Some(ATTRIBUTE)),
        }
    }

    /// Copies `text`, and puts each of its tags in again; `print` writes those that print.
    fn pieces(&mut self, text: &str, mut print: impl FnMut(&Self, &Run<'a>) -> Result<String>) {
        let mut rest = text;
        while let Some(at) = tokens::find_of_sending(rest) {
            self.copy(&rest[..at]);
            rest = &rest[at..];
            let tags = self.tags;
            match tags.run(rest) {
                Ok(run) => {
                    if run.tag.role == Role::Print {
                        match print(self, &run) {
                            Ok(code) => self.emit(run.tag, &code),
                            Err(error) => self.errors.push(error),
                        }
                        self.begins = false;
                    } else {
                        self.block(&run);
                    }
                    rest = &rest[run.length..];
                }
                Err(error) => {
                    self.errors.push(error);
                    return;
                }
            }
        }
        self.copy(rest);
    }

    fn copy(&mut self, literal: &str) {
        if !literal.trim().is_empty() {
            self.begins = false;
        }
        let template = &mut self.assembled.part.template;
        // Few characters begin with a byte of those that must not be there.
        if memchr::memchr3(0x01, 0xF3, 0xF4, literal.as_bytes()).is_none() {
            return template.push_str(literal);
        }
        template.extend(literal.split(|c| c == '\u{1}' || tokens::is_reserved(c)));
    }

    fn emit(&mut self, tag: &'a SendTag, code: &str) {
        let part = &mut self.assembled.part;
        let start = part.template.len();
        part.template.push_str(code);
        part.tags.push(Tag {
            range: start..part.template.len(),
            origin: Origin::from(&tag.place),
        });
        self.assembled.used.push(tag);
    }

    fn block(&mut self, run: &Run<'a>) {
        let tag = run.tag;
        match tag.role {
            Role::Open(number) => self.open.push(Block {
                tag,
                number,
                frame: self.frame,
                address: Address {
                    begins_before: self.begins,
                    ..Address::default()
                },
            }),
            Role::Middle(number) | Role::Close(number) => {
                let Some(block) = self.open.last_mut().filter(|block| block.number == number)
                else {
                    let error = Error::data("this tag ends a block that is not open here");
                    return self.errors.push(error.at(tag.place.clone()).hint(
                        "Its beginning was lost or moved on the way; put both into the same text.",
                    ));
                };
                if block.frame != self.frame {
                    let line = block.tag.place.line();
                    let error = Error::data(format!(
                        "this block began in line {line}, in another tag, value or text"
                    ));
                    self.errors.push(
                        error.at(tag.place.clone()).hint(
                            "A block that begins in the value of an attribute must end in it.",
                        ),
                    );
                }
                let address = &mut block.address;
                address.begins_after |= self.begins;
                address.has_else |= run.code.trim_start().starts_with("else");
                self.begins = if matches!(tag.role, Role::Middle(_)) {
                    address.begins_before
                } else {
                    address.begins_after || (address.begins_before && !address.has_else)
                };
                if matches!(tag.role, Role::Close(_)) {
                    self.open.pop();
                }
            }
            Role::Print | Role::Statement => {}
        }
        let [open, close] = STATEMENT;
        self.emit(tag, &format!("{open} {} {close}", run.code.trim()));
    }
}

/// Errors without those that were told before: what a head and a body repeat, or what stands in page
/// and text, is wrong once.
pub(super) fn distinct(errors: impl IntoIterator<Item = Error>) -> Vec<Error> {
    let mut told = HashSet::new();
    let errors = errors.into_iter().flat_map(Error::into_all);
    let is_new = |error: &Error| {
        let place = error.place();
        let place = place.map(|place| (place.file().to_owned(), place.range()));
        told.insert((place, error.message().to_owned()))
    };
    errors.filter(is_new).collect()
}

fn unsafe_here(tag: &SendTag, place: &str) -> Error {
    Error::data(format!("a value of the reader's cannot be made safe {place}"))
        .at(tag.place.clone())
        .hint("Use it in text or in a quoted attribute; `{% if subscriber.… %}` around fixed texts works in styles, too.")
}

#[cfg(test)]
mod tests;
