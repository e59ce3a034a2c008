//! The search for the highest rate that a program carries without loss.

/// Rates are told apart when they differ by more than this factor.
pub const STEP: f64 = 1.1;
/// The next rate while nothing was lost yet: two halvings of the distance lead to one step.
const GROWTH: f64 = 1.44;
/// Calls a second, what no search goes beyond.
const LOWEST: f64 = 10.0;
const HIGHEST: f64 = 60_000.0;
/// Tries of one search.
const TRIES_MAX: usize = 24;

/// A search between a rate without and one with losses.
#[derive(Clone, Debug)]
pub struct Search {
    next: f64,
    tries: usize,
    /// The highest rate without and the lowest with losses.
    pub good: Option<f64>,
    bad: Option<f64>,
}

impl Search {
    /// Begins with this rate.
    pub fn from(rate: f64) -> Search {
        Search { next: rate, tries: 0, good: None, bad: None }
    }

    /// The rate to be tried; None: the search is over.
    pub fn rate(&self) -> Option<f64> {
        let is_narrow = self.good.zip(self.bad).is_some_and(|(good, bad)| bad / good <= STEP);
        let is_open = self.tries < TRIES_MAX && (LOWEST..=HIGHEST).contains(&self.next);
        (is_open && !is_narrow).then_some(self.next)
    }

    /// What the try came to.
    pub fn note(&mut self, is_loss_free: bool) {
        self.tries += 1;
        if is_loss_free {
            self.good = Some(self.next);
        } else {
            self.bad = Some(self.next);
        }
        self.next = match (self.good, self.bad) {
            (Some(good), Some(bad)) => (good * bad).sqrt(),
            (Some(good), None) => good * GROWTH,
            (None, bad) => bad.unwrap_or(self.next) / GROWTH,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best rate that a search finds when this is the capacity.
    fn found(first: f64, capacity: f64) -> Option<f64> {
        let mut search = Search::from(first);
        while let Some(rate) = search.rate() {
            search.note(rate <= capacity);
        }
        search.good
    }

    #[test]
    fn a_search_comes_within_a_step_of_the_capacity_from_wherever_it_begins() {
        for capacity in [60.0, 333.0, 1_000.0, 1_735.0, 7_900.0, 40_000.0] {
            for first in [100.0, 1_000.0, capacity / 1.2, capacity * 1.3] {
                let best = found(first, capacity).unwrap_or(0.0);
                assert!(best <= capacity && best * STEP >= capacity, "{best} for {capacity} from {first}");
            }
        }
    }

    #[test]
    fn a_search_ends_where_nothing_or_everything_is_lost() {
        assert_eq!(found(1_000.0, 0.0), None);
        assert!(found(1_000.0, f64::MAX).is_some_and(|rate| rate <= HIGHEST));
    }
}
