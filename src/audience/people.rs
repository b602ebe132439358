//! Who is there, by fingerprint: ten million people are told apart in the memory of their fingerprints,
//! and not of their addresses.

use std::hash::{BuildHasher as _, RandomState};

use super::Address;

/// A set of people, each with a number: the line of a list, or the row of a campaign.
///
/// A fingerprint is 72 bits of two keyed hashes (`SipHash`) of [`Address::key`], so that two people have
/// the same one once in 10^10 lists of a million, or in 10^8 lists of ten million, and nobody can make
/// it happen.
pub struct People {
    keys: [RandomState; 2],
    /// By 8 bits of the fingerprint: one that grows is there twice for a moment, and one of many takes
    /// little. Larger ones, and the memory that they leave behind could be used by nobody else.
    shelves: Vec<Shelf>,
    wanted: usize,
}

/// People in the order of their fingerprints, with free places among them: each stands about where
/// their fingerprint is between none and the largest, so that a look there finds them, and who is new
/// moves few others. Eleven places of twelve are taken before it grows, and it grows by a thirty-second, so
/// that a person takes 13 bytes; a table that doubles would take twice that.
#[derive(Default)]
struct Shelf {
    places: Vec<Person>,
    /// How many places fingerprints are spread over; at the end there may be a few more.
    width: usize,
    taken: usize,
    /// How far it is ahead of the others, so that they do not all grow at the same time.
    lead: usize,
}

/// The fingerprint in two pieces, so that it takes 12 bytes with its number.
#[derive(Clone, Copy)]
struct Person {
    fingerprint: [u32; 2],
    number: u32,
}

/// A place where nobody stands.
const FREE: Person = Person {
    fingerprint: [0; 2],
    number: u32::MAX,
};

const SHELVES: usize = 1 << 8;

/// A shelf grows by so many places, and by one of so many when it has more than that squared.
const STEP: usize = 32;
const EVEN: usize = STEP * STEP;

/// The bit of a number that says that the person is known, but not wanted.
const LEFT_OUT: u32 = 1 << 31;

/// The largest number; with the bit above it is not that of a free place.
const LAST: u32 = LEFT_OUT - 2;

impl Default for People {
    fn default() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            shelves: (0..SHELVES)
                .map(|number| Shelf {
                    lead: number * (EVEN / STEP) / SHELVES,
                    ..Shelf::default()
                })
                .collect(),
            wanted: 0,
        }
    }
}

impl People {
    /// Adds a person; somebody who is there already stays as they are, and their number is returned.
    pub fn add(&mut self, address: &Address, number: usize) -> Option<usize> {
        self.add_key(&address.key(), number)
    }

    fn add_key(&mut self, key: &str, number: usize) -> Option<usize> {
        let number = u32::try_from(number).unwrap_or(LAST).min(LAST);
        let (shelf, fingerprint) = self.place(key);
        let known = self.shelves.get_mut(shelf)?.add(Person {
            fingerprint,
            number,
        });
        self.wanted += usize::from(known.is_none());
        known.map(|number| (number & !LEFT_OUT) as usize)
    }

    /// The number of a person who is wanted.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<usize> {
        let (shelf, fingerprint) = self.place(&address.key());
        let shelf = self.shelves.get(shelf)?;
        let number = shelf.places.get(shelf.find(fingerprint).ok()?)?.number;
        (number & LEFT_OUT == 0).then_some(number as usize)
    }

    /// Remembers of a person that they are not wanted, or not any more, by their [`Address::key`]; says
    /// whether they were.
    pub fn take(&mut self, key: &str) -> bool {
        let (shelf, fingerprint) = self.place(key);
        let person = self.shelves.get_mut(shelf).and_then(|shelf| {
            let at = shelf.find(fingerprint).ok()?;
            shelf.places.get_mut(at)
        });
        let Some(person) = person.filter(|person| person.number & LEFT_OUT == 0) else {
            return false;
        };
        person.number |= LEFT_OUT;
        self.wanted -= 1;
        true
    }

    /// How many there are that are wanted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.wanted
    }

    /// Whether nobody is there that is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted == 0
    }

    #[expect(clippy::cast_possible_truncation, reason = "72 bits of 128 are enough")]
    fn place(&self, key: &str) -> (usize, [u32; 2]) {
        let [high, low] = self.keys.each_ref().map(|state| state.hash_one(key));
        (high as usize % SHELVES, [(low >> 32) as u32, low as u32])
    }
}

