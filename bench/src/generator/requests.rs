//! What the ends of a call send by themselves: requests, their repetition, and how a call ends.

use std::time::Duration;

use super::Generator;
use super::call::{Call, Ends, Pending, Side, Stage, Way};
use super::message::Method;
use super::outgoing::{Request, Target};
use super::roster::Roster;
use super::timers::{Purpose, Timer};

/// RFC 3261 T1 and T2, and the end of all transactions (64 * T1), microseconds.
pub(super) const T1: u64 = 500_000;
pub(super) const T2: u64 = 4_000_000;
const GIVEN_UP_AFTER: u64 = 64 * T1;

/// Whether what a timer is for has not been done or dropped meanwhile.
pub(super) fn is_wanted(roster: &Roster, timer: &Timer) -> bool {
    match timer.purpose {
        Purpose::Answer | Purpose::RepeatAnswer => roster.ends(timer.number).is_some_and(|ends| ends.answer_serial == timer.serial),
        Purpose::RepeatRequest => roster.ends(timer.number).is_some_and(|ends| ends.serial == timer.serial),
        Purpose::Update | Purpose::End => roster.call(timer.number).is_some_and(|call| call.stage == Stage::Up),
    }
}

fn microseconds(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

impl Generator {
    /// Begins a call.
    pub(super) fn launch(&mut self, now: u64) -> Result<(), String> {
        let number = self.roster.next_number()?;
        let (call, ends) = self.plan_call(number);
        self.going += usize::from(!call.is_held);
        self.roster.add(call, ends);
        self.totals.begun += 1;
        self.request(number, Side::Caller, Method::Invite, 1, now)
    }

    /// A call with what chance gives it.
    fn plan_call(&mut self, number: u32) -> (Call, Ends) {
        let updates = (self.random.part() * (f64::from(self.plan.updates_max) + 1.0)) as u8;
        let is_held = self.random.happens(self.plan.held_share);
        let ring = microseconds(self.random.within(&self.plan.ring));
        let hold = microseconds(self.random.within(&self.plan.hold));
        let ended_by = if self.random.happens(self.plan.callee_ends_share) { Side::Callee } else { Side::Caller };
        let call = Call { stage: Stage::Calling, is_held, is_confirmed: false, offered: 1, accepted: 0, ends: 0 };
        (call, Ends::new(self.peers.callee(number), ring, hold, updates.min(self.plan.updates_max), ended_by))
    }

    /// The first calls of this run are up already: somebody else has set them up. `route` gives the Route lines of a call by its
    /// Call-ID and number. Re-INVITEs come within the plan's time; the end comes by [`Generator::end`].
    pub fn adopt(&mut self, count: u32, route: impl Fn(&str, u32) -> String) -> Result<(), String> {
        if self.roster.len() > 0 {
            return Err("calls were begun already".to_owned());
        }
        let now = self.now();
        for number in 0..count {
            let (mut call, mut ends) = self.plan_call(number);
            (call.stage, call.is_held, call.is_confirmed, call.accepted) = (Stage::Up, true, true, 1);
            let route = route(&self.call_id(number), number);
            let way_to = |place| {
                let target = self.peers.identity(place).map_or("", |identity| &identity.contact);
                Way::new(target.as_bytes(), route.as_bytes())
            };
            (ends.to_callee, ends.to_caller) = (way_to(ends.callee), way_to(self.peers.caller(number)));
            let (hold, updates) = (u64::from(ends.hold), ends.updates);
            self.roster.add(call, ends);
            for _ in 0..updates {
                self.arm(now, hold, number, Purpose::Update, 0);
            }
        }
        Ok(())
    }

    /// Sends a request that wants an answer.
    fn request(&mut self, number: u32, side: Side, method: Method, sequence: u32, now: u64) -> Result<(), String> {
        let Some(ends) = self.roster.ends_mut(number) else { return Ok(()) };
        let (is_heard, is_ringing, wait) = (false, false, T1 as u32);
        self.open += usize::from(ends.pending.is_none());
        ends.pending = Some(Pending { side, method, is_heard, is_ringing, sequence, wait, sent: now });
        ends.serial = ends.serial.wrapping_add(1);
        let serial = ends.serial;
        self.arm(now, T1, number, Purpose::RepeatRequest, serial);
        self.send_request(number, side, method, sequence, None)
    }

    /// Sends a request of this side; `refusal` is the To of what an ACK acknowledges.
    pub(super) fn send_request(
        &mut self,
        number: u32,
        side: Side,
        method: Method,
        sequence: u32,
        refusal: Option<&[u8]>,
    ) -> Result<(), String> {
        let Generator { plan, run, hosts, peers, roster, .. } = self;
        let Some(call) = roster.call(number) else { return Ok(()) };
        let ends = roster.ends(number);
        let place = match side {
            Side::Caller => peers.caller(number),
            Side::Callee => ends.map_or(peers.callee(number), |ends| ends.callee),
        };
        let way = ends.map(|ends| if side == Side::Caller { &ends.to_callee } else { &ends.to_caller });
        let target = match way.filter(|way| !way.is_unknown()) {
            Some(way) => Target::Known { target: way.target(), routes: way.routes() },
            None => Target::Trunk(hosts.get(number as usize % hosts.len()).map_or("", String::as_str)),
        };
        let request = Request {
            side,
            method,
            transaction: if refusal.is_some() { Method::Invite } else { method },
            sequence,
            number,
            run,
            target,
            account: plan.account_number(number),
            trunk: plan.trunk_number(number),
            is_within: call.stage != Stage::Calling || method != Method::Invite,
            to: refusal,
        };
        peers.send(place, |out, own| request.write(out, own))
    }

    /// What is due.
    pub(super) fn fire(&mut self, timer: Timer, now: u64) -> Result<(), String> {
        if !is_wanted(&self.roster, &timer) {
            return Ok(());
        }
        self.is_late((now - timer.at) as f64);
        match timer.purpose {
            Purpose::Answer => self.answer(timer.number, now),
            Purpose::RepeatAnswer => self.repeat_answer(timer.number, now),
            Purpose::RepeatRequest => self.repeat_request(timer.number, now),
            Purpose::Update | Purpose::End => self.step(timer, now),
        }
    }

    /// A re-INVITE or the end of a call that is up; while a request or an answer is on its way it waits for that.
    fn step(&mut self, timer: Timer, now: u64) -> Result<(), String> {
        let Some((call, ends)) = self.roster.both_mut(timer.number) else { return Ok(()) };
        let is_update = timer.purpose == Purpose::Update;
        if ends.pending.is_some() || ends.answer.is_some() {
            ends.updates_waiting += u8::from(is_update);
            ends.is_end_waiting |= !is_update;
            return Ok(());
        }
        if is_update {
            ends.caller_sequence += 1;
            call.offered = ends.caller_sequence;
            let sequence = call.offered;
            return self.request(timer.number, Side::Caller, Method::Invite, sequence, now);
        }
        if call.is_held {
            return Ok(());
        }
        call.stage = Stage::Ending;
        let side = ends.ended_by;
        let sequence = match side {
            Side::Caller => &mut ends.caller_sequence,
            Side::Callee => &mut ends.callee_sequence,
        };
        *sequence += 1;
        let sequence = *sequence;
        self.request(timer.number, side, Method::Bye, sequence, now)
    }

    fn repeat_request(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(ends) = self.roster.ends_mut(number) else { return Ok(()) };
        let serial = ends.serial;
        let Some(pending) = ends.pending.as_mut() else { return Ok(()) };
        let Pending { side, method, sequence, sent, .. } = *pending;
        let since = now.saturating_sub(sent);
        if since > GIVEN_UP_AFTER {
            self.refused(number, method, 408, now);
            return Ok(());
        }
        let is_invite = method == Method::Invite;
        let doubled = u64::from(pending.wait) * 2;
        // An INVITE's times are bounded by the end of the transaction, so that it is noticed.
        let wait = if is_invite { doubled.min(GIVEN_UP_AFTER) } else { doubled.min(T2) };
        pending.wait = wait as u32;
        let is_quiet = is_invite && pending.is_heard;
        self.arm(now, wait.min((GIVEN_UP_AFTER + 1).saturating_sub(since).max(1)), number, Purpose::RepeatRequest, serial);
        if is_quiet {
            return Ok(());
        }
        self.totals.repeated += 1;
        self.send_request(number, side, method, sequence, None)
    }

    /// A request came to a bad end. A refused re-INVITE leaves the call up.
    pub(super) fn refused(&mut self, number: u32, method: Method, code: u16, now: u64) {
        *self.totals.refused.entry((method, code)).or_default() += 1;
        if method == Method::Bye || self.roster.call(number).is_some_and(|call| call.stage == Stage::Calling) {
            self.leave(number, Stage::Failed, now);
        } else {
            self.settled(number, now);
        }
    }

    /// The request has its answer.
    pub(super) fn settled(&mut self, number: u32, now: u64) {
        let Some(ends) = self.roster.ends_mut(number) else { return };
        ends.serial = ends.serial.wrapping_add(1);
        self.open -= usize::from(ends.pending.take().is_some());
        self.resume(number, now);
    }

    /// The callee's 200 needs no more repetition.
    pub(super) fn unanswered(&mut self, number: u32, now: u64) {
        let Some(ends) = self.roster.ends_mut(number) else { return };
        if ends.answer.take().is_some() {
            ends.answer_serial = ends.answer_serial.wrapping_add(1);
            self.open -= 1;
        }
        self.resume(number, now);
    }

    /// What has waited for a request or an answer is due when both are done.
    fn resume(&mut self, number: u32, now: u64) {
        let Some((call, ends)) = self.roster.both_mut(number) else { return };
        if call.stage != Stage::Up || ends.pending.is_some() || ends.answer.is_some() {
            return;
        }
        let purpose = if ends.updates_waiting > 0 {
            ends.updates_waiting -= 1;
            Purpose::Update
        } else if std::mem::take(&mut ends.is_end_waiting) {
            Purpose::End
        } else {
            return;
        };
        self.arm(now, 0, number, purpose, 0);
    }

    /// The call is over; neither side has anything left to do.
    pub(super) fn leave(&mut self, number: u32, stage: Stage, now: u64) {
        self.over(number, stage);
        self.settled(number, now);
        self.unanswered(number, now);
        self.roster.release(number);
    }

    /// The call is over for its caller.
    fn over(&mut self, number: u32, stage: Stage) {
        let Some(call) = self.roster.call_mut(number) else { return };
        let was_going = matches!(call.stage, Stage::Calling | Stage::Up | Stage::Ending) && !call.is_held;
        call.stage = stage;
        self.going -= usize::from(was_going);
    }

    /// Ends a call that is up, now; nothing is done to others.
    pub fn end(&mut self, number: u32) -> Result<(), String> {
        let now = self.now();
        let Some(call) = self.roster.call_mut(number).filter(|call| call.stage == Stage::Up) else { return Ok(()) };
        let was_held = std::mem::replace(&mut call.is_held, false);
        self.going += usize::from(was_held);
        self.arm(now, 0, number, Purpose::End, 0);
        Ok(())
    }

    /// The proxy has died. What reached a socket of ours counts; calls without 200 are given up by their callers, and a callee
    /// that has answered such a call hangs up, as one whose 200 is never acknowledged does (RFC 3261 §13.3.1.4).
    pub fn proxy_died(&mut self) -> Result<(), String> {
        let mut has_come = true;
        while has_come {
            self.peers.wait(Duration::ZERO)?;
            has_come = self.receive()?;
        }
        let now = self.now();
        for number in 0..self.roster.next_number()? {
            let Some((_, ends)) = self.roster.both_mut(number).filter(|(call, _)| call.stage == Stage::Calling) else { continue };
            let has_answered = ends.answer.as_ref().is_some_and(|answer| answer.sent.is_some());
            ends.callee_sequence += u32::from(has_answered);
            let sequence = ends.callee_sequence;
            self.settled(number, now);
            self.unanswered(number, now);
            if has_answered {
                self.over(number, Stage::Abandoned);
                self.request(number, Side::Callee, Method::Bye, sequence, now)?;
            } else {
                self.leave(number, Stage::Abandoned, now);
            }
        }
        self.peers.flush()
    }

    /// The proxy is there again: what waits for an answer is sent again at once instead of by its timer.
    pub fn proxy_is_back(&mut self) -> Result<(), String> {
        let now = self.now();
        for number in 0..self.roster.next_number()? {
            let Some(ends) = self.roster.ends_mut(number) else { continue };
            let has_answer = ends.answer.as_ref().is_some_and(|answer| answer.sent.is_some());
            ends.answer_serial = ends.answer_serial.wrapping_add(u16::from(has_answer));
            let has_request = ends.pending.is_some();
            ends.serial = ends.serial.wrapping_add(u16::from(has_request));
            let (serial, answer_serial) = (ends.serial, ends.answer_serial);
            if let Some(pending) = &mut ends.pending {
                (pending.wait, pending.is_heard) = (T1 as u32 / 2, false);
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
