//! The top of an article: headline, byline, date and standfirst.

use jiff::civil::Date;

use super::{Chunk, Draft, letters, line, list, pull_quote};
use crate::issue::credit;

/// The longest standfirst that is known by its brevity, in words.
const MAX_STANDFIRST_WORDS: usize = 45;

/// The most paragraphs of a standfirst that is set off by blank lines.
const MAX_STANDFIRST_PARAGRAPHS: usize = 3;

/// Takes the header off the chunks.
pub(super) fn read(chunks: &mut Vec<Chunk<'_>>, title: Option<&str>) -> Draft {
    let mut draft = Draft::default();
    if let Some(first) = chunks.first_mut() {
        let count = headline_lines(first);
        let headline = line::joined(first.lines.get(..count).unwrap_or_default());
        let headline = without_label(&headline, &["headline", "title"]);
        if title.is_none_or(|title| letters(title) == letters(headline)) {
            draft.title = headline.to_owned();
            first.lines.drain(..count);
            first.gap = 0;
            if first.lines.is_empty() {
                chunks.remove(0);
            }
        }
    }
    take_particulars(chunks, &mut draft);
    let count = standfirst(chunks);
    let paragraphs = chunks.drain(..count);
    let paragraphs: Vec<String> = paragraphs.map(|chunk| chunk.joined()).collect();
    if !paragraphs.is_empty() {
        let words = paragraphs.join(" ");
        draft.standfirst = Some(without_label(&words, &["standfirst", "summary"]).to_owned());
        take_particulars(chunks, &mut draft);
    }
    draft
}

/// How many lines the headline has: one that ends in a colon, a comma or a dash goes on.
fn headline_lines(chunk: &Chunk<'_>) -> usize {
    let goes_on = |line: &&&str| line.ends_with([':', ',', '—', '–']);
    let count = chunk.lines.iter().take_while(goes_on).count() + 1;
    // Not even a long headline has four lines; then the first alone is it.
    let is_likely = count <= 3 && count <= chunk.lines.len();
    if is_likely {
        count
    } else {
        chunk.lines.len().min(1)
    }
}

/// Takes bylines and dates off the start.
fn take_particulars(chunks: &mut Vec<Chunk<'_>>, draft: &mut Draft) {
    while let Some(chunk) = chunks.first_mut() {
        let Some(found) = chunk.lines.first().and_then(|line| Particulars::of(line)) else {
            return;
        };
        let is_new = (found.byline.is_none() || draft.byline.is_none())
            && (found.date.is_none() || draft.date.is_none());
        if !is_new {
            return;
        }
        draft.byline = found.byline.or(draft.byline.take());
        draft.date = found.date.or(draft.date);
        let gap = chunk.gap;
        chunk.lines.remove(0);
        if chunk.lines.is_empty() {
            chunks.remove(0);
            // The room above the byline is room above what follows it.
            if let Some(next) = chunks.first_mut() {
                next.gap = next.gap.max(gap);
            }
        }
    }
}

