//! What scripts see of transactions through tmx.

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::syntax::ast::RouteKind;
use script::value::Text;

use crate::fixture::{receive, request, sent, worker};
use crate::{Worker, tm};

const MODULES: &str = "loadmodule \"sl.so\"\nloadmodule \"tm.so\"\nloadmodule \"tmx.so\"\nloadmodule \"pv.so\"\n";

fn invite() -> String {
    request("INVITE", "sip:bob@192.0.2.9", "", "X-Asked: yes\n")
}

/// Receives a request and runs the main route; what it returned.
fn run(worker: &mut Worker, text: &str) -> i64 {
    receive(worker, text);
    worker.run_route(RouteKind::Request, "").expect("a main route").code
}

/// Receives a request, runs the main route, ends the request as the proxy does.
fn handle(worker: &mut Worker, text: &str) -> i64 {
    let code = run(worker, text);
    tm::finish_request(worker);
    super::request_ended(worker);
    code
}

/// Receives a reply to a request that was sent.
fn answer(worker: &mut Worker, to: &str, status: &str) {
    let kept: Vec<&str> =
        to.lines().filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name))).collect();
    receive(worker, &format!("SIP/2.0 {status}\n{}\nX-Answered: indeed\nContent-Length: 0\n\n", kept.join("\n")));
    tm::receive_reply(worker);
}

fn first_lines(worker: &mut Worker) -> Vec<String> {
    sent(worker).into_iter().filter_map(|(_, text)| text.lines().next().map(str::to_owned)).collect()
}

/// The INVITE that was relayed.
fn relayed(worker: &mut Worker) -> String {
    sent(worker).into_iter().map(|(_, text)| text).find(|text| text.starts_with("INVITE ")).expect("a relayed INVITE")
}

#[test]
fn a_request_route_sees_its_transaction() {
    let route = r#"request_route {
        if (t_is_request_route() && !t_is_failure_route() && !t_is_branch_route() && !t_is_reply_route() && $T(id_index) == $null) {
            t_newtran();
            if ($T(id_index) != $null && $T(id_label) != $null && $T_reply_code == 0) {
                t_reply("404", "$T_req($rm) $T_req($hdr(X-Asked)) $T_branch_idx");
                $var(after) = $T_reply_code;
                return $var(after);
            }
        }
    }"#;
    let mut worker = worker(&format!("{MODULES}{route}\n"));
    assert_eq!(handle(&mut worker, &invite()), 404);
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 404 INVITE yes 0"]);
}

#[test]
fn a_failure_route_reads_the_picked_reply_and_the_request() {
    let routes = r#"request_route { t_on_failure("F"); t_relay(); }
        failure_route[F] {
            t_reply("480", "$T_reply_code $T_reply_reason $T_rpl($rs) $T_rpl($hdr(X-Answered)) $T_req($hdr(X-Asked)) $T_branch_idx $T(reply_type) $T_branch(uri)");
        }"#;
    let mut worker = worker(&format!("{MODULES}{routes}\n"));
    handle(&mut worker, &invite());
    let sent_invite = relayed(&mut worker);
    answer(&mut worker, &sent_invite, "486 Busy");
    let lines = first_lines(&mut worker);
    assert!(lines.contains(&"SIP/2.0 480 486 Busy 486 indeed yes 1 0 sip:bob@192.0.2.9".to_owned()), "{lines:?}");
}

#[test]
fn a_reply_route_reads_the_request_and_its_branch() {
    let routes = r#"request_route { t_on_reply("R"); t_relay(); }
        onreply_route[R] {
            if (t_is_reply_route() && $T_branch_idx == 0 && $T_reply_code == 183 && $T_reply_reason == "Session" && $T_reply_last == 183 && $T_req($hdr(X-Asked)) == "yes") drop;
        }"#;
    let mut worker = worker(&format!("{MODULES}{routes}\n"));
    handle(&mut worker, &invite());
    let sent_invite = relayed(&mut worker);
    answer(&mut worker, &sent_invite, "183 Session");
    assert_eq!(first_lines(&mut worker), Vec::<String>::new());
    answer(&mut worker, &sent_invite, "180 Ringing");
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 180 Ringing"]);
}

#[test]
fn t_drop_ends_the_script_without_any_reply() {
    let mut worker = worker(&format!("{MODULES}request_route {{ t_newtran(); t_drop(\"603\"); sl_send_reply(\"500\", \"not here\"); }}\n"));
    handle(&mut worker, &request("OPTIONS", "sip:bob@192.0.2.9", "", ""));
    assert_eq!(first_lines(&mut worker), Vec::<String>::new());
}

#[test]
fn a_suspended_request_goes_on_where_told() {
    let routes = "request_route { t_suspend(); }\nroute[LATER] { t_reply(\"480\", \"Later $rm\"); }\n";
    let mut worker = worker(&format!("{MODULES}{routes}"));
    run(&mut worker, &invite());
    let id = worker.run.tm.transaction.as_ref().expect("a transaction").id();
    tm::finish_request(&mut worker);
    assert!(first_lines(&mut worker).iter().all(|line| line.starts_with("SIP/2.0 100 ")));
    let arguments = |route: &str| {
        [Argument::Integer(i64::from(id.slot)), Argument::Integer(i64::from(id.generation)), Argument::Text(Text::from(route))]
    };
    worker.run.clear();
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments("NOWHERE")), Flow::Code(-1));
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments("LATER")), Flow::Code(1));
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 480 Later INVITE"]);
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments("LATER")), Flow::Code(-1));
}

