//! SipHash-2-4 with 64 and 128 bits of output: the keyed hash behind transaction keys and Via branches.

/// Key of the table: random per process, or a seed in the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretKey(pub u64, pub u64);

/// Streaming SipHash-2-4 (Aumasson and Bernstein, 2012). Fields are separated by their length, so that moving a byte
/// from one field to the next changes the hash.
pub(crate) struct SipHasher {
    state: [u64; 4],
    pending: u64,
    pending_bytes: u32,
    length: u64,
    wide: bool,
}

impl SipHasher {
    pub(crate) fn new(key: SecretKey) -> SipHasher {
        SipHasher {
            state: [
                key.0 ^ 0x736f_6d65_7073_6575,
                key.1 ^ 0x646f_7261_6e64_6f6d,
                key.0 ^ 0x6c79_6765_6e65_7261,
                key.1 ^ 0x7465_6462_7974_6573,
            ],
            pending: 0,
            pending_bytes: 0,
            length: 0,
            wide: false,
        }
    }

    pub(crate) fn new_wide(key: SecretKey) -> SipHasher {
        let mut hasher = SipHasher::new(key);
        hasher.wide = true;
        hasher.state[1] ^= 0xee;
        hasher
    }

    fn round(&mut self) {
        let [mut a, mut b, mut c, mut d] = self.state;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        self.state = [a, b, c, d];
    }

    fn absorb(&mut self, word: u64) {
        self.state[3] ^= word;
        self.round();
        self.round();
        self.state[0] ^= word;
    }

    /// Adds bytes without a separator.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            if let Ok(word) = <[u8; 8]>::try_from(word) {
                self.push(u64::from_le_bytes(word), 8);
            }
        }
        let rest = words.remainder();
        if rest.is_empty() {
            return;
        }
        let count = rest.len() as u32;
        let word = match bytes.last_chunk::<8>() {
            // The last eight bytes end with the rest: one load, and what was added already is shifted out.
            Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * count),
            None => rest.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte)),
        };
        self.push(word, count);
    }

    /// Adds the low `count` (at most 8) bytes of `word`; the others are zero.
    fn push(&mut self, word: u64, count: u32) {
        let shift = 8 * self.pending_bytes;
        self.pending |= word << shift;
        let total = self.pending_bytes + count;
        if total < 8 {
            self.pending_bytes = total;
            return;
        }
        self.absorb(self.pending);
        self.pending_bytes = total - 8;
        self.pending = if shift == 0 { 0 } else { word >> (64 - shift) };
    }

    /// Adds the `bytes` (at most 8) low bytes of a number, the lowest first.
    #[inline]
    pub(crate) fn number(&mut self, number: u64, bytes: u32) {
        self.length = self.length.wrapping_add(u64::from(bytes));
        self.push(number, bytes);
    }

    /// Adds one field: its length, then its bytes.
    pub(crate) fn field(&mut self, bytes: &[u8]) {
        self.number(u64::from(bytes.len() as u32), 4);
        self.write(bytes);
    }

    fn close(&mut self) {
        let last = self.pending | (self.length << 56);
        self.absorb(last);
        self.state[2] ^= if self.wide { 0xee } else { 0xff };
        for _ in 0..4 {
            self.round();
        }
    }

    fn folded(&self) -> u64 {
        self.state.iter().fold(0, |folded, word| folded ^ word)
    }

    pub(crate) fn finish(mut self) -> u64 {
        self.close();
        self.folded()
    }

    pub(crate) fn finish_wide(mut self) -> u128 {
        self.close();
        let low = self.folded();
        self.state[1] ^= 0xdd;
        for _ in 0..4 {
            self.round();
        }
        u128::from(low) | (u128::from(self.folded()) << 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: SecretKey = SecretKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);

    #[test]
    fn the_published_vectors_come_out() {
        let input: Vec<u8> = (0..15).collect();
        assert_eq!(SipHasher::new(REFERENCE).finish(), 0x726f_db47_dd0e_0e31);
        let mut hasher = SipHasher::new(REFERENCE);
        hasher.write(&input);
        assert_eq!(hasher.finish(), 0xa129_ca61_49be_45e5);
        let wide = SipHasher::new_wide(REFERENCE).finish_wide();
        assert_eq!(wide.to_le_bytes()[..8], [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6]);
        assert_eq!(wide.to_le_bytes()[8..], [0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93]);
    }

    #[test]
    fn cutting_the_input_differently_changes_nothing_but_fields_do() {
        let text = b"a84b4c76e66710@pc33.atlanta.example.com";
        let mut whole = SipHasher::new(REFERENCE);
        whole.write(text);
        let whole = whole.finish();
        for cut in 0..text.len() {
            let mut parts = SipHasher::new(REFERENCE);
            parts.write(&text[..cut]);
            parts.write(&text[cut..]);
            assert_eq!(parts.finish(), whole);
        }
        let fields = |a: &[u8], b: &[u8]| {
            let mut hasher = SipHasher::new(REFERENCE);
            hasher.field(a);
            hasher.field(b);
            hasher.finish()
        };
        assert_ne!(fields(b"ab", b"c"), fields(b"a", b"bc"));
    }
}
