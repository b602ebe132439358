use super::*;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn new(id: &str) -> NewCampaign {
    NewCampaign {
        id: id.to_owned(),
        content_hash: "c".to_owned(),
        audience_hash: "a".to_owned(),
        created_at: time(1),
    }
}

fn entry(state: State, code: u16, reply: &str, next_at: Option<i64>) -> Entry {
    Entry {
        state,
        code: Some(code),
        reply: reply.to_owned(),
        at: time(5),
        next_at: next_at.map(time),
    }
}

fn attempt(seq: u32, message_id: &str, second: i64) -> Attempt {
    Attempt {
        seq,
        message_id: message_id.to_owned(),
        usage: crate::delivery::pace::Usage::new("main", time(second)),
        now: time(second),
    }
}

async fn intend(ledger: &Ledger, key: Key, seq: u32) -> Result<()> {
    ledger
        .intent(key, attempt(seq, &format!("{seq}@x"), 4))
        .durable()
        .await
}

#[tokio::test]
async fn a_campaign_is_begun_once_with_all_its_rows() {
    let ledger = Ledger::in_memory().unwrap();
    assert_eq!(ledger.campaign("a@all").await.unwrap(), None);
    let campaign = ledger.begin(new("a@all"), 3).await.unwrap();
    assert_eq!(campaign.state, CampaignState::Scheduled);
    assert_eq!(campaign.total, 3);
    assert_eq!(
        ledger.campaign("a@all").await.unwrap(),
        Some(campaign.clone())
    );
    let counts = ledger.counts(campaign.key).await.unwrap();
    assert_eq!(
        counts,
        Counts {
            pending: 3,
            ..Counts::default()
        }
    );
    let error = ledger.begin(new("a@all"), 1).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);
    assert_eq!(ledger.counts(campaign.key).await.unwrap().total(), 3);
}

#[tokio::test]
async fn rows_go_their_ways() {
    let ledger = Ledger::in_memory().unwrap();
    let key = ledger.begin(new("a@all"), 7).await.unwrap().key;
    for seq in 0..5 {
        intend(&ledger, key, seq).await.unwrap();
    }
    ledger.record(key, 0, entry(State::Sent, 250, "2.0.0 queued as 7", None));
    ledger.record(key, 1, entry(State::Deferred, 450, "later", Some(300)));
    ledger.record(
        key,
        2,
        entry(State::Failed, 550, "5.1.1 no such user", None),
    );
    ledger.record(key, 3, entry(State::Pending, 421, "closing", None));
    ledger.skip(key, 5, "suppressed", time(6)).await.unwrap();
    ledger.flush().await.unwrap();
    let counts = ledger.counts(key).await.unwrap();
    assert_eq!(
        counts,
        Counts {
            pending: 2,
            sending: 1,
            sent: 1,
            deferred: 1,
            failed: 1,
            skipped: 1,
            ..Counts::default()
        }
    );
    assert_eq!(counts.settled(), 3);
    assert_eq!(ledger.pending(key, None, 10).await.unwrap(), [3, 6]);
    assert_eq!(ledger.pending(key, Some(3), 10).await.unwrap(), [6]);
    assert_eq!(ledger.deferred(key, time(299)).await.unwrap(), []);
    assert_eq!(
        ledger.deferred(key, time(300)).await.unwrap(),
        [Due {
            seq: 1,
            at: time(300),
            attempts: 1
        }]
    );
    assert_eq!(ledger.next_deferred(key).await.unwrap(), Some(time(300)));
    let rows = ledger.rows(key, None, 4).await.unwrap();
    assert_eq!(
        rows[1],
        Row {
            seq: 1,
            state: State::Deferred,
            attempts: 1,
            code: Some(450),
            reply: Some("later".to_owned()),
            at: Some(time(5)),
            next_at: Some(time(300)),
            message_id: Some("1@x".to_owned()),
        }
    );
    // An exchange that the relay broke off is no attempt.
    assert_eq!((rows[3].attempts, rows[3].code), (0, None));

    // A deferred row is due again; a sent one never is.
    intend(&ledger, key, 1).await.unwrap();
    ledger.record(key, 1, entry(State::Sent, 250, "ok", None));
    assert_eq!(intend(&ledger, key, 0).await.unwrap_err().kind(), Kind::Bug);
    assert_eq!(intend(&ledger, key, 5).await.unwrap_err().kind(), Kind::Bug);
    assert_eq!(
        intend(&ledger, key, 99).await.unwrap_err().kind(),
        Kind::Bug
    );
    assert_eq!(ledger.rows(key, Some(0), 1).await.unwrap()[0].attempts, 2);

    assert_eq!(ledger.expire(key, time(9)).await.unwrap(), 2);
    let counts = ledger.counts(key).await.unwrap();
    assert_eq!((counts.expired, counts.sending, counts.total()), (2, 1, 7));
}

