//! Deadlines of one lock group: a hierarchical wheel whose lists run through the records themselves.

use crate::slab::{NONE, Slab};

/// Milliseconds of one tick; deadlines are rounded up to whole ticks.
pub(crate) const TICK_MILLISECONDS: u64 = 100;
/// Slots of one level; one machine word marks the used ones.
const SLOTS: usize = 64;
/// Six levels of six bits cover every 32-bit tick (13 years).
const LEVELS: usize = 6;

/// Place of a record in the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    next: u32,
    previous: u32,
    /// The tick at which the record is due; `NONE` when not armed.
    tick: u32,
}

impl Link {
    pub(crate) const UNARMED: Link = Link { next: NONE, previous: NONE, tick: NONE };

    pub(crate) fn is_armed(self) -> bool {
        self.tick != NONE
    }
}

struct Level {
    used: u64,
    heads: [u32; SLOTS],
}

/// The wheel; ticks count from the engine's start.
pub(crate) struct Wheel {
    elapsed: u32,
    levels: [Level; LEVELS],
}

/// The first slot that needs attention.
struct Slot {
    level: usize,
    slot: usize,
    start: u32,
}

impl Wheel {
    pub(crate) fn new() -> Wheel {
        Wheel { elapsed: 0, levels: std::array::from_fn(|_| Level { used: 0, heads: [NONE; SLOTS] }) }
    }

    /// Arms or moves the record's deadline at the present tick `now`. A tick in the past is due at once.
    pub(crate) fn arm(&mut self, records: &mut Slab, index: u32, tick: u32, now: u32) {
        self.disarm(records, index);
        // A wheel that slept would tell the new deadline as the beginning of a slot long past.
        if self.first().is_none_or(|first| first.start > now) {
            self.elapsed = self.elapsed.max(now);
        }
        self.insert(records, index, tick.clamp(self.elapsed, NONE - 1));
    }

    pub(crate) fn disarm(&mut self, records: &mut Slab, index: u32) {
        let Some(link) = records.get(index).map(|record| record.timer).filter(|link| link.is_armed()) else {
            return;
        };
        let (level, slot) = self.place(link.tick);
        if link.next == index {
            self.set_head(level, slot, NONE);
        } else {
            if let Some(next) = records.get_mut(link.next) {
                next.timer.previous = link.previous;
            }
            if let Some(previous) = records.get_mut(link.previous) {
                previous.timer.next = link.next;
            }
            if self.head(level, slot) == index {
                self.set_head(level, slot, link.next);
            }
        }
        if let Some(record) = records.get_mut(index) {
            record.timer = Link::UNARMED;
        }
    }

    /// Takes out one record whose tick is not after `now`; equal ticks come in the order of arming.
    pub(crate) fn pop_due(&mut self, records: &mut Slab, now: u32) -> Option<u32> {
        while let Some(first) = self.first() {
            if first.start > now {
                break;
            }
            self.elapsed = self.elapsed.max(first.start);
            let head = self.head(first.level, first.slot);
            if first.level == 0 {
                self.disarm(records, head);
                return Some(head);
            }
            self.cascade(records, first.level, first.slot);
        }
        self.elapsed = self.elapsed.max(now);
        None
    }

    /// A tick at or before which nothing is due; the wheel wants to be looked at then.
    pub(crate) fn next_tick(&self) -> Option<u32> {
        self.first().map(|slot| slot.start)
    }

    fn cascade(&mut self, records: &mut Slab, level: usize, slot: usize) {
        let head = self.head(level, slot);
        self.set_head(level, slot, NONE);
        let mut index = head;
        loop {
            let Some(link) = records.get(index).map(|record| record.timer) else {
                return;
            };
            self.insert(records, index, link.tick);
            if link.next == head || link.next == NONE {
                return;
            }
            index = link.next;
        }
    }

