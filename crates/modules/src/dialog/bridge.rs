//! `dlg_bridge()`: calls one party, refers it to another, hangs up (spec dialog 9.7). No dialog record is made.

use std::sync::Arc;

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use sip::message::Message;

use super::sequential::refer_headers;
use crate::tm::{self, LocalRequest, Purpose};
use crate::worker::Worker;

/// CSeq of the INVITE; REFER and BYE follow.
const FIRST_CSEQ: u32 = 10;
/// Most Record-Route entries of the answer that make the route set.
const ROUTES_MAX: usize = ::dialog::limits::RECORD_ROUTES_MAX;

/// The offer of a call that nobody will hear.
pub(super) const SESSION_DESCRIPTION: &[u8] = b"v=0\r\no=kamailio-bridge 0 0 IN IP4 0.0.0.0\r\ns=kamailio\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n\
m=audio 9 RTP/AVP 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n";

/// `dlg_bridge(from, to, outbound proxy)`.
pub(super) fn bridge(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |place: usize| arguments.get(place).map(Argument::text).unwrap_or_default();
    let (from, to) = (text(0), text(1));
    if from.is_empty() || to.is_empty() {
        worker.log(-1, "dialog", "dlg_bridge: both parties are needed");
        return Flow::Code(-1);
    }
    Flow::from(start(worker, &from, &to, text(2).to_vec(), SESSION_DESCRIPTION.to_vec()))
}

/// Calls the first party. Says whether the INVITE went out.
pub(super) fn start(worker: &mut Worker, from: &[u8], to: &[u8], proxy: Vec<u8>, body: Vec<u8>) -> bool {
    let node = Arc::clone(&worker.node);
    let state = &node.states.dialog;
    let call_id = tm::new_call_id(worker);
    let tag = format!("{:016x}", worker.random.next_u64());
    let headers = [b"Contact: <", &state.bridge_contact[..], b">\r\nContent-Type: application/sdp\r\n"].concat();
    let request = LocalRequest {
        method: b"INVITE".to_vec(),
        request_uri: from.to_vec(),
        to: [b"<", from, b">"].concat(),
        from: [b"<", &state.bridge_controller[..], b">;tag=", tag.as_bytes()].concat(),
        call_id,
        cseq: FIRST_CSEQ,
        headers,
        body,
        next_hop: Some(proxy).filter(|proxy| !proxy.is_empty()),
        purpose: Purpose::BridgeInvite { target: to.to_vec() },
        ..LocalRequest::default()
    };
    is_sent(worker, &request)
}

/// The first party answered: it is referred to the second one.
pub(super) fn refer(worker: &mut Worker, answer: &Message, target: &[u8]) {
    let node = Arc::clone(&worker.node);
    let state = &node.states.dialog;
    let value = |id: HeaderId| answer.value(id).unwrap_or_default().to_vec();
    let Some(contact) = answer.contacts().next() else {
        worker.log(-1, "dialog", "the answer to a bridge's INVITE has no Contact");
        return;
    };
    let mut routes: Vec<&[u8]> = answer.record_routes().take(ROUTES_MAX).map(|entry| entry.whole).collect();
    routes.reverse();
    let bye = LocalRequest {
        method: b"BYE".to_vec(),
        request_uri: contact.uri.to_vec(),
        to: value(HeaderId::To),
        from: value(HeaderId::From),
        call_id: answer.call_id().to_vec(),
        cseq: FIRST_CSEQ + 2,
        route_set: routes.join(&b","[..]),
        ..LocalRequest::default()
    };
    let refer = LocalRequest {
        method: b"REFER".to_vec(),
        cseq: FIRST_CSEQ + 1,
        headers: refer_headers(&state.bridge_controller, target, &state.bridge_contact),
        purpose: Purpose::BridgeRefer { bye: Box::new(bye.clone()) },
        ..bye.clone()
    };
    if !is_sent(worker, &refer) {
        send(worker, &bye);
    }
}

/// Sends a request of the bridge that nothing follows.
pub(super) fn send(worker: &mut Worker, request: &LocalRequest) {
    is_sent(worker, request);
}

fn is_sent(worker: &mut Worker, request: &LocalRequest) -> bool {
    match tm::send_local(worker, request) {
        Ok(_) => true,
        Err(code) => {
            let method = String::from_utf8_lossy(&request.method).into_owned();
            worker.log(-1, "dialog", &format!("the {method} of a bridge could not be sent: error {code}"));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_has_the_length_seen_on_the_original() {
        assert_eq!(SESSION_DESCRIPTION.len(), 147);
    }
}
