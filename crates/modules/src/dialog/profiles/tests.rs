//! Places acquired by a script: before the dialog, with it, and when there is none.

use ::dialog::{Limit, State};

use crate::dialog::{context, request_ended};
use crate::fixture::{receive, request, run, worker};
use crate::worker::Worker;

const CONFIGURATION: &str = r#"#!KAMAILIO
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "dialog.so"
modparam("dialog", "profiles_no_value", "all")
modparam("dialog", "profiles_with_value", "account")
modparam("dialog", "unset_profile_in_request", 1)
request_route {
	if ($rU == "timeout") {
		$var(empty) = "";
		dlg_set_timeout_by_profile("account", "$var(empty)", 77);
		return;
	}
	if (!dlg_profile_acquire("account", "$fU", 1)) return;
	if (!dlg_profile_acquire("all", "", 2, 1)) return;
	if ($rU == "nobody") return;
	t_newtran();
	dlg_manage();
	if ($rU == "unset") unset_dlg_profile("all");
}
"#;

fn invite(number: u32, user: &str, from: &str) -> String {
    let text = request("INVITE", &format!("sip:{user}@example.com"), "", "Contact: <sip:alice@192.0.2.1:5090>\n");
    let text = text.replace("Call-ID: call1", &format!("Call-ID: call{number}")).replace("z9hG4bKabc", &format!("z9hG4bKabc{number}"));
    text.replace("sip:alice@example.com", &format!("sip:{from}@example.com"))
}

fn sizes(worker: &Worker) -> (u64, u64) {
    let profiles = worker.node.dialogs.profiles();
    let size = |name: &str| profiles.find(name).and_then(|profile| profiles.size(profile, None)).unwrap_or(u64::MAX);
    (size("account"), size("all"))
}

#[test]
fn a_place_is_kept_while_the_script_runs_and_given_back_without_a_dialog() {
    let mut worker = worker(CONFIGURATION);
    run(&mut worker, &invite(1, "nobody", "alice"));
    assert_eq!((sizes(&worker), worker.run.dialog.reservations.len()), ((1, 1), 2));
    request_ended(&mut worker);
    assert_eq!(sizes(&worker), (0, 0));
    // Nor does a run that is thrown away keep anything.
    run(&mut worker, &invite(2, "nobody", "alice"));
    receive(&mut worker, &invite(3, "nobody", "alice"));
    assert_eq!(sizes(&worker), (0, 0));
    // Nor one that waits for its next use.
    let account = worker.node.dialogs.profiles().find("account").expect("a profile");
    let place = worker.node.dialogs.profile_reserve(account, Some(b"alice"), Limit::of(1)).expect("a place");
    let mut spare = worker.fresh_run();
    spare.dialog.reservations.push(place);
    assert_eq!(sizes(&worker), (1, 0));
    worker.recycle(spare);
    assert_eq!(sizes(&worker), (0, 0));
}

#[test]
fn what_a_script_acquires_first_is_a_membership_of_the_dialog_it_makes() {
    let mut worker = worker(CONFIGURATION);
    run(&mut worker, &invite(1, "bob", "alice"));
    let dialog = worker.run.dialog.context.dialog.expect("a dialog");
    crate::tm::finish_request(&mut worker);
    request_ended(&mut worker);
    assert_eq!(sizes(&worker), (1, 1));
    let names: Vec<String> =
        worker.node.dialogs.view(worker.now, dialog).expect("a dialog").profiles.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["all", "account"]);
    // A second call of the account is refused before it touches the other profile.
    assert_eq!(run(&mut worker, &invite(2, "bob", "alice")), -2);
    assert_eq!(sizes(&worker), (1, 1));
    let audit = worker.node.dialogs.profiles_audit().expect("no other audit runs");
    assert_eq!((audit.checked, audit.different), (2, 0));
    worker.node.dialogs.destroy(worker.now, dialog);
    assert_eq!(sizes(&worker), (0, 0));
}

#[test]
fn a_retransmission_that_reaches_the_script_is_the_same_call() {
    let mut worker = worker(CONFIGURATION);
    for _ in 0..2 {
        run(&mut worker, &invite(1, "bob", "alice"));
        crate::tm::finish_request(&mut worker);
        request_ended(&mut worker);
        assert_eq!(sizes(&worker), (1, 1));
    }
}

#[test]
fn a_profile_is_left_in_the_request_route_where_the_option_allows_it() {
    let mut worker = worker(CONFIGURATION);
    assert_eq!(run(&mut worker, &invite(1, "unset", "alice")), 1);
    assert_eq!(sizes(&worker), (1, 0));
    let strict = CONFIGURATION.replace("\"unset_profile_in_request\", 1", "\"unset_profile_in_request\", 0");
    let mut worker = self::worker(&strict);
    assert_eq!(run(&mut worker, &invite(1, "unset", "alice")), -1);
    assert_eq!(sizes(&worker), (1, 1));
}

#[test]
fn an_empty_value_sets_the_timeout_of_nobody() {
    let mut worker = worker(CONFIGURATION);
    run(&mut worker, &invite(1, "bob", "alice"));
    let dialog = context::context_dialog(&worker).expect("a dialog");
    let timeout = worker.node.dialogs.view(worker.now, dialog).map(|view| view.lifetime);
    worker.node.dialogs.force_state(worker.now, dialog, State::Confirmed, ::dialog::EndReason::Rpc);
    assert_eq!(run(&mut worker, &invite(2, "timeout", "carol")), -1);
    assert_eq!(worker.node.dialogs.view(worker.now, dialog).map(|view| view.lifetime), timeout);
}