    fn insert(&mut self, records: &mut Slab, index: u32, tick: u32) {
        let (level, slot) = self.place(tick);
        let head = self.head(level, slot);
        let (next, previous) = match records.get(head).map(|record| record.timer.previous) {
            Some(last) => (head, last),
            None => (index, index),
        };
        if head != NONE {
            if let Some(record) = records.get_mut(head) {
                record.timer.previous = index;
            }
            if let Some(record) = records.get_mut(previous) {
                record.timer.next = index;
            }
        } else {
            self.set_head(level, slot, index);
        }
        if let Some(record) = records.get_mut(index) {
            record.timer = Link { next, previous, tick };
        }
    }

    /// Where a tick lives: the level of the highest bit in which it differs from the present.
    fn place(&self, tick: u32) -> (usize, usize) {
        let differing = (self.elapsed ^ tick) | (SLOTS as u32 - 1);
        let level = (31 - differing.leading_zeros()) as usize / 6;
        (level, (tick >> (6 * level)) as usize % SLOTS)
    }

    fn first(&self) -> Option<Slot> {
        self.levels.iter().enumerate().find(|(_, level)| level.used != 0).map(|(number, level)| {
            let shift = 6 * number as u32;
            let present = (self.elapsed >> shift) % SLOTS as u32;
            let ahead = level.used.rotate_right(present).trailing_zeros();
            let slot = (present + ahead) % SLOTS as u32;
            let base = self.elapsed.checked_shr(shift + 6).unwrap_or(0).checked_shl(shift + 6).unwrap_or(0);
            Slot { level: number, slot: slot as usize, start: base | (slot << shift) }
        })
    }

    fn head(&self, level: usize, slot: usize) -> u32 {
        self.levels.get(level).and_then(|level| level.heads.get(slot)).copied().unwrap_or(NONE)
    }

    fn set_head(&mut self, level: usize, slot: usize, index: u32) {
        let Some(level) = self.levels.get_mut(level) else {
            return;
        };
        if let Some(head) = level.heads.get_mut(slot) {
            *head = index;
        }
        if index == NONE {
            level.used &= !(1 << slot);
        } else {
            level.used |= 1 << slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use std::collections::BTreeMap;

    #[test]
    fn a_wheel_that_slept_tells_no_deadline_of_the_past() {
        let mut wheel = Wheel::new();
        let mut records = Slab::default();
        let index = records.insert(Record::empty()).unwrap();
        wheel.arm(&mut records, index, 47_000, 46_900);
        assert!(wheel.next_tick().is_some_and(|tick| (46_901..=47_000).contains(&tick)), "{:?}", wheel.next_tick());
    }

    #[test]
    fn a_random_schedule_fires_exactly_what_a_sorted_map_fires() {
        let mut wheel = Wheel::new();
        let mut records = Slab::default();
        let places: Vec<u32> = (0..200).filter_map(|_| records.insert(Record::empty())).collect();
        let mut model: BTreeMap<u32, u32> = BTreeMap::new();
        let (mut seed, mut now) = (0x9e37_79b9u64, 0u32);
        for _ in 0..40_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (seed >> 33) as u32;
            let index = places[random as usize % places.len()];
            match random % 8 {
                0..4 => {
                    let tick = now + (random >> 8) % [3, 70, 5_000, 400_000, 20_000_000][(random >> 4) as usize % 5];
                    wheel.arm(&mut records, index, tick, now);
                    model.insert(index, tick);
                }
                4 => {
                    wheel.disarm(&mut records, index);
                    model.remove(&index);
                }
                _ => {
                    now += (random >> 8) % [2, 50, 3_000, 200_000][(random >> 4) as usize % 4];
                    let mut fired = Vec::new();
                    while let Some(index) = wheel.pop_due(&mut records, now) {
                        fired.push(index);
                    }
                    let mut expected: Vec<u32> = model.iter().filter(|(_, tick)| **tick <= now).map(|(index, _)| *index).collect();
                    fired.sort_unstable();
                    expected.sort_unstable();
                    assert_eq!(fired, expected, "at tick {now}");
                    model.retain(|_, tick| *tick > now);
                    if let (Some(next), Some(first)) = (wheel.next_tick(), model.values().min()) {
                        assert!(next <= *first && next > now);
                    }
                    assert_eq!(wheel.next_tick().is_none(), model.is_empty());
                }
            }
        }
        assert!(now > 1_000_000 && records.len() == 200);
    }
}