#[tokio::test]
async fn what_nobody_was_sending_cannot_be_settled() {
    let ledger = Ledger::in_memory().unwrap();
    let key = ledger.begin(new("a@all"), 2).await.unwrap().key;
    ledger.record(key, 0, entry(State::Sent, 250, "ok", None));
    assert_eq!(ledger.flush().await.unwrap_err().kind(), Kind::Bug);
    assert!(intend(&ledger, key, 1).await.is_err());
}

#[tokio::test]
async fn a_row_that_was_sending_is_unknown_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/ledger.db");
    let key = {
        let ledger = Ledger::open(&path).unwrap();
        let key = ledger.begin(new("a@all"), 2).await.unwrap().key;
        ledger
            .set_state(key, CampaignState::Running, time(2))
            .await
            .unwrap();
        intend(&ledger, key, 1).await.unwrap();
        key
    };
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.recover(time(8)).await.unwrap(), 1);
    assert_eq!(ledger.recover(time(9)).await.unwrap(), 0);
    let row = &ledger.rows(key, Some(0), 1).await.unwrap()[0];
    assert_eq!((row.state, row.at), (State::Unknown, Some(time(4))));
    assert_eq!(intend(&ledger, key, 1).await.unwrap_err().kind(), Kind::Bug);
    let campaign = ledger.campaign("a@all").await.unwrap().unwrap();
    assert_eq!(campaign.state, CampaignState::Interrupted);
    assert_eq!(campaign.started_at, Some(time(2)));
}

#[tokio::test]
async fn one_process_at_a_time_and_readers_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    assert!(Books::open(&path).unwrap().is_none());
    let ledger = Ledger::open(&path).unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert_eq!(error.kind(), Kind::TryLater);
    let pid = std::process::id();
    assert!(
        error
            .message()
            .starts_with(&format!("process {pid} is sending")),
        "{error}"
    );
    assert_eq!(holder(&path).unwrap(), Some(pid.to_string()));

    let key = ledger.begin(new("a@all"), 2).await.unwrap().key;
    intend(&ledger, key, 0).await.unwrap();
    let books = Books::open(&path).unwrap().unwrap();
    let counts = books.counts(key).unwrap();
    assert_eq!((counts.pending, counts.sending), (1, 1));
    ledger.record(key, 0, entry(State::Sent, 250, "ok", None));
    ledger.flush().await.unwrap();
    assert_eq!(books.rows(key, None, 9).unwrap()[0].state, State::Sent);
    assert_eq!(books.campaigns().unwrap().len(), 1);
    drop(ledger);
    assert_eq!(holder(&path).unwrap(), None);
    assert!(Ledger::open(&path).is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn the_books_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    ledger.begin(new("a@all"), 2).await.unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    fs::write(
        &path,
        b"something else entirely, and long enough",
        fs::Access::Shared,
    )
    .unwrap();
    let error = Ledger::open(&path).unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t(x)")
        .unwrap();
    assert_eq!(
        Ledger::open(&other).unwrap_err().message(),
        format!("the file `{}` is not a ledger", other.display())
    );
    let newer = folder.path().join("newer.db");
    drop(Ledger::open(&newer).unwrap());
    Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 9)
        .unwrap();
    let error = Ledger::open(&newer).unwrap_err();
    assert_eq!(
        error.message(),
        format!(
            "the ledger `{}` is of version 9; this program knows version 2",
            newer.display()
        )
    );
}

