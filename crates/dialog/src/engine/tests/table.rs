//! Every cell of the transition table on a real engine: state, gauges, profiles, deadline and routes agree (spec dialog 2.2).

use super::*;
use crate::effect::{Expiry, ExpiryStep, Termination};
use crate::flags::{dialog_flag, internal_flag};
use crate::leg::Leg;
use crate::state::{self, Event, Facts, State};

/// How a dialog came to where it is: the plain ways into the five states, and those that conditional cells ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain(State),
    /// State 5 by a BYE.
    HungUp,
    /// State 5 by a replication peer.
    EndedByPeer,
    /// Received by replication in this state.
    Replicated(State),
}

fn ways() -> Vec<Way> {
    let plain = State::ALL.into_iter().map(Way::Plain);
    let replicated = State::ALL.into_iter().map(Way::Replicated);
    plain.chain(replicated).chain([Way::HungUp, Way::EndedByPeer]).collect()
}

/// One call on an engine of its own.
struct Case {
    engine: Engine,
    id: DialogId,
    facts: Facts,
    starts: u32,
    ends: u32,
    seconds: f64,
}

impl Case {
    fn at(way: Way) -> Case {
        let engine = engine(&[("default_timeout", 1000)]);
        let is_replicated = matches!(way, Way::Replicated(_));
        let internal_flags = if is_replicated { internal_flag::REPLICATED } else { 0 };
        let Begin::Created(id) = engine.begin(at(0.0), &NewDialog { internal_flags, ..invite(b"cell@x") }) else { panic!("not created") };
        if !is_replicated {
            engine.set_dialog_flags(at(0.0), id, dialog_flag::TRANSACTION, 0);
        }
        let mut case = Case { engine, id, facts: Facts::default(), starts: 0, ends: 0, seconds: 1.0 };
        case.facts.replicated = is_replicated;
        let all = case.engine.profiles().find("all").unwrap();
        case.engine.profile_join(at(0.0), id, all, None).unwrap();
        case.drive(way);
        case
    }

    fn now(&self) -> Now {
        at(self.seconds)
    }

    fn drive(&mut self, way: Way) {
        let (Way::Plain(state) | Way::Replicated(state)) = way else {
            self.drive(Way::Plain(if way == Way::HungUp { State::Confirmed } else { State::Early }));
            if way == Way::HungUp {
                self.apply(Event::Bye);
                self.facts.bye_seen = true;
            } else {
                self.apply(Event::Failure);
                self.engine.set_dialog_flags(self.now(), self.id, dialog_flag::DELETED_BY_PEER, 0);
                self.facts.ended_by_peer = true;
            }
            return;
        };
        let events: &[Event] = match state {
            State::Unconfirmed => &[],
            State::Early => &[Event::Provisional],
            State::ConfirmedNoAck => &[Event::Success],
            State::Confirmed => &[Event::Success, Event::Ack],
            State::Deleted => &[Event::Failure],
        };
        for event in events {
            self.apply(*event);
        }
        assert_eq!(self.engine.state(self.id), Some(state));
    }

    fn route(&mut self, change: &Change) {
        match change.route {
            Some(EventRoute::Start) => self.starts += 1,
            Some(EventRoute::End | EventRoute::Failed) => self.ends += 1,
            None => {}
        }
    }

    /// Both halves of the step that the event stands for.
    fn apply(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Provisional | Event::Success | Event::Failure => {
                let code = [(Event::Provisional, 180), (Event::Success, 200), (Event::Failure, 486)];
                let code = code.iter().find(|(known, _)| *known == event).unwrap().1;
                let change = self.engine.reply_begin(now, self.id, ReplyKind::of(code).unwrap()).unwrap();
                self.route(&change);
                self.engine.reply_finish(now, change, (code == 200).then_some(&CALLEE), Cause::HERE);
            }
            Event::Prack | Event::Ack | Event::Bye | Event::Other => {
                let method = [RequestMethod::Prack, RequestMethod::Ack, RequestMethod::Bye, RequestMethod::Other];
                let method = method.into_iter().find(|method| method.event() == event).unwrap();
                let request = within(method, Direction::Downstream, 9);
                let change = self.engine.request_begin(now, self.id, &request).unwrap();
                self.route(&change);
                self.engine.request_finish(now, change, &request);
            }
            Event::TransactionGone => self.transaction_gone(),
        }
    }

    /// A call that is being set up outlives its INVITE's transaction until `early_timeout`; later the transaction is one of
    /// those that hold the record.
    fn transaction_gone(&mut self) {
        if self.engine.state(self.id).is_some_and(State::is_setting_up) {
            self.seconds += 301.0;
            self.pass();
        } else {
            assert!(self.engine.hold(self.id));
            self.engine.release(self.now(), self.id);
        }
    }

    /// Does what is due.
    fn pass(&mut self) {
        let now = self.now();
        for expiry in self.engine.expire(now) {
            let change = match expiry {
                Expiry::Lifetime { id, .. } => match self.engine.expiry_decide(now, id) {
                    ExpiryStep::Ended { change } => change,
                    // BYEs from here are out; the record waits for their answers.
                    ExpiryStep::Nothing | ExpiryStep::SendByes { .. } => continue,
                },
                Expiry::EarlyOver { change } | Expiry::ByeUnanswered { change } => change,
                Expiry::EndRemoved { .. } => continue,
            };
            self.route(&change);
            self.engine.expiry_finish(now, change);
        }
    }

    fn check(&self, expected: State) {
        let now = self.now();
        let found = self.engine.state(self.id);
        // What nothing holds is gone at once, which is one way of being in state 5.
        assert_eq!(found.unwrap_or(State::Deleted), expected);
        assert_recount(&self.engine);
        let all = self.engine.profiles().find("all").unwrap();
        let members = self.engine.profiles().size(all, None).unwrap();
        let listed = self.engine.profile_members(all, None).len() as u64;
        assert_eq!(members, listed);
        assert!(expected != State::Deleted || members == 0, "state 5 is in no profile");
        let timeout = self.engine.view(now, self.id).map_or(0, |view| view.timeout);
        assert!(expected != State::Deleted || timeout == 0, "state 5 has no lifetime");
        assert_eq!(self.engine.next_deadline().is_some_and(|next| next > now.time), found.is_some(), "exactly the living have a deadline");
    }
}

