//! Quotation marks and dashes, as the Markdown and the plain-text reader know them: where a
//! quotation is a whole, and how the name of its speaker is set off.

/// Pairs of marks: English, German, French, Nordic, East Asian, and straight ones.
const PAIRS: [(char, &str); 11] = [
    ('“', "”"),
    ('„', "“”"),
    ('‘', "’"),
    ('‚', "‘’"),
    ('«', "»"),
    ('»', "«»"),
    ('‹', "›"),
    ('「', "」"),
    ('『', "』"),
    ('”', "”"),
    ('"', "\""),
];

/// The longest name of a speaker, in characters, with their office.
pub const MAX_ATTRIBUTION: usize = 120;

/// What stands within the quotation marks, when they are around the whole of a text.
#[must_use]
pub fn unquote(text: &str) -> Option<&str> {
    let text = text.trim();
    let open = text.chars().next()?;
    let (_, closers) = PAIRS.iter().find(|(mark, _)| *mark == open)?;
    let close = text.chars().next_back()?;
    let inner = text
        .strip_prefix(open)?
        .strip_suffix(close)
        .filter(|_| closers.contains(close))?;
    // “A,” she said, “B” is framed by marks that are not a pair. A quotation of several paragraphs
    // opens each of them and closes once.
    let closes_early = inner.char_indices().any(|(at, mark)| {
        mark == close && !(is_apostrophe(close) && is_within_word(inner, at, mark))
    });
    let inner = inner.trim();
    (!closes_early && !inner.is_empty()).then_some(inner)
}

fn is_apostrophe(mark: char) -> bool {
    mark == '’'
}

fn is_within_word(text: &str, at: usize, mark: char) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[at + mark.len_utf8()..].chars().next();
    before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
}

/// The name after a dash at the start of a text: `— Name`.
#[must_use]
pub fn after_dash(text: &str) -> Option<&str> {
    let text = text.trim();
    let rest = text
        .strip_prefix(['—', '–', '―', '‒'])
        .or_else(|| text.strip_prefix("--"))?;
    let name = rest.trim_start_matches(['-', '—', '–']).trim();
    (!name.is_empty() && name.chars().count() <= MAX_ATTRIBUTION).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_around_the_whole_are_taken_off() {
        for (text, inner) in [
            ("“It prints.”", Some("It prints.")),
            ("  \"It prints.\" ", Some("It prints.")),
            ("„Es druckt.“", Some("Es druckt.")),
            ("„Es druckt.”", Some("Es druckt.")),
            ("« Ça imprime. »", Some("Ça imprime.")),
            ("»Es druckt.«", Some("Es druckt.")),
            ("‘It’s ours.’", Some("It’s ours.")),
            ("「印刷します。」", Some("印刷します。")),
            ("“One. “Two.”", Some("One. “Two.")),
            ("“He said ‘no’ twice.”", Some("He said ‘no’ twice.")),
            ("“Yes,” she said, “no.”", None),
            ("\"Yes,\" she said, \"no.\"", None),
            ("“It prints.", None),
            ("It prints.”", None),
            ("“”", None),
            ("“", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(unquote(text), inner, "{text}");
        }
    }

    #[test]
    fn a_name_follows_a_dash() {
        for (text, name) in [
            ("— Ada King", Some("Ada King")),
            ("–Ada King, printer", Some("Ada King, printer")),
            ("-- Ada King", Some("Ada King")),
            ("--- Ada King", Some("Ada King")),
            ("― 印刷", Some("印刷")),
            ("- Ada King", None),
            ("Ada — King", None),
            ("—", None),
        ] {
            assert_eq!(after_dash(text), name, "{text}");
        }
        assert_eq!(after_dash(&format!("— {}", "a".repeat(121))), None);
    }
}
