//! A hundred thousand random operations against invariants D1 to D12 and P1, P2.

use std::collections::HashMap;

use super::*;
use crate::bye_task::ByeOutcome;
use crate::effect::{Expiry, ExpiryStep, Termination};
use crate::leg::Leg;
use crate::observer::Cause;
use crate::state::State;

/// Calls that go on at once.
const CALLS: usize = 25;

/// Routes a dialog has run in its present life.
#[derive(Default)]
struct Story {
    started: bool,
    finished: bool,
    state: Option<State>,
}

struct Play {
    engine: Engine,
    seed: u64,
    seconds: f64,
    stories: HashMap<DialogId, Story>,
    held: Vec<DialogId>,
    byes: Vec<(DialogId, Leg)>,
    /// Requests within confirmed dialogs so far.
    within_confirmed: u32,
    forced: u32,
}

impl Play {
    fn random(&mut self, below: usize) -> usize {
        (crate::engine::next_random(&mut self.seed) >> 33) as usize % below
    }

    fn pick(&mut self) -> Option<DialogId> {
        let wanted = self.random(CALLS);
        self.engine.of_call_id(format!("{wanted}@x").as_bytes()).pop()
    }

    fn now(&self) -> Now {
        at(self.seconds)
    }

    fn route(&mut self, id: DialogId, route: Option<EventRoute>) {
        let Some(route) = route else { return };
        let story = self.stories.entry(id).or_default();
        match route {
            EventRoute::Start => {
                assert!(!story.started, "start ran twice for {id}");
                story.started = true;
                story.finished = false;
            }
            EventRoute::End => {
                assert!(story.started && !story.finished, "end out of order for {id}");
                story.finished = true;
            }
            EventRoute::Failed => {
                assert!(!story.started && !story.finished, "failed out of order for {id}");
                story.finished = true;
            }
        }
    }

    fn moved(&mut self, change: &Change) {
        let story = self.stories.entry(change.id).or_default();
        if let Some(before) = story.state {
            assert!(change.old == before, "{} was {before:?}, the step says {:?}", change.id, change.old);
        }
        story.state = Some(change.new);
        if change.held {
            self.held.push(change.id);
        }
        self.route(change.id, change.route);
    }

    fn ended(&mut self, termination: Termination, id: DialogId) {
        if let Termination::Byes { caller, callee, route } = termination {
            for request in [caller, callee].into_iter().flatten() {
                assert!(request.cseq > 0 && !request.request_uri.is_empty());
                self.byes.push((id, request.leg));
            }
            self.route(id, route);
        }
    }

    fn message(&mut self) {
        let Some(id) = self.pick() else { return };
        let now = self.now();
        match self.random(24) {
            0..=2 => self.reply(id, ReplyKind::Provisional),
            3..=5 => self.reply(id, ReplyKind::Success),
            6 => self.reply(id, ReplyKind::Failure),
            number => {
                use RequestMethod::*;
                let method = [Ack, Ack, Ack, Bye, Prack, Invite, Other, Other, Other, Prack][number % 10];
                let direction = [Direction::Downstream, Direction::Upstream][self.random(2)];
                let request = within(method, direction, self.random(1000) as u32);
                let before = self.engine.view(now, id).unwrap();
                self.within_confirmed += u32::from(before.state == State::Confirmed);
                let change = self.engine.request_begin(now, id, &request).unwrap();
                self.moved(&change);
                if method == Bye && change.new.is_setting_up() {
                    self.engine.early_bye(now, id, CALLEE.tag);
                }
                self.engine.request_finish(now, change, &request);
                if let Some(after) = self.engine.view(now, id) {
                    assert!(after.caller.cseq >= before.caller.cseq && after.callee.cseq >= before.callee.cseq);
                }
            }
        }
    }

    fn reply(&mut self, id: DialogId, kind: ReplyKind) {
        let now = self.now();
        let change = self.engine.reply_begin(now, id, kind).unwrap();
        if change.old == State::Deleted && change.new != State::Deleted {
            self.stories.insert(id, Story { state: Some(State::Deleted), ..Story::default() });
        }
        self.moved(&change);
        let callee = (kind == ReplyKind::Success).then_some(&CALLEE);
        self.engine.reply_finish(now, change, callee, Cause::HERE);
    }

    fn clock(&mut self) {
        self.seconds += [0.05, 1.0, 10.0, 70.0][self.random(4)];
        let now = self.now();
        for expiry in self.engine.expire(now) {
            match expiry {
                Expiry::Lifetime { id, .. } => match self.engine.expiry_decide(now, id) {
                    ExpiryStep::Nothing => {}
                    ExpiryStep::SendByes { termination } => self.ended(termination, id),
                    ExpiryStep::Ended { change } => {
                        self.moved(&change);
                        self.engine.expiry_finish(now, change);
                    }
                },
                Expiry::EarlyOver { change } => {
                    assert!(change.route.is_none());
                    self.stories.remove(&change.id);
                    assert!(self.engine.expiry_finish(now, change).destroyed);
                }
                Expiry::EndRemoved { dialog } => assert!(!self.engine.contains(dialog.id)),
                Expiry::ByeUnanswered { change } => {
                    self.moved(&change);
                    self.engine.expiry_finish(now, change);
                }
            }
        }
    }

