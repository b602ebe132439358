//! `rehearse`, from the outside: a bad relay, a killed sender, and the proof.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::project::{Output, Project, files};

fn report(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).expect("an object of JSON")
}

/// All files of a newsletter, but for the trace that a rehearsal leaves: its lock.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut tree = BTreeMap::new();
    for path in files(folder) {
        if path.is_dir() {
            tree.extend(self::tree(&path));
        } else if !path.ends_with("rehearsal.lock") {
            tree.insert(
                path.display().to_string(),
                std::fs::read(&path).expect("a file"),
            );
        }
    }
    tree
}

#[test]
fn a_bad_relay_and_five_kills_lose_nobody_and_double_nobody() {
    let project = Project::sample();
    let before = tree(&project.path(""));
    let output = project
        .run(&[
            "rehearse", "welcome", "--faults", "all=4", "--kill", "5", "--seed", "7", "--json",
        ])
        .exit(0);
    let report = report(&output);
    for (name, expected) in [
        ("recipients", 11),
        ("lost", 0),
        ("doubled", 0),
        ("open", 0),
        ("connections", 4),
    ] {
        assert_eq!(report[name], expected, "{name} in {report}");
    }
    assert_eq!(report["holds"], true);
    let count = |name: &str| report[name].as_u64().expect("a count");
    let unknown = report["unknown_recipients"].as_array().expect("names");
    assert_eq!(count("unknown"), unknown.len() as u64, "everyone is named");
    let arrived = unknown.iter().filter(|doubt| doubt["copies"] == 1).count();
    assert_eq!(count("accepted"), count("sent") + arrived as u64);
    assert_eq!(
        11,
        count("sent") + count("unknown") + count("failed") + count("skipped")
    );
    let doubts = report["doubt_by_kill"].as_array().expect("counts");
    assert_eq!(count("kills"), doubts.len() as u64);
    assert!((1..=5).contains(&doubts.len()), "{report}");
    assert!(
        doubts.iter().all(|doubt| doubt.as_u64() <= Some(4)),
        "{report}"
    );
    assert_eq!(report["faults"].as_object().expect("faults").len(), 12);
    assert_eq!(
        tree(&project.path("")),
        before,
        "the real books are as they were"
    );
}

#[test]
fn a_relay_that_behaves_is_a_plain_report() {
    let output = Project::sample()
        .run(&["rehearse", "welcome", "--faults", "none", "-q"])
        .exit(0)
        .stderr("");
    // The first line has the time that it took, which is not the same twice.
    let (first, rest) = output.stdout.split_once('\n').expect("lines");
    assert!(
        first.starts_with("Rehearsed `welcome` over 4 connections in "),
        "{first}"
    );
    assert_eq!(
        rest,
        "
  recipients        11
  accepted          11   counted at the receiver
  lost               0
  doubled            0
  unknown            0

Nobody was lost, nobody got it twice.
"
    );
}

#[test]
fn people_are_made_up_after_those_on_the_list() {
    let project = Project::new().file(
        "issues/a.md",
        "+++\nsubject = 'For {{ subscriber.first_name | default(value=\"you\") }}'\n+++\n\n{{ subscriber.plan }}: hello.\n",
    );
    let output = project
        .run(&[
            "rehearse",
            "a",
            "--recipients",
            "40",
            "--connections",
            "2",
            "--faults",
            "drop-before@mail=10,4xx=20,close=10,slow@rcpt=5",
            "--keep",
            "--json",
        ])
        .exit(0);
    let report = report(&output);
    // None of these leaves a doubt, and what was deferred has come in the end.
    assert_eq!(report["accepted"], 40, "{report}");
    assert_eq!(report["sent"], 40, "{report}");
    assert_eq!(report["connections"], 2);
    assert!(report["deferred_then_sent"].as_u64() > Some(0), "{report}");
    let mails = project.messages(".letterpress/rehearsal/mail");
    assert_eq!(mails.len(), 40);
    let to_ada = |mail: &&String| mail.contains("\r\nSubject: For Ada\r\n");
    assert_eq!(
        mails.iter().filter(to_ada).count(),
        14,
        "every third, from the first"
    );
    assert!(
        mails
            .iter()
            .any(|mail| mail.contains("\r\nTo: reader-40@example.com\r\n"))
    );
}

/// What keeps a send waiting, or from its relay, is none of a rehearsal's business.
#[test]
fn neither_the_clock_nor_the_relay_nor_a_receipt_stands_in_its_way() {
    let project = Project::new()
        .settings(
            "[relay]\nurl = \"smtps://me@smtp.example.com\"\npassword_command = \"exit 1\"\nrate = \"1/h\"\nquota = [\"1/24h\"]\n\
             [send]\nquiet_hours = \"00:00-23:59 UTC\"\n\
             ",
        )
        .file("issues/a.md", "+++\nsubject = \"A\"\nsend_at = \"2100-01-01T08:00:00Z\"\n+++\n\nHello.\n")
        .file("issues/a.sent.toml", "[\"a@all\"]\nsent = 3\n");
    let output = project
        .run(&[
            "rehearse",
            "a",
            "--recipients",
            "5",
            "--faults",
            "none",
            "--json",
        ])
        .exit(0);
    assert_eq!(report(&output)["accepted"], 5);
}

/// In earnest a breaker would stop this; a rehearsal is about the books.
#[test]
fn a_relay_that_never_answers_leaves_everyone_in_doubt_and_nobody_twice() {
    let output = Project::sample()
        .run(&[
            "rehearse",
            "welcome",
            "--faults",
            "drop-after=100",
            "--json",
        ])
        .exit(0);
    let report = report(&output);
    assert_eq!(report["unknown"], 11, "{report}");
    assert_eq!(report["accepted"], 11, "{report}");
    assert_eq!(report["faults"]["drop-after"], 11);
    assert_eq!(report["pauses"], 0, "{report}");
}

#[test]
fn what_is_wrong_is_said_as_the_sender_says_it() {
    let project = Project::new().file(
        "issues/a.md",
        "+++\nsubject = \"A\"\n+++\n\n{{ subscriber.plna }}\n",
    );
    let output = project.run(&["rehearse", "a"]).exit(65).stdout("");
    assert!(
        output.stderr.contains("Did you mean `subscriber.plan`?"),
        "{}",
        output.stderr
    );
    let output = project.run(&["rehearse", "b"]).exit(66).stdout("");
    assert!(output.stderr.starts_with("error: "), "{}", output.stderr);
    let output = project
        .run(&["rehearse", "a", "--faults", "drop-aftr=3"])
        .exit(64);
    assert!(
        output.stderr.contains("Did you mean `drop-after`?"),
        "{}",
        output.stderr
    );
}

/// A sender that is asked to come again for ever comes to no proof.
#[test]
fn a_relay_that_defers_everything_is_given_up() {
    let output = Project::new()
        .file("issues/a.md", "+++\nsubject = \"A\"\n+++\n\nHello.\n")
        .run(&["rehearse", "a", "--faults", "4xx@rcpt=100"])
        .exit(69)
        .stdout("");
    assert!(
        output.stderr.contains("the rehearsal comes to no end"),
        "{}",
        output.stderr
    );
}
