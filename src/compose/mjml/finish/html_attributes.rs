//! `mj-html-attributes`: attributes for elements of the page.

use super::{
    page::{Changes, Page},
    selecting::{Selector, select},
};
use crate::{
    compose::{
        mjml::{document::Selected, values},
        tokens,
    },
    finding::Finding,
};

/// Attributes, and what they are for.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    selectors: Vec<Selector>,
    attributes: Vec<(String, String)>,
}

/// Reads the selectors of a document. Says at their places which of them cannot be read.
pub(super) fn read(selected: &[Selected], findings: &mut Vec<Finding>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for Selected {
        path,
        attributes,
        place,
    } in selected
    {
        let readable = !path.contains(tokens::is_of_sending);
        match Selector::read_all(path).filter(|_| readable) {
            Some(selectors) => {
                let attributes = attributes.iter();
                let attributes = attributes.filter(|(name, _)| values::is_name(name));
                rules.push(Rule {
                    selectors,
                    attributes: attributes
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
                });
            }
            None => {
                let message = match readable {
                    true => format!("cannot read the selector `{path}`"),
                    false => "a selector cannot depend on the reader".to_owned(),
                };
                let finding = Finding::error("mjml-selector", message).at(place.clone());
                findings.push(finding.hint("Write a selector of CSS, such as `.name td`."));
            }
        }
    }
    rules
}

/// Sets the attributes in the content of a page.
pub(super) fn set(html: &str, rules: &[Rule]) -> String {
    let page = Page::read(html);
    let mut selectors = Vec::new();
    let mut owners = Vec::new();
    for rule in rules {
        selectors.extend(&rule.selectors);
        owners.extend(rule.selectors.iter().map(|_| rule));
    }
    let mut changes = Changes::new();
    select(&page, &selectors, |element, found| {
        let mut values: Vec<(String, String)> = Vec::new();
        let rules = found.iter().filter_map(|at| owners.get(*at));
        for (name, value) in rules.flat_map(|rule| &rule.attributes) {
            values.retain(|(known, _)| known != name);
            values.push((name.clone(), value.clone()));
        }
        changes.push((element, values));
    });
    page.with(&changes)
}
