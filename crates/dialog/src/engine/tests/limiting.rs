//! Limits on calls: acquired places, places for calls to come, storms of many threads, audits.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};

use super::*;
use crate::effect::{PendingProfile, Restored};
use crate::flags::dialog_flag;
use crate::profiles::{Audit, Difference, Limit, Place, ProfileError, ProfileId};
use crate::state::State;

fn find(engine: &Engine, name: &str) -> ProfileId {
    engine.profiles().find(name).unwrap()
}

fn sound(engine: &Engine) -> u64 {
    let audit = engine.profiles_audit().unwrap();
    assert_eq!((audit.different, &audit.differences[..]), (0, &[][..]));
    audit.checked
}

#[test]
fn a_member_acquires_again_without_being_counted_again() {
    let engine = engine(&[]);
    for (name, value) in [("caller", Some(&b"alice"[..])), ("all", None)] {
        let profile = find(&engine, name);
        let (first, second) =
            (create(&engine, at(0.0), format!("1{name}@x").as_bytes()), create(&engine, at(0.0), format!("2{name}@x").as_bytes()));
        for _ in 0..2 {
            assert_eq!(engine.profile_acquire(at(0.0), first, profile, value, Limit::of(1)), Ok(()));
        }
        assert_eq!(engine.profile_acquire(at(0.0), second, profile, value, Limit::of(1)), Err(ProfileError::Full));
        assert_eq!(engine.profile_acquire(at(0.0), second, profile, value, Limit::of(0)), Err(ProfileError::Full));
        assert_eq!(engine.profile_acquire(at(0.0), first, profile, value, Limit::of(0)), Ok(()));
        assert_eq!(engine.profiles().size(profile, value), Some(1));
        // One that was set is a member too.
        engine.profile_join(at(0.0), second, profile, value).unwrap();
        assert_eq!(engine.profile_acquire(at(0.0), second, profile, value, Limit::of(0)), Ok(()));
        assert_eq!(engine.profiles().size(profile, value), Some(2));
    }
    let nobody = DialogId { entry: 0, id: 0 };
    assert_eq!(engine.profile_acquire(at(0.0), nobody, find(&engine, "all"), None, Limit::of(9)), Err(ProfileError::UnknownDialog));
    sound(&engine);
}

#[test]
fn a_place_is_free_at_once_however_the_call_ends() {
    let engine = engine(&[]);
    let caller = find(&engine, "caller");
    let value = Some(&b"alice"[..]);
    let ends: [fn(&Engine, DialogId); 4] = [
        |engine, id| {
            reply(engine, at(1.0), id, 486);
        },
        |engine, id| {
            reply(engine, at(1.0), id, 200);
            let hangup = within(RequestMethod::Bye, Direction::Downstream, 9);
            let change = engine.request_begin(at(2.0), id, &hangup).unwrap();
            engine.request_finish(at(2.0), change, &hangup);
        },
        |engine, id| assert!(engine.abandon(at(1.0), id)),
        |engine, id| assert!(engine.destroy(at(1.0), id)),
    ];
    for (number, end) in ends.iter().enumerate() {
        let emergency = Limit { places: 0, headroom: Some(1) };
        for limit in [Limit::of(1), emergency] {
            let id = create(&engine, at(0.0), format!("{number}-{}@x", limit.places).as_bytes());
            assert_eq!(engine.profile_acquire(at(0.0), id, caller, value, limit), Ok(()));
            end(&engine, id);
            let view = &engine.profiles().limits(caller, value, 1)[0];
            assert_eq!((view.members, view.priority, view.refused), (0, 0, 0), "end {number}");
        }
    }
    sound(&engine);
}

#[test]
fn a_reserved_place_becomes_a_membership_or_is_free_again() {
    let engine = engine(&[]);
    for (name, value) in [("caller", Some(&b"alice"[..])), ("all", None)] {
        let profile = find(&engine, name);
        let reserve = || engine.profile_reserve(profile, value, Limit { places: 1, headroom: Some(1) });
        let (ordinary, priority) = (reserve().unwrap(), reserve().unwrap());
        assert_eq!(reserve().map(|_| ()), Err(ProfileError::Full));
        assert!(ordinary.is_for(profile, value) && !ordinary.is_for(find(&engine, "nov"), None));
        assert!(value.is_none() || !ordinary.is_for(profile, Some(b"bob")));
        sound(&engine);
        drop(ordinary);
        assert_eq!(engine.profiles().size(profile, value), Some(1));
        let id = confirmed(&engine, at(0.0), format!("{name}@x").as_bytes());
        assert_eq!(engine.profile_adopt(at(0.0), id, priority), Ok(()));
        assert_eq!((engine.profile_has(id, profile, value), engine.profiles().size(profile, value)), (Ok(true), Some(1)));
        sound(&engine);
        let view = engine.profiles().limits(profile, value, 1)[0].clone();
        assert_eq!((view.members, view.priority), (1, 1));
        let late = reserve().unwrap();
        let hangup = within(RequestMethod::Bye, Direction::Downstream, 9);
        let _left = engine.request_begin(at(1.0), id, &hangup).unwrap();
        assert_eq!(engine.profile_adopt(at(1.0), id, late), Err(ProfileError::Refused));
        let lost = reserve().unwrap();
        assert_eq!(engine.profile_adopt(at(1.0), DialogId { entry: 0, id: 0 }, lost), Err(ProfileError::UnknownDialog));
        assert_eq!(engine.profiles().size(profile, value), Some(0));
        sound(&engine);
    }
}

