//! Steps of several workers that cross: between the halves of one step anything else may happen to the dialog.

use std::sync::Arc;

use sip::time::Now;

use super::*;
use crate::effect::{Expiry, ExpiryStep, Termination};
use crate::leg::Leg;
use crate::observer::{Notice, Observer, OccurrenceKind};
use crate::profiles::Limit;
use crate::state::State;

/// A step whose route runs on another worker.
enum Half {
    Reply(Change, ReplyKind),
    Request(Change, InDialogRequest<'static>),
    Expiry(Change),
}

struct Crossing {
    engine: Engine,
    seed: u64,
    seconds: f64,
    halves: Vec<Half>,
    byes: Vec<(DialogId, Leg)>,
    held: Vec<DialogId>,
    with_force: bool,
    log: Vec<String>,
}

impl Crossing {
    fn random(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % below
    }

    fn now(&self) -> Now {
        at(self.seconds)
    }

    fn pick(&mut self) -> Option<DialogId> {
        let mut ids = Vec::new();
        self.engine.for_each(self.now(), |view| {
            ids.push(view.id);
            true
        });
        if ids.is_empty() { None } else { Some(ids[self.random(ids.len())]) }
    }

    fn finish(&mut self) {
        if self.halves.is_empty() {
            return;
        }
        let number = self.random(self.halves.len());
        let now = self.now();
        match self.halves.swap_remove(number) {
            Half::Reply(change, kind) => {
                self.log.push(format!("finish reply {kind:?} {change:?}"));
                let callee = (kind == ReplyKind::Success).then_some(&CALLEE);
                self.engine.reply_finish(now, change, callee, Cause::HERE);
            }
            Half::Request(change, request) => {
                self.log.push(format!("finish request {:?} {change:?}", request.method));
                self.engine.request_finish(now, change, &request);
            }
            Half::Expiry(change) => {
                self.log.push(format!("finish expiry {change:?}"));
                self.engine.expiry_finish(now, change);
            }
        }
    }

    fn ended(&mut self, id: DialogId, termination: Termination) {
        if let Termination::Byes { caller, callee, .. } = termination {
            self.byes.extend([caller, callee].into_iter().flatten().map(|request| (id, request.leg)));
        }
    }

    fn expire(&mut self) {
        let now = self.now();
        for expiry in self.engine.expire(now) {
            self.log.push(format!("expiry {expiry:?}"));
            match expiry {
                Expiry::Lifetime { id, .. } => match self.engine.expiry_decide(now, id) {
                    ExpiryStep::Nothing => {}
                    ExpiryStep::SendByes { termination } => self.ended(id, termination),
                    ExpiryStep::Ended { change } => self.halves.push(Half::Expiry(change)),
                },
                Expiry::EarlyOver { change } | Expiry::ByeUnanswered { change } => self.halves.push(Half::Expiry(change)),
                Expiry::EndRemoved { .. } => {}
            }
        }
    }

