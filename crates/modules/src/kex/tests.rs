//! Statistics over RPC and from scripts.

use crate::rpc::Item;
use crate::trial::{call, run, worker};
use sip::Method;

const TOP: &str = r#"modparam("statistics", "variable", "calls")
modparam("statistics", "variable", "kept/no_reset")
modparam("counters", "script_counter", "media.relayed Calls with media")
modparam("counters", "script_counter", "plain")"#;

#[test]
fn scripts_count_and_rpc_reads() {
    let body = r#"update_stat("calls", "+1"); update_stat("calls", "+2"); update_stat("kept", "5"); cnt_inc("media.relayed"); cnt_add("plain", 4);
        if (!update_stat("nothing", "1")) xlog("L_ERR", "@@ $stat(calls) $stat(script:kept)");"#;
    let mut worker = worker(TOP, body);
    let lines = run(&mut worker);
    assert!(lines.contains(&"<script>: @@ 3 5".to_owned()), "{lines:?}");
    let numbers = call(&mut worker, "stats.fetchn", &["script:", "media.relayed"]).unwrap().items;
    let expected = [("script.calls", 3), ("script.kept", 5), ("script.plain", 4), ("media.relayed", 1)];
    let expected = expected.map(|(name, value)| (name.into(), Item::Long(value)));
    assert_eq!(numbers, [Item::Structure(expected.to_vec())]);
    let cleared = call(&mut worker, "stats.clear_statistics", &["calls", "kept"]).unwrap().items;
    assert_eq!(cleared, [Item::text("script:calls = 0 (3)"), Item::text("script:kept = 5")]);
    assert_eq!(call(&mut worker, "cnt.get", &["media", "relayed"]).unwrap().items, [Item::Integer(1)]);
    assert_eq!(call(&mut worker, "cnt.help", &["media", "relayed"]).unwrap().items, [Item::text("Calls with media")]);
    assert_eq!(call(&mut worker, "cnt.get", &["media", "none"]).unwrap_err().code, 400);
}

#[test]
fn core_statistics_are_listed_by_group_and_name() {
    let mut worker = worker("", ";");
    worker.node.states.core.counters.received_request(Method::Invite);
    let one = call(&mut worker, "stats.get_statistics", &["rcv_requests_invite"]).unwrap().items;
    assert_eq!(one, [Item::text("core:rcv_requests_invite = 1")]);
    let group = call(&mut worker, "stats.get_statistics", &["core:"]).unwrap().items;
    assert_eq!(group.len(), 88);
    let all = call(&mut worker, "stats.get_statistics", &["all"]).unwrap().items;
    assert!(all.contains(&Item::text("shmem:fragments = 0")));
    assert_eq!(call(&mut worker, "stats.fetch", &[]).unwrap_err().code, 400);
    call(&mut worker, "stats.reset_statistics", &["core:"]).unwrap();
    assert_eq!(crate::statistics::read(&worker.node, b"rcv_requests_invite"), Some(0));
}

#[test]
fn the_log_threshold_changes_and_comes_back() {
    let body = r#"setdebug(3); xlog("L_DBG", "@@ shown"); resetdebug(); xlog("L_DBG", "@@ hidden");"#;
    let lines = run(&mut worker("debug=0", body));
    assert_eq!(lines.iter().filter(|line| line.contains("@@")).count(), 1);
}

#[test]
fn shared_variables_and_custom_parameters_change_over_rpc() {
    let mut worker = worker("pstn.gw = \"1.2.3.4\" desc \"gateway\"\nmodparam(\"pv\", \"shvset\", \"n=i:1\")", ";");
    assert_eq!(call(&mut worker, "pv.shvSet", &["none", "int", "1"]).unwrap_err().text, "Variable not found");
    call(&mut worker, "pv.shvSet", &["n", "int", "9"]).unwrap();
    let Item::Structure(fields) = call(&mut worker, "pv.shvGet", &["n"]).unwrap().items.remove(0) else { panic!("not a structure") };
    assert_eq!(fields[2], ("value".into(), Item::Integer(9)));
    assert_eq!(call(&mut worker, "cfg.get", &["pstn", "gw"]).unwrap().items, [Item::text("1.2.3.4")]);
    call(&mut worker, "cfg.sets", &["pstn", "gw", "5.6.7.8"]).unwrap();
    assert_eq!(call(&mut worker, "cfg.get", &["pstn", "gw"]).unwrap().items, [Item::text("5.6.7.8")]);
    call(&mut worker, "cfg.set_now_int", &["core", "debug", "2"]).unwrap();
    assert_eq!(worker.node.core.debug(), 2);
    assert_eq!(call(&mut worker, "cfg.sets", &["pstn", "none", "x"]).unwrap_err().text, "Failed to set the variable");
    call(&mut worker, "cfg.set_delayed_string", &["pstn", "gw", "later"]).unwrap();
    assert_eq!(call(&mut worker, "cfg.get", &["pstn", "gw"]).unwrap().items, [Item::text("5.6.7.8")]);
    call(&mut worker, "cfg.commit", &[]).unwrap();
    assert_eq!(call(&mut worker, "cfg.get", &["pstn", "gw"]).unwrap().items, [Item::text("later")]);
}
