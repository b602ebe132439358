//! The arrows of ARCHITECTURE.md, held: a room uses what stands to its right, never to its left.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The rooms, left to right; those of one row do not know each other.
const ROOMS: &[&[&str]] = &[
    &["main"],
    &["lib"],
    &["cmd"],
    &["cli"],
    &["preview", "inbox"],
    &["config"],
    &["delivery"],
    &["mail"],
    &["compose", "audience"],
    &["source"],
    &["issue"],
    &["clock", "error", "exit", "finding", "fs", "place", "ui"],
];

/// Arrows that would point to the right and are not wanted all the same.
const FORBIDDEN: &[(&str, &str)] = &[("preview", "config"), ("inbox", "config")];

/// The base is one room of several files.
const TOGETHER: &[&str] = &["clock", "error", "exit", "finding", "fs", "place", "ui"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in crate::project::files(folder) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test(&path) {
            found.push(path);
        }
    }
    found
}

/// A module of tests may look across rooms.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().expect("a name").to_string_lossy();
    name == "tests.rs" || name == "testing.rs"
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The room of a file below `src`.
fn room(path: &Path) -> String {
    let path = path.strip_prefix(root().join("src")).expect("below src");
    let first = path.components().next().expect("a name").as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn row(room: &str) -> usize {
    ROOMS
        .iter()
        .position(|row| row.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` has no place in the order of rooms"))
}

/// The rooms that a text names after `crate::`, alone or in braces.
fn uses(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let word = |text: &str| {
            text.trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (index, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    ',' if depth == 0 => {
                        found.insert(word(&group[start..index]));
                        start = index + 1;
                    }
                    '}' if depth == 0 => {
                        found.insert(word(&group[start..index]));
                        break;
                    }
                    '}' => depth -= 1,
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

#[test]
fn the_arrows_point_to_the_right() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let from = room(&path);
        let source = std::fs::read_to_string(&path).expect("a source file");
        for to in uses(&source) {
            let Some(to_row) = ROOMS.iter().position(|row| row.contains(&to.as_str())) else {
                continue;
            };
            let together = TOGETHER.contains(&from.as_str()) && TOGETHER.contains(&to.as_str());
            let forbidden = FORBIDDEN.contains(&(from.as_str(), to.as_str()));
            if forbidden || (from != to && !together && to_row <= row(&from)) {
                wrong.push(format!("{} uses `{to}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_arrows_sees_them() {
    let source = "use crate::{a::{b, c}, d};\nfn f() { crate::e::g(); }\n// crate::h\n";
    assert_eq!(
        uses(source).into_iter().collect::<Vec<_>>(),
        ["a", "d", "e"]
    );
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = root().join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).expect("main.rs");
    for path in crate::project::files(&folder) {
        let stem = path.file_stem().expect("a name").to_string_lossy();
        let is_module = path.is_dir() || path.extension().is_some_and(|kind| kind == "rs");
        if is_module && stem != "main" && stem != "golden" {
            assert!(
                main.contains(&format!("mod {stem};")),
                "tests/it/main.rs lacks `mod {stem};`"
            );
        }
    }
}

#[test]
fn a_file_can_be_read_in_one_sitting() {
    let long: Vec<String> = sources(&root().join("src"))
        .into_iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).ok()?.lines().count();
            (lines > 600).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn only_the_base_touches_the_world() {
    let mut wrong = Vec::new();
    for path in sources(&root().join("src")) {
        let room = room(&path);
        let source = std::fs::read_to_string(&path).expect("a source file");
        let product = source.split("#[cfg(test)]").next().unwrap_or_default();
        let mut ban = |what: &str, allowed: &[&str]| {
            if product.contains(what) && !allowed.contains(&room.as_str()) {
                wrong.push(format!("{} uses `{what}`", path.display()));
            }
        };
        ban("std::fs::", &["fs"]);
        ban("File::open", &["fs"]);
        ban("std::env::", &["main", "cmd", "config"]);
        ban("SystemTime::now", &[]);
        ban("Timestamp::now", &["clock"]);
        ban("println!", &["ui"]);
        ban("process::exit", &[]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
