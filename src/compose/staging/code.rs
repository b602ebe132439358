//! Reads the code of one tag: which paths it uses, and which names it binds.
//!
//! Not a parser: Tera is one, and says what is wrong. This only has to tell a path (`article.topic`)
//! from all else that is made of letters: strings, keyword arguments, filters, tests, functions.

use std::ops::Range;

/// A token of Tera's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    String,
    Number,
    Sign,
}

/// The code of a tag, cut into tokens.
#[derive(Clone, Debug)]
pub(super) struct Code<'a> {
    source: &'a str,
    tokens: Vec<(Kind, Range<usize>)>,
}

/// A path that a tag uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// Its first name.
    pub(super) root: &'a str,
    /// Where it stands in the code; of a path of the sending moment, only its root.
    pub(super) range: Range<usize>,
    /// Whether it belongs to the moment of sending.
    pub(super) sending: bool,
    /// For `subscriber.name` and `subscriber["name"]`: the name.
    pub(super) field: Option<&'a str>,
}

const KEYWORDS: [&str; 14] = [
    "and", "or", "not", "in", "is", "if", "else", "for", "true", "True", "false", "False", "none",
    "None",
];

const SIGNS: [&str; 10] = ["...", "//", "**", "==", "!=", ">=", "<=", "</", "?.", "?["];

