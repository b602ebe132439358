//! `send`, `test` and `status`, as a user or a cron line runs them.

use crate::project::{LIST, Output, Project, SECRET, inbox, lines};

const ISSUE: &str = "+++\nsubject = \"For {{ subscriber.first_name | default(value=\\\"you\\\") }}\"\n+++\n\nHello.\n";

fn project() -> Project {
    Project::new()
        .file("issues/a.md", ISSUE)
        .settings("\n[relay]\nurl = \"smtp+plain://127.0.0.1:1\"\nrate = \"max\"\n")
}

/// Names of files hold the time; all else is compared.
fn without_files(output: &Output) -> String {
    let time = |line: &str| match line.split_once(" in ") {
        Some((before, after)) if after.ends_with(" s.") => format!("{before} in … s."),
        _ => line.to_owned(),
    };
    output
        .stdout
        .lines()
        .filter(|line| !line.starts_with("  .letterpress/"))
        .map(time)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_send_to_the_sandbox_says_what_was_sent_and_how_to_look_at_it() {
    let project = project();
    let output = project
        .run(&["send", "a", "--sandbox", "--yes"])
        .exit(0)
        .stderr("");
    assert_eq!(
        without_files(&output),
        "3 of 3 mails of `a` are sent; this run tried 3 in … s.


Look at them: open an .eml file in a mail program, or run
  letterpress preview a              the issue in the browser
  letterpress status a --sandbox     the books of the sandbox
  letterpress send a --sandbox --fresh --yes    deliver to it once more"
    );
    let listed = output
        .stdout
        .lines()
        .filter(|line| line.starts_with("  .letterpress/sandbox/") && line.ends_with(".eml"))
        .count();
    assert_eq!(listed, 3);

    // The second run finds nothing to do.
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes"])
        .exit(0)
        .stderr("");
    assert_eq!(project.messages(".letterpress/sandbox").len(), 3);
    // Unless the sandbox is told to forget.
    let _ = project
        .run(&["send", "a", "--sandbox", "--fresh", "--yes"])
        .exit(0)
        .stderr("");
    assert_eq!(project.messages(".letterpress/sandbox").len(), 6);
}

#[test]
fn the_books_of_the_sandbox_are_its_own() {
    let project = project();
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    let _ = project
        .run(&["status", "a", "--sandbox"])
        .exit(0)
        .stderr("")
        .stdout(
            "a@all#sandbox  complete
          3  sent
          3  in all
",
        );
    let _ = project.run(&["status", "a"]).exit(66).stdout("").stderr(
        "error: the books in `.letterpress/ledger.db` know nothing of `a@all`
 |
 = help: It was sent to the sandbox: add `--sandbox` to see those books.
",
    );
    let json = project
        .run(&["status", "a", "--sandbox", "--json"])
        .exit(0)
        .stdout;
    let books: serde_json::Value = serde_json::from_str(&json).unwrap();
    let keys: Vec<&str> = books
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "issue",
            "campaign",
            "state",
            "total",
            "pending",
            "sending",
            "sent",
            "deferred",
            "failed",
            "unknown",
            "skipped",
            "expired",
            "rate_per_second",
            "started_at",
            "finishes_at",
            "reason",
            "wanted",
            "generation",
            "deliver_by",
            "next_retry",
            "relays",
            "reasons"
        ]
    );
    assert_eq!(
        (&books["issue"], &books["total"], &books["sent"]),
        (&"a".into(), &3.into(), &3.into())
    );
}

#[test]
fn without_a_terminal_someone_has_to_confirm() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox"])
        .exit(64)
        .stdout("")
        .stderr(
            "error: there is no terminal to ask for a confirmation
 |
 = help: Add `--yes`, or `--expect 3` to send only while that is the number of recipients.
",
        );
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "4"])
        .exit(65)
        .stdout("")
        .stderr(
            "error: 3 recipients are due, and 4 were expected
 |
 = help: Nothing was sent. Look at the list, then say the right number.
",
        );
    assert!(project.messages(".letterpress/sandbox").is_empty());
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "3"])
        .exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 3);
}

#[test]
fn a_limit_is_for_one_run() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "2"])
        .exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 2);
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 3);
}

#[test]
fn a_list_that_is_put_right_before_the_first_mail_counts() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "4"])
        .exit(65);
    project.write(
        "subscribers/list.csv",
        LIST.to_owned() + "dee@example.com,Dee,pro,\n",
    );
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "4"])
        .exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 4);
}

