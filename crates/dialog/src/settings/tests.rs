//! Tests of parameter ranges and profile lists.

use super::ParameterValue::{Integer, Text};
use super::*;

#[test]
fn hash_size_is_rounded_down_with_a_warning() {
    let mut settings = Settings::default();
    let warning = settings.set("hash_size", Integer(5000)).unwrap();
    assert_eq!((settings.hash_size, warning.map(|warning| warning.used)), (4096, Some(4096)));
    assert_eq!(settings.set("hash_size", Integer(1024)).unwrap(), None);
    assert!(settings.set("hash_size", Integer(-3)).unwrap().is_some());
    assert_eq!(settings.hash_size, 1);
}

#[test]
fn values_out_of_range_stop_the_start() {
    let refused = [
        ("dlg_match_mode", Integer(3)),
        ("detect_spirals", Integer(2)),
        ("timeout_noreset", Integer(-1)),
        ("default_timeout", Integer(0)),
        ("ka_interval", Integer(29)),
        ("ka_interval", Integer(-1)),
        ("keep_proxy_rr", Integer(4)),
        ("rr_param", Text("")),
        ("rr_param", Text("a_name_that_is_longer_than_32_bytes")),
        ("early_timeout", Text("300")),
        ("profiles_with_value", Text("a;a")),
        ("profiles_no_value", Text("caller/b")),
        ("no_such_parameter", Integer(1)),
    ];
    for (name, value) in refused {
        assert!(Settings::default().set(name, value).is_err(), "{name}");
    }
    let error = Settings::default().set("ka_interval", Integer(5)).unwrap_err();
    assert_eq!(error.to_string(), "ka interval too low (5), has to be at least 30");
}

#[test]
fn profile_lists_are_trimmed_joined_and_checked() {
    let mut settings = Settings::default();
    settings.set("profiles_with_value", Text(" caller ; ;carrier;")).unwrap();
    settings.set("profiles_no_value", Text("all")).unwrap();
    let names: Vec<(&str, bool)> = settings.profiles.iter().map(|profile| (&*profile.name, profile.has_value)).collect();
    assert_eq!(names, [("all", false), ("caller", true), ("carrier", true)]);
    let error = settings.set("profiles_no_value", Text("caller")).unwrap_err();
    assert_eq!(error.to_string(), "duplicate dialog profile registered <caller>");
    let error = settings.set("profiles_no_value", Text("x-y")).unwrap_err();
    assert_eq!(error.to_string(), "bad profile name <x-y>, char - - use only alphanumerical characters or '_'");
}
