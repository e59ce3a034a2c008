//! Server transactions of a user agent: replies repeated until acknowledged, copies of requests answered alike.

use sip::message::Message;
use sip::method::Method;

use super::{Alarm, Leg, Party, Step, T1, T2, TIMEOUT, wire};
use crate::limits::TRANSACTIONS_OF_PARTY_MAX;

/// One request that came in.
#[derive(Clone, Debug)]
pub struct Server {
    pub branch: String,
    pub request: Message,
    pub last_reply: Option<Vec<u8>>,
    /// 0 before a final reply.
    pub status: u16,
    pub is_acknowledged: bool,
    final_at: u64,
    interval: u64,
    pub leg: Option<usize>,
}

impl Party {
    pub(super) fn receive_request(&mut self, step: &mut Step<'_>, request: &Message) {
        let branch = request.top_via().map(|via| wire::text(via.branch)).unwrap_or_default();
        let method = request.method();
        if method == Method::Ack {
            self.acknowledged(request, &branch);
            return;
        }
        let known = self.servers.iter().find(|server| server.branch == branch && server.request.method() == method);
        if let Some(server) = known {
            if let (Some(reply), Some(to)) = (&server.last_reply, wire::reply_address(request)) {
                step.send(to, reply);
            }
            return;
        }
        if self.servers.len() >= TRANSACTIONS_OF_PARTY_MAX {
            return;
        }
        let tag = wire::text(request.to_tag());
        let leg = self.legs.iter().position(|leg| !tag.is_empty() && leg.local_tag == tag);
        self.servers.push(Server {
            branch,
            request: request.clone(),
            last_reply: None,
            status: 0,
            is_acknowledged: false,
            final_at: 0,
            interval: T1,
            leg,
        });
        let index = self.servers.len() - 1;
        match method {
            Method::Cancel => self.cancelled(step, index),
            Method::Invite if tag.is_empty() => self.invited(step, index),
            _ => self.within(step, index),
        }
    }

    /// A request within a dialog, or one that belongs to none.
    fn within(&mut self, step: &mut Step<'_>, index: usize) {
        let Some((leg, method)) = self.servers.get(index).map(|server| (server.leg, server.request.method())) else { return };
        let Some(leg) = leg else {
            return self.reply(step, index, 481, "Call Does Not Exist", "");
        };
        match method {
            Method::Bye => {
                if let Some(leg) = self.legs.get_mut(leg) {
                    leg.is_over = true;
                }
                match self.plan.bye_code {
                    0 => {}
                    200 => self.reply(step, index, 200, "OK", ""),
                    503 => self.reply(step, index, 503, "Busy", "Retry-After: 2\r\n"),
                    code => self.reply(step, index, code, "Not So", ""),
                }
                self.end_early(step, leg);
            }
            Method::Invite if self.is_renegotiating(leg) => self.reply(step, index, 491, "Request Pending", ""),
            Method::Refer => {
                self.reply(step, index, 202, "Accepted", "");
                step.wake(50, Alarm::Within(leg, "NOTIFY"));
            }
            Method::Invite if self.legs.get(leg).is_some_and(|leg| leg.is_over || !leg.is_answered) => {
                self.reply(step, index, 481, "Call Is Over", "")
            }
            Method::Options if self.legs.get(leg).is_some_and(|leg| leg.is_over) => self.reply(step, index, 481, "Call Is Over", ""),
            _ => self.reply(step, index, 200, "OK", ""),
        }
    }

    /// A BYE before the answer ends the INVITE with 487 (RFC 3261 §15.1.2).
    fn end_early(&mut self, step: &mut Step<'_>, leg: usize) {
        let waiting = self
            .servers
            .iter()
            .position(|server| server.leg == Some(leg) && server.status == 0 && server.request.method() == Method::Invite);
        if let Some(index) = waiting {
            self.reply(step, index, 487, "Request Terminated", "");
        }
    }

