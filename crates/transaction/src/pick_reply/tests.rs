//! The order of replies (spec proxy-core 7.8, conformance 13).

use super::*;
use crate::branch::BranchStart;

fn branches(codes: &[u16]) -> Vec<Branch> {
    let branch = |&code| {
        let mut branch = Branch::new(BranchStart::default(), false);
        branch.last_status = code;
        branch
    };
    codes.iter().map(branch).collect()
}

fn winner(codes: &[u16]) -> u16 {
    match pick(&branches(codes), PickOrder::default()) {
        Pick::Winner { branch, code } => {
            assert_eq!(codes.get(branch), Some(&code));
            code
        }
        other => panic!("{codes:?} gave {other:?}"),
    }
}

#[test]
fn the_wire_checked_pairs_come_out() {
    for (codes, expected) in [
        ([486, 404], 404),
        ([404, 401], 401),
        ([302, 486], 302),
        ([401, 407], 401),
        ([486, 500], 486),
        ([302, 603], 603),
        ([603, 487], 603),
        ([503, 503], 503),
        ([200, 603], 200),
        ([484, 404], 484),
        ([700, 503], 503),
    ] {
        assert_eq!(winner(&codes), expected, "{codes:?}");
        let [a, b] = codes;
        assert_eq!(winner(&[b, a]), expected, "{codes:?} the other way round");
    }
}

#[test]
fn ranks_are_the_published_numbers() {
    for (code, rank) in [
        (200, 0),
        (603, 1003),
        (302, 3002),
        (401, 4001),
        (407, 4007),
        (415, 4015),
        (420, 4020),
        (484, 4084),
        (404, 4104),
        (486, 4186),
        (503, 5003),
        (700, 10700),
        (180, 11080),
        (0, 32000),
    ] {
        assert_eq!(priority(code, false, PickOrder::default()), rank, "{code}");
    }
    assert_eq!(priority(408, true, PickOrder { faked_reply_priority: -2000 }), 2108);
    assert_eq!(priority(408, false, PickOrder { faked_reply_priority: -2000 }), 4108);
}

#[test]
fn equal_ranks_go_to_the_first_branch() {
    let all = branches(&[486, 486, 486]);
    assert_eq!(pick(&all, PickOrder::default()), Pick::Winner { branch: 0, code: 486 });
}

#[test]
fn a_branch_without_final_reply_holds_everything_unless_it_is_blind() {
    let mut all = branches(&[486, 180, 404]);
    assert_eq!(pick(&all, PickOrder::default()), Pick::Pending);
    all[1].flags.blind = true;
    assert_eq!(pick(&all, PickOrder::default()), Pick::Winner { branch: 2, code: 404 });
}

#[test]
fn dropped_replies_do_not_win() {
    let mut all = branches(&[404, 486]);
    all[0].flags.dropped = true;
    assert_eq!(pick(&all, PickOrder::default()), Pick::Winner { branch: 1, code: 486 });
    all[1].flags.dropped = true;
    assert_eq!(pick(&all, PickOrder::default()), Pick::Nothing);
    assert_eq!(pick(&[], PickOrder::default()), Pick::Nothing);
}

#[test]
fn challenges_are_the_real_401_and_407() {
    let mut all = branches(&[401, 407, 404, 401, 407]);
    all[3].flags.dropped = true;
    all[4].flags.faked = true;
    assert_eq!(challenges(&all).map(|(index, _)| index).collect::<Vec<_>>(), [0, 1]);
}
