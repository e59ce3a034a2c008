//! What the proxy hangs on a transaction: variables, flags, Record-Route plan, the dialog, who asked for a local request.

use script::value::Text;
use transaction::Endpoint;

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
