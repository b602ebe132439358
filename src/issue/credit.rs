//! The credit at the end of a caption: `The new press. Photo: A. King`.

/// A caption and whose picture it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited<'t> {
    /// What comes before the credit, trimmed; the start of the text it was split from.
    pub caption: &'t str,
    /// Whose it is, without the word that says so.
    pub credit: &'t str,
}

/// The words that begin a credit, whatever comes between them and the name. `Source` is none: it
/// says where a fact is from.
const WORDS: [&str; 15] = [
    "photograph",
    "photographer",
    "photo credit",
    "photo",
    "photos",
    "picture credit",
    "picture",
    "image credit",
    "image",
    "illustration",
    "illustrator",
    "graphic",
    "credit",
    "foto",
    "bild",
];

/// The longest credit, in characters.
const MAX_CREDIT: usize = 80;

/// Splits the credit off the end of a caption; `None` when there is none.
///
/// A credit begins with a word such as `Photo`, capitalized or at a new start, and one of `:`, `|`,
/// `/`, `by` or `courtesy of`; or with `©`. It is brief and it is the last thing said.
#[must_use]
pub fn split(text: &str) -> Option<Credited<'_>> {
    let text = text.trim_end();
    let start = text.len() - text.trim_start().len();
    let starts = text.char_indices().map(|(at, _)| at);
    let mut candidates: Vec<usize> = starts.filter(|at| begins_a_word(text, *at)).collect();
    // The credit is short, so that only the end of a long text is looked at.
    let from = candidates.len().saturating_sub(2 * MAX_CREDIT);
    candidates.drain(..from);
    candidates.into_iter().find_map(|at| {
        let (credit, is_certain) = credit(&text[at..])?;
        let before = text[..at].trim_end();
        let is_new_start = at == start
            || before.ends_with([
                '.', '!', '?', '…', '”', '"', '’', '»', '|', '/', '—', '–', '(', '[', '\n', '。',
                ':', ';', ',', '-', ')',
            ])
            || text[..at].ends_with('\n');
        let is_capitalized = text[at..].starts_with(|first: char| first.is_uppercase());
        let caption = before.trim_end_matches(['|', '/', '—', '–', '(', '[', '-', ' ']);
        let caption = caption.trim();
        (is_new_start || (is_capitalized && is_certain)).then_some(Credited { caption, credit })
    })
}

/// What stands between a caption and the credit after it.
#[must_use]
pub fn joint(caption: &str) -> &'static str {
    match caption.trim_end().chars().next_back() {
        None => "",
        Some(last) if last.is_alphanumeric() => ". ",
        Some(_) => " ",
    }
}

fn begins_a_word(text: &str, at: usize) -> bool {
    let rest = &text[at..];
    let is_letter = rest.starts_with(|first: char| first.is_alphabetic() || first == '©');
    is_letter && !text[..at].ends_with(char::is_alphanumeric)
}

/// The name in a text that is a credit from start to end, and whether a mark says so, not only `by`.
fn credit(text: &str) -> Option<(&str, bool)> {
    if let Some(after) = text.strip_prefix('©') {
        return name(after).and(name(text)).map(|name| (name, true));
    }
    WORDS.iter().find_map(|word| {
        let (head, rest) = text.split_at_checked(word.len())?;
        if !head.eq_ignore_ascii_case(word) {
            return None;
        }
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix([':', '|', '/', '：']) {
            return name(after).map(|name| (name, true));
        }
        if trimmed.starts_with('©') {
            return credit(trimmed);
        }
        let is_apart = trimmed.len() < rest.len();
        let after_by = ["by ", "By ", "von "]
            .iter()
            .find_map(|by| trimmed.strip_prefix(by));
        match after_by {
            Some(after) if is_apart => {
                let after = after.trim_start_matches([':', ' ']);
                name(after).map(|name| (name, false))
            }
            _ if is_apart && trimmed.to_ascii_lowercase().starts_with("courtesy") => {
                name(trimmed).map(|name| (name, false))
            }
            _ => None,
        }
    })
}

