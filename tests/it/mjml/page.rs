//! A page as a list of canonical lines: two pages are equal when their lists are.
//!
//! What is forgiven is cosmetic, and all of it is named here:
//! * white space: runs of it count as one blank, and none counts where a line begins or ends on the
//!   screen, nor between the parts of a menu, a carousel or an accordion;
//! * the order of attributes, and the quotes around them;
//! * how letters are escaped, in attributes and in text;
//! * the attribute `vertical-align`, which HTML does not know;
//! * `class` and `style` with nothing in them, and the order of classes;
//! * the order of declarations that cannot overrule each other (`color` and `padding`, but not
//!   `padding` and `padding-top`), and a semicolon after the last;
//! * a `padding` or `margin` in one declaration or side by side, where both mean the same;
//! * the case of hexadecimal colors, and three digits for six;
//! * `0px` for `0` in styles, and decimals after the third;
//! * ids that are generated, as long as the same elements share them;
//! * decimals after the third in the names of the classes that set the widths of columns;
//! * the order in which the rules of one component and those of another stand, no element having both,
//!   and of the rules for the widths of columns;
//! * the folder of a file that could not be included;
//! * where one comment for Outlook ends and the next begins, and the same of `<style>` blocks.
//!
//! Everything else counts, and everything counts in its order.

use std::{
    collections::HashMap,
    fmt::{self, Display},
    rc::Rc,
};

use super::{
    style,
    tag::{self, collapse, is_blank, is_generated},
};

/// What a page is made of, in order.
#[derive(PartialEq, Eq)]
pub struct Page {
    pub tokens: Vec<Token>,
}

/// One tag, text, comment or rule of CSS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The condition of the comment for Outlook that it stands in; empty for what everyone sees.
    pub scope: Rc<str>,
    pub kind: Kind,
    /// All that counts of it.
    pub line: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tag, start or end, that begins a new line on the screen.
    Block,
    /// A tag within a line, which shows nothing by itself.
    Inline,
    /// What stands in a line as a letter does.
    Picture,
    Text,
    /// A comment, or what opens or closes a part that only Outlook skips.
    Comment,
    /// A rule of CSS.
    Rule,
}

impl Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scope.is_empty() {
            write!(formatter, "[{}] ", self.scope)?;
        }
        formatter.write_str(&self.line)
    }
}

/// The tags that stand within a line of text.
const INLINE: [&str; 26] = [
    "a", "abbr", "b", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
    "label", "mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "time", "tt",
    "u",
];

/// The elements whose content is no HTML.
const RAW: [&str; 3] = ["script", "textarea", "title"];

impl Page {
    pub fn read(html: &str) -> Self {
        let mut reader = Reader {
            tokens: Vec::new(),
            open: Vec::new(),
        };
        reader.read(html.trim_start_matches('\u{feff}'), &Rc::from(""));
        let mut tokens = without_blanks(&reader.tokens);
        name_ids(&mut tokens);
        let alike = |a: &Token, b: &Token| {
            a.scope == b.scope && component(a).is_some() && component(b).is_some()
        };
        for rules in tokens.chunk_by_mut(alike) {
            rules.sort_by_cached_key(|rule| match component(rule) {
                Some(COLUMN) => (COLUMN, rule.line.clone()),
                other => (other.unwrap_or_default(), String::new()),
            });
        }
        Self { tokens }
    }
}

struct Reader {
    tokens: Vec<Token>,
    /// The elements that are open, and what their tags are.
    open: Vec<(String, Kind)>,
}

impl Reader {
    fn read(&mut self, html: &str, scope: &Rc<str>) {
        let mut rest = html;
        while !rest.is_empty() {
            let next = rest.chars().nth(1).unwrap_or(' ');
            rest = if let Some(comment) = rest.strip_prefix("<!--") {
                self.comment(comment, scope)
            } else if rest.starts_with("</") {
                let (tag, after) = cut(rest, ">");
                let name = tag[2..].trim().to_lowercase();
                let at = self.open.iter().rposition(|(open, _)| *open == name);
                let kind = at.map_or_else(|| kind(&name, &[]), |at| self.open.remove(at).1);
                self.push(scope, kind, format!("</{name}>"));
                after
            } else if rest.starts_with("<!") || rest.starts_with("<?") {
                let (other, after) = cut(rest, ">");
                let line = format!("{}>", collapse(other).to_lowercase());
                self.push(scope, Kind::Comment, line);
                after
            } else if rest.starts_with('<') && next.is_ascii_alphabetic() {
                self.element(rest, scope)
            } else {
                // A `<` that opens nothing is text.
                let from = usize::from(rest.starts_with('<'));
                let end = rest[from..].find('<').map_or(rest.len(), |end| from + end);
                self.text(&rest[..end], scope);
                &rest[end..]
            };
        }
    }

    fn push(&mut self, scope: &Rc<str>, kind: Kind, line: String) {
        let scope = Rc::clone(scope);
        self.tokens.push(Token { scope, kind, line });
    }

    /// Texts that only a split comment stands between are one.
    fn text(&mut self, text: &str, scope: &Rc<str>) {
        match self.tokens.last_mut() {
            Some(last) if last.kind == Kind::Text && last.scope == *scope => {
                last.line.push_str(text)
            }
            _ => self.push(scope, Kind::Text, text.to_owned()),
        }
    }

