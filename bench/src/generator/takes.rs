//! What the ends of a call do with the messages that come.

use super::Generator;
use super::call::{Answer, Pending, Side, Stage, Way};
use super::message::{Incoming, Method, NO_BODY, SESSION, put};
use super::requests::{T1, T2};
use super::text::Digits;
use super::timers::Purpose;

/// How long a callee repeats its 200 (64 * T1), microseconds.
const ANSWER_TIME_MAX: u64 = 64 * T1;

/// Room for what replies echo, usually enough.
const ECHO_BYTES: usize = 1_024;

/// The tag a side gives itself in a call.
fn tag(side: Side, number: u32) -> Digits {
    match side {
        Side::Caller => Digits::behind(b'r', number),
        Side::Callee => Digits::behind(b'e', number),
    }
}

/// The callee's 200 to an INVITE.
fn answer(echo: &[u8]) -> Box<[u8]> {
    [b"SIP/2.0 200 OK\r\n", echo, SESSION].concat().into_boxed_slice()
}

impl Generator {
    /// One message that came to a peer.
    pub(super) fn take(&mut self, place: usize, bytes: &[u8], now: u64) -> Result<(), String> {
        let is_ours = |incoming: &Incoming<'_>| incoming.run == self.run.as_bytes() && self.roster.call(incoming.number).is_some();
        let Some(incoming) = Incoming::read(bytes).filter(is_ours) else {
            self.totals.strays += 1;
            return Ok(());
        };
        match incoming.code {
            Some(code) => self.take_reply(self.peers.side(place), &incoming, code, now),
            None => self.take_request(place, &incoming, now),
        }
    }

    fn take_reply(&mut self, side: Side, reply: &Incoming<'_>, code: u16, now: u64) -> Result<(), String> {
        let number = reply.number;
        let is_awaited =
            |pending: &&mut Pending| pending.side == side && pending.method == reply.method && pending.sequence == reply.sequence;
        let pending = self.roster.ends_mut(number).and_then(|ends| ends.pending.as_mut()).filter(is_awaited);
        let Some(pending) = pending else { return self.take_late_reply(side, reply, code) };
        let took = now.saturating_sub(pending.sent);
        if code < 200 {
            pending.is_heard = true;
            if code == 180 && !std::mem::replace(&mut pending.is_ringing, true) {
                self.totals.ringing.add(took);
            }
            return Ok(());
        }
        if code >= 300 {
            if reply.method == Method::Invite {
                self.send_request(number, Side::Caller, Method::Ack, reply.sequence, Some(reply.to()))?;
            }
            self.refused(number, reply.method, code, now);
            return Ok(());
        }
        if reply.method == Method::Bye {
            self.totals.byes.add(took);
            self.totals.ended += 1;
            self.leave(number, Stage::Ended, now);
            return Ok(());
        }
        self.settled(number, now);
        let Some((call, ends)) = self.roster.both_mut(number) else { return Ok(()) };
        call.accepted = reply.sequence;
        if call.stage != Stage::Calling {
            self.totals.updated += 1;
            return self.acknowledge(number, reply.sequence);
        }
        call.stage = Stage::Up;
        ends.to_callee = Way::new(reply.contact(), &reply.routes(true));
        let (ring, hold, updates, is_held) = (u64::from(ends.ring), u64::from(ends.hold), u64::from(ends.updates), call.is_held);
        self.totals.answered += 1;
        self.totals.invites.add(took.saturating_sub(ring));
        for place in 1..=updates {
            self.arm(now, hold * place / (updates + 1), number, Purpose::Update, 0);
        }
        if !is_held {
            self.arm(now, hold, number, Purpose::End, 0);
        }
        self.acknowledge(number, reply.sequence)
    }

    /// A reply that nobody waits for any more.
    fn take_late_reply(&mut self, side: Side, reply: &Incoming<'_>, code: u16) -> Result<(), String> {
        let Some(call) = self.roster.call(reply.number) else { return Ok(()) };
        if side != Side::Caller || reply.method != Method::Invite {
            return Ok(());
        }
        let is_accepted = call.accepted >= reply.sequence;
        match code {
            101..200 if is_accepted => self.totals.reordered += 1,
            // The callee has no ACK yet.
            200..300 if is_accepted => return self.acknowledge(reply.number, reply.sequence),
            300.. if call.stage == Stage::Failed && call.accepted == 0 => {
                self.totals.repeated += 1;
                return self.send_request(reply.number, Side::Caller, Method::Ack, reply.sequence, Some(reply.to()));
            }
            _ => {}
        }
        Ok(())
    }

    fn acknowledge(&mut self, number: u32, sequence: u32) -> Result<(), String> {
        if self.roster.ends(number).is_none() {
            // The call is over; its callee has had the BYE.
            return Ok(());
        }
        self.send_request(number, Side::Caller, Method::Ack, sequence, None)
    }

    fn take_request(&mut self, place: usize, request: &Incoming<'_>, now: u64) -> Result<(), String> {
        match request.method {
            Method::Invite if self.peers.side(place) == Side::Callee => self.take_invite(place, request, now),
            Method::Ack => {
                self.unanswered(request.number, now);
                if let Some(call) = self.roster.call_mut(request.number) {
                    call.is_confirmed = true;
                }
                Ok(())
            }
            Method::Bye => self.take_bye(place, request, now),
            _ => self.reply(place, request, "200 OK"),
        }
    }