/// 8 threads with one place wanted each never meet a refusal below a limit of 8, and 24 never pass it: what each thread
/// counts lies inside what the profile counts, and between the begin and the end of a refusal at least the limit was wanted.
#[test]
fn a_storm_never_passes_the_limit_and_is_never_refused_while_there_is_room() {
    for (name, value) in [("caller", Some(&b"alice"[..])), ("all", None)] {
        for (dialogs, limit) in [(1, 8), (3, 8)] {
            let engine = engine(&[]);
            let profile = find(&engine, name);
            let (inside, begun, over) = (AtomicI64::new(0), AtomicI64::new(0), AtomicI64::new(0));
            let (refused, passed, wrong) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
            std::thread::scope(|scope| {
                for thread in 0..8 {
                    let (engine, inside, begun, over, refused, passed, wrong) =
                        (&engine, &inside, &begun, &over, &refused, &passed, &wrong);
                    scope.spawn(move || {
                        let ids: Vec<DialogId> =
                            (0..dialogs).map(|number| create(engine, at(0.0), format!("{thread}-{number}@x").as_bytes())).collect();
                        let mut held = vec![false; dialogs];
                        for round in 0..3000 {
                            let number = (round * 7 + thread) % dialogs;
                            if std::mem::take(&mut held[number]) {
                                inside.fetch_sub(1, SeqCst);
                                assert_eq!(engine.profile_leave(at(0.0), ids[number], profile, value), Ok(true));
                                over.fetch_add(1, SeqCst);
                                continue;
                            }
                            let over_before = over.load(SeqCst);
                            begun.fetch_add(1, SeqCst);
                            let acquired = engine.profile_acquire(at(0.0), ids[number], profile, value, Limit::of(limit));
                            if acquired.is_ok() {
                                held[number] = true;
                                passed.fetch_add(1, SeqCst);
                                let now = inside.fetch_add(1, SeqCst) + 1;
                                wrong.fetch_add(u64::from(now > i64::from(limit)), SeqCst);
                            } else {
                                // Everybody who may have had a place at any time during this attempt, without itself.
                                let wanted = begun.load(SeqCst) - over_before - 1;
                                wrong.fetch_add(u64::from(wanted < i64::from(limit)), SeqCst);
                                over.fetch_add(1, SeqCst);
                                refused.fetch_add(1, SeqCst);
                            }
                        }
                    });
                }
            });
            assert_eq!(wrong.load(SeqCst), 0);
            assert!(dialogs > 1 || refused.load(SeqCst) == 0);
            let view = engine.profiles().limits(profile, value, 1)[0].clone();
            assert_eq!((i64::from(view.members), view.refused), (inside.load(SeqCst), refused.load(SeqCst)));
            assert!(view.peak <= limit && passed.load(SeqCst) > 0);
            sound(&engine);
        }
    }
}

#[test]
fn an_audit_is_exact_while_calls_come_and_go() {
    let engine = engine(&[("hash_size", 64)]);
    let (caller, all) = (find(&engine, "caller"), find(&engine, "all"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..3u32 {
            let (engine, stop) = (&engine, &stop);
            scope.spawn(move || {
                let mut open: Vec<DialogId> = Vec::new();
                let mut number = 0u32;
                while !stop.load(SeqCst) {
                    number += 1;
                    let value = format!("user{}", number % 40);
                    let value = Some(value.as_bytes());
                    let waiting = engine.profile_reserve(caller, value, Limit::of(5));
                    let id = create(engine, at(0.0), format!("{thread}-{number}@x").as_bytes());
                    if let Ok(waiting) = waiting
                        && !number.is_multiple_of(3)
                    {
                        engine.profile_adopt(at(0.0), id, waiting).unwrap();
                    }
                    engine.profile_join(at(0.0), id, all, None).unwrap();
                    let _ = engine.profile_acquire(at(0.0), id, caller, Some(b"everybody"), Limit::of(20));
                    engine.profiles().add_remote(caller, value, b"u", 1).unwrap();
                    open.push(id);
                    if open.len() > 30 {
                        engine.profiles().remove_remote(caller, value, b"u").unwrap();
                        engine.destroy(at(0.0), open.swap_remove(number as usize % 30));
                    }
                }
            });
        }
        let (mut checked, mut different) = (0, 0);
        while checked < 4000 && different == 0 {
            let audit = engine.profiles_audit().unwrap_or_default();
            checked += audit.checked.max(1);
            different += audit.different;
        }
        stop.store(true, SeqCst);
        assert_eq!(different, 0);
    });
    assert!(sound(&engine) > 0);
}

