//! Statements that wait for a session with one database, first come first served. Those that nobody waits for, whose ticket is
//! 0, are carried out one behind the other: a script may rely on their order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use modules::database::Work;

/// The queue of one database, shared by its sessions.
pub(super) struct Pool {
    queue: Mutex<Queue>,
    /// Something waits, or the pool is closed.
    bell: Condvar,
    /// Nothing waits and nobody works.
    rest: Condvar,
    /// Longest wait for a session.
    patience: Duration,
    waiting_max: usize,
    losses: AtomicU64,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    working: usize,
    /// One without a ticket is being carried out.
    is_in_order: bool,
    is_closed: bool,
}

impl Queue {
    /// The first that may be carried out now.
    fn take(&mut self) -> Option<Waiting> {
        let place = self.waiting.iter().position(|waiting| waiting.ticket != 0 || !self.is_in_order)?;
        self.waiting.remove(place)
    }
}

struct Waiting {
    ticket: u64,
    work: Work,
    /// None: however late.
    until: Option<Instant>,
}

impl Pool {
    pub fn new(patience: Duration, waiting_max: usize) -> Pool {
        Pool { queue: Mutex::default(), bell: Condvar::new(), rest: Condvar::new(), patience, waiting_max, losses: AtomicU64::new(0) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes work in, in order. Err: as much as may wait does so already.
    pub fn push(&self, ticket: u64, work: Work) -> Result<(), &'static str> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Err("the proxy stops");
        }
        if queue.waiting.len() >= self.waiting_max {
            return Err("too many statements wait for the database");
        }
        queue.waiting.push_back(Waiting { ticket, work, until: Some(Instant::now() + self.patience) });
        self.bell.notify_one();
        Ok(())
    }

    /// Takes in what a stop still wants: beyond the bound, and however late.
    pub fn push_last(&self, work: Work) {
        self.queue().waiting.push_back(Waiting { ticket: 0, work, until: None });
        self.bell.notify_one();
    }

    /// The next work of this session; waits for it. What waited too long is given to `late` instead. None: closed.
    pub fn next(&self, late: impl Fn(u64)) -> Option<(u64, Work)> {
        let mut queue = self.queue();
        loop {
            match queue.take() {
                Some(Waiting { ticket, work, until }) if until.is_none_or(|until| Instant::now() <= until) => {
                    queue.working += 1;
                    queue.is_in_order |= ticket == 0;
                    return Some((ticket, work));
                }
                Some(Waiting { ticket, .. }) => late(ticket),
                None => {
                    self.rest.notify_all();
                    if queue.is_closed && queue.waiting.is_empty() {
                        self.bell.notify_all();
                        return None;
                    }
                    queue = self.bell.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// The work given by [`Pool::next`] under this ticket is done.
    pub fn done(&self, ticket: u64) {
        let mut queue = self.queue();
        queue.working = queue.working.saturating_sub(1);
        if ticket == 0 {
            queue.is_in_order = false;
            // Others without a ticket were passed over meanwhile.
            self.bell.notify_one();
        }
        self.rest.notify_all();
    }

    /// Takes nothing in any more and waits until all is done, or `end`. How much is not.
    pub fn close(&self, end: Instant) -> usize {
        let mut queue = self.queue();
        queue.is_closed = true;
        self.bell.notify_all();
        while !queue.waiting.is_empty() || queue.working > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = self.rest.wait_timeout(queue, left).map_or_else(|poisoned| poisoned.into_inner().0, |(queue, _)| queue);
        }
        queue.waiting.len() + queue.working
    }

    /// A session lost its connection: the others look at theirs.
    pub fn lost(&self) {
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// How often connections were lost.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Acquire)
    }
}
