//! Transition table of one non-INVITE client branch (RFC 3261 §17.1.2).

use crate::machine::ClientState::{Accepted, Calling, Completed, Idle, Proceeding};
use crate::machine::effect::{BACK_OFF, BOUND, FAIL, PASS, QUIET, REFUSE, RESEND, RETRANSMIT, SLOW_DOWN, STOP};
use crate::machine::{ClientEvent, ClientState, Row};

type R = Row<ClientState>;

const fn inert(state: ClientState) -> [R; 7] {
    [R::to(state, REFUSE), R::to(state, 0), R::to(state, 0), R::to(state, 0), R::to(state, QUIET), R::to(state, STOP), R::to(state, 0)]
}

/// Rows by state, columns by `ClientEvent::ALL`. A provisional does not prolong the bound: a non-INVITE waits
/// `fr_timer` for its final reply in all (spec 7.12). Accepted is never entered.
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
        R::to(Proceeding, SLOW_DOWN | PASS),
        R::to(Completed, STOP | PASS),
        R::to(Completed, STOP | PASS),
        R::to(Calling, RESEND | BACK_OFF),
        R::to(Completed, FAIL | STOP),
        R::to(Completed, FAIL | STOP),
    ],
    // Proceeding
    [
        R::to(Proceeding, REFUSE),
        R::to(Proceeding, PASS),
        R::to(Completed, STOP | PASS),
        R::to(Completed, STOP | PASS),
        R::to(Proceeding, RESEND | BACK_OFF),
        R::to(Completed, FAIL | STOP),
        R::to(Completed, FAIL | STOP),
    ],
    inert(Completed),
    inert(Accepted),
];

/// The row for a state and an event.
pub const fn step(state: ClientState, event: ClientEvent) -> R {
    TABLE[state as usize][event as usize]
}
