//! What the ends of a call send by themselves: requests, their repetition, and how a call ends.

use std::fmt::Write;

use super::Generator;
use super::call::{Call, Pending, Side, Stage, Way};
use super::message::{Method, SESSION, end};
use super::timers::{Purpose, Timer};

/// RFC 3261 T1 and T2, and the end of all transactions (64 * T1), microseconds.
pub(super) const T1: u64 = 500_000;
pub(super) const T2: u64 = 4_000_000;
const GIVEN_UP_AFTER: u64 = 64 * T1;
/// A side that wants to hang up while a request is on its way tries again.
const LATER: u64 = 5_000;

impl Generator {
    /// Begins a call.
    pub(super) fn launch(&mut self, now: u64) -> Result<(), String> {
        let number = u32::try_from(self.calls.len()).map_err(|_| "too many calls".to_owned())?;
        let call = self.plan_call(number);
        self.going += usize::from(!call.is_held);
        self.calls.push(call);
        self.totals.begun += 1;
        self.request(number, Side::Caller, Method::Invite, 1, now)
    }

    /// A call with what chance gives it.
    fn plan_call(&mut self, number: u32) -> Call {
        let updates = (self.random.part() * (f64::from(self.plan.updates_max) + 1.0)) as u8;
        Call {
            stage: Stage::Calling,
            is_held: self.random.happens(self.plan.held_share),
            offered: 1,
            accepted: 0,
            is_confirmed: false,
            ring: self.random.within(&self.plan.ring).as_micros() as u64,
            hold: self.random.within(&self.plan.hold).as_micros() as u64,
            updates: updates.min(self.plan.updates_max),
            ended_by: if self.random.happens(self.plan.callee_ends_share) { Side::Callee } else { Side::Caller },
            caller_sequence: 1,
            callee_sequence: 0,
            serial: 0,
            answer_serial: 0,
            pending: None,
            to_callee: Way { target: format!("sip:{}@{}", self.plan.trunk(number), self.plan.proxy), route: String::new() },
            to_caller: Way::default(),
            answer: None,
        }
    }

    /// The first calls of this run are up already: somebody else has set them up. `route` gives the Route lines of a call by its
    /// Call-ID and number. Re-INVITEs come within the plan's time; the end comes by [`Generator::end`].
    pub fn adopt(&mut self, count: u32, route: impl Fn(&str, u32) -> String) -> Result<(), String> {
        if !self.calls.is_empty() {
            return Err("calls were begun already".to_owned());
        }
        let now = self.now();
        for number in 0..count {
            let mut call = self.plan_call(number);
            (call.stage, call.is_held, call.is_confirmed, call.accepted) = (Stage::Up, true, true, 1);
            let route = route(&self.call_id(number), number);
            call.to_callee = Way { target: self.callee_contact.clone(), route: route.clone() };
            call.to_caller = Way { target: self.caller_contact.clone(), route };
            for _ in 0..call.updates {
                self.arm(now, call.hold, number, Purpose::Update, 0);
            }
            self.calls.push(call);
        }
        Ok(())
    }

    /// Sends a request that wants an answer.
    fn request(&mut self, number: u32, side: Side, method: Method, sequence: u32, now: u64) -> Result<(), String> {
        let text = self.write(number, side, method, sequence);
        self.send(side, &text)?;
        let pending = Pending { text, side, method, sequence, sent: now, wait: T1, is_heard: false };
        self.open += 1;
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        call.serial = call.serial.wrapping_add(1);
        call.pending = Some(Box::new(pending));
        let serial = call.serial;
        self.arm(now, T1, number, Purpose::RepeatRequest, serial);
        Ok(())
    }

