//! Chance that is the same in every run, and ids made from it.

/// A small random number generator (splitmix64): same parts, same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Dice of a place in the world, for example seed, build, job.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut dice = Self {
            state: 0x6a09_e667_f3bc_c908,
        };
        for part in parts {
            dice.state ^= part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            dice.next();
        }
        dice
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

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number of `from..=to`, skewed towards the low end as waiting times are.
    pub(crate) fn skewed(&mut self, from: i64, to: i64) -> i64 {
        let range = u64::try_from(to - from).unwrap_or(0) + 1;
        let (a, b) = (self.below(range), self.below(range));
        from + i64::try_from(a.min(b)).unwrap_or(0)
    }

    /// True this many times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the values.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, values: &[&'a T]) -> &'a T {
        let at = self.below(values.len() as u64);
        values[usize::try_from(at).unwrap_or(0)]
    }

    /// A UUID whose first 48 bits are the creation time, as the API makes them.
    pub(crate) fn uuid(&mut self, created_millis: i64) -> Uuid {
        let millis = u64::try_from(created_millis).unwrap_or(0) & 0xffff_ffff_ffff;
        let high = (millis << 16) | 0x4000 | (self.next() & 0x0fff);
        let low = (self.next() >> 2) | 0x8000_0000_0000_0000;
        Uuid { high, low }
    }

    /// So many random hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(digits);
        text
    }
}

/// A UUID as two numbers; written often, so written fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uuid {
    high: u64,
    low: u64,
}

impl Uuid {
    /// The 36 characters of the id.
    pub(crate) fn text(self) -> [u8; 36] {
        let mut out = [b'-'; 36];
        let bits = (u128::from(self.high) << 64) | u128::from(self.low);
        let mut digit = 32;
        for (at, place) in out.iter_mut().enumerate() {
            if ![8, 13, 18, 23].contains(&at) {
                digit -= 1;
                *place = HEX[(bits >> (4 * digit)) as usize & 15];
            }
        }
        out
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Writes the GraphQL id of an object: base64 of `<Type>---<uuid>`.
pub(crate) fn write_graphql_id(out: &mut Vec<u8>, kind: &str, id: &[u8]) {
    let mut text = [0_u8; 64];
    let parts = kind.bytes().chain(*b"---").chain(id.iter().copied());
    let mut length = 0;
    for (place, byte) in text.iter_mut().zip(parts) {
        *place = byte;
        length += 1;
    }
    write_base64(out, &text[..length]);
}

/// The GraphQL id of an object as a string.
pub(crate) fn graphql_id(kind: &str, id: &str) -> String {
    let mut out = Vec::new();
    write_graphql_id(&mut out, kind, id.as_bytes());
    String::from_utf8(out).expect("base64 is text")
}

/// Writes bytes as base64 with padding.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(BASE64[(bits >> (18 - 6 * place)) as usize & 63]);
            } else {
                out.push(b'=');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graphql_id_is_the_one_the_api_gives() {
        let id = "019d6686-ea51-4b9e-9e83-ac6dcb3ad203";
        let expected = "QnVpbGQtLS0wMTlkNjY4Ni1lYTUxLTRiOWUtOWU4My1hYzZkY2IzYWQyMDM=";
        assert_eq!(graphql_id("Build", id), expected);
    }

    #[test]
    fn an_id_begins_with_the_time_it_was_made() {
        let id = Dice::of(&[1]).uuid(0x019d_6686_ea51).to_string();
        assert_eq!(&id[..15], "019d6686-ea51-4");
        assert_eq!(id.len(), 36);
    }

    #[test]
    fn the_same_place_throws_the_same_numbers() {
        assert_eq!(Dice::of(&[1, 2]).next(), Dice::of(&[1, 2]).next());
        assert_ne!(Dice::of(&[1, 2]).next(), Dice::of(&[2, 1]).next());
    }
}
