//! Broken files: whatever is done to a file, rendering it ends in a page or in an error that is the
//! author's to mend; never in a panic, and never in a fault of ours.
//!
//! `MJML_MUTATIONS` says how many are tried. Each has a number, and is the same in every run.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use letterpress::error::Kind;

use super::{cases, chance::Chance, files, render};

/// How many are tried where nobody says.
const USUALLY: usize = 1_000;
/// Nothing takes as long as this, whatever the machine.
const TOO_LONG: Duration = Duration::from_secs(10);

/// What others have stumbled over.
const PIECES: [&str; 62] = [
    "<![endif",
    "<![endif]-->",
    "<!--[if",
    "<!--[if mso]>",
    "<!--[if mso | IE]><",
    "<!--",
    "-->",
    "<!-->",
    "]]>",
    "<![CDATA[",
    "<?",
    "<!DOCTYPE",
    "@@12@@",
    "@@0@@",
    "@@",
    "@@99999999999999999999@@",
    "lp3",
    " css-class=\"lp0\"",
    "&#xF0000;",
    "&#64;&#64;1&#64;&#64;",
    "\u{f0000}",
    "\u{100000}",
    "\u{0}",
    "\u{feff}",
    "\u{2028}",
    "\r",
    "\r\n",
    "\u{a0}",
    "\"",
    "'",
    "=",
    "<",
    ">",
    "/>",
    "</",
    "&",
    "&amp",
    "{{",
    "}}",
    "{%",
    "{{ '>' }}",
    "</mj-text",
    "</mj-body>",
    "<mj-body>",
    "<mj-raw position=\"file-start\">",
    "<mj-include path=\"../../x\"/>",
    "<mj-include path=\"parts/row.mjml\" />",
    "<mj-style inline=\"inline\">a{",
    "<mj-hero mode=\"fluid-height\">",
    "<mj-carousel>",
    "<mj-social-element>",
    " width=\"99999999999999999999px\"",
    " width=\"-50px\"",
    " width=\"NaN%\"",
    " width=\"\"",
    " padding=\"1px 2px 3px 4px 5px\"",
    " padding=\"-1000px\"",
    " height=\"1e400px\"",
    " background-position=\"€ > 5\"",
    "é>",
    "日本>",
    "🎉>",
];

#[test]
fn a_broken_file_breaks_nothing() {
    let count = match std::env::var("MJML_MUTATIONS") {
        Ok(count) => count.parse().expect("`MJML_MUTATIONS` is a number"),
        Err(_) => USUALLY,
    };
    let sources: Vec<String> = files(&cases())
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("a file in UTF-8"))
        .collect();
    let sources = Arc::new(sources);
    let next = Arc::new(AtomicUsize::new(0));
    let (tell, told) = channel();
    let workers = thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..workers {
        let (sources, next, tell) = (Arc::clone(&sources), Arc::clone(&next), tell.clone());
        thread::spawn(move || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                let broken = broken(&sources, number);
                let start = Instant::now();
                let ended = end(&broken);
                let took = start.elapsed();
                let input = match ended {
                    End::Fault(_) => smaller(&broken),
                    _ => broken,
                };
                if tell.send((number, took, ended, input)).is_err() {
                    return;
                }
            }
        });
    }
    drop(tell);
    let (mut done, mut pages, mut slowest) = (0, 0, (Duration::ZERO, 0));
    // By what is left of the file, so that each is shown once.
    let mut faults: BTreeMap<(usize, String), String> = BTreeMap::new();
    loop {
        match told.recv_timeout(TOO_LONG * 2) {
            Ok((number, took, ended, input)) => {
                done += 1;
                slowest = slowest.max((took, number));
                match ended {
                    End::Page => pages += 1,
                    End::Refusal => {}
                    End::Fault(fault) => {
                        let fault = format!("number {number}: {fault}\n{input:?}\n");
                        faults.insert((input.len(), input), fault);
                    }
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let last = next.load(Ordering::Relaxed);
                panic!("one of the last {workers} before number {last} does not end");
            }
        }
    }
    println!(
        "{done} broken files, {pages} pages; number {} took longest: {:?}",
        slowest.1, slowest.0
    );
    let some: Vec<&str> = faults.values().map(String::as_str).take(40).collect();
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        some.join("\n")
    );
    assert_eq!(done, count);
    // What is refused at once says little about what comes later.
    assert!(pages >= done / 4, "{pages} of {done} became pages");
    assert!(
        slowest.0 < TOO_LONG,
        "number {} takes {:?}",
        slowest.1,
        slowest.0
    );
}

/// What becomes of a file.
enum End {
    Page,
    /// The author hears why not.
    Refusal,
    /// Something is wrong with how we take it.
    Fault(String),
}

