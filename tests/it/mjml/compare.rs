//! Where two pages differ.

use std::fmt::Write;

use super::page::{Kind, Page, Token};

/// A run of lines that only one of the pages has, or that each has its own.
#[derive(Debug)]
pub struct Difference {
    pub reference: Vec<Token>,
    pub ours: Vec<Token>,
}

impl Difference {
    /// Whether others than Outlook's readers may see it.
    pub fn is_visible(&self) -> bool {
        let mut tokens = self.reference.iter().chain(&self.ours);
        tokens.any(|token| token.scope.is_empty() && token.kind != Kind::Comment)
    }
}

/// How far to look for the line that both go on with.
const FAR: usize = 150;

/// The differences of two pages, in order; none where they are equal.
pub fn differences(reference: &str, ours: &str) -> Vec<Difference> {
    let (reference, ours) = (Page::read(reference).tokens, Page::read(ours).tokens);
    let (mut reference, mut ours) = (reference.as_slice(), ours.as_slice());
    let mut found = Vec::new();
    loop {
        let equal = reference
            .iter()
            .zip(ours)
            .take_while(|(a, b)| a == b)
            .count();
        (reference, ours) = (&reference[equal..], &ours[equal..]);
        if reference.is_empty() && ours.is_empty() {
            return found;
        }
        let (skipped, extra) = meet(reference, ours);
        found.push(Difference {
            reference: reference[..skipped].to_vec(),
            ours: ours[..extra].to_vec(),
        });
        (reference, ours) = (&reference[skipped..], &ours[extra..]);
    }
}

/// How many lines of each to leave out until both go on alike for two.
fn meet(reference: &[Token], ours: &[Token]) -> (usize, usize) {
    let alike = |a: usize, b: usize| {
        let (a, b) = (
            &reference[a.min(reference.len())..],
            &ours[b.min(ours.len())..],
        );
        let count = a.iter().zip(b).take(2).take_while(|(a, b)| a == b).count();
        count == 2 || (a.len() < 2 && a.len() == b.len() && count == a.len())
    };
    let within = |distance: usize| (0..=distance).map(move |a| (a, distance - a));
    let near = (1..=2 * FAR)
        .flat_map(within)
        .filter(|(a, b)| *a <= reference.len() && *b <= ours.len());
    // Of equally near places, the one that leaves out as many of both: a line was changed.
    let best = near
        .clone()
        .find(|(a, b)| alike(*a, *b))
        .map(|(a, b)| a + b);
    best.and_then(|best| {
        let mut places: Vec<_> = within(best)
            .filter(|(a, b)| *a <= reference.len() && *b <= ours.len() && alike(*a, *b))
            .collect();
        places.sort_by_key(|(a, b)| a.abs_diff(*b));
        places.first().copied()
    })
    .unwrap_or((reference.len(), ours.len()))
}

/// The first few differences, to be read by people.
pub fn shown(differences: &[Difference]) -> String {
    let mut out = String::new();
    for difference in differences.iter().take(6) {
        for (sign, tokens) in [('-', &difference.reference), ('+', &difference.ours)] {
            for token in tokens.iter().take(4) {
                let _ = writeln!(out, "    {sign} {token}");
            }
            if tokens.len() > 4 {
                let _ = writeln!(out, "    {sign} … {} more lines", tokens.len() - 4);
            }
        }
        out.push('\n');
    }
    if differences.len() > 6 {
        let _ = writeln!(out, "    … {} more differences", differences.len() - 6);
    }
    out
}