#[test]
fn a_list_that_was_cut_short_costs_nobody_a_mail_unless_confirmed() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    // Ada, who has had her mail, is all that a broken export has left.
    let ada: String = LIST
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("subscribers/list.csv", ada);
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "2"])
        .exit(65);
    let _ = project.run(&["send", "a", "--sandbox"]).exit(64);
    project.write("subscribers/list.csv", LIST);
    let _ = project
        .run(&["send", "a", "--sandbox", "--expect", "2"])
        .exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 3);
}

#[test]
fn a_ledger_that_was_lost_is_not_begun_anew() {
    let project = Project::new().file("issues/a.md", ISSUE);
    let (_inbox, address, _taken) = inbox(&project);
    let project = project.settings(&format!(
        "\n[relay]\nurl = \"smtp+plain://{address}\"\nrate = \"max\"\n"
    ));
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    let ledger = project.path(".letterpress/ledger.db");
    for lose in [
        |ledger: &std::path::Path| std::fs::remove_file(ledger),
        |ledger: &std::path::Path| std::fs::write(ledger, ""),
    ] {
        lose(&ledger).unwrap();
        for arguments in [
            &["send", "a", "--yes"][..],
            &["send", "a", "--sandbox", "--yes"],
        ] {
            let output = project.run(arguments).exit(69).stdout("");
            assert!(output.stderr.starts_with(
                "error: the ledger `$DIR/.letterpress/ledger.db` is gone, and with it who has had their mail\n"
            ), "{}", output.stderr);
        }
    }
    assert_eq!(project.messages(".letterpress/sandbox").len(), 3);
}

#[test]
fn a_campaign_goes_on_with_the_key_that_it_began_with() {
    let project = project();
    let send = ["send", "a", "--sandbox", "--yes", "--limit", "1"];
    let _ = project.run(&send).exit(0);
    let secret = project.read(".letterpress/secret");
    std::fs::remove_file(project.path(".letterpress/secret")).unwrap();
    let output = project.run(&send).exit(69);
    assert!(
        output.stderr.starts_with(
            "error: the key of unsubscribe links is another than when the campaign `a@all#sandbox` began\n"
        ),
        "{}",
        output.stderr
    );
    project.write(".letterpress/secret", secret);
    let _ = project.run(&send).exit(0);
    assert_eq!(project.messages(".letterpress/sandbox").len(), 2);
}

#[test]
fn frozen_files_that_the_ledger_does_not_know_are_not_sent() {
    let limited = ["send", "a", "--sandbox", "--yes", "--limit", "1"];
    // The same key, so that only the audience differs.
    let project = || project().file(".letterpress/secret", SECRET);
    let (ours, other) = (project(), project());
    let _ = ours.run(&limited).exit(0);
    let mut lines: Vec<&str> = LIST.lines().collect();
    lines.swap(1, 3);
    other.write("subscribers/list.csv", lines.join("\n"));
    let _ = other.run(&limited).exit(0);
    let campaigns = ".letterpress/campaigns/a@all#sandbox";
    for name in [
        "audience.jsonl",
        "manifest.json",
        "letterhead.json",
        "edition.json",
    ] {
        let name = format!("{campaigns}/{name}");
        ours.write(&name, other.read(&name));
    }
    let output = ours.run(&["send", "a", "--sandbox", "--yes"]).exit(69);
    assert!(output.stderr.starts_with(
        "error: the frozen files of the campaign `a@all#sandbox` are not those that the ledger knows\n"
    ), "{}", output.stderr);
    assert_eq!(ours.messages(".letterpress/sandbox").len(), 1);
}

#[test]
fn an_issue_that_was_edited_halfway_is_refused() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    project.write("issues/a.md", ISSUE.replace("Hello.", "Good day."));
    let output = project.run(&["send", "a", "--sandbox", "--yes"]).exit(65);
    assert!(
        output.stderr.starts_with(
            "error: the issue was edited after the campaign `a@all#sandbox` began: 1 of 3 mails are out or under way\n"
        ),
        "{}",
        output.stderr
    );
    assert_eq!(project.messages(".letterpress/sandbox").len(), 1);
}

#[test]
fn who_left_or_was_suppressed_since_is_left_out() {
    let project = project();
    let _ = project
        .run(&["send", "a", "--sandbox", "--yes", "--limit", "1"])
        .exit(0);
    project.write(
        "subscribers/suppressions.csv",
        "email,reason\nben@example.org,unsubscribed\n",
    );
    let _ = project.run(&["send", "a", "--sandbox", "--yes"]).exit(0);
    let _ = project.run(&["status", "a", "--sandbox"]).exit(0).stdout(
        "a@all#sandbox  complete
          2  sent
          1  skipped
          3  in all
Why:
          1  skipped   no longer on the list
",
    );
    assert_eq!(project.messages(".letterpress/sandbox").len(), 2);
}

