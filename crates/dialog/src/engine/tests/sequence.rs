//! CSeq numbers that run ahead towards a party.

use super::*;
use crate::effect::Termination;
use crate::engine::SequenceStep;
use crate::flags::internal_flag;
use crate::leg::Leg;

#[test]
fn requests_made_here_lie_above_what_the_party_has_seen() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"c@x");
    assert_eq!(engine.set_sequence_shift(at(1.0), id, Leg::Callee, 2), Ok(true));
    assert_eq!(engine.set_sequence_shift(at(1.0), id, Leg::Callee, 2), Ok(false));
    let number = |leg, step| engine.local_request(id, leg, step).map(|request| request.cseq);
    assert_eq!(number(Leg::Callee, SequenceStep::Above(1)), Ok(6));
    assert_eq!(number(Leg::Callee, SequenceStep::Below), Ok(4));
    assert_eq!(number(Leg::Caller, SequenceStep::Above(1)), Ok(1));
    assert_eq!(engine.set_sequence_shift(at(1.0), id, Leg::Caller, 7), Ok(true));
    assert_eq!(number(Leg::Caller, SequenceStep::Above(1)), Ok(8));
    let Ok(Termination::Byes { caller: Some(caller), callee: Some(callee), .. }) = engine.terminate(at(2.0), id, EndReason::Rpc) else {
        panic!("no BYEs")
    };
    assert_eq!((caller.cseq, callee.cseq), (7 + 101, 5 + 101));
}

#[test]
fn the_flag_and_the_variables_tell_that_numbers_run_ahead() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"c@x");
    let flags = || engine.view(at(1.0), id).map(|view| view.internal_flags & internal_flag::CSEQ_SHIFTED);
    assert_eq!((engine.sequence_shift(id, Leg::Callee), flags()), (0, Some(0)));
    engine.set_sequence_shift(at(1.0), id, Leg::Callee, 1).unwrap();
    engine.set_sequence_shift(at(1.0), id, Leg::Caller, 3).unwrap();
    assert_eq!(engine.variable(id, b"cseq_diff"), Some(b"1".to_vec()));
    assert_eq!(engine.variable(id, b"cseq_diff_caller"), Some(b"3".to_vec()));
    engine.set_sequence_shift(at(1.0), id, Leg::Callee, 0).unwrap();
    assert_eq!((engine.variable(id, b"cseq_diff"), flags()), (None, Some(internal_flag::CSEQ_SHIFTED)));
    engine.set_sequence_shift(at(1.0), id, Leg::Caller, 0).unwrap();
    assert_eq!(flags(), Some(0));
    engine.set_variable(at(1.0), id, b"cseq_diff", Some(b"no number")).unwrap();
    assert_eq!(engine.sequence_shift(id, Leg::Callee), 0);
    assert!(engine.set_sequence_shift(at(1.0), DialogId { entry: 0, id: 0 }, Leg::Callee, 1).is_err());
}

#[test]
fn numbers_used_here_lie_above_all_and_what_follows_lies_above_them() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"c@x");
    assert_eq!(engine.next_sequence_number(at(1.0), id, Leg::Callee, 0), Some(4));
    assert_eq!(engine.next_sequence_number(at(1.0), id, Leg::Callee, 9), Some(10));
    let shift_of_request = |number, direction| {
        let info = within(RequestMethod::Other, direction, number);
        let change = engine.request_begin(at(2.0), id, &info).expect("a change");
        engine.request_finish(at(2.0), change, &info).sequence_shift
    };
    assert_eq!(shift_of_request(4, Direction::Downstream), 7, "number 4 leaves as 11");
    assert_eq!(shift_of_request(1, Direction::Upstream), 0);
    assert_eq!(engine.next_sequence_number(at(3.0), id, Leg::Callee, 0), Some(12));
    assert_eq!(engine.sequence_number_used(at(3.0), id, Leg::Callee, 12), Ok(()));
    assert_eq!(engine.sequence_shift(id, Leg::Callee), 8);
    assert_eq!(engine.sequence_number_used(at(3.0), id, Leg::Caller, 5), Ok(()));
    assert_eq!(shift_of_request(2, Direction::Upstream), 4);
    assert_eq!(engine.next_sequence_number(at(4.0), id, Leg::Callee, (1 << 31) - 1), None);
    assert_eq!(engine.next_sequence_number(at(4.0), DialogId { entry: 0, id: 0 }, Leg::Callee, 0), None);
}
