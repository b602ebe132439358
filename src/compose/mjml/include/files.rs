//! Which file an `mj-include` names, and whether it may be brought in.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    rc::Rc,
};

use super::Expanded;
use crate::{
    compose::{
        mjml::{
            Include, Included,
            reader::{LONGEST, Origin},
            tree::Element,
        },
        templates, tokens,
    },
    error::{Error, Kind, Result},
    finding::Finding,
    place::Place,
};

/// Files that include files are followed no deeper, the document itself among them.
pub(super) const LONGEST_CHAIN: usize = 32;
/// More includes are refused, each counted as often as it is brought in.
const MOST: usize = 20_000;
/// Who has made so many mistakes is told of the others later.
const MOST_ERRORS: usize = 100;

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Mjml,
    Css,
    Html,
}

impl Type {
    pub(super) fn of(include: &Element) -> Self {
        match include.attribute("type") {
            Some("css") => Self::Css,
            Some("html") => Self::Html,
            _ => Self::Mjml,
        }
    }

    /// What is wrong with a type that MJML does not know, and takes for its own.
    pub(super) fn fault(include: &Element) -> Option<Finding> {
        let attributes = include.attributes.iter();
        let mut types = attributes.filter(|attribute| attribute.name == "type");
        let written = types.next()?;
        if matches!(written.value.as_str(), "" | "css" | "html" | "mjml") {
            return None;
        }
        let message = format!("`type` of `<mj-include>` is `{}`", written.value);
        let finding = Finding::warning("mjml-bad-value", message);
        let finding = finding.at(include.place_of_value(written));
        Some(finding.hint("Write `css`, `html` or `mjml`; it is read as MJML otherwise."))
    }
}

/// Why a file is not brought in.
pub(super) enum Trouble {
    /// It is not there; what is said in its place, and what it was looked for as.
    Missing(Box<Finding>, String),
    Refused(Error),
}

/// A file's name, and bytes in it.
type Spot = (String, Range<usize>);

/// The files that a document can include.
pub(super) struct Files<'a> {
    pub(super) origin: Origin<'a>,
    include: Include<'a>,
    /// What was asked for before; a file is opened once, however often it is included.
    opened: HashMap<String, Result<Rc<Included>>>,
    /// The files that are being expanded, outermost first.
    chain: Vec<String>,
    /// How much may still be brought in.
    bytes_left: usize,
    includes_left: usize,
    /// Whether that was not enough.
    pub(super) is_spent: bool,
    pub(super) expanded: Expanded,
    /// The errors that were told.
    refused: HashSet<(Option<Spot>, String)>,
}

impl<'a> Files<'a> {
    /// For a document that was read from `bytes` of text.
    pub(super) fn new(bytes: usize, origin: Origin<'a>, include: Include<'a>) -> Self {
        Self {
            origin,
            include,
            opened: HashMap::new(),
            chain: vec![origin.file().to_owned()],
            bytes_left: LONGEST.saturating_sub(bytes),
            includes_left: MOST,
            is_spent: false,
            expanded: Expanded::default(),
            refused: HashSet::new(),
        }
    }

    /// Says that a file is being expanded.
    pub(super) fn enter(&mut self, name: &str) {
        self.chain.push(name.to_owned());
    }

    /// Says that it no longer is.
    pub(super) fn leave(&mut self) {
        self.chain.pop();
    }

    /// The file that an `mj-include` names.
    pub(super) fn find(&mut self, include: &Element, kind: Type) -> Result<Rc<Included>, Trouble> {
        let written = include.attribute("path").unwrap_or_default();
        if written.is_empty() {
            let finding = Finding::error("mjml-include", "`<mj-include>` names no file");
            let hint = "Write `path=\"…\"`, relative to the file that it stands in.";
            return Err(Trouble::Missing(
                Box::new(finding.hint(hint)),
                String::new(),
            ));
        }
        if tokens::wait_in(written) {
            let error = Error::data("which file is included cannot depend on the reader");
            return Err(Trouble::Refused(error.at(include.place.clone()).hint(
                "Put `{% if subscriber.… %}` around the `<mj-include>`, or into the file.",
            )));
        }
        let path = decoded(written);
        if path.contains("://") || path.starts_with("//") {
            let message = format!("`{path}` is an address, where the path of a file is needed");
            let finding = Finding::error("mjml-include", message);
            let hint = "Save a copy beside your own files, and write its path.";
            return Err(Trouble::Missing(Box::new(finding.hint(hint)), path));
        }
        let sought = beside(include.place.file(), &path);
        if self.includes_left == 0 {
            self.is_spent = true;
            let error = Error::data(format!("files are included more than {MOST} times"));
            return Err(Trouble::Refused(error));
        }
        self.includes_left -= 1;
        let opened = match self.opened.get(&sought) {
            Some(opened) => opened.clone(),
            None => {
                let opened = (self.include)(&sought).map(Rc::new);
                self.opened.insert(sought.clone(), opened.clone());
                opened
            }
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == Kind::NoInput => {
                let mut finding = Finding::error("mjml-include", error.message());
                finding.hint = error.hints().first().cloned();
                return Err(Trouble::Missing(Box::new(finding), sought));
            }
            Err(error) => {
                // What is wrong within the file is said there, and who asked for it.
                if let Some(place) = error.place() {
                    let file = place.file().to_owned();
                    self.expanded.trail.add(&file, &include.place);
                }
                return Err(Trouble::Refused(error));
            }
        };
        if !matches!(kind, Type::Css)
            && let Some(error) = self.unrendered(&file, &include.place)
        {
            return Err(Trouble::Refused(error));
        }
        let Some(left) = self.bytes_left.checked_sub(file.content().len()) else {
            self.is_spent = true;
            let megabytes = LONGEST / 1024 / 1024;
            let message =
                format!("with all that it includes, the MJML is larger than {megabytes} MiB");
            return Err(Trouble::Refused(Error::data(message)));
        };
        self.bytes_left = left;
        Ok(file)
    }

