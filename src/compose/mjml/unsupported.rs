//! What MJML lays out and we do not: a warning where it stands, so that nobody wonders.

use super::{
    document::{Child, Component, Document},
    mends::lifted,
};
use crate::finding::Finding;

/// Attributes of MJML 5, which MJML 4 ignores; the component, the attribute, and what to do instead.
const OF_MJML_5: [(&str, &str, &str); 1] = [(
    "mj-section",
    "gutter",
    "Set a `padding` on the columns instead.",
)];

/// What of a document does not come out as MJML has it.
pub(super) fn unsupported(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rest: Vec<&Component> = document.body.iter().collect();
    while let Some(component) = rest.pop() {
        attributes(component, &mut findings);
        children(component, &mut findings);
        let children = component.children.iter().rev();
        rest.extend(children.filter_map(|child| match child {
            Child::Component(child) => Some(child),
            Child::Raw(_) => None,
        }));
    }
    findings
}

fn attributes(component: &Component, findings: &mut Vec<Finding>) {
    for (name, attribute, hint) in OF_MJML_5 {
        if component.name == name && component.attributes.get(attribute).is_some() {
            let message = format!("`{attribute}` of `<{name}>` is of MJML 5 and has no effect");
            findings.push(warning(component, message).hint(hint));
        }
    }
}

fn children(component: &Component, findings: &mut Vec<Finding>) {
    if component.name == "mj-accordion-element" {
        for name in ["mj-accordion-title", "mj-accordion-text"] {
            // The engine shows the last one.
            let all = component.children.iter().filter_map(|child| match child {
                Child::Component(child) if child.name == name => Some(child),
                _ => None,
            });
            let all: Vec<_> = all.collect();
            for child in all.split_last().map_or(&[][..], |(_, others)| others) {
                let message = format!("only the last `<{name}>` of an element is shown");
                let hint = "Put each into an `<mj-accordion-element>` of its own.";
                findings.push(warning(child, message).hint(hint));
            }
        }
    }
    if lifted::is_from(&component.name)
        && !component.children.is_empty()
        && !component.children.iter().any(Child::is_laid_out)
    {
        let message = format!("what stands in `<{}>` is left out", component.name);
        let hint = "HTML and comments can only stand beside the elements that it is for.";
        findings.push(warning(component, message).hint(hint));
    }
}

fn warning(component: &Component, message: String) -> Finding {
    Finding::warning("mjml-unsupported", message).at(component.place.clone())
}

#[cfg(test)]
mod tests {
    use crate::compose::mjml::{
        Purpose, document,
        reader::{self, Origin},
        unsupported::unsupported,
    };
    use crate::{compose::staging::Tags, place::Text};

    fn said(body: &str) -> Vec<String> {
        let source = format!("<mjml><mj-body>{body}</mj-body></mjml>");
        let text = Text::new("a.mjml", source.as_str());
        let top = reader::read(&source, Origin::File(&text)).expect("reads");
        let (document, _) = document::resolve(top, &Tags::default(), Purpose::Template);
        let findings = unsupported(&document);
        let said = findings.iter().map(|finding| {
            let column = finding.place.as_ref().map_or(0, |place| place.column());
            format!("{column}: {}", finding.message)
        });
        said.collect()
    }

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(
            said("<mj-section gutter='10px'/>"),
            ["16: `gutter` of `<mj-section>` is of MJML 5 and has no effect"]
        );
        assert_eq!(
            said("<mj-social><!-- a --></mj-social><mj-navbar/>"),
            ["16: what stands in `<mj-social>` is left out"]
        );
        assert_eq!(
            said(
                "<mj-accordion><mj-accordion-element><mj-accordion-title>a</mj-accordion-title><mj-accordion-title>b</mj-accordion-title></mj-accordion-element></mj-accordion>"
            ),
            ["52: only the last `<mj-accordion-title>` of an element is shown"]
        );
        assert!(said("<mj-section padding='10px'><mj-column/></mj-section>").is_empty());
    }
}
