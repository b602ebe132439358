//! Walks a source and cuts out what waits for the reader.

use std::ops::Range;

use super::{
    CAPTURE, Markup, ROOTS, Role, SendTag, Source, Staged, Tags,
    code::{Code, Path},
    scan::{self, Piece},
    tags::Piece as CodePiece,
};
use crate::{compose::tokens, error::Error};

impl Tags {
    /// Cuts the tags of the sending moment out of `source`.
    ///
    /// # Errors
    /// Everything that cannot be staged, each at the author's place.
    pub(crate) fn stage(&mut self, source: &Source, markup: Markup) -> Result<Staged, Vec<Error>> {
        // A name that is ever set from the reader's data belongs to the reader throughout, also
        // where it is first set to a fixed value; so the source is read again when one is found.
        let mut set = Vec::new();
        loop {
            let (tags, marks, blocks) = (self.tags.len(), self.marks.len(), self.blocks);
            let known = set.len();
            let mut stage = Stage {
                tags: self,
                source,
                staged: Staged::new(source),
                open: Vec::new(),
                bound: Vec::new(),
                set,
                errors: Vec::new(),
            };
            stage.refuse_reserved();
            if stage.errors.is_empty() {
                stage.run(markup);
            }
            if !stage.errors.is_empty() {
                return Err(stage.errors);
            }
            if stage.set.len() == known {
                return Ok(stage.staged);
            }
            set = stage.set;
            self.tags.truncate(tags);
            self.marks.truncate(marks);
            self.blocks = blocks;
        }
    }
}

/// Which characters can be used.
const RESERVED: &str =
    "The private-use planes 15 and 16 are reserved for tags; icon fonts use U+E000 to U+F8FF.";

/// A block that is open.
struct Open {
    /// Its first word; `call` for a component that is called with a body.
    keyword: String,
    range: Range<usize>,
    /// Its number, when it belongs to the moment of sending.
    sending: Option<usize>,
    /// How many names were bound before it.
    bound: usize,
}

struct Stage<'a> {
    tags: &'a mut Tags,
    source: &'a Source,
    staged: Staged,
    open: Vec<Open>,
    /// Names that loops of the sending moment have bound here.
    bound: Vec<String>,
    /// Names that are set at the moment of sending, anywhere in the source.
    set: Vec<String>,
    errors: Vec<Error>,
}

