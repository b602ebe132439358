//! How often faults strike, and that they can be had again.

use super::*;

const MOMENTS: [Moment<'static>; 6] = [
    Moment::Hello,
    Moment::Sender,
    Moment::Recipient("a@example.com"),
    Moment::Data,
    Moment::Dot(&[]),
    Moment::Accepted,
];

fn struck(faults: &str, seed: u64, mails: usize) -> Vec<(&'static str, u64)> {
    let relay = Misbehavior::parse(faults, seed).unwrap();
    for _ in 0..mails {
        for moment in MOMENTS {
            let _ = relay.fault(moment);
        }
    }
    relay.dealt()
}

#[test]
fn about_so_many_mails_in_a_hundred_are_struck() {
    for (faults, seed) in [("421=2,4xx=3,drop-before=2,drop-after=2", 1), ("all=4", 7)] {
        for (name, count) in struck(faults, seed, 20_000) {
            let expected = match (faults, name) {
                (_, "greeting") => 0,
                ("all=4", _) => 800,
                (_, "4xx") => 600,
                _ => 400,
            };
            let spread = expected / 5;
            assert!(
                (expected - spread..=expected + spread).contains(&count),
                "{name} struck {count} times, and not {expected}"
            );
        }
    }
}

#[test]
fn the_same_seed_is_the_same_relay() {
    let acts = |seed| {
        let relay = Misbehavior::parse("all=8", seed).unwrap();
        let moments = MOMENTS.into_iter().cycle().take(1000);
        moments
            .map(|moment| relay.fault(moment))
            .collect::<Vec<_>>()
    };
    assert_eq!(acts(3), acts(3));
    assert_ne!(acts(3), acts(4));
}

#[test]
fn a_fault_strikes_where_it_was_sent_to_and_nowhere_else() {
    let relay = Misbehavior::parse("4xx@rcpt=100, stall@ehlo=100%", 1).unwrap();
    for _ in 0..100 {
        assert_eq!(relay.fault(Moment::Hello), Some(Fault::Stall));
        assert_eq!(relay.fault(Moment::Sender), None);
        assert_eq!(relay.fault(Moment::Recipient("a@b")), Some(Fault::Defer));
        assert_eq!(relay.fault(Moment::Dot(&[])), None);
    }
    assert_eq!(relay.dealt(), [("4xx", 100), ("stall", 100)]);
}

#[test]
fn a_relay_without_faults_behaves() {
    let relay = Misbehavior::parse("none", 1).unwrap();
    assert!(MOMENTS.iter().all(|moment| relay.fault(*moment).is_none()));
    assert_eq!(relay.dealt(), []);
}

#[test]
fn every_name_leads_back_to_its_fault() {
    for kin in &FAULTS {
        assert_eq!(kin.fault.name(), kin.name);
        assert_eq!(
            rules_of(&format!("{}=1", kin.name)).unwrap()[0].fault,
            kin.fault
        );
    }
}

#[test]
fn all_that_is_not_understood_is_said() {
    let said = |faults| {
        let error = Misbehavior::parse(faults, 1).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        let others = error
            .others()
            .iter()
            .map(|error| error.message().to_owned());
        [error.message().to_owned()]
            .into_iter()
            .chain(others)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said("421,4xx=x,drop-befor=1,close@dot=3,half=101"),
        [
            "`421` says no percentage",
            "`x` is no percentage",
            "there is no fault `drop-befor`",
            "`close` cannot strike at `dot`",
            "`101` is no percentage",
        ]
    );
    assert_eq!(
        said("drop-after=60,drop-before=70"),
        ["the faults at `dot` add up to 130 %"]
    );
}
