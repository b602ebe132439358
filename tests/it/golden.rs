//! `issue → mjml → html → eml`, whole files compared. `UPDATE_GOLDEN=1 cargo test` writes them anew;
//! the difference is then for a person to read.

use std::path::{Path, PathBuf};

use crate::project::Project;

/// An issue that uses what there is to use.
const ISSUE: &str = r#"+++
subject = "{{ subscriber.first_name | default(value=\"Hello\") }}: issue & news"
preheader = "A preheader that is long enough to be of use to {{ subscriber.first_name | default(value=\"you\") }}"
date = 2026-11-23
articles = ["articles/type.md", "articles/paper.txt"]
+++

Dear {{ subscriber.first_name | default(value="reader") }},

a letter with *emphasis*, a [link](https://example.com/a?b=1&c=2) and `code`.

{% if subscriber.plan == "pro" %}
Thank you for your support.
{% endif %}
"#;

const TYPE: &str = r#"+++
title = "Type & tide"
standfirst = "Why <letters> wait for no one"
byline = "Ida Moreau"
date = 2026-11-20
url = "https://example.com/type"
topics = ["type"]
+++

A paragraph with “quotes”, **strength** and {{ 7*7 }}, which is no code.

> The letter waits; the reader does not.
>
> — Ida Moreau, printer

![A case of type](images/case.png "The upper case. Photo: Jonas Weil")

## A heading

1. one
2. two

| size | name |
| ---: | --- |
| 12 | Pica |
"#;

const PAPER: &str = "Paper, again

The mill by the river has opened its doors.

The first sheet came off the mould at nine.

“Nobody asked for paper until there was none.”

Vera Lindqvist

It was dry by noon.
";

/// One pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T',
    0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xae, 0x42, 0x60, 0x82,
];

fn project() -> Project {
    Project::new()
        .file("issues/golden.md", ISSUE)
        .file("articles/type.md", TYPE)
        .file("articles/paper.txt", PAPER)
        .file("articles/images/case.png", PIXEL)
        .file(".letterpress/secret", crate::project::SECRET)
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

#[track_caller]
fn compare(name: &str, actual: &str) {
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, actual).expect("a golden file");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((index, (left, right))) = expected
        .lines()
        .zip(actual.lines())
        .enumerate()
        .find(|(_, (left, right))| left != right)
    {
        panic!("{name}, line {}:\n- {left}\n+ {right}", index + 1);
    }
    assert_eq!(expected.len(), actual.len(), "{name} is of another length");
}

#[test]
fn an_issue_becomes_mjml_html_text_and_a_message() {
    let project = project();
    let _ = project
        .run(&["build", "golden", "-o", "nobody"])
        .exit(0)
        .stderr("");
    for file in ["issue.mjml", "index.html", "text.txt", "message.eml"] {
        compare(
            &format!("nobody/{file}"),
            &project.read(&format!("nobody/{file}")),
        );
    }
    let _ = project
        .run(&["build", "golden", "-o", "ada", "--as", "ada@example.com"])
        .exit(0);
    for file in ["text.txt", "message.eml"] {
        compare(
            &format!("ada/{file}"),
            &project.read(&format!("ada/{file}")),
        );
    }
}

#[test]
fn a_build_is_the_same_on_every_run() {
    let project = project();
    let _ = project.run(&["build", "golden", "-o", "one"]).exit(0);
    let _ = project.run(&["build", "golden", "-o", "two"]).exit(0);
    for file in ["issue.mjml", "index.html", "text.txt", "message.eml"] {
        assert_eq!(
            project.read(&format!("one/{file}")),
            project.read(&format!("two/{file}"))
        );
    }
}

#[test]
fn a_dry_run_writes_the_mail_that_a_send_would() {
    let project = project();
    let _ = project
        .run(&["send", "golden", "--dry-run", "--yes"])
        .exit(0);
    let dry = project.messages(".letterpress/dry-run/golden");
    assert_eq!(dry.len(), 3);
    let _ = project
        .run(&["send", "golden", "--sandbox", "--yes"])
        .exit(0);
    let sent = project.messages(".letterpress/sandbox");
    assert_eq!(sent.len(), 3);
    // What the sandbox puts before a mail, and what a campaign of its own changes, aside.
    let body = |mail: &String| {
        let start = mail.find("\r\nMIME-Version").expect("a MIME header");
        let boundary = |c: &str| c.contains("boundary") || c.starts_with("--");
        mail[start..]
            .lines()
            .filter(|line| !boundary(line) && !line.contains("/u/"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut dry: Vec<_> = dry.iter().map(body).collect();
    let mut sent: Vec<_> = sent.iter().map(body).collect();
    dry.sort();
    sent.sort();
    assert_eq!(dry, sent);
}
