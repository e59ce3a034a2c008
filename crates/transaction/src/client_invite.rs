//! Transition table of one INVITE client branch (RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2).

use crate::machine::ClientState::{Accepted, Calling, Completed, Idle, Proceeding};
use crate::machine::effect::{ACK, BACK_OFF, BOUND, FAIL, PASS, QUIET, REFUSE, RESEND, RETRANSMIT, STOP};
use crate::machine::{ClientEvent, ClientState, Row};

type R = Row<ClientState>;

/// Rows by state, columns by `ClientEvent::ALL`: sent, provisional, success, failure, retransmit timer, bound timer,
/// transport error.
///
/// Completed is also where a branch goes that timed out: a late failure is still acknowledged, a late 2xx still
/// passed on, a late provisional answered with the CANCEL that was owed (T5).
pub const TABLE: [[R; 7]; 5] = [
    // Idle
    [
        R::to(Calling, RETRANSMIT | BOUND),
        R::to(Idle, REFUSE),
        R::to(Idle, REFUSE),
        R::to(Idle, REFUSE),
        R::to(Idle, 0),
        R::to(Completed, FAIL | STOP),
        R::to(Completed, FAIL | STOP),
    ],
    // Calling
    [
        R::to(Calling, REFUSE),
        R::to(Proceeding, QUIET | BOUND | PASS),
        R::to(Accepted, STOP | PASS),
        R::to(Completed, STOP | ACK | PASS),
        R::to(Calling, RESEND | BACK_OFF),
        R::to(Completed, FAIL | STOP),
        R::to(Completed, FAIL | STOP),
    ],
    // Proceeding
    [
        R::to(Proceeding, REFUSE),
        R::to(Proceeding, BOUND | PASS),
        R::to(Accepted, STOP | PASS),
        R::to(Completed, STOP | ACK | PASS),
        R::to(Proceeding, QUIET),
        R::to(Completed, FAIL | STOP),
        R::to(Completed, FAIL | STOP),
    ],
    // Completed
    [
        R::to(Completed, REFUSE),
        R::to(Completed, QUIET),
        R::to(Accepted, STOP | PASS),
        R::to(Completed, STOP | ACK),
        R::to(Completed, QUIET),
        R::to(Completed, STOP),
        R::to(Completed, 0),
    ],
    // Accepted
    [
        R::to(Accepted, REFUSE),
        R::to(Accepted, 0),
        R::to(Accepted, PASS),
        R::to(Accepted, 0),
        R::to(Accepted, QUIET),
        R::to(Accepted, STOP),
        R::to(Accepted, 0),
    ],
];

/// The row for a state and an event.
pub const fn step(state: ClientState, event: ClientEvent) -> R {
    TABLE[state as usize][event as usize]
}
