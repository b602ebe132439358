//! Frozen campaigns: what an edit, a change of the list and trouble of our own do to them.

use crate::project::{LIST, Project};

const ISSUE: &str = "+++\nsubject = \"For {{ subscriber.first_name | default(value=\\\"you\\\") }}\"\n+++\n\nHello.\n";
const SANDBOX: &str = ".letterpress/sandbox";

fn project() -> Project {
    Project::new()
        .file("issues/a.md", ISSUE)
        .settings("\n[relay]\nurl = \"smtp+plain://127.0.0.1:1\"\nrate = \"max\"\n")
}

/// A newsletter of which one of three mails is out.
fn begun() -> Project {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    project
}

fn edit(project: &Project) {
    project.write("issues/a.md", ISSUE.replace("Hello.", "Good day."));
}

/// How many mails say what was frozen first, and what was edited.
fn said(project: &Project) -> (usize, usize) {
    let mails = project.messages(SANDBOX);
    let count = |what| mails.iter().filter(|mail| mail.contains(what)).count();
    (count("Hello."), count("Good day."))
}

#[test]
fn an_edit_is_sent_on_purpose_only() {
    let project = begun();
    edit(&project);
    let send = ["send", "a", "--sandbox", "--yes"];
    let refused = project.run(&send).exit(65).stdout("").stderr;
    for word in [
        "has the hash",
        "bring the files back",
        "`--amend`",
        "`--fresh`",
    ] {
        assert!(refused.contains(word), "{refused}");
    }
    let amended = project
        .run(&["send", "a", "--sandbox", "--yes", "--amend", "-v"])
        .exit(0);
    assert!(amended.stderr.contains("1 have had "), "{}", amended.stderr);
    assert_eq!(said(&project), (1, 2));
    // Nothing is left to amend, and the edited files are what the campaign is now.
    let _ = project.run(&send).exit(0);
    assert_eq!(said(&project), (1, 2));
    let books = project.run(&["status", "a", "--sandbox"]).exit(0).stdout;
    assert!(books.starts_with("a@all#sandbox  complete\n"), "{books}");
}

#[test]
fn an_amendment_that_ended_before_the_books_had_it_counts_for_nothing() {
    let project = begun();
    edit(&project);
    // Frozen, but never confirmed: as if the process had ended between the two.
    let _ = project
        .run(&["send", "a", "--sandbox", "--amend", "--expect", "99"])
        .exit(65);
    assert!(
        project
            .path(".letterpress/campaigns/a@all#sandbox+1")
            .exists()
    );
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(65);
    project.write("issues/a.md", ISSUE);
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    assert_eq!(said(&project), (2, 0));
    edit(&project);
    let _ = project
        .run(&["send", "a", "--sandbox", "--amend", "--expect", "1"])
        .exit(0);
    assert_eq!(said(&project), (2, 1));
}

#[test]
fn who_joined_is_included_on_purpose_only_and_once() {
    let project = begun();
    // Ben has left, Dee has joined (twice), and Eve has joined and is suppressed.
    let list: String = LIST
        .lines()
        .filter(|line| !line.starts_with("ben"))
        .map(|line| format!("{line}\n"))
        .collect();
    project.write(
        "subscribers/list.csv",
        list + "dee@example.com,Dee,pro,\nDEE@example.com,Dee,pro,\neve@example.com,Eve,pro,\n",
    );
    project.write("subscribers/suppressions.csv", "email\neve@example.com\n");
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "1"])
        .exit(0);
    assert_eq!(project.messages(SANDBOX).len(), 2);
    let include = ["send", "a", "--sandbox", "--include-new", "--yes"];
    for _ in 0..2 {
        let _ = project.run(&include).exit(0);
        assert_eq!(project.messages(SANDBOX).len(), 3);
    }
    let rows = project
        .run(&["status", "a", "--sandbox", "--recipients"])
        .exit(0)
        .stdout;
    let rows: Vec<String> = rows
        .lines()
        .map(|row| row.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "sent ada@example.com",
            "skipped ben@example.org",
            "sent chi@example.net",
            "sent dee@example.com"
        ]
    );
}

#[test]
fn an_amendment_and_new_readers_go_together() {
    let project = begun();
    edit(&project);
    project.write(
        "subscribers/list.csv",
        LIST.to_owned() + "dee@example.com,Dee,pro,\n",
    );
    let _ = project
        .run(&[
            "send",
            "a",
            "--sandbox",
            "--amend",
            "--include-new",
            "--expect",
            "3",
        ])
        .exit(0);
    assert_eq!(said(&project), (1, 3));
}

#[test]
fn an_amendment_that_cannot_be_merged_changes_nothing() {
    let project = begun();
    project.write(
        "issues/a.md",
        ISSUE.replace("Hello.", "Hello {{ subscriber.first_name }}."),
    );
    let refused = project
        .run(&["send", "a", "--sandbox", "--amend", "--yes"])
        .exit(65);
    assert!(
        refused.stderr.contains("subscribers/list.csv:3"),
        "{}",
        refused.stderr
    );
    project.write("issues/a.md", ISSUE);
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    assert_eq!(said(&project), (3, 0));
}

#[test]
fn an_edit_that_changes_no_mail_is_none() {
    let project = begun();
    // Tags stand elsewhere, and everyone reads the same.
    project.write(
        "issues/a.md",
        ISSUE
            .replace("+++\n\n", "\n\n+++\n\n\n\n")
            .replacen("+++\n", "+++\n# A note.\n", 1),
    );
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    assert_eq!(said(&project), (3, 0));
}

