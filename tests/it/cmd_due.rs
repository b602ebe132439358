//! `send --due`, as a cron line runs it.

use jiff::{SignedDuration, Timestamp};

use crate::project::{Project, Running, inbox};

/// A newsletter whose relay is the inbox.
fn project() -> (Project, Running) {
    let project = Project::new();
    let (inbox, address, _taken) = inbox(&project);
    let project = project.settings(&format!(
        "\n[relay]\nurl = \"smtp+plain://{address}\"\nrate = \"max\"\n"
    ));
    (project, inbox)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the program under test has no other clock"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

fn hours_ago(hours: i64) -> Timestamp {
    now() - SignedDuration::from_hours(hours)
}

fn issue(more: &str) -> String {
    format!("+++\nsubject = \"News\"\n{more}\n+++\n\nHello.\n")
}

fn sent(project: &Project) -> usize {
    project.messages(".letterpress/sandbox").len()
}

/// The first words of what is printed, as the rest tells times.
fn heads(text: &str) -> Vec<&str> {
    let is_head = |line: &&str| !line.starts_with(' ') && !line.is_empty();
    text.lines()
        .filter(is_head)
        .map(|line| line.split(';').next().unwrap_or(line))
        .collect()
}

#[test]
fn when_nothing_is_due_nothing_is_said_and_nothing_is_made() {
    let project = Project::new()
        .file("issues/draft.md", "+++\nsubjct = 7\n+++\n")
        .file("issues/notes.md", "To be written.\n")
        .file(
            "issues/soon.md",
            issue(&format!("send_at = {}", hours_ago(-1))),
        );
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    assert!(!project.path(".letterpress").exists());
}

#[test]
fn what_is_due_is_sent_once() {
    let (project, _inbox) = project();
    let project = project
        .file("issues/b.md", issue(&format!("send_at = {}", hours_ago(1))))
        .file("issues/a.md", issue(&format!("send_at = {}", hours_ago(2))))
        .file(
            "issues/soon.md",
            issue(&format!("send_at = {}", hours_ago(-1))),
        );
    let output = project.run(&["send", "--due"]).exit(0).stderr("");
    assert_eq!(
        heads(&output.stdout),
        [
            "3 of 3 mails of `a` are sent",
            "The books: letterpress status a",
            "3 of 3 mails of `b` are sent",
            "The books: letterpress status b"
        ]
    );
    assert_eq!(sent(&project), 6);
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    assert_eq!(sent(&project), 6);
}

#[test]
fn a_fault_in_one_issue_keeps_no_other_back() {
    let (project, _inbox) = project();
    let due = format!("send_at = {}", hours_ago(1));
    let project = project
        .file("issues/a.md", issue(&due) + "{{ subscriber.nobody }}\n")
        .file("issues/b.md", "+++\nsubject = \"Not closed\"\n")
        .file("issues/c.md", issue(&due));
    let output = project.run(&["send", "--due"]).exit(65);
    assert_eq!(
        heads(&output.stdout),
        [
            "3 of 3 mails of `c` are sent",
            "The books: letterpress status c"
        ]
    );
    let errors = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("error: "));
    assert_eq!(
        errors.collect::<Vec<_>>(),
        [
            "error: the front matter is not closed",
            "error: `subscribers/list.csv` has no column `nobody`"
        ]
    );
    // Each word is a mail from cron: the code alone tells it again.
    let _ = project
        .run(&["send", "--due"])
        .exit(65)
        .stdout("")
        .stderr("");
    assert_eq!(sent(&project), 3);
}

#[test]
fn an_issue_that_recurs_is_sent_for_its_slot() {
    let (project, _inbox) = project();
    // Its time is now, or was a moment ago.
    let minute = now().strftime("%H:%M").to_string();
    let every = issue(&format!("every = \"daily {minute} UTC\""));
    let project = project.file("issues/daily.md", every);
    let output = project.run(&["send", "--due"]).exit(0).stderr("");
    assert_eq!(heads(&output.stdout)[0], "3 of 3 mails of `daily` are sent");
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    // By hand it is the same slot.
    let output = project.run(&["send", "daily", "--yes"]).exit(0).stderr("");
    assert_eq!(
        heads(&output.stdout)[0],
        "Nothing is due: 3 of 3 mails of `daily` are sent."
    );
    assert_eq!(sent(&project), 3);
    let receipt = project.read("issues/daily.sent.toml");
    assert!(receipt.contains(&format!("T{minute}:00Z\"]")), "{receipt}");
    // At another time of the same day it is no second issue.
    project.write("issues/daily.md", issue("every = \"daily 00:00 UTC\""));
    let _ = project.run(&["send", "--due"]).exit(0).stderr("");
    assert_eq!(sent(&project), 3);
}

