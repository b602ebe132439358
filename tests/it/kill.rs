//! `kill -9` at random moments, counted at the receiver: nobody lost, nobody twice.

use std::collections::BTreeMap;

use crate::project::{Project, inbox};

const RECIPIENTS: usize = 300;
const CONNECTIONS: usize = 4;
const KILLS: usize = 20;

/// A small generator of numbers: the moments differ, and can be had again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % below
    }
}

fn project() -> Project {
    let list: String = (0..RECIPIENTS).fold("email,first_name\n".to_owned(), |list, number| {
        list + &format!("reader-{number}@example.com,Reader {number}\n")
    });
    Project::new()
        .file("subscribers/list.csv", list)
        .file(
            "issues/kill.md",
            "+++\nsubject = \"For {{ subscriber.first_name }}\"\n+++\n\nHello {{ subscriber.first_name }}.\n",
        )
}

/// How many mails the receiver has for each recipient.
fn counted(project: &Project) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for mail in project.messages(".letterpress/sandbox") {
        let to = mail
            .lines()
            .find_map(|line| line.strip_prefix("To: "))
            .expect("a recipient")
            .to_owned();
        *counts.entry(to).or_default() += 1;
    }
    counts
}

#[test]
fn twenty_kills_lose_nobody_and_double_nobody() {
    let project = project();
    let (_inbox, address, taken) = inbox(&project);
    let project = project
        .environment("LETTERPRESS_RELAY__URL", &format!("smtp+plain://{address}"))
        .environment("LETTERPRESS_RELAY__RATE", "max")
        .environment("LETTERPRESS_RELAY__CONNECTIONS", &CONNECTIONS.to_string());

    let mut dice = Dice(0x1e77e9);
    for _ in 0..KILLS {
        let mut sender = project.start(&["send", "kill", "--yes"]);
        // The moment: after so many mails more have arrived. All may be settled before it comes.
        let mut left = 1 + dice.throw(2 * RECIPIENTS / KILLS - 4);
        while left > 0 && sender.0.try_wait().expect("a process").is_none() {
            let wait = std::time::Duration::from_millis(20);
            if taken.recv_timeout(wait).is_ok() {
                left -= 1;
            }
        }
        sender.0.kill().expect("a process to kill");
        sender.0.wait().expect("its end");
    }

    // The run after the last kill settles the rest; what is in doubt shows in its exit code.
    let last = project.run(&["send", "kill", "--yes"]);
    let books = project
        .run(&["status", "kill", "--recipients", "--json"])
        .exit(0);
    let received = counted(&project);
    let mut unknown = 0;
    let mut rows = 0;
    for line in books.stdout.lines() {
        let row: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let email = row["email"].as_str().expect("an address");
        let copies = received.get(email).copied().unwrap_or(0);
        rows += 1;
        match row["state"].as_str().expect("a state") {
            "sent" => assert_eq!(copies, 1, "{email} is in the books as sent"),
            "unknown" => {
                unknown += 1;
                assert!(copies <= 1, "{email} got {copies} copies");
            }
            other => panic!("{email} is `{other}`"),
        }
    }
    assert_eq!(rows, RECIPIENTS, "everyone is in the books");
    assert!(
        unknown <= KILLS * CONNECTIONS,
        "{unknown} in doubt after {KILLS} kills"
    );
    let _ = last.exit(if unknown > 0 { 3 } else { 0 });
    // Run again, nothing is sent.
    let _ = project.run(&["send", "kill", "--yes"]);
    assert_eq!(counted(&project), received);
}