#[test]
fn an_audit_tells_a_count_that_is_wrong() {
    let engine = engine(&[]);
    let (caller, all) = (find(&engine, "caller"), find(&engine, "all"));
    let id = create(&engine, at(0.0), b"a@x");
    engine.profile_join(at(0.0), id, caller, Some(b"alice")).unwrap();
    engine.profile_join(at(0.0), id, all, None).unwrap();
    engine.profiles().add_remote(all, None, b"u", 0).unwrap();
    assert_eq!(sound(&engine), 2);
    engine.profiles.join(caller, Some(b"alice"), None, 0).unwrap();
    engine.profiles.join(all, None, None, 0).unwrap();
    let wrong = |profile, value: &[u8], counted, memberships| Difference { profile, value: value.to_vec(), counted, memberships };
    let differences = vec![wrong(all, b"", 3, 2), wrong(caller, b"alice", 2, 1)];
    assert_eq!(engine.profiles_audit(), Some(Audit { checked: 2, different: 2, differences }));
    let _alone = engine.auditing.lock().unwrap();
    assert_eq!(engine.profiles_audit(), None);
}

#[test]
fn memberships_keep_their_order_through_storage() {
    let engine = engine(&[]);
    let (caller, all) = (find(&engine, "caller"), find(&engine, "all"));
    let id = create(&engine, at(0.0), b"a@x");
    for value in [b"one", b"two"] {
        engine.profile_join(at(0.0), id, caller, Some(value)).unwrap();
    }
    engine.profile_join(at(0.0), id, all, None).unwrap();
    let listed = |engine: &Engine| -> Vec<Option<Vec<u8>>> {
        engine.view(at(0.0), id).unwrap().profiles.into_iter().map(|profile| profile.value).collect()
    };
    let before = listed(&engine);
    assert_eq!(before, [None, Some(b"two".to_vec()), Some(b"one".to_vec())]);
    engine.destroy(at(0.0), id);
    let profiles = [PendingProfile::of(all, None), PendingProfile::of(caller, Some(b"two")), PendingProfile::of(caller, Some(b"one"))];
    let stored = Restored {
        id,
        state: State::Confirmed,
        start_time: START as u32,
        timeout: START as u32 + 600,
        callee_cseq: 1,
        new: NewDialog { profiles: &profiles, ..invite(b"a@x") },
        callee: CALLEE,
    };
    assert_eq!(engine.restore(at(0.0), &stored), Ok(()));
    assert_eq!(listed(&engine), before);
    sound(&engine);
    // Only a membership that really goes marks the dialog as changed.
    let is_marked = || engine.view(at(0.0), id).unwrap().dialog_flags & dialog_flag::CHANGED_PROFILES != 0;
    assert_eq!((engine.profile_leave(at(0.0), id, caller, Some(b"three")), is_marked()), (Ok(false), false));
    assert_eq!((engine.profile_leave(at(0.0), id, caller, Some(b"two")), is_marked()), (Ok(true), true));
}

#[test]
fn a_membership_in_the_headroom_is_kept_as_that() {
    let engine = engine(&[]);
    let caller = find(&engine, "caller");
    let id = create(&engine, at(0.0), b"a@x");
    engine.profile_acquire(at(0.0), id, caller, Some(b"g"), Limit { places: 0, headroom: Some(1) }).unwrap();
    engine.set_variable(at(0.0), id, b"k", Some(b"v")).unwrap();
    engine.profile_join(at(0.0), id, caller, Some(b"other")).unwrap();
    let places: Vec<Place> = engine.read(id, |record| record.memberships().map(|membership| membership.place).collect()).unwrap();
    assert_eq!(places, [Place::Ordinary, Place::Priority]);
    assert_eq!(engine.profile_leave(at(0.0), id, caller, Some(b"g")), Ok(true));
    assert_eq!(engine.profiles().limits(caller, Some(b"g"), 1)[0].priority, 0);
}
