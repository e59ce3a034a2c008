//! Tests of profiles against a model, limits and remote members.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;
use crate::limits::{IDLE_LIMITS_OF_SLOT_MAX, VALUES_PAGE};

fn profiles() -> Arc<Profiles> {
    let definitions = [
        ProfileDefinition { name: String::from("all"), has_value: false },
        ProfileDefinition { name: String::from("caller"), has_value: true },
    ];
    Arc::new(Profiles::new(&definitions, 7, "dlgp-6b0354b6-57be-"))
}

fn join(profiles: &Profiles, id: ProfileId, value: Option<&[u8]>, limit: Option<Limit>) -> Result<Membership, ProfileError> {
    let seat = profiles.join(id, value, limit, 0)?;
    Ok(Membership { profile: id.0, value: seat.value, serial: profiles.next_serial(), place: seat.place })
}

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

fn value_of(profiles: &Profiles, id: ProfileId, value: u32) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    profiles.write_value(id, value, &mut text).then_some(text)
}

fn unique_of(profiles: &Profiles, serial: u64) -> String {
    let mut text = String::new();
    profiles.write_unique(serial, &mut text);
    text
}

#[test]
fn counts_follow_a_model_through_random_operations() {
    let profiles = profiles();
    let caller = profiles.find("caller").unwrap();
    let mut model: Vec<(Membership, Vec<u8>)> = Vec::new();
    let mut seed = 42u64;
    for _ in 0..50_000 {
        let random = random(&mut seed);
        if random.is_multiple_of(2) || model.is_empty() {
            let value = format!("user{}", random % 300).into_bytes();
            model.push((join(&profiles, caller, Some(&value), None).unwrap(), value));
        } else {
            let (membership, _) = model.swap_remove(random % model.len());
            profiles.leave(&membership, 0);
        }
        let asked = format!("user{}", (random >> 9) % 300).into_bytes();
        let expected = model.iter().filter(|(_, value)| *value == asked).count() as u64;
        assert_eq!(profiles.size(caller, Some(&asked)), Some(expected));
        assert_eq!(profiles.size(caller, None), Some(model.len() as u64));
    }
    for (membership, value) in &model {
        assert_eq!(value_of(&profiles, caller, membership.value).as_deref(), Some(value.as_slice()));
    }
}

/// Every decision is the one of two plain counters for each value: one below the places, one below the headroom.
#[test]
fn admissions_follow_a_model_through_random_limits() {
    let profiles = profiles();
    for (name, values) in [("all", 1), ("caller", 7)] {
        let id = profiles.find(name).unwrap();
        let mut members: Vec<(usize, Membership)> = Vec::new();
        let mut counts = vec![(0u32, 0u32, 0u64, 0u32); values];
        let mut seed = 11u64;
        for _ in 0..40_000 {
            let random = random(&mut seed);
            let number = (random >> 8) % values;
            let text = format!("v{number}").into_bytes();
            if random.is_multiple_of(3) && !members.is_empty() {
                let (number, membership) = members.swap_remove((random >> 12) % members.len());
                profiles.leave(&membership, 0);
                match membership.place {
                    Place::Ordinary => counts[number].0 -= 1,
                    Place::Priority => counts[number].1 -= 1,
                }
                continue;
            }
            let limit = match random % 5 {
                0 => None,
                1 => Some(Limit { places: (random >> 16) as u32 % 6, headroom: Some((random >> 20) as u32 % 4) }),
                _ => Some(Limit::of((random >> 16) as u32 % 6)),
            };
            let (ordinary, priority, refused, peak) = &mut counts[number];
            let expected = match limit {
                None => Ok(Place::Ordinary),
                Some(limit) if *ordinary < limit.places => Ok(Place::Ordinary),
                Some(Limit { headroom: Some(headroom), .. }) if *priority < headroom => Ok(Place::Priority),
                Some(_) => Err(ProfileError::Full),
            };
            let joined = join(&profiles, id, Some(&text), limit);
            assert_eq!(joined.map(|membership| membership.place), expected);
            match joined {
                Ok(membership) => members.push((number, membership)),
                Err(_) => *refused += 1,
            }
            match expected {
                Ok(Place::Ordinary) => *ordinary += 1,
                Ok(Place::Priority) => *priority += 1,
                Err(_) => {}
            }
            *peak = (*peak).max(*ordinary + *priority);
            assert_eq!(profiles.size(id, Some(&text)), Some(u64::from(*ordinary + *priority)));
        }
        let listed = profiles.limits(id, None, usize::MAX);
        assert_eq!(listed.len(), values);
        for (view, (ordinary, priority, refused, peak)) in listed.iter().zip(&counts) {
            assert_eq!((view.members, view.priority, view.refused, view.peak), (ordinary + priority, *priority, *refused, *peak));
        }
    }
}