impl Shelf {
    /// Where a fingerprint stands, or where it would.
    fn find(&self, fingerprint: [u32; 2]) -> Result<usize, usize> {
        let start = self.start(fingerprint);
        let others = self.places.get(start..).unwrap_or_default();
        let before = others
            .iter()
            .take_while(|person| !person.is_free() && person.fingerprint < fingerprint)
            .count();
        match others.get(before) {
            Some(person) if !person.is_free() && person.fingerprint == fingerprint => {
                Ok(start + before)
            }
            _ => Err(start + before),
        }
    }

    /// Before this place a fingerprint never stands.
    fn start(&self, [high, _]: [u32; 2]) -> usize {
        ((u64::from(high) * self.width as u64) >> 32) as usize
    }

    fn add(&mut self, person: Person) -> Option<u32> {
        if let Ok(at) = self.find(person.fingerprint) {
            return self.places.get(at).map(|known| known.number);
        }
        if (self.taken + 1) * 12 > self.width * 11 {
            self.grow();
        }
        let (Ok(at) | Err(at)) = self.find(person.fingerprint);
        let after = self.places.get(at..).unwrap_or_default();
        match after.iter().position(Person::is_free) {
            Some(free) => self.places.copy_within(at..at + free, at + 1),
            None => {
                self.places.reserve_exact(1);
                self.places.insert(at, FREE);
            }
        }
        if let Some(place) = self.places.get_mut(at) {
            *place = person;
        }
        self.taken += 1;
        None
    }

    fn grow(&mut self) {
        self.width = match self.width + STEP {
            width if width < EVEN => width,
            _ if self.width < EVEN => EVEN + self.lead,
            _ => self.width + self.width / STEP,
        };
        // Few are moved over the end.
        let mut places = Vec::with_capacity(self.width + 64);
        for person in std::mem::take(&mut self.places) {
            if !person.is_free() {
                let start = self.start(person.fingerprint).max(places.len());
                places.resize(start, FREE);
                places.push(person);
            }
        }
        places.resize(places.len().max(self.width), FREE);
        self.places = places;
    }
}

impl Person {
    fn is_free(&self) -> bool {
        self.number == FREE.number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn address(number: usize) -> Address {
        Address::parse(&format!("a{number}@example.com")).unwrap()
    }

    #[test]
    fn each_person_is_there_once_whatever_their_capitals() {
        let mut people = People::default();
        for number in 0..5_000 {
            assert_eq!(people.add(&address(number), number + 2), None);
        }
        let capitals = Address::parse("A7@EXAMPLE.com").unwrap();
        assert_eq!(people.add(&capitals, 9_999), Some(9));
        assert_eq!(people.get(&capitals), Some(9));
        assert_eq!(people.len(), 5_000);
        assert!(people.take(&capitals.key()));
        assert_eq!(people.add(&capitals, 9_999), Some(9));
        assert_eq!(people.get(&capitals), None);
        assert!(!people.take(&capitals.key()));
        assert!(people.take(&address(8).key()));
        assert_eq!(people.len(), 4_998);
    }

    #[test]
    fn a_person_takes_little_more_than_their_fingerprint() {
        let mut people = People::default();
        let count = 500 * SHELVES;
        for number in 0..count {
            assert_eq!(people.add_key(&number.to_string(), number), None);
        }
        assert_eq!(people.len(), count);
        assert_eq!(size_of::<Person>(), 12);
        let room: usize = people
            .shelves
            .iter()
            .map(|shelf| shelf.places.capacity())
            .sum();
        assert!(room < count + count / 2, "{room} for {count}");
        for number in 0..count {
            assert_eq!(people.add_key(&number.to_string(), 0), Some(number));
        }
    }

    /// However fingerprints fall, even all into one place.
    fn fingerprints() -> impl Strategy<Value = Vec<[u32; 2]>> {
        let high = prop_oneof![Just(0_u32), Just(u32::MAX), any::<u32>()];
        prop::collection::vec((high, 0_u32..50).prop_map(<[u32; 2]>::from), 0..600)
    }

    proptest! {
        #[test]
        fn a_shelf_is_what_a_table_would_be(fingerprints in fingerprints()) {
            let mut shelf = Shelf::default();
            let mut table: HashMap<[u32; 2], u32> = HashMap::new();
            for (number, fingerprint) in (0..).zip(fingerprints) {
                let known = table.get(&fingerprint).copied();
                prop_assert_eq!(shelf.add(Person { fingerprint, number }), known);
                table.entry(fingerprint).or_insert(number);
            }
            for (fingerprint, number) in &table {
                let at = shelf.find(*fingerprint).unwrap();
                prop_assert_eq!(shelf.places[at].number, *number);
            }
            let taken: Vec<_> = shelf.places.iter().filter(|person| !person.is_free()).collect();
            prop_assert_eq!(taken.len(), table.len());
            prop_assert!(taken.is_sorted_by_key(|person| person.fingerprint));
        }
    }
}
