//! Configurations with one mistake in them: the world has to lead the mistake to the checker that knows it. What the checkers
//! say of fabricated sights is tested beside them.

use simulation::run_scenario;
use simulation::scenario::{Mode, Scenario};
use simulation::trace::Lines;

/// Seeds tried before a mistake counts as unseen.
const SEEDS: std::ops::Range<u64> = 1..120;

/// The first invariant other than none that breaks when `right` is written as `wrong`.
fn first_broken(right: &str, wrong: &str) -> Option<&'static str> {
    SEEDS.map(|seed| Scenario::of_seed(seed, Mode::Liveness, &[])).find_map(|mut scenario| {
        let mut is_changed = false;
        for proxy in &mut scenario.proxies {
            let text = proxy.start.configuration;
            if text.contains(right) {
                is_changed = true;
                proxy.start.configuration = Box::leak(text.replace(right, wrong).into_boxed_str());
            }
        }
        // Liars are another matter.
        scenario.faults.clear();
        let outcome = is_changed.then(|| run_scenario(scenario, Lines::Hashed));
        outcome.and_then(|outcome| outcome.violations.first().map(|violation| violation.invariant))
    })
}

fn finds(invariant: &str, right: &str, wrong: &str) {
    assert_eq!(first_broken(right, wrong), Some(invariant), "{right:?} written as {wrong:?}");
}

#[test]
fn routes_that_do_not_run_are_found() {
    finds("D4", "event_route[dialog:start] {", "event_route[dialog:start] {\n\texit;");
    finds("D3", "event_route[dialog:end] {", "event_route[dialog:end] {\n\texit;");
    finds("D3", "event_route[dialog:failed] {", "event_route[dialog:failed] {\n\texit;");
}

#[test]
fn what_is_not_in_the_dialog_is_found() {
    finds("D12", "dlg_setflag(\"3\");", "");
    finds("D12", "$dlg_var(before) = \"yes\";", "");
    finds("D12", "$dlg_var(turn) = \"\" + $cs;", "$dlg_var(turn) = \"wrong\";");
    finds("D12", "modparam(\"dialog\", \"timeout_avp\", \"$avp(seconds)\")", "");
}

#[test]
fn a_lifetime_that_is_cut_behind_the_back_is_found() {
    finds("D7", "xlog(\"L_INFO\", \"MARK timeout $dlg(h_entry):$dlg(h_id) 9\\n\");", "");
}

#[test]
fn profiles_that_are_not_joined_are_found() {
    finds("P5", "set_dlg_profile(\"account\", \"$fU\");\n\t\tget", "get");
    finds("P5", "set_dlg_profile(\"all\");\n\t\tget_profile_size(\"all\", \"$var(then)\");", "get_profile_size(\"all\", \"$var(then)\");");
}

#[test]
fn a_limit_that_is_off_by_one_is_found_on_both_sides() {
    finds("P6", "if ($var(calls) >= $var(limit))", "if ($var(calls) > $var(limit))");
    finds("P6", "if ($var(calls) >= $var(limit))", "if ($var(calls) + 1 >= $var(limit))");
}

#[test]
fn headers_that_are_touched_are_found() {
    finds("M1", "if (!mf_process_maxfwd_header(\"10\"))", "if (0)");
    finds("M1", "route[OUT] {", "route[OUT] {\n\tappend_hf(\"X-Added: yes\\r\\n\");");
    finds("M1", "route[OUT] {", "route[OUT] {\n\tremove_hf(\"X-Folded\");");
}

#[test]
fn an_ack_that_goes_no_further_is_found() {
    finds("T4", "\t\t\troute(CHURN);", "\t\t\tif (is_method(\"ACK\")) {\n\t\t\t\texit;\n\t\t\t}\n\t\t\troute(CHURN);");
}

#[test]
fn a_failure_route_and_a_wait_told_twice_are_found() {
    let failure = "xlog(\"L_INFO\", \"MARK failure $ci $T_reply_code $(hdr(Via)[0])\\n\");";
    finds("T7", failure, &failure.repeat(2));
    let resumed = "xlog(\"L_INFO\", \"MARK resumed $ci $(hdr(Via)[0])\\n\");";
    finds("T8", resumed, &resumed.repeat(2));
}