    fn step(&mut self) {
        let now = self.now();
        match self.random(20) {
            0..=2 => {
                let number = self.random(CALLS);
                let _ = self.engine.begin(now, &invite(format!("{number}@x").as_bytes()));
            }
            3..=11 => self.message(),
            12 if self.random(4) == 0 => self.clock(),
            13 => {
                if let Some(id) = self.held.pop() {
                    self.engine.release(now, id);
                }
            }
            14 if self.random(4) == 0 => {
                if let Some(id) = self.pick()
                    && let Ok(termination) = self.engine.terminate(now, id, EndReason::Rpc)
                {
                    self.ended(termination, id);
                }
            }
            15 => {
                if let Some((id, leg)) = self.byes.pop() {
                    match self.random(4) {
                        0 => {
                            self.engine.local_bye_unsent(now, id, leg);
                        }
                        1 => {
                            let again = [ByeOutcome::Unreachable, ByeOutcome::Answered { code: 500, retry_after: None }][self.random(2)];
                            self.engine.local_bye_repeated(now, id, leg, again);
                            self.byes.insert(0, (id, leg));
                        }
                        _ => {
                            self.engine.local_bye_finished(now, id, leg, 200);
                        }
                    }
                    if let Some(story) = self.stories.get_mut(&id) {
                        story.state = None;
                    }
                }
            }
            16 | 17 => {
                if let Some(id) = self.pick() {
                    let caller = self.engine.profiles().find("caller").unwrap();
                    let value = format!("u{}", self.random(5));
                    let _ = match self.random(3) {
                        0 => self.engine.profile_leave(now, id, caller, Some(value.as_bytes())).map(|_| ()),
                        _ => self.engine.profile_join(now, id, caller, Some(value.as_bytes())),
                    };
                }
            }
            18 => {
                if let Some(id) = self.pick() {
                    let seconds = 1 + self.random(100) as i64;
                    let _ = self.engine.set_timeout(now, id, seconds);
                    let _ = self.engine.set_variable(now, id, b"k", Some(b"value"));
                }
            }
            19 if self.random(5) == 0 => {
                if let Some(id) = self.pick() {
                    self.engine.abandon(now, id);
                }
            }
            19 if self.random(5) == 0 => self.force(),
            _ => {}
        }
    }

    /// An operator sets a state: what ran in the life before may run again only where that life ended.
    fn force(&mut self) {
        let Some(id) = self.pick() else { return };
        let state = State::ALL[self.random(State::ALL.len())];
        let old = self.engine.force_state(self.now(), id, state, EndReason::Rpc).unwrap();
        let story = self.stories.entry(id).or_default();
        story.state = Some(state);
        if old != state {
            story.started = state.is_answered();
            story.finished &= old != State::Deleted;
            self.forced += 1;
        }
    }

    fn check(&self) {
        assert_recount(&self.engine);
        let caller = self.engine.profiles().find("caller").unwrap();
        let mut members: HashMap<Vec<u8>, u64> = HashMap::new();
        let mut seen = 0;
        self.engine.for_each(self.now(), |view| {
            seen += 1;
            if view.state == State::Deleted {
                assert!(view.profiles.is_empty(), "a finished dialog is in no profile");
                assert_eq!(view.timeout, 0);
            }
            for profile in &view.profiles {
                *members.entry(profile.value.clone().unwrap()).or_default() += 1;
            }
            true
        });
        assert_eq!((seen, self.engine.profiles().size(caller, None)), (self.engine.len(), Some(members.values().sum())));
        for number in 0..5 {
            let value = format!("u{number}").into_bytes();
            let expected = members.get(&value).copied().unwrap_or(0);
            assert_eq!(self.engine.profiles().size(caller, Some(&value)), Some(expected));
        }
    }
}

#[test]
fn a_hundred_thousand_random_operations_keep_every_invariant() {
    for (seed, send_bye) in [(1, 0), (2, 1)] {
        let engine = engine(&[("default_timeout", 200), ("send_bye", send_bye)]);
        let stories = HashMap::new();
        let mut play = Play { engine, seed, seconds: 0.0, stories, held: Vec::new(), byes: Vec::new(), within_confirmed: 0, forced: 0 };
        for number in 0..50_000 {
            play.step();
            if number % 500 == 0 {
                play.check();
            }
        }
        play.check();
        let counts = play.engine.statistics();
        assert!(counts.processed > 2000 && counts.failed > 100 && counts.ended > 100 && counts.bogus_events > 100, "{counts:?}");
        assert!(counts.expired > 100, "{counts:?}");
        assert!(play.within_confirmed > 1000 && play.forced > 100, "{} {}", play.within_confirmed, play.forced);
        // Left alone, everything ends: no record without a deadline, nothing leaks (D7, D9).
        for _ in 0..100 {
            play.seconds += 100.0;
            play.clock();
        }
        for _ in 0..40 {
            play.seconds += 100.0;
            play.engine.expire(play.now());
        }
        play.check();
        assert!(play.engine.is_empty(), "{} left", play.engine.len());
        assert_eq!(play.engine.next_deadline(), None);
    }
}
