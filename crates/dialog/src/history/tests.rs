//! What a history keeps, and what it lets go.

use super::*;

fn every_moment() -> Vec<Moment> {
    let mut all = vec![Moment::Created, Moment::Confirmed, Moment::Cancelled, Moment::AckMissing, Moment::LifetimeOver, Moment::Ended];
    for state in State::ALL {
        all.extend([Moment::Loaded { state }, Moment::Forced { state }]);
    }
    for code in [0, 183, 200, 486, 699] {
        all.extend([Moment::Early { code }, Moment::Answered { code }, Moment::Failed { code }, Moment::Revived { code }]);
        for leg in Leg::BOTH {
            all.extend([Moment::ByeAnswered { leg, code }, Moment::ByeRepeated { leg, code }, Moment::KeepaliveFailed { leg, code }]);
        }
    }
    for leg in Leg::BOTH {
        all.extend([Moment::EarlyBye { leg }, Moment::Bye { leg }, Moment::ByeUnsent { leg }]);
    }
    all.extend(EndReason::ALL.map(|reason| Moment::Asked { reason }));
    all
}

#[test]
fn every_moment_comes_back_as_it_went_in() {
    for moment in every_moment() {
        assert_eq!(Moment::unpack(moment.pack()), Some(moment));
        assert!(!moment.to_string().is_empty());
    }
    assert_eq!(Moment::unpack(63 << DETAIL_BITS), None);
}

#[test]
fn a_code_that_is_none_is_kept_as_unknown() {
    assert_eq!(Moment::unpack(Moment::Failed { code: 1024 }.pack()), Some(Moment::Failed { code: 0 }));
}

#[test]
fn a_whole_call_reads_in_order_with_its_states() {
    let mut history = History::beginning_with(Moment::Created);
    history.remember(120, Moment::Early { code: 180 });
    history.remember(2_500, Moment::Answered { code: 200 });
    history.remember(2_540, Moment::Confirmed);
    history.remember(9_001, Moment::Bye { leg: Leg::Callee });
    let told: Vec<(u64, String, u32, u32)> = history
        .moments(Date(1_000))
        .iter()
        .map(|past| (past.at.0, past.moment.to_string(), past.old.number(), past.new.number()))
        .collect();
    assert_eq!(
        told,
        [
            (1_000, String::from("INVITE received"), 1, 1),
            (1_120, String::from("provisional reply 180"), 1, 2),
            (3_500, String::from("answered with 200"), 2, 3),
            (3_540, String::from("ACK received"), 3, 4),
            (10_001, String::from("BYE from the callee"), 4, 5),
        ]
    );
    assert_eq!(history.lost(), 0);
}

#[test]
fn a_full_history_keeps_the_first_moment_and_the_last_ones_with_true_states() {
    let mut history = History::beginning_with(Moment::Created);
    for moment in [Moment::Early { code: 180 }, Moment::Answered { code: 200 }, Moment::Confirmed] {
        history.remember(1, moment);
    }
    for code in 500..600 {
        history.remember(2, Moment::ByeRepeated { leg: Leg::Caller, code });
    }
    let moments = history.moments(Date(0));
    assert_eq!(moments.len(), 1 + HISTORY_MOMENTS);
    assert_eq!(moments.first().map(|past| past.moment), Some(Moment::Created));
    assert!(moments.iter().skip(1).all(|past| (past.old, past.new) == (State::Confirmed, State::Confirmed)));
    assert_eq!(moments.last().map(|past| past.moment), Some(Moment::ByeRepeated { leg: Leg::Caller, code: 599 }));
    assert_eq!(usize::from(history.lost()), 3 + 100 - HISTORY_MOMENTS);
}

#[test]
fn a_call_from_storage_begins_in_its_state() {
    let mut history = History::beginning_with(Moment::Loaded { state: State::Confirmed });
    history.remember(5, Moment::LifetimeOver);
    let states: Vec<(State, State)> = history.moments(Date(0)).iter().map(|past| (past.old, past.new)).collect();
    assert_eq!(states, [(State::Confirmed, State::Confirmed); 2]);
}
