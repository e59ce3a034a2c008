//! Transition table of the INVITE server transaction (RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1).

use crate::machine::ServerState::{Accepted, Completed, Confirmed, Proceeding, Terminated, Trying};
use crate::machine::effect::{BACK_OFF, BOUND, END, QUIET, REFUSE, RESEND, RETRANSMIT, RETRANSMIT_ALWAYS, SEND, STOP, STORE, WAIT};
use crate::machine::{Row, ServerEvent, ServerState};

type R = Row<ServerState>;

const LOCAL_2XX: u16 = SEND | STORE | RETRANSMIT | RETRANSMIT_ALWAYS | BOUND;
const NEGATIVE: u16 = SEND | STORE | RETRANSMIT | BOUND;

/// Rows by state, columns by `ServerEvent::ALL`: retransmission, provisional, relayed 2xx, local 2xx, failure, ACK,
/// retransmit timer, bound timer, wait timer.
///
/// A relayed 2xx is sent in every state but Terminated: each fork's 2xx must reach the caller, even after a failure
/// reply (spec 7.8 rule 1). Only the first one is stored.
pub const TABLE: [[R; 9]; 6] = [
    // Trying
    [
        R::to(Trying, 0),
        R::to(Proceeding, SEND | STORE),
        R::to(Accepted, SEND | STORE | WAIT),
        R::to(Accepted, LOCAL_2XX),
        R::to(Completed, NEGATIVE),
        R::to(Trying, 0),
        R::to(Trying, 0),
        R::to(Trying, 0),
        R::to(Terminated, END),
    ],
    // Proceeding
    [
        R::to(Proceeding, RESEND),
        R::to(Proceeding, SEND | STORE),
        R::to(Accepted, SEND | STORE | WAIT),
        R::to(Accepted, LOCAL_2XX),
        R::to(Completed, NEGATIVE),
        R::to(Proceeding, 0),
        R::to(Proceeding, 0),
        R::to(Proceeding, 0),
        R::to(Terminated, END),
    ],
    // Completed
    [
        R::to(Completed, RESEND),
        R::to(Completed, REFUSE),
        R::to(Completed, SEND),
        R::to(Completed, REFUSE),
        R::to(Completed, REFUSE),
        R::to(Confirmed, STOP | WAIT),
        R::to(Completed, RESEND | BACK_OFF),
        R::to(Confirmed, STOP | WAIT),
        R::to(Terminated, END),
    ],
    // Accepted
    [
        R::to(Accepted, RESEND),
        R::to(Accepted, REFUSE),
        R::to(Accepted, SEND),
        R::to(Accepted, REFUSE),
        R::to(Accepted, REFUSE),
        R::to(Accepted, QUIET | STOP | WAIT),
        R::to(Accepted, RESEND | BACK_OFF),
        R::to(Accepted, STOP | WAIT),
        R::to(Terminated, END),
    ],
    // Confirmed
    [
        R::to(Confirmed, 0),
        R::to(Confirmed, REFUSE),
        R::to(Confirmed, SEND),
        R::to(Confirmed, REFUSE),
        R::to(Confirmed, REFUSE),
        R::to(Confirmed, 0),
        R::to(Confirmed, 0),
        R::to(Confirmed, 0),
        R::to(Terminated, END),
    ],
    // Terminated
    [
        R::to(Terminated, 0),
        R::to(Terminated, REFUSE),
        R::to(Terminated, REFUSE),
        R::to(Terminated, REFUSE),
        R::to(Terminated, REFUSE),
        R::to(Terminated, 0),
        R::to(Terminated, 0),
        R::to(Terminated, 0),
        R::to(Terminated, END),
    ],
];

/// The row for a state and an event.
pub const fn step(state: ServerState, event: ServerEvent) -> R {
    TABLE[state as usize][event as usize]
}