    fn cancelled(&mut self, step: &mut Step<'_>, index: usize) {
        let Some(branch) = self.servers.get(index).map(|server| server.branch.clone()) else { return };
        let invite = self.servers.iter().position(|server| server.branch == branch && server.request.method() == Method::Invite);
        match invite {
            None => self.reply(step, index, 481, "Call Does Not Exist", ""),
            Some(invite) => {
                self.reply(step, index, 200, "Cancelling", "");
                if self.servers.get(invite).is_some_and(|server| server.status == 0) {
                    self.reply(step, invite, 487, "Request Terminated", "");
                }
            }
        }
    }

    /// Sends a reply and, when it is a final one to an INVITE, begins to repeat it.
    pub(super) fn reply(&mut self, step: &mut Step<'_>, index: usize, code: u16, reason: &str, more: &str) {
        let Some(server) = self.servers.get(index) else { return };
        let tag = server.leg.and_then(|leg| self.legs.get(leg)).map(|leg| leg.local_tag.clone());
        let tag = tag.unwrap_or_else(|| format!("none{}", server.branch.len()));
        let contact = format!("Contact: {}\r\n{more}", self.contact());
        let bytes = wire::reply(&server.request, code, reason, &tag, &contact);
        let to = wire::reply_address(&server.request);
        let is_invite = server.request.method() == Method::Invite;
        if let Some(to) = to {
            step.send(to, &bytes);
        }
        let Some(server) = self.servers.get_mut(index) else { return };
        server.last_reply = Some(bytes);
        if code < 200 {
            return;
        }
        server.status = code;
        server.final_at = step.now;
        server.interval = T1;
        if is_invite {
            step.wake(T1, Alarm::Reply(index));
        }
    }

    pub(super) fn repeat_reply(&mut self, step: &mut Step<'_>, index: usize) {
        let Some(server) = self.servers.get_mut(index).filter(|server| !server.is_acknowledged) else { return };
        if step.now >= server.final_at + TIMEOUT {
            // Never acknowledged (RFC 3261 §13.3.1.4): the callee ends the call.
            let (leg, status) = (server.leg, server.status);
            if let Some(leg) = leg.filter(|_| status < 300) {
                self.hang_up(step, leg);
            }
            return;
        }
        let (Some(bytes), Some(to)) = (server.last_reply.clone(), wire::reply_address(&server.request)) else { return };
        server.interval = (server.interval * 2).min(T2);
        let interval = server.interval;
        step.send(to, &bytes);
        step.wake(interval, Alarm::Reply(index));
    }

    fn acknowledged(&mut self, ack: &Message, branch: &str) {
        let tag = wire::text(ack.to_tag());
        let number = ack.cseq().map(|cseq| cseq.number);
        let legs = &self.legs;
        for server in self.servers.iter_mut().filter(|server| server.request.method() == Method::Invite && server.status >= 200) {
            let same_branch = server.branch == branch && server.status >= 300;
            let same_dialog = server.status < 300
                && server.leg.and_then(|leg| legs.get(leg)).is_some_and(|leg| leg.local_tag == tag)
                && server.request.cseq().map(|cseq| cseq.number) == number;
            if same_branch || same_dialog {
                server.is_acknowledged = true;
            }
        }
    }

    /// Makes the dialog of an INVITE that came in.
    pub(super) fn open_leg(&mut self, index: usize) {
        let tag = self.token();
        let Some(request) = self.servers.get(index).map(|server| &server.request) else { return };
        let uri = |address: Option<sip::NameAddress<'_>>| address.map(|address| wire::text(address.uri)).unwrap_or_default();
        let leg = Leg {
            local: uri(request.to()),
            local_tag: tag,
            remote: uri(request.from()),
            remote_tag: wire::text(request.from_tag()),
            target: request.contacts().next().map(|contact| wire::text(contact.uri)).unwrap_or_default(),
            routes: Leg::routes_of(request, false),
            cseq: 1_000,
            is_answered: false,
            is_over: false,
            ack: None,
        };
        self.legs.push(leg);
        let place = self.legs.len() - 1;
        if let Some(server) = self.servers.get_mut(index) {
            server.leg = Some(place);
        }
    }
}
