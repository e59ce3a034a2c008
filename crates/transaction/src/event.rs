//! What happens to a transaction while another worker holds it: queued, and handed to the holder in order.

use crate::endpoint::Endpoint;
use crate::table::TransactionId;
use sip::Message;

/// One thing that has to be done on a transaction by whoever holds it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A reply to a branch.
    Reply { branch: usize, message: Box<Message>, source: Endpoint },
    /// The request came again.
    Retransmission,
    /// An ACK, found by its Via or by Call-ID and CSeq.
    Acknowledge { message: Box<Message>, by_via: bool, source: Endpoint },
    /// A CANCEL for this INVITE; answer it on its own transaction.
    Cancel { cancel: Option<TransactionId>, message: Box<Message> },
    /// Reply to the request from outside its script (`tm.reply`, the answer to a CANCEL).
    Answer { code: u16, reason: Box<str>, to_tag: Box<[u8]>, headers: Box<[u8]>, body: Box<[u8]> },
    /// Cancel its branches (`t_cancel_callid`, `tm.cancel`); `branch` `None` means all. `cause`: for the Reason header.
    CancelBranches { branch: Option<usize>, cause: Option<u16> },
    /// Resume the suspended script at a route.
    Resume { serial: Option<u32>, route: u32 },
    /// Something the proxy knows by this number.
    Other(u64),
}
