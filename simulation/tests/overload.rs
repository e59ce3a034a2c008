//! A worker, its receive queue and its control of overload in virtual time: too many calls, and a processor that others use too.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use modules::core::overload::{Backlog, Levels};
use modules::worker::Random;
use sip::time::Time;

/// Bytes of the queue and of one datagram in it, as the kernel counts them; datagrams the worker takes at once.
const QUEUE_BYTES: usize = 8 << 20;
const DATAGRAM_BYTES: usize = 2_300;
const BATCH: usize = 64;
/// A worker that has nothing to do looks again so much later, microseconds.
const NAP: u64 = 500;
/// What the worker spends on a datagram, nanoseconds: a whole call 50 700 and a refused one with its ACK 3 900, as one run of
/// `bench overload` gave by arithmetic. So the share of calls completed here follows from these prices and proves nothing of the
/// machine's; what is tested is that the control comes near to what they allow, and what it loses and refuses.
const INVITE: u64 = 18_700;
const WITHIN: u64 = 6_400;
const REFUSAL: u64 = 2_900;
const ACK_OF_REFUSAL: u64 = 1_000;
/// Datagrams of a call after its INVITE (180, 200, ACK, BYE, 200), and microseconds until the next one comes.
const FOLLOWING: u8 = 5;
const LATER: u64 = 400;
/// Calls a second that a worker completes which has its processor for itself.
const CAPACITY: u64 = 1_000_000_000 / (INVITE + FOLLOWING as u64 * WITHIN);
const SECOND: u64 = 1_000_000;

/// A datagram: how many of its call follow it, or the ACK of a refusal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Datagram {
    Call { following: u8 },
    AckOfRefusal,
}

/// What came of the calls.
#[derive(Default, Debug)]
struct Count {
    begun: u64,
    completed: u64,
    refused: u64,
    lost: u64,
}

/// When others have the processor: for so long after so much of our own work, microseconds; each time drawn between the two.
struct Others {
    run: (u64, u64),
    between: (u64, u64),
}

struct World {
    /// Nanoseconds.
    now: u64,
    coming: BinaryHeap<Reverse<(u64, Datagram)>>,
    queue: VecDeque<Datagram>,
    backlog: Backlog,
    random: Random,
    others: Option<Others>,
    /// When they take the processor next, nanoseconds.
    next_break: u64,
    /// When the next call begins, nanoseconds.
    next_call: u64,
    count: Count,
}

impl World {
    fn new(seed: u64, others: Option<Others>) -> World {
        let mut backlog = Backlog::default();
        backlog.levels = Levels::of(QUEUE_BYTES);
        World {
            now: 0,
            coming: BinaryHeap::new(),
            queue: VecDeque::new(),
            backlog,
            random: Random::new(seed),
            others,
            next_break: 0,
            next_call: 0,
            count: Count::default(),
        }
    }

    fn drawn(&mut self, (from, to): (u64, u64)) -> u64 {
        (from + self.random.next_u64() % (to - from + 1)) * 1_000
    }

    /// Time goes on, and others may take some more of it.
    fn spend(&mut self, nanoseconds: u64) {
        self.now += nanoseconds;
        while let Some(Others { run, between }) = self.others.as_ref().filter(|_| self.next_break <= self.now) {
            let (run, between) = (*run, *between);
            self.now += self.drawn(run);
            self.next_break = self.now + self.drawn(between);
        }
    }

    /// What has come meanwhile stands in the queue, or is lost.
    fn arrive(&mut self, calls_a_second: u64) {
        while self.next_call <= self.now {
            self.coming.push(Reverse((self.next_call, Datagram::Call { following: FOLLOWING })));
            self.count.begun += 1;
            let mean = 1_000_000_000 / calls_a_second;
            self.next_call += mean / 2 + self.random.next_u64() % mean;
        }
        while let Some(Reverse((_, datagram))) = self.coming.peek().copied().filter(|Reverse((at, _))| *at <= self.now) {
            self.coming.pop();
            if self.queue.len() < QUEUE_BYTES / DATAGRAM_BYTES {
                self.queue.push_back(datagram);
            } else {
                self.count.lost += 1;
            }
        }
    }

    fn follow(&mut self, datagram: Datagram) {
        self.coming.push(Reverse((self.now + LATER * 1_000, datagram)));
    }

