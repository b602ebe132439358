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
        generation: 0,
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
        "the file is not a ledger"
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
        "the ledger is of version 9; this program knows version 2"
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
