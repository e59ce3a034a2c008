//! Tests of profiles against a model, limits and remote members.

use super::*;

fn profiles() -> Profiles {
    let definitions = [
        ProfileDefinition { name: String::from("all"), has_value: false },
        ProfileDefinition { name: String::from("caller"), has_value: true },
    ];
    Profiles::new(&definitions, 7, "dlgp-6b0354b6-57be-")
}

#[test]
fn counts_follow_a_model_through_random_operations() {
    let profiles = profiles();
    let caller = profiles.find("caller").unwrap();
    let mut model: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut seed = 42u64;
    for _ in 0..50_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let random = (seed >> 33) as usize;
        if random.is_multiple_of(2) || model.is_empty() {
            let value = format!("user{}", random % 300).into_bytes();
            model.push((profiles.join(caller, Some(&value), None).unwrap(), value));
        } else {
            let (number, _) = model.swap_remove(random % model.len());
            profiles.leave(caller, number);
        }
        let asked = format!("user{}", (random >> 9) % 300).into_bytes();
        let expected = model.iter().filter(|(_, value)| *value == asked).count() as u64;
        assert_eq!(profiles.size(caller, Some(&asked)), Some(expected));
        assert_eq!(profiles.size(caller, None), Some(model.len() as u64));
    }
    for (number, value) in &model {
        assert_eq!(profiles.value_text(caller, *number).as_deref(), Some(value.as_slice()));
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
                        if profiles.join(id, value, Some(37)).is_ok() {
                            passed.fetch_add(1, Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!((passed.load(Relaxed), profiles.size(id, value)), (37, Some(37)));
    }
}

#[test]
fn values_are_required_where_defined_and_ignored_elsewhere() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    assert_eq!(profiles.join(caller, None, None), Err(ProfileError::ValueMissing));
    assert_eq!(profiles.join(caller, Some(b""), None), Err(ProfileError::ValueMissing));
    assert_eq!(profiles.join(caller, Some(&[b'x'; 5000]), None), Err(ProfileError::ValueTooLong));
    assert_eq!(profiles.join(all, Some(b"ignored"), None), Ok(NO_VALUE));
    assert_eq!((profiles.size(all, Some(b"other")), profiles.size(all, None)), (Some(1), Some(1)));
    assert_eq!((profiles.find("none"), profiles.size(ProfileId(9), None)), (None, None));
    assert_eq!(profiles.unique_text(4), "dlgp-6b0354b6-57be-4");
    assert_eq!(profiles.unique_text(0x1864), "dlgp-6b0354b6-57be-4681");
}

#[test]
fn remote_members_count_until_removed_or_expired() {
    let profiles = profiles();
    let (all, caller) = (profiles.find("all").unwrap(), profiles.find("caller").unwrap());
    profiles.add_remote(caller, Some(b"alice"), b"u1", 100).unwrap();
    profiles.add_remote(caller, Some(b"alice"), b"u1", 200).unwrap();
    profiles.add_remote(caller, Some(b"alice"), b"u2", 0).unwrap();
    profiles.add_remote(all, None, b"u3", 50).unwrap();
    let local = profiles.join(caller, Some(b"alice"), None).unwrap();
    assert_eq!(profiles.size(caller, Some(b"alice")), Some(4));
    assert_eq!((profiles.expire_remote(49), profiles.expire_remote(100)), (0, 2));
    assert_eq!((profiles.size(caller, Some(b"alice")), profiles.size(all, None)), (Some(3), Some(0)));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u9"), Ok(false));
    assert_eq!(profiles.remove_remote(caller, Some(b"bob"), b"u1"), Ok(false));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u1"), Ok(true));
    assert_eq!(profiles.remove_remote(caller, Some(b"alice"), b"u2"), Ok(true));
    profiles.leave(caller, local);
    assert_eq!((profiles.size(caller, Some(b"alice")), profiles.size(caller, None)), (Some(0), Some(0)));
    assert_eq!(profiles.expire_remote(u64::MAX), 0);
}
