//! What ends before it is parsed: new calls that an overloaded proxy refuses, and the ACKs to such refusals (docs/overload.md).

use modules::{Worker, sl};
use sip::Outline;
use sip::method::Method;
use transaction::{Endpoint, Protocol};

use crate::Proxy;

/// Least time a refused caller is told to wait, seconds, and by how many further seconds callers are spread.
const RETRY_AFTER_SECONDS: u8 = 2;
const RETRY_AFTER_SPREAD: u64 = 5;

impl Proxy {
    /// Answers a datagram that needs no parsing. False: it is to be taken as any other.
    pub(crate) fn ends_unparsed(&self, worker: &mut Worker, bytes: &[u8], from: Endpoint) -> bool {
        match bytes.first() {
            Some(b'A') if sl::is_filtered_ack_unparsed(worker, bytes) => {
                self.node.states.core.counters.received_request(Method::Ack);
                true
            }
            Some(b'I') => self.refuses_call(worker, bytes, from),
            _ => false,
        }
    }

    /// Refuses an INVITE outside of dialogs if it is one of the share that is refused now.
    fn refuses_call(&self, worker: &mut Worker, bytes: &[u8], from: Endpoint) -> bool {
        // A stream slows its peer down by itself.
        if from.protocol != Protocol::Udp || !self.node.core.overload_control {
            return false;
        }
        let share = worker.backlog.share();
        if share == 0 || !bytes.starts_with(b"INVITE ") {
            return false;
        }
        let Some(invite) = Outline::read(bytes).filter(|invite| invite.is_within() == Some(false)) else { return false };
        let (Some(via), Some(cseq)) = (invite.top_via(), invite.cseq()) else { return false };
        if cseq.method != Method::Invite {
            return false;
        }
        let call = transaction::key::call_hash_of(self.node.transactions.secret(), invite.call_id, cseq.number);
        if self.is_known(call) || !worker.backlog.refuses_next(share) {
            return false;
        }
        let spread = (call % RETRY_AFTER_SPREAD) as u8;
        sl::refuse(worker, (&invite, &via), from, RETRY_AFTER_SECONDS + spread);
        self.node.states.core.counters.received_request(Method::Invite);
        if self.node.states.core.overload.refused(worker.now.time) {
            worker.run.clear();
            worker.log(0, "core", "overload begins: the receive queue stays full, new calls are refused with 503");
        }
        true
    }

    /// Was the INVITE taken before? One that comes again must not be refused while the first one goes on.
    fn is_known(&self, call: u64) -> bool {
        let mut transactions = Vec::new();
        self.node.transactions.find_by_call(call, Method::Invite, &mut transactions);
        !transactions.is_empty() || self.parked.holds(call)
    }

    /// Tells that an overload is over; called once a second.
    pub(crate) fn watch_overload(&self, worker: &mut Worker) {
        if let Some(ended) = self.node.states.core.overload.ended(worker.now.time) {
            let text = format!("overload is over: {} calls were refused in {:.1} s", ended.refused, ended.milliseconds as f64 / 1_000.0);
            worker.log(0, "core", &text);
        }
    }
}
