//! The state machine of a dialog as data: states, events and the one table that joins them (spec dialog 2.1, 2.2).

/// Where a call stands; the numbers are those of RPC, database and replication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// INVITE seen, nothing answered.
    #[default]
    Unconfirmed = 1,
    /// A provisional reply was relayed.
    Early = 2,
    /// A 2xx was relayed, its ACK is still missing.
    ConfirmedNoAck = 3,
    /// The ACK came.
    Confirmed = 4,
    /// Over; the record stays a while to absorb retransmissions.
    Deleted = 5,
}

impl State {
    /// In the order of their numbers.
    pub const ALL: [State; 5] = [State::Unconfirmed, State::Early, State::ConfirmedNoAck, State::Confirmed, State::Deleted];

    /// The state with this number.
    pub fn from_number(number: u32) -> Option<State> {
        State::ALL.into_iter().find(|state| u32::from(*state as u8) == number)
    }

    /// The number in RPC, database and replication.
    pub fn number(self) -> u32 {
        u32::from(self as u8)
    }

    /// States 1 and 2.
    pub fn is_setting_up(self) -> bool {
        matches!(self, State::Unconfirmed | State::Early)
    }

    /// States 3 and 4.
    pub fn is_answered(self) -> bool {
        matches!(self, State::ConfirmedNoAck | State::Confirmed)
    }
}

/// What happens to a dialog; the numbers appear in log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Event {
    /// The INVITE transaction is gone.
    TransactionGone = 1,
    /// 101 to 199 to the INVITE, relayed.
    Provisional = 2,
    /// 2xx to the INVITE.
    Success = 3,
    /// 300 and above to the INVITE.
    Failure = 4,
    Prack = 5,
    Ack = 6,
    /// Also: expiry, and the final reply to a BYE sent by this proxy.
    Bye = 7,
    /// Any other request within the dialog.
    Other = 8,
}

impl Event {
    /// In the order of their numbers.
    pub const ALL: [Event; 8] =
        [Event::TransactionGone, Event::Provisional, Event::Success, Event::Failure, Event::Prack, Event::Ack, Event::Bye, Event::Other];
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new state, which may be the same.
    To(State),
    /// Nothing changes.
    Stay,
    /// Impossible in a correct call: nothing changes and it is counted.
    Bogus,
    /// A 2xx for a failed call: back to state 3 unless a BYE or a peer ended it.
    Revive,
    /// To the state when the record was received by replication and its INVITE was not handled here, else bogus.
    Replicated(State),
}

use Step::{Bogus, Replicated, Revive, Stay, To};

/// Rows are events in their numeric order, columns the states 1 to 5.
pub const TRANSITIONS: [[Step; 5]; 8] = [
    /* TransactionGone */ [To(State::Deleted), To(State::Deleted), Stay, Stay, Stay],
    /* Provisional     */ [To(State::Early), To(State::Early), Bogus, Bogus, Bogus],
    /* Success         */
    [To(State::ConfirmedNoAck), To(State::ConfirmedNoAck), Stay, Stay, Revive],
    /* Failure         */ [To(State::Deleted), To(State::Deleted), Bogus, Bogus, Bogus],
    /* Prack           */ [Bogus, Stay, Stay, Bogus, Stay],
    /* Ack             */
    [Replicated(State::Confirmed), Replicated(State::Confirmed), To(State::Confirmed), Stay, Stay],
    /* Bye             */
    [Replicated(State::Deleted), Stay, To(State::Deleted), To(State::Deleted), Stay],
    /* Other           */ [Bogus, Stay, Stay, Stay, Stay],
];

/// The facts about a dialog that conditional cells ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// A BYE (or its local equivalent) ended the dialog.
    pub bye_seen: bool,
    /// A replication peer ended the dialog.
    pub ended_by_peer: bool,
    /// Received by replication; the INVITE was not handled here.
    pub replicated: bool,
}

/// The cell of the table.
pub const fn step(state: State, event: Event) -> Step {
    TRANSITIONS[event as usize - 1][state as usize - 1]
}

/// The next state, or `None` for an event that is impossible here ("bogus"); the same state means nothing moved.
pub fn next(state: State, event: Event, facts: Facts) -> Option<State> {
    match step(state, event) {
        Step::To(next) => Some(next),
        Step::Stay => Some(state),
        Step::Bogus => None,
        Step::Revive if facts.bye_seen => None,
        Step::Revive if facts.ended_by_peer => Some(state),
        Step::Revive => Some(State::ConfirmedNoAck),
        Step::Replicated(next) if facts.replicated => Some(next),
        Step::Replicated(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of spec dialog 2.2, read column by column: per event the results for states 1 to 5, 0 = bogus.
    const EXPECTED: [(Event, [u32; 5]); 8] = [
        (Event::TransactionGone, [5, 5, 3, 4, 5]),
        (Event::Provisional, [2, 2, 0, 0, 0]),
        (Event::Success, [3, 3, 3, 4, 3]),
        (Event::Failure, [5, 5, 0, 0, 0]),
        (Event::Prack, [0, 2, 3, 0, 5]),
        (Event::Ack, [0, 0, 4, 4, 5]),
        (Event::Bye, [0, 2, 5, 5, 5]),
        (Event::Other, [0, 2, 3, 4, 5]),
    ];

    #[test]
    fn every_state_meets_every_event_as_the_table_says() {
        for (event, results) in EXPECTED {
            for (state, result) in State::ALL.into_iter().zip(results) {
                let found = next(state, event, Facts::default()).map_or(0, State::number);
                assert_eq!(found, result, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_bye_seen_or_a_peer_forbids_the_revival_and_nothing_else() {
        for event in Event::ALL {
            for state in State::ALL {
                let plain = next(state, event, Facts::default());
                let bye = next(state, event, Facts { bye_seen: true, ..Facts::default() });
                let peer = next(state, event, Facts { ended_by_peer: true, ..Facts::default() });
                if (state, event) == (State::Deleted, Event::Success) {
                    assert_eq!((plain, bye, peer), (Some(State::ConfirmedNoAck), None, Some(State::Deleted)));
                } else {
                    assert_eq!((plain, plain), (bye, peer), "{state:?} {event:?}");
                }
            }
        }
    }

    #[test]
    fn a_replicated_record_jumps_on_ack_and_bye_only() {
        let facts = Facts { replicated: true, ..Facts::default() };
        for event in Event::ALL {
            for state in State::ALL {
                let expected = match (state, event) {
                    (State::Unconfirmed | State::Early, Event::Ack) => Some(State::Confirmed),
                    (State::Unconfirmed, Event::Bye) => Some(State::Deleted),
                    _ => next(state, event, Facts::default()),
                };
                assert_eq!(next(state, event, facts), expected, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn numbers_and_states_are_the_same_thing() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(state));
        }
        assert_eq!((State::from_number(0), State::from_number(6)), (None, None));
    }
}
