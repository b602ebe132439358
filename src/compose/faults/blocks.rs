//! Tags that open and close each other: Tera says where a file ended or which tag it did not know; an
//! author wants to see the tag that was left open.

use std::ops::Range;

use crate::error::nearest;

/// The tags that need an end, each with it.
const BLOCKS: [(&str, &str); 7] = [
    ("if", "endif"),
    ("for", "endfor"),
    ("block", "endblock"),
    ("set", "endset"),
    ("filter", "endfilter"),
    ("component", "endcomponent"),
    ("raw", "endraw"),
];

/// The tags that need none.
const OTHERS: [&str; 7] = [
    "else",
    "elif",
    "include",
    "extends",
    "set_global",
    "break",
    "continue",
];

/// A tag without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// `if` for a block; `{{` or `{%` for a tag that itself never ends.
    what: String,
}

impl Open {
    /// What to say about it, and what would be right.
    pub(super) fn words(&self) -> (String, String) {
        let what = &self.what;
        let end = match BLOCKS.iter().find(|(name, _)| name == what) {
            Some((_, end)) => format!("{{% {end} %}}"),
            None if what == "{{" => "}}".to_owned(),
            None => "%}".to_owned(),
        };
        (
            format!("`{what}` is never closed"),
            format!("Write `{end}` where it ends."),
        )
    }
}

/// The last tag of `template` that is open where it ends.
pub(super) fn open(template: &str) -> Option<Open> {
    let mut blocks: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(start) = template[at..].find('{').map(|found| at + found) {
        let rest = &template[start..];
        let close = match rest.as_bytes().get(1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = start + 1;
                continue;
            }
        };
        let inside = start + 2;
        let Some(length) = end_of_tag(&template[inside..], close) else {
            let line = rest.lines().next().unwrap_or_default().trim_end();
            return Some(Open {
                range: start..start + line.len(),
                what: rest[..2].to_owned(),
            });
        };
        at = inside + length + 2;
        if close != "%}" {
            continue;
        }
        let code = template[inside..inside + length]
            .trim_matches('-')
            .trim_start();
        let name = name(code);
        if name == "raw" {
            match end_of_raw(&template[at..]) {
                Some(length) => at += length,
                None => {
                    return Some(Open {
                        range: start..at,
                        what: name.to_owned(),
                    });
                }
            }
        } else if BLOCKS.iter().any(|(_, end)| *end == name) {
            blocks.pop();
        } else if BLOCKS.iter().any(|(begin, _)| *begin == name)
            && !(name == "set" && code.contains('='))
        {
            blocks.push(Open {
                range: start..at,
                what: name.to_owned(),
            });
        }
    }
    blocks.pop()
}

/// Where `close` stands, outside of quotes.
fn end_of_tag(code: &str, close: &str) -> Option<usize> {
    if close == "#}" {
        return code.find(close);
    }
    let mut quote = None;
    for (at, c) in code.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if code[at..].starts_with(close) => return Some(at),
            None if "\"'`".contains(c) => quote = Some(c),
            None => {}
        }
    }
    None
}

/// The bytes up to the end of `{% endraw %}`.
fn end_of_raw(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(start) = text[at..].find("{%").map(|found| at + found + 2) {
        let code = text[start..].trim_start_matches('-').trim_start();
        if name(code) == "endraw" {
            return text[start..].find("%}").map(|length| start + length + 2);
        }
        at = start;
    }
    None
}

/// The names of the components that a template defines.
pub(super) fn components(template: &str) -> impl Iterator<Item = &str> {
    template.split("{%").skip(1).filter_map(|tag| {
        let code = tag.trim_start_matches('-').trim_start();
        let code = code.strip_prefix("component")?;
        Some(name(code.trim_start())).filter(|name| !name.is_empty())
    })
}

fn name(code: &str) -> &str {
    let length = code.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &code[..length.unwrap_or(code.len())]
}

/// What to say about a tag that Tera does not know where `word` begins it, and what would be right.
/// `open` is the block that it stands in.
pub(super) fn stray(word: &str, open: Option<Open>) -> (String, String) {
    let word = name(word.trim_start_matches(['{', '%', '-', ' ']));
    let is_end = BLOCKS.iter().any(|(_, end)| *end == word);
    if let Some(open) = open.filter(|_| is_end) {
        let what = &open.what;
        return (
            format!("`{{% {word} %}}` closes nothing here: `{what}` is still open"),
            format!("Write `{{% end{what} %}}` before it."),
        );
    }
    if let Some((begin, _)) = BLOCKS.iter().find(|(_, end)| *end == word) {
        return (
            format!("`{{% {word} %}}` closes nothing here"),
            format!("Take it out, or write the `{{% {begin} … %}}` that it closes."),
        );
    }
    if matches!(word, "else" | "elif") {
        return (
            format!("`{{% {word} %}}` belongs to no `{{% if … %}}` here"),
            "An `if` has one `else`, behind every `elif`; take this one out.".to_owned(),
        );
    }
    if matches!(word, "macro" | "endmacro" | "import") {
        return (
            format!("there is no tag `{word}`"),
            "Tera 2 has components instead: `{% component name(argument) %}`, known in every template."
                .to_owned(),
        );
    }
    let begins = BLOCKS.iter().map(|(begin, _)| *begin);
    let ends = BLOCKS.iter().map(|(_, end)| *end);
    let hint = match nearest(word, begins.chain(ends).chain(OTHERS)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "A value is printed by `{{ … }}`.".to_owned(),
    };
    let message = if word.is_empty() {
        "a tag without a name".to_owned()
    } else {
        format!("there is no tag `{word}`")
    };
    (message, hint)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn what(template: &str) -> Option<(String, &str)> {
        open(template).map(|open| (open.what, &template[open.range]))
    }

    #[test]
    fn the_tag_that_was_left_open_is_found() {
        let open = |template| what(template).map(|(_, text)| text);
        assert_eq!(
            open("{% for a in b %}{% if c %}{% endif %}"),
            Some("{% for a in b %}")
        );
        assert_eq!(open("{% for a in b %}{%- if c -%}x"), Some("{%- if c -%}"));
        assert_eq!(open("a {{ b\nc"), Some("{{ b"));
        assert_eq!(open("{% raw %}{% if %}"), Some("{% raw %}"));
        assert_eq!(open("{% set x %}y"), Some("{% set x %}"));
        assert_eq!(open("{{ '}}' }}{% set x = 1 %}{# {% if a %} #}"), None);
        assert_eq!(open("{% raw %}{% if %}{%- endraw %}"), None);
    }

    #[test]
    fn components_are_found() {
        let names = components("{%- component a(x) -%}{% endcomponent a %}{% component b() %}");
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_stray_tag_is_named() {
        assert_eq!(stray("endif", None).0, "`{% endif %}` closes nothing here");
        assert_eq!(
            stray("fro", None),
            (
                "there is no tag `fro`".to_owned(),
                "Did you mean `for`?".to_owned()
            )
        );
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic(template in "(\\{%|%\\}|\\{\\{|\\}\\}|\\{#|if|raw|endraw|\"| |é|-){0,12}") {
            let _ = open(&template).map(|open| template[open.range].len());
            let _ = stray(&template, open(&template));
        }
    }
}