const WAITING_REPLIES: &str = "request_route { t_on_reply(\"R\"); t_relay(); }\nonreply_route[R] { if (t_is_retr_async_reply()) xlog(\"again\"); t_suspend(); }\nroute[LATER] { if (!t_is_reply_route()) drop; }\n";

/// Relays an INVITE whose replies wait, and receives one.
fn waiting_reply(status: &str) -> (Worker, String, [Argument; 3]) {
    let mut worker = worker(&format!("{MODULES}loadmodule \"textops.so\"\nloadmodule \"xlog.so\"\n{WAITING_REPLIES}"));
    run(&mut worker, &invite());
    let id = worker.run.tm.transaction.as_ref().expect("a transaction").id();
    tm::finish_request(&mut worker);
    let sent_invite = relayed(&mut worker);
    answer(&mut worker, &sent_invite, status);
    let arguments =
        [Argument::Integer(i64::from(id.slot)), Argument::Integer(i64::from(id.generation)), Argument::Text(Text::from("LATER"))];
    (worker, sent_invite, arguments)
}

#[test]
fn a_suspended_reply_is_relayed_once_when_its_script_goes_on() {
    let (mut worker, sent_invite, arguments) = waiting_reply("200 OK");
    answer(&mut worker, &sent_invite, "200 OK");
    assert_eq!(first_lines(&mut worker), Vec::<String>::new(), "nothing goes on by itself");
    worker.run.clear();
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments), Flow::Code(1));
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 200 OK"]);
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments), Flow::Code(-1));
}

#[test]
fn a_suspended_reply_is_relayed_when_nobody_goes_on() {
    let (mut worker, ..) = waiting_reply("200 OK");
    worker.now.time = sip::time::Time(worker.now.time.0 + 31_000);
    let mut due = Vec::new();
    worker.node.transactions.due(worker.now.time, &mut due);
    for id in due {
        tm::on_due(&mut worker, id);
    }
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 200 OK"]);
}

#[test]
fn a_final_reply_does_not_wait_behind_a_suspended_provisional() {
    let (mut worker, sent_invite, arguments) = waiting_reply("180 Ringing");
    answer(&mut worker, &sent_invite, "486 Busy");
    assert_eq!(first_lines(&mut worker), ["ACK sip:bob@192.0.2.9 SIP/2.0"]);
    worker.run.clear();
    assert_eq!(super::suspend::t_continue(&mut worker, &arguments), Flow::Code(1));
    assert_eq!(first_lines(&mut worker), ["SIP/2.0 486 Busy"]);
}

#[test]
fn a_request_that_another_worker_has_is_seen() {
    let mut first = worker(&format!("{MODULES}request_route {{ t_precheck_trans(); return $rc; }}\n"));
    let mut second = Worker::new(Arc::clone(&first.node), 1, 2, first.now);
    assert_eq!((run(&mut first, &invite()), run(&mut second, &invite())), (-1, 1));
    super::request_ended(&mut first);
    assert_eq!(run(&mut second, &invite()), -1);
}

#[test]
fn a_call_is_cancelled_by_its_call_id() {
    let mut worker =
        worker(&format!("{MODULES}request_route {{ t_relay(); }}\nroute[C] {{ t_cancel_callid(\"call1\", \"1\", \"7\", \"200\"); }}\n"));
    handle(&mut worker, &invite());
    let sent_invite = relayed(&mut worker);
    answer(&mut worker, &sent_invite, "180 Ringing");
    sent(&mut worker);
    worker.run.clear();
    worker.run_route(RouteKind::Request, "C").expect("the route");
    assert_eq!(worker.run.return_code, 1);
    assert_eq!(first_lines(&mut worker), ["CANCEL sip:bob@192.0.2.9 SIP/2.0"]);
}

#[test]
fn a_cancel_reads_its_invite() {
    let routes = r#"request_route {
        if (is_method("CANCEL")) { if ($T_inv($rm) == "INVITE" && $T_inv($hdr(X-Asked)) == "yes") return 5; return -5; }
        t_relay();
    }"#;
    let mut worker = worker(&format!("{MODULES}loadmodule \"textops.so\"\n{routes}\n"));
    handle(&mut worker, &invite());
    assert_eq!(run(&mut worker, &request("CANCEL", "sip:bob@192.0.2.9", "", "")), 5);
}

#[test]
fn statistics_count_received_transactions() {
    let mut worker = worker(&format!("{MODULES}request_route {{ t_newtran(); t_reply(\"404\", \"No\"); }}\n"));
    handle(&mut worker, &invite());
    let read = |name: &str| {
        let statistic = super::statistics::STATISTICS.iter().find(|statistic| statistic.name == name).expect("declared");
        (statistic.read)(&worker.node)
    };
    let names = ["UAS_transactions", "4xx_transactions", "rpl_generated", "rpl_relayed", "inuse_transactions", "2xx_transactions"];
    assert_eq!(names.map(read), [1, 1, 1, 0, 1, 0]);
}
