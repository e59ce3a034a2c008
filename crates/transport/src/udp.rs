//! UDP workers: receive a batch, let the driver handle it, send what it made, serve its timers, nap so packets gather.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::batch::{PollSet, ReceiveBatch, receive_queue_percent};
use crate::crew::{Crew, Reason};
use crate::error::TransportError;
use crate::gather::Gather;
use crate::limits::{GATHER_MAX_DEFAULT, IDLE_WAIT_MAX, RECEIVE_SLOTS, WATCH_PERIOD, WORKERS_MAX};
use crate::order::Turn;
use crate::outbox::{Datagrams, Outbox, SendFailure};
use crate::waker::{self, Wakeups};

/// What a worker thread does with datagrams. One driver per worker; drivers share their state behind their own locks.
pub trait Driver {
    /// A round begins: read the clock once.
    fn batch_begin(&mut self);
    /// How full the receive queue is from which the next datagrams come, in percent; 0 unless they filled a whole batch.
    fn backlog(&mut self, percent: u8) {
        let _ = percent;
    }
    /// The call a datagram belongs to, as a hash: messages of a call are handled and sent in the order of their arrival, whichever
    /// worker takes them. Asked only while several workers take datagrams.
    fn call_of(&self, bytes: &[u8]) -> u32 {
        let _ = bytes;
        0
    }
    /// One datagram. `bytes` are valid during the call only. `socket` is the index of the receiving socket.
    fn datagram(&mut self, bytes: &[u8], source: SocketAddr, socket: usize);
    /// Hand over everything that is to be sent.
    fn outgoing(&mut self, datagrams: &mut Datagrams<'_>);
    /// Serve timers that are due; returns how long until the next one, None when there is none. Served up to a nap late.
    fn timers(&mut self) -> Option<Duration>;
    /// Another thread called [`Crew::wake`]. Called before `timers` and `outgoing` of the same round.
    fn woken(&mut self) {}
    /// A datagram could not be sent. What this produces leaves in the next round, which follows at once or after a nap.
    fn send_failed(&mut self, failure: SendFailure) {
        let _ = failure;
    }

    /// How long what comes now has to wait anyway, whenever it is taken: naps may last as long.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }
}

/// How the workers run.
#[derive(Clone, Copy, Debug)]
pub struct UdpOptions {
    /// Worker threads (`children`), 1 to [`WORKERS_MAX`]. More than there are cores is no gain.
    pub workers: usize,
    /// Longest gather nap; zero: none.
    pub gather_max: Duration,
    /// Datagrams per receive call.
    pub receive_slots: usize,
}

impl Default for UdpOptions {
    fn default() -> UdpOptions {
        UdpOptions { workers: 1, gather_max: GATHER_MAX_DEFAULT, receive_slots: RECEIVE_SLOTS }
    }
}

/// Workers ready to run: give each one a driver and a thread. The first one leads.
pub struct UdpWorkers {
    pub crew: Arc<Crew>,
    pub seats: Vec<Seat>,
}

/// The place of one worker in its crew.
pub struct Seat {
    crew: Arc<Crew>,
    index: usize,
    options: UdpOptions,
    /// Only the leader has it.
    wakeups: Option<Wakeups>,
}

/// Prepares `options.workers` workers over `sockets` (non-blocking; their order gives the socket indexes).
pub fn workers(sockets: Vec<UdpSocket>, options: UdpOptions) -> Result<UdpWorkers, TransportError> {
    let (waker, wakeups) = waker::pair().map_err(|source| TransportError::Setup { step: "make a wake-up pipe", source })?;
    let crew = Crew::new(sockets, waker);
    let mut wakeups = Some(wakeups);
    let seats = (0..options.workers.clamp(1, WORKERS_MAX))
        .map(|index| Seat { crew: crew.clone(), index, options, wakeups: wakeups.take() })
        .collect();
    Ok(UdpWorkers { crew, seats })
}

impl Seat {
    /// Position in the crew, 0 leads.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Runs until [`Crew::stop`], then gives the driver back.
    pub fn run<D: Driver>(self, driver: D) -> Result<D, TransportError> {
        let mut worker = Worker {
            receive: ReceiveBatch::new(self.options.receive_slots),
            outbox: Outbox::new(self.crew.sockets().len()),
            gather: Gather::new(self.options.gather_max),
            turns: Vec::new(),
            put_off: Vec::new(),
            crew: self.crew,
            driver,
        };
        match self.wakeups {
            Some(wakeups) => worker.lead(&wakeups)?,
            None => worker.help(self.index == 1)?,
        }
        Ok(worker.driver)
    }
}

struct Worker<D: Driver> {
    crew: Arc<Crew>,
    driver: D,
    receive: ReceiveBatch,
    outbox: Outbox,
    gather: Gather,
    /// While the batches are shared: whose turn each datagram is, and which had to let others go first.
    turns: Vec<Turn>,
    put_off: Vec<usize>,
}

/// What one look at the sockets brought.
#[derive(Clone, Copy, Default)]
struct Taken {
    datagrams: usize,
    /// At least one socket filled the batch: more waits.
    full: bool,
}

/// With this many sockets it is cheaper to ask each one than to wait on all first.
const SOCKETS_TRIED_DIRECTLY: usize = 2;

impl<D: Driver> Worker<D> {
    fn lead(&mut self, wakeups: &Wakeups) -> Result<(), TransportError> {
        let crew = self.crew.clone();
        let mut poll = PollSet::new();
        for socket in crew.sockets() {
            poll.add(socket.as_fd(), false);
        }
        poll.add(wakeups.descriptor(), false);
        self.driver.batch_begin();
        let mut deadline = self.finish_round(Instant::now());
        let mut last = Instant::now();
        // True: packets probably wait, so the sockets are asked without waiting first.
        let mut eager = false;
        while !crew.is_stopping() {
            let direct = eager && crew.sockets().len() <= SOCKETS_TRIED_DIRECTLY;
            if !direct {
                let timeout = if eager { Duration::ZERO } else { wait_time(deadline) };
                poll.wait(Some(timeout)).map_err(TransportError::Wait)?;
            }
            crew.begin_work();
            self.driver.batch_begin();
            let taken = self.take(|index| direct || poll.is_ready(index));
            let woken = wakeups.is_pending();
            if woken {
                wakeups.clear();
                self.driver.woken();
            }
            let now = Instant::now();
            if taken.datagrams > 0 || woken || deadline.is_some_and(|deadline| deadline <= now) {
                deadline = self.finish_round(now);
            }
            crew.end_work();
            self.gather.observe(taken.datagrams, now.saturating_duration_since(last));
            last = now;
            eager = taken.full;
            if let Some(nap) = self.gather.nap(taken.datagrams, taken.full, self.driver.patience()) {
                // Timers wait for its end: under load some transaction is cleaned up every millisecond, so that naps which end
                // with the next timer gather nothing.
                crew.counters().naps.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(nap);
                eager = true;
            }
        }
        Ok(())
    }

