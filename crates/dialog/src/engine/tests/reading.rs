//! Listings, profiles, variables, forced states and dialogs from storage.

use super::*;
use crate::effect::{PendingProfile, RestoreError, Restored, VariableError};
use crate::leg::Leg;
use crate::profiles::ProfileError;
use crate::state::State;
use crate::view::{Attribute, AttributeValue};

#[test]
fn listings_go_by_slot_and_age_and_can_stop() {
    let engine = engine(&[("hash_size", 8)]);
    let mut made: Vec<DialogId> = (0..500).map(|number| create(&engine, at(0.0), format!("{number}@x").as_bytes())).collect();
    let mut listed = Vec::new();
    engine.for_each(at(0.0), |view| {
        listed.push(view.id);
        true
    });
    made.sort_by_key(|id| id.entry);
    assert_eq!(listed, made, "within a slot in the order of creation");
    let mut seen = 0;
    engine.for_each(at(0.0), |_| {
        seen += 1;
        seen < 10
    });
    assert_eq!(seen, 10);
    let first: Vec<DialogId> = made.iter().copied().filter(|id| id.entry == 3).collect();
    assert_eq!((engine.list_slot(3), engine.list_slot(8)), (first, Vec::new()));
    assert_eq!(engine.state_counts(true).unconfirmed, 500);
}

#[test]
fn an_observer_may_call_the_engine_while_listing() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"l@x");
    engine.for_each(at(0.0), |view| engine.set_variable(at(0.0), view.id, b"seen", Some(b"1")).is_ok());
    assert_eq!(engine.variable(id, b"seen"), Some(b"1".to_vec()));
}

#[test]
fn numbers_of_a_slot_follow_each_other() {
    let engine = engine(&[("hash_size", 1), ("h_id_start", 5), ("h_id_step", 10)]);
    let ids: Vec<u32> = (0..4).map(|number| create(&engine, at(0.0), format!("{number}@x").as_bytes()).id).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 10) && ids[0] % 10 == 5, "{ids:?}");
    let plain = super::engine(&[("hash_size", 1)]);
    let ids: Vec<u32> = (0..4).map(|number| create(&plain, at(0.0), format!("{number}@x").as_bytes()).id).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1) && ids[0] <= 3);
}

#[test]
fn memberships_count_each_and_end_with_the_call() {
    let engine = engine(&[]);
    let (caller, all) = (engine.profiles().find("caller").unwrap(), engine.profiles().find("all").unwrap());
    let id = confirmed(&engine, at(0.0), b"p@x");
    for _ in 0..2 {
        engine.profile_join(at(0.0), id, caller, Some(b"alice")).unwrap();
    }
    engine.profile_join(at(0.0), id, all, None).unwrap();
    assert_eq!(engine.profiles().size(caller, Some(b"alice")), Some(2));
    assert_eq!(engine.profile_members(caller, Some(b"alice")), [id, id]);
    assert_eq!(engine.profile_members(caller, None), [id, id]);
    assert_eq!(engine.profile_members(caller, Some(b"bob")), []);
    assert_eq!(engine.profile_has(id, caller, Some(b"alice")), Ok(true));
    assert_eq!(engine.profile_has(id, caller, Some(b"bob")), Ok(false));
    assert_eq!(engine.profile_has(id, caller, None), Err(ProfileError::ValueMissing));
    assert_eq!(engine.profile_has(id, all, None), Ok(true));
    assert_eq!(engine.profile_leave(at(0.0), id, caller, Some(b"alice")), Ok(true));
    assert_eq!(engine.profile_leave(at(0.0), id, caller, Some(b"bob")), Ok(false));
    assert_eq!(engine.profiles().size(caller, None), Some(1));
    let hangup = within(RequestMethod::Bye, Direction::Downstream, 9);
    let change = engine.request_begin(at(1.0), id, &hangup).unwrap();
    assert_eq!((engine.profiles().size(caller, None), engine.profiles().size(all, None)), (Some(0), Some(0)));
    assert_eq!(engine.profile_join(at(1.0), id, all, None), Err(ProfileError::Refused));
    engine.request_finish(at(1.0), change, &hangup);
    assert_eq!(engine.profiles().size(all, None), Some(0));
}

#[test]
fn joining_once_is_an_option_and_limits_are_kept_across_dialogs() {
    let mut once = settings(&[]);
    once.profile_join_once = true;
    let engine = Engine::new(at(0.0), once);
    let caller = engine.profiles().find("caller").unwrap();
    let id = create(&engine, at(0.0), b"1@x");
    for _ in 0..3 {
        engine.profile_join(at(0.0), id, caller, Some(b"a")).unwrap();
    }
    assert_eq!(engine.profiles().size(caller, Some(b"a")), Some(1));
    let passed = (2..10u32)
        .filter(|number| {
            let id = create(&engine, at(0.0), format!("{number}@x").as_bytes());
            engine.profile_acquire(at(0.0), id, caller, Some(b"a"), crate::profiles::Limit::of(4)).is_ok()
        })
        .count();
    assert_eq!((passed, engine.profiles().size(caller, Some(b"a"))), (3, Some(4)));
}

