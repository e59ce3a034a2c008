//! A hierarchical timing wheel of millisecond ticks: one timer per transaction slot, armed and cancelled in O(1).

const LEVELS: usize = 6;
const SLOTS: usize = 64;
const SLOT_BITS: u32 = 6;
/// Lists 0..384 are wheel slots, this one holds what is already due.
const READY: u16 = (LEVELS * SLOTS) as u16;
const UNARMED: u16 = u16::MAX;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Node {
    deadline: u64,
    previous: u32,
    next: u32,
    list: u16,
}

/// The wheel. Timers are named by a small index (the slot of a transaction); arming again moves the timer.
pub struct Wheel {
    elapsed: u64,
    occupied: [u64; LEVELS],
    heads: Vec<u32>,
    nodes: Vec<Node>,
    armed: usize,
}

impl Wheel {
    /// An empty wheel whose clock stands at `now` milliseconds.
    pub fn new(now: u64) -> Wheel {
        Wheel { elapsed: now, occupied: [0; LEVELS], heads: vec![NONE; LEVELS * SLOTS + 1], nodes: Vec::new(), armed: 0 }
    }

    /// Number of armed timers.
    pub fn len(&self) -> usize {
        self.armed
    }

    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// The deadline a timer is armed for.
    pub fn deadline(&self, index: u32) -> Option<u64> {
        let node = self.nodes.get(index as usize)?;
        (node.list != UNARMED).then_some(node.deadline)
    }

    /// Arms or moves a timer. A deadline in the past fires with the next `advance`.
    pub fn arm(&mut self, index: u32, deadline: u64) {
        if index == NONE {
            return;
        }
        if self.nodes.len() <= index as usize {
            let unarmed = Node { deadline: 0, previous: NONE, next: NONE, list: UNARMED };
            self.nodes.resize(index as usize + 1, unarmed);
        }
        self.cancel(index);
        self.link(index, deadline);
        self.armed += 1;
    }

    /// Cancels a timer; one that is not armed is left alone.
    pub fn cancel(&mut self, index: u32) {
        if self.unlink(index) {
            self.armed -= 1;
        }
    }

    /// Moves the clock to `now` and appends the timers that are due, at most until `due` holds `due_max` of them.
    /// The rest stays ready for the next call. Nothing is appended twice.
    pub fn advance(&mut self, now: u64, due: &mut Vec<u32>, due_max: usize) {
        while let Some((list, start)) = self.next_list() {
            if start > now {
                break;
            }
            self.elapsed = self.elapsed.max(start);
            self.redistribute(list);
        }
        self.elapsed = self.elapsed.max(now);
        while due.len() < due_max {
            let index = self.head(READY);
            if index == NONE {
                return;
            }
            self.cancel(index);
            due.push(index);
        }
    }

    /// A moment not later than the earliest deadline, or `None` when nothing is armed. Exact within the next 64 ms.
    pub fn next_deadline(&self) -> Option<u64> {
        if self.head(READY) != NONE {
            return Some(self.elapsed);
        }
        self.next_list().map(|(_, start)| start)
    }

    fn head(&self, list: u16) -> u32 {
        self.heads.get(usize::from(list)).copied().unwrap_or(NONE)
    }

    fn list_for(&self, deadline: u64) -> u16 {
        if deadline <= self.elapsed {
            return READY;
        }
        let distance = ((self.elapsed ^ deadline) | (SLOTS as u64 - 1)).min((1 << (SLOT_BITS * LEVELS as u32)) - 1);
        let level = (63 - distance.leading_zeros()) / SLOT_BITS;
        let slot = (deadline >> (level * SLOT_BITS)) as usize & (SLOTS - 1);
        (level as usize * SLOTS + slot) as u16
    }

    fn link(&mut self, index: u32, deadline: u64) {
        let list = self.list_for(deadline);
        let Some(head) = self.heads.get_mut(usize::from(list)) else {
            return;
        };
        let next = std::mem::replace(head, index);
        if let Some(node) = self.nodes.get_mut(next as usize) {
            node.previous = index;
        }
        if let Some(node) = self.nodes.get_mut(index as usize) {
            *node = Node { deadline, previous: NONE, next, list };
        }
        let (level, slot) = (usize::from(list) / SLOTS, usize::from(list) % SLOTS);
        if let Some(occupied) = self.occupied.get_mut(level) {
            *occupied |= 1 << slot;
        }
    }

    fn unlink(&mut self, index: u32) -> bool {
        let Some(node) = self.nodes.get_mut(index as usize) else {
            return false;
        };
        let Node { previous, next, list, .. } = *node;
        if list == UNARMED {
            return false;
        }
        node.list = UNARMED;
        if let Some(node) = self.nodes.get_mut(next as usize) {
            node.previous = previous;
        }
        if let Some(node) = self.nodes.get_mut(previous as usize) {
            node.next = next;
        } else if let Some(head) = self.heads.get_mut(usize::from(list)) {
            *head = next;
            let (level, slot) = (usize::from(list) / SLOTS, usize::from(list) % SLOTS);
            if let (NONE, Some(occupied)) = (next, self.occupied.get_mut(level)) {
                *occupied &= !(1 << slot);
            }
        }
        true
    }

    /// The next occupied list and the moment its slot begins. A lower level always comes first.
    fn next_list(&self) -> Option<(u16, u64)> {
        for (level, &occupied) in self.occupied.iter().enumerate() {
            if occupied == 0 {
                continue;
            }
            let shift = level as u32 * SLOT_BITS;
            // The current slot comes last: what is in it, on the top level, belongs to the next turn.
            let after = ((self.elapsed >> shift) as u32 & (SLOTS as u32 - 1)) + 1;
            let slot = (occupied.rotate_right(after).trailing_zeros() + after) % SLOTS as u32;
            let turn = (SLOTS as u64) << shift;
            let mut start = (self.elapsed & !(turn - 1)) + (u64::from(slot) << shift);
            if start <= self.elapsed {
                start += turn;
            }
            return Some(((level * SLOTS) as u16 + slot as u16, start));
        }
        None
    }

    /// Moves every timer of a list to where it belongs now: a lower level or the ready list.
    fn redistribute(&mut self, list: u16) {
        let mut index = self.head(list);
        while let Some(&Node { deadline, next, .. }) = self.nodes.get(index as usize) {
            self.unlink(index);
            self.link(index, deadline);
            index = next;
        }
    }
}

#[cfg(test)]
mod tests;