    fn handle(&mut self, datagram: Datagram) {
        match datagram {
            Datagram::AckOfRefusal => self.spend(ACK_OF_REFUSAL),
            Datagram::Call { following: FOLLOWING } => {
                let share = self.backlog.share();
                if share > 0 && self.backlog.refuses_next(share) {
                    self.count.refused += 1;
                    self.spend(REFUSAL);
                    self.follow(Datagram::AckOfRefusal);
                } else {
                    self.spend(INVITE);
                    self.follow(Datagram::Call { following: FOLLOWING - 1 });
                }
            }
            Datagram::Call { following } => {
                self.spend(WITHIN);
                match following.checked_sub(1) {
                    Some(following) => self.follow(Datagram::Call { following }),
                    None => self.count.completed += 1,
                }
            }
        }
    }

    /// That load for so many microseconds.
    fn run(&mut self, calls_a_second: u64, microseconds: u64) -> Count {
        let end = self.now + microseconds * 1_000;
        self.count = Count::default();
        self.next_call = self.next_call.max(self.now);
        while self.now < end {
            self.arrive(calls_a_second);
            let batch = self.queue.len().min(BATCH);
            let behind = if batch == BATCH { (self.queue.len() - batch) * DATAGRAM_BYTES * 100 / QUEUE_BYTES } else { 0 };
            self.backlog.told(Time(self.now / 1_000_000), behind as u8);
            let taken: Vec<Datagram> = self.queue.drain(..batch).collect();
            taken.into_iter().for_each(|datagram| self.handle(datagram));
            if batch < BATCH {
                self.spend(NAP * 1_000);
            }
        }
        std::mem::take(&mut self.count)
    }
}

#[test]
fn three_times_the_capacity_leaves_four_fifths_of_it_and_loses_nothing() {
    for seed in 0..10 {
        let mut world = World::new(seed, None);
        let before = world.run(CAPACITY * 9 / 10, SECOND);
        assert_eq!((before.refused, before.lost), (0, 0), "seed {seed}: {before:?}");
        let overload = world.run(3 * CAPACITY, 10 * SECOND);
        assert!(overload.completed >= CAPACITY * 10 * 8 / 10, "seed {seed}: {overload:?} of {CAPACITY} a second");
        assert_eq!(overload.lost, 0, "seed {seed}: {overload:?}");
        assert!(overload.begun > 29 * CAPACITY && overload.refused > overload.completed, "seed {seed}: {overload:?}");
        // What still stands in the queue is gone half a second later.
        world.run(CAPACITY / 2, SECOND / 2);
        let after = world.run(CAPACITY / 2, 5 * SECOND);
        assert_eq!((after.refused, after.lost), (0, 0), "seed {seed}: {after:?}");
    }
}

#[test]
fn a_processor_that_others_use_for_moments_refuses_nobody() {
    for seed in 0..20 {
        // A fifth of it, up to 40 ms in one piece, at half of the capacity.
        let mut world = World::new(seed, Some(Others { run: (1_000, 40_000), between: (40_000, 160_000) }));
        let count = world.run(CAPACITY / 2, 20 * SECOND);
        assert_eq!((count.refused, count.lost), (0, 0), "seed {seed}: {count:?}");
        assert!(count.completed + CAPACITY / 10 > count.begun, "seed {seed}: {count:?}");
    }
}

#[test]
fn a_processor_of_which_too_little_is_left_is_an_overload_like_any_other() {
    for seed in 0..10 {
        // Others have it for 3 of every 5 ms; three quarters of the calls that it would carry alone come.
        let mut world = World::new(seed, Some(Others { run: (2_000, 4_000), between: (1_000, 3_000) }));
        let count = world.run(CAPACITY * 3 / 4, 10 * SECOND);
        assert_eq!(count.lost, 0, "seed {seed}: {count:?}");
        assert!(count.refused > 0 && count.completed >= CAPACITY * 10 * 2 / 5 * 8 / 10, "seed {seed}: {count:?}");
    }
}

#[test]
fn a_processor_that_is_gone_for_long_again_and_again_is_one_too() {
    for seed in 0..10 {
        // Each time for longer than what counts as an interruption, so that no look is worth anything for itself.
        let mut world = World::new(seed, Some(Others { run: (21_000, 30_000), between: (10_000, 15_000) }));
        let count = world.run(CAPACITY / 2, 10 * SECOND);
        assert!(count.refused > 0, "seed {seed}: {count:?}");
        assert!(count.lost * 50 < count.begun, "seed {seed}: {count:?}");
    }
}
