//! What is noted for storage and when, and what loading refuses.

use super::{CALLEE, ack, at, bye, confirmed, create, invite, reply, request, settings, within};
use crate::cookie;
use crate::effect::{ExpiryStep, NewDialog, PendingProfile, RequestMethod, RestoreError, Restored};
use crate::engine::{DialogId, Engine, StoredChange};
use crate::hash;
use crate::leg::{CalleeLeg, Direction};
use crate::profiles::{Limit, Place};
use crate::settings::{MatchMode, Settings, Storing};
use crate::state::State;

fn storing(storing: Storing) -> Engine {
    Engine::new(at(0.0), Settings { storing, ..settings(&[]) })
}

/// What is taken, in short: put (new, variables) or removed.
fn taken(engine: &Engine) -> Vec<(DialogId, &'static str)> {
    let taken = engine.take_changes(at(0.0), usize::MAX, short);
    assert_eq!((taken.upto, engine.unsaved()), (engine.changes_noted(), 0));
    taken.changes
}

fn short(change: StoredChange<'_>) -> (DialogId, &'static str) {
    let what = match change {
        StoredChange::Put { is_new: true, .. } => "new",
        StoredChange::Put { has_variables: true, .. } => "variables",
        StoredChange::Put { .. } => "changed",
        StoredChange::Remove(_) => "removed",
    };
    (change.id(), what)
}

#[test]
fn a_call_is_written_at_its_answer_its_ack_each_request_and_its_end() {
    let engine = storing(Storing::Realtime);
    let id = create(&engine, at(0.0), b"c");
    engine.set_variable(at(0.0), id, b"key", Some(b"early")).unwrap();
    reply(&engine, at(0.0), id, 180);
    assert_eq!(taken(&engine), [], "no row before the answer");
    reply(&engine, at(0.0), id, 200);
    assert_eq!(taken(&engine), [(id, "new")]);
    ack(&engine, at(0.0), id);
    assert_eq!(taken(&engine), [(id, "changed")]);
    request(&engine, at(0.0), id, &within(RequestMethod::Other, Direction::Upstream, 9));
    engine.set_variable(at(0.0), id, b"key", Some(b"later")).unwrap();
    assert_eq!(taken(&engine), [(id, "variables")], "two changes are one write");
    engine.set_variable(at(0.0), id, b"key", Some(b"later")).unwrap();
    assert_eq!(taken(&engine), [], "the same value is no change");
    engine.set_script_flags(at(0.0), id, 1, 0);
    assert_eq!(taken(&engine), [(id, "changed")]);
    let all = engine.profiles().find("all").unwrap();
    engine.profile_join(at(0.0), id, all, None).unwrap();
    assert_eq!(taken(&engine), [(id, "changed")]);
    engine.set_internal_flags(at(0.0), id, 2, 0);
    assert_eq!(taken(&engine), [(id, "changed")]);
    bye(&engine, at(0.0), id);
    assert_eq!(taken(&engine), [(id, "removed")], "with the step that ends it, not when the record goes");
    engine.release(at(9.0), id);
    assert_eq!(taken(&engine), []);
}

#[test]
fn a_call_that_comes_and_goes_unasked_costs_no_write() {
    let engine = storing(Storing::Delayed);
    for number in 0..100_u8 {
        let id = confirmed(&engine, at(0.0), &[number]);
        bye(&engine, at(0.0), id);
        engine.release(at(0.0), id);
    }
    let held = confirmed(&engine, at(0.0), b"held");
    assert_eq!(engine.unsaved(), 101);
    engine.forget_stale_changes();
    assert_eq!(engine.unsaved(), 1, "the backlog is bounded by the calls that live");
    assert_eq!(taken(&engine), [(held, "new")]);
}

#[test]
fn a_failed_call_and_a_mode_without_storage_note_nothing() {
    for (mode, code) in [(Storing::Realtime, 486), (Storing::Never, 200), (Storing::AtStop, 200)] {
        let engine = storing(mode);
        let id = create(&engine, at(0.0), b"c");
        reply(&engine, at(0.0), id, code);
        ack(&engine, at(0.0), id);
        assert_eq!((engine.changes_noted(), engine.unsaved()), (0, 0), "{mode:?}");
    }
}

#[test]
fn changes_are_taken_in_order_and_numbered_to_the_last_one_taken() {
    let engine = storing(Storing::Realtime);
    let ids = [confirmed(&engine, at(0.0), b"a"), confirmed(&engine, at(0.0), b"b"), confirmed(&engine, at(0.0), b"c")];
    let first = engine.take_changes(at(0.0), 2, short);
    assert_eq!((first.changes.len(), first.upto, engine.changes_noted()), (2, 2, 3));
    bye(&engine, at(0.0), ids[0]);
    bye(&engine, at(0.0), ids[2]);
    assert_eq!(taken(&engine), [(ids[0], "removed")], "the third one never got a row");
}

