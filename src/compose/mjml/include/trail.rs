//! Who includes a file, for whoever finds fault with it.

use std::collections::{HashMap, HashSet};

use super::files::LONGEST_CHAIN;
use crate::{error::Error, finding::Finding, place::Place};

/// The files that were included, each with the first `mj-include` that named it.
#[derive(Debug, Default)]
pub(in super::super) struct Trail(HashMap<String, Place>);

impl Trail {
    pub(super) fn add(&mut self, file: &str, from: &Place) {
        if !self.0.contains_key(file) {
            self.0.insert(file.to_owned(), from.clone());
        }
    }

    /// Says of an error in an included file, and of those that came with it, who includes the file.
    pub(in super::super) fn tell(&self, error: Error) -> Error {
        error.each(
            &|error| match error.place().and_then(|place| self.way(place)) {
                Some(way) => error.because_of(way),
                None => error,
            },
        )
    }

    /// Says it of findings, too. A file that is included often is told of once.
    pub(in super::super) fn tell_of(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut told = HashSet::new();
        let findings = findings.into_iter().filter_map(|mut finding| {
            let Some(place) = &finding.place else {
                return Some(finding);
            };
            let Some(way) = self.way(place) else {
                return Some(finding);
            };
            if !told.insert((
                place.file().to_owned(),
                place.range(),
                finding.message.clone(),
            )) {
                return None;
            }
            let way = format!("The file is {way}.");
            finding.hint = Some(match finding.hint {
                Some(hint) => format!("{hint} {way}"),
                None => way,
            });
            Some(finding)
        });
        findings.collect()
    }

    /// The way from the file of `place` to the document; `None` when that is the document itself.
    fn way(&self, place: &Place) -> Option<String> {
        let mut way = String::new();
        let mut file = place.file();
        for _ in 0..LONGEST_CHAIN {
            let Some(from) = self.0.get(file) else {
                break;
            };
            let link = if way.is_empty() { "" } else { ", which is " };
            way.push_str(&format!("{link}included by `{from}`"));
            file = from.file();
        }
        (!way.is_empty()).then_some(way)
    }
}