#[test]
fn check_and_join_lets_exactly_the_limit_pass() {
    let profiles = profiles();
    for (name, value) in [("caller", Some(&b"alice"[..])), ("all", None)] {
        let id = profiles.find(name).unwrap();
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        if join(&profiles, id, value, Some(Limit::of(37))).is_ok() {
                            passed.fetch_add(1, Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!((passed.load(Relaxed), profiles.size(id, value)), (37, Some(37)));
        let limits = profiles.limits(id, value, usize::MAX);
        assert_eq!((limits.len(), limits[0].refused, limits[0].peak), (1, 363, 37));
    }
}

#[test]
fn values_are_required_where_defined_and_ignored_elsewhere() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    assert_eq!(join(&profiles, caller, None, None), Err(ProfileError::ValueMissing));
    assert_eq!(join(&profiles, caller, Some(b""), None), Err(ProfileError::ValueMissing));
    assert_eq!(join(&profiles, caller, Some(&[b'x'; 5000]), None), Err(ProfileError::ValueTooLong));
    assert_eq!(join(&profiles, caller, Some(b"x"), None).map(|membership| membership.value % PROFILE_SLOTS), Ok(slot_of(b"x")));
    assert_eq!(profiles.size(caller, Some(b"")), Some(0));
    assert_eq!(join(&profiles, all, Some(b"ignored"), None).map(|membership| membership.value), Ok(NO_VALUE));
    assert_eq!((profiles.size(all, Some(b"other")), profiles.size(all, None)), (Some(1), Some(1)));
    assert_eq!((profiles.find("none"), profiles.size(ProfileId(9), None)), (None, None));
    assert_eq!(unique_of(&profiles, 4), "dlgp-6b0354b6-57be-4");
    assert_eq!(unique_of(&profiles, 0x1864), "dlgp-6b0354b6-57be-4681");
}

#[test]
fn remote_members_count_until_removed_or_expired() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    profiles.add_remote(caller, Some(b"alice"), b"u1", 100).unwrap();
    profiles.add_remote(caller, Some(b"alice"), b"u1", 200).unwrap();
    profiles.add_remote(caller, Some(b"alice"), b"u2", 0).unwrap();
    profiles.add_remote(all, None, b"u3", 50).unwrap();
    let local = join(&profiles, caller, Some(b"alice"), None).unwrap();
    assert_eq!(profiles.size(caller, Some(b"alice")), Some(4));
    assert_eq!((profiles.expire_remote(49), profiles.expire_remote(100)), (0, 2));
    assert_eq!((profiles.size(caller, Some(b"alice")), profiles.size(all, None)), (Some(3), Some(0)));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u9"), Ok(false));
    assert_eq!(profiles.remove_remote(caller, Some(b"bob"), b"u1"), Ok(false));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u1"), Ok(true));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u2"), Ok(true));
    profiles.leave(&local, 0);
    assert_eq!((profiles.size(caller, Some(b"alice")), profiles.size(caller, None)), (Some(0), Some(0)));
    assert_eq!(profiles.expire_remote(u64::MAX), 0);
}

#[test]
fn remote_members_take_places_below_the_limit() {
    let profiles = profiles();
    for (name, value) in [("caller", Some(&b"alice"[..])), ("all", None)] {
        let id = profiles.find(name).unwrap();
        profiles.add_remote(id, value, b"u1", 100).unwrap();
        assert!(join(&profiles, id, value, Some(Limit::of(2))).is_ok());
        assert_eq!(join(&profiles, id, value, Some(Limit::of(2))), Err(ProfileError::Full));
        assert_eq!(profiles.expire_remote(100), 1);
        assert!(join(&profiles, id, value, Some(Limit::of(2))).is_ok());
    }
}

#[test]
fn a_priority_call_frees_the_headroom_and_not_an_ordinary_place() {
    let profiles = profiles();
    let caller = profiles.find("caller").unwrap();
    let value = Some(&b"gateway"[..]);
    let emergency = Some(Limit { places: 1, headroom: Some(1) });
    let ordinary = join(&profiles, caller, value, Some(Limit::of(1))).unwrap();
    let priority = join(&profiles, caller, value, emergency).unwrap();
    assert_eq!((ordinary.place, priority.place), (Place::Ordinary, Place::Priority));
    assert_eq!(join(&profiles, caller, value, emergency), Err(ProfileError::Full));
    profiles.leave(&priority, 0);
    assert_eq!(join(&profiles, caller, value, Some(Limit::of(1))), Err(ProfileError::Full));
    let priority = join(&profiles, caller, value, emergency).unwrap();
    profiles.leave(&ordinary, 0);
    assert_eq!(join(&profiles, caller, value, Some(Limit::of(1))).map(|membership| membership.place), Ok(Place::Ordinary));
    let view = &profiles.limits(caller, value, 1)[0];
    assert_eq!((view.members, view.priority, view.headroom, view.peak, view.refused), (2, 1, 1, 2, 2));
    profiles.leave(&priority, 0);
    assert_eq!(profiles.limits(caller, value, 1)[0].priority, 0);
}

