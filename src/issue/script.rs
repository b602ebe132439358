//! What is known of scripts: which of them put no blanks between words.

/// Han, Hiragana, Katakana and their wide punctuation. Korean has blanks.
pub(super) fn is_ideographic(character: char) -> bool {
    matches!(character,
        '\u{3000}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff01}'..='\u{ff60}'
        | '\u{20000}'..='\u{3ffff}')
}
