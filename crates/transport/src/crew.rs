//! What the UDP workers of one proxy share: sockets, the leader's progress, the call for help, the order to stop.
//!
//! One worker leads: it alone waits on the sockets, so an idle or moderately loaded system keeps one thread hot and
//! batches grow. The others sleep until the leader finds its batch full, then take batches of their own until nothing
//! waits. One of the sleepers is deputy: it looks now and then whether the leader is stuck in one batch and leads
//! meanwhile, so that one slow message cannot silence the proxy.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::limits::WATCH_PERIOD;
use crate::order::Order;
use crate::waker::Waker;

/// Counters of all UDP workers, since start.
#[derive(Debug, Default)]
pub struct UdpCounters {
    /// Datagrams received.
    pub received: AtomicU64,
    /// Datagrams sent.
    pub sent: AtomicU64,
    /// Datagrams the kernel refused.
    pub send_failures: AtomicU64,
    /// Datagrams of peers that were cut off or had no usable address.
    pub unusable: AtomicU64,
    /// Rounds that received at least one datagram.
    pub rounds: AtomicU64,
    /// Naps taken so that packets gather.
    pub naps: AtomicU64,
    /// Calls for help because a batch was full.
    pub calls_for_help: AtomicU64,
    /// Times the deputy led because the leader was stuck.
    pub stalls: AtomicU64,
    /// Messages that did not wait any longer for an earlier one of their call.
    pub out_of_turn: AtomicU64,
}

/// Shared state of the workers.
#[derive(Debug)]
pub struct Crew {
    sockets: Vec<UdpSocket>,
    counters: UdpCounters,
    stopping: AtomicBool,
    /// Odd while the leader works on a batch, even while it waits or naps.
    progress: AtomicU64,
    asleep: AtomicUsize,
    /// Workers beside the leader that take batches or were called to.
    helping: AtomicUsize,
    order: Order,
    calls: Mutex<usize>,
    bell: Condvar,
    leader: Waker,
}

/// Why a sleeping worker got up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Called,
    /// The leader works on the same batch since this value of its progress.
    LeaderStuck(u64),
    Stop,
}

impl Crew {
    pub(crate) fn new(sockets: Vec<UdpSocket>, leader: Waker) -> Arc<Crew> {
        Arc::new(Crew {
            order: Order::new(sockets.len()),
            sockets,
            counters: UdpCounters::default(),
            stopping: AtomicBool::new(false),
            progress: AtomicU64::new(0),
            asleep: AtomicUsize::new(0),
            helping: AtomicUsize::new(0),
            calls: Mutex::new(0),
            bell: Condvar::new(),
            leader,
        })
    }

    /// The sockets, in the order of the indexes that drivers see.
    pub fn sockets(&self) -> &[UdpSocket] {
        &self.sockets
    }

    pub fn counters(&self) -> &UdpCounters {
        &self.counters
    }

    /// Makes the leader call [`crate::udp::Driver::woken`] soon, from any thread: a timer came closer, or something is to
    /// be sent.
    pub fn wake(&self) {
        self.leader.wake();
    }

    /// Orders all workers to finish their batch and return.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        drop(self.calls.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_all();
        self.leader.wake();
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn begin_work(&self) {
        self.progress.fetch_or(1, Ordering::AcqRel);
    }

    pub(crate) fn end_work(&self) {
        if self.progress.load(Ordering::Acquire) & 1 == 1 {
            self.progress.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn is_stuck_since(&self, progress: u64) -> bool {
        progress & 1 == 1 && self.progress.load(Ordering::Acquire) == progress
    }

    /// The order of the messages of a call.
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// Does more than one worker take batches?
    pub(crate) fn is_shared(&self) -> bool {
        self.helping.load(Ordering::Acquire) > 0
    }

    /// Gets one more worker up, if one sleeps.
    pub(crate) fn call_for_help(&self) {
        if self.asleep.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if *calls < self.asleep.load(Ordering::Acquire) {
            *calls += 1;
            self.helping.fetch_add(1, Ordering::AcqRel);
            self.counters.calls_for_help.fetch_add(1, Ordering::Relaxed);
            drop(calls);
            self.bell.notify_one();
        }
    }

    /// The worker that was called goes to sleep again.
    pub(crate) fn helped(&self) {
        self.helping.fetch_sub(1, Ordering::AcqRel);
    }

    /// Sleeps until called, until the crew stops, or (deputy only) until the leader is stuck.
    pub(crate) fn sleep(&self, is_deputy: bool) -> Reason {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        self.asleep.fetch_add(1, Ordering::AcqRel);
        let period = if is_deputy { WATCH_PERIOD } else { Duration::from_secs(3600) };
        let mut seen = self.progress.load(Ordering::Acquire);
        let reason = loop {
            if self.is_stopping() {
                break Reason::Stop;
            }
            if *calls > 0 {
                *calls -= 1;
                break Reason::Called;
            }
            let (guard, wait) = self.bell.wait_timeout(calls, period).unwrap_or_else(PoisonError::into_inner);
            calls = guard;
            if wait.timed_out() && is_deputy {
                if self.is_stuck_since(seen) {
                    self.counters.stalls.fetch_add(1, Ordering::Relaxed);
                    self.helping.fetch_add(1, Ordering::AcqRel);
                    break Reason::LeaderStuck(seen);
                }
                seen = self.progress.load(Ordering::Acquire);
            }
        };
        self.asleep.fetch_sub(1, Ordering::AcqRel);
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crew() -> Arc<Crew> {
        let (waker, _wakeups) = crate::waker::pair().unwrap();
        Crew::new(Vec::new(), waker)
    }

    #[test]
    fn a_call_wakes_exactly_one_sleeper() {
        let crew = crew();
        let sleeper = {
            let crew = crew.clone();
            std::thread::spawn(move || (crew.sleep(false), crew.sleep(false)))
        };
        while crew.asleep.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        crew.call_for_help();
        while *crew.calls.lock().unwrap() > 0 {
            std::thread::yield_now();
        }
        crew.stop();
        assert_eq!(sleeper.join().unwrap(), (Reason::Called, Reason::Stop));
        assert_eq!(crew.counters.calls_for_help.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn without_sleepers_a_call_costs_nothing_and_is_forgotten() {
        let crew = crew();
        crew.call_for_help();
        assert_eq!(*crew.calls.lock().unwrap(), 0);
    }

    #[test]
    fn the_deputy_notices_a_stuck_leader_and_not_a_waiting_one() {
        let crew = crew();
        crew.begin_work();
        assert_eq!(crew.sleep(true), Reason::LeaderStuck(1));
        assert!(crew.is_stuck_since(1));
        crew.end_work();
        assert!(!crew.is_stuck_since(1));
        assert!(!crew.is_stuck_since(2));
    }
}
