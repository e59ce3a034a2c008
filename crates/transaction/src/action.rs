//! What a step asks its caller to send.

/// A message kept for retransmission. `Transaction::buffer` gives its bytes and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// The last reply sent upstream.
    Reply,
    /// The request as sent on a branch.
    Request(usize),
    /// The CANCEL sent on a branch.
    Cancel(usize),
}

/// Why a branch is cancelled, for the Reason header (RFC 3326, spec 7.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// A CANCEL came from upstream: copy its Reason headers (kept in `Transaction::cancel_reasons`).
    EndToEnd,
    /// Another branch, or the proxy itself, answered with this code; 200 adds "Call completed elsewhere".
    Cause(u16),
    /// Timeout or unknown: no Reason header.
    None,
}

/// One thing to send, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send stored bytes again.
    Resend(Buffer),
    /// Build and send a CANCEL for the branch, then report it with `cancel_sent`.
    Cancel { branch: usize, reason: CancelReason },
    /// Build and send the hop-by-hop ACK for the reply in hand (RFC 3261 §17.1.1.3).
    Acknowledge { branch: usize },
    /// Build and send the end-to-end ACK of a local INVITE for the 2xx in hand (RFC 3261 §13.2.2.4).
    AcknowledgeSuccess { branch: usize },
}

/// Actions of one step; the caller keeps and reuses it. Bounded by three per branch and one for the reply.
pub type Actions = Vec<Action>;
