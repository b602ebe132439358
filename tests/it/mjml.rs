//! MJML files, rendered as npm's `mjml` 4.18.0 renders them.
//!
//! `mjml/cases` holds files and, beside each, the page that npm's `mjml` makes of it
//! (`mjml/render.cjs` writes them anew). Where the variable `MJML_CASES` names a folder of more such
//! files, `SET/NAME.mjml` beside `reference-VERSION/SET__NAME.html`, those are compared as well.

#![expect(
    clippy::print_stdout,
    reason = "what was counted and measured is shown by `--show-output`"
)]

mod chance;
mod compare;
mod corpus;
mod hostile;
mod includes;
mod mutations;
mod page;
mod selftest;
mod style;
mod tag;

use std::path::{Path, PathBuf};

use letterpress::{
    compose::{self, Validation},
    error::Result,
    place::Text,
    source::{self, Bounds, Root},
};

/// Files, and what is known to be different about their pages, with the reason.
type Known = &'static [(&'static str, &'static str)];

/// What of our own cases differs.
const KNOWN: Known = &[
    (
        "bad-values",
        "npm's columns are `NaN` wide where their width is no number",
    ),
    (
        "conditional",
        "npm joins the author's comment for Outlook with the next, whatever their conditions",
    ),
    (
        "html-attributes-breaks",
        "npm writes `<br></br>`, which is two breaks",
    ),
    (
        "quotes",
        "npm writes quotes into attributes as they are, and each ends its attribute",
    ),
    (
        "shop",
        "npm closes the empty cells beside a fluid hero where it inlines styles",
    ),
    (
        "unknown",
        "npm's elements are `NaN` wide in places where they do not belong",
    ),
];

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mjml/cases")
}

/// The files of MJML in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = crate::project::files(folder);
    files.retain(|file| file.extension().is_some_and(|kind| kind == "mjml"));
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", folder.display());
    files
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().expect("a name");
    stem.to_string_lossy().into_owned()
}

/// Renders `content` as a file of this name in `folder`.
fn render(folder: &Path, name: &str, content: &str) -> Result<String> {
    let root = Root {
        folder: folder.to_owned(),
        bounds: Bounds::Newsletter,
    };
    let text = Text::new(name, content);
    let include = |path: &str| source::text(&root, path);
    compose::render_mjml(&text, Validation::Soft, &include).map(|rendered| rendered.html)
}

/// Fails unless the cases that differ are those of the list, both ways.
fn check_known(known: Known, different: &[(String, String)]) {
    let mut wrong = String::new();
    for (name, what) in different {
        if !known.iter().any(|(known, _)| known == name) {
            wrong.push_str(&format!("{name}: differs from npm's page\n{what}\n"));
        }
    }
    for (name, reason) in known {
        if !different.iter().any(|(other, _)| other == name) {
            wrong.push_str(&format!(
                "{name}: no longer differs; take it off the list ({reason})\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn each_page_is_that_of_npm() {
    let folder = cases();
    let mut different = Vec::new();
    for file in files(&folder) {
        let stem = stem(&file);
        let content = std::fs::read_to_string(&file).expect("a file in UTF-8");
        let reference = std::fs::read_to_string(file.with_extension("html"));
        let reference =
            reference.unwrap_or_else(|_| panic!("`{stem}` has no page; see render.cjs"));
        match render(&folder, &format!("{stem}.mjml"), &content) {
            Ok(ours) => {
                let found = compare::differences(&reference, &ours);
                if !found.is_empty() {
                    different.push((stem, compare::shown(&found)));
                }
            }
            Err(error) => different.push((stem, format!("    refused: {error}\n"))),
        }
    }
    check_known(KNOWN, &different);
}
