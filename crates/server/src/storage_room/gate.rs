//! What workers want to send while something is not committed: held in one order, sent by whoever sees that it may leave.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use modules::outbox::{Effect, Outbox};
use sip::time::Time;
use storage::held::{Held, Leave, Size};

/// Empty outboxes kept for the next ones that are held.
const SPARE_MAX: usize = 64;
/// Outboxes that leave in one go.
const LEAVING_MAX: usize = 256;

/// The gate of `db_mode` 1. Looking at it costs three loads.
pub struct Gate {
    state: Mutex<State>,
    /// Copies of what the state says, for a look without the lock.
    committed: AtomicU64,
    is_open: AtomicBool,
    /// Something is held or being sent: nothing may overtake.
    is_busy: AtomicBool,
    /// When the oldest one leaves at the latest; `u64::MAX`: nothing is held.
    deadline: AtomicU64,
}

struct State {
    held: Held<Outbox>,
    messages: u64,
    /// Somebody sends what was taken out. He comes back for more before he goes.
    is_releasing: bool,
    spare: Vec<Outbox>,
    leaving: Vec<(Outbox, Leave)>,
}

/// What came of putting something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It waits. `is_first`: nothing did before, so the deadline is a new one.
    Held { is_first: bool },
    /// The same, and it was one too many: the gate is open from now on.
    HeldAndOpened,
    /// It may leave at once; the outbox is still full.
    NotNeeded,
}

/// Does it send? Everything else is done at once.
pub fn sends(effect: &Effect) -> bool {
    matches!(effect, Effect::Send { .. } | Effect::StreamSend { .. } | Effect::StreamAlias { .. })
}

