//! The tags that were cut out, until they are put in again.

use crate::{
    compose::tokens,
    error::{Error, Result},
    place::Place,
};

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `{{ … }}`.
    Print,
    /// `{% set … = … %}`, `{% break %}`, `{% continue %}`.
    Statement,
    /// Begins the block of this number.
    Open(usize),
    /// `else` or `elif` of the block.
    Middle(usize),
    /// Ends the block.
    Close(usize),
}

impl Role {
    /// Whether the tag itself prints nothing.
    pub(crate) fn is_silent(self) -> bool {
        self != Self::Print
    }
}

/// A piece of the code of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As the author wrote it.
    Code(String),
    /// A value that is captured when the issue is composed.
    Captured,
}

/// A tag of the author's that waits for the reader.
#[derive(Clone, Debug)]
pub(crate) struct SendTag {
    pub(crate) role: Role,
    pub(super) pieces: Vec<Piece>,
    /// Where the author wrote it.
    pub(crate) place: Place,
    /// The fields of the list that it asks for, in order.
    pub(crate) fields: Vec<String>,
    /// Whether it uses `unsubscribe_url`.
    pub(crate) unsubscribes: bool,
}

/// All tags that were cut out of the sources of one issue, and the marks put into them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags {
    pub(super) tags: Vec<SendTag>,
    pub(super) marks: Vec<Place>,
    pub(super) blocks: usize,
}

/// A tag as it was found in a composed text, with the values that it captured.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) tag: &'a SendTag,
    /// The code, ready for the moment of sending.
    pub(crate) code: String,
    /// How many bytes of the text it took.
    pub(crate) length: usize,
}

impl Tags {
    /// Whether nothing waits for the reader.
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Whether there are so many that those of a large newsletter might find no room beside them.
    pub(crate) fn are_crowded(&self) -> bool {
        self.tags.len() > tokens::MOST_TAGS / 4 || self.marks.len() > tokens::MOST_MARKS / 4
    }

    /// The tag that a character stands for.
    pub(crate) fn get(&self, character: char) -> Option<&SendTag> {
        self.tags.get(tokens::tag_index(character)?)
    }

    /// Where the tag of the markup stands that a mark was put into.
    pub(crate) fn marked(&self, mark: char) -> Option<&Place> {
        self.marks.get(tokens::mark_index(mark)?)
    }

    /// Reads the tag off the start of `text`, which must begin with one of our characters.
    ///
    /// # Errors
    /// When a filter has cut or shuffled the characters.
    pub(crate) fn run<'a>(&'a self, text: &str) -> Result<Run<'a>> {
        let mut characters = text.chars();
        let tag = characters.next().and_then(|first| self.get(first));
        let Some(tag) = tag else {
            return Err(Error::data(
                "a tag that waits for the reader was cut in two on the way",
            )
            .hint("A filter such as `truncate` must not be applied to text that holds tags of `subscriber`."));
        };
        let mut rest = characters.as_str();
        let mut code = String::new();
        for piece in &tag.pieces {
            match piece {
                Piece::Code(source) => code.push_str(source),
                Piece::Captured => {
                    let (value, after) = tokens::decode(rest).ok_or_else(|| {
                        Error::data("the values that this tag needs were cut on the way")
                            .at(tag.place.clone())
                            .hint("A filter such as `truncate` must not be applied to text that holds tags of `subscriber`.")
                    })?;
                    code.push_str(&value);
                    rest = after;
                }
            }
        }
        Ok(Run {
            tag,
            code,
            length: text.len() - rest.len(),
        })
    }

    /// The tags of a text, in order, each with where it begins.
    ///
    /// # Errors
    /// As [`Tags::run`].
    pub(crate) fn runs<'a>(&'a self, text: &str) -> Result<Vec<(usize, Run<'a>)>> {
        let mut runs = Vec::new();
        let mut at = 0;
        while let Some(next) = tokens::find_of_sending(&text[at..]) {
            let run = self.run(&text[at + next..])?;
            let start = at + next;
            at = start + run.length;
            runs.push((start, run));
        }
        Ok(runs)
    }

    /// A text with its tags written out, for people.
    pub(crate) fn shown(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut written = 0;
        for (at, run) in self.runs(text).unwrap_or_default() {
            out.push_str(&text[written..at]);
            let [open, close] = match run.tag.role {
                Role::Print => ["{{", "}}"],
                _ => ["{%", "%}"],
            };
            out.push_str(open);
            out.push_str(&run.code);
            out.push_str(close);
            written = at + run.length;
        }
        out.push_str(&text[written..]);
        out
    }
}
