//! The work of one mail, for callgrind to count: `.ci/check-instructions` starts it.
//!
//!     instructions merge MAILS
//!     instructions delivery MAILS PORT
//!
//! *merge* makes mails of the letter in `bench/letter.md`, 30 KB with ten fields and two conditionals.
//! *delivery* takes one such mail that is made, and delivers copies of it through one connection to the
//! sink that listens on the port, with the ledger in the folder of `TMPDIR`. What comes before the first
//! mail is the same for any number of them, so the difference of two runs is the cost of a mail.

#![expect(clippy::expect_used, reason = "what cannot begin has nothing to count")]

use std::{hint::black_box, path::Path, sync::Arc};

use jiff::Timestamp;
use letterpress::{
    audience::{Address, Recipient, Value},
    clock::System,
    compose::{self, Edition, Images, Press, Publication, Templates, Validation},
    delivery::{
        Deadlines, Lane, Mails, Plan, Relay, Security, Stop, deliver,
        ledger::{Ledger, NewCampaign},
        pace::Rate,
        transport::Smtp,
    },
    error::Result,
    mail::{Forme, Letterhead, Mail, Secret},
    source::{self, Bounds, Root},
};

#[global_allocator]
static ALLOCATOR: letterpress::Allocator = letterpress::Allocator;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u32>().ok());
    let mails = number(1).unwrap_or(1);
    let stationery = Stationery::new();
    match arguments.first().map(String::as_str) {
        Some("merge") => {
            let readers: Vec<Recipient> = (0..6).map(reader).collect();
            for reader in readers.iter().cycle().take(mails as usize) {
                black_box(stationery.mail(reader));
            }
        }
        Some("delivery") => {
            let port = number(2).and_then(|port| port.try_into().ok());
            let mail = stationery.mail(&reader(0));
            deliver_copies(mail, mails, port.expect("the port of a sink"));
        }
        // `cargo bench` runs whatever is in this folder.
        _ => {}
    }
}

/// What is made once for all mails. How a mail is made of it is known here and nowhere else.
struct Stationery(Forme);

impl Stationery {
    fn new() -> Self {
        Self(Forme::new(&letterhead(), &edition()).expect("an edition"))
    }

    fn mail(&self, reader: &Recipient) -> Mail {
        self.0.mail(reader).expect("a mail")
    }
}

/// The letter, with its last paragraph as often as makes 30 KB.
fn edition() -> Edition {
    let letter = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/letter.md");
    let letter = std::fs::read_to_string(letter).expect("the letter");
    let (_, paragraph) = letter.trim_end().rsplit_once("\n\n").expect("paragraphs");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("issues")).expect("a folder");
    let more = format!("\n{paragraph}\n").repeat(13);
    std::fs::write(
        folder.path().join("issues/letter.md"),
        letter.clone() + &more,
    )
    .expect("a file");

    let root = Root {
        folder: folder.path().to_owned(),
        bounds: Bounds::Newsletter,
    };
    let publication = Publication {
        name: "The Weekly Press".into(),
        tagline: Some("Printing, type and letters, every Monday".into()),
        base_url: Some("https://news.example.com".into()),
        postal_address: "The Weekly Press, 1 Type Street, 10115 Berlin".into(),
        language: "en".into(),
        domain: "news.example.com".into(),
    };
    let press = Press {
        publication: &publication,
        templates: &Templates::new(Vec::new()),
        images: Images::Hosted,
        picture: &|src| source::picture(&root, src),
        include: &|path| source::text(&root, path),
        validation: Validation::Standard,
    };
    let issue = source::issue(&root, "letter").expect("the letter").issue;
    compose::compose(&issue, &press).expect("a page").edition
}

fn letterhead() -> Letterhead {
    Letterhead {
        from: "The Weekly Press <press@news.example.com>"
            .parse()
            .expect("a mailbox"),
        reply_to: None,
        return_path: "press@news.example.com".into(),
        list_name: "The Weekly Press".into(),
        list_id: Some("weekly.news.example.com".into()),
        base_url: Some("https://news.example.com".into()),
        unsubscribe_mailto: None,
        campaign: "letter@all".into(),
        slug: "letter".into(),
        date: Timestamp::UNIX_EPOCH,
        secret: Secret::new([7; 32]),
        subject_prefix: None,
        signers: Default::default(),
    }
}

/// Readers whose conditionals come out in all ways.
fn reader(at: u32) -> Recipient {
    let email = format!("reader{at}@example.com");
    let fields = [
        ("email", email.as_str()),
        ("first_name", "Ada"),
        ("last_name", "Setter"),
        ("company", "Setter & Daughters"),
        ("city", "Mainz"),
        ("since", "1999"),
        (
            "plan",
            if at.is_multiple_of(2) {
                "patron"
            } else {
                "free"
            },
        ),
        ("points", "77"),
        ("topic", if at.is_multiple_of(3) { "type" } else { "ink" }),
        ("editor", "Ines Halloran"),
        ("code", "AB12-CD34"),
    ];
    let field = |(name, text): (&str, &str)| (name.into(), Value::Text(text.into()));
    Recipient {
        line: at as usize + 2,
        address: Address::parse(&email).expect("an address"),
        fields: fields.map(field).into(),
    }
}

struct Copies(Mail);

impl Mails for Copies {
    fn mail(&self, _seq: u32) -> Result<Mail> {
        Ok(self.0.clone())
    }
}

fn deliver_copies(mail: Mail, mails: u32, port: u16) {
    let relay = Relay {
        name: "sink".into(),
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        credentials: None,
        connections: 1,
        messages_per_connection: usize::MAX,
        hello: "news.example.com".into(),
        ca_file: None,
        deadlines: Deadlines::default(),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&folder.path().join("ledger.db")).expect("a ledger");
    let ledger = Arc::new(ledger);
    let campaign = NewCampaign {
        id: "letter@all".to_owned(),
        content_hash: "content".to_owned(),
        audience_hash: "audience".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
    };
    // One thread, beside that of the ledger: so that the same is done in every run.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let summary = runtime.expect("a runtime").block_on(async {
        let campaign = ledger.begin(campaign, mails).await?;
        let lane = Lane::new(&relay, Rate::Max, Smtp::new(relay.clone())?);
        deliver(
            Plan::new(campaign.key),
            vec![lane],
            ledger,
            Arc::new(Copies(mail)),
            Arc::new(System),
            Arc::new(()),
            Stop::new(),
        )
        .await
    });
    let sent = summary.expect("a run").counts.sent;
    assert_eq!(sent, u64::from(mails), "all are sent");
}
