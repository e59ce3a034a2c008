//! A small seeded source of random numbers, so that a run can be repeated.

use std::ops::Range;
use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// In `[0, 1)`.
    pub fn part(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True in this share of the cases.
    pub fn happens(&mut self, share: f64) -> bool {
        self.part() < share
    }

    /// Somewhere in the range; its start when it is empty.
    pub fn within(&mut self, range: &Range<Duration>) -> Duration {
        let (part, width) = (self.part(), range.end.saturating_sub(range.start));
        if width.is_zero() { range.start } else { range.start + width.mul_f64(part) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_and_they_stay_in_their_range() {
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        let range = Duration::from_millis(200)..Duration::from_millis(1_500);
        for _ in 0..1_000 {
            let time = one.within(&range);
            assert_eq!(time, two.within(&range));
            assert!(range.contains(&time));
        }
        assert_ne!(Random::new(7).bits(), Random::new(8).bits());
    }
}
