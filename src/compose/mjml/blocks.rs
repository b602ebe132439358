//! The proof that every block of the sending moment still means what its author wrote: that it opens
//! and closes in order, and that what stands within it is whole.
//!
//! A block is left out for one reader and repeated for another. So whatever the engine put between its
//! tags must open and close there: for everyone, and for Outlook with its own tables besides.

use std::collections::HashSet;

use super::{
    markup::{Audience, Markup, Piece, Tag},
    prepare::{Prepared, Slot},
};
use crate::{
    compose::{
        staging::{Role, SendTag, Tags},
        tokens,
    },
    error::{Error, Result},
    place::Place,
};

/// Proves it for a page whose slots are still open.
///
/// # Errors
/// At each block, in the author's file, of which it is not so.
pub(super) fn prove(html: &str, prepared: &Prepared, tags: &Tags) -> Result<()> {
    let waits = |slot: &Slot| tokens::wait_in(slot.content());
    let waiting: Vec<bool> = prepared.slots.iter().map(waits).collect();
    if tags.is_empty() || !waiting.contains(&true) {
        return Ok(()); // A plain file may hold any character.
    }
    let mut proof = Proof {
        prepared,
        tags,
        waiting,
        seen: vec![false; prepared.slots.len()],
        elements: Vec::new(),
        blocks: Vec::new(),
        errors: Vec::new(),
    };
    for token in Markup::read(html).tokens() {
        match &token.piece {
            Piece::Start(tag) => proof.start(tag, token.audience)?,
            Piece::End(name) => proof.end(name, token.audience),
            Piece::Text(text) => proof.slots(text)?,
            Piece::Other(_) => {}
        }
    }
    proof.finish()
}

/// A block that is open.
struct Block<'a> {
    number: usize,
    place: &'a Place,
    /// How many elements are open around it.
    depth: usize,
    is_whole: bool,
}

struct Proof<'a> {
    prepared: &'a Prepared,
    tags: &'a Tags,
    /// Which slots hold something that waits for the reader.
    waiting: Vec<bool>,
    seen: Vec<bool>,
    /// What is open, outermost first.
    elements: Vec<(String, Audience)>,
    blocks: Vec<Block<'a>>,
    errors: Vec<Error>,
}

impl<'a> Proof<'a> {
    fn start(&mut self, tag: &Tag<'_>, audience: Audience) -> Result<()> {
        self.slots(tag.source())?;
        if !tag.is_void() {
            self.elements.push((tag.name.to_owned(), audience));
        }
        Ok(())
    }

    fn end(&mut self, name: &str, audience: Audience) {
        let is_it = |open: &(String, Audience)| open.0 == name && open.1 == audience;
        // The engine itself leaves nothing open; where it should, only blocks around it matter.
        let Some(at) = self.elements.iter().rposition(is_it) else {
            return;
        };
        self.elements.truncate(at);
        for block in &mut self.blocks {
            block.is_whole &= block.depth <= at;
        }
    }

    fn slots(&mut self, source: &str) -> Result<()> {
        let mut rest = source;
        while let Some(at) = rest.find("@@") {
            rest = &rest[at + 2..];
            let Some(end) = rest.find("@@") else {
                return Ok(());
            };
            if let Ok(number) = rest[..end].parse::<usize>() {
                self.slot(number)?;
            }
            rest = &rest[end + 2..];
        }
        Ok(())
    }

    fn slot(&mut self, number: usize) -> Result<()> {
        if self.waiting.get(number) != Some(&true) {
            return Ok(());
        }
        if let Some(seen) = self.seen.get_mut(number) {
            *seen = true;
        }
        let tags = self.tags;
        let content = self.prepared.slots.get(number).map_or("", Slot::content);
        for (_, run) in tags.runs(content)? {
            self.tag(run.tag);
        }
        Ok(())
    }

    fn tag(&mut self, tag: &'a SendTag) {
        let depth = self.elements.len();
        match tag.role {
            Role::Print | Role::Statement => {}
            Role::Open(number) => self.blocks.push(Block {
                number,
                place: &tag.place,
                depth,
                is_whole: true,
            }),
            Role::Middle(number) | Role::Close(number) => {
                let Some(block) = self.blocks.pop_if(|block| block.number == number) else {
                    let error = Error::data("MJML moves this tag out of its block");
                    self.errors.push(whole(error.at(tag.place.clone())));
                    return;
                };
                if !block.is_whole || block.depth != depth {
                    let error = Error::data("this block begins and ends in different elements");
                    self.errors.push(whole(error.at(block.place.clone())));
                }
                if tag.role == Role::Middle(number) {
                    self.blocks.push(Block {
                        depth,
                        is_whole: true,
                        ..block
                    });
                }
            }
        }
    }

    fn finish(mut self) -> Result<()> {
        for block in &self.blocks {
            let error = Error::data("MJML leaves out the end of this block");
            self.errors.push(whole(error.at(block.place.clone())));
        }
        self.lost()?;
        Error::all(self.errors).map_or(Ok(()), Err)
    }

    /// The tags that came to nothing. What a component hands down, or the head gives to all, is of use
    /// where one of them uses it.
    fn lost(&mut self) -> Result<()> {
        let slots = self
            .prepared
            .slots
            .iter()
            .zip(&self.waiting)
            .zip(&self.seen);
        let (seen, lost): (Vec<_>, Vec<_>) = slots
            .filter(|((_, waits), _)| **waits)
            .partition(|(_, seen)| **seen);
        if lost.is_empty() {
            return Ok(());
        }
        let key = |tag: &'a SendTag| (tag.place.file(), tag.place.range().start);
        let mut told = HashSet::new();
        for ((slot, _), _) in seen {
            told.extend(
                self.tags
                    .runs(slot.content())?
                    .iter()
                    .map(|(_, run)| key(run.tag)),
            );
        }
        for ((slot, _), _) in lost {
            for (_, run) in self.tags.runs(slot.content())? {
                if told.insert(key(run.tag)) {
                    let error = Error::data(
                        "this tag has no effect here: MJML does not use what it stands in",
                    );
                    self.errors.push(error.at(run.tag.place.clone()).hint(
                        "Put it where it is shown: into text, or into `href`, `src` or `alt`.",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn whole(error: Error) -> Error {
    error.hint("Put whole elements into a block, or the whole block into one element.")
}
