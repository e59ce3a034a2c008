//! Round trip, and refusal of what was not written here.

use super::*;
use crate::sample::{SECRET, plain, request};

fn written(slot: u32, generation: u32, call: u64, branch: usize) -> String {
    let mut out = Vec::new();
    write_branch(&mut out, SECRET, TransactionId { slot, generation }, call, branch);
    String::from_utf8(out).unwrap_or_default()
}

#[test]
fn what_is_written_is_read_back() {
    for (slot, generation, call, branch) in [(0, 1, 0, 0), (1, 1, 0xffff, 30), (u32::MAX, u32::MAX, 0x1_0000, 16), (77, 3, 0xa277, 15)] {
        let value = written(slot, generation, call, branch);
        assert!(value.len() <= BRANCH_BYTES_MAX, "{value}");
        let id = TransactionId { slot, generation };
        assert_eq!(read_branch(SECRET, value.as_bytes()), BranchId::Transaction { id, branch });
    }
}

#[test]
fn it_has_the_shape_of_the_field() {
    let value = written(5, 9, 0xa277, 17);
    assert!(value.starts_with("z9hG4bK772a.0000000500000009"), "{value}");
    assert!(value.ends_with(".11"), "{value}");
    assert_eq!(value.split('.').nth(1).map(str::len), Some(32));
}

#[test]
fn a_changed_digit_anywhere_names_no_transaction() {
    let value = written(5, 9, 0xa277, 1).into_bytes();
    for at in 0..value.len() {
        for byte in b"0123456789abcdefgA.;".iter().filter(|&&byte| byte != value[at]) {
            let mut forged = value.clone();
            forged[at] = *byte;
            let read = read_branch(SECRET, &forged);
            assert!(!matches!(read, BranchId::Transaction { .. }), "{}", String::from_utf8_lossy(&forged));
        }
    }
    for end in 0..value.len() {
        assert_eq!(read_branch(SECRET, &value[..end]), BranchId::Foreign);
    }
    assert_eq!(read_branch(SecretKey(1, 2), &value), BranchId::Stateless, "another process's key");
}

#[test]
fn a_stateless_branch_is_a_function_of_the_request_and_not_of_a_transaction() {
    let branch = |message: &Message| {
        let mut out = Vec::new();
        assert!(write_stateless_branch(&mut out, message));
        out
    };
    let invite = branch(&plain("INVITE"));
    assert_eq!(branch(&plain("INVITE")), invite);
    assert_eq!(branch(&plain("CANCEL")), invite, "the CANCEL of a stateless forward reaches the same hop");
    assert_eq!(read_branch(SECRET, &invite), BranchId::Stateless);
    let other = request("INVITE", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-two", "<sip:bob@example.com>");
    assert_ne!(branch(&other), invite);
    let tagged = |tag: &str| branch(&request("BYE", crate::sample::VIA, &format!("<sip:b@example.com>;tag={tag}")));
    assert_ne!(tagged("1"), tagged("2"));
}

#[test]
fn foreign_branches_are_foreign() {
    for value in [
        "",
        "z9hG4bK",
        "z9hG4bK-abc",
        "z9hG4bK..",
        "1.2.3",
        "z9hG4bK1.0123456789abcdef.0",
        "z9hG4bKxyz.12.0",
        "z9hG4bK1.0123456789abcdef0123456789abcdef.0.0",
        "z9hG4bK1.0123456789abcde.0123456789abcdef.0",
    ] {
        assert_eq!(read_branch(SECRET, value.as_bytes()), BranchId::Foreign, "{value}");
    }
}

#[test]
fn the_note_of_another_cseq_number_behind_the_branch_is_passed_over() {
    let value = written(5, 9, 0xa277, 17);
    let id = TransactionId { slot: 5, generation: 9 };
    let with = |mark: &str| read_branch(SECRET, [value.as_bytes(), mark.as_bytes()].concat().as_slice());
    assert_eq!(with(".cs102"), BranchId::Transaction { id, branch: 17 });
    for other in [".cs", ".cs1x", ".cd1", "cs1", ".cs1.cs2", ".cs-1"] {
        assert!(!matches!(with(other), BranchId::Transaction { .. }), "{other}");
    }
}