/// A name: brief, in one line, and not a sentence that goes on.
fn name(text: &str) -> Option<&str> {
    let name = text.trim();
    let name = match name.strip_suffix([')', ']']) {
        Some(inner) if !name.contains(['(', '[']) => inner.trim_end(),
        _ => name,
    };
    let name = match name.strip_suffix('.') {
        // `Jr.` and `A. K.` keep their stop.
        Some(inner) if !ends_in_initial(inner) => inner,
        _ => name,
    };
    let goes_on = name.match_indices(['.', '!', '?']).any(|(at, _)| {
        name[at + 1..].starts_with(char::is_whitespace) && !ends_in_initial(&name[..at])
    });
    let is_name = !name.is_empty()
        && name.chars().count() <= MAX_CREDIT
        && !name.contains('\n')
        && !goes_on
        && !is_phrase(name);
    (is_name && !goes_on && !is_phrase(name)).then_some(name)
}

/// Whether a text is words of a sentence: `a town without a clock at night`.
fn is_phrase(text: &str) -> bool {
    text.starts_with(char::is_lowercase)
        && !text.starts_with("courtesy")
        && text.split_whitespace().count() > 3
}

/// Whether the stop after this text belongs to an abbreviation: `A`, `Jr`, `St`.
fn ends_in_initial(text: &str) -> bool {
    let last = text
        .rsplit(|character: char| !character.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let length = last.chars().count();
    length > 0 && length <= 2 && last.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_credit_is_split_off() {
        for (text, caption, credit) in [
            ("The press. Photo: Ada King", "The press.", "Ada King"),
            ("The press. Photo| Courtesy", "The press.", "Courtesy"),
            ("The press. Photo | Courtesy", "The press.", "Courtesy"),
            ("The press. Photo/ Ada King", "The press.", "Ada King"),
            ("The press (Photo: Ada King)", "The press", "Ada King"),
            ("The press. (photo: A. King.)", "The press.", "A. King"),
            (
                "The press. Photograph by Ada King",
                "The press.",
                "Ada King",
            ),
            (
                "The press. Photo by Ada King/Type News",
                "The press.",
                "Ada King/Type News",
            ),
            (
                "The press. Photograph: Ada King Jr.",
                "The press.",
                "Ada King Jr.",
            ),
            ("The press | Photo: Ada King", "The press", "Ada King"),
            ("The press — Image: Ada King", "The press", "Ada King"),
            ("The press\nPhoto: Ada King", "The press", "Ada King"),
            ("The press Photo: Ada King", "The press", "Ada King"),
            (
                "The press. Illustration: Ada King",
                "The press.",
                "Ada King",
            ),
            (
                "The press. Photo courtesy of the mill",
                "The press.",
                "courtesy of the mill",
            ),
            (
                "The press. © 2026 Ada King",
                "The press.",
                "© 2026 Ada King",
            ),
            ("The press. Photo © Ada King", "The press.", "© Ada King"),
            (
                "The press. Photo credit: Ada King",
                "The press.",
                "Ada King",
            ),
            ("Photo: Ada King", "", "Ada King"),
            ("The press. Photo: own work", "The press.", "own work"),
            ("Die Presse. Foto: Ada König", "Die Presse.", "Ada König"),
            ("“Print!” Photo: Ada King", "“Print!”", "Ada King"),
        ] {
            assert_eq!(split(text), Some(Credited { caption, credit }), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_credit_stays() {
        for text in [
            "",
            "The press.",
            "A photo by the door showed a press.",
            "He took the photo: a press at night.",
            "The image: it is not what it was. We know.",
            "Photo: it was the first one. Then came more.",
            "Telephoto: a lens",
            "A last picture: it remains. Picture: a town without a clock",
            "It rained. Source: Weather Office",
            "Photographs are slow",
            "Photo:",
            "©",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
        assert_eq!(split(&format!("Photo: {}", "a".repeat(81))), None);
    }

    #[test]
    fn a_caption_without_a_stop_is_given_one() {
        assert_eq!(
            ["A press", "A press.", "“A press”", " "].map(joint),
            [". ", " ", " ", ""]
        );
    }

    proptest! {
        #[test]
        fn both_parts_are_parts_of_the_text(text in "([a-zé. \n(|:/©-]|Photo[:| /]|by ){0,20}") {
            if let Some(found) = split(&text) {
                prop_assert!(text.trim().starts_with(found.caption));
                prop_assert!(text.contains(found.credit) && !found.credit.is_empty());
            }
        }
    }
}
