//! What a relay does instead of behaving, and how often: so that senders can be proved.
//!
//! [`Manners`] is asked at every moment of a session at which a client hopes for a yes, and may answer
//! with a [`Fault`]. [`Misbehavior`] answers by chance, with a seed. Pure: no socket, no clock.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::error::{Error, Kind, Result, nearest};

/// The moments at which a relay can misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// A client has connected and waits for the greeting.
    Connect,
    /// EHLO or HELO.
    Hello,
    /// MAIL.
    Sender,
    /// RCPT, for this recipient.
    Recipient(&'a str),
    /// DATA.
    Data,
    /// The final dot, for these recipients.
    Dot(&'a [String]),
    /// The mail was accepted, and the client knows.
    Accepted,
}

/// What a relay does instead of behaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Answers 421 and closes the connection.
    Busy,
    /// Answers 4xx.
    Defer,
    /// Answers 5xx.
    Refuse,
    /// Closes the connection without a word; after the dot without having taken the mail.
    DropBefore,
    /// Takes the mail, and closes the connection without a word.
    DropAfter,
    /// Says nothing any more, until the client gives up.
    Stall,
    /// Takes the mail, and says nothing any more.
    StallAfter,
    /// Closes the connection without a word behind an answer.
    Close,
    /// Breaks off in the middle of its answer; after the dot, having taken the mail.
    Half,
    /// Answers twice.
    Twice,
    /// Refuses the connection with its first line.
    Greeting,
    /// Takes its time.
    Slow,
}

/// How a relay behaves.
pub trait Manners: fmt::Debug + Send + Sync {
    /// What it does at this moment instead of saying yes; `None` when it behaves.
    fn fault(&self, moment: Moment<'_>) -> Option<Fault>;
}

/// A moment without what it is about, and the name of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Connect,
    Hello,
    Sender,
    Recipient,
    Data,
    Dot,
    Accepted,
}

use Place::{Accepted, Connect, Data, Dot, Hello, Recipient, Sender};

const PLACES: [(Place, &str); 6] = [
    (Connect, "connect"),
    (Hello, "ehlo"),
    (Sender, "mail"),
    (Recipient, "rcpt"),
    (Data, "data"),
    (Dot, "dot"),
];

impl From<Moment<'_>> for Place {
    fn from(moment: Moment<'_>) -> Self {
        match moment {
            Moment::Connect => Connect,
            Moment::Hello => Hello,
            Moment::Sender => Sender,
            Moment::Recipient(_) => Recipient,
            Moment::Data => Data,
            Moment::Dot(_) => Dot,
            Moment::Accepted => Accepted,
        }
    }
}

/// A fault, its name, where it strikes when nothing else is said, and where else it can.
struct Kin {
    fault: Fault,
    name: &'static str,
    usual: &'static [Place],
    others: &'static [Place],
}

const fn kin(
    fault: Fault,
    name: &'static str,
    usual: &'static [Place],
    others: &'static [Place],
) -> Kin {
    Kin {
        fault,
        name,
        usual,
        others,
    }
}

const TRANSACTION: &[Place] = &[Sender, Recipient, Data, Dot];

const FAULTS: [Kin; 12] = [
    kin(Fault::Busy, "421", TRANSACTION, &[Connect, Hello]),
    kin(Fault::Defer, "4xx", &[Recipient, Dot], &[Sender, Data]),
    kin(Fault::Refuse, "5xx", &[Recipient, Dot], &[Sender, Data]),
    kin(
        Fault::DropBefore,
        "drop-before",
        &[Dot],
        &[Connect, Hello, Sender, Recipient, Data],
    ),
    kin(Fault::DropAfter, "drop-after", &[Dot], &[]),
    kin(Fault::Stall, "stall", TRANSACTION, &[Connect, Hello]),
    kin(Fault::StallAfter, "stall-after", &[Dot], &[]),
    kin(Fault::Close, "close", &[Accepted], &[]),
    kin(Fault::Half, "half", TRANSACTION, &[Connect, Hello]),
    kin(Fault::Twice, "twice", TRANSACTION, &[Connect, Hello]),
    kin(Fault::Greeting, "greeting", &[Connect], &[]),
    kin(
        Fault::Slow,
        "slow",
        &[Dot],
        &[Connect, Hello, Sender, Recipient, Data],
    ),
];

impl Fault {
    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        FAULTS
            .iter()
            .find(|kin| kin.fault == self)
            .map_or("", |kin| kin.name)
    }

    /// Whether a relay that does this after the final dot has taken the mail.
    #[must_use]
    pub fn takes_the_mail(self) -> bool {
        matches!(
            self,
            Self::DropAfter
                | Self::StallAfter
                | Self::Close
                | Self::Half
                | Self::Twice
                | Self::Slow
        )
    }
}

/// A relay that misbehaves by chance, the same way for the same seed.
pub struct Misbehavior {
    rules: Vec<Rule>,
    state: Mutex<State>,
}

