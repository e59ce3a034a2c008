//! Which values of the dialog module's parameters stop the start: a table with the verdicts of Kamailio 5.6.3.

use std::collections::{BTreeMap, BTreeSet};

use modules::node::{Node, Process};
use modules::sockets::Sockets;
use proxy::{Prepared, StartError};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};

/// Parameters, their values and verdicts.
const TABLE: &str = include_str!("dialog_parameters.txt");

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

/// `NAME VALUE | NAME VALUE` as `modparam` lines; `x{N}` in a value stands for N times x.
fn lines(settings: &str) -> String {
    let line = |setting: &str| {
        let (name, value) = setting.split_once(' ').expect("a name and a value");
        format!("modparam(\"dialog\", \"{name}\", {})\n", repeated(value))
    };
    settings.split(" | ").map(line).collect()
}

fn repeated(value: &str) -> String {
    let whole = || -> Option<String> {
        let (before, rest) = value.split_once('{')?;
        let (count, after) = rest.split_once('}')?;
        let letter = before.chars().last()?;
        Some(format!("{before}{}{after}", letter.to_string().repeat(count.parse::<usize>().ok()?.saturating_sub(1))))
    };
    whole().unwrap_or_else(|| value.to_owned())
}

/// Starts a node with these lines; the error when it does not start.
fn start(parameters: &str) -> Result<Node, StartError> {
    let text = format!(
        "#!KAMAILIO\nloadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"pv\"\nloadmodule \"dialog\"\n{parameters}\
         request_route {{\n\tdlg_manage();\n\texit;\n}}\n"
    );
    let checked = proxy::check("test.cfg", &mut OneFile(text), &LoadOptions::default())?;
    let now = Now { time: Time(1000), date: Date(1_795_392_034_000) };
    let prepared = Prepared { checked, sockets: Sockets::default(), process: Process::default(), environment: BTreeMap::new() };
    proxy::start(prepared, now)
}

fn error_of(settings: &str) -> Option<String> {
    start(&lines(settings)).err().map(|error| error.to_string())
}

#[test]
fn values_stop_the_start_where_kamailio_stops() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let (verdict, settings) = line.split_once(' ').expect("a verdict and settings");
        let settings = settings.trim_start();
        let is_refused = matches!(verdict, "refused" | "stricter" | "newer-refused");
        assert!(is_refused || matches!(verdict, "starts" | "laxer" | "newer"), "{line}");
        let error = error_of(settings);
        if error.is_some() != is_refused {
            wrong.push(format!("{line}: {}", error.as_deref().unwrap_or("starts")));
        }
        seen.extend(settings.split(" | ").filter_map(|setting| setting.split(' ').next()));
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    let of_kamailio = |parameter: &&script::exports::Parameter| !parameter.note.starts_with("extension");
    let missing: Vec<&str> = modules::dialog::MODULE
        .parameters
        .iter()
        .filter(of_kamailio)
        .map(|parameter| parameter.name)
        .filter(|name| !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
}

#[test]
fn each_fatal_value_names_parameter_value_and_remedy() {
    let long = format!("rr_param \"{}\"", "d".repeat(33));
    for (settings, text) in [
        ("rr_param \"\"", "parameter `rr_param` must not be empty"),
        (long.as_str(), "parameter `rr_param` is longer than 32 bytes"),
        ("dlg_match_mode 3", "parameter `dlg_match_mode`: 3 is not allowed, use 0, 1 or 2"),
        ("detect_spirals 2", "parameter `detect_spirals`: 2 is not allowed, use 0 or 1"),
        ("ruri_pvar \"\"", "ruri_pvar must not be empty"),
        ("ruri_pvar \"$nosuch(x)\"", "ruri_pvar: "),
        ("initial_cbs_inscript 2", "initial_cbs_inscript must be 0 or 1"),
        ("dlg_flag 32", "dlg_flag 32 is not 0 to 31"),
        ("keep_proxy_rr 4", "parameter `keep_proxy_rr`: 4 is not allowed, use 0 to 3"),
        ("default_timeout 0", "parameter `default_timeout`: 0 is not allowed, use a number above 0"),
        ("timeout_avp \"\"", "timeout_avp must not be empty"),
        ("timeout_avp \"life\"", "timeout_avp: "),
        ("timeout_noreset 2", "parameter `timeout_noreset`: 2 is not allowed, use 0 or 1"),
        ("ka_interval 29", "ka interval too low (29), has to be at least 30"),
        ("ka_interval -1", "ka interval too low (-1), has to be at least 30"),
        ("bye_early_code 200", "parameter `bye_early_code`: 200 is not allowed, use 300 to 699"),
        ("db_mode 4", "unsupported db_mode 4"),
        ("profiles_with_value \"a-b\"", "bad profile name <a-b>, char - - use only alphanumerical characters or '_'"),
        ("profiles_no_value \"a\" | profiles_with_value \"a\"", "duplicate dialog profile registered <a>"),
        ("profiles_with_value \"a;a\"", "duplicate dialog profile registered <a>"),
        ("nosuch 1", "nosuch"),
    ] {
        let error = error_of(settings).expect(settings);
        assert!(error.contains(text), "{settings}: {error}");
    }
}

#[test]
fn values_that_are_out_of_reach_are_brought_back_into_it() {
    for (given, slots) in [(0, 1), (-1, 1), (3, 2), (5000, 4096), (i64::from(i32::MAX), 1 << 20)] {
        let node = start(&format!("modparam(\"dialog\", \"hash_size\", {given})\n")).expect("it starts");
        assert_eq!(node.dialogs.settings().hash_size, slots, "{given}");
    }
    let node = start(&lines("ka_failed_limit -1 | ka_timer -1 | h_id_start -2 | h_id_step 0")).expect("it starts");
    let settings = node.dialogs.settings();
    assert_eq!((settings.ka_failed_limit, settings.ka_timer, settings.h_id_start, settings.h_id_step), (1, 0, 0, 1));
}

#[test]
fn a_list_of_profiles_given_twice_counts_the_last_time() {
    let node =
        start(&lines("profiles_no_value \"a;b\" | profiles_no_value \"b;c\" | profiles_with_value \" v ; ;w;\"")).expect("it starts");
    let known = |name: &str| node.dialogs.profiles().find(name).and_then(|profile| node.dialogs.profiles().has_value(profile));
    assert_eq!([known("a"), known("b"), known("c"), known("v"), known("w")], [None, Some(false), Some(false), Some(true), Some(true)]);
}
