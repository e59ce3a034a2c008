//! What the ends of a call do with the messages that come.

use super::Generator;
use super::call::{Answer, Pending, Side, Stage, Way};
use super::message::{Incoming, Method, SESSION};
use super::requests::{T1, T2};
use super::timers::Purpose;

/// How long a callee repeats its 200 (64 * T1), microseconds.
const ANSWER_TIME_MAX: u64 = 64 * T1;

impl Generator {
    /// One message.
    pub(super) fn take(&mut self, side: Side, text: &str) -> Result<(), String> {
        let now = self.now();
        let incoming = Incoming::read(text).filter(|incoming| incoming.run == self.run && (incoming.number as usize) < self.calls.len());
        let Some(incoming) = incoming else {
            self.totals.strays += 1;
            return Ok(());
        };
        match incoming.code {
            Some(code) => self.take_reply(side, &incoming, code, now),
            None => self.take_request(side, &incoming, now),
        }
    }

    fn take_reply(&mut self, side: Side, reply: &Incoming<'_>, code: u16, now: u64) -> Result<(), String> {
        let number = reply.number;
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        let is_awaited = |pending: &Pending| pending.side == side && pending.method == reply.method && pending.sequence == reply.sequence;
        let Some(pending) = call.pending.as_mut().filter(|pending| is_awaited(pending)) else {
            // A late copy of an answer: the callee has no ACK yet.
            if reply.method == Method::Invite && (200..300).contains(&code) && side == Side::Caller && call.accepted >= reply.sequence {
                return self.acknowledge(number, reply.sequence);
            }
            return Ok(());
        };
        if code < 200 {
            pending.is_heard = true;
            return Ok(());
        }
        let took = now.saturating_sub(pending.sent);
        if code >= 300 {
            if reply.method == Method::Invite {
                self.acknowledge_refusal(reply)?;
            }
            self.refused(number, reply.method, code);
            return Ok(());
        }
        if reply.method == Method::Bye {
            self.totals.byes.add(took);
            self.totals.ended += 1;
            self.leave(number, Stage::Ended);
            return Ok(());
        }
        self.settled(number);
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        call.accepted = reply.sequence;
        let (is_first, ring, hold, updates) = (call.stage == Stage::Calling, call.ring, call.hold, call.updates);
        if is_first {
            call.stage = Stage::Up;
            call.to_callee = Way { target: reply.contact.to_owned(), route: reply.route(true) };
            self.totals.answered += 1;
            self.totals.invites.add(took.saturating_sub(ring));
            for place in 1..=u64::from(updates) {
                self.arm(now, hold * place / (u64::from(updates) + 1), number, Purpose::Update, 0);
            }
            self.arm(now, hold, number, Purpose::End, 0);
        } else {
            self.totals.updated += 1;
        }
        self.acknowledge(number, reply.sequence)
    }

    fn acknowledge(&mut self, number: u32, sequence: u32) -> Result<(), String> {
        if self.calls.get(number as usize).is_none_or(|call| call.to_callee.target.is_empty()) {
            // The call is over; its callee has had the BYE.
            return Ok(());
        }
        let text = self.write(number, Side::Caller, Method::Ack, sequence);
        self.send(Side::Caller, &text)
    }

    /// Belongs to the transaction of the INVITE (RFC 3261 §17.1.1.3): its branch, the reply's To.
    fn acknowledge_refusal(&mut self, reply: &Incoming<'_>) -> Result<(), String> {
        let text = self.write(reply.number, Side::Caller, Method::Ack, reply.sequence);
        let lines = text.split("\r\n").map(|line| match line.split_once(": ") {
            Some(("Via", value)) => format!("Via: {}", value.replacen("-ACK-", "-INVITE-", 1)),
            Some(("To", _)) => format!("To: {}", reply.to),
            _ => line.to_owned(),
        });
        let text = lines.collect::<Vec<String>>().join("\r\n");
        self.send(Side::Caller, &text)
    }

    fn take_request(&mut self, side: Side, request: &Incoming<'_>, now: u64) -> Result<(), String> {
        match request.method {
            Method::Invite if side == Side::Callee => self.take_invite(request, now),
            Method::Ack => {
                self.unanswered(request.number);
                if let Some(call) = self.call_mut(request.number) {
                    call.is_confirmed = true;
                }
                Ok(())
            }
            Method::Bye => self.take_bye(side, request),
            _ => self.reply(side, request, "200 OK", ""),
        }
    }

