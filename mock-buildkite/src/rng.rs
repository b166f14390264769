//! Seeded randomness: the same parts always give the same numbers.
//!
//! The generator is written here because a seeded world must stay byte for byte the same under
//! every version of every library.

use uuid::Uuid;

/// A small random number generator (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Rng {
    state: u64,
}

impl Rng {
    /// The generator for one place in the world, for example seed, build, job.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut rng = Self {
            state: 0x6a09_e667_f3bc_c908,
        };
        for part in parts {
            rng.state ^= part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            rng.next();
        }
        rng
    }

    /// The generator for a name.
    pub(crate) fn of_text(text: &str) -> Self {
        let parts: Vec<u64> = text.bytes().map(u64::from).collect();
        Self::of(&parts)
    }

    /// The next 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.state ^= z >> 31;
        z ^ (z >> 31)
    }

    /// A number below `limit`. The limit is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// An index below `length`. The length is not 0.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// A number in `from..=to`, skewed towards the low end as waiting times are.
    pub(crate) fn skewed(&mut self, from: i64, to: i64) -> i64 {
        let range = u64::try_from(to - from).unwrap_or(0) + 1;
        let (a, b) = (self.below(range), self.below(range));
        from + i64::try_from(a.min(b)).unwrap_or(0)
    }

    /// True with a probability of `percent` in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// True with this probability, from 0 to 1.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        const PARTS: u32 = 1 << 24;
        let drawn = u32::try_from(self.below(u64::from(PARTS))).unwrap_or(0);
        f64::from(drawn) < probability * f64::from(PARTS)
    }

    /// One of the values.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        values[self.index(values.len())]
    }

    /// A UUID whose first 48 bits are the creation time, as the API makes them.
    pub(crate) fn uuid(&mut self, created_millis: i64) -> Uuid {
        let millis = u64::try_from(created_millis).unwrap_or(0) & 0xffff_ffff_ffff;
        let high = (millis << 16) | 0x4000 | (self.next() & 0x0fff);
        let low = (self.next() >> 2) | 0x8000_0000_0000_0000;
        Uuid::from_u64_pair(high, low)
    }

    /// This many random hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&hex::encode(self.next().to_be_bytes()));
        }
        text.truncate(digits);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_the_time_it_was_made() {
        let id = Rng::of(&[1]).uuid(0x019d_6686_ea51).to_string();
        assert_eq!(&id[..15], "019d6686-ea51-4");
        assert_eq!(id.len(), 36);
    }

    #[test]
    fn the_same_parts_give_the_same_numbers() {
        assert_eq!(Rng::of(&[1, 2]).next(), Rng::of(&[1, 2]).next());
        assert_ne!(Rng::of(&[1, 2]).next(), Rng::of(&[2, 1]).next());
    }
}