#[test]
fn who_is_suppressed_during_a_send_is_not_written_to() {
    let project = Project::new().file("issues/a.md", ISSUE);
    let (_inbox, address, taken) = inbox(&project);
    let project = project.settings(&format!(
        "\n[relay]\nurl = \"smtp+plain://{address}\"\nrate = \"30/min\"\nconnections = 1\n"
    ));
    let mut sender = project.start(&["send", "a", "--yes"]);
    // Ada's mail has arrived; Ben's waits for its time.
    taken.recv().unwrap();
    project.write("subscribers/suppressions.csv", "email\nben@example.org\n");
    assert!(sender.0.wait().unwrap().success());
    let _ = project.run(&["status", "a"]).exit(0).stdout(
        "a@all  complete
          2  sent
          1  skipped
          3  in all
Why:
          1  skipped   suppressed: suppressed
",
    );
}

#[test]
fn what_has_a_receipt_is_not_sent_again_by_a_ledger_that_does_not_know_it() {
    let project = Project::new().file("issues/a.md", ISSUE);
    let (_inbox, address, taken) = inbox(&project);
    let project = project.settings(&format!(
        "\n[relay]\nurl = \"smtp+plain://{address}\"\nrate = \"max\"\n"
    ));
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    assert_eq!(taken.iter().take(3).count(), 3);
    let receipt: toml::Table = project.read("issues/a.sent.toml").parse().unwrap();
    assert_eq!(receipt["a@all"]["sent"].as_integer(), Some(3));
    // Its own ledger knows it: nothing is due, and the receipt stays as it is.
    let before = project.read("issues/a.sent.toml");
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    assert_eq!(project.read("issues/a.sent.toml"), before);

    // Another machine has the files, and not the books.
    std::fs::remove_dir_all(project.path(".letterpress")).unwrap();
    let again = project.run(&["send", "a", "--yes"]).exit(65).stdout("");
    assert!(
        again
            .stderr
            .starts_with("error: `a@all` was sent already, on "),
        "{}",
        again.stderr
    );
    assert!(project.messages(".letterpress/sandbox").is_empty());
    // The sandbox and a dry run have nothing to do with it.
    let _ = project.run(&["send", "a", "--dry-run", "--yes"]).exit(0);
}

#[test]
fn a_second_sender_leaves_at_once() {
    let project = Project::new()
        .file("issues/a.md", ISSUE)
        .settings("\n[relay]\nurl = \"smtp+plain://127.0.0.1:1\"\nrate = \"1/h\"\n");
    // The first holds the ledger: at one mail an hour it will not be done.
    let mut first = project.start(&["send", "a", "--sandbox", "--yes", "-v"]);
    let said = lines(first.0.stderr.take().unwrap());
    assert!(said.iter().any(|line| line.contains("3 recipients")));
    let second = project.run(&["send", "a", "--sandbox", "--yes"]).exit(75);
    assert!(
        second.stderr.contains(&first.0.id().to_string()),
        "the holder is named: {}",
        second.stderr
    );
}

#[test]
fn sample_addresses_go_to_no_real_relay() {
    let project = Project::new()
        .file("issues/a.md", ISSUE)
        .settings("\n[relay]\nurl = \"smtps://relay.example.com\"\n");
    let output = project.run(&["send", "a", "--yes"]).exit(65).stdout("");
    assert!(output.stderr.starts_with(
        "error: subscribers/list.csv:2: `ada@example.com` is in a domain that is reserved for examples and gets no mail\n"
    ), "{}", output.stderr);
}