/// How many chunks at the start are the standfirst.
fn standfirst(chunks: &[Chunk<'_>]) -> usize {
    let is_plain = |at: &usize| {
        chunks.get(*at).is_some_and(|chunk| {
            credit::split(&chunk.joined()).is_none()
                && !chunk.is_divider()
                && list::read(chunk, None).is_none()
                && pull_quote(chunk, chunks.get(at + 1..).unwrap_or_default()).is_none()
        })
    };
    let plain = (0..chunks.len()).take_while(is_plain).count();
    let set_off = (1..=plain.min(MAX_STANDFIRST_PARAGRAPHS))
        .find(|at| chunks.get(*at).is_some_and(|next| next.gap >= 2));
    if let Some(count) = set_off {
        return count;
    }
    let is_brief = chunks.first().is_some_and(|first| {
        let words = first.joined().split_whitespace().count();
        // A line or two of a few words are no standfirst but a heading.
        words <= MAX_STANDFIRST_WORDS && !super::is_heading(first)
    });
    usize::from(plain >= 1 && chunks.len() >= 3 && is_brief)
}

/// A byline, a date, or both in one line.
#[derive(Debug, PartialEq, Eq)]
struct Particulars {
    byline: Option<String>,
    date: Option<Date>,
}

impl Particulars {
    fn of(line: &str) -> Option<Self> {
        let mut found = Self {
            byline: None,
            date: None,
        };
        for part in line.split(['|', '•', '·']).map(str::trim) {
            if let Some(date) = date(part)
                && found.date.is_none()
            {
                found.date = Some(date);
            } else if let Some(byline) = byline(part)
                && found.byline.is_none()
            {
                found.byline = Some(byline.to_owned());
            } else {
                return None;
            }
        }
        Some(found)
    }
}

/// The names after `By`.
fn byline(line: &str) -> Option<&str> {
    let (by, names) = line.split_once(char::is_whitespace)?;
    let by = by.trim_end_matches(':');
    let names = names.trim();
    let is_by = by.eq_ignore_ascii_case("by") || by.eq_ignore_ascii_case("author");
    (is_by && line::is_name(names)).then_some(names)
}

/// A date as it is written out; day and month in figures only in the order of ISO 8601, as any other
/// order means two things.
fn date(line: &str) -> Option<Date> {
    let line = without_label(
        line,
        &["date", "published", "posted", "published on", "posted on"],
    );
    if let Ok(date) = line.parse() {
        return Some(date);
    }
    let words: Vec<&str> = line
        .split(|character: char| character.is_whitespace() || character == ',')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let words = match words.split_first() {
        Some((first, rest)) if is_weekday(first) => rest,
        _ => words.as_slice(),
    };
    let (day, month, year) = match *words {
        [first, second, year] => match month(second) {
            Some(month) => (first, month, year),
            None => (second, month(first)?, year),
        },
        _ => return None,
    };
    let day = day.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    Date::new(
        year.parse().ok().filter(|year| *year > 999)?,
        month,
        day.parse().ok()?,
    )
    .ok()
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_ascii_lowercase();
    let at = MONTHS
        .iter()
        .position(|month| word.len() >= 3 && (month.starts_with(&word) || word == "sept"))
        .filter(|_| word != "sept")
        .or((word == "sept").then_some(8))?;
    i8::try_from(at + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let word = word.to_ascii_lowercase();
    word.len() >= 3 && DAYS.iter().any(|day| day.starts_with(&word))
}

/// A line without `Headline:` or the like before it.
fn without_label<'t>(line: &'t str, labels: &[&str]) -> &'t str {
    let rest = line.split_once(':').and_then(|(label, rest)| {
        let is_known = labels
            .iter()
            .any(|known| label.trim().eq_ignore_ascii_case(known));
        is_known.then_some(rest.trim())
    });
    match rest {
        Some(rest) if !rest.is_empty() => rest,
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_known_when_they_mean_one_thing() {
        for (line, date) in [
            ("2026-11-23", Some("2026-11-23")),
            ("23 November 2026", Some("2026-11-23")),
            ("Monday, 23 November 2026", Some("2026-11-23")),
            ("Mon 23rd Nov. 2026", Some("2026-11-23")),
            ("November 23, 2026", Some("2026-11-23")),
            ("Sept. 1, 2026", Some("2026-09-01")),
            ("Published: 1 May 2026", Some("2026-05-01")),
            ("Date: 2026-02-28", Some("2026-02-28")),
            ("11/12/2026", None),
            ("31 February 2026", None),
            ("In November 2026", None),
            ("3 May 26", None),
            ("November", None),
            ("", None),
        ] {
            assert_eq!(
                super::date(line).map(|date| date.to_string()).as_deref(),
                date,
                "{line}"
            );
        }
    }

    #[test]
    fn a_byline_is_a_name() {
        for (line, name) in [
            ("By Ada King", Some("Ada King")),
            ("BY ADA KING", Some("ADA KING")),
            ("By: Ada King and Bo Li", Some("Ada King and Bo Li")),
            ("By Friday the press had stopped", None),
            ("By the river", None),
            ("By", None),
        ] {
            assert_eq!(byline(line), name, "{line}");
        }
        assert_eq!(
            Particulars::of("By Ada King | 23 November 2026"),
            Some(Particulars {
                byline: Some("Ada King".to_owned()),
                date: Some(jiff::civil::date(2026, 11, 23)),
            })
        );
        assert_eq!(Particulars::of("Ada King | printer"), None);
    }
}
