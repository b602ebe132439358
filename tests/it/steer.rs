//! Steering: `pause`, `resume` and `cancel` from another process than the one that sends, and signals
//! at random moments, counted at the receiver.

use std::{
    collections::BTreeMap,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::project::{Project, Running, inbox};

fn project(recipients: usize) -> Project {
    let list: String = (0..recipients).fold("email,first_name\n".to_owned(), |list, number| {
        list + &format!("reader-{number}@example.com,Reader {number}\n")
    });
    Project::new().file("subscribers/list.csv", list).file(
        "issues/a.md",
        "+++\nsubject = \"For {{ subscriber.first_name }}\"\n+++\n\nHello.\n",
    )
}

fn at(project: Project, address: &str, rate: &str) -> Project {
    project
        .environment("LETTERPRESS_RELAY__URL", &format!("smtp+plain://{address}"))
        .environment("LETTERPRESS_RELAY__RATE", rate)
        .environment("LETTERPRESS_RELAY__CONNECTIONS", "4")
}

/// How many mails the receiver has for each recipient.
fn received(project: &Project) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in project.messages(".letterpress/sandbox") {
        let to = mail.lines().find_map(|line| line.strip_prefix("To: "));
        *counts
            .entry(to.expect("a recipient").to_owned())
            .or_default() += 1;
    }
    counts
}

fn wait_for(taken: &Receiver<String>, mails: usize) {
    for _ in 0..mails {
        let _ = taken.recv_timeout(Duration::from_secs(20)).expect("a mail");
    }
}

fn end(project: &Project, sender: &mut Running) -> crate::project::Output {
    use std::io::Read as _;
    let status = sender.0.wait().expect("its end");
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let pipe = sender.0.stdout.take();
    pipe.expect("a pipe")
        .read_to_end(&mut stdout)
        .expect("text");
    let pipe = sender.0.stderr.take();
    pipe.expect("a pipe")
        .read_to_end(&mut stderr)
        .expect("text");
    project.output(std::process::Output {
        status,
        stdout,
        stderr,
    })
}

fn status(project: &Project) -> Value {
    let json = project.run(&["status", "a", "--json"]).exit(0).stdout;
    serde_json::from_str(&json).expect("JSON")
}

#[test]
fn a_pause_from_elsewhere_stops_a_run_without_a_doubt_and_resume_lets_it_go_on() {
    let project = project(60);
    let (_inbox, address, taken) = inbox(&project);
    let project = at(project, &address, "20/s");

    let mut sender = project.start(&["send", "a", "--yes"]);
    wait_for(&taken, 3);
    let begun = Instant::now();
    let paused = project.run(&["pause", "a"]).exit(0).stderr("");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "it looks each second"
    );
    let sent = end(&project, &mut sender).exit(69).stderr("");
    assert!(
        sent.stdout
            .contains("It is paused by a person. To let it go on: letterpress resume a\n"),
        "{}",
        sent.stdout
    );
    let books = status(&project);
    let count = |state: &str| books[state].as_u64().expect("a count");
    assert_eq!(books["state"], "paused");
    assert_eq!((count("unknown"), count("sending")), (0, 0));
    assert!((3..60).contains(&count("sent")), "{books}");
    assert_eq!(
        paused.stdout,
        format!(
            "`a@all` is paused: {} of 60 mails are sent, {} are due.\nTo let it go on: letterpress resume a\n",
            count("sent"),
            count("pending")
        )
    );
    // Twice is once, and cron does not go on with it.
    let _ = project.run(&["pause", "a"]).exit(0).stdout(
        "`a@all` is paused already: paused by a person.\nTo let it go on: letterpress resume a\n",
    );
    let _ = project
        .run(&["send", "a", "--yes"])
        .exit(69)
        .stdout("")
        .stderr(
            "error: `a` is paused
 |
 = note: paused by a person
 = help: When that is mended, let it go on: `letterpress resume a`. In a terminal this command asks.
",
        );

    let _ = project.run(&["resume", "a"]).exit(0).stderr("").stdout(&format!(
        "`a@all` may go on: {} of 60 mails are due. It was paused: paused by a person.\nTo send them: letterpress send a\n",
        count("pending")
    ));
    let _ = project
        .run(&["resume", "a"])
        .exit(0)
        .stdout("`a@all` is interrupted, and not paused.\n");
    let project = at(project, &address, "max");
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    let received = received(&project);
    assert_eq!(received.len(), 60);
    assert!(received.values().all(|copies| *copies == 1));
    let _ = project
        .run(&["pause", "a"])
        .exit(0)
        .stdout("`a@all` is complete; there is nothing to pause.\n");
}

#[test]
fn a_campaign_that_is_called_off_is_over() {
    let project = project(60);
    let (_inbox, address, taken) = inbox(&project);
    let project = at(project, &address, "20/s");
    let mut sender = project.start(&["send", "a", "--yes"]);
    wait_for(&taken, 3);
    let _ = project.run(&["cancel", "a"]).exit(64).stdout("");
    let cancelled = project.run(&["cancel", "a", "--yes", "--json"]).exit(0);
    let _ = end(&project, &mut sender).exit(69);
    let cancelled: Value = serde_json::from_str(&cancelled.stdout).expect("JSON");
    let count = |state: &str| cancelled[state].as_u64().expect("a count");
    assert_eq!(
        (&cancelled["done"], &cancelled["state"], count("total")),
        (&"cancelled".into(), &"cancelled".into(), 60)
    );
    assert_eq!(count("sent") + count("skipped"), 60);
    let had = received(&project);
    assert_eq!(had.len() as u64, count("sent"));

    // Nothing brings it back: not a send, not an edit, not a pause and a resume.
    let _ = project
        .run(&["cancel", "a"])
        .exit(0)
        .stdout("`a@all` is cancelled already.\n");
    let _ = project.run(&["send", "a", "--yes"]).exit(69);
    let _ = project.run(&["pause", "a"]).exit(0);
    let _ = project.run(&["resume", "a"]).exit(69);
    project.write("issues/a.md", "+++\nsubject = \"Another\"\n+++\n\nHello.\n");
    let _ = project.run(&["send", "a", "--yes"]).exit(69).stderr(
        "error: `a@all` was cancelled, which is for good
 |
 = help: To send it after all, give the issue another name; those who had it get it again then.
",
    );
    assert_eq!(received(&project), had);
    assert!(project.read("issues/a.sent.toml").contains("skipped = "));
}

#[test]
fn a_campaign_whose_sender_was_killed_is_paused_at_once() {
    let project = project(60);
    let (_inbox, address, taken) = inbox(&project);
    let project = at(project, &address, "20/s");
    let mut sender = project.start(&["send", "a", "--yes"]);
    wait_for(&taken, 3);
    sender.0.kill().expect("a process to kill");
    sender.0.wait().expect("its end");
    let _ = project.run(&["pause", "a"]).exit(0);
    let books = status(&project);
    assert_eq!(
        (&books["state"], &books["sending"]),
        (&"paused".into(), &0.into())
    );
}
