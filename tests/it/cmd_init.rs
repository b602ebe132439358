//! From an empty folder to the first mail.

use crate::project::{Project, files};

#[test]
fn init_lays_out_a_newsletter_that_sends() {
    let project = Project::empty();
    let _ = project.run(&["init"]).exit(0).stderr("").stdout(
        "18 files written, 0 kept as they were.

Next:
  letterpress preview welcome
  letterpress send welcome --sandbox --yes
  letterpress new my-first-issue
",
    );
    let _ = project
        .run(&["send", "welcome", "--sandbox", "--yes"])
        .exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 11);
}

#[test]
fn init_never_overwrites() {
    let project = Project::empty().file("issues/welcome.md", "mine");
    let output = project.run(&["init"]).exit(0);
    assert!(
        output
            .stdout
            .starts_with("17 files written, 1 kept as they were.\n"),
        "{}",
        output.stdout
    );
    assert_eq!(project.read("issues/welcome.md"), "mine");
}

#[test]
fn init_makes_the_folder_it_is_given() {
    let project = Project::empty();
    let output = project.run(&["init", "weekly"]).exit(0);
    assert!(
        output
            .stdout
            .contains("  cd weekly && letterpress preview welcome\n")
    );
    let _ = project.run(&["-C", "weekly", "build", "welcome"]).exit(0);
    let written: Vec<String> = files(&project.path("weekly/out/welcome"))
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        written,
        ["index.html", "issue.mjml", "message.eml", "text.txt"]
    );
}

#[test]
fn the_list_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::sample();
    let _ = project
        .run(&["send", "welcome", "--sandbox", "--yes"])
        .exit(0);
    for path in [
        "subscribers/list.csv",
        ".letterpress/secret",
        ".letterpress/ledger.db",
    ] {
        let mode = std::fs::metadata(project.path(path))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{path} has the mode {mode:o}");
    }
}

#[test]
fn new_starts_an_issue_and_never_overwrites() {
    let project = Project::new();
    let _ = project.run(&["new", "2026-48"]).exit(0).stderr("").stdout(
        "issues/2026-48.md

Next:
  write the letter, and name the articles in its front matter
  letterpress preview 2026-48
  letterpress send 2026-48 --sandbox
",
    );
    let _ = project
        .run(&["new", "2026-48"])
        .exit(73)
        .stderr("error: `issues/2026-48.md` is there already\n");
    let _ = project.run(&["new", "../x"]).exit(64);
}

#[test]
fn the_command_line_says_what_is_wrong_with_it() {
    let project = Project::empty();
    let _ = project.run(&["sned"]).exit(64).stdout("");
    let _ = project.run(&["send"]).exit(64).stdout("");
    let help = project.run(&["--help"]).exit(0).stderr("");
    for verb in [
        "init", "new", "build", "preview", "test", "send", "status", "inbox",
    ] {
        assert!(help.stdout.contains(&format!("\n  {verb} ")), "{verb}");
    }
}
