//! Transition table of the non-INVITE server transaction (RFC 3261 §17.2.2).

use crate::machine::ServerState::{Completed, Proceeding, Terminated, Trying};
use crate::machine::effect::{END, REFUSE, RESEND, SEND, STORE, WAIT};
use crate::machine::{Row, ServerEvent, ServerState};

type R = Row<ServerState>;

const FINAL: R = R::to(Completed, SEND | STORE | WAIT);

const fn inert(state: ServerState) -> [R; 9] {
    [
        R::to(state, 0),
        R::to(state, REFUSE),
        R::to(state, REFUSE),
        R::to(state, REFUSE),
        R::to(state, REFUSE),
        R::to(state, 0),
        R::to(state, 0),
        R::to(state, 0),
        R::to(Terminated, END),
    ]
}

const COMPLETED: [R; 9] = {
    let mut rows = inert(Completed);
    rows[ServerEvent::Retransmission as usize] = R::to(Completed, RESEND);
    rows
};

/// Rows by state, columns by `ServerEvent::ALL`. Accepted and Confirmed are never entered and change nothing.
pub const TABLE: [[R; 9]; 6] = [
    [
        R::to(Trying, 0),
        R::to(Proceeding, SEND | STORE),
        FINAL,
        FINAL,
        FINAL,
        R::to(Trying, 0),
        R::to(Trying, 0),
        R::to(Trying, 0),
        R::to(Terminated, END),
    ],
    [
        R::to(Proceeding, RESEND),
        R::to(Proceeding, SEND | STORE),
        FINAL,
        FINAL,
        FINAL,
        R::to(Proceeding, 0),
        R::to(Proceeding, 0),
        R::to(Proceeding, 0),
        R::to(Terminated, END),
    ],
    COMPLETED,
    inert(ServerState::Accepted),
    inert(ServerState::Confirmed),
    inert(Terminated),
];

/// The row for a state and an event.
pub const fn step(state: ServerState, event: ServerEvent) -> R {
    TABLE[state as usize][event as usize]
}