    /// In a template, a file that is none must not show its tags to readers.
    fn unrendered(&mut self, file: &Included, from: &Place) -> Option<Error> {
        if file.composed.is_some() {
            return None;
        }
        let range = self.tag(file.text.content())?;
        self.expanded.trail.add(file.text.name(), from);
        let error = Error::data("there is a tag in a file that is not a template");
        Some(error.at(file.text.place(range)).hint(
            "Templates are files in `templates/` that end in `.mjml` or `.html`; move it there.",
        ))
    }

    /// In a template, what a file of CSS shows to readers as it is.
    pub(super) fn verbatim_tag(&mut self, file: &Included, from: &Place) -> Option<Finding> {
        let range = self.tag(file.text.content())?;
        self.expanded.trail.add(file.text.name(), from);
        let message =
            "there is a tag in a style that is not a template, and it stays there as it is";
        let finding = Finding::warning("mjml-include", message).at(file.text.place(range));
        Some(finding.hint("Put what depends on it into an `<mj-style>` of the template."))
    }

    /// Where a text that is not composed has its first tag, if that matters.
    fn tag(&self, content: &str) -> Option<Range<usize>> {
        if !matches!(self.origin, Origin::Composed { .. }) {
            return None;
        }
        let at = [content.find("{{"), content.find("{%")];
        let at = at.into_iter().flatten().min()?;
        Some(at..at + 2)
    }

    /// An error if to include `name` would lead back to it, or down without end.
    pub(super) fn endless(&self, include: &Element, name: &str) -> Option<Error> {
        let mut files: Vec<&str> = self.chain.iter().map(String::as_str).collect();
        // A template may come from several files, and only one of them holds this include.
        if files.last() != Some(&include.place.file()) {
            files.push(include.place.file());
        }
        let error = if let Some(first) = files.iter().position(|file| *file == name) {
            let between: Vec<String> = files[first + 1..]
                .iter()
                .map(|file| format!("includes `{file}`, which "))
                .collect();
            let message = match between.as_slice() {
                [] => format!("`{name}` includes itself"),
                between => format!("`{name}` {}includes `{name}`", between.concat()),
            };
            Error::data(message).hint("Take one of these includes out.")
        } else if files.len() >= LONGEST_CHAIN {
            let message = format!("more than {LONGEST_CHAIN} files include each other in a row");
            Error::data(message).hint("Take some of the files between out.")
        } else {
            return None;
        };
        Some(error.at(include.place.clone()))
    }

    /// Keeps an error, once: a file that is included often is wrong in the same way each time.
    pub(super) fn refuse(&mut self, error: Error) {
        let place = error.place();
        let place = place.map(|place| (place.file().to_owned(), place.range()));
        let is_new = self.refused.insert((place, error.message().to_owned()));
        if is_new && self.expanded.errors.len() < MOST_ERRORS {
            let error = self.expanded.trail.tell(error);
            self.expanded.errors.push(error);
        }
        self.is_spent |= self.expanded.errors.len() >= MOST_ERRORS;
    }
}

/// A path as a file's name has it; one that is not percent-encoded stays as it is.
pub(super) fn decoded(path: &str) -> String {
    let mut pieces = path.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| !digits.starts_with('+'));
        let Some(Ok(byte)) = digits.map(|digits| u8::from_str_radix(digits, 16)) else {
            return path.to_owned();
        };
        bytes.push(byte);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

/// A path from the folder of `file`, as a path from the project's folder. It may lead out of that;
/// whoever opens it has to see.
pub(super) fn beside(file: &str, path: &str) -> String {
    let path = path.replace('\\', "/");
    if path.starts_with('/') {
        return path;
    }
    let file = match file.strip_prefix(templates::BUILT_IN_MARK) {
        Some(name) => format!("{}{name}", templates::FOLDER),
        None => file.to_owned(),
    };
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|part| *part != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let top = if file.starts_with('/') { "/" } else { "" };
    format!("{top}{}", parts.join("/"))
}