fn end(content: &str) -> End {
    let rendered = catch_unwind(AssertUnwindSafe(|| {
        render(&cases(), "broken.mjml", content)
    }));
    let Ok(rendered) = rendered else {
        return End::Fault("a panic of ours".to_owned());
    };
    let Err(error) = rendered else {
        return End::Page;
    };
    let mut errors = error.into_all().into_iter();
    match errors.find(|error| error.kind() == Kind::Bug) {
        Some(bug) => End::Fault(bug.to_string()),
        None => End::Refusal,
    }
}

/// The file of this number.
fn broken(sources: &[String], number: usize) -> String {
    let mut chance = Chance::of(&format!("broken {number}"));
    let source = chance.one(sources);
    if number % 2 == 1 {
        return bent(source, sources, &mut chance);
    }
    let mut bytes = source.clone().into_bytes();
    for _ in 0..=chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let length = if chance.below(4) == 0 { 200 } else { 12 };
        let end = (at + chance.below(length)).min(bytes.len());
        let piece = bytes[at..end].to_vec();
        let elsewhere = chance.below(bytes.len() + 1);
        match chance.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, piece)),
            3 if elsewhere <= at => {
                // It goes elsewhere.
                bytes.drain(at..end);
                bytes.splice(elsewhere..elsewhere, piece);
            }
            4 => {
                let other = chance.one(sources).as_bytes();
                let from = chance.below(other.len());
                let to = (from + chance.below(300)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            5 => {
                // A value is what most readings of a file come to.
                let quote = bytes[at..].iter().position(|byte| *byte == b'"');
                let at = quote.map_or(at, |quote| at + quote + 1);
                bytes.splice(at..at, chance.one(&PIECES).bytes());
            }
            _ => drop(bytes.splice(at..end.min(at + 3), chance.one(&PIECES).bytes())),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A file whose tags are still in order, so that what is wrong with it comes far.
fn bent(source: &str, sources: &[String], chance: &mut Chance) -> String {
    let mut file = source.to_owned();
    for _ in 0..=chance.below(5) {
        let at = file.ceil_char_boundary(chance.below(file.len() + 1));
        let next = |mark: &str| file[at..].find(mark).map(|found| at + found + mark.len());
        let value = next("=\"").and_then(|start| Some(start..start + file[start..].find('"')?));
        let piece = *chance.one(&PIECES);
        match (chance.below(6), value) {
            (0, Some(value)) if !piece.contains(['<', '"']) => file.insert_str(value.start, piece),
            (1, Some(value)) if !piece.contains(['<', '"']) => file.replace_range(value, piece),
            (2, Some(value)) => {
                let other = chance.one(sources);
                let values: Vec<&str> = other.split('"').skip(1).step_by(2).collect();
                let other = values.get(chance.below(values.len().max(1)));
                file.replace_range(value, other.copied().unwrap_or_default());
            }
            (3, _) if !piece.contains("mj-") => {
                let text = [
                    "<mj-text",
                    "<mj-button",
                    "<mj-table",
                    "<mj-raw",
                    "<mj-style",
                    "<mj-title",
                ];
                let text = next(text[chance.below(text.len())]);
                let start = text.and_then(|tag| Some(tag + file[tag..].find('>')? + 1));
                if let Some(start) = start.filter(|start| !file[..*start].ends_with("/>")) {
                    file.insert_str(start, piece);
                }
            }
            (4, _) => {
                let digit = file[at..]
                    .find(|c: char| c.is_ascii_digit())
                    .map(|found| at + found);
                if let Some(digit) = digit {
                    let other = ["", "-", ".", "99999", "e9", "%", "0", " "];
                    file.replace_range(digit..=digit, other[chance.below(other.len())]);
                }
            }
            _ => {
                // A line of our files is often a whole element.
                let mut lines: Vec<&str> = file.lines().collect();
                let (from, to) = (chance.below(lines.len()), chance.below(lines.len()));
                let line = lines[from].trim();
                if line.starts_with("<mj-") && (line.ends_with("/>") || line.contains("</")) {
                    lines.insert(to, line);
                }
                file = lines.join("\n");
            }
        }
    }
    file
}

/// The input without what the fault does not need.
fn smaller(input: &str) -> String {
    let mut letters: Vec<char> = input.chars().collect();
    let mut length = letters.len() / 2;
    while length > 0 {
        let mut at = 0;
        while at < letters.len() {
            let to = (at + length).min(letters.len());
            let without: Vec<char> = [&letters[..at], &letters[to..]].concat();
            if matches!(end(&without.iter().collect::<String>()), End::Fault(_)) {
                letters = without;
            } else {
                at = to;
            }
        }
        length /= 2;
    }
    letters.iter().collect()
}