impl<'a> Code<'a> {
    /// Cuts `source` into tokens.
    pub(super) fn new(source: &'a str) -> Self {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(first) = source[at..].chars().next() {
            let rest = &source[at..];
            let (kind, length) = if first.is_ascii_alphabetic() || first == '_' {
                let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
                (Kind::Name, rest.find(|c| !inside(c)).unwrap_or(rest.len()))
            } else if first.is_ascii_digit() {
                let inside = |c: char| c.is_ascii_digit() || c == '.';
                (
                    Kind::Number,
                    rest.find(|c| !inside(c)).unwrap_or(rest.len()),
                )
            } else if matches!(first, '"' | '\'' | '`') {
                (Kind::String, string_length(rest, first))
            } else if first.is_ascii_whitespace() {
                at += 1;
                continue;
            } else {
                let long = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                (Kind::Sign, long.map_or(first.len_utf8(), |sign| sign.len()))
            };
            tokens.push((kind, at..at + length));
            at += length;
        }
        Self { source, tokens }
    }

    /// The token at `index` as text; empty past the end.
    fn text(&self, index: usize) -> &'a str {
        self.tokens
            .get(index)
            .map_or("", |(_, range)| &self.source[range.clone()])
    }

    fn is_name(&self, index: usize) -> bool {
        matches!(self.tokens.get(index), Some((Kind::Name, _)))
    }

    /// The first word of a statement, or `<` and `</` for a component.
    pub(super) fn keyword(&self) -> &'a str {
        self.text(0)
    }

    /// Whether the last token is `/`, as in a component that has no body.
    pub(super) fn closes_itself(&self) -> bool {
        self.tokens.len() > 1
            && self.text(self.tokens.len() - 1) == ">"
            && self.text(self.tokens.len() - 2) == "/"
    }

    /// The names that a statement binds: those before `in` of a `for`, the one after `set`, the
    /// arguments of a component.
    pub(super) fn binds(&self) -> Vec<&'a str> {
        match self.keyword() {
            "for" => (1..self.tokens.len())
                .take_while(|index| self.text(*index) != "in")
                .filter(|index| self.is_name(*index))
                .map(|index| self.text(index))
                .collect(),
            "set" | "set_global" if self.is_name(1) => vec![self.text(1)],
            "component" => (2..self.tokens.len())
                .filter(|index| matches!(self.text(index - 1), "(" | "," | "@" | "..."))
                .filter(|index| self.is_name(*index))
                .map(|index| self.text(index))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a `set` has a value, rather than a body up to its `endset`.
    pub(super) fn has_value(&self) -> bool {
        self.text(2) == "="
    }

    /// The paths of an expression: of a print tag, or of a statement after its keyword and what it
    /// binds. `is_sending` tells the roots of the moment of sending.
    pub(super) fn paths(&self, is_sending: &dyn Fn(&str) -> bool) -> Vec<Path<'a>> {
        let first = match self.keyword() {
            "for" => {
                let names = (1..self.tokens.len()).find(|index| self.text(*index) == "in");
                names.map_or(self.tokens.len(), |index| index + 1)
            }
            "set" | "set_global" if self.is_name(1) => 2,
            "if" | "elif" | "include" | "extends" | "filter" => 1,
            "else" | "endif" | "endfor" | "endset" | "endblock" | "endfilter" | "endcomponent"
            | "break" | "continue" | "block" | "component" => self.tokens.len(),
            "<" | "</" => 2,
            _ => 0,
        };
        self.paths_between(first..self.tokens.len(), is_sending)
    }

    /// The paths of a print tag, whose first word is no keyword.
    pub(super) fn printed_paths(&self, is_sending: &dyn Fn(&str) -> bool) -> Vec<Path<'a>> {
        let first = if self.keyword() == "<" { 2 } else { 0 };
        self.paths_between(first..self.tokens.len(), is_sending)
    }

    fn paths_between(
        &self,
        tokens: Range<usize>,
        is_sending: &dyn Fn(&str) -> bool,
    ) -> Vec<Path<'a>> {
        let bound = self.bound_inside(tokens.clone());
        let mut paths = Vec::new();
        let mut index = tokens.start;
        while index < tokens.end {
            let start = index;
            index += 1;
            if !self.begins_path(start) {
                continue;
            }
            let root = self.text(start);
            if bound.contains(&root) {
                continue;
            }
            let sending = is_sending(root);
            if !sending {
                index = self.path_end(start, tokens.end, is_sending);
            }
            let range = self.tokens[start].1.start..self.tokens[index - 1].1.end;
            paths.push(Path {
                root,
                range,
                sending,
                field: self.field(start).filter(|_| root == "subscriber"),
            });
        }
        paths
    }

    /// The names that list comprehensions bind: `t` in `[t for t in subscriber.topics]`.
    fn bound_inside(&self, tokens: Range<usize>) -> Vec<&'a str> {
        let mut names = Vec::new();
        for index in tokens.clone() {
            if self.text(index) == "for" && self.is_name(index) {
                let bound = (index + 1..tokens.end)
                    .take_while(|index| self.text(*index) != "in")
                    .filter(|index| self.is_name(*index));
                names.extend(bound.map(|index| self.text(index)));
            }
        }
        names
    }

    fn begins_path(&self, index: usize) -> bool {
        if !self.is_name(index) || KEYWORDS.contains(&self.text(index)) {
            return false;
        }
        let before = |back: usize| index.checked_sub(back).map_or("", |at| self.text(at));
        let is_test = before(1) == "is" || (before(1) == "not" && before(2) == "is");
        let is_argument = self.text(index + 1) == "=" && index > 0;
        let is_function = self.text(index + 1) == "(";
        !matches!(before(1), "." | "?." | "|") && !is_test && !is_argument && !is_function
    }

    /// The token after the path that begins at `start`: names and brackets, as long as no bracket
    /// asks for something of the sending moment.
    fn path_end(&self, start: usize, end: usize, is_sending: &dyn Fn(&str) -> bool) -> usize {
        let mut index = start + 1;
        while index < end {
            match self.text(index) {
                "." | "?." if self.is_name(index + 1) => index += 2,
                "[" | "?[" => {
                    let Some(close) = self.bracket_end(index, end) else {
                        break;
                    };
                    let inside = self.paths_between(index + 1..close, is_sending);
                    if inside.iter().any(|path| path.sending) {
                        break;
                    }
                    index = close + 1;
                }
                _ => break,
            }
        }
        index.min(end)
    }

    fn bracket_end(&self, open: usize, end: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for index in open..end {
            match self.text(index) {
                // Tera takes no more than four; a limit keeps the search short on any input.
                "[" | "?[" if depth == 8 => return None,
                "[" | "?[" => depth += 1,
                "]" => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn field(&self, root: usize) -> Option<&'a str> {
        match self.text(root + 1) {
            "." | "?." if self.is_name(root + 2) => Some(self.text(root + 2)),
            "[" | "?[" if matches!(self.tokens.get(root + 2), Some((Kind::String, _))) => {
                let quoted = self.text(root + 2);
                quoted.get(1..quoted.len().checked_sub(1)?)
            }
            _ => None,
        }
    }
}

fn string_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == quote {
            return at + 1;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_sending(name: &str) -> bool {
        matches!(name, "subscriber" | "t")
    }

    fn paths(code: &str) -> Vec<&str> {
        Code::new(code)
            .paths(&is_sending)
            .into_iter()
            .map(|path| &code[path.range])
            .collect()
    }

    #[test]
    fn only_paths_are_paths() {
        assert_eq!(
            paths(
                r#"if a.b?.c and x is not defined or "y.z" in subscriber.topics | sort(by=n) == f(k=m) "#
            ),
            ["a.b?.c", "x", "subscriber", "n", "m"]
        );
        assert_eq!(paths("elif not true and none"), Vec::<&str>::new());
        assert_eq!(paths("for a, b in c[0]['d'].e"), ["c[0]['d'].e"]);
        assert_eq!(paths("set a = b ~ `c`"), ["b"]);
        assert_eq!(paths(" <card title={a.b} c /> "), ["a.b", "c"]);
    }

    #[test]
    fn a_bracket_of_the_sending_moment_ends_a_path() {
        assert_eq!(paths("prices[subscriber.plan]"), ["prices", "subscriber"]);
        assert_eq!(
            paths("prices[plans[t]][i].x"),
            ["prices", "plans", "t", "i"]
        );
    }

    #[test]
    fn a_list_comprehension_binds_its_name() {
        assert_eq!(
            paths("[x.y for x in subscriber.topics if x != article.topic]"),
            ["subscriber", "article.topic"]
        );
    }

    #[test]
    fn fields_are_named() {
        let code = Code::new("subscriber.first_name or subscriber['last-name'] or subscriber[a]");
        let fields: Vec<_> = code
            .paths(&is_sending)
            .iter()
            .filter_map(|path| path.field)
            .collect();
        assert_eq!(fields, ["first_name", "last-name"]);
    }

    #[test]
    fn statements_bind_names() {
        assert_eq!(Code::new("for a, b in c").binds(), ["a", "b"]);
        assert_eq!(Code::new("set a = b").binds(), ["a"]);
        assert_eq!(
            Code::new("component card(title: string, @issue, n=3, ...rest)").binds(),
            ["title", "issue", "n", "rest"]
        );
    }

    proptest! {
        #[test]
        fn any_code_can_be_read(code in "[a-c .?\\[\\](){}|=\"'`<>/0-9é~-]{0,40}") {
            let read = Code::new(&code);
            for path in read.paths(&is_sending).into_iter().chain(read.printed_paths(&is_sending)) {
                prop_assert!(code.get(path.range).is_some());
            }
        }
    }
}