impl Stage<'_> {
    /// Refuses what an author cannot write: our own characters, encoded ones as well, and control
    /// characters.
    fn refuse_reserved(&mut self) {
        let code = match tokens::is_plain(&self.source.code) {
            true => "",
            false => &self.source.code,
        };
        for (at, character) in code.char_indices() {
            let hint = if tokens::is_reserved(character) {
                RESERVED
            } else if character.is_control() && !matches!(character, '\t' | '\n' | '\r') {
                "No mail may hold control characters; delete it."
            } else {
                continue;
            };
            let what = if tokens::is_reserved(character) {
                "private-use"
            } else {
                "control"
            };
            let message = format!(
                "the {what} character U+{:04X} cannot be used",
                u32::from(character)
            );
            return self.refuse(&(at..at + character.len_utf8()), message, hint);
        }
        // What is encoded is brought back before the tags are put in again, and would be one of them.
        if let Some((character, range)) = tokens::encoded(&self.source.code) {
            let message = format!(
                "the private-use character U+{:04X} cannot be used, nor can `{}`",
                u32::from(character),
                &self.source.code[range.clone()]
            );
            self.refuse(&range, message, RESERVED);
        }
    }

    fn run(&mut self, markup: Markup) {
        let code = self.source.code.clone();
        for piece in scan::pieces(&code) {
            match piece {
                Piece::Text(range) if markup == Markup::Mjml => self.mark(range),
                Piece::Text(range) | Piece::Other(range) => self.staged.copy(range),
                Piece::Print(tag) => self.print(&tag),
                Piece::Statement(tag) => self.statement(&tag),
            }
        }
        for open in std::mem::take(&mut self.open) {
            if open.sending.is_some() {
                self.refuse(
                    &open.range,
                    format!("`{}` is never closed", open.keyword),
                    format!("Write `{{% end{} %}}` where it ends.", open.keyword),
                );
            }
        }
    }

    /// Copies text and puts a mark after the name of each tag of the markup.
    fn mark(&mut self, range: Range<usize>) {
        let code = &self.source.code;
        let bytes = code.as_bytes();
        let mut copied = range.start;
        let mut at = range.start;
        while let Some(less) = code[at..range.end].find('<').map(|found| at + found) {
            let name = less + 1 + usize::from(bytes.get(less + 1) == Some(&b'/'));
            let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte);
            let length = bytes.get(name..range.end).unwrap_or_default().iter();
            let end = name + length.take_while(|byte| inside(byte)).count();
            at = end.clamp(less + 1, range.end);
            // A name that runs into a tag is not over yet.
            let begins = bytes.get(name).is_some_and(u8::is_ascii_alphabetic);
            if !begins || end >= range.end {
                continue;
            }
            let Some(mark) = tokens::mark(self.tags.marks.len()) else {
                break;
            };
            self.tags.marks.push(self.source.place(less..end));
            self.staged.copy(copied..end);
            self.staged.insert(mark.encode_utf8(&mut [0; 4]), end);
            copied = end;
        }
        self.staged.copy(copied..range.end);
    }

    fn print(&mut self, tag: &scan::Tag) {
        let code = Code::new(&self.source.code[tag.code.clone()]);
        let paths = code.printed_paths(&|name| self.is_sending(name));
        if !is_sending(&paths) {
            return self.staged.copy(tag.range.clone());
        }
        if code.keyword() == "<" {
            return self.refuse_component(&tag.range);
        }
        self.cut(tag, Role::Print, &paths);
    }

    fn statement(&mut self, tag: &scan::Tag) {
        let source = self.source.code[tag.code.clone()].to_owned();
        let code = Code::new(&source);
        let paths = code.paths(&|name| self.is_sending(name));
        let keyword = code.keyword();
        self.refuse_names(tag, &code);
        let role = match keyword {
            "if" | "for" => {
                let sending = is_sending(&paths);
                self.open(keyword, &tag.range, sending);
                if keyword == "for" && sending {
                    self.bound
                        .extend(code.binds().into_iter().map(String::from));
                }
                self.opened().map(Role::Open)
            }
            "elif" | "else" => self.middle(tag, keyword, &paths),
            "set" | "set_global" => {
                let rebinds = code.binds().iter().any(|name| self.is_sending(name));
                let sending = is_sending(&paths) || rebinds || self.waits();
                for name in code.binds() {
                    if sending && !self.set.iter().any(|known| known == name) {
                        self.set.push(name.to_owned());
                    }
                }
                if code.has_value() {
                    sending.then_some(Role::Statement)
                } else {
                    self.open("set", &tag.range, sending);
                    self.opened().map(Role::Open)
                }
            }
            "break" | "continue" => self.leave(tag, keyword),
            "block" | "component" => {
                self.open(keyword, &tag.range, false);
                None
            }
            "filter" => {
                if is_sending(&paths) {
                    self.refuse_filter(&tag.range);
                }
                self.open(keyword, &tag.range, false);
                None
            }
            "<" => {
                if is_sending(&paths) {
                    self.refuse_component(&tag.range);
                }
                if !code.closes_itself() {
                    self.open("call", &tag.range, false);
                }
                None
            }
            "include" | "extends" if is_sending(&paths) => {
                self.refuse(
                    &tag.range,
                    format!("`{keyword}` cannot depend on the reader"),
                    format!("Templates are put together before anyone reads; use `{{% if subscriber.… %}}` around an `{keyword}` with a fixed name."),
                );
                None
            }
            "</" => self.close(tag, "call"),
            _ => match keyword.strip_prefix("end") {
                Some(begun) if !begun.is_empty() => self.close(tag, begun),
                _ => None,
            },
        };
        match role {
            Some(role) => self.cut(tag, role, &paths),
            None => self.staged.copy(tag.range.clone()),
        }
    }

    fn open(&mut self, keyword: &str, range: &Range<usize>, sending: bool) {
        let sending = sending.then(|| {
            self.tags.blocks += 1;
            self.tags.blocks
        });
        self.open.push(Open {
            keyword: keyword.to_owned(),
            range: range.clone(),
            sending,
            bound: self.bound.len(),
        });
    }

    /// The number of the block that was opened last, when it waits for the reader.
    fn opened(&self) -> Option<usize> {
        self.open.last().and_then(|open| open.sending)
    }

    /// Whether a block around here waits for the reader.
    fn waits(&self) -> bool {
        self.open.iter().any(|open| open.sending.is_some())
    }

    fn middle(&mut self, tag: &scan::Tag, keyword: &str, paths: &[Path<'_>]) -> Option<Role> {
        let Some(open) = self.open.last() else {
            return None; // Tera says so.
        };
        if open.sending.is_none() && is_sending(paths) {
            self.refuse(
                &tag.range,
                format!("this `{keyword}` depends on the reader, but its `if` is decided when the issue is composed"),
                "Write `{% else %}{% if subscriber.… %}…{% endif %}{% endif %}` instead.",
            );
            return None;
        }
        open.sending.map(Role::Middle)
    }

    fn leave(&mut self, tag: &scan::Tag, keyword: &str) -> Option<Role> {
        let innermost = self.open.iter().rposition(|open| open.keyword == "for")?;
        if self.open[innermost].sending.is_some() {
            return Some(Role::Statement);
        }
        if self.open[innermost..]
            .iter()
            .any(|open| open.sending.is_some())
        {
            self.refuse(
                &tag.range,
                format!("this `{keyword}` depends on the reader, but its loop runs when the issue is composed"),
                "Put what depends on the reader into the `if` instead.",
            );
        }
        None
    }

    fn close(&mut self, tag: &scan::Tag, begun: &str) -> Option<Role> {
        let Some(open) = self.open.last() else {
            return None; // Tera says so.
        };
        if open.keyword != begun {
            if self.waits() {
                let line = self.source.place(open.range.clone()).line();
                let keyword = open.keyword.clone();
                self.refuse(
                    &tag.range,
                    format!(
                        "this closes a `{begun}`, but the `{keyword}` of line {line} is still open"
                    ),
                    format!("Close the `{keyword}` first."),
                );
                self.open.pop();
            }
            return None;
        }
        let open = self.open.pop()?;
        self.bound.truncate(open.bound);
        open.sending.map(Role::Close)
    }

    fn is_sending(&self, name: &str) -> bool {
        if name == "loop" {
            let innermost = self.open.iter().rev().find(|open| open.keyword == "for");
            return innermost.is_some_and(|open| open.sending.is_some());
        }
        let mut names = self.bound.iter().chain(&self.set);
        ROOTS.contains(&name) || names.any(|known| known == name)
    }

    /// Replaces a tag by its character and what captures its values.
    fn cut(&mut self, tag: &scan::Tag, role: Role, paths: &[Path<'_>]) {
        if self.open.iter().any(|open| open.keyword == "filter") {
            return self.refuse_filter(&tag.range);
        }
        let Some(token) = tokens::tag(self.tags.tags.len()) else {
            return self.refuse(
                &tag.range,
                format!("more than {} tags wait for the reader", tokens::MOST_TAGS),
                "Use fewer tags of `subscriber`.",
            );
        };
        if tag.trims_before {
            self.staged.insert("{#- #}", tag.range.start);
        }
        self.staged
            .insert(token.encode_utf8(&mut [0; 4]), tag.range.start);
        let code = &self.source.code[tag.code.clone()];
        let mut pieces = Vec::new();
        let mut written = 0;
        for path in paths.iter().filter(|path| !path.sending) {
            pieces.push(CodePiece::Code(code[written..path.range.start].to_owned()));
            pieces.push(CodePiece::Captured);
            written = path.range.end;
            let range = tag.code.start + path.range.start..tag.code.start + path.range.end;
            self.staged.insert("{{ ", range.start);
            self.staged.copy(range.clone());
            self.staged
                .insert(&format!(" | {CAPTURE} }}}}"), range.start);
        }
        pieces.push(CodePiece::Code(code[written..].to_owned()));
        if tag.trims_after {
            self.staged.insert("{# -#}", tag.range.end);
        }
        let fields = paths.iter().filter_map(|path| path.field);
        self.tags.tags.push(SendTag {
            role,
            pieces,
            place: self.source.place(tag.range.clone()),
            fields: fields.map(String::from).collect(),
            unsubscribes: paths.iter().any(|path| path.root == "unsubscribe_url"),
        });
    }

    fn refuse_names(&mut self, tag: &scan::Tag, code: &Code<'_>) {
        for name in code.binds() {
            let loops = matches!(code.keyword(), "for" | "component");
            if ROOTS.contains(&name) || (loops && self.is_sending(name)) {
                self.refuse(
                    &tag.range,
                    format!("`{name}` is already the name of something of the reader's"),
                    "Choose another name.",
                );
            }
        }
    }

    fn refuse_component(&mut self, range: &Range<usize>) {
        self.refuse(
            range,
            "an argument of a component cannot depend on the reader",
            "Use `subscriber` within the component itself, or put `{% if subscriber.… %}` around the call.",
        );
    }

    fn refuse_filter(&mut self, range: &Range<usize>) {
        self.refuse(
            range,
            "a `filter` section runs when the issue is composed and cannot hold what depends on the reader",
            "Apply the filter to the value: `{{ subscriber.name | upper }}`.",
        );
    }

    fn refuse(
        &mut self,
        range: &Range<usize>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let place = self.source.place(range.clone());
        self.errors.push(Error::data(message).at(place).hint(hint));
    }
}

fn is_sending(paths: &[Path<'_>]) -> bool {
    paths.iter().any(|path| path.sending)
}
