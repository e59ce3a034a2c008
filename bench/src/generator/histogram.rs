//! Times in buckets that grow with them: constant memory, each quantile within 2 %.

/// Buckets of one doubling.
const STEPS: u64 = 64;
/// Values below are counted exactly.
const EXACT: u64 = STEPS;
/// Enough for an hour in microseconds.
const BUCKETS: usize = (EXACT + STEPS * 27) as usize;

/// How often which time was seen; microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; BUCKETS], total: 0, longest: 0 }
    }
}

/// The bucket of a value.
fn bucket(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let doublings = u64::from(value.ilog2() - EXACT.ilog2());
    let step = (value >> doublings) - STEPS;
    ((EXACT + doublings * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The highest value of a bucket.
fn highest(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let (doublings, step) = ((bucket - EXACT) / STEPS, (bucket - EXACT) % STEPS);
    ((STEPS + step + 1) << doublings) - 1
}

impl Histogram {
    /// Counts one time.
    pub fn add(&mut self, microseconds: u64) {
        if let Some(count) = self.counts.get_mut(bucket(microseconds)) {
            *count += 1;
        }
        self.total += 1;
        self.longest = self.longest.max(microseconds);
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The longest, milliseconds.
    pub fn longest_milliseconds(&self) -> f64 {
        self.longest as f64 / 1_000.0
    }

    /// What this part of the times did not exceed, milliseconds.
    pub fn milliseconds(&self, part: f64) -> f64 {
        let wanted = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (place, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return highest(place).min(self.longest) as f64 / 1_000.0;
            }
        }
        self.longest_milliseconds()
    }

    /// How many took longer, to a bucket's width.
    pub fn longer_than(&self, microseconds: u64) -> u64 {
        self.counts.iter().skip(bucket(microseconds) + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_the_bucket_whose_bounds_hold_it() {
        for value in (0..100_000).chain([1 << 20, (1 << 30) + 12_345, 3_600_000_000]) {
            let own = bucket(value);
            assert!(highest(own) >= value, "{value}");
            assert!(own == 0 || highest(own - 1) < value, "{value}");
            assert!((highest(own) - value) as f64 <= value as f64 * 0.02, "{value}");
        }
    }

    #[test]
    fn quantiles_and_shares_are_those_of_the_values() {
        let mut times = Histogram::default();
        for value in 1..=1_000_u64 {
            times.add(value * 100);
        }
        assert!((times.milliseconds(0.5) - 50.0).abs() < 1.0);
        assert!((times.milliseconds(0.99) - 99.0).abs() < 2.0);
        assert_eq!((times.milliseconds(1.0), times.total()), (100.0, 1_000));
        assert!(times.longer_than(50_000).abs_diff(500) < 10);
        assert_eq!(Histogram::default().milliseconds(0.5), 0.0);
    }
}