    fn take_invite(&mut self, place: usize, request: &Incoming<'_>, now: u64) -> Result<(), String> {
        let number = request.number;
        let Some(call) = self.roster.call(number) else { return Ok(()) };
        let (stage, is_within) = (call.stage, request.is_within());
        let ends = self.roster.ends(number);
        if ends.is_some_and(|ends| ends.answer.is_some()) {
            return self.take_copy(place, request);
        }
        if is_within && stage != Stage::Up {
            return self.reply(place, request, "481 Call/Transaction Does Not Exist");
        }
        let is_answered = ends.is_none_or(|ends| !ends.to_caller.is_unknown());
        if !is_within && (stage != Stage::Calling || is_answered) {
            return Ok(());
        }
        let echo = self.echo(place, request);
        if !is_within && self.plan.rings {
            self.peers.send(place, |out, _| put(out, &[b"SIP/2.0 180 Ringing\r\n", &echo, NO_BODY]))?;
        }
        let text = answer(&echo);
        let Some(ends) = self.roster.ends_mut(number) else { return Ok(()) };
        if is_within {
            ends.to_caller = Way::new(request.contact(), ends.to_caller.routes());
        } else {
            (ends.to_caller, ends.callee) = (Way::new(request.contact(), &request.routes(false)), place);
        }
        ends.answer_serial = ends.answer_serial.wrapping_add(1);
        let (serial, ring) = (ends.answer_serial, u64::from(ends.ring));
        ends.answer = Some(Box::new(Answer { text, sent: None, wait: T1 as u32 }));
        self.open += 1;
        if is_within || ring == 0 {
            return self.answer(number, now);
        }
        self.arm(now, ring, number, Purpose::Answer, serial);
        Ok(())
    }

    /// What all replies of this peer to a request have in common.
    fn echo(&self, place: usize, request: &Incoming<'_>) -> Vec<u8> {
        let contact = self.peers.identity(place).map_or("", |identity| &identity.contact);
        let mut echo = Vec::with_capacity(ECHO_BYTES);
        request.echo(&mut echo, tag(self.peers.side(place), request.number).bytes(), contact);
        echo
    }

    /// A copy of what was answered, perhaps on a way of its own: a proxy that forgot the first one made it anew.
    fn take_copy(&mut self, place: usize, request: &Incoming<'_>) -> Result<(), String> {
        self.totals.repeated += 1;
        let text = answer(&self.echo(place, request));
        let Generator { roster, peers, .. } = self;
        let Some(ends) = roster.ends_mut(request.number) else { return Ok(()) };
        ends.callee = place;
        let Some(answer) = &mut ends.answer else { return Ok(()) };
        answer.text = text;
        if answer.sent.is_some() { peers.send(place, |out, _| out.extend_from_slice(&answer.text)) } else { Ok(()) }
    }

    /// The callee's 200 leaves.
    pub(super) fn answer(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Generator { roster, peers, timers, .. } = self;
        let Some(ends) = roster.ends_mut(number) else { return Ok(()) };
        let Some(answer) = &mut ends.answer else { return Ok(()) };
        answer.sent.get_or_insert(now);
        timers.arm(now, u64::from(answer.wait), number, Purpose::RepeatAnswer, ends.answer_serial);
        peers.send(ends.callee, |out, _| out.extend_from_slice(&answer.text))
    }

    pub(super) fn repeat_answer(&mut self, number: u32, now: u64) -> Result<(), String> {
        let Some(answer) = self.roster.ends_mut(number).and_then(|ends| ends.answer.as_mut()) else { return Ok(()) };
        if answer.sent.is_some_and(|sent| now.saturating_sub(sent) > ANSWER_TIME_MAX) {
            self.unanswered(number, now);
            *self.totals.refused.entry((Method::Ack, 408)).or_default() += 1;
            return Ok(());
        }
        answer.wait = (answer.wait * 2).min(T2 as u32);
        self.totals.repeated += 1;
        self.answer(number, now)
    }

    fn take_bye(&mut self, place: usize, request: &Incoming<'_>, now: u64) -> Result<(), String> {
        self.reply(place, request, "200 OK")?;
        let Some((call, ends)) = self.roster.both_mut(request.number) else { return Ok(()) };
        // The other end's own BYE; or one that neither sent.
        let other = self.peers.side(place).other();
        let is_sent = ends.pending.is_some_and(|pending| pending.method == Method::Bye && pending.side == other);
        if call.stage == Stage::Up && !is_sent {
            self.totals.cut += 1;
            self.leave(request.number, Stage::Ended, now);
        } else {
            self.unanswered(request.number, now);
        }
        Ok(())
    }

    fn reply(&mut self, place: usize, request: &Incoming<'_>, status: &str) -> Result<(), String> {
        let tag = tag(self.peers.side(place), request.number);
        self.peers.send(place, |out, own| {
            put(out, &[b"SIP/2.0 ", status.as_bytes(), b"\r\n"]);
            request.echo(out, tag.bytes(), &own.contact);
            put(out, &[NO_BODY]);
        })
    }
}
