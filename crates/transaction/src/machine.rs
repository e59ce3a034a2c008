//! The shape shared by the four state machines: rows of (next state, effects).

/// Bits of `Row::effects`.
pub mod effect {
    /// Send the message that caused the event upstream.
    pub const SEND: u16 = 1;
    /// Keep its bytes for retransmission.
    pub const STORE: u16 = 1 << 1;
    /// Send the kept bytes again.
    pub const RESEND: u16 = 1 << 2;
    /// Start the retransmission timer at T1 (where the transport needs it).
    pub const RETRANSMIT: u16 = 1 << 3;
    /// Retransmit a 2xx over any transport (spec 7.8: the proxy itself answered).
    pub const RETRANSMIT_ALWAYS: u16 = 1 << 4;
    /// Double the retransmission interval up to T2.
    pub const BACK_OFF: u16 = 1 << 5;
    /// Retransmit at T2 from now on.
    pub const SLOW_DOWN: u16 = 1 << 6;
    /// Start the timer that bounds the state: ACK for a server, final response for a client.
    pub const BOUND: u16 = 1 << 7;
    /// Start the wait timer.
    pub const WAIT: u16 = 1 << 8;
    /// Stop retransmission.
    pub const QUIET: u16 = 1 << 9;
    /// Stop retransmission and the bounding timer.
    pub const STOP: u16 = 1 << 10;
    /// The transaction is over.
    pub const END: u16 = 1 << 11;
    /// The event is not allowed here; nothing changes.
    pub const REFUSE: u16 = 1 << 12;
    /// Hand the reply to the reply route and the choice.
    pub const PASS: u16 = 1 << 13;
    /// Acknowledge the failure reply hop by hop.
    pub const ACK: u16 = 1 << 14;
    /// The branch has failed without a reply.
    pub const FAIL: u16 = 1 << 15;
}

/// One cell of a transition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<S> {
    pub next: S,
    pub effects: u16,
}

impl<S> Row<S> {
    pub(crate) const fn to(next: S, effects: u16) -> Row<S> {
        Row { next, effects }
    }

    /// Whether all of these effects are asked for.
    pub const fn has(&self, effects: u16) -> bool {
        self.effects & effects == effects
    }
}

/// State of the server half (RFC 3261 §17.2, RFC 6026 §7.1). A non-INVITE never is Accepted or Confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServerState {
    Trying,
    Proceeding,
    Completed,
    Accepted,
    Confirmed,
    Terminated,
}

impl ServerState {
    pub const ALL: [ServerState; 6] = [
        ServerState::Trying,
        ServerState::Proceeding,
        ServerState::Completed,
        ServerState::Accepted,
        ServerState::Confirmed,
        ServerState::Terminated,
    ];

    /// Whether no final reply went upstream yet.
    pub const fn is_open(self) -> bool {
        matches!(self, ServerState::Trying | ServerState::Proceeding)
    }
}

/// What happens to a server half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// The request came again.
    Retransmission,
    /// A 1xx is sent.
    Provisional,
    /// A 2xx of a callee is relayed.
    SuccessRelayed,
    /// The proxy answers with a 2xx itself.
    SuccessLocal,
    /// A 300-699 is sent.
    Failure,
    /// The ACK that belongs to what was sent.
    Ack,
    /// Retransmission timer (G).
    RetransmitTimer,
    /// No ACK came in time (H).
    BoundTimer,
    /// Wait timer (I, J, L).
    WaitTimer,
}

impl ServerEvent {
    pub const ALL: [ServerEvent; 9] = [
        ServerEvent::Retransmission,
        ServerEvent::Provisional,
        ServerEvent::SuccessRelayed,
        ServerEvent::SuccessLocal,
        ServerEvent::Failure,
        ServerEvent::Ack,
        ServerEvent::RetransmitTimer,
        ServerEvent::BoundTimer,
        ServerEvent::WaitTimer,
    ];
}

/// State of one client branch (RFC 3261 §17.1, RFC 6026 §7.2). A non-INVITE never is Accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientState {
    /// Made but not sent.
    Idle,
    /// Calling (INVITE) or Trying (others).
    Calling,
    Proceeding,
    Completed,
    Accepted,
}

impl ClientState {
    pub const ALL: [ClientState; 5] =
        [ClientState::Idle, ClientState::Calling, ClientState::Proceeding, ClientState::Completed, ClientState::Accepted];
}

/// What happens to a client branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    Sent,
    Provisional,
    Success,
    Failure,
    /// Timer A or E.
    RetransmitTimer,
    /// Timer B, C or F.
    BoundTimer,
    /// The request could not be sent.
    TransportError,
}

impl ClientEvent {
    pub const ALL: [ClientEvent; 7] = [
        ClientEvent::Sent,
        ClientEvent::Provisional,
        ClientEvent::Success,
        ClientEvent::Failure,
        ClientEvent::RetransmitTimer,
        ClientEvent::BoundTimer,
        ClientEvent::TransportError,
    ];

    /// Event of a reply with this status.
    pub const fn of_status(code: u16) -> ClientEvent {
        match code {
            0..=199 => ClientEvent::Provisional,
            200..=299 => ClientEvent::Success,
            _ => ClientEvent::Failure,
        }
    }
}

#[cfg(test)]
mod tests;