    fn help(&mut self, is_deputy: bool) -> Result<(), TransportError> {
        let crew = self.crew.clone();
        loop {
            match crew.sleep(is_deputy) {
                Reason::Stop => return Ok(()),
                Reason::Called => while self.help_once() && !crew.is_stopping() {},
                Reason::LeaderStuck(since) => self.stand_in(since)?,
            }
            crew.helped();
        }
    }

    /// Takes one batch; false when nothing waited.
    fn help_once(&mut self) -> bool {
        self.driver.batch_begin();
        let taken = self.take(|_| true);
        if taken.datagrams > 0 {
            self.send_outgoing();
        }
        taken.datagrams > 0
    }

    /// Leads while the leader is stuck in its batch.
    fn stand_in(&mut self, since: u64) -> Result<(), TransportError> {
        let crew = self.crew.clone();
        let mut poll = PollSet::new();
        for socket in crew.sockets() {
            poll.add(socket.as_fd(), false);
        }
        let mut deadline = None;
        while crew.is_stuck_since(since) && !crew.is_stopping() {
            poll.wait(Some(wait_time(deadline).min(WATCH_PERIOD))).map_err(TransportError::Wait)?;
            self.driver.batch_begin();
            self.take(|index| poll.is_ready(index));
            deadline = self.finish_round(Instant::now());
        }
        Ok(())
    }