#[test]
fn removals_alone_go_before_the_rest() {
    let engine = storing(Storing::Delayed);
    let (gone, stays) = (confirmed(&engine, at(0.0), b"a"), confirmed(&engine, at(0.0), b"b"));
    taken(&engine);
    ack(&engine, at(0.0), stays);
    request(&engine, at(0.0), stays, &within(RequestMethod::Other, Direction::Upstream, 9));
    bye(&engine, at(0.0), gone);
    assert_eq!(engine.take_removals(at(0.0), 10, short), [(gone, "removed")]);
    assert_eq!(taken(&engine), [(stays, "changed")]);
}

#[test]
fn a_stored_call_forced_to_live_again_is_written_after_its_removal() {
    let engine = storing(Storing::Realtime);
    let id = confirmed(&engine, at(0.0), b"c");
    taken(&engine);
    request(&engine, at(0.0), id, &within(RequestMethod::Other, Direction::Upstream, 9));
    let operator = crate::end_reason::EndReason::Abandoned;
    engine.force_state(at(0.0), id, State::Deleted, operator);
    engine.force_state(at(0.0), id, State::Confirmed, operator);
    let order: Vec<&str> = taken(&engine).into_iter().map(|(_, what)| what).collect();
    assert_eq!(order.last(), Some(&"new"), "{order:?}");
    assert!(order.contains(&"removed"));
}

#[test]
fn a_call_forced_to_be_answered_gets_a_row() {
    let engine = storing(Storing::Realtime);
    let operator = crate::end_reason::EndReason::Abandoned;
    let early = create(&engine, at(0.0), b"early");
    reply(&engine, at(0.0), early, 180);
    engine.force_state(at(0.0), early, State::Confirmed, operator);
    assert_eq!(taken(&engine), [(early, "new")], "no 2xx will make one");
    let removed = confirmed(&engine, at(0.0), b"removed");
    taken(&engine);
    engine.force_state(at(0.0), removed, State::Deleted, operator);
    assert_eq!(taken(&engine), [(removed, "removed")]);
    engine.force_state(at(0.0), removed, State::Confirmed, operator);
    assert_eq!(taken(&engine), [(removed, "new")], "its row is gone");
}

#[test]
fn a_stored_call_that_is_answered_again_has_one_row() {
    let engine = storing(Storing::Realtime);
    let id = confirmed(&engine, at(0.0), b"c");
    taken(&engine);
    engine.force_state(at(0.0), id, State::Early, crate::end_reason::EndReason::Abandoned);
    reply(&engine, at(0.0), id, 200);
    assert_eq!(taken(&engine), [(id, "variables")], "its row is there already");
}

#[test]
fn a_call_whose_note_was_forgotten_is_noted_when_it_lives_again() {
    let engine = storing(Storing::Realtime);
    let operator = crate::end_reason::EndReason::Abandoned;
    let id = confirmed(&engine, at(0.0), b"c");
    engine.force_state(at(0.0), id, State::Deleted, operator);
    engine.forget_stale_changes();
    assert_eq!(engine.unsaved(), 0);
    engine.force_state(at(0.0), id, State::Confirmed, operator);
    assert_eq!(taken(&engine), [(id, "new")]);
}

#[test]
fn a_call_whose_removal_is_not_written_yet_is_not_loaded_on_demand() {
    let engine = storing(Storing::Delayed);
    let [waiting, out] = [&b"waiting"[..], b"out"].map(|call_id| {
        let id = confirmed(&engine, at(0.0), call_id);
        taken(&engine);
        id
    });
    let end = |id: DialogId| {
        bye(&engine, at(0.0), id);
        engine.release(at(0.0), id);
        assert!(!engine.contains(id));
    };
    end(out);
    assert_eq!(engine.take_removals(at(0.0), 10, short), [(out, "removed")], "on its way to the database");
    end(waiting);
    engine.begin_loading_more();
    for (call_id, id) in [(&b"waiting"[..], waiting), (b"out", out)] {
        assert_eq!(engine.restore(at(0.0), &stored(&engine, invite(call_id), id.id)), Err(RestoreError::Ended), "{id}");
    }
    engine.finish_loading();
}

#[test]
fn at_the_stop_every_answered_call_is_new() {
    let engine = storing(Storing::AtStop);
    let id = confirmed(&engine, at(0.0), b"c");
    create(&engine, at(0.0), b"d");
    engine.note_all_answered();
    assert_eq!(taken(&engine), [(id, "new")]);
}

fn stored<'a>(engine: &Engine, new: NewDialog<'a>, number: u32) -> Restored<'a> {
    let entry = hash::slot(new.call_id, engine.settings().hash_size);
    let start = u32::try_from(super::START).unwrap();
    Restored {
        id: DialogId { entry, id: number },
        state: State::Confirmed,
        new,
        callee: CalleeLeg { tag: b"B", contact: b"sip:bob@127.0.0.1", ..CalleeLeg::default() },
        callee_cseq: 5,
        start_time: start - 100,
        timeout: start + 500,
    }
}