#[test]
fn a_limit_is_remembered_without_members_and_its_counts_begin_anew_on_request() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    for (id, value) in [(caller, Some(&b"alice"[..])), (all, None)] {
        let member = join(&profiles, id, value, Some(Limit::of(1))).unwrap();
        assert_eq!(join(&profiles, id, value, Some(Limit::of(1))), Err(ProfileError::Full));
        profiles.leave(&member, 0);
        let text = value.unwrap_or_default().to_vec();
        let view = LimitView { value: text, members: 0, places: 1, headroom: 0, priority: 0, peak: 1, refused: 1 };
        assert_eq!(profiles.limits(id, None, 9), std::slice::from_ref(&view));
        assert_eq!((profiles.reset_limits(id, None), profiles.reset_limits(id, Some(b"bob"))), (1, usize::from(id == all)));
        assert_eq!(profiles.limits(id, value, 9), [LimitView { peak: 0, refused: 0, ..view }]);
    }
    assert_eq!(profiles.limits(caller, Some(b"bob"), 9), []);
    assert_eq!((profiles.limits(ProfileId(9), None, 9), profiles.reset_limits(ProfileId(9), None)), (Vec::new(), 0));
}

#[test]
fn idle_limits_are_bounded_and_the_oldest_goes_first() {
    let profiles = profiles();
    let caller = profiles.find("caller").unwrap();
    let values: Vec<Vec<u8>> = (0..200_000).map(|number| format!("user{number}").into_bytes()).filter(|text| slot_of(text) == 3).collect();
    assert!(values.len() > 2 * IDLE_LIMITS_OF_SLOT_MAX);
    let busy = join(&profiles, caller, Some(&values[0]), Some(Limit::of(1))).unwrap();
    for value in &values[1..] {
        assert_eq!(join(&profiles, caller, Some(value), Some(Limit::of(0))), Err(ProfileError::Full));
    }
    let kept = profiles.limits(caller, None, usize::MAX);
    assert_eq!(kept.len(), IDLE_LIMITS_OF_SLOT_MAX + 1);
    assert_eq!(profiles.limits(caller, Some(&values[1]), 1), []);
    assert!(values.iter().rev().take(IDLE_LIMITS_OF_SLOT_MAX).all(|value| profiles.limits(caller, Some(value), 1).len() == 1));
    assert_eq!(profiles.size(caller, Some(&values[0])), Some(1));
    profiles.leave(&busy, 0);
    assert_eq!(profiles.limits(caller, None, usize::MAX).len(), IDLE_LIMITS_OF_SLOT_MAX);
    assert_eq!(profiles.limits(caller, None, 5).len(), 5);
    assert_eq!(profiles.size(caller, None), Some(0));
}

#[test]
fn the_fullest_values_come_first_whatever_their_number() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    let values = 3 * VALUES_PAGE * PROFILE_SLOTS as usize / 2;
    for number in 0..values {
        join(&profiles, caller, Some(format!("user{number:06}").as_bytes()), None).unwrap();
    }
    for (number, more) in [(40, 3), (7, 5), (20_000, 5), (3, 1)] {
        for _ in 0..more {
            join(&profiles, caller, Some(format!("user{number:06}").as_bytes()), None).unwrap();
        }
    }
    let expected = [("user000007", 6), ("user020000", 6), ("user000040", 4), ("user000003", 2), ("user000000", 1)];
    let expected: Vec<(Vec<u8>, u32)> = expected.iter().map(|(value, count)| (value.as_bytes().to_vec(), *count)).collect();
    assert_eq!(profiles.top(caller, 5), expected);
    assert_eq!(profiles.top(caller, usize::MAX).len(), crate::limits::PROFILE_TOP_MAX);
    assert_eq!((profiles.top(caller, 0), profiles.top(all, 5), profiles.top(ProfileId(9), 5)), (Vec::new(), Vec::new(), Vec::new()));
    join(&profiles, all, None, None).unwrap();
    assert_eq!(profiles.top(all, 5), [(Vec::new(), 1)]);
}

#[test]
fn a_value_costs_twenty_four_bytes_beside_its_text() {
    let bytes = super::slot::value_bytes();
    assert!(bytes <= 24, "{bytes}");
}