#[test]
fn variables_and_flags_are_kept_with_the_dialog() {
    let engine = engine(&[]);
    let id = create(&engine, at(0.0), b"v@x");
    assert_eq!(engine.set_variable(at(0.0), id, b"a", Some(b"")), Ok(true));
    assert_eq!(engine.variable(id, b"a"), Some(Vec::new()));
    assert_eq!(engine.set_variable(at(0.0), id, b"a", None), Ok(true));
    assert_eq!(engine.set_variable(at(0.0), id, b"a", None), Ok(false));
    let nobody = DialogId { entry: 0, id: 0 };
    assert_eq!(engine.set_variable(at(0.0), nobody, b"a", None), Err(VariableError::UnknownDialog));
    assert_eq!(engine.set_script_flags(at(0.0), id, 1 << 31 | 4, 0), Some(0x8000_0004));
    assert_eq!(engine.set_script_flags(at(0.0), id, 0, 4), Some(0x8000_0000));
    assert_eq!(engine.attribute(id, Attribute::ScriptFlags), Some(Some(AttributeValue::Number(0x8000_0000))));
    assert_eq!(engine.attribute(id, Attribute::Tag(Leg::Callee)), Some(None));
    assert_eq!(engine.attribute(id, Attribute::CSeq(Leg::Callee)), Some(None));
    assert_eq!(engine.attribute(nobody, Attribute::State), None);
}

#[test]
fn a_forced_state_moves_gauges_deadlines_and_profiles_along() {
    let engine = engine(&[]);
    let all = engine.profiles().find("all").unwrap();
    let id = confirmed(&engine, at(0.0), b"f@x");
    engine.profile_join(at(0.0), id, all, None).unwrap();
    assert_eq!(engine.force_state(at(5.0), id, State::Deleted, EndReason::Rpc), Some(State::Confirmed));
    let view = engine.view(at(5.0), id).unwrap();
    assert_eq!((u64::from(view.init_time), u64::from(view.end_time), view.timeout), (START, START + 5, 0));
    assert_eq!((engine.statistics().active, engine.profiles().size(all, None)), (0, Some(0)));
    assert_eq!(engine.expire(at(306.0)).len(), 1);
    let id = create(&engine, at(400.0), b"g@x");
    for state in [State::Confirmed, State::Early, State::ConfirmedNoAck, State::Unconfirmed, State::Confirmed] {
        engine.force_state(at(400.0), id, state, EndReason::Rpc);
        assert_recount(&engine);
    }
    assert!(u64::from(engine.view(at(400.0), id).unwrap().timeout) > START + 400);
    for state in [State::Deleted, State::Confirmed, State::Deleted, State::Early, State::Deleted] {
        engine.force_state(at(401.0), id, state, EndReason::Rpc);
        assert_recount(&engine);
    }
}

#[test]
fn a_stored_dialog_comes_back_with_its_numbers() {
    let engine = engine(&[]);
    let all = engine.profiles().find("all").unwrap();
    let profiles = [PendingProfile::of(all, None)];
    let id = DialogId { entry: 3705, id: 20_000_000 };
    let new = NewDialog { variables: &[(b"pre", b"before")], profiles: &profiles, internal_flags: 1, ..invite(b"db@x") };
    let stored = Restored {
        id,
        state: State::Confirmed,
        new,
        callee: CALLEE,
        callee_cseq: 9,
        start_time: START as u32 - 100,
        timeout: START as u32 + 50,
    };
    assert_eq!(engine.restore(at(0.0), &stored), Ok(()));
    assert_eq!(engine.restore(at(0.0), &stored), Err(RestoreError::Exists));
    let moved = Restored { id: DialogId { entry: 1, id: 1 }, ..stored.clone() };
    assert_eq!(engine.restore(at(0.0), &moved), Err(RestoreError::OtherHashSize));
    let view = engine.view(at(0.0), id).unwrap();
    assert_eq!((view.state, view.lifetime, u64::from(view.timeout), view.dialog_flags), (State::Confirmed, 150, START + 50, 0));
    assert_eq!((view.callee.cseq, view.variables.len(), engine.profiles().size(all, None)), (Some(9), 1, Some(1)));
    assert_eq!((engine.statistics().active, engine.statistics().processed), (1, 0));
    assert_eq!(engine.find_by_identifiers(b"db@x", b"B", b"A", Direction::None), Some((id, Direction::Upstream)));
    let Begin::Created(next) = engine.begin(at(0.0), &invite(b"db@x")) else { panic!("refused") };
    assert_eq!(next.id, id.id + 1, "new numbers lie above loaded ones");
    let over = Restored { id: DialogId { id: 7, ..id }, timeout: START as u32 - 1, ..stored };
    assert_eq!(engine.restore(at(0.0), &over), Ok(()));
    assert_eq!(engine.expire(at(0.2)).len(), 1);
    assert_recount(&engine);
}

#[test]
fn a_confirmed_dialog_with_two_profiles_and_a_variable_stays_under_its_budget() {
    let engine = engine(&[]);
    let id = confirmed(&engine, at(0.0), b"1-19529@127.0.0.1");
    let caller = engine.profiles().find("caller").unwrap();
    let all = engine.profiles().find("all").unwrap();
    engine.profile_join(at(0.0), id, caller, Some(b"alice")).unwrap();
    engine.profile_join(at(0.0), id, all, None).unwrap();
    engine.set_variable(at(0.0), id, b"account", Some(b"12345678")).unwrap();
    let record = std::mem::size_of::<crate::record::Record>();
    let block = engine.read(id, |record| record.block_bytes()).unwrap();
    // Two index entries of five bytes at worst half used, and the allocator's own part of the block.
    assert!(record + block + 20 + 16 <= 460, "{record} + {block}");
}