    fn comment<'a>(&mut self, comment: &'a str, scope: &Rc<str>) -> &'a str {
        if let Some(after) = comment
            .strip_prefix('>')
            .or_else(|| comment.strip_prefix("->"))
        {
            self.push(scope, Kind::Comment, "<!---->".to_owned());
            return after;
        }
        let (text, after) = cut(comment, "-->");
        let condition = text
            .trim()
            .strip_prefix("[if ")
            .and_then(|text| text.split_once("]>"));
        match condition
            .map(|(condition, inner)| (condition, inner.trim_end().strip_suffix("<![endif]")))
        {
            Some((condition, Some(inner))) => {
                let condition = collapse(condition).to_lowercase();
                let inner_scope = match &**scope {
                    "" => condition,
                    outer => format!("{outer} & {condition}"),
                };
                self.read(inner, &Rc::from(inner_scope));
            }
            _ => {
                let text = collapse(text);
                let text = match text.split_once(" at ") {
                    Some((what, _)) if what.starts_with("mj-include fails to read file : ") => what,
                    _ => &text,
                };
                self.push(scope, Kind::Comment, format!("<!-- {text} -->"));
            }
        }
        after
    }

    fn element<'a>(&mut self, html: &'a str, scope: &Rc<str>) -> &'a str {
        let (name, attributes, closes, after) = tag::start(html);
        if name == "style" {
            let (css, after) = cut(after, "</style>");
            let plain = attributes
                .iter()
                .all(|(name, value)| name == "type" && value == "text/css");
            let prefix = if plain {
                String::new()
            } else {
                format!("{} ", tag::shown(&name, &attributes, closes))
            };
            for rule in style::rules(css) {
                self.push(scope, Kind::Rule, format!("{prefix}{rule}"));
            }
            return after;
        }
        let kind = kind(&name, &attributes);
        self.push(scope, kind, tag::shown(&name, &attributes, closes));
        if kind != Kind::Picture {
            self.open.push((name.clone(), kind));
        }
        if !RAW.contains(&name.as_str()) {
            return after;
        }
        let end = after.find(&format!("</{name}")).unwrap_or(after.len());
        self.text(&after[..end], scope);
        &after[end..]
    }
}

/// What stands before `end`, and what after it.
fn cut<'a>(text: &'a str, end: &str) -> (&'a str, &'a str) {
    text.split_once(end).unwrap_or((text, ""))
}

fn kind(name: &str, attributes: &[(String, String)]) -> Kind {
    let is_part = |(name, value): &(String, String)| {
        let parts = ["mj-menu", "mj-link", "mj-carousel", "mj-accordion"];
        name == "class" && parts.iter().any(|part| value.contains(part))
    };
    match name {
        _ if attributes.iter().any(is_part) => Kind::Block,
        "img" | "input" | "button" => Kind::Picture,
        _ if INLINE.contains(&name) => Kind::Inline,
        _ => Kind::Block,
    }
}

const COLUMN: &str = ".mj-column-p";

/// The component that a rule of MJML's own is for.
fn component(token: &Token) -> Option<&'static str> {
    let of = [
        COLUMN,
        ".mj-full-width-mobile",
        ".mj-menu",
        ".mj-carousel",
        ".mj-accordion",
        // Of an accordion, too; it does nothing but close what Gmail would read on.
        "@goodbye",
    ];
    let is_of = |name: &&str| token.line.contains(*name);
    let is_rule = token.kind == Kind::Rule;
    of.into_iter().find(|name| is_rule && is_of(name))
}

/// Texts with their white space collapsed, and without any where it shows nowhere.
fn without_blanks(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != Kind::Text {
            kept.push(token.clone());
            continue;
        }
        let counts = |other: &&Token| {
            let is_blank = other.kind == Kind::Text && other.line.trim_matches(is_blank).is_empty();
            let shows = !is_blank && !matches!(other.kind, Kind::Comment | Kind::Inline);
            other.scope == token.scope && shows
        };
        let before = tokens[..at].iter().rev().find(counts);
        let after = tokens[at + 1..].iter().find(counts);
        let breaks = |other: Option<&Token>| {
            other.is_none_or(|other| matches!(other.kind, Kind::Block | Kind::Rule))
        };
        let mut line = tag::unescaped(&collapse(&token.line));
        if line.is_empty() {
            if !breaks(before) && !breaks(after) {
                line.push(' ');
            }
        } else {
            if token.line.starts_with(is_blank) && !breaks(before) {
                line.insert(0, ' ');
            }
            if token.line.ends_with(is_blank) && !breaks(after) {
                line.push(' ');
            }
        }
        if !line.is_empty() {
            kept.push(Token {
                line,
                ..token.clone()
            });
        }
    }
    kept
}

/// Numbers the ids that were generated in the order in which they appear.
fn name_ids(tokens: &mut [Token]) {
    let mut known: HashMap<String, usize> = HashMap::new();
    for token in tokens.iter_mut().filter(|token| token.kind != Kind::Text) {
        let mut line = String::with_capacity(token.line.len());
        let mut rest = token.line.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            let (before, word) = rest.split_at(start);
            let end = word
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            line.push_str(before);
            if is_generated(word) && !before.ends_with('#') {
                let next = known.len();
                let number = known.entry(word.to_owned()).or_insert(next);
                line.push_str(&format!("(id {number})"));
            } else {
                line.push_str(word);
            }
            rest = after;
        }
        line.push_str(rest);
        token.line = line;
    }
}
