//! Sleeping, locks, chance and routes by name.

use crate::outbox::Effect;
use crate::run::Answer;
use crate::trial::{run, worker};
use script::exports::Flow;
use script::syntax::ast::RouteKind;
use script::vm;
use sip::time::Time;

#[test]
fn sleep_parks_until_its_time() {
    let mut worker = worker("", "sleep(2);");
    let node = std::sync::Arc::clone(&worker.node);
    let route = node.program.route(RouteKind::Request, "").unwrap();
    assert!(matches!(vm::run(&node.program, &mut worker, route), vm::Run::Parked(_)));
    let ticket = worker.run.ticket;
    assert!(worker.outbox.effects.contains(&Effect::Wake { ticket, at: Time(7000) }));
    let continuation = worker.run.continuation.take().unwrap();
    assert_eq!(continuation(&mut worker, Answer::Awake), Flow::Code(1));
}

#[test]
fn a_taken_lock_parks_and_is_tried_again() {
    let mut worker = worker("modparam(\"cfgutils\", \"lock_set_size\", 4)", "lock(\"a\"); xlog(\"L_ERR\", \"@@ first\"); lock(\"a\");");
    let node = std::sync::Arc::clone(&worker.node);
    let route = node.program.route(RouteKind::Request, "").unwrap();
    assert!(matches!(vm::run(&node.program, &mut worker, route), vm::Run::Parked(_)));
    let continuation = worker.run.continuation.take().unwrap();
    assert_eq!(continuation(&mut worker, Answer::Awake), Flow::Wait);
    super::locks::unlock(&mut worker, &[script::exports::Argument::Text(script::value::Text::from("a"))]);
    let continuation = worker.run.continuation.take().unwrap();
    assert_eq!(continuation(&mut worker, Answer::Awake), Flow::Code(1));
}

#[test]
fn routes_are_run_by_name_when_they_exist() {
    let body = r#"if (check_route_exists("R")) xlog("L_ERR", "@@ there"); if (!check_route_exists("Q")) xlog("L_ERR", "@@ not there");
        $var(x) = route_if_exists("R"); xlog("L_ERR", "@@ $var(x)"); set_gflag(3); if (is_gflag(3)) xlog("L_ERR", "@@ flag");
        rand_set_prob(100); if (rand_event()) xlog("L_ERR", "@@ always"); rand_set_prob(0); if (!rand_event()) xlog("L_ERR", "@@ never");"#;
    let lines = run(&mut worker("route[R] { return 5; }", body));
    let expected = ["there", "not there", "5", "flag", "always", "never"].map(|text| format!("<script>: @@ {text}"));
    assert_eq!(lines, expected);
}