    /// The text of a request of this side.
    pub(super) fn write(&self, number: u32, side: Side, method: Method, sequence: u32) -> String {
        let mut out = String::with_capacity(900);
        let Some(call) = self.calls.get(number as usize) else { return out };
        let (way, contact) = match side {
            Side::Caller => (&call.to_callee, &self.caller_contact),
            Side::Callee => (&call.to_caller, &self.callee_contact),
        };
        let (name, run, way_back) = (method.name(), &self.run, contact.split_once('@').map_or("", |(_, address)| address));
        let caller = format!("<sip:{}@example.com>;tag=r{number}", self.plan.account(number));
        let callee = format!("<sip:{}@example.com>", self.plan.trunk(number));
        // An ACK to a 200 is a transaction of its own.
        let _ = write!(
            out,
            "{name} {} SIP/2.0\r\nVia: SIP/2.0/UDP {way_back};branch=z9hG4bK{number}-{sequence}-{name}-{run}\r\n{}Max-Forwards: 70\r\n",
            way.target, way.route
        );
        let callee_tag = if call.stage == Stage::Calling && method == Method::Invite { String::new() } else { format!(";tag=e{number}") };
        let _ = match side {
            Side::Caller => write!(out, "From: {caller}\r\nTo: {callee}{callee_tag}\r\n"),
            Side::Callee => write!(out, "From: {callee}{callee_tag}\r\nTo: {caller}\r\n"),
        };
        let _ = write!(out, "Call-ID: {number}.{run}\r\nCSeq: {sequence} {name}\r\nContact: <{contact}>\r\n");
        end(&mut out, if method == Method::Invite { SESSION } else { "" });
        out
    }

    /// What is due.
    pub(super) fn fire(&mut self, timer: Timer, now: u64) -> Result<(), String> {
        let Some(call) = self.calls.get(timer.number as usize) else { return Ok(()) };
        match timer.purpose {
            Purpose::Answer if call.answer_serial == timer.serial => self.answer(timer.number, now),
            Purpose::RepeatAnswer if call.answer_serial == timer.serial => self.repeat_answer(timer.number, now),
            Purpose::RepeatRequest if call.serial == timer.serial => self.repeat_request(timer.number, now),
            Purpose::Update | Purpose::End if call.stage == Stage::Up => {
                if call.pending.is_some() || call.answer.is_some() {
                    self.arm(now, LATER, timer.number, timer.purpose, 0);
                    Ok(())
                } else if timer.purpose == Purpose::Update {
                    self.update(timer.number, now)
                } else if call.is_held {
                    Ok(())
                } else {
                    self.hang_up(timer.number, call.ended_by, now)
                }
            }
            _ => Ok(()),
        }
    }

    fn update(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        call.caller_sequence += 1;
        call.offered = call.caller_sequence;
        let sequence = call.caller_sequence;
        self.request(number, Side::Caller, Method::Invite, sequence, now)
    }

    fn hang_up(&mut self, number: u32, side: Side, now: u64) -> Result<(), String> {
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        call.stage = Stage::Ending;
        let sequence = match side {
            Side::Caller => &mut call.caller_sequence,
            Side::Callee => &mut call.callee_sequence,
        };
        *sequence += 1;
        let sequence = *sequence;
        self.request(number, side, Method::Bye, sequence, now)
    }

    fn repeat_request(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(call) = self.calls.get_mut(number as usize) else { return Ok(()) };
        let serial = call.serial;
        let Some(pending) = call.pending.as_mut() else { return Ok(()) };
        if now.saturating_sub(pending.sent) > GIVEN_UP_AFTER {
            let method = pending.method;
            self.refused(number, method, 408);
            return Ok(());
        }
        let is_invite = pending.method == Method::Invite;
        pending.wait = if is_invite { pending.wait * 2 } else { (pending.wait * 2).min(T2) };
        let (side, wait, is_quiet) = (pending.side, pending.wait, is_invite && pending.is_heard);
        // Bounded by the end of the transaction, so that it is noticed.
        let wait = wait.min((GIVEN_UP_AFTER + 1).saturating_sub(now.saturating_sub(pending.sent)).max(1));
        if !is_quiet {
            let text = std::mem::take(&mut pending.text);
            let sent = self.send(side, &text);
            if let Some(pending) = self.call_mut(number).and_then(|call| call.pending.as_mut()) {
                pending.text = text;
            }
            self.totals.repeated += 1;
            sent?;
        }
        self.arm(now, wait, number, Purpose::RepeatRequest, serial);
        Ok(())
    }

