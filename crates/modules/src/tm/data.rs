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
    /// `set_reply_no_connect`, `set_reply_close`.
    pub reply_no_connect: bool,
    pub reply_close: bool,
    /// Headers that `append_to_reply` gave before the first forwarding: for replies from failure routes.
    pub reply_headers: Vec<u8>,
    pub dialog: crate::dialog::TransactionPart,
    /// Who made a local request and wants its outcome.
    pub purpose: Purpose,
}

/// Whom to tell when a local request has its final reply.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Nobody, or the transaction is not local.
    #[default]
    None,
    /// The BYE a dialog sent to one of its legs.
    DialogBye { dialog: ::dialog::DialogId, leg: ::dialog::Leg },
    /// A REFER to one leg of a dialog; a BYE follows.
    DialogRefer { dialog: ::dialog::DialogId, leg: ::dialog::Leg },
    /// The INVITE that calls the first party of a bridge; the second party's URI.
    BridgeInvite { target: Vec<u8> },
    /// The REFER of a bridge, and the BYE that follows.
    BridgeRefer { bye: Box<super::LocalRequest> },
    /// A keepalive OPTIONS.
    DialogKeepalive { dialog: ::dialog::DialogId, leg: ::dialog::Leg },
}
