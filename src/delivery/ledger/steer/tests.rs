use std::path::PathBuf;

use super::*;
use crate::delivery::ledger::{Counts, Entry, NewCampaign, Row};
use crate::delivery::{ledger::Attempt, pace::Usage};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

struct Desk {
    _folder: tempfile::TempDir,
    path: PathBuf,
    ledger: Ledger,
    key: Key,
}

impl Desk {
    async fn new(rows: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let ledger = Ledger::open(&path).unwrap();
        let campaign = NewCampaign {
            id: "a@all".to_owned(),
            content_hash: "c".to_owned(),
            audience_hash: "a".to_owned(),
            created_at: NOW,
        };
        let key = ledger.begin(campaign, rows).await.unwrap().key;
        Self {
            _folder: folder,
            path,
            ledger,
            key,
        }
    }

    fn wish(&self, wish: Wish) -> CampaignState {
        let mut helm = Helm::open(&self.path).unwrap();
        helm.wish("a@all", wish, NOW).unwrap().unwrap().state
    }

    async fn settle(&self, seq: u32, state: State) {
        let intent = self.ledger.intent(
            self.key,
            Attempt {
                seq,
                message_id: "m@x".to_owned(),
                usage: Usage::new("main", NOW),
                now: NOW,
            },
        );
        intent.durable().await.unwrap();
        let entry = Entry {
            state,
            code: None,
            reply: "nobody knows".to_owned(),
            at: NOW,
            next_at: None,
        };
        self.ledger.record(self.key, seq, entry);
        self.ledger.flush().await.unwrap();
    }

    async fn counts(&self) -> Counts {
        self.ledger.counts(self.key).await.unwrap()
    }

    async fn row(&self, seq: u32) -> Row {
        let rows = self.ledger.rows(self.key, None, 100).await.unwrap();
        rows[seq as usize].clone()
    }

    async fn state(&self) -> CampaignState {
        let campaign = self.ledger.campaign("a@all").await.unwrap();
        campaign.unwrap().state
    }
}

fn paused() -> CampaignState {
    CampaignState::Paused(BY_A_PERSON.to_owned())
}

#[tokio::test]
async fn a_wish_is_seen_by_a_run_and_done_where_there_is_none() {
    let desk = Desk::new(2).await;
    // No run: at once. The wish stays, lest a sender that has read the books before goes on.
    assert_eq!(desk.wish(Wish::Pause), paused());
    let ledger = &desk.ledger;
    assert_eq!(
        ledger.set_out(desk.key, NOW).await.unwrap(),
        Some(Wish::Pause)
    );
    assert_eq!(desk.state().await, paused());
    ledger.resume(desk.key).await.unwrap();
    assert_eq!(desk.state().await, CampaignState::Interrupted);
    assert_eq!(ledger.set_out(desk.key, NOW).await.unwrap(), None);
    // A run: it is told.
    assert_eq!(desk.wish(Wish::Pause), CampaignState::Running);
    assert_eq!(ledger.wanted(desk.key).await.unwrap(), Some(Wish::Pause));
    assert_eq!(desk.wish(Wish::Cancel), CampaignState::Running);
    // To cancel is not taken back.
    assert_eq!(desk.wish(Wish::Pause), CampaignState::Running);
    assert_eq!(ledger.wanted(desk.key).await.unwrap(), Some(Wish::Cancel));
}

#[tokio::test]
async fn a_cancelled_campaign_has_no_row_that_is_due_and_never_runs_again() {
    let desk = Desk::new(3).await;
    desk.settle(0, State::Sent).await;
    desk.settle(1, State::Deferred).await;
    assert_eq!(desk.wish(Wish::Cancel), CampaignState::Cancelled);
    let counts = desk.counts().await;
    assert_eq!((counts.sent, counts.skipped), (1, 2));
    assert_eq!(desk.row(2).await.reply.as_deref(), Some("cancelled"));
    let again = desk.ledger.set_out(desk.key, NOW).await.unwrap();
    assert_eq!(again, Some(Wish::Cancel));
    assert_eq!(desk.state().await, CampaignState::Cancelled);
    // Nothing that comes later changes that.
    assert_eq!(desk.wish(Wish::Pause), CampaignState::Cancelled);
    desk.ledger.resume(desk.key).await.unwrap();
    assert_eq!(desk.state().await, CampaignState::Cancelled);
}

#[tokio::test]
async fn the_reason_of_a_pause_outlives_a_second_one() {
    let desk = Desk::new(1).await;
    let state = CampaignState::Paused("the relay refused the sender".to_owned());
    desk.ledger
        .set_state(desk.key, state.clone(), NOW)
        .await
        .unwrap();
    assert_eq!(desk.wish(Wish::Pause), state);
    let mut helm = Helm::open(&desk.path).unwrap();
    let resumed = helm.resume("a@all").unwrap().unwrap();
    assert_eq!(resumed.state, CampaignState::Interrupted);
    assert_eq!(desk.ledger.wanted(desk.key).await.unwrap(), None);
    assert!(helm.resume("b@all").unwrap().is_none());
}

#[tokio::test]
async fn only_what_is_in_doubt_is_settled() {
    let desk = Desk::new(5).await;
    for seq in 0..3 {
        desk.settle(seq, State::Unknown).await;
    }
    desk.settle(3, State::Sent).await;
    desk.settle(4, State::Failed).await;
    desk.ledger
        .set_state(desk.key, CampaignState::Complete, NOW)
        .await
        .unwrap();
    let why = || "said so".to_owned();
    let verdicts = |first: Verdict| vec![(0, first), (3, Verdict::Resend(why()))];
    let ledger = &desk.ledger;
    let sent = verdicts(Verdict::Sent(why()));
    assert_eq!(ledger.resolve(desk.key, sent, NOW).await.unwrap(), 1);
    assert_eq!(desk.state().await, CampaignState::Complete);
    // Twice is once.
    let resend = verdicts(Verdict::Resend(why()));
    assert_eq!(ledger.resolve(desk.key, resend, NOW).await.unwrap(), 0);
    let rest = vec![
        (1, Verdict::Skip(why())),
        (2, Verdict::Resend(why())),
        (4, Verdict::Sent(why())),
    ];
    assert_eq!(ledger.resolve(desk.key, rest, NOW).await.unwrap(), 2);
    assert_eq!(desk.state().await, CampaignState::Interrupted);
    let counts = desk.counts().await;
    assert_eq!(
        (counts.sent, counts.skipped, counts.pending, counts.failed),
        (2, 1, 1, 1)
    );
    let row = desk.row(2).await;
    assert_eq!(
        (row.attempts, row.reply.as_deref()),
        (1, Some("resolved: said so"))
    );
    assert_eq!(desk.row(3).await.attempts, 1);
}
