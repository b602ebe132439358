//! Who is there, by fingerprint: ten million people are told apart in the memory of their fingerprints,
//! and not of their addresses.

use std::hash::{BuildHasher as _, RandomState};

use super::Address;

/// A set of people, each with a number: the line of a list, or the row of a campaign.
///
/// A fingerprint is 80 bits of two keyed hashes (`SipHash`) of [`Address::key`], so that two people have
/// the same one once in 10^12 lists of a million, or in 10^10 lists of ten million, and nobody can make
/// it happen. 16 of its bits say in which shelf it stands; the others are kept in order there, so that
/// a person takes 12 bytes, and the room to grow is an eighth of that: a table would keep free half of
/// its places whenever it has grown.
pub struct People {
    keys: [RandomState; 2],
    shelves: Vec<Vec<Person>>,
}

/// The fingerprint in two pieces, so that it takes 12 bytes with its number.
#[derive(Clone, Copy)]
struct Person {
    fingerprint: [u32; 2],
    number: u32,
}

/// Where somebody stands, or would.
struct Place {
    shelf: usize,
    fingerprint: [u32; 2],
    at: Result<usize, usize>,
}

const SHELVES: usize = 1 << 16;

/// The bit of a number that says that the person is known, but not wanted.
const LEFT_OUT: u32 = 1 << 31;

impl Default for People {
    fn default() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            shelves: (0..SHELVES).map(|_| Vec::new()).collect(),
        }
    }
}

impl People {
    /// Adds a person; somebody who is there already stays as they are, and their number is returned.
    pub fn add(&mut self, address: &Address, number: usize) -> Option<usize> {
        self.add_key(&address.key(), number)
    }

    /// The same for somebody of whom only [`Address::key`] is known.
    pub fn add_key(&mut self, key: &str, number: usize) -> Option<usize> {
        let place = self.place(key);
        if let Some(known) = self.number(&place) {
            return Some((known & !LEFT_OUT) as usize);
        }
        let number = u32::try_from(number).unwrap_or(u32::MAX) & !LEFT_OUT;
        if let (Some(shelf), Err(at)) = (self.shelves.get_mut(place.shelf), place.at) {
            if shelf.len() == shelf.capacity() {
                shelf.reserve_exact((shelf.len() / 8).max(4));
            }
            shelf.insert(
                at,
                Person {
                    fingerprint: place.fingerprint,
                    number,
                },
            );
        }
        None
    }

    /// The number of a person who is wanted.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<usize> {
        let number = self.number(&self.place(&address.key()))?;
        (number & LEFT_OUT == 0).then_some(number as usize)
    }

    /// Remembers of a person that they are not wanted, so that [`Self::take`] does not find them.
    pub fn leave_out(&mut self, address: &Address) {
        let place = self.place(&address.key());
        if let Ok(at) = place.at
            && let Some(shelf) = self.shelves.get_mut(place.shelf)
            && let Some(person) = shelf.get_mut(at)
        {
            person.number |= LEFT_OUT;
        }
    }

    /// Takes a person out who is wanted, by their [`Address::key`], and says whether they were there.
    pub fn take(&mut self, key: &str) -> bool {
        let place = self.place(key);
        let is_wanted = self
            .number(&place)
            .is_some_and(|number| number & LEFT_OUT == 0);
        if is_wanted
            && let Ok(at) = place.at
            && let Some(shelf) = self.shelves.get_mut(place.shelf)
        {
            shelf.remove(at);
        }
        is_wanted
    }

    /// Forgets who is not wanted.
    pub fn only_wanted(&mut self) {
        for shelf in &mut self.shelves {
            shelf.retain(|person| person.number & LEFT_OUT == 0);
        }
    }

    /// How many there are, wanted or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shelves.iter().map(Vec::len).sum()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shelves.iter().all(Vec::is_empty)
    }

    fn number(&self, place: &Place) -> Option<u32> {
        let shelf = self.shelves.get(place.shelf)?;
        shelf.get(place.at.ok()?).map(|person| person.number)
    }

    #[expect(clippy::cast_possible_truncation, reason = "80 bits of 128 are enough")]
    fn place(&self, key: &str) -> Place {
        let [high, low] = self.keys.each_ref().map(|state| state.hash_one(key));
        let shelf = high as usize % SHELVES;
        let fingerprint = [(low >> 32) as u32, low as u32];
        let people = self.shelves.get(shelf).map(Vec::as_slice);
        let at = people
            .unwrap_or_default()
            .binary_search_by_key(&fingerprint, |person| person.fingerprint);
        Place {
            shelf,
            fingerprint,
            at,
        }
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
        people.leave_out(&address(7));
        assert_eq!(people.add(&capitals, 9_999), Some(9));
        assert_eq!(people.get(&capitals), None);
        assert!(!people.take(&capitals.key()));
        assert!(people.take(&address(8).key()));
        assert!(!people.take(&address(8).key()));
        people.only_wanted();
        assert_eq!(people.len(), 4_998);
    }

    #[test]
    fn a_person_takes_little_more_than_their_fingerprint() {
        let mut people = People::default();
        let count = 16 * SHELVES;
        for number in 0..count {
            people.add_key(&number.to_string(), number);
        }
        let room: usize = people.shelves.iter().map(Vec::capacity).sum();
        assert_eq!(people.len(), count);
        assert_eq!(size_of::<Person>(), 12);
        assert!(room < count + count / 6, "{room} for {count}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn people_are_what_a_table_would_be(steps in prop::collection::vec((0_u8..4, 0_usize..20), 0..100)) {
            let mut people = People::default();
            let mut table: HashMap<usize, (usize, bool)> = HashMap::new();
            for (at, (step, who)) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        let known = table.get(&who).map(|(number, _)| *number);
                        prop_assert_eq!(people.add(&address(who), at), known);
                        table.entry(who).or_insert((at, true));
                    }
                    2 => {
                        people.leave_out(&address(who));
                        if let Some((_, is_wanted)) = table.get_mut(&who) {
                            *is_wanted = false;
                        }
                    }
                    _ => {
                        let is_wanted = table.get(&who).is_some_and(|(_, is_wanted)| *is_wanted);
                        prop_assert_eq!(people.take(&address(who).key()), is_wanted);
                        if is_wanted {
                            table.remove(&who);
                        }
                    }
                }
            }
            prop_assert_eq!(people.len(), table.len());
            people.only_wanted();
            prop_assert_eq!(people.len(), table.values().filter(|(_, is_wanted)| *is_wanted).count());
            prop_assert_eq!(people.is_empty(), people.len() == 0);
        }
    }
}