    fn take_invite(&mut self, request: &Incoming<'_>, now: u64) -> Result<(), String> {
        let number = request.number;
        let Some(call) = self.calls.get(number as usize) else { return Ok(()) };
        let (ring, is_within) = (call.ring, request.is_within);
        if call.answer.is_some() {
            return self.take_copy(request);
        }
        if is_within && call.stage != Stage::Up {
            return self.reply(Side::Callee, request, "481 Call/Transaction Does Not Exist", "");
        }
        if !is_within && (call.stage != Stage::Calling || !call.to_caller.target.is_empty()) {
            return Ok(());
        }
        let mut out = std::mem::take(&mut self.out);
        if !is_within {
            request.reply(&mut out, "180 Ringing", &format!("e{number}"), &self.callee_contact, "");
            self.send(Side::Callee, &out)?;
        }
        request.reply(&mut out, "200 OK", &format!("e{number}"), &self.callee_contact, SESSION);
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        call.to_caller.target = request.contact.to_owned();
        if !is_within {
            call.to_caller.route = request.route(false);
        }
        call.answer_serial = call.answer_serial.wrapping_add(1);
        let serial = call.answer_serial;
        call.answer = Some(Box::new(Answer { text: out, sent: None, wait: T1 }));
        self.open += 1;
        if is_within || ring == 0 {
            return self.answer(number, now);
        }
        self.arm(now, ring, number, Purpose::Answer, serial);
        Ok(())
    }

    /// A copy of what was answered, perhaps on a way of its own: a proxy that forgot the first one made it anew.
    fn take_copy(&mut self, request: &Incoming<'_>) -> Result<(), String> {
        self.totals.repeated += 1;
        let mut out = String::new();
        request.reply(&mut out, "200 OK", &format!("e{}", request.number), &self.callee_contact, SESSION);
        let answer = self.call_mut(request.number).and_then(|call| call.answer.as_mut());
        let Some(answer) = answer else { return Ok(()) };
        answer.text.clone_from(&out);
        if answer.sent.is_some() { self.send(Side::Callee, &out) } else { Ok(()) }
    }

    /// The callee's 200 leaves.
    pub(super) fn answer(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(call) = self.call_mut(number) else { return Ok(()) };
        let serial = call.answer_serial;
        let Some(answer) = call.answer.as_mut() else { return Ok(()) };
        answer.sent.get_or_insert(now);
        let (text, wait) = (std::mem::take(&mut answer.text), answer.wait);
        let sent = self.send(Side::Callee, &text);
        if let Some(answer) = self.call_mut(number).and_then(|call| call.answer.as_mut()) {
            answer.text = text;
        }
        sent?;
        self.arm(now, wait, number, Purpose::RepeatAnswer, serial);
        Ok(())
    }

    pub(super) fn repeat_answer(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(answer) = self.call_mut(number).and_then(|call| call.answer.as_mut()) else { return Ok(()) };
        if answer.sent.is_some_and(|sent| now.saturating_sub(sent) > ANSWER_TIME_MAX) {
            self.unanswered(number);
            *self.totals.refused.entry((Method::Ack, 408)).or_default() += 1;
            return Ok(());
        }
        answer.wait = (answer.wait * 2).min(T2);
        self.totals.repeated += 1;
        self.answer(number, now)
    }

    /// The callee's 200 needs no more repetition.
    pub(super) fn unanswered(&mut self, number: u32) {
        let Some(call) = self.call_mut(number) else { return };
        if call.answer.take().is_some() {
            call.answer_serial = call.answer_serial.wrapping_add(1);
            self.open -= 1;
        }
    }

    fn take_bye(&mut self, side: Side, request: &Incoming<'_>) -> Result<(), String> {
        self.reply(side, request, "200 OK", "")?;
        let Some(call) = self.call_mut(request.number) else { return Ok(()) };
        // The other end's own BYE; or one that neither sent.
        let is_sent = call.pending.as_ref().is_some_and(|pending| pending.method == Method::Bye && pending.side == side.other());
        if call.stage == Stage::Up && !is_sent {
            self.totals.cut += 1;
            self.leave(request.number, Stage::Ended);
        } else {
            self.unanswered(request.number);
        }
        Ok(())
    }

    fn reply(&mut self, side: Side, request: &Incoming<'_>, status: &str, body: &str) -> Result<(), String> {
        let mut out = std::mem::take(&mut self.out);
        let (tag, contact) = match side {
            Side::Caller => (format!("r{}", request.number), &self.caller_contact),
            Side::Callee => (format!("e{}", request.number), &self.callee_contact),
        };
        request.reply(&mut out, status, &tag, contact, body);
        let sent = self.send(side, &out);
        self.out = out;
        sent
    }
}
