use super::*;
use crate::delivery::ledger::{Attempt, Entry, NewCampaign, State};

const DAY: i64 = 24 * 60 * 60;

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn ledger(total: u32) -> (Ledger, Key) {
    let ledger = Ledger::in_memory().unwrap();
    let campaign = NewCampaign {
        id: "a@all".to_owned(),
        content_hash: "c".to_owned(),
        audience_hash: "a".to_owned(),
        created_at: time(1),
    };
    let key = ledger.begin(campaign, total).await.unwrap().key;
    (ledger, key)
}

async fn intend(ledger: &Ledger, key: Key, seq: u32, second: i64, group: Option<&str>) {
    let usage = Usage {
        relay: "main".into(),
        group: group.map(Into::into),
        second,
    };
    let attempt = Attempt {
        seq,
        message_id: format!("{seq}@x"),
        usage,
        now: time(second),
    };
    ledger.intent(key, attempt).durable().await.unwrap();
}

#[tokio::test]
async fn use_is_counted_for_relay_and_group_from_the_first_message_on() {
    let (ledger, key) = ledger(4).await;
    assert_eq!(ledger.relay_state("main").await.unwrap(), None);
    ledger.save_share("main", 0.5).await.unwrap();
    intend(&ledger, key, 0, 100, None).await;
    intend(&ledger, key, 1, 100, Some("main/@google")).await;
    intend(&ledger, key, 2, 105, Some("main/@google")).await;
    // Another relay whose name begins alike.
    let other = Usage {
        relay: "main2".into(),
        group: Some("main2/@google".into()),
        second: 107,
    };
    let attempt = Attempt {
        seq: 3,
        message_id: String::new(),
        usage: other,
        now: time(107),
    };
    ledger.intent(key, attempt).durable().await.unwrap();
    ledger
        .close_relay("main", time(500), "too much for today")
        .await
        .unwrap();
    let state = RelayState {
        first_at: Some(time(100)),
        not_before: Some(time(500)),
        reason: Some("too much for today".to_owned()),
        share: Some(0.5),
    };
    assert_eq!(ledger.relay_state("main").await.unwrap(), Some(state));
    let expected = Past {
        usage: vec![(100, 2), (105, 1)],
        groups: [("main/@google".to_owned(), 105)].into(),
        first_use: Some(100),
        ahead: 0,
        closed: Some((time(500), "too much for today".to_owned())),
        share: Some(0.5),
    };
    assert_eq!(ledger.past("main", time(200)).await.unwrap(), expected);
    assert_eq!(ledger.past("main", time(600)).await.unwrap().closed, None);
    assert_eq!(
        ledger.past("nobody", time(600)).await.unwrap(),
        Past::default()
    );
    let rows: Vec<i64> = ledger
        .ask(|connection| {
            connection
                .prepare("SELECT relay FROM delivery ORDER BY seq")?
                .query_map([], |record| record.get(0))?
                .collect()
        })
        .await
        .unwrap();
    assert_eq!(rows, [1, 1, 1, 2]);
}

#[tokio::test]
async fn the_seconds_of_the_books_never_go_back() {
    let (ledger, key) = ledger(4).await;
    let start = 100 * DAY;
    intend(&ledger, key, 0, start, None).await;
    let ahead = async |now: i64| ledger.past("main", time(now)).await.unwrap().ahead;
    assert_eq!(ahead(start + 10).await, 0);
    // Set back by a day: the books go on from where they were, and pass as time passes.
    assert_eq!(ahead(start - DAY).await, DAY);
    assert_eq!(ahead(start - DAY + 3600).await, DAY);
    intend(&ledger, key, 1, start + 3600, None).await;
    assert_eq!(ahead(start - DAY + 3700).await, DAY);
    // Set right again: nothing that was used is forgotten.
    assert_eq!(ahead(start + 3700).await, 0);
    let past = ledger.past("main", time(start + 3700)).await.unwrap();
    assert_eq!(past.usage, [(start, 1), (start + 3600, 1)]);
    // Forward by a day and back: no day of waiting.
    intend(&ledger, key, 2, start + 3700 + DAY, None).await;
    assert_eq!(ahead(start + 3800).await, DAY - 100);
    assert_eq!(ahead(start + 7200).await, DAY - 100);
}

#[tokio::test]
async fn rows_that_were_deferred_by_a_wrong_clock_are_brought_near() {
    let (ledger, key) = ledger(2).await;
    for (seq, next_at) in [(0, 4_900), (1, 1_000 + DAY)] {
        intend(&ledger, key, seq, 1_000, None).await;
        let entry = Entry {
            state: State::Deferred,
            code: Some(450),
            reply: "later".to_owned(),
            at: time(1_000),
            next_at: Some(time(next_at)),
        };
        ledger.record(key, seq, entry);
    }
    let longest = Duration::from_secs(4_000);
    assert_eq!(ledger.pull_in(key, longest, time(1_000)).await.unwrap(), 1);
    let due = ledger.deferred(key, time(9 * DAY)).await.unwrap();
    let due: Vec<(u32, Timestamp)> = due.into_iter().map(|due| (due.seq, due.at)).collect();
    assert_eq!(due, [(0, time(4_900)), (1, time(5_000))]);
}
