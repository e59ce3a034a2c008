//! What a party does of its own will, as the plan of the call says.

use super::{Alarm, Party, Step};
use crate::plan::Behaviour;

/// Milliseconds after which a caller of the kind that cancels early does so.
const CANCEL_AFTER: u64 = 900;

impl Party {
    pub(super) fn own_uri(&self) -> String {
        format!("sip:{}@example.com", self.plan.account)
    }

    pub(super) fn peer_uri(&self) -> String {
        format!("sip:bob@{}", self.proxy)
    }

    /// The caller's first INVITE.
    pub(super) fn begin(&mut self, step: &mut Step<'_>) {
        let user = if self.plan.behaviour == Behaviour::Spiral { "spiral-bob" } else { "bob" };
        let uri = format!("sip:{user}@{}", self.proxy);
        let tag = self.token();
        let head = format!("From: <{}>;tag={tag}\r\nTo: <{}>\r\n", self.own_uri(), self.peer_uri());
        let proxy = self.proxy;
        self.request(step, "INVITE", &uri, proxy, 1, &head, None);
        match self.plan.behaviour {
            Behaviour::Cancelled => step.wake(CANCEL_AFTER, Alarm::Cancel),
            Behaviour::CancelledAtAnswer => {
                // Near the moment when the 200 is on its way.
                let jitter = step.random.below(80);
                step.wake((self.plan.answer + jitter).saturating_sub(40), Alarm::Cancel);
            }
            Behaviour::NoAnswer if self.plan.talk > 7_000 => step.wake(60_000, Alarm::Cancel),
            Behaviour::CallerVanishes => self.is_gone = true,
            _ => {}
        }
    }

    /// The callee sees the INVITE.
    pub(super) fn invited(&mut self, step: &mut Step<'_>, server: usize) {
        self.open_leg(server);
        match self.plan.behaviour {
            Behaviour::MuteCallee => return,
            Behaviour::NoAnswer => {}
            // Two callees of one call answer at nearly the same moment, so that their 200s cross.
            _ => {
                let jitter = step.random.below(30);
                step.wake(self.plan.answer + jitter, Alarm::Answer(server));
            }
        }
        if let Some(ring) = self.plan.ring {
            step.wake(ring, Alarm::Ring(server));
        } else {
            self.reply(step, server, 100, "Trying", "");
        }
    }

    pub(super) fn ring(&mut self, step: &mut Step<'_>, server: usize) {
        if self.servers.get(server).is_some_and(|server| server.status == 0) {
            self.reply(step, server, 180, "Ringing", "");
        }
    }

    /// The callee decides.
    pub(super) fn answer(&mut self, step: &mut Step<'_>, server: usize) {
        let Some((0, leg)) = self.servers.get(server).map(|server| (server.status, server.leg)) else { return };
        match self.plan.behaviour {
            Behaviour::Busy => return self.reply(step, server, 486, "Busy Here", ""),
            Behaviour::Declined => return self.reply(step, server, 603, "Decline", ""),
            _ => {}
        }
        if let Some(leg) = leg.and_then(|leg| self.legs.get_mut(leg)) {
            leg.is_answered = true;
        }
        self.reply(step, server, 200, "OK", "");
        let Some(leg) = leg else { return };
        match self.plan.behaviour {
            Behaviour::CalleeHangsUp | Behaviour::BothHangUp => step.wake(self.plan.talk + 100, Alarm::HangUp(leg)),
            Behaviour::Renegotiated => step.wake(self.plan.talk / 2 + 1_000, Alarm::Renegotiate(leg)),
            Behaviour::CalleeVanishes => self.is_gone = true,
            _ => {}
        }
    }

    /// The caller has a 2xx. `is_second`: another one won before.
    pub(super) fn call_answered(&mut self, step: &mut Step<'_>, leg: usize, is_second: bool) {
        if is_second || self.gave_up() {
            return self.hang_up(step, leg);
        }
        let talk = self.plan.talk;
        match self.plan.behaviour {
            Behaviour::CallerHangsUp | Behaviour::Spiral | Behaviour::Cancelled => step.wake(talk + 100, Alarm::HangUp(leg)),
            Behaviour::BothHangUp => {
                let jitter = step.random.below(20);
                step.wake(talk + 100 + jitter, Alarm::HangUp(leg));
            }
            Behaviour::ByeAtAnswer => self.hang_up(step, leg),
            Behaviour::Renegotiated => {
                step.wake(talk / 2, Alarm::Renegotiate(leg));
                step.wake(talk + 5_000, Alarm::HangUp(leg));
            }
            _ => {}
        }
    }

    pub(super) fn hang_up(&mut self, step: &mut Step<'_>, leg: usize) {
        let Some(dialog) = self.legs.get_mut(leg).filter(|leg| !leg.is_over) else { return };
        dialog.is_over = true;
        self.request_within(step, leg, "BYE");
    }

    pub(super) fn renegotiate(&mut self, step: &mut Step<'_>, leg: usize) {
        if self.legs.get(leg).is_some_and(|leg| !leg.is_over) {
            self.request_within(step, leg, "INVITE");
        }
    }
}
