//! Who is there, by fingerprint: a million people are told apart in the memory of their fingerprints,
//! and not of their addresses.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState},
};

use super::Address;

/// A set of people, each with a number: the line of a list, or the row of a campaign.
///
/// A fingerprint is 96 bits of two keyed hashes (`SipHash`) of [`Address::key`], so that two people have
/// the same one once in 10^17 lists of a million, and nobody can make it happen.
pub struct People {
    keys: [RandomState; 2],
    /// By the first byte of the fingerprint: a table that grows takes half as much again for a moment,
    /// and one of many takes little.
    shards: Vec<Shard>,
}

type Shard = HashMap<Fingerprint, u32, BuildHasherDefault<AsItIs>>;

/// In three pieces, so that one and its number take 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Fingerprint([u32; 3]);

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [_, middle, low] = self.0;
        state.write_u64(u64::from(middle) << 32 | u64::from(low));
    }
}

/// The bit of a number that says that the person is known, but not wanted.
const LEFT_OUT: u32 = 1 << 31;

impl Default for People {
    fn default() -> Self {
        Self {
            keys: [RandomState::new(), RandomState::new()],
            shards: (0..256).map(|_| HashMap::default()).collect(),
        }
    }
}

impl People {
    /// Adds a person; somebody who is there already stays as they are, and their number is returned.
    pub fn add(&mut self, address: &Address, number: usize) -> Option<usize> {
        let number = u32::try_from(number).unwrap_or(u32::MAX) & !LEFT_OUT;
        let (shard, fingerprint) = self.place(address);
        let known = shard.get(&fingerprint).copied();
        if known.is_none() {
            shard.insert(fingerprint, number);
        }
        known.map(|known| (known & !LEFT_OUT) as usize)
    }

    /// Remembers of a person that they are not wanted, so that [`Self::take`] does not find them.
    pub fn leave_out(&mut self, address: &Address) {
        let (shard, fingerprint) = self.place(address);
        if let Some(number) = shard.get_mut(&fingerprint) {
            *number |= LEFT_OUT;
        }
    }

    /// Takes a person out who is wanted, and says whether they were there.
    pub fn take(&mut self, address: &Address) -> bool {
        let (shard, fingerprint) = self.place(address);
        let wanted = shard
            .get(&fingerprint)
            .is_some_and(|number| number & LEFT_OUT == 0);
        if wanted {
            shard.remove(&fingerprint);
        }
        wanted
    }

    /// Forgets who is not wanted.
    pub fn only_wanted(&mut self) {
        for shard in &mut self.shards {
            shard.retain(|_, number| *number & LEFT_OUT == 0);
            shard.shrink_to_fit();
        }
    }

    /// How many there are, wanted or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(HashMap::len).sum()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&mut self, address: &Address) -> (&mut Shard, Fingerprint) {
        let key = address.key();
        let [high, low] = self.keys.each_ref().map(|state| state.hash_one(&key));
        #[expect(clippy::cast_possible_truncation, reason = "96 bits of 128 are enough")]
        let fingerprint = Fingerprint([high as u32, (low >> 32) as u32, low as u32]);
        let shard = (high >> 56) as usize;
        (&mut self.shards[shard], fingerprint)
    }
}

/// A fingerprint is a hash already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(8) ^ number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_is_there_once_whatever_their_capitals() {
        let address = |number: usize| Address::parse(&format!("a{number}@example.com")).unwrap();
        let mut people = People::default();
        for number in 0..5_000 {
            assert_eq!(people.add(&address(number), number + 2), None);
        }
        let capitals = Address::parse("A7@EXAMPLE.com").unwrap();
        assert_eq!(people.add(&capitals, 9_999), Some(9));
        assert_eq!(people.len(), 5_000);
        people.leave_out(&address(7));
        assert_eq!(people.add(&capitals, 9_999), Some(9));
        assert!(!people.take(&capitals));
        assert!(people.take(&address(8)));
        assert!(!people.take(&address(8)));
        people.only_wanted();
        assert_eq!(people.len(), 4_998);
    }
}