    fn step(&mut self) {
        let now = self.now();
        let what = self.random(24);
        let id = self.pick();
        self.log.push(format!("{what} {id:?}"));
        match (what, id) {
            (0, _) | (_, None) => {
                let number = self.random(3);
                let _ = self.engine.begin(now, &invite(format!("{number}@x").as_bytes()));
            }
            (1..=6, Some(id)) => {
                let kind = [ReplyKind::Provisional, ReplyKind::Success, ReplyKind::Failure][self.random(3)];
                if let Some(change) = self.engine.reply_begin(now, id, kind) {
                    self.held.extend(change.held.then_some(id));
                    self.halves.push(Half::Reply(change, kind));
                }
            }
            (7..=11, Some(id)) => {
                use RequestMethod::*;
                let method = [Ack, Bye, Invite, Other, Prack][self.random(5)];
                let direction = [Direction::Downstream, Direction::Upstream][self.random(2)];
                let request = within(method, direction, 5);
                if let Some(change) = self.engine.request_begin(now, id, &request) {
                    self.held.extend(change.held.then_some(id));
                    self.halves.push(Half::Request(change, request));
                }
            }
            (12, Some(id)) => {
                if let Ok(termination) = self.engine.terminate(now, id, EndReason::Rpc) {
                    self.ended(id, termination);
                }
            }
            (13, _) => {
                if let Some((id, leg)) = self.byes.pop() {
                    match self.random(3) {
                        0 => self.engine.local_bye_unsent(now, id, leg),
                        _ => self.engine.local_bye_finished(now, id, leg, 200),
                    };
                }
            }
            (14, Some(id)) => {
                let caller = self.engine.profiles().find("caller").unwrap();
                let _ = self.engine.profile_acquire(now, id, caller, Some(b"alice"), Limit { places: 1, headroom: Some(1) });
            }
            (15, Some(id)) => {
                let caller = self.engine.profiles().find("caller").unwrap();
                let _ = self.engine.profile_leave(now, id, caller, Some(b"alice"));
            }
            (16, _) => {
                if let Some(id) = self.held.pop() {
                    self.engine.release(now, id);
                }
            }
            (17, Some(id)) if self.with_force => {
                let state = State::ALL[self.random(5)];
                self.log.push(format!("force {state:?}"));
                self.engine.force_state(now, id, state, EndReason::Rpc);
            }
            (18, _) => {
                self.seconds += [0.1, 5.0, 61.0, 301.0][self.random(4)];
                self.expire();
            }
            (19, Some(id)) => {
                self.engine.abandon(now, id);
            }
            _ => self.finish(),
        }
    }

    fn settle_and_check(&mut self) {
        while !self.halves.is_empty() {
            self.finish();
        }
        self.check();
    }

    fn check(&self) {
        assert_recount(&self.engine);
        assert_eq!(self.engine.profiles_audit().map(|audit| audit.different), Some(0));
        self.engine.for_each(self.now(), |view| {
            assert!(view.state != State::Deleted || view.profiles.is_empty());
            true
        });
    }
}

fn play(seed: u64, with_force: bool) {
    let engine = engine(&[("default_timeout", 200)]);
    let mut play =
        Crossing { engine, seed, seconds: 0.0, halves: Vec::new(), byes: Vec::new(), held: Vec::new(), with_force, log: Vec::new() };
    for _ in 0..120 {
        play.step();
    }
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        play.settle_and_check();
        for _ in 0..30 {
            play.seconds += 301.0;
            play.expire();
            play.settle_and_check();
        }
        assert!(play.engine.is_empty(), "{} left", play.engine.len());
        let caller = play.engine.profiles().find("caller").unwrap();
        assert_eq!(play.engine.profiles().size(caller, None), Some(0));
    }));
    if let Err(panic) = checked {
        eprintln!("seed {seed}:\n{}", play.log.join("\n"));
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn counts_and_places_hold_whatever_happens_between_the_halves_of_a_step() {
    (0..200).for_each(|seed| play(seed, false));
}

#[test]
fn an_operator_may_force_a_state_between_the_halves_of_a_step() {
    (0..200).for_each(|seed| play(seed, true));
}

/// Kinds in the order in which they were told.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<OccurrenceKind>>);

impl Observer for Told {
    fn on(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap().push(notice.occurrence.kind);
    }
}

#[test]
fn nothing_begins_for_observers_after_its_end_was_told() {
    use OccurrenceKind::*;
    for (code, end) in [(200, Terminated), (180, Failed)] {
        let engine = engine(&[]);
        let told = Arc::new(Told::default());
        engine.observe(told.clone());
        let id = create(&engine, at(0.0), b"a@x");
        let change = engine.reply_begin(at(1.0), id, ReplyKind::of(code).unwrap()).unwrap();
        // The route of the reply still runs when another worker takes what ends the call.
        if code == 200 {
            bye(&engine, at(1.0), id);
        } else {
            reply(&engine, at(1.0), id, 486);
        }
        engine.reply_finish(at(1.0), change, Some(&CALLEE).filter(|_| code == 200), Cause::HERE);
        assert_eq!(told.0.lock().unwrap()[..], [Created, end], "{code}");
        assert_recount(&engine);
    }
}