/// A fault, the places where it strikes, and how often at each of them: the share of a mail is
/// divided among its places, so that about so many mails in a hundred are struck.
#[derive(Clone, Debug, PartialEq)]
struct Rule {
    fault: Fault,
    places: Vec<Place>,
    chance: f64,
}

struct State {
    dice: Dice,
    /// How often each rule has struck.
    dealt: Vec<u64>,
}

impl fmt::Debug for Misbehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Misbehavior").field(&self.rules).finish()
    }
}

impl Misbehavior {
    /// Reads `421=2,4xx@rcpt=3.5,drop-after=2`: names and percents of the mails, each perhaps with the
    /// one command at which it strikes. `all=2` is each of the faults, `none` is none.
    ///
    /// # Errors
    /// [`Kind::Usage`] for all that is not understood.
    pub fn parse(text: &str, seed: u64) -> Result<Self> {
        let mut rules = Vec::new();
        let mut errors = Vec::new();
        for part in text.split(',').map(str::trim) {
            match part {
                "" | "none" => {}
                part => match rules_of(part) {
                    Ok(found) => rules.extend(found),
                    Err(error) => errors.push(error),
                },
            }
        }
        for (place, name) in PLACES.into_iter().chain([(Accepted, "accepted")]) {
            let sum: f64 = rules
                .iter()
                .filter(|rule| rule.places.contains(&place))
                .map(|rule| rule.chance)
                .sum();
            if sum > 1.0 + 1e-9 {
                errors.push(wrong(format!(
                    "the faults at `{name}` add up to {:.0} %",
                    sum * 100.0
                )));
            }
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(Self {
                state: Mutex::new(State {
                    dice: Dice::new(seed),
                    dealt: vec![0; rules.len()],
                }),
                rules,
            }),
        }
    }

    /// How often each fault has struck, in the order of the table of faults; those that were asked for
    /// and never struck are among them.
    pub fn dealt(&self) -> Vec<(&'static str, u64)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        FAULTS
            .iter()
            .filter(|kin| self.rules.iter().any(|rule| rule.fault == kin.fault))
            .map(|kin| {
                let of_kind = |(rule, _): &(&Rule, &u64)| rule.fault == kin.fault;
                let struck = self.rules.iter().zip(&state.dealt).filter(of_kind);
                (kin.name, struck.map(|(_, count)| count).sum())
            })
            .collect()
    }
}

impl Manners for Misbehavior {
    fn fault(&self, moment: Moment<'_>) -> Option<Fault> {
        let place = Place::from(moment);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut thrown = state.dice.share();
        for (at, rule) in self.rules.iter().enumerate() {
            if !rule.places.contains(&place) {
                continue;
            }
            if thrown < rule.chance {
                if let Some(count) = state.dealt.get_mut(at) {
                    *count += 1;
                }
                return Some(rule.fault);
            }
            thrown -= rule.chance;
        }
        None
    }
}

/// The rules of `name[@command]=percent`.
fn rules_of(part: &str) -> Result<Vec<Rule>> {
    let Some((what, percent)) = part.split_once('=') else {
        return Err(wrong(format!("`{part}` says no percentage")));
    };
    let percent = percent
        .trim()
        .trim_end_matches('%')
        .parse::<f64>()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| wrong(format!("`{}` is no percentage", percent.trim())))?;
    let (name, place) = match what.trim().split_once('@') {
        Some((name, place)) => (name, Some(place)),
        None => (what.trim(), None),
    };
    if name == "all" && place.is_none() {
        return Ok(FAULTS
            .iter()
            .map(|kin| rule(kin.fault, kin.usual, percent))
            .collect());
    }
    let Some(kin) = FAULTS.iter().find(|kin| kin.name == name) else {
        let error = wrong(format!("there is no fault `{name}`"));
        let names = FAULTS.iter().map(|kin| kin.name);
        return Err(match nearest(name, names) {
            Some(near) => error.hint(format!("Did you mean `{near}`?")),
            None => error,
        });
    };
    let Some(place) = place else {
        return Ok(vec![rule(kin.fault, kin.usual, percent)]);
    };
    let can = |at: &Place| kin.usual.contains(at) || kin.others.contains(at);
    match PLACES.iter().find(|(at, word)| *word == place && can(at)) {
        Some((at, _)) => Ok(vec![rule(kin.fault, &[*at], percent)]),
        None => Err(wrong(format!("`{name}` cannot strike at `{place}`"))),
    }
}

fn rule(fault: Fault, places: &[Place], percent: f64) -> Rule {
    #[expect(clippy::cast_precision_loss, reason = "they are a handful")]
    let count = places.len().max(1) as f64;
    Rule {
        fault,
        places: places.to_vec(),
        chance: percent / 100.0 / count,
    }
}

fn wrong(message: String) -> Error {
    let names: Vec<&str> = FAULTS.iter().map(|kin| kin.name).collect();
    Error::new(Kind::Usage, message).hint(format!(
        "Write `name=percent`, parted by commas, such as `421=2,4xx@rcpt=3`. The faults: {}, or `all`.",
        names.join(", ")
    ))
}

/// A small generator of numbers (SplitMix64): the same ones for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// From 0 on, and below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
