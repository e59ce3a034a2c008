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

/// What a mistake is about, the invariant that breaks, the right text and the wrong one.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

const FAILURE: &str = "xlog(\"L_INFO\", \"MARK failure $ci $T_reply_code $(hdr(Via)[0])\\n\");";
const RESUMED: &str = "xlog(\"L_INFO\", \"MARK resumed $ci $(hdr(Via)[0])\\n\");";

const MISTAKES: &[Mistake] = &[
    ("routes that do not run", "D4", "event_route[dialog:start] {", "event_route[dialog:start] {\n\texit;"),
    ("routes that do not run", "D3", "event_route[dialog:end] {", "event_route[dialog:end] {\n\texit;"),
    ("routes that do not run", "D3", "event_route[dialog:failed] {", "event_route[dialog:failed] {\n\texit;"),
    ("what is not in the dialog", "D12", "dlg_setflag(\"3\");", ""),
    ("what is not in the dialog", "D12", "$dlg_var(before) = \"yes\";", ""),
    ("what is not in the dialog", "D12", "$dlg_var(turn) = \"\" + $cs;", "$dlg_var(turn) = \"wrong\";"),
    ("what is not in the dialog", "D12", "modparam(\"dialog\", \"timeout_avp\", \"$avp(seconds)\")", ""),
    ("a lifetime that is cut behind the back", "D7", "xlog(\"L_INFO\", \"MARK timeout $dlg(h_entry):$dlg(h_id) 9\\n\");", ""),
    ("profiles that are not joined", "P5", "set_dlg_profile(\"account\", \"$fU\");\n\t\tget", "get"),
    (
        "profiles that are not joined",
        "P5",
        "set_dlg_profile(\"all\");\n\t\tget_profile_size(\"all\", \"$var(then)\");",
        "get_profile_size(\"all\", \"$var(then)\");",
    ),
    ("a limit that is off by one is found on both sides", "P6", "if ($var(calls) >= $var(limit))", "if ($var(calls) > $var(limit))"),
    ("a limit that is off by one is found on both sides", "P6", "if ($var(calls) >= $var(limit))", "if ($var(calls) + 1 >= $var(limit))"),
    ("headers that are touched", "M1", "if (!mf_process_maxfwd_header(\"10\"))", "if (0)"),
    ("headers that are touched", "M1", "route[OUT] {", "route[OUT] {\n\tappend_hf(\"X-Added: yes\\r\\n\");"),
    ("headers that are touched", "M1", "route[OUT] {", "route[OUT] {\n\tremove_hf(\"X-Folded\");"),
    (
        "an ack that goes no further",
        "T4",
        "\t\t\troute(CHURN);",
        "\t\t\tif (is_method(\"ACK\")) {\n\t\t\t\texit;\n\t\t\t}\n\t\t\troute(CHURN);",
    ),
];

#[test]
fn every_mistake_is_led_to_the_checker_that_knows_it() {
    let twice = [("a failure route told twice", "T7", FAILURE), ("a wait told twice", "T8", RESUMED)];
    let twice = twice.map(|(what, invariant, right)| (what, invariant, right.to_owned(), right.repeat(2)));
    let mistakes = MISTAKES.iter().map(|(what, invariant, right, wrong)| (*what, *invariant, (*right).to_owned(), (*wrong).to_owned()));
    let unseen: Vec<_> = mistakes
        .chain(twice)
        .filter_map(|(what, invariant, right, wrong)| {
            let found = first_broken(&right, &wrong);
            (found != Some(invariant)).then(|| format!("{what}: {right:?} written as {wrong:?} breaks {found:?}, not {invariant}"))
        })
        .collect();
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
}