#[test]
fn what_ended_while_loading_does_not_come_back() {
    let engine = storing(Storing::Realtime);
    engine.begin_loading();
    let row = stored(&engine, invite(b"c"), 9);
    assert!(!engine.slot_is_loaded(row.id.entry));
    engine.restore(at(0.0), &row).unwrap();
    engine.mark_slot_loaded(row.id.entry);
    assert!(engine.slot_is_loaded(row.id.entry));
    assert_eq!(engine.restore(at(0.0), &row), Err(RestoreError::Exists));
    bye(&engine, at(0.0), row.id);
    engine.release(at(0.0), row.id);
    assert_eq!(taken(&engine), [(row.id, "removed")]);
    assert_eq!(engine.restore(at(0.0), &row), Err(RestoreError::Ended));
    engine.finish_loading();
    assert!(engine.slot_is_loaded(row.id.entry) && !engine.is_loading());
}

#[test]
fn numbers_of_stored_dialogs_are_not_given_again() {
    let engine = storing(Storing::Realtime);
    let entry = hash::slot(b"c", engine.settings().hash_size);
    engine.raise_number(DialogId { entry, id: 7_000_000 });
    assert_eq!(create(&engine, at(0.0), b"c").id, 7_000_001);
}

#[test]
fn a_dialog_of_another_hash_size_gets_its_slot_and_a_fresh_number() {
    let engine = storing(Storing::Realtime);
    let mut row = stored(&engine, invite(b"c"), 9);
    row.id.entry ^= 1;
    assert_eq!(engine.restore(at(0.0), &row), Err(RestoreError::OtherHashSize));
    let id = engine.restore_rehashed(at(0.0), &row).unwrap();
    assert!(id.entry == row.id.entry ^ 1 && id.id != row.id.id, "{id}");
    assert_eq!(taken(&engine), [], "the caller moves the row");
}

#[test]
fn a_cookie_of_another_hash_size_leaves_the_decision_to_the_identifiers_on_request() {
    for finds_moved in [false, true] {
        let engine = Engine::new(at(0.0), Settings { finds_moved, ..settings(&[]) });
        let mut row = stored(&engine, invite(b"c"), 9);
        row.id.entry += 4_096;
        let id = engine.restore_rehashed(at(0.0), &row).unwrap();
        let find = |named: DialogId, to: &[u8]| {
            let mut cookie = Vec::new();
            cookie::write(&mut cookie, named);
            engine.match_request(MatchMode::CookieOnly, Some(&cookie), b"c", b"A", to).found.map(|(found, _)| found)
        };
        assert_eq!(find(row.id, b"B"), finds_moved.then_some(id));
        assert_eq!(find(row.id, b"X"), None);
        assert_eq!(find(DialogId { id: 77, ..id }, b"B"), None, "the slot is right, so is its number wrong");
        assert_eq!(find(id, b"B"), Some(id));
    }
}

#[test]
fn a_call_that_was_over_before_its_answer_gets_its_byes_after_a_restart_too() {
    let engine = Engine::new(at(0.0), Settings { storing: Storing::Realtime, ..settings(&[("race_condition_timeout", 5)]) });
    let id = create(&engine, at(0.0), b"c");
    reply(&engine, at(0.0), id, 180);
    engine.early_bye(at(0.0), id, CALLEE.tag);
    reply(&engine, at(0.0), id, 200);
    ack(&engine, at(0.0), id);
    let copied = |change: StoredChange<'_>| match change {
        StoredChange::Put { dialog, .. } => Some(dialog.clone()),
        StoredChange::Remove(_) => None,
    };
    let dialog = engine.take_changes(at(0.0), 10, copied).changes.pop().flatten().unwrap();
    let again = storing(Storing::Realtime);
    let new = NewDialog { internal_flags: dialog.internal_flags, ..invite(b"c") };
    again.restore(at(1.0), &Restored { id, timeout: dialog.timeout, ..stored(&again, new, id.id) }).unwrap();
    assert_eq!(again.expire(at(7.0)).len(), 1);
    assert!(matches!(again.expiry_decide(at(7.0), id), ExpiryStep::SendByes { .. }));
}

#[test]
fn a_place_in_the_headroom_survives() {
    let engine = storing(Storing::Realtime);
    let all = engine.profiles().find("all").unwrap();
    let profiles = [PendingProfile { place: Place::Priority, ..PendingProfile::of(all, None) }];
    let row = stored(&engine, NewDialog { profiles: &profiles, ..invite(b"c") }, 9);
    engine.restore(at(0.0), &row).unwrap();
    assert_eq!(engine.view(at(0.0), row.id).unwrap().profiles[0].place, Place::Priority);
    let other = create(&engine, at(0.0), b"d");
    assert_eq!(engine.profile_acquire(at(0.0), other, all, None, Limit::of(1)), Ok(()), "the ordinary place is free");
}
