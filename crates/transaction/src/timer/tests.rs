//! The wheel against a sorted model.

use super::*;
use std::collections::BTreeMap;

struct Generator(u64);

impl Generator {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

#[test]
fn random_arming_cancelling_and_advancing_agrees_with_a_map() {
    for seed in 1..40u64 {
        let mut random = Generator(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut now = random.next(1 << 40);
        let mut wheel = Wheel::new(now);
        let mut model: BTreeMap<u32, u64> = BTreeMap::new();
        for _ in 0..3_000 {
            let index = random.next(200) as u32;
            match random.next(10) {
                0..=4 => {
                    let shift = random.next(38);
                    let deadline = (now + random.next(1 << shift)).saturating_sub(random.next(3));
                    wheel.arm(index, deadline);
                    model.insert(index, deadline);
                }
                5 => {
                    wheel.cancel(index);
                    model.remove(&index);
                }
                step => {
                    let shift = if step == 9 { random.next(37) } else { random.next(10) };
                    now += random.next(1 << shift);
                    let mut due = Vec::new();
                    wheel.advance(now, &mut due, usize::MAX);
                    due.sort_unstable();
                    let expected: Vec<u32> = model.iter().filter(|&(_, &deadline)| deadline <= now).map(|(&index, _)| index).collect();
                    assert_eq!(due, expected, "seed {seed} at {now}");
                    model.retain(|_, deadline| *deadline > now);
                }
            }
            assert_eq!(wheel.len(), model.len());
            assert_eq!(wheel.deadline(index), model.get(&index).copied());
            match (wheel.next_deadline(), model.values().min()) {
                (Some(bound), Some(&earliest)) => {
                    assert!(bound <= earliest.max(now), "{bound} {earliest}")
                }
                (bound, earliest) => assert_eq!(bound.is_some(), earliest.is_some()),
            }
        }
    }
}

#[test]
fn a_full_batch_leaves_the_rest_for_the_next_call() {
    let mut wheel = Wheel::new(0);
    for index in 0..10 {
        wheel.arm(index, 5);
    }
    let mut due = Vec::new();
    wheel.advance(4, &mut due, 4);
    assert!(due.is_empty());
    wheel.advance(5, &mut due, 4);
    assert_eq!(due.len(), 4);
    assert_eq!(wheel.next_deadline(), Some(5));
    let left = (0..10).find(|index| !due.contains(index)).unwrap_or_default();
    wheel.cancel(left);
    wheel.advance(5, &mut due, 100);
    due.sort_unstable();
    assert_eq!(due, (0..10).filter(|&index| index != left).collect::<Vec<_>>());
    assert!(wheel.is_empty());
}

#[test]
fn waiting_for_the_bound_of_the_next_deadline_always_makes_progress() {
    let mut wheel = Wheel::new(7);
    wheel.arm(3, 7 + 180_000);
    let mut steps = 0;
    let mut due = Vec::new();
    while due.is_empty() {
        let bound = wheel.next_deadline().unwrap_or_default();
        wheel.advance(bound, &mut due, 1);
        steps += 1;
        assert!(steps <= LEVELS as u32, "one step per level at most");
    }
    assert_eq!(due, [3]);
}