#[tokio::test]
async fn usage_counts_over_campaigns_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    {
        let ledger = Ledger::open(&path).unwrap();
        for id in ["a@all", "b@all"] {
            let key = ledger.begin(new(id), 2).await.unwrap().key;
            intend(&ledger, key, 0).await.unwrap();
            let later = ledger.intent(key, attempt(1, "m", 70));
            later.durable().await.unwrap();
        }
        ledger.forget("a@all").await.unwrap();
        assert_eq!(ledger.campaign("a@all").await.unwrap(), None);
    }
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(
        ledger.past("main", time(80)).await.unwrap().usage,
        [(4, 2), (70, 2)]
    );
    assert_eq!(ledger.usage("other").await.unwrap(), []);
    assert_eq!(ledger.last_intent("main").await.unwrap(), Some(time(70)));
    let far = time(70 + 8 * 24 * 3600);
    assert_eq!(ledger.past("main", far).await.unwrap().usage, []);
}

#[tokio::test]
async fn a_full_disk_stops_intents_and_keeps_what_relays_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    let key = ledger.begin(new("a@all"), 50).await.unwrap().key;
    intend(&ledger, key, 0).await.unwrap();
    // As if the disk were full: not one page more.
    ledger
        .ask(|connection| {
            let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
            connection.pragma_update(None, "max_page_count", pages)
        })
        .await
        .unwrap();
    // The row moves to a page of its own, which is not to be had.
    let long = "x".repeat(400);
    ledger.record(
        key,
        0,
        entry(State::Sent, 250, &format!("queued {long}"), None),
    );
    let mut refused = 0;
    for seq in 1..50 {
        let intent = ledger.intent(key, attempt(seq, &long.repeat(9), 4));
        match intent.durable().await {
            Ok(()) => ledger.record(key, seq, entry(State::Sent, 250, &long, None)),
            Err(error) => {
                assert_eq!(error.kind(), Kind::Io, "{error}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1, "{refused}");
    let error = ledger.flush().await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    drop(ledger);
    // A fresh connection had the space: what the relay took is in the books.
    let books = Books::open(&path).unwrap().unwrap();
    let counts = books.counts(key).unwrap();
    assert_eq!(counts.sending, 0);
    assert_eq!(counts.sent, 50 - refused);
}

/// The tables as version 1 had them.
const VERSION_1: &str = "
CREATE TABLE campaign(
  key INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  content_hash TEXT NOT NULL,
  audience_hash TEXT NOT NULL,
  total INTEGER NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER
) STRICT;
CREATE TABLE delivery(
  campaign INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  state INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  code INTEGER,
  reply TEXT,
  at INTEGER,
  next_at INTEGER,
  message_id TEXT,
  PRIMARY KEY(campaign, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_sending ON delivery(campaign) WHERE state = 1;
CREATE INDEX delivery_deferred ON delivery(campaign, next_at) WHERE state = 3;
CREATE TABLE attempt(
  campaign INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  number INTEGER NOT NULL,
  state INTEGER NOT NULL,
  code INTEGER,
  reply TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY(campaign, seq, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE relay_usage(
  relay TEXT NOT NULL,
  second INTEGER NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY(relay, second)
) STRICT, WITHOUT ROWID;
";

#[tokio::test]
async fn a_ledger_of_version_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; {VERSION_1}
             PRAGMA application_id = 0x4c504c31; PRAGMA user_version = 1;
             INSERT INTO campaign VALUES(7, 'a@all', 'c', 'a', 3, 'running', NULL, 1000, 2000, NULL);
             INSERT INTO delivery VALUES(7, 0, 2, 1, 250, 'ok', 3000, NULL, '0@x');
             INSERT INTO delivery VALUES(7, 1, 1, 1, NULL, NULL, 3000, NULL, '1@x');
             INSERT INTO delivery VALUES(7, 2, 0, 0, NULL, NULL, NULL, NULL, NULL);
             INSERT INTO relay_usage VALUES('main', 3, 2);"
        ))
        .unwrap();
    let error = Books::open(&path).unwrap_err();
    assert_eq!(error.hints(), ["The next `send` brings it up to date."]);
    // More than once, as every run opens it.
    for _ in 0..2 {
        let ledger = Ledger::open(&path).unwrap();
        ledger.recover(time(9)).await.unwrap();
        let campaign = ledger.campaign("a@all").await.unwrap().unwrap();
        assert_eq!((campaign.generation, campaign.total), (0, 3));
        assert_eq!((campaign.slot, campaign.deliver_by), (None, None));
        let rows = ledger.rows(campaign.key, None, 10).await.unwrap();
        let states: Vec<State> = rows.iter().map(|row| row.state).collect();
        assert_eq!(states, [State::Sent, State::Unknown, State::Pending]);
        assert_eq!(ledger.usage("main").await.unwrap(), [(3, 2)]);
    }
}

fn generation(number: u32, total: u32) -> Generation {
    Generation {
        number,
        content_hash: format!("c{number}"),
        audience_hash: format!("a{number}"),
        total,
        deliver_by: Some(time(90)),
    }
}

#[tokio::test]
async fn a_campaign_goes_on_with_another_generation() {
    let ledger = Ledger::in_memory().unwrap();
    let key = ledger.begin(new("a@all"), 2).await.unwrap().key;
    for seq in 0..2 {
        intend(&ledger, key, seq).await.unwrap();
        ledger.record(key, seq, entry(State::Sent, 250, "ok", None));
    }
    ledger
        .set_state(key, CampaignState::Complete, time(6))
        .await
        .unwrap();
    ledger.grow(key, generation(1, 4)).await.unwrap();
    let campaign = ledger.campaign("a@all").await.unwrap().unwrap();
    assert_eq!(campaign.state, CampaignState::Interrupted);
    assert_eq!(campaign.finished_at, None);
    assert_eq!((campaign.generation, campaign.total), (1, 4));
    assert_eq!(campaign.content_hash, "c1");
    assert_eq!(campaign.deliver_by, Some(time(90)));
    assert_eq!(ledger.pending(key, None, 9).await.unwrap(), [2, 3]);
    intend(&ledger, key, 3).await.unwrap();
    let generations = ledger
        .ask(|connection| {
            connection
                .prepare("SELECT generation FROM delivery ORDER BY seq")?
                .query_map([], |record| record.get(0))?
                .collect::<rusqlite::Result<Vec<u32>>>()
        })
        .await
        .unwrap();
    assert_eq!(generations, [0, 0, 0, 1]);
    // Neither twice nor past one, and no row is ever taken away.
    for wrong in [generation(1, 4), generation(3, 4), generation(2, 3)] {
        let error = ledger.grow(key, wrong).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Bug);
    }
    assert_eq!(ledger.counts(key).await.unwrap().total(), 4);
}

#[tokio::test]
async fn a_campaign_of_which_nothing_was_sent_is_entered_anew() {
    let ledger = Ledger::in_memory().unwrap();
    let terms = |second| Terms {
        slot: None,
        deliver_by: Some(time(second)),
    };
    let first = ledger.enter(new("a@all"), 3, terms(50)).await.unwrap();
    let paused = CampaignState::Paused("no".to_owned());
    ledger
        .set_state(first.key, paused.clone(), time(2))
        .await
        .unwrap();
    // The same again: what stopped it still holds.
    let same = ledger.enter(new("a@all"), 3, terms(60)).await.unwrap();
    assert_eq!((same.key, &same.state), (first.key, &paused));
    assert_eq!(same.deliver_by, Some(time(60)));
    let other = NewCampaign {
        content_hash: "d".to_owned(),
        ..new("a@all")
    };
    let other = ledger.enter(other, 2, terms(70)).await.unwrap();
    assert_eq!(other.state, paused);
    assert_eq!(ledger.counts(other.key).await.unwrap().total(), 2);
    assert_eq!(ledger.campaigns().await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_are_left_out_at_once() {
    let ledger = Ledger::in_memory().unwrap();
    let key = ledger.begin(new("a@all"), 20_000).await.unwrap().key;
    intend(&ledger, key, 4).await.unwrap();
    ledger.record(key, 4, entry(State::Sent, 250, "ok", None));
    let gone: Vec<u32> = (0..20_000).step_by(2).collect();
    let open = ledger.open_among(key, &gone).await.unwrap();
    assert_eq!(open.len(), gone.len() - 1);
    assert!(!open.contains(&4));
    ledger.skip_all(key, &gone, "gone", time(7)).await.unwrap();
    let counts = ledger.counts(key).await.unwrap();
    assert_eq!((counts.skipped, counts.sent), (9_999, 1));
    assert!(ledger.open_among(key, &gone).await.unwrap().is_empty());
    let row = ledger.rows(key, Some(5), 1).await.unwrap().remove(0);
    assert_eq!((row.seq, row.reply.as_deref()), (6, Some("gone")));
}

#[tokio::test]
async fn a_damaged_ledger_is_noticed_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path).unwrap();
    ledger.begin(new("a@all"), 2_000).await.unwrap();
    drop(ledger);
    let sound = std::fs::read(&path).unwrap();
    let page = 4096;
    // A page in the middle of the rows; half a file.
    let mut flipped = sound.clone();
    flipped[sound.len() - page..][..100].fill(0xa5);
    for damaged in [flipped, sound[..sound.len() / 2].to_vec()] {
        std::fs::write(&path, damaged).unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        let said = error.to_string();
        assert!(said.contains(&path.display().to_string()), "{said}");
        assert!(!error.hints().is_empty(), "{said}");
    }
    std::fs::write(&path, sound).unwrap();
    assert!(Ledger::open(&path).is_ok());
}

#[tokio::test]
async fn a_ledger_without_its_last_pages_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let copy = folder.path().join("copy.db");
    let side = |path: &Path, end: &str| PathBuf::from(format!("{}{end}", path.display()));
    let ledger = Ledger::open(&path).unwrap();
    let campaign = NewCampaign {
        id: "a@all".to_owned(),
        content_hash: String::new(),
        audience_hash: String::new(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    let campaign = ledger.begin(campaign, 2).await.unwrap();
    // Nobody was written to: it is whole without a mark.
    assert!(!side(&path, ".open").exists());
    let attempt = Attempt {
        seq: 0,
        message_id: "1@example.com".to_owned(),
        now: Timestamp::UNIX_EPOCH,
        usage: crate::delivery::pace::Usage::new("main", time(1)),
    };
    ledger
        .intent(campaign.key, attempt)
        .durable()
        .await
        .unwrap();
    for end in ["", ".open"] {
        std::fs::copy(side(&path, end), side(&copy, end)).unwrap();
    }
    let refused = Ledger::open(&copy).unwrap_err();
    assert_eq!(refused.kind(), Kind::Io);
    assert!(Diary::open(&copy).is_err() && Helm::open(&copy).is_err());
    // With it, it is whole; a hand on it leaves it so, and to close it takes the mark away.
    std::fs::copy(side(&path, "-wal"), side(&copy, "-wal")).unwrap();
    drop(Diary::open(&copy).unwrap());
    drop(Helm::open(&copy).unwrap());
    for _ in 0..2 {
        let ledger = Ledger::open(&copy).unwrap();
        assert_eq!(ledger.counts(campaign.key).await.unwrap().sending, 1);
        drop(ledger);
        assert!(!side(&copy, ".open").exists() && !side(&copy, "-wal").exists());
    }
}