    /// A request came to a bad end. A refused re-INVITE leaves the call up.
    pub(super) fn refused(&mut self, number: u32, method: Method, code: u16) {
        *self.totals.refused.entry((method, code)).or_default() += 1;
        self.settled(number);
        let Some(call) = self.call_mut(number) else { return };
        if method == Method::Bye || call.stage == Stage::Calling {
            self.leave(number, Stage::Failed);
        }
    }

    /// The request has its answer.
    pub(super) fn settled(&mut self, number: u32) {
        let Some(call) = self.call_mut(number) else { return };
        call.serial = call.serial.wrapping_add(1);
        if call.pending.take().is_some() {
            self.open -= 1;
        }
    }

    /// The call is over; neither side has anything left to do.
    pub(super) fn leave(&mut self, number: u32, stage: Stage) {
        self.settled(number);
        self.unanswered(number);
        self.over(number, stage);
        if let Some(call) = self.call_mut(number) {
            (call.to_callee, call.to_caller) = (Way::default(), Way::default());
        }
    }

    /// The call is over for its caller.
    fn over(&mut self, number: u32, stage: Stage) {
        let Some(call) = self.call_mut(number) else { return };
        let was_going = matches!(call.stage, Stage::Calling | Stage::Up | Stage::Ending) && !call.is_held;
        call.stage = stage;
        self.going -= usize::from(was_going);
    }

    /// Ends a call that is up, now; nothing is done to others.
    pub fn end(&mut self, number: u32) -> Result<(), String> {
        let now = self.now();
        let Some(call) = self.call_mut(number).filter(|call| call.stage == Stage::Up) else { return Ok(()) };
        let was_held = std::mem::replace(&mut call.is_held, false);
        self.going += usize::from(was_held);
        self.arm(now, 0, number, Purpose::End, 0);
        Ok(())
    }

    /// The proxy has died. What reached a socket of ours counts; calls without 200 are given up by their callers, and a callee
    /// that has answered such a call hangs up, as one whose 200 is never acknowledged does (RFC 3261 §13.3.1.4).
    pub fn proxy_died(&mut self) -> Result<(), String> {
        while self.receive()? {}
        let now = self.now();
        for number in 0..self.calls.len() as u32 {
            let Some(call) = self.call_mut(number).filter(|call| call.stage == Stage::Calling) else { continue };
            let has_answered = call.answer.as_ref().is_some_and(|answer| answer.sent.is_some());
            call.callee_sequence += u32::from(has_answered);
            let sequence = call.callee_sequence;
            self.settled(number);
            self.unanswered(number);
            if has_answered {
                self.over(number, Stage::Abandoned);
                self.request(number, Side::Callee, Method::Bye, sequence, now)?;
            } else {
                self.leave(number, Stage::Abandoned);
            }
        }
        Ok(())
    }

    /// The proxy is there again: what waits for an answer is sent again at once instead of by its timer.
    pub fn proxy_is_back(&mut self) -> Result<(), String> {
        let now = self.now();
        for number in 0..self.calls.len() as u32 {
            let Some(call) = self.call_mut(number) else { continue };
            let (serial, answer_serial) = (call.serial, call.answer_serial);
            let has_request = call.pending.is_some();
            let has_answer = call.answer.as_ref().is_some_and(|answer| answer.sent.is_some());
            if let Some(pending) = &mut call.pending {
                (pending.wait, pending.is_heard) = (T1 / 2, false);
            }
            if has_request {
                self.arm(now, 0, number, Purpose::RepeatRequest, serial);
            }
            if has_answer {
                self.arm(now, 0, number, Purpose::RepeatAnswer, answer_serial);
            }
        }
        Ok(())
    }
}
