//! The thread that writes: drives the keeper with the real clock and the real database, and opens and closes the gate.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use storage::keeper::{Event, Health, Keeper, Step};
use storage::limits::BATCH_OPERATIONS_MAX;
use transport::outbox::{Datagrams, Outbox};

use super::connection::Connection;
use super::gate::Gate;
use super::report;
use super::room::StorageRoom;
use crate::shell::Shell;
use crate::udp_driver::is_hopeless;

/// What stands for the writer where a worker's number is asked for.
pub(super) const NUMBER: u32 = 998;

pub(super) struct Writer {
    shell: Arc<Shell>,
    keeper: Keeper,
    connection: Connection,
    outbox: Outbox,
    is_stopping: bool,
}

/// What the writer does next.
enum Next {
    Again,
    SleepFor(Duration),
    SleepUntilChange,
    End { unsaved: usize },
}

impl Writer {
    pub fn new(shell: Arc<Shell>, keeper: Keeper, connection: Connection) -> Writer {
        let sockets = shell.crew.get().map_or(0, |crew| crew.sockets().len());
        Writer { shell, keeper, connection, outbox: Outbox::new(sockets), is_stopping: false }
    }

    /// Runs until the stop is done.
    pub fn run(mut self) {
        let shell = Arc::clone(&self.shell);
        let Some(room) = shell.storage.get() else { return };
        report::condition(&shell, &self.keeper, room);
        loop {
            if !self.is_stopping && room.is_stopping.load(Ordering::Acquire) {
                self.is_stopping = true;
                self.keeper.stop(shell.clock.now(), &shell.proxy.node.dialogs);
            }
            let dialogs = &shell.proxy.node.dialogs;
            let noted = dialogs.changes_noted();
            let next = self.step(room);
            self.tell(room);
            match next {
                Next::Again => {}
                Next::SleepFor(time) => std::thread::park_timeout(time),
                Next::SleepUntilChange => {
                    let has_news = || dialogs.changes_noted() != noted || room.is_stopping.load(Ordering::Acquire);
                    room.bell.sleep(has_news);
                }
                Next::End { unsaved } => {
                    self.end(room, unsaved);
                    return;
                }
            }
        }
    }

    fn step(&mut self, room: &StorageRoom) -> Next {
        let now = self.shell.clock.now();
        let mut new_in_hand = room.new_in_hand();
        match self.keeper.next(now, &self.shell.proxy.node.dialogs) {
            Step::Apply { attempt, batch } => {
                let rows = batch.operations.len() as u64;
                if let Some(new) = &mut new_in_hand {
                    new.goes_out(batch);
                }
                drop(new_in_hand);
                let begun = Instant::now();
                let outcome = self.connection.apply(batch);
                report::attempt(&self.shell, rows, begun.elapsed(), outcome.as_ref().err());
                self.keeper.finished(self.shell.clock.now(), attempt, outcome);
                if self.keeper.in_hand() == 0
                    && let Some(mut new) = room.new_in_hand()
                {
                    new.clear();
                }
                Next::Again
            }
            Step::WaitUntil(at) => Next::SleepFor(Duration::from_millis(at.since(now.time))),
            Step::WaitForChange | Step::WaitForAnswer => match self.keeper.rests_until() {
                // What is noted meanwhile could not be written earlier: under load one wake-up a commit, not two.
                Some(at) if at > now.time => Next::SleepFor(Duration::from_millis(at.since(now.time))),
                _ => Next::SleepUntilChange,
            },
            Step::Done { unsaved } => Next::End { unsaved },
        }
    }

    /// Passes on what the keeper tells: to the gate, to the health, to the log.
    fn tell(&mut self, room: &StorageRoom) {
        let events: Vec<Event> = self.keeper.events().collect();
        if events.is_empty() {
            return;
        }
        // Before the lines in the log, so that nobody who reads them finds an older condition; and after the gate moved.
        report::condition(&self.shell, &self.keeper, room);
        for event in &events {
            report::event(&self.shell, room, event);
            self.move_gate(room, event);
        }
        report::condition(&self.shell, &self.keeper, room);
    }

    fn move_gate(&mut self, room: &StorageRoom, event: &Event) {
        let Some(gate) = &room.gate else { return };
        match event {
            Event::Committed { upto, milliseconds, .. } => {
                gate.commit(*upto);
                self.close_if_well(room, gate, *milliseconds);
            }
            Event::CaughtUp { .. } => self.close_if_well(room, gate, 0),
            Event::WentAway { .. } => {
                gate.open();
            }
            Event::CameBack { .. } if room.settings().refuses_unstored => gate.close(),
            _ => return,
        }
        self.release(room);
    }

    /// Messages wait again once the database keeps up; the last commit took so many milliseconds.
    fn close_if_well(&self, room: &StorageRoom, gate: &Gate, milliseconds: u64) {
        let is_quick = u128::from(milliseconds) <= room.settings().hold_time.as_millis() / 2;
        let left = self.shell.proxy.node.dialogs.changes_noted().saturating_sub(self.keeper.committed());
        let keeps_up = left == 0 || (is_quick && left < BATCH_OPERATIONS_MAX as u64);
        if gate.is_open() && keeps_up && self.keeper.health() == Health::Well {
            gate.close();
        }
    }

    /// Sends what may leave now. What the kernel refuses is told to its transaction by a worker.
    fn release(&mut self, room: &StorageRoom) {
        let Some(crew) = self.shell.crew.get() else { return };
        let mut datagrams = Datagrams::new(&mut self.outbox, crew.sockets());
        room.release(&self.shell, NUMBER, &mut datagrams);
        datagrams.flush();
        report::held(&self.shell, room);
        let (sent, failed) = self.outbox.take_counts();
        crew.counters().sent.fetch_add(sent, Ordering::Relaxed);
        crew.counters().send_failures.fetch_add(failed, Ordering::Relaxed);
        if self.outbox.has_failures() {
            for failure in self.outbox.take_failures().into_iter().filter(|failure| is_hopeless(&failure.error)) {
                room.keep_unsent(failure.bytes);
            }
            crew.wake();
        }
    }

    /// Everything is written, or the time for it is over: nothing is held any more.
    fn end(&mut self, room: &StorageRoom, unsaved: usize) {
        if let Some(gate) = &room.gate {
            gate.open();
        }
        self.release(room);
        report::end(&self.shell, &self.keeper, unsaved);
    }
}
