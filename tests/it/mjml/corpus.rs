//! The same comparison over a corpus of other people's templates, which is not ours to carry along.

use std::path::Path;

use super::{Known, check_known, compare, files, render, stem};

/// How many must be equal.
const EQUAL: usize = 230;

/// What of the corpus looks different, with the reason.
const VISIBLE: Known = &[];

#[test]
fn the_corpus_is_rendered_as_npm_renders_it() {
    let Some(folder) = std::env::var_os("MJML_CASES") else {
        println!("skipped: `MJML_CASES` names no corpus");
        return;
    };
    let folder = Path::new(&folder);
    let entries = crate::project::files(folder);
    let is_reference = |path: &Path| stem(path).starts_with("reference-");
    let pages = entries
        .iter()
        .find(|path| path.is_dir() && is_reference(path));
    let pages = pages.expect("a folder of reference pages");
    let (mut equal, mut visible, mut report) = (0, Vec::new(), String::new());
    for set in entries
        .iter()
        .filter(|path| path.is_dir() && !is_reference(path))
    {
        for file in files(set) {
            let name = format!("{}__{}", stem(set), stem(&file));
            let Ok(reference) = std::fs::read_to_string(pages.join(format!("{name}.html"))) else {
                continue; // npm itself makes no page of it.
            };
            let content = std::fs::read_to_string(&file).expect("a file in UTF-8");
            let ours = match render(set, &format!("{}.mjml", stem(&file)), &content) {
                Ok(ours) => ours,
                Err(error) => {
                    visible.push((name, format!("    refused: {error}\n")));
                    continue;
                }
            };
            let found = compare::differences(&reference, &ours);
            let what = compare::shown(&found);
            if found.is_empty() {
                equal += 1;
            } else if found.iter().any(compare::Difference::is_visible) {
                visible.push((name, what));
            } else {
                report.push_str(&format!("{name}: differs for Outlook\n{what}"));
            }
        }
    }
    println!("{equal} are equal\n{report}");
    check_known(VISIBLE, &visible);
    assert!(
        equal >= EQUAL,
        "{equal} are equal, and {EQUAL} must be\n{report}"
    );
}
