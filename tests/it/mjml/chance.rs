//! Chance that is the same in every run: xorshift.

/// A sequence of numbers that nobody would guess, and that never changes.
pub struct Chance(u64);

impl Chance {
    /// The sequence of this name.
    pub fn of(name: &str) -> Self {
        // FNV-1a, so that similar names begin differently.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        // The upper bits are the better ones.
        let number = (self.next() >> 11) % end as u64;
        usize::try_from(number).expect("less than a size")
    }

    /// One of them.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
