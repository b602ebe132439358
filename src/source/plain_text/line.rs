//! Lines: joined into paragraphs, told apart by their shape, and searched for addresses.

use crate::issue::Inline;

/// Lines as one; runs of blanks and tabs become one blank, no-break spaces stay.
pub(super) fn joined(lines: &[&str]) -> String {
    let is_blank = |character: char| {
        character.is_whitespace() && character != '\u{a0}' && character != '\u{202f}'
    };
    let words = lines.iter().flat_map(|line| line.split(is_blank));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Whether a line is a name, with an office after a comma perhaps: `Ada King, head of the press`.
pub(super) fn is_name(line: &str) -> bool {
    let (name, office) = match line.split_once([',', '(']) {
        Some((name, office)) => (name, office),
        None => (line, ""),
    };
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_capitalized = |word: &&str| {
        let mut letters = word.trim_start_matches(['“', '"', '‘', '\'', '(']).chars();
        let first = letters.next();
        first.is_some_and(|first| first.is_uppercase() || is_caseless(first))
            || matches!(
                word.to_lowercase().as_str(),
                "and"
                    | "&"
                    | "of"
                    | "the"
                    | "de"
                    | "da"
                    | "di"
                    | "du"
                    | "del"
                    | "der"
                    | "den"
                    | "van"
                    | "von"
                    | "zu"
                    | "la"
                    | "le"
                    | "bin"
                    | "ibn"
                    | "al"
                    | "el"
                    | "y"
                    | "e"
                    | "dos"
            )
    };
    let starts_with_name = words.first().is_some_and(|word| {
        word.starts_with(|first: char| first.is_uppercase() || is_caseless(first))
    });
    // A heading may follow a quotation, too.
    let is_question = words.first().is_some_and(|word| {
        matches!(
            word.to_lowercase().as_str(),
            "what"
                | "how"
                | "why"
                | "when"
                | "where"
                | "who"
                | "a"
                | "an"
                | "in"
                | "on"
                | "at"
                | "after"
                | "before"
                | "this"
                | "that"
                | "these"
                | "no"
                | "not"
                | "but"
                | "more"
                | "next"
        )
    });
    (1..=8).contains(&words.len())
        && !is_question
        && line.chars().count() <= 100
        && office.split_whitespace().count() <= 12
        && starts_with_name
        && words.iter().all(is_capitalized)
        && !ends_like_a_sentence(line)
}

/// A final stop, unless it belongs to an initial or a title: `Ada K.`, `Bo Li Jr.`
fn ends_like_a_sentence(line: &str) -> bool {
    if line.ends_with(['!', '?', '…', ':', ';', ',', '”', '"', '»', '。']) {
        return true;
    }
    let Some(before) = line.strip_suffix('.') else {
        return false;
    };
    let last = before.rsplit([' ', '.']).next().unwrap_or_default();
    last.chars().count() > 2 || !last.starts_with(char::is_uppercase)
}

/// Whether words are in capitals or in title case: all but the small ones begin with a capital.
pub(super) fn is_title_case(words: &[&str]) -> bool {
    let is_small = |word: &str| {
        matches!(
            word.to_lowercase().as_str(),
            "a" | "an"
                | "the"
                | "and"
                | "or"
                | "but"
                | "nor"
                | "for"
                | "of"
                | "in"
                | "on"
                | "at"
                | "to"
                | "by"
                | "as"
                | "is"
                | "with"
                | "from"
                | "into"
                | "vs"
                | "vs."
                | "up"
                | "off"
                | "over"
                | "per"
                | "via"
        )
    };
    let begins = |word: &str, test: fn(char) -> bool| {
        let first = word.chars().find(|character| character.is_alphanumeric());
        first.is_some_and(test)
    };
    let is_capital = |word: &&str| begins(word, |first| first.is_uppercase() || first.is_numeric());
    let has_letters = words.iter().any(|word| begins(word, char::is_uppercase));
    let starts = words.first().is_some_and(is_capital);
    let rest = words
        .iter()
        .filter(|word| begins(word, char::is_alphanumeric));
    starts
        && has_letters
        && rest
            .into_iter()
            .all(|word| is_capital(word) || is_small(word))
}

/// Scripts without capitals, such as Arabic and Chinese.
fn is_caseless(letter: char) -> bool {
    letter.is_alphabetic() && !letter.is_lowercase() && !letter.is_uppercase()
}

/// Words with the addresses among them as links.
pub(super) fn inlines(words: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some((start, end)) = address(words, from) {
        if start > plain {
            out.push(Inline::Text(words[plain..start].to_owned()));
        }
        let said = &words[start..end];
        let url = match said.get(..4) {
            Some(head) if head.eq_ignore_ascii_case("www.") => format!("https://{said}"),
            _ => said.to_owned(),
        };
        out.push(Inline::Link {
            url,
            content: vec![Inline::Text(said.to_owned())],
        });
        plain = end;
        from = end;
    }
    if plain < words.len() {
        out.push(Inline::Text(words[plain..].to_owned()));
    }
    out
}

/// The next address in a text: its bytes, without the punctuation that follows it.
fn address(words: &str, from: usize) -> Option<(usize, usize)> {
    let mut from = from;
    loop {
        let rest = words.get(from..)?;
        let heads = ["https://", "http://", "www."];
        let at = rest.char_indices().map(|(at, _)| at).find(|at| {
            heads.iter().any(|head| {
                rest.as_bytes()[*at..]
                    .get(..head.len())
                    .is_some_and(|found| found.eq_ignore_ascii_case(head.as_bytes()))
            })
        })?;
        let start = from + at;
        let is_word_start = !words[..start].ends_with(char::is_alphanumeric);
        let found = &words[start..];
        let length = found
            .find(|c: char| c.is_whitespace() || c.is_control() || "<>\"“”«»".contains(c))
            .unwrap_or(found.len());
        let found = without_punctuation(&found[..length]);
        let host = found.rsplit("://").next().unwrap_or_default();
        let is_address = is_word_start
            && host.starts_with(char::is_alphanumeric)
            && host.trim_start_matches("www.").contains('.');
        if is_address {
            return Some((start, start + found.len()));
        }
        from = start + 4;
    }
}

/// An address without what ends the sentence around it; a bracket stays when it was opened inside.
fn without_punctuation(address: &str) -> &str {
    let surplus = |open: char, close: char| {
        let count = |mark: char| address.matches(mark).count();
        count(close).saturating_sub(count(open))
    };
    let (mut parentheses, mut brackets) = (surplus('(', ')'), surplus('[', ']'));
    address.trim_end_matches(|mark: char| match mark {
        '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’' | '…' | '*' | '_' => true,
        ')' if parentheses > 0 => {
            parentheses -= 1;
            true
        }
        ']' if brackets > 0 => {
            brackets -= 1;
            true
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_links() {
        let link = |url: &str, said: &str| Inline::Link {
            url: url.to_owned(),
            content: vec![Inline::Text(said.to_owned())],
        };
        let text = |words: &str| Inline::Text(words.to_owned());
        assert_eq!(
            inlines("See https://a.example/b_(c)?d=é, or (www.b.example)."),
            [
                text("See "),
                link("https://a.example/b_(c)?d=é", "https://a.example/b_(c)?d=é"),
                text(", or ("),
                link("https://www.b.example", "www.b.example"),
                text(")."),
            ]
        );
        for words in [
            "http://",
            "xwww.a.example",
            "https:// a",
            "www.",
            "a www. b",
        ] {
            assert_eq!(inlines(words), [text(words)]);
        }
        assert_eq!(inlines(""), []);
    }

    #[test]
    fn names_are_told_from_sentences() {
        for name in [
            "Ada King",
            "Ada",
            "Ada King, head of the press",
            "Ludwig van Beethoven",
            "Bo Li Jr.",
            "Ada K.",
            "王小明",
            "ADA KING",
            "O’Neil & Sons",
            "Ada King (printer)",
            "The Weekly Press",
        ] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            "Ada went home",
            "What came next is known.",
            "Ada King said:",
            "and Ada",
            "the press",
            "Ada King!",
            "What Comes Next",
            "A Matter of Minutes",
            "One Two Three Four Five Six Seven Eight Nine",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn title_case_allows_small_words() {
        let is = |line: &str| is_title_case(&line.split_whitespace().collect::<Vec<_>>());
        for title in [
            "The Road to Print",
            "WHAT NOW",
            "A Press in 2026",
            "2026 in Print",
            "War & Peace",
        ] {
            assert!(is(title), "{title}");
        }
        for other in ["The road to print", "2026", "ada king", "", "— —"] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn lines_are_joined_by_one_blank() {
        assert_eq!(joined(&["a \t b", "c\u{a0}d"]), "a b c\u{a0}d");
    }
}