#[test]
fn what_was_called_off_is_not_sent() {
    let project = begun();
    let ledger = rusqlite::Connection::open(project.path(".letterpress/ledger.db")).unwrap();
    let _ = ledger
        .execute("UPDATE campaign SET state = 'cancelled'", [])
        .unwrap();
    drop(ledger);
    let refused = project.run(&["send", "a", "--sandbox", "--yes"]).exit(65);
    assert!(
        refused
            .stderr
            .starts_with("error: the campaign `a@all#sandbox` was called off; nothing was sent\n"),
        "{}",
        refused.stderr
    );
    assert_eq!(project.messages(SANDBOX).len(), 1);
    let _ = project
        .run(&["send", "a", "--sandbox", "--fresh", "--yes"])
        .exit(0);
}

#[test]
fn a_campaign_whose_folder_is_gone_is_not_sent() {
    let project = begun();
    let folder = project.path(".letterpress/campaigns");
    std::fs::rename(&folder, project.path("away")).unwrap();
    let refused = project.run(&["send", "a", "--sandbox", "--yes"]).exit(69);
    assert!(
        refused
            .stderr
            .starts_with("error: the frozen files of the campaign `a@all#sandbox` are gone\n"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("$DIR/.letterpress/campaigns"));
    std::fs::rename(project.path("away"), &folder).unwrap();
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    assert_eq!(project.messages(SANDBOX).len(), 3);
}

/// A list of so many.
fn many(count: u32) -> String {
    let rows = (0..count).map(|at| format!("reader{at}@example.com,Reader {at},free,paper\n"));
    "email,first_name,plan,topics\n".to_owned() + &rows.collect::<String>()
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_while_freezing_costs_nothing() {
    let project = project().file("subscribers/list.csv", many(3_000));
    let send = "send a --sandbox --yes --limit 1";
    // No file may grow past 256 KiB, and that is no reason to be killed.
    let script = format!(
        "trap '' XFSZ; ulimit -f 512; exec {} {send}",
        env!("CARGO_BIN_EXE_letterpress")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(project.path("."))
        .env_clear()
        .output()
        .unwrap();
    let output = project.output(output).exit(74).stdout("");
    assert!(
        output.stderr.starts_with(
            "error: cannot write `$DIR/.letterpress/campaigns/.a@all#sandbox.new/audience.jsonl`"
        ),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("help: Free some space"),
        "{}",
        output.stderr
    );
    assert_eq!(
        std::fs::read_dir(project.path(".letterpress/campaigns"))
            .unwrap()
            .count(),
        0
    );
    let _ = project.run(&send.split(' ').collect::<Vec<_>>()).exit(0);
    let books = project.run(&["status", "a", "--sandbox"]).exit(0).stdout;
    assert!(books.contains("     2999  pending\n"), "{books}");
}

#[cfg(unix)]
#[test]
fn a_ledger_that_may_not_be_written_is_told_of() {
    use std::os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    };
    let project = begun();
    let allow = |path: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(project.path(path), mode).unwrap();
    };
    allow(".", 0o755);
    allow(".letterpress/secret", 0o644);
    allow(".letterpress/ledger.db.lock", 0o666);
    allow(".letterpress/ledger.db", 0o444);
    allow(".letterpress", 0o555);
    let mut command = project.command(&["send", "a", "--sandbox", "--yes"]);
    if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        // For root nothing is forbidden.
        let _ = command.uid(65_534);
    }
    let output = project
        .output(command.output().unwrap())
        .exit(74)
        .stdout("");
    allow(".letterpress", 0o755);
    assert!(
        output
            .stderr
            .starts_with("error: cannot use the ledger `$DIR/.letterpress/ledger.db`\n"),
        "{}",
        output.stderr
    );
    assert!(
        output
            .stderr
            .contains("help: See to it that this user may write"),
        "{}",
        output.stderr
    );
    assert_eq!(project.messages(SANDBOX).len(), 1);
}

#[test]
fn who_had_left_and_is_back_is_included_on_purpose_only_and_once() {
    let project = begun();
    let without_ben: String = LIST
        .lines()
        .filter(|line| !line.starts_with("ben"))
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("subscribers/list.csv", without_ben.clone());
    project.write("subscribers/suppressions.csv", "email\nchi@example.net\n");
    let send = ["send", "a", "--sandbox", "--yes"];
    let include = ["send", "a", "--sandbox", "--include-new", "--yes"];
    let _ = project.run(&send).exit(0);
    assert_eq!(project.messages(SANDBOX).len(), 1);
    // Ben is back, in other letters; Chi is suppressed still.
    project.write(
        "subscribers/list.csv",
        without_ben + "BEN@example.org,Ben,pro,\n",
    );
    let _ = project.run(&send).exit(0);
    assert_eq!(project.messages(SANDBOX).len(), 1);
    for _ in 0..2 {
        let _ = project.run(&include).exit(0);
        assert_eq!(project.messages(SANDBOX).len(), 2);
    }
    project.write("subscribers/suppressions.csv", "email\n");
    for _ in 0..2 {
        let _ = project.run(&include).exit(0);
        assert_eq!(project.messages(SANDBOX).len(), 3);
    }
}

#[test]
fn a_list_that_was_cut_short_costs_nobody_a_mail() {
    let project = project();
    let list = many(20);
    project.write("subscribers/list.csv", list.clone());
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    let cut: String = list
        .lines()
        .take(9)
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("subscribers/list.csv", cut.clone());
    let send = ["send", "a", "--sandbox", "--yes"];
    let refused = project.run(&send).exit(65).stdout("").stderr;
    assert!(
        refused.contains("12 of 20 people who were on the list"),
        "{refused}"
    );
    assert_eq!(project.messages(SANDBOX).len(), 1);
    project.write("subscribers/list.csv", list.clone());
    let _ = project.run(&send).exit(0);
    assert_eq!(project.messages(SANDBOX).len(), 20);
}