#[test]
fn every_cell_moves_a_real_dialog_with_all_that_belongs_to_it() {
    let mut cells = 0;
    for way in ways() {
        for event in Event::ALL {
            let mut case = Case::at(way);
            let old = case.engine.state(case.id).unwrap();
            case.check(old);
            let bogus = case.engine.statistics().bogus_events;
            let (starts, ends) = (case.starts, case.ends);
            let next = state::next(old, event, case.facts);
            case.seconds += 1.0;
            case.apply(event);
            case.check(next.unwrap_or(old));
            assert_eq!(case.engine.statistics().bogus_events - bogus, u64::from(next.is_none()), "{way:?} {event:?}");
            // A route for the cell that moves, and for no other; the early timeout is silent.
            let moved = next.filter(|next| *next != old);
            let is_silent = event == Event::TransactionGone;
            assert_eq!(case.starts - starts, u32::from(moved == Some(State::ConfirmedNoAck)), "{way:?} {event:?}");
            assert_eq!(case.ends - ends, u32::from(moved == Some(State::Deleted) && !is_silent), "{way:?} {event:?}");
            left_alone(case, old == State::Deleted && moved.is_some());
            cells += 1;
        }
    }
    assert_eq!(cells, 12 * Event::ALL.len());
}

/// What a pair is made of: an event, or an end from here.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Event(Event),
    EndAll,
    EndCaller,
    /// The final reply to the BYE to the callee.
    ByeAnswered,
    ByeUnsent,
}

impl Case {
    fn happen(&mut self, happening: Happening) {
        let now = self.now();
        let ended = match happening {
            Happening::Event(event) => return self.apply(event),
            Happening::EndAll => self.engine.terminate(now, self.id, EndReason::Rpc),
            Happening::EndCaller => self.engine.terminate_leg(now, self.id, Leg::Caller, EndReason::Rpc),
            Happening::ByeAnswered => {
                self.engine.local_bye_finished(now, self.id, Leg::Callee, 200);
                return;
            }
            Happening::ByeUnsent => {
                self.engine.local_bye_unsent(now, self.id, Leg::Callee);
                return;
            }
        };
        if let Ok(Termination::Byes { route: Some(_), .. }) = ended {
            self.ends += 1;
        }
    }
}

/// Whatever comes twice, or again after the end: no route runs a second time in one life, and the record goes away.
#[test]
fn every_pair_of_happenings_runs_each_route_once_and_leaves_nothing() {
    let from_here = [Happening::EndAll, Happening::EndCaller, Happening::ByeAnswered, Happening::ByeUnsent];
    let happenings: Vec<Happening> = Event::ALL.into_iter().map(Happening::Event).chain(from_here).collect();
    for way in ways() {
        for first in happenings.iter().copied() {
            for second in happenings.iter().copied() {
                let mut case = Case::at(way);
                let mut lives = 1;
                for happening in [first, second] {
                    let Some(old) = case.engine.state(case.id) else { continue };
                    case.seconds += 1.0;
                    case.happen(happening);
                    lives += u32::from(old == State::Deleted && case.engine.state(case.id) == Some(State::ConfirmedNoAck));
                    case.check(case.engine.state(case.id).unwrap_or(State::Deleted));
                }
                left_alone(case, lives > 1);
            }
        }
    }
}

/// Nobody touches the call any more: it ends by itself, each route ran once for each life, and nothing stays.
fn left_alone(mut case: Case, is_second_life: bool) {
    let end = case.seconds + 5000.0;
    while case.seconds < end && !case.engine.is_empty() {
        case.seconds += 50.0;
        case.pass();
        assert_recount(&case.engine);
    }
    assert!(case.engine.is_empty());
    assert_eq!(case.engine.next_deadline(), None);
    let lives = 1 + u32::from(is_second_life);
    assert!(case.starts <= lives && case.ends <= lives, "{} starts and {} ends in {lives} lives", case.starts, case.ends);
    let counts = case.engine.statistics();
    assert_eq!((counts.unconfirmed, counts.early, counts.active, counts.failed + counts.ended + counts.abandoned), (0, 0, 0, 1));
}
