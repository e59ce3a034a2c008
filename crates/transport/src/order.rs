//! Keeps the messages of a call in order while several workers take batches at the same time.
//!
//! Workers take batches of a socket one after the other, and draw a number for the call of each datagram before the next batch is
//! taken. A message is handled when everything drawn before it for its call has been handled and sent, so that a 200 never overtakes the 180 in
//! front of it. A worker handles what it may first, and what has to wait last; by then the wait is usually over. Batches
//! wait for earlier batches only, so that no two wait for each other.
//!
//! Calls share places by their hash: a message may wait for one of another call, never too little.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::limits::{ORDER_PLACES, ORDER_WAIT_MAX};

/// Numbers drawn and handled for the calls of one place.
#[derive(Debug, Default)]
struct Place {
    drawn: AtomicU32,
    done: AtomicU32,
}

/// One datagram's turn: its place, and the number up to which earlier batches must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    place: usize,
    after: u32,
}

/// What the workers of a crew share.
#[derive(Debug)]
pub struct Order {
    /// One for each socket.
    receiving: Box<[Mutex<()>]>,
    /// Batches draw whole, so that of two one is the earlier one for all their calls.
    drawing: Mutex<()>,
    places: Box<[Place]>,
}

impl Order {
    /// The order of what comes on so many sockets.
    pub fn new(sockets: usize) -> Order {
        Order {
            receiving: (0..sockets).map(|_| Mutex::default()).collect(),
            drawing: Mutex::default(),
            places: (0..ORDER_PLACES).map(|_| Place::default()).collect(),
        }
    }

    /// Held while a batch of a socket is received and its numbers are drawn.
    pub fn receiving(&self, socket: usize) -> Option<MutexGuard<'_, ()>> {
        self.receiving.get(socket).map(lock)
    }

    /// Draws a number for each call of a batch.
    pub fn draw(&self, calls: impl Iterator<Item = u32>, turns: &mut Vec<Turn>) {
        turns.clear();
        turns.extend(calls.map(|call| Turn { place: call as usize % self.places.len(), after: 0 }));
        let _drawing = lock(&self.drawing);
        for at in 0..turns.len() {
            let place = turns[at].place;
            let drawn = self.places[place].drawn.fetch_add(1, Ordering::Relaxed);
            // Of the same batch: that one comes first anyway, its worker sees to it.
            turns[at].after = turns[..at].iter().find(|turn| turn.place == place).map_or(drawn, |earlier| earlier.after);
        }
    }

    /// May this be handled now, when those of the same batch were put off? In front of its own call nothing may be left.
    pub fn may_go_on(&self, turn: Turn, mut put_off: impl Iterator<Item = Turn>) -> bool {
        self.has_come(turn) && put_off.all(|earlier| earlier.place != turn.place)
    }

    /// Is everything done that was drawn before this turn's batch?
    fn has_come(&self, turn: Turn) -> bool {
        let done = self.places[turn.place].done.load(Ordering::Acquire);
        done.wrapping_sub(turn.after) as i32 >= 0
    }

    /// Waits for the turn; false: not longer than [`ORDER_WAIT_MAX`], the worker in front is stuck and order counts for less.
    pub fn wait(&self, turn: Turn) -> bool {
        let begun = Instant::now();
        while !self.has_come(turn) {
            if begun.elapsed() > ORDER_WAIT_MAX {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    /// The batch was handled and what it made was sent.
    pub fn done(&self, batch: &[Turn]) {
        for turn in batch {
            self.places[turn.place].done.fetch_add(1, Ordering::Release);
        }
    }
}

fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(order: &Order, calls: &[u32]) -> Vec<Turn> {
        let mut turns = Vec::new();
        order.draw(calls.iter().copied(), &mut turns);
        turns
    }

    #[test]
    fn a_batch_waits_for_earlier_batches_of_its_calls_and_not_for_itself() {
        let order = Order::new(1);
        let (first, second) = (drawn(&order, &[7]), drawn(&order, &[7, 7, 8]));
        assert!(order.has_come(first[0]));
        assert!(!order.has_come(second[0]) && !order.has_come(second[1]));
        assert!(order.has_come(second[2]), "another call");
        order.done(&first);
        assert!(order.has_come(second[0]) && order.has_come(second[1]));
        order.done(&second);
        assert!(order.has_come(drawn(&order, &[7])[0]));
    }

    #[test]
    fn what_was_put_off_stays_in_front_of_its_call() {
        let order = Order::new(1);
        let (first, second) = (drawn(&order, &[7]), drawn(&order, &[7]));
        order.done(&first);
        assert!(order.may_go_on(second[0], [].into_iter()));
        assert!(!order.may_go_on(second[0], [second[0]].into_iter()), "its turn came after the look at the one in front");
    }

    #[test]
    fn numbers_may_run_over() {
        let order = Order::new(1);
        let place = &order.places[3];
        place.drawn.store(u32::MAX, Ordering::Relaxed);
        place.done.store(u32::MAX, Ordering::Relaxed);
        let (first, second) = (drawn(&order, &[3]), drawn(&order, &[3]));
        assert!(order.has_come(first[0]) && !order.has_come(second[0]));
        order.done(&first);
        assert!(order.has_come(second[0]));
    }

    #[test]
    fn the_wait_for_a_stuck_worker_ends() {
        let order = Order::new(1);
        let (_stuck, late) = (drawn(&order, &[1]), drawn(&order, &[1]));
        assert!(!order.wait(late[0]));
    }
}