#[test]
fn before_its_first_slot_an_issue_is_not_sent_by_hand() {
    let (project, _inbox) = project();
    let every = "every = \"Mon 08:00 UTC\"\nstarts = 2999-01-01";
    let project = project.file("issues/a.md", issue(every));
    let _ = project
        .run(&["send", "a", "--yes"])
        .exit(75)
        .stderr("")
        .stdout("`a` is due at Mon 2999-01-07 08:00 UTC for the first time; nothing was sent.\n");
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
}

#[test]
fn what_was_missed_is_said_once_and_can_be_sent_by_hand() {
    let (project, _inbox) = project();
    let at = hours_ago(13).to_string();
    let project = project.file("issues/a.md", issue(&format!("send_at = {at}")));
    let _ = project
        .run(&["send", "--due"])
        .exit(69)
        .stdout("")
        .stderr(&format!(
            "error: `a` was due at {at} and is not sent any more
 |
 = note: nothing looked after it until now, and `max_delay` is 12h
 = help: To send it all the same: `letterpress send a`.
"
        ));
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    assert_eq!(sent(&project), 3);
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
}

#[test]
fn what_a_person_began_goes_on() {
    let (project, _inbox) = project();
    let project = project.file("issues/a.md", issue(""));
    // Asked, and not confirmed: nothing was begun.
    let _ = project.run(&["send", "a", "--expect", "7"]).exit(65);
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    let _ = project.run(&["send", "a", "--yes", "--limit", "1"]).exit(0);
    let output = project.run(&["send", "--due"]).exit(0).stderr("");
    assert_eq!(heads(&output.stdout)[0], "3 of 3 mails of `a` are sent");
    assert_eq!(sent(&project), 3);
}

#[test]
fn while_another_process_sends_it_leaves_at_once_and_says_nothing() {
    let (project, _inbox) = project();
    let project = project.file("issues/a.md", issue(&format!("send_at = {}", hours_ago(1))));
    for name in ["due.lock", "ledger.db.lock"] {
        project.write(&format!(".letterpress/{name}"), "7");
        let file = std::fs::File::open(project.path(&format!(".letterpress/{name}"))).unwrap();
        file.lock().unwrap();
        let _ = project
            .run(&["send", "--due"])
            .exit(75)
            .stdout("")
            .stderr("");
    }
    let _ = project.run(&["send", "--due"]).exit(0);
    assert_eq!(sent(&project), 3);
}

#[test]
fn a_pause_is_said_once() {
    let (project, _inbox) = project();
    let project = project.file("issues/a.md", issue(""));
    let _ = project.run(&["send", "a", "--yes", "--limit", "1"]).exit(0);
    let set = |state: &str| {
        let books = rusqlite::Connection::open(project.path(".letterpress/ledger.db")).unwrap();
        let reason = "too many failures";
        let changed = books.execute(
            "UPDATE campaign SET state = ?1, reason = ?2",
            [state, reason],
        );
        assert_eq!(changed.unwrap(), 1);
    };
    set("paused");
    let _ = project.run(&["send", "--due"]).exit(69).stdout("").stderr(
        "error: `a` is paused
 |
 = note: too many failures
 = help: When that is mended, say `letterpress resume a`; it then goes on at the next round.
",
    );
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    set("cancelled");
    let _ = project
        .run(&["send", "--due"])
        .exit(0)
        .stdout("")
        .stderr("");
    set("interrupted");
    let _ = project.run(&["send", "--due"]).exit(0);
    assert_eq!(sent(&project), 3);
}

#[test]
fn what_is_under_way_for_a_slot_goes_on_with_what_was_frozen() {
    let (project, _inbox) = project();
    let every = format!("every = \"daily {} UTC\"", hours_ago(1).strftime("%H:%M"));
    let project = project.file("issues/weekly.md", issue(&every));
    let _ = project
        .run(&["send", "weekly", "--yes", "--limit", "1"])
        .exit(0);
    // The next one is being written, the theme with it.
    project.write(
        "issues/weekly.md",
        issue(&every).replace("Hello.", "{{ subscriber.nothing }} {% if"),
    );
    let output = project.run(&["send", "--due"]).exit(0);
    assert_eq!(heads(&output.stdout).len(), 2, "{}", output.stdout);
    let mails = project.messages(".letterpress/sandbox");
    assert_eq!(mails.len(), 3);
    assert!(mails.iter().all(|mail| mail.contains("Hello.")));
}

#[test]
fn what_is_under_way_for_a_slot_does_not_need_its_file() {
    let (project, _inbox) = project();
    let every = format!("every = \"daily {} UTC\"", hours_ago(1).strftime("%H:%M"));
    let project = project.file("issues/weekly.md", issue(&every));
    let _ = project
        .run(&["send", "weekly", "--yes", "--limit", "1"])
        .exit(0);
    std::fs::remove_file(project.path("issues/weekly.md")).unwrap();
    let _ = project.run(&["send", "--due"]).exit(0);
    assert_eq!(sent(&project), 3);
}