    /// Receives once from every socket that `is_ready` and lets the driver handle what came.
    fn take(&mut self, is_ready: impl Fn(usize) -> bool) -> Taken {
        let mut taken = Taken::default();
        let crew = self.crew.clone();
        for (index, socket) in crew.sockets().iter().enumerate() {
            if !is_ready(index) {
                continue;
            }
            let received = self.receive_batch(index, socket);
            taken.full |= received == self.receive.slots();
            self.handle(index, received);
            taken.datagrams += received;
        }
        if taken.datagrams > 0 {
            self.crew.counters().received.fetch_add(taken.datagrams as u64, Ordering::Relaxed);
            self.crew.counters().rounds.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// Receives one batch. Calls for help when it is full, and draws turns when the batches are shared.
    fn receive_batch(&mut self, index: usize, socket: &UdpSocket) -> usize {
        let crew = self.crew.clone();
        let _receiving = crew.order().receiving(index);
        // An error here is the late report about a datagram sent earlier; it took the place of this look only.
        let received = self.receive.receive(socket.as_fd()).unwrap_or(0);
        let is_full = received == self.receive.slots();
        self.driver.backlog(if is_full { receive_queue_percent(socket.as_fd()) } else { 0 });
        if is_full {
            // Of another socket, taken in this round: nothing may overtake that.
            self.send_outgoing();
            crew.call_for_help();
        }
        self.turns.clear();
        if crew.is_shared() {
            let Worker { receive, driver, turns, .. } = self;
            let call_of = |slot| receive.datagram(slot).map_or(0, |(bytes, _)| driver.call_of(bytes));
            crew.order().draw((0..received).map(call_of), turns);
        }
        received
    }

    /// Lets the driver handle a batch. A shared batch leaves at once: the next ones may wait for it.
    fn handle(&mut self, socket: usize, received: usize) {
        if self.turns.is_empty() {
            for slot in 0..received {
                self.handle_one(socket, slot);
            }
            return;
        }
        let crew = self.crew.clone();
        for slot in 0..received {
            let Some(turn) = self.turns.get(slot).copied() else { break };
            if crew.order().may_go_on(turn, self.put_off.iter().filter_map(|slot| self.turns.get(*slot).copied())) {
                self.handle_one(socket, slot);
            } else {
                self.put_off.push(slot);
            }
        }
        for place in 0..self.put_off.len() {
            let Some(slot) = self.put_off.get(place).copied() else { break };
            if self.turns.get(slot).is_some_and(|turn| !crew.order().wait(*turn)) {
                crew.counters().out_of_turn.fetch_add(1, Ordering::Relaxed);
            }
            self.handle_one(socket, slot);
        }
        self.put_off.clear();
        self.send_outgoing();
        crew.order().done(&self.turns);
        self.turns.clear();
    }

    fn handle_one(&mut self, socket: usize, slot: usize) {
        match self.receive.datagram(slot) {
            Some((bytes, source)) => self.driver.datagram(bytes, source, socket),
            None => {
                self.crew.counters().unusable.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Timers, then sending. Returns when the next timer is due.
    fn finish_round(&mut self, now: Instant) -> Option<Instant> {
        let next = self.driver.timers();
        if self.send_outgoing() {
            return Some(now); // reactions to failed sends are waiting
        }
        next.map(|wait| now + wait)
    }

    /// Sends what the driver has; true when something could not be sent.
    fn send_outgoing(&mut self) -> bool {
        let sockets = self.crew.sockets();
        let outbox = &mut self.outbox;
        self.driver.outgoing(&mut Datagrams::new(outbox, sockets));
        outbox.flush(sockets);
        let (sent, failed) = outbox.take_counts();
        if sent > 0 {
            self.crew.counters().sent.fetch_add(sent, Ordering::Relaxed);
        }
        if failed > 0 {
            self.crew.counters().send_failures.fetch_add(failed, Ordering::Relaxed);
        }
        let any = outbox.has_failures();
        if any {
            for failure in outbox.take_failures() {
                self.driver.send_failed(failure);
            }
        }
        any
    }
}

fn wait_time(deadline: Option<Instant>) -> Duration {
    deadline.map_or(IDLE_WAIT_MAX, |at| at.saturating_duration_since(Instant::now()).min(IDLE_WAIT_MAX))
}
