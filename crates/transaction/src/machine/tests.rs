//! Every cell of the four transition tables.

use super::effect::*;
use super::*;
use crate::{client_invite, client_other, server_invite, server_other};
use ClientState as C;
use ServerState as S;

#[test]
fn the_invite_server_table_is_rfc_3261_17_2_1_with_rfc_6026() {
    let local = SEND | STORE | RETRANSMIT | RETRANSMIT_ALWAYS | BOUND;
    let negative = SEND | STORE | RETRANSMIT | BOUND;
    for state in S::ALL {
        for event in ServerEvent::ALL {
            let expected = match (state, event) {
                (_, ServerEvent::WaitTimer) => (S::Terminated, END),
                (S::Trying | S::Proceeding, ServerEvent::Provisional) => (S::Proceeding, SEND | STORE),
                (S::Trying | S::Proceeding, ServerEvent::SuccessRelayed) => (S::Accepted, SEND | STORE | WAIT),
                (S::Trying | S::Proceeding, ServerEvent::SuccessLocal) => (S::Accepted, local),
                (S::Trying | S::Proceeding, ServerEvent::Failure) => (S::Completed, negative),
                (S::Completed | S::Accepted | S::Confirmed, ServerEvent::SuccessRelayed) => (state, SEND),
                (_, ServerEvent::Provisional | ServerEvent::SuccessRelayed | ServerEvent::SuccessLocal | ServerEvent::Failure) => {
                    (state, REFUSE)
                }
                (S::Proceeding | S::Completed | S::Accepted, ServerEvent::Retransmission) => (state, RESEND),
                (S::Completed, ServerEvent::Ack | ServerEvent::BoundTimer) => (S::Confirmed, STOP | WAIT),
                (S::Accepted, ServerEvent::Ack) => (S::Accepted, QUIET | STOP | WAIT),
                (S::Accepted, ServerEvent::BoundTimer) => (S::Accepted, STOP | WAIT),
                (S::Completed | S::Accepted, ServerEvent::RetransmitTimer) => (state, RESEND | BACK_OFF),
                _ => (state, 0),
            };
            assert_eq!(server_invite::step(state, event), Row::to(expected.0, expected.1), "{state:?} {event:?}");
        }
    }
}

#[test]
fn the_non_invite_server_table_is_rfc_3261_17_2_2() {
    for state in S::ALL {
        for event in ServerEvent::ALL {
            let replying = matches!(event, ServerEvent::SuccessRelayed | ServerEvent::SuccessLocal | ServerEvent::Failure);
            let expected = match (state, event) {
                (_, ServerEvent::WaitTimer) => (S::Terminated, END),
                (S::Trying | S::Proceeding, ServerEvent::Provisional) => (S::Proceeding, SEND | STORE),
                (S::Trying | S::Proceeding, _) if replying => (S::Completed, SEND | STORE | WAIT),
                (_, ServerEvent::Provisional) => (state, REFUSE),
                _ if replying => (state, REFUSE),
                (S::Proceeding | S::Completed, ServerEvent::Retransmission) => (state, RESEND),
                _ => (state, 0),
            };
            assert_eq!(server_other::step(state, event), Row::to(expected.0, expected.1), "{state:?} {event:?}");
        }
    }
}

#[test]
fn the_invite_client_table_is_rfc_3261_17_1_1_with_rfc_6026() {
    for state in C::ALL {
        for event in ClientEvent::ALL {
            let expected = match (state, event) {
                (C::Idle, ClientEvent::Sent) => (C::Calling, RETRANSMIT | BOUND),
                (_, ClientEvent::Sent) => (state, REFUSE),
                (C::Idle, ClientEvent::Provisional | ClientEvent::Success | ClientEvent::Failure) => (state, REFUSE),
                (C::Idle, ClientEvent::RetransmitTimer) => (state, 0),
                (C::Idle | C::Calling | C::Proceeding, ClientEvent::BoundTimer | ClientEvent::TransportError) => {
                    (C::Completed, FAIL | STOP)
                }
                (C::Calling, ClientEvent::Provisional) => (C::Proceeding, QUIET | BOUND | PASS),
                (C::Proceeding, ClientEvent::Provisional) => (C::Proceeding, BOUND | PASS),
                (C::Calling | C::Proceeding, ClientEvent::Failure) => (C::Completed, STOP | ACK | PASS),
                (C::Calling, ClientEvent::RetransmitTimer) => (C::Calling, RESEND | BACK_OFF),
                (C::Calling | C::Proceeding | C::Completed, ClientEvent::Success) => (C::Accepted, STOP | PASS),
                (C::Completed, ClientEvent::Provisional) => (state, QUIET),
                (C::Completed, ClientEvent::Failure) => (state, STOP | ACK),
                (C::Accepted, ClientEvent::Success) => (state, PASS),
                (_, ClientEvent::RetransmitTimer) => (state, QUIET),
                (_, ClientEvent::BoundTimer) => (state, STOP),
                _ => (state, 0),
            };
            assert_eq!(client_invite::step(state, event), Row::to(expected.0, expected.1), "{state:?} {event:?}");
        }
    }
}

#[test]
fn the_non_invite_client_table_is_rfc_3261_17_1_2() {
    for state in C::ALL {
        for event in ClientEvent::ALL {
            let expected = match (state, event) {
                (C::Idle, ClientEvent::Sent) => (C::Calling, RETRANSMIT | BOUND),
                (_, ClientEvent::Sent) => (state, REFUSE),
                (C::Idle, ClientEvent::Provisional | ClientEvent::Success | ClientEvent::Failure) => (state, REFUSE),
                (C::Idle, ClientEvent::RetransmitTimer) => (state, 0),
                (C::Idle | C::Calling | C::Proceeding, ClientEvent::BoundTimer | ClientEvent::TransportError) => {
                    (C::Completed, FAIL | STOP)
                }
                (C::Calling, ClientEvent::Provisional) => (C::Proceeding, SLOW_DOWN | PASS),
                (C::Proceeding, ClientEvent::Provisional) => (C::Proceeding, PASS),
                (C::Calling | C::Proceeding, ClientEvent::Success | ClientEvent::Failure) => (C::Completed, STOP | PASS),
                (C::Calling | C::Proceeding, ClientEvent::RetransmitTimer) => (state, RESEND | BACK_OFF),
                (_, ClientEvent::RetransmitTimer) => (state, QUIET),
                (_, ClientEvent::BoundTimer) => (state, STOP),
                _ => (state, 0),
            };
            assert_eq!(client_other::step(state, event), Row::to(expected.0, expected.1), "{state:?} {event:?}");
        }
    }
}

#[test]
fn a_refused_event_never_changes_the_state_and_a_bounded_state_is_always_left() {
    for state in S::ALL {
        for event in ServerEvent::ALL {
            for row in [server_invite::step(state, event), server_other::step(state, event)] {
                if row.has(REFUSE) {
                    assert_eq!(row, Row::to(state, REFUSE));
                }
                if row.has(BOUND) {
                    assert!(server_invite::step(row.next, ServerEvent::BoundTimer).has(WAIT));
                }
                if row.has(RETRANSMIT) {
                    assert!(row.has(BOUND), "a retransmission without an end");
                }
            }
        }
    }
}