impl Gate {
    /// A closed gate; nothing is held longer than `hold_time` milliseconds.
    pub fn new(hold_time: u64) -> Gate {
        let held = Held::new(hold_time);
        Gate {
            state: Mutex::new(State { held, messages: 0, is_releasing: false, spare: Vec::new(), leaving: Vec::new() }),
            committed: AtomicU64::new(0),
            is_open: AtomicBool::new(false),
            is_busy: AtomicBool::new(false),
            deadline: AtomicU64::new(u64::MAX),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is everything noted up to this number committed?
    pub fn is_committed(&self, noted: u64) -> bool {
        noted <= self.committed.load(Ordering::Acquire)
    }

    /// May what follows this change have to wait?
    pub fn concerns(&self, noted: u64) -> bool {
        self.is_busy.load(Ordering::Acquire) || !(self.is_committed(noted) || self.is_open())
    }

    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Is something held, and would what comes now be, too?
    pub fn is_holding(&self) -> bool {
        self.is_busy.load(Ordering::Acquire) && !self.is_open()
    }

    /// When somebody has to come by.
    pub fn deadline(&self) -> Option<Time> {
        let deadline = self.deadline.load(Ordering::Acquire);
        (deadline != u64::MAX).then_some(Time(deadline))
    }

    /// Messages held now.
    pub fn messages(&self) -> u64 {
        self.state().messages
    }

    /// Takes what an outbox sends and leaves an empty one. Nothing else may be in it.
    pub fn put(&self, now: Time, noted: u64, outbox: &mut Outbox) -> Put {
        let mut state = self.state();
        if !state.is_releasing && !state.held.must_wait(noted) {
            return Put::NotNeeded;
        }
        let size = Size { messages: outbox.effects.len(), bytes: outbox.bytes.len() };
        let spare = state.spare.pop().unwrap_or_default();
        let is_first = state.held.is_empty();
        let has_room = state.held.put(now, noted, size, std::mem::replace(outbox, spare));
        state.messages += size.messages as u64;
        self.is_busy.store(true, Ordering::Release);
        if !has_room {
            self.open_held(&mut state.held);
        }
        self.show_deadline(&state.held);
        if has_room { Put::Held { is_first } } else { Put::HeldAndOpened }
    }

    /// Everything noted up to this number is committed. Call [`Gate::release`] then.
    pub fn commit(&self, upto: u64) {
        let mut state = self.state();
        state.held.commit(upto);
        self.committed.fetch_max(upto, Ordering::AcqRel);
    }

    /// Nothing waits from now on. Call [`Gate::release`] then. False: it was open before.
    pub fn open(&self) -> bool {
        let mut state = self.state();
        let was_open = state.held.is_open();
        self.open_held(&mut state.held);
        !was_open
    }

    /// Nothing waits from now on, because something waited too long. False: nothing did, or it was open before.
    pub fn open_if_overdue(&self, now: Time) -> bool {
        let mut state = self.state();
        let is_overdue = state.held.is_overdue(now);
        if is_overdue {
            self.open_held(&mut state.held);
        }
        is_overdue
    }

    fn open_held(&self, held: &mut Held<Outbox>) {
        held.open();
        self.is_open.store(true, Ordering::Release);
    }

    /// What is not committed waits again.
    pub fn close(&self) {
        let mut state = self.state();
        state.held.close();
        self.is_open.store(false, Ordering::Release);
    }

    fn show_deadline(&self, held: &Held<Outbox>) {
        self.deadline.store(held.deadline().map_or(u64::MAX, |deadline| deadline.0), Ordering::Release);
    }

    /// Hands everything that may leave to `send`, in order; `sent` is called after each lot and has to push it onto the wire,
    /// because what comes later may overtake otherwise. Does nothing while somebody else is at it: he takes all.
    pub fn release<T>(&self, now: Time, out: &mut T, mut send: impl FnMut(&mut T, &mut Outbox, Leave), mut sent: impl FnMut(&mut T)) {
        if !self.is_busy.load(Ordering::Acquire) {
            return;
        }
        let Some(mut turn) = Turn::take(self) else { return };
        while turn.next(now) {
            for (outbox, leave) in &mut turn.leaving {
                send(out, outbox, *leave);
            }
            sent(out);
        }
    }
}

/// The right to send what was held; given back also when the sender panics, so that nothing is held for ever.
struct Turn<'a> {
    gate: &'a Gate,
    leaving: Vec<(Outbox, Leave)>,
    is_over: bool,
}

impl<'a> Turn<'a> {
    fn take(gate: &'a Gate) -> Option<Turn<'a>> {
        let mut state = gate.state();
        if state.is_releasing {
            return None;
        }
        state.is_releasing = true;
        let leaving = std::mem::take(&mut state.leaving);
        Some(Turn { gate, leaving, is_over: false })
    }

    /// Takes the next lot out. False: nothing more may leave, and the turn is over.
    fn next(&mut self, now: Time) -> bool {
        let mut state = self.gate.state();
        for (mut outbox, _) in self.leaving.drain(..) {
            outbox.clear();
            if state.spare.len() < SPARE_MAX {
                state.spare.push(outbox);
            }
        }
        while self.leaving.len() < LEAVING_MAX
            && let Some((outbox, leave)) = state.held.take(now)
        {
            state.messages = state.messages.saturating_sub(outbox.effects.len() as u64);
            self.leaving.push((outbox, leave));
        }
        self.gate.show_deadline(&state.held);
        if self.leaving.is_empty() {
            self.give_back(&mut state);
        }
        !self.is_over
    }

    fn give_back(&mut self, state: &mut State) {
        self.is_over = true;
        state.is_releasing = false;
        state.leaving = std::mem::take(&mut self.leaving);
        state.leaving.clear();
        self.gate.is_busy.store(!state.held.is_empty(), Ordering::Release);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.gate.state();
            self.give_back(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox(text: &[u8]) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.bytes.extend_from_slice(text);
        outbox.effects.push(Effect::Send { socket: 0, destination: ([127, 0, 0, 1], 5060).into(), bytes: 0..text.len() });
        outbox
    }

    fn released(gate: &Gate, now: u64) -> Vec<String> {
        let mut seen = Vec::new();
        gate.release(Time(now), &mut seen, |seen, outbox, _| seen.push(String::from_utf8_lossy(&outbox.bytes).into_owned()), |_| {});
        seen
    }

    fn put(gate: &Gate, now: u64, noted: u64, text: &[u8]) -> Put {
        let mut full = outbox(text);
        let put = gate.put(Time(now), noted, &mut full);
        assert_eq!(full.effects.is_empty(), put != Put::NotNeeded);
        put
    }

    #[test]
    fn messages_wait_for_their_commit_and_leave_in_order() {
        let gate = Gate::new(200);
        assert!(!gate.concerns(0) && gate.concerns(1));
        assert_eq!(put(&gate, 0, 1, b"a"), Put::Held { is_first: true });
        assert_eq!(put(&gate, 1, 2, b"b"), Put::Held { is_first: false });
        assert_eq!((gate.deadline(), gate.messages()), (Some(Time(200)), 2));
        assert!(released(&gate, 1).is_empty());
        gate.commit(1);
        assert_eq!(released(&gate, 2), ["a"]);
        assert!(gate.concerns(1), "b must not be overtaken");
        gate.commit(2);
        assert_eq!(released(&gate, 2), ["b"]);
        assert_eq!((gate.deadline(), gate.messages(), gate.concerns(2)), (None, 0, false));
        assert_eq!(put(&gate, 3, 2, b"c"), Put::NotNeeded);
    }

    #[test]
    fn what_comes_while_others_are_sent_waits_and_is_taken_along() {
        let gate = Gate::new(200);
        put(&gate, 0, 1, b"a");
        gate.commit(1);
        let mut seen = Vec::new();
        gate.release(
            Time(1),
            &mut seen,
            |seen, outbox, _| {
                if seen.is_empty() {
                    // All is committed, and yet it would overtake.
                    assert_eq!(put(&gate, 1, 1, b"b"), Put::Held { is_first: true });
                    assert!(released(&gate, 1).is_empty(), "one at a time");
                }
                seen.push(String::from_utf8_lossy(&outbox.bytes).into_owned());
            },
            |_| {},
        );
        assert_eq!(seen, ["a", "b"]);
        assert!(!gate.concerns(1));
    }

    #[test]
    fn an_open_gate_holds_nothing_and_closes_again() {
        let gate = Gate::new(200);
        put(&gate, 0, 1, b"a");
        assert!(gate.open());
        assert!(!gate.open());
        assert_eq!(released(&gate, 1), ["a"]);
        assert_eq!(put(&gate, 1, 2, b"b"), Put::NotNeeded);
        gate.close();
        assert_eq!(put(&gate, 1, 2, b"b"), Put::Held { is_first: true });
        assert_eq!(released(&gate, 200), [""; 0]);
        assert_eq!(released(&gate, 201), ["b"]);
    }

    #[test]
    fn a_commit_that_came_in_time_leaves_the_gate_closed() {
        let gate = Gate::new(200);
        put(&gate, 0, 1, b"a");
        assert!(!gate.open_if_overdue(Time(199)));
        gate.commit(1);
        assert!(!gate.open_if_overdue(Time(200)), "nobody would close it");
        put(&gate, 300, 2, b"b");
        assert_eq!(released(&gate, 300), ["a"]);
        assert!(gate.open_if_overdue(Time(500)));
        assert!(!gate.open_if_overdue(Time(501)));
        assert_eq!(released(&gate, 501), ["b"]);
    }

    #[test]
    fn a_sender_that_panics_holds_nothing_up() {
        let gate = Gate::new(200);
        put(&gate, 0, 1, b"a");
        gate.commit(1);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gate.release(Time(1), &mut (), |(), _, _| panic!("a fault"), |()| {});
        }));
        assert!(outcome.is_err());
        put(&gate, 1, 2, b"b");
        gate.commit(2);
        assert_eq!(released(&gate, 2), ["b"]);
    }
}
