//! A value that RPC may change while workers read it without a lock.

use std::ops::Deref;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most different values one setting can take during the life of the process. A value it had before is found again and takes
/// no new place, so switching to and fro is not bounded.
pub const VALUES_MAX: usize = 256;

/// The current value and all former ones: readers may still look at those, so none is ever dropped.
#[derive(Debug)]
pub struct Live<T> {
    first: T,
    others: Vec<OnceLock<T>>,
    /// 0: `first`, n: place n - 1 of `others`.
    current: AtomicUsize,
}

impl<T: PartialEq> Live<T> {
    /// A setting with its value at the start.
    pub fn new(first: T) -> Live<T> {
        let others = std::iter::repeat_with(OnceLock::new).take(VALUES_MAX).collect();
        Live { first, others, current: AtomicUsize::new(0) }
    }

    /// The value at the start, while nobody else reads it.
    pub fn begin(&mut self) -> &mut T {
        &mut self.first
    }

    /// Changes the value for all who read from now on; false when it has had too many values.
    pub fn set(&self, value: T) -> bool {
        if value == self.first {
            self.current.store(0, Ordering::Release);
            return true;
        }
        let mut value = value;
        for (index, place) in self.others.iter().enumerate() {
            if place.get() != Some(&value) {
                match place.set(value) {
                    Ok(()) => {}
                    Err(refused) => {
                        value = refused;
                        continue;
                    }
                }
            }
            self.current.store(index + 1, Ordering::Release);
            return true;
        }
        false
    }
}

impl<T: PartialEq + Default> Default for Live<T> {
    fn default() -> Live<T> {
        Live::new(T::default())
    }
}

impl<T> Deref for Live<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let current = self.current.load(Ordering::Acquire);
        current.checked_sub(1).and_then(|index| self.others.get(index)).and_then(OnceLock::get).unwrap_or(&self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_the_last_value() {
        let live = Live::new("first".to_owned());
        let before: &String = &live;
        assert!(live.set("second".to_owned()));
        assert_eq!((before.as_str(), live.as_str()), ("first", "second"));
        assert!(live.set("first".to_owned()));
        assert_eq!(live.as_str(), "first");
    }

    #[test]
    fn former_values_take_no_new_place_and_new_ones_are_bounded() {
        let live = Live::new(0);
        for round in 0..10 * VALUES_MAX {
            assert!(live.set(round % 5));
        }
        let changes = (100..1000).filter(|value| live.set(*value)).count();
        assert_eq!(changes, VALUES_MAX - 4);
        assert!(live.set(3));
        assert_eq!(*live, 3);
    }
}
