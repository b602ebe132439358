//! The books alone: a million recipients through the ledger, with nothing behind it that takes time.
//!
//!     cargo bench --bench books [-- RECIPIENTS CONNECTIONS]
//!
//! Every delivery is an intent that is waited for and an outcome that is recorded, as with a relay. The
//! ledger is made in the folder that `TMPDIR` names: what counts is how quick its disk is with a sync.

#![expect(clippy::print_stdout, reason = "a bench prints")]

use std::{sync::Arc, time::Instant};

use jiff::Timestamp;
use letterpress::{
    audience::Address,
    clock::System,
    delivery::{
        Lane, Mails, Outcome, Plan, Stop, Trouble, deliver,
        ledger::{Intent, Ledger, NewCampaign},
        pace::{Limits, Rate},
        transport::{Connection, Exchange, Next, Transport},
    },
    error::{Error, Result},
    mail::{Envelope, Mail},
};

#[global_allocator]
static ALLOCATOR: letterpress::Allocator = letterpress::Allocator;

/// A relay that takes everything at once.
struct Nowhere;

impl Transport for Nowhere {
    type Connection = Self;

    async fn connect(&self) -> Result<Self, Trouble> {
        Ok(Self)
    }
}

impl Connection for Nowhere {
    async fn send(
        &mut self,
        _seq: u32,
        _mail: &Mail,
        intent: Intent,
        _next: Option<Next<'_>>,
    ) -> Exchange {
        match intent.durable().await {
            Ok(()) => Exchange::Settled(Outcome::Sent {
                code: 250,
                reply: "2.0.0 queued as 4F2A9B".to_owned(),
            }),
            Err(error) => Exchange::Books(error),
        }
    }

    fn is_usable(&mut self) -> bool {
        true
    }

    fn is_in_doubt(&self) -> bool {
        false
    }

    async fn close(self) {}
}

struct Letters(Address);

impl Mails for Letters {
    fn mail(&self, seq: u32) -> Result<Mail> {
        Ok(Mail {
            envelope: Envelope {
                return_path: self.0.clone(),
                recipient: self.0.clone(),
            },
            message_id: format!("2026-48.{seq:08x}.q7dk2m@news.example.com"),
            message: Vec::new(),
        })
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u32>().ok());
    let recipients = numbers.next().unwrap_or(1_000_000);
    let connections = numbers.next().unwrap_or(32);
    let folder = tempfile::tempdir().map_err(|cause| Error::bug("no folder").because(&cause))?;
    let ledger = Arc::new(Ledger::open(&folder.path().join("ledger.db"))?);

    let begun = Instant::now();
    let campaign = NewCampaign {
        id: "bench@all".to_owned(),
        content_hash: "content".to_owned(),
        audience_hash: "audience".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    let campaign = ledger.begin(campaign, recipients).await?;
    println!(
        "{recipients} rows entered in {:.1} s",
        begun.elapsed().as_secs_f64()
    );

    let mut limits = Limits::new("nowhere", Rate::Max);
    limits.connections = connections as usize;
    let lane = Lane {
        limits,
        weight: 1,
        transport: Nowhere,
    };
    let address = Address::parse("reader@example.com").map_err(|fault| Error::bug(fault.reason))?;
    let summary = deliver(
        Plan::new(campaign.key),
        vec![lane],
        ledger,
        Arc::new(Letters(address)),
        Arc::new(System),
        Arc::new(()),
        Stop::new(),
    )
    .await?;
    println!(
        "{} sent by {connections} connections in {:.1} s: {:.0} a second; a commit took {:?} (median)",
        summary.counts.sent,
        summary.took.as_secs_f64(),
        f64::from(recipients) / summary.took.as_secs_f64(),
        summary.commit_time.unwrap_or_default(),
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{}", peak.unwrap_or("VmHWM: not known here"));
    Ok(())
}
