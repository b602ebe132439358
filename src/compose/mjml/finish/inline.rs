//! Styles, written into the `style` of each element that they match.
//!
//! By the rules of `juice`, which MJML calls for it: declarations are ordered by the weight of their
//! selectors, those of the element itself outweigh all others but the important ones, `!important` is
//! left out as there is nothing left to be outweighed, and what old clients want as attributes of
//! tables and pictures is copied there.

use std::collections::HashMap;

use super::{
    doubts::Doubts,
    page::{Changes, Page},
    selecting::{Selector, TooMany, Weight, doubtful, select},
    stylesheet::{self, Declaration, Importance, Rule},
};
use crate::{
    compose::{staging::Tags, tokens},
    finding::Finding,
    place::Place,
};

/// Inlines the styles into a page. Says at their places which of them depend on the reader.
pub(super) fn inline(
    html: &str,
    rules: &[Rule],
    tags: &Tags,
    findings: &mut Vec<Finding>,
) -> Result<String, TooMany> {
    let page = Page::read(html);
    let doubts = Doubts::of(&page, tags);
    let styles = Styles::of(rules);
    let selectors: Vec<&Selector> = styles.entries.iter().map(|entry| entry.selector).collect();
    let mut changes = Changes::new();
    let mut variables = Variables::new();
    select(&page, &selectors, |element, found| {
        let name = page.elements.get(element).map_or("", |it| &it.name);
        if !INVISIBLE.contains(&name) {
            let found = found.iter().filter_map(|at| styles.entries.get(*at));
            let values = restyled(&page, element, found, &mut variables);
            changes.push((element, values));
        }
    })?;
    doubtful(&page, &selectors, &doubts, |at, doubt| {
        if let Some(entry) = styles.entries.get(at) {
            let finding = doubt.finding(stylesheet::RULE, &entry.selector.shown());
            let hint =
                "Use a class that stands there for everyone, or an `<mj-style>` without `inline`.";
            findings.push(finding.at(entry.place.clone()).hint(hint));
        }
    });
    findings.extend(doubts.lost(&changes, stylesheet::RULE));
    Ok(page.with(&changes))
}

/// Elements that have no looks.
const INVISIBLE: [&str; 8] = [
    "head", "title", "base", "link", "style", "meta", "script", "noscript",
];

/// One selector of a rule.
struct Entry<'a> {
    selector: &'a Selector,
    weight: Weight,
    declarations: &'a [Declaration],
    place: &'a Place,
    /// How many declarations stand before those of the rule.
    first: usize,
}

struct Styles<'a> {
    entries: Vec<Entry<'a>>,
}

impl<'a> Styles<'a> {
    fn of(rules: &'a [Rule]) -> Self {
        let mut entries = Vec::new();
        let mut first = 0;
        for rule in rules {
            entries.extend(rule.selectors.iter().map(|selector| Entry {
                selector,
                weight: selector.weight(),
                declarations: &rule.declarations,
                place: &rule.place,
                first,
            }));
            first += rule.declarations.len();
        }
        Self { entries }
    }
}

/// What decides between declarations: where they come from, their selectors, and which comes later.
type Rank = (Origin, Weight, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Sheet,
    Element,
    ImportantSheet,
    ImportantElement,
}

/// A property with the declarations of it that are written, the strongest first.
struct Property {
    name: String,
    values: Vec<(Rank, String)>,
    /// Which selector they are of.
    source: Option<usize>,
}

#[derive(Default)]
struct Cascade(Vec<Property>);

impl Cascade {
    fn add(&mut self, source: Option<usize>, rank: Rank, name: &str, value: &str) {
        let value = value.to_owned();
        if let Some(at) = self.0.iter().position(|it| it.name == name) {
            let old = &mut self.0[at];
            if old.values.first().is_some_and(|(old, _)| *old > rank) {
                return;
            }
            // One rule may say a thing twice, in case a client does not know the better way.
            if old.source == source {
                return old.values.insert(0, (rank, value));
            }
            self.0.remove(at);
        }
        self.0.push(Property {
            name: name.to_owned(),
            values: vec![(rank, value)],
            source,
        });
    }

    /// The declarations, the strongest last.
    fn written(&self, wanted: impl Fn(Origin) -> bool) -> String {
        let mut all: Vec<(&Rank, &str, &str)> = Vec::new();
        for Property { name, values, .. } in &self.0 {
            if name != "content" && !name.starts_with("--") {
                all.extend(values.iter().map(|(rank, it)| (rank, &**name, &**it)));
            }
        }
        all.retain(|((origin, ..), ..)| wanted(*origin));
        all.sort_by_key(|(rank, ..)| *rank);
        let all = all
            .into_iter()
            .map(|(_, name, value)| format!("{name}: {};", value.replace('"', "'")));
        all.collect::<Vec<_>>().join(" ")
    }
}

/// The custom properties of elements.
type Variables = HashMap<usize, Vec<(String, String)>>;

