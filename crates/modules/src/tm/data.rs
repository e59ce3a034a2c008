//! What the proxy hangs on a transaction: variables, flags, Record-Route plan, the dialog, who asked for a local request.

use script::value::Text;
use transaction::Endpoint;
use transaction::limits::KEPT_BYTES_MAX;

use crate::attributes::Attributes;
use crate::rr::Plan;

/// Per-transaction data of all modules. Moved out of the run when the transaction is created.
#[derive(Debug, Default)]
pub struct TransactionData {
    pub attributes: Attributes,
    pub extended_flags: u64,
    /// What the script wants in Vias ([`crate::corex::via`]), and the flags they carry.
    pub via_wishes: u8,
    pub message_via_flags: u32,
    /// The request URI and next hop when the transaction was created: what failure routes start from.
    pub request_uri: Option<Text>,
    pub next_hop: Option<Text>,
    pub path: Option<Text>,
    pub socket: Option<u16>,
    pub record_route: Plan,
    /// Where the request came from.
    pub source: Option<Endpoint>,
    pub force_rport: bool,
    pub local_rport: bool,
    pub advertised: (Option<Text>, Option<u16>),
    /// `t_use_uac_headers`: a CANCEL follows the INVITE as it was sent even with `reparse_invite=0`.
    pub uses_sent_headers: bool,
    /// `set_reply_no_connect`, `set_reply_close`.
    pub reply_no_connect: bool,
    pub reply_close: bool,
    /// Headers that `append_to_reply` gave before the first forwarding: for replies from failure routes.
    pub reply_headers: Vec<u8>,
    /// The CANCEL transaction that carries the CANCEL of this INVITE end to end (`e2e_cancel_hop_by_hop=0`).
    pub end_to_end_cancel: Option<transaction::TransactionId>,
    /// Flags about the Via of each branch (`t_vbflag_set`), by branch.
    pub via_flags: Vec<u32>,
    /// The 2xx to an INVITE made here that nobody has acknowledged yet, and where it came from (`t_uac_ack_local`).
    pub unacknowledged: Option<(Box<sip::Message>, transaction::Endpoint)>,
    /// Branches whose next address may be tried.
    pub fallbacks: Vec<super::failover::Fallback>,
    pub dialog: crate::dialog::TransactionPart,
    /// Headers that left with another URI, to be put right in replies ([`crate::uac::restore_in_reply`]).
    pub replaced: u8,
    /// Who made a local request and wants its outcome.
    pub purpose: Purpose,
}

impl TransactionData {
    /// Makes it as new, memory kept. It is taken apart whole, so that no field is forgotten.
    pub fn renew(&mut self) {
        let TransactionData {
            attributes,
            extended_flags,
            via_wishes,
            message_via_flags,
            request_uri,
            next_hop,
            path,
            socket,
            record_route,
            source,
            force_rport,
            local_rport,
            advertised,
            uses_sent_headers,
            reply_no_connect,
            reply_close,
            reply_headers,
            end_to_end_cancel,
            via_flags,
            unacknowledged,
            fallbacks,
            dialog,
            replaced,
            purpose,
        } = self;
        attributes.clear();
        attributes.shrink();
        *extended_flags = 0;
        *via_wishes = 0;
        *message_via_flags = 0;
        *request_uri = None;
        *next_hop = None;
        *path = None;
        *socket = None;
        record_route.clear();
        *source = None;
        *force_rport = false;
        *local_rport = false;
        *advertised = (None, None);
        *uses_sent_headers = false;
        *reply_no_connect = false;
        *reply_close = false;
        reply_headers.clear();
        reply_headers.shrink_to(KEPT_BYTES_MAX);
        *end_to_end_cancel = None;
        via_flags.clear();
        *unacknowledged = None;
        *fallbacks = Vec::new();
        dialog.renew();
        *replaced = 0;
        *purpose = Purpose::None;
    }
}

/// How a remote call is told the outcome of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerForm {
    /// `tm.t_uac_wait`: code, reason, target and routes of the dialog, the reply's headers and body.
    Reply,
    /// `tm.t_uac_wait_block`: code and reason.
    Status,
}

/// Whom to tell when a local request has its final reply.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Nobody, or the transaction is not local.
    #[default]
    None,
    /// The BYE a dialog sent to one of its legs.
    DialogBye { task: Box<::dialog::ByeTask> },
    /// A REFER to one leg of a dialog; a BYE follows.
    DialogRefer { dialog: ::dialog::DialogId, leg: ::dialog::Leg },
    /// The INVITE that calls the first party of a bridge; the second party's URI.
    BridgeInvite { target: Vec<u8> },
    /// The REFER of a bridge, and the BYE that follows.
    BridgeRefer { bye: Box<super::LocalRequest> },
    /// A remote call that waits for the outcome.
    RemoteCall { ticket: u64, form: AnswerForm },
    /// A request of `uac_req_send()`.
    ScriptRequest(Box<crate::uac::Sent>),
    /// A keepalive OPTIONS.
    DialogKeepalive { dialog: ::dialog::DialogId, leg: ::dialog::Leg },
}

#[cfg(test)]
mod tests {
    use super::*;
    use transaction::TransactionId;

    fn used_up() -> TransactionData {
        let text = || Some(Text::from("sip:used@example.org"));
        let endpoint = crate::run::nowhere();
        let mut attributes = Attributes::default();
        attributes.avps.push(b"used", script::value::Value::Integer(1));
        let mut record_route = Plan::default();
        crate::rr::add_parameter(&mut record_route, b";used=1");
        TransactionData {
            attributes,
            extended_flags: 1,
            via_wishes: 1,
            message_via_flags: 1,
            request_uri: text(),
            next_hop: text(),
            path: text(),
            socket: Some(1),
            record_route,
            source: Some(endpoint),
            force_rport: true,
            local_rport: true,
            advertised: (text(), Some(1)),
            uses_sent_headers: true,
            reply_no_connect: true,
            reply_close: true,
            reply_headers: b"X: 1\r\n".to_vec(),
            end_to_end_cancel: Some(TransactionId { slot: 1, generation: 1 }),
            via_flags: vec![1],
            unacknowledged: Some((Box::default(), endpoint)),
            fallbacks: Vec::new(),
            dialog: crate::dialog::TransactionPart::used_up(),
            replaced: 1,
            purpose: Purpose::RemoteCall { ticket: 1, form: AnswerForm::Status },
        }
    }

    #[test]
    fn what_was_used_up_and_made_as_new_is_like_new() {
        let mut data = used_up();
        assert_ne!(format!("{data:?}"), format!("{:?}", TransactionData::default()));
        data.renew();
        assert_eq!(format!("{data:?}"), format!("{:?}", TransactionData::default()));
    }

    #[test]
    fn memory_that_few_messages_need_is_let_go() {
        let mut data = used_up();
        data.reply_headers = vec![0; 2 * KEPT_BYTES_MAX];
        for _ in 0..1_000 {
            data.attributes.avps.push(b"used", script::value::Value::Integer(1));
        }
        data.renew();
        assert!(data.reply_headers.capacity() <= KEPT_BYTES_MAX);
        assert!(data.attributes.room() < 100, "{}", data.attributes.room());
    }
}