#[test]
fn clear_text_is_for_this_machine() {
    let project = Project::new()
        .file("issues/a.md", ISSUE)
        .settings("\n[relay]\nurl = \"smtp+plain://relay.example.com\"\n");
    let output = project.run(&["send", "a", "--yes"]).exit(78).stdout("");
    assert!(
        output.stderr.contains("relay.example.com"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_test_sends_the_real_mail_and_leaves_the_books_alone() {
    let project = project();
    let output = project
        .run(&[
            "test",
            "a",
            "--to",
            "me@example.com",
            "--as",
            "ada@example.com",
            "--sandbox",
        ])
        .exit(0);
    assert!(
        output
            .stdout
            .starts_with("sent      me@example.com  by way of the sandbox inbox  250 ")
    );
    let mails = project.messages(".letterpress/sandbox");
    let [mail] = mails.as_slice() else {
        panic!("{} mails", mails.len());
    };
    assert!(mail.contains("\r\nTo: me@example.com\r\n"), "{mail}");
    assert!(mail.contains("\r\nSubject: [TEST] For Ada\r\n"), "{mail}");
    assert!(!project.path(".letterpress/ledger.db").exists());
}

#[test]
fn an_issue_whose_time_has_not_come_waits_except_to_be_looked_at() {
    let issue = ISSUE.replace("+++\n\n", "send_at = 2999-01-01T00:00:00Z\n+++\n\n");
    let project = Project::new().file("issues/a.md", &issue);
    let _ = project.run(&["send", "a", "--yes"]).exit(75).stdout(
        "`a` is due at 2999-01-01T00:00:00Z; nothing was sent. Run it again then, or change `send_at`.\n",
    );
    let _ = project
        .run(&["send", "a", "--yes", "--json"])
        .exit(75)
        .stdout("{\"issue\":\"a\",\"end\":\"scheduled\",\"send_at\":\"2999-01-01T00:00:00Z\"}\n");
    let _ = project.run(&["send", "a", "--dry-run", "--yes"]).exit(0);
    assert!(!project.path(".letterpress/ledger.db").exists());
}

#[test]
fn a_test_says_in_json_of_which_issue() {
    let project = project();
    let arguments = ["test", "a", "--to", "me@example.com", "--sandbox", "--json"];
    let said = project.run(&arguments).exit(0).stdout;
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["issue"], "a");
    assert_eq!(said["sent"], 1);
}

#[test]
fn an_issue_with_a_dot_in_its_name_has_books() {
    let project = Project::new().file("issues/2026.48.md", ISSUE);
    let _ = project
        .run(&["send", "2026.48", "--sandbox", "--yes"])
        .exit(0);
    for name in ["2026.48", "2026.48.md", "issues/2026.48.md"] {
        let said = project.run(&["status", name, "--sandbox"]).exit(0).stdout;
        assert!(
            said.starts_with("2026.48@all#sandbox  complete\n"),
            "{said}"
        );
    }
}

#[test]
fn a_test_without_an_address_or_with_a_bad_one_is_refused() {
    let project = project();
    let _ = project.run(&["test", "a"]).exit(64);
    let _ = project
        .run(&["test", "a", "--to", "me", "--to", "you@", "--sandbox"])
        .exit(64)
        .stdout("");
}

#[test]
fn no_secret_is_printed_or_kept() {
    let project = Project::new()
        .file("issues/a.md", ISSUE)
        .file("secret.txt", "hunter2\n")
        .settings("\n[relay]\nurl = \"smtp+plain://user@127.0.0.1:1\"\npassword_env = \"RELAY_PASSWORD\"\n")
        .environment("RELAY_PASSWORD", "hunter2");
    let mut seen = String::new();
    for arguments in [
        &["send", "a", "--sandbox", "--yes", "-v"][..],
        &["build", "a", "-v"],
        &["status", "--json"],
        &["test", "a", "--to", "x@example.com", "--sandbox", "-v"],
    ] {
        let output = project.run(arguments).exit(0);
        seen += &output.stdout;
        seen += &output.stderr;
    }
    for file in ["ledger.db", "ledger.db-wal", "ledger.db.lock"] {
        if let Ok(bytes) = std::fs::read(project.path(".letterpress").join(file)) {
            seen += &String::from_utf8_lossy(&bytes);
        }
    }
    assert!(!seen.contains("hunter2"));
}

#[test]
fn what_a_person_must_look_at_is_not_tried_by_cron_again() {
    let project = Project::new().file("issues/a.md", ISSUE);
    let (_inbox, address, _taken) = inbox(&project);
    // The sandbox inbox offers no AUTH.
    let project = project
        .settings(&format!(
            "\n[relay]\nurl = \"smtp+plain://me@{address}\"\npassword_env = \"RELAY_PASSWORD\"\n"
        ))
        .environment("RELAY_PASSWORD", "secret");
    let first = project.run(&["send", "a", "--yes"]);
    assert!(matches!(first.code, Some(69 | 77 | 78)), "{first:?}");
    let again = project.run(&["send", "a", "--yes"]).exit(69).stdout("");
    assert!(
        again.stderr.starts_with("error: `a` is paused\n"),
        "{}",
        again.stderr
    );
    assert!(project.messages(".letterpress/sandbox").is_empty());
}
