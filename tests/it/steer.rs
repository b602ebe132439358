//! Steering: `pause`, `resume` and `cancel` from another process than the one that sends, and signals
//! at random moments, counted at the receiver.

use std::{
    collections::BTreeMap,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    delivery_relay::{Act, FakeRelay, Stage, say},
    project::{Project, Running, inbox},
};

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
    let _ = project.run(&["send", "a", "--yes"]).exit(65);
    let _ = project.run(&["pause", "a"]).exit(0);
    let _ = project.run(&["resume", "a"]).exit(69);
    project.write("issues/a.md", "+++\nsubject = \"Another\"\n+++\n\nHello.\n");
    let _ = project.run(&["send", "a", "--yes"]).exit(65).stderr(
        "error: the campaign `a@all` was called off; nothing was sent
 |
 = help: To send it after all, give it a file of its own: under another name it is another campaign.
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

/// A campaign of six in three states of mind: `r0` is sent, `r1` to `r3` are unknown (the relay has
/// `r1`), `r4` is refused and `r5` deferred.
async fn in_doubt() -> (Project, FakeRelay) {
    let relay = FakeRelay::start(|event| match (event.stage, event.line.as_str()) {
        (Stage::Dot, "r1@example.com" | "r2@example.com" | "r3@example.com") => Some(Act::Close),
        (Stage::Rcpt, line) if line.contains("r4@") => {
            say("550 5.1.1 <r4@example.com>: no such user 4D1A2B3C4D")
        }
        (Stage::Rcpt, line) if line.contains("r5@") => say("450 4.2.1 try again in 299 seconds"),
        _ => None,
    })
    .await;
    let list: String = (0..6).fold("email,first_name,state\n".to_owned(), |list, number| {
        list + &format!("r{number}@example.com,=Reader {number},NY\n")
    });
    let project = Project::new()
        .file("subscribers/list.csv", list)
        .file("issues/a.md", "+++\nsubject = \"News\"\n+++\n\nHello.\n");
    let project = at(project, &relay.address.to_string(), "max")
        .environment("LETTERPRESS_RELAY__CONNECTIONS", "1");
    let sent = run(&project, &["send", "a", "--yes"]).exit(75);
    assert!(sent.stdout.contains("     3  unknown"), "{}", sent.stdout);
    (project, relay)
}

/// The relay of these tests lives in this process, so that nothing here may block it.
fn run(project: &Project, arguments: &[&str]) -> crate::project::Output {
    tokio::task::block_in_place(|| project.run(arguments))
}

/// A row of the books.
fn row(project: &Project, email: &str) -> Value {
    let books = run(project, &["status", "a", "--recipients", "--json"]).exit(0);
    let rows = books.stdout.lines().map(|line| {
        let row: Value = serde_json::from_str(line).expect("a line of JSON");
        row
    });
    let mut found = rows.filter(|row| row["email"] == email);
    found.next().expect("a row")
}

/// A time on the clock of a mail server in Kathmandu, as syslog writes it.
fn syslog(at: &str, later: i64) -> String {
    let at: jiff::Timestamp = at.parse().expect("a time");
    let seconds = jiff::SignedDuration::from_secs(later + (5 * 60 + 45) * 60);
    let at = at.checked_add(seconds).expect("a time");
    let at = jiff::tz::TimeZone::UTC.to_datetime(at);
    jiff::fmt::strtime::format("%b %e %H:%M:%S", at).expect("a time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_log_settles_what_is_in_doubt() {
    let (project, relay) = in_doubt().await;
    let _ = run(
        &project,
        &["resolve", "a", "--resend", "r9@example.com", "--yes"],
    )
    .exit(65);
    let (sent, had) = (
        row(&project, "r0@example.com"),
        row(&project, "r1@example.com"),
    );
    let begun = row(&project, "r2@example.com");
    let id = |row: &Value| row["message_id"].as_str().expect("an id").to_owned();
    let time = sent["at"].as_str().expect("a time");
    let at = |later| syslog(time, later);
    let taken = |id: &str, queue_id: &str| {
        format!(
            "{at} mx postfix/cleanup[12]: {queue_id}: message-id=<{id}>\n\
             {at} mx postfix/qmgr[9]: {queue_id}: from=<b@news.example.com>, size=2210, nrcpt=1 (queue active)\n",
            at = at(0)
        )
    };
    let log = [
        format!("{} mx postfix/postfix-script[1]: starting\n", at(-3600)),
        taken(&id(&sent), "4D1A2B3C4D"),
        taken(&id(&had), "5D1A2B3C4E"),
        format!(
            "{} mx postfix/cleanup[12]: 6D1A2B3C4F: message-id=<{}>\n",
            at(0),
            id(&begun)
        ),
    ]
    .concat();
    // A log that ends at once does not tell who is not in it.
    project.write("mail.log", &log);
    let file = project.path("mail.log");
    let file = file.to_str().expect("a path");
    let early = run(
        &project,
        &[
            "resolve",
            "a",
            "--maillog",
            file,
            "--resend",
            "absent",
            "--yes",
        ],
    );
    let early = early.exit(3).stdout;
    assert!(
        early.starts_with("sent     r1@example.com  in the mail log as 5D1A2B3C4E\n"),
        "{early}"
    );
    assert!(
        early.contains("unknown  r3@example.com  the log ends too soon"),
        "{early}"
    );

    project.write(
        "mail.log",
        log + &format!("{} mx postfix/anvil[14]: statistics\n", at(600)),
    );
    let late = run(&project, &["resolve", "a", "--maillog", file])
        .exit(3)
        .stdout;
    let absent = row(&project, "r3@example.com");
    assert_eq!(
        late,
        format!(
            "unknown  r2@example.com  the mail log has its beginning as 6D1A2B3C4F, and not its end
         {}  <{}>
unknown  r3@example.com  not in the mail log
         {}  <{}>

2 of `a@all` are unknown: the relay may have taken them or not.
The log shows that 1 were not taken. To send them again: add `--resend absent`
",
            second(&begun),
            id(&begun),
            second(&absent),
            id(&absent),
        )
    );
    let arguments = ["resolve", "a", "--maillog", file, "--resend", "absent"];
    let _ = run(&project, &arguments).exit(64).stdout("");
    let settled = run(&project, &[&arguments[..], &["--yes", "--json"]].concat()).exit(3);
    let states: Vec<Value> = settled
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["state"].take())
        .collect();
    assert_eq!(states, ["unknown", "pending"]);
    let again = row(&project, "r3@example.com");
    assert_eq!(
        (&again["state"], &again["attempts"]),
        (&"pending".into(), &1.into())
    );
    let _ = run(&project, &["resolve", "a", "--skip", "R2@EXAMPLE.com"])
        .exit(0)
        .stdout("skipped  r2@example.com  by hand\n\nNothing of `a@all` is unknown any more.\n");
    assert_eq!(relay.copies().len(), 1);
}

/// A time of the books, to the second.
fn second(row: &Value) -> String {
    let at: jiff::Timestamp = row["at"].as_str().expect("a time").parse().expect("a time");
    format!("{at:.0}")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_hands_settle_what_is_in_doubt() {
    let (project, _relay) = in_doubt().await;
    let listed = run(&project, &["resolve", "a"]).exit(3).stdout;
    assert!(
        listed.ends_with(
            "
3 of `a@all` are unknown: the relay may have taken them or not.
To settle them: letterpress resolve a --maillog FILE, --events FILE, or --sent, --resend, --skip ADDR|all
"
        ),
        "{listed}"
    );
    let had = row(&project, "r1@example.com");
    let event = format!(
        "[{{\"event\":\"bounce\",\"smtp-id\":\"<{}>\"}}]\n",
        had["message_id"].as_str().expect("an id")
    );
    project.write("events.json", event);
    let file = project.path("events.json");
    let file = file.to_str().expect("a path");
    // Who has had it is not sent to again, whatever is asked for.
    let _ = run(
        &project,
        &["resolve", "a", "--events", file, "--resend", "r1@example.com", "--yes"],
    )
    .exit(65)
    .stdout("")
    .stderr(
        "error: `r1@example.com` has had the mail: the relay says `bounce`; `--resend` would be wrong\n",
    );
    let _ = run(
        &project,
        &[
            "resolve",
            "a",
            "--events",
            file,
            "--resend",
            "r2@example.com",
            "--sent",
            "all",
            "--yes",
        ],
    )
    .exit(0)
    .stdout(
        "sent     r1@example.com  the relay says `bounce`
pending  r2@example.com  by hand
sent     r3@example.com  by hand

Nothing of `a@all` is unknown any more.
To send what is due: letterpress send a
",
    );
    let _ = run(&project, &["resolve", "a"])
        .exit(0)
        .stdout("Nothing of `a@all` is unknown.\n");
    let _ = run(&project, &["resolve", "a", "--sent", "r1@example.com"]).exit(65);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_say_why_and_write_a_list() {
    let (project, _relay) = in_doubt().await;
    let next = status_of(&project)["next_retry"].clone();
    let next: jiff::Timestamp = next.as_str().expect("a time").parse().expect("a time");
    let end = status_of(&project)["deliver_by"].clone();
    let end: jiff::Timestamp = end.as_str().expect("a time").parse().expect("a time");
    let said = run(&project, &["status", "a"]).exit(0).stderr("").stdout;
    let expected = format!(
        "a@all  interrupted
          1  sent
          1  deferred  tried again from {next:.0} on
          1  failed
          3  unknown
          6  in all
What is not sent by {end:.0} is given up.
Why:
          1  deferred  450 4.2.1 try again in … seconds
          1  failed    550 5.1.1 <…>: no such user …
          3  unknown   "
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(
        said.ends_with("Unknown: the connection broke before the reply. To settle them: letterpress resolve a\n"),
        "{said}"
    );
    let reasons = status_of(&project)["reasons"].clone();
    assert_eq!(reasons.as_array().expect("reasons").len(), 3);
    assert_eq!(
        (&reasons[1]["code"], &reasons[1]["count"]),
        (&550.into(), &1.into())
    );

    let file = project.path("failed.csv");
    let file = file.to_str().expect("a path");
    let _ = run(
        &project,
        &["status", "a", "--state", "failed", "--csv", file],
    )
    .exit(0)
    .stdout("$DIR/failed.csv: 1 recipients of `a@all`, failed\n");
    let at = row(&project, "r4@example.com")["at"].clone();
    assert_eq!(
        project.read("failed.csv"),
        format!(
            "email,first_name,state,delivery_state,code,reply,at\n\
             r4@example.com,=Reader 4,NY,failed,550,5.1.1 <r4@example.com>: no such user 4D1A2B3C4D,{}\n",
            at.as_str().expect("a time")
        )
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // It is a list.
    let project = project.settings("\n[list]\npath = \"failed.csv\"\n");
    let _ = run(&project, &["lint"]).exit(0);

    let _ = run(&project, &["status", "a", "--state", "failed"])
        .exit(0)
        .stdout("failed    r4@example.com  550 5.1.1 <r4@example.com>: no such user 4D1A2B3C4D\n");
    let _ = run(&project, &["status", "a", "--state", "fialed"])
        .exit(64)
        .stderr("error: there is no state `fialed`\n |\n = help: Did you mean `failed`?\n");
}

fn status_of(project: &Project) -> Value {
    tokio::task::block_in_place(|| status(project))
}

#[cfg(unix)]
#[test]
fn twenty_stops_leave_nothing_in_doubt() {
    const RECIPIENTS: usize = 200;
    let project = project(RECIPIENTS);
    let (_inbox, address, taken) = inbox(&project);
    let project = at(project, &address, "max");
    let mut chance = 0x57ee_u64;
    let mut stopped = 0;
    for _ in 0..20 {
        let mut sender = project.start(&["send", "a", "--yes"]);
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mut left = (chance >> 33) % 10;
        while left > 0 && sender.0.try_wait().expect("a process").is_none() {
            if taken.recv_timeout(Duration::from_millis(20)).is_ok() {
                left -= 1;
            }
        }
        let _ = std::process::Command::new("kill")
            .args(["-TERM", &sender.0.id().to_string()])
            .status()
            .expect("kill runs");
        // Before it listens to signals, a signal ends it where it is: nothing has left then.
        let ended = sender.0.wait().expect("its end");
        match ended.code() {
            Some(143) => stopped += 1,
            Some(0) | None => {}
            other => panic!("it ended with {other:?}"),
        }
        let books = project.run(&["status", "a", "--json"]);
        if books.code == Some(0) {
            let books: Value = serde_json::from_str(&books.stdout).expect("JSON");
            assert_eq!(
                (&books["unknown"], &books["sending"]),
                (&0.into(), &0.into())
            );
        }
    }
    assert!(stopped >= 5, "{stopped} of 20 were stopped at work");
    let _ = project.run(&["send", "a", "--yes"]).exit(0);
    let received = received(&project);
    assert_eq!(received.len(), RECIPIENTS);
    assert!(received.values().all(|copies| *copies == 1));
}

#[test]
fn of_an_issue_that_recurs_the_latest_slot_is_meant_and_the_others_are_named() {
    let project = Project::new()
        .file(
            "issues/w.md",
            "+++\nsubject = \"W\"\nevery = \"daily 00:00 UTC\"\n+++\n\nHello.\n",
        )
        .settings("\n[relay]\nurl = \"smtp+plain://127.0.0.1:1\"\n");
    // Entered, and not confirmed.
    let _ = project.run(&["send", "w", "--expect", "99"]).exit(65);
    let ledger = project.path(".letterpress/ledger.db");
    let books = rusqlite::Connection::open(ledger).unwrap();
    // An earlier slot, entered later.
    books
        .execute_batch(
            "INSERT INTO campaign(id, content_hash, audience_hash, total, state, created_at, slot)
             VALUES('w@all@2020-01-01T00:00:00Z', '', '', 0, 'interrupted', 0, 1577836800000)",
        )
        .unwrap();
    let latest: String = books
        .query_row("SELECT max(id) FROM campaign", [], |row| row.get(0))
        .unwrap();
    let output = project.run(&["pause", "w", "-v"]).exit(0);
    assert!(
        output.stdout.starts_with(&format!("`{latest}` is paused")),
        "{}",
        output.stdout
    );
    assert!(
        output.stderr.contains("also `w@all@2020-01-01T00:00:00Z`"),
        "{}",
        output.stderr
    );
    let output = project
        .run(&["cancel", "w@all@2020-01-01T00:00:00Z", "--yes"])
        .exit(0);
    assert!(
        output
            .stdout
            .starts_with("`w@all@2020-01-01T00:00:00Z` is cancelled")
    );
    let output = project.run(&["resume", "w"]).exit(0);
    assert!(
        output.stdout.starts_with(&format!("`{latest}` may go on")),
        "{}",
        output.stdout
    );
}
