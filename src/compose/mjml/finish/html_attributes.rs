//! `mj-html-attributes`: attributes for elements of the page.

use std::borrow::Cow;

use super::{
    doubts::Doubts,
    page::{Changes, Page},
    selecting::{Selector, TooMany, doubtful, select},
};
use crate::{
    compose::{
        mjml::{
            document::{Attributes, Selected},
            values,
        },
        staging::Tags,
        tokens,
    },
    finding::Finding,
    place::Place,
};

/// Attributes, and what they are for.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    path: String,
    selectors: Vec<Selector>,
    attributes: Attributes,
    place: Place,
}

impl Rule {
    /// Whether it may match something else once another one has been applied.
    fn looks_at(&self, other: &Self) -> bool {
        let mut names = other.attributes.iter().map(|(name, _)| name);
        self.path.contains('[') || names.any(|name| matches!(name, "class" | "id"))
    }
}

/// Reads the selectors of a document. Says at their places which of them cannot be read.
pub(super) fn read(selected: &[Selected], findings: &mut Vec<Finding>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for Selected {
        path,
        attributes,
        place,
    } in selected
    {
        let attributes = attributes.iter();
        let attributes = attributes.filter(|(name, _)| values::is_name(name));
        // What is said of the same path again, is said in the place of the first.
        if let Some(rule) = rules.iter_mut().find(|rule| rule.path == *path) {
            attributes.for_each(|(name, value)| rule.attributes.set(name, value));
            continue;
        }
        let readable = !tokens::wait_in(path);
        match Selector::read_all(path).filter(|_| readable) {
            Some(selectors) => rules.push(Rule {
                path: path.clone(),
                selectors,
                attributes: attributes.collect(),
                place: place.clone(),
            }),
            None => {
                let message = match readable {
                    true => format!("cannot read the selector `{path}`"),
                    false => "a selector cannot depend on the reader".to_owned(),
                };
                let finding = Finding::error(RULE, message).at(place.clone());
                findings.push(finding.hint("Write a selector of CSS, such as `.name td`."));
            }
        }
    }
    rules
}

const RULE: &str = "mjml-selector";

/// Sets the attributes in the content of a page, in order; a path finds what another one has set. Says
/// at their places which of the paths depend on the reader.
pub(super) fn set(
    html: &str,
    rules: &[Rule],
    tags: &Tags,
    findings: &mut Vec<Finding>,
) -> Result<String, TooMany> {
    let mut html = Cow::Borrowed(html);
    let mut rest = rules;
    while !rest.is_empty() {
        let sees_others = |at: &usize| {
            let (before, after) = rest.split_at(*at);
            let rule = after.first();
            rule.is_some_and(|rule| before.iter().any(|other| rule.looks_at(other)))
        };
        let length = (1..rest.len()).find(sees_others).unwrap_or(rest.len());
        let (now, later) = rest.split_at(length);
        html = Cow::Owned(set_at_once(&html, now, tags, findings)?);
        rest = later;
    }
    Ok(html.into_owned())
}

fn set_at_once(
    html: &str,
    rules: &[Rule],
    tags: &Tags,
    findings: &mut Vec<Finding>,
) -> Result<String, TooMany> {
    let page = Page::read(html);
    let doubts = Doubts::of(&page, tags);
    let mut selectors = Vec::new();
    let mut owners = Vec::new();
    for rule in rules {
        selectors.extend(&rule.selectors);
        owners.extend(rule.selectors.iter().map(|_| rule));
    }
    let mut changes = Changes::new();
    select(&page, &selectors, |element, found| {
        let mut values = Attributes::default();
        for rule in found.iter().filter_map(|at| owners.get(*at)) {
            for (name, value) in rule.attributes.iter() {
                values.set(name, value);
            }
        }
        let values = values.iter();
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        changes.push((element, values.collect()));
    })?;
    doubtful(&page, &selectors, &doubts, |at, doubt| {
        if let (Some(rule), Some(selector)) = (owners.get(at), selectors.get(at)) {
            let finding = doubt.finding(RULE, &selector.shown());
            let hint = "Use a class that stands there for everyone.";
            findings.push(finding.at(rule.place.clone()).hint(hint));
        }
    });
    findings.extend(doubts.lost(&changes, RULE));
    Ok(page.with(&changes))
}

#[cfg(test)]
mod tests;
