//! What a party does of its own will, as the plan of the call says.

use super::client::Request;
use super::{Alarm, Party, Step};
use crate::plan::Behaviour;

/// Milliseconds after which a caller of the kind that cancels early does so.
const CANCEL_AFTER: u64 = 900;

/// Transactions of one party after which it gives up to change the call.
const GLARES_MAX: usize = 12;

/// Re-INVITEs, and as many INFOs, of a caller in haste.
const HASTY_REQUESTS: usize = 10;

impl Party {
    pub(super) fn own_uri(&self) -> String {
        format!("sip:{}@example.com", self.plan.account)
    }

    pub(super) fn peer_uri(&self) -> String {
        format!("sip:bob@{}", self.proxy)
    }

    /// The caller's first INVITE.
    pub(super) fn begin(&mut self, step: &mut Step<'_>) {
        let uri = format!("sip:{}bob@{}", self.plan.behaviour.prefix(), self.proxy);
        let tag = self.token();
        let lifetime = self.plan.lifetime.map(|seconds| format!("X-Seconds: {seconds}\r\n")).unwrap_or_default();
        let wish = self.plan.wish.map(|wish| format!("X-Wish: {wish}\r\n")).unwrap_or_default();
        let head = format!("From: <{}>;tag={tag}\r\nTo: <{}>\r\n{lifetime}{wish}", self.own_uri(), self.peer_uri());
        let proxy = self.proxy;
        self.request(step, Request { method: "INVITE", uri: &uri, destination: proxy, cseq: 1, head: &head, leg: None });
        match self.plan.behaviour {
            Behaviour::Cancelled => step.wake(CANCEL_AFTER, Alarm::Cancel),
            Behaviour::CancelledAtAnswer => {
                // Near the moment when the 200 is on its way.
                let jitter = step.random.below(80);
                step.wake((self.plan.answer + jitter).saturating_sub(40), Alarm::Cancel);
            }
            Behaviour::NoAnswer if self.plan.talk > 7_000 => step.wake(60_000, Alarm::Cancel),
            Behaviour::Suspended | Behaviour::Held => {
                // Never, once or several times; now and then the caller gives up meanwhile.
                for _ in 0..step.random.below(4) {
                    let delay = step.random.below(6_000);
                    step.wake(delay, Alarm::Continue);
                }
                if self.plan.talk > 10_000 {
                    step.wake(self.plan.answer, Alarm::Cancel);
                }
            }
            Behaviour::Napping | Behaviour::Named if self.plan.talk > 10_000 => step.wake(self.plan.answer / 2, Alarm::Cancel),
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
            // Two callees of one call mostly answer at nearly the same moment, so that their 200s cross.
            _ => {
                let jitter = step.random.below(self.plan.answers_apart);
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
            match self.plan.behaviour {
                Behaviour::Reliable => self.reply(step, server, 183, "Session Progress", "Require: 100rel\r\nRSeq: 1\r\n"),
                _ => self.reply(step, server, 180, "Ringing", ""),
            }
        }
    }

    /// The callee decides.
    pub(super) fn answer(&mut self, step: &mut Step<'_>, server: usize) {
        let Some((0, leg)) = self.servers.get(server).map(|server| (server.status, server.leg)) else { return };
        match self.plan.behaviour {
            Behaviour::Busy => return self.reply(step, server, 486, "Busy Here", ""),
            Behaviour::Declined => return self.reply(step, server, 603, "Decline", ""),
            Behaviour::Refused => return self.refuse(step, server),
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
            Behaviour::Glare => step.wake(self.plan.talk / 2 + 200, Alarm::Renegotiate(leg)),
            Behaviour::Churn => {
                step.wake(self.plan.talk / 3 + 300, Alarm::Within(leg, "INFO"));
                step.wake(self.plan.talk / 2 + 300, Alarm::Within(leg, "INFO"));
            }
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
            Behaviour::CallerHangsUp
            | Behaviour::Spiral
            | Behaviour::Cancelled
            | Behaviour::Reliable
            | Behaviour::Suspended
            | Behaviour::Held
            | Behaviour::Napping
            | Behaviour::Named => step.wake(talk + 100, Alarm::HangUp(leg)),
            Behaviour::BothHangUp => {
                let jitter = step.random.below(20);
                step.wake(talk + 100 + jitter, Alarm::HangUp(leg));
            }
            Behaviour::ByeAtAnswer => self.hang_up(step, leg),
            Behaviour::Renegotiated => {
                step.wake(talk / 2, Alarm::Renegotiate(leg));
                step.wake(talk + 5_000, Alarm::HangUp(leg));
            }
            Behaviour::Glare => {
                let jitter = step.random.below(40);
                step.wake(talk / 2 + 180 + jitter, Alarm::Renegotiate(leg));
                step.wake(talk + 9_000, Alarm::HangUp(leg));
            }
            Behaviour::Churn => {
                step.wake(talk / 4 + 100, Alarm::Within(leg, "INFO"));
                step.wake(talk / 3 + 200, Alarm::Within(leg, "UPDATE"));
                step.wake(talk / 2 + 300, Alarm::Within(leg, "INFO"));
                step.wake(talk + 500, Alarm::HangUp(leg));
            }
            Behaviour::Hasty => {
                for _ in 0..HASTY_REQUESTS {
                    let delay = step.random.below(talk + 1);
                    step.wake(delay, Alarm::Within(leg, "INVITE"));
                    step.wake(delay, Alarm::Within(leg, "INFO"));
                }
                step.wake(talk + 500, Alarm::HangUp(leg));
            }
            Behaviour::Referred => {
                step.wake(talk / 2, Alarm::Within(leg, "REFER"));
                step.wake(talk + 500, Alarm::HangUp(leg));
            }
            _ => {}
        }
    }

    pub(super) fn hang_up(&mut self, step: &mut Step<'_>, leg: usize) {
        let Some(dialog) = self.legs.get_mut(leg).filter(|leg| !leg.is_over) else { return };
        dialog.is_over = true;
        self.request_within(step, leg, "BYE", "");
    }

    pub(super) fn renegotiate(&mut self, step: &mut Step<'_>, leg: usize) {
        if self.legs.get(leg).is_some_and(|leg| !leg.is_over) && !self.is_renegotiating(leg) {
            self.request_within(step, leg, "INVITE", "");
        }
    }

    /// After a 491: the side that made the call waits longer (RFC 3261 §14.1). Tried again a few times only.
    pub(super) fn renegotiate_later(&mut self, step: &mut Step<'_>, leg: usize) {
        if self.clients.len() < GLARES_MAX {
            let delay = if self.is_caller { 2_100 + step.random.below(1_900) } else { step.random.below(2_000) };
            step.wake(delay, Alarm::Renegotiate(leg));
        }
    }

    /// A request within the dialog that neither makes nor ends anything.
    pub(super) fn speak(&mut self, step: &mut Step<'_>, leg: usize, method: &'static str) {
        let more = match method {
            "REFER" => "Refer-To: <sip:carol@10.0.2.2>\r\n",
            "NOTIFY" => "Event: refer\r\nSubscription-State: terminated\r\n",
            _ => "",
        };
        if self.legs.get(leg).is_some_and(|leg| !leg.is_over) {
            self.request_within(step, leg, method, more);
        }
    }

    /// Asks the first proxy to let the suspended call go on.
    pub(super) fn ask_to_continue(&mut self, step: &mut Step<'_>) {
        let tag = self.token();
        let head = format!("From: <{}>;tag={tag}\r\nTo: <{}>\r\n", self.own_uri(), self.peer_uri());
        let (uri, proxy) = (format!("sip:{}", self.proxy), self.proxy);
        self.request(step, Request { method: "OPTIONS", uri: &uri, destination: proxy, cseq: 900, head: &head, leg: None });
    }

    /// Each callee has a code of its own; challenges carry what they must.
    fn refuse(&mut self, step: &mut Step<'_>, server: usize) {
        let second = usize::from(self.address == crate::scenario::SECOND);
        let code = self.plan.refusals.get(second).copied().unwrap_or(486);
        let more = match code {
            401 => format!("WWW-Authenticate: Digest realm=\"{}\", nonce=\"1\"\r\n", self.address),
            407 => format!("Proxy-Authenticate: Digest realm=\"{}\", nonce=\"1\"\r\n", self.address),
            _ => String::new(),
        };
        self.reply(step, server, code, "Refused", &more);
    }
}