/// The new values for the attributes of an element.
fn restyled<'a>(
    page: &Page<'_>,
    element: usize,
    found: impl Iterator<Item = &'a Entry<'a>>,
    variables: &mut Variables,
) -> Vec<(String, String)> {
    let mut cascade = Cascade::default();
    let own = page.attribute(element, "style").unwrap_or_default().trim();
    // A block within the style may hold any part of it, so it stays as it is.
    let is_opaque = tokens::wait_in(own) || own.contains("{{") || own.contains("<%");
    if !is_opaque {
        for (at, declaration) in stylesheet::declarations(own).iter().enumerate() {
            let origin = match declaration.importance {
                Importance::Normal => Origin::Element,
                Importance::Important => Origin::ImportantElement,
            };
            let rank = (origin, [0; 3], at);
            cascade.add(None, rank, &declaration.name, &declaration.value);
        }
    }
    for (source, entry) in found.enumerate() {
        for (at, declaration) in entry.declarations.iter().enumerate() {
            let origin = match declaration.importance {
                Importance::Normal => Origin::Sheet,
                Importance::Important => Origin::ImportantSheet,
            };
            let rank = (origin, entry.weight, entry.first + at);
            cascade.add(Some(source), rank, &declaration.name, &declaration.value);
        }
    }
    resolve(page, element, &mut cascade, variables);
    let style = if is_opaque {
        let weak = cascade.written(|origin| origin == Origin::Sheet);
        let strong = cascade.written(|origin| origin == Origin::ImportantSheet);
        let own = own.trim_end_matches(';');
        let parts = [weak, format!("{own};"), strong];
        let parts = parts.iter().filter(|part| !part.is_empty());
        parts.map(String::as_str).collect::<Vec<_>>().join(" ")
    } else {
        cascade.written(|_| true)
    };
    let mut values = Vec::new();
    if !style.is_empty() {
        values.push(("style".to_owned(), style));
    }
    let name = page.elements.get(element).map_or("", |it| &it.name);
    for property in &cascade.0 {
        if let Some((_, value)) = property.values.first()
            && let Some((attribute, value)) = attribute(name, &property.name, value)
        {
            values.retain(|(known, _)| known != attribute);
            values.push((attribute.to_owned(), value));
        }
    }
    values
}

/// What holds rows and cells, and these.
const TABLES: [&str; 10] = [
    "table", "th", "tr", "td", "caption", "colgroup", "col", "thead", "tbody", "tfoot",
];

/// The attribute that says the same as a property to clients that read no styles.
fn attribute(element: &str, property: &str, value: &str) -> Option<(&'static str, String)> {
    let is_table = TABLES.contains(&element);
    let has_size = matches!(element, "table" | "td" | "th" | "img");
    let size = || {
        if value.contains("px") || value.contains("auto") {
            return Some(value.replacen("px", "", 1));
        }
        (is_table && value.contains('%')).then(|| value.to_owned())
    };
    let is_gradient = || {
        let value = value.to_ascii_lowercase();
        value.contains("linear-gradient(") || value.contains("radial-gradient(")
    };
    match property {
        "width" if has_size => Some(("width", size()?)),
        "height" if has_size => Some(("height", size()?)),
        _ if !is_table || is_gradient() => None,
        "background-color" => Some(("bgcolor", value.to_owned())),
        "background-image" => Some(("background", address(value).to_owned())),
        "text-align" => Some(("align", value.to_owned())),
        "vertical-align" => Some(("valign", value.to_owned())),
        _ => None,
    }
}

/// What stands in `url(…)`.
fn address(value: &str) -> &str {
    let inside = value
        .strip_prefix("url(")
        .and_then(|it| it.strip_suffix(')'));
    let Some(inside) = inside else { return value };
    let quotes = ['"', '\''].into_iter();
    let mut quoted = quotes.filter_map(|it| inside.strip_prefix(it)?.strip_suffix(it));
    quoted.next().unwrap_or(inside)
}

/// Puts the values of custom properties, of the element or of one around it, where they are used.
fn resolve(page: &Page<'_>, element: usize, cascade: &mut Cascade, variables: &mut Variables) {
    let custom = cascade.0.iter().filter(|it| it.name.starts_with("--"));
    let custom: Vec<(String, String)> = custom
        .filter_map(|it| Some((it.name.clone(), it.values.first()?.1.clone())))
        .collect();
    if !custom.is_empty() {
        variables.insert(element, custom);
    }
    let find = |name: &str| {
        let parent = |at: &usize| page.elements.get(*at)?.parent;
        let around = std::iter::successors(Some(element), parent);
        let found = around.filter_map(|at| variables.get(&at));
        let mut found = found.flatten().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.clone())
    };
    for (_, value) in cascade.0.iter_mut().flat_map(|it| &mut it.values) {
        // A custom property may name another one, and even itself.
        for _ in 0..MOST_VARIABLES {
            let Some(resolved) = with_variable(value, find) else {
                break;
            };
            *value = resolved;
        }
    }
}

const MOST_VARIABLES: usize = 16;

/// A value with the last `var(…)` in it resolved, which holds no other one.
fn with_variable(value: &str, find: impl Fn(&str) -> Option<String>) -> Option<String> {
    let start = value.rfind("var(")?;
    let (before, call) = (&value[..start], &value[start + "var(".len()..]);
    let mut depth = 0_usize;
    let end = call.find(|character| {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => return true,
            ')' => depth -= 1,
            _ => {}
        }
        false
    })?;
    let (name, fallback) = match call[..end].split_once(',') {
        Some((name, fallback)) => (name, Some(fallback.trim().to_owned())),
        None => (&call[..end], None),
    };
    let resolved = find(name.trim()).or(fallback)?;
    Some(format!("{before}{resolved}{}", &call[end + 1..]))
}

#[cfg(test)]
mod tests;
