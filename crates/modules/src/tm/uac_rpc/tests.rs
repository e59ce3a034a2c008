use super::*;
use crate::fixture::{receive, sent, worker};
use crate::rpc::{Parameter, Wire};
use crate::worker::Worker;

const MODULES: &str = "loadmodule \"tm\"\nloadmodule \"sl\"\nloadmodule \"pv\"\nloadmodule \"textops\"\nrequest_route { drop; }\n";
const HEADERS: &str = "From: <sip:a@example.com>\r\nTo: <sip:b@example.com>\r\nX-Own: 1\r\n";

fn run(worker: &mut Worker, name: &str, values: &[&str], may_wait: bool) -> Result<Reply, Fault> {
    let command = COMMANDS.iter().find(|command| command.name == name).expect("a command");
    let values = values.iter().map(|value| Parameter::Text(value.as_bytes().to_vec())).collect();
    let mut parameters = Parameters::new(Wire::Json, values);
    parameters.may_wait = may_wait;
    worker.run.clear();
    (command.run)(worker, &mut parameters)
}

fn call(worker: &mut Worker, name: &str, method: &str) -> Result<Reply, Fault> {
    run(worker, name, &[method, "sip:bob@192.0.2.9", ".", ".", HEADERS], true)
}

/// The answer that left for a waiting call.
fn answered(worker: &Worker) -> Option<(u64, Reply)> {
    worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::Answer { ticket, answer: Ok(reply) } => Some((*ticket, reply.clone())),
        _ => None,
    })
}

fn reply_to(worker: &mut Worker, request: &str, status: &str, more: &str) {
    let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines: Vec<&str> = request.lines().filter(|line| kept.iter().any(|name| line.starts_with(name))).collect();
    receive(worker, &format!("SIP/2.0 {status}\n{}\n{more}Content-Length: 0\n\n", lines.join("\n")));
    super::super::receive_reply(worker);
}

fn texts(reply: &Reply) -> Vec<String> {
    let text = |item: &Item| match item {
        Item::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Item::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    reply.items.iter().map(text).collect()
}

#[test]
fn a_waiting_call_gets_the_final_reply_and_what_the_dialog_needs() {
    let mut worker = worker(MODULES);
    let ticket = call(&mut worker, "tm.t_uac_wait", "OPTIONS").expect("sent").awaited.expect("a ticket");
    let request = sent(&mut worker).first().map(|(_, text)| text.clone()).expect("the request");
    assert!(request.contains("\nX-Own: 1\n") && request.contains("\nCSeq: 10 OPTIONS\n"), "{request}");
    reply_to(&mut worker, &request, "180 Ringing", "");
    assert_eq!(answered(&worker), None);
    let routes = "Contact: <sip:bob@192.0.2.9;x=y>\nRecord-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2;lr>\n";
    reply_to(&mut worker, &request, "200 Fine", routes);
    let (told, reply) = answered(&worker).expect("an answer");
    assert_eq!(told, ticket);
    let items = texts(&reply);
    assert_eq!(
        items.get(..5).unwrap_or_default(),
        ["200", "Fine", "sip:bob@192.0.2.9;x=y", "sip:192.0.2.2;lr", "Route: <sip:192.0.2.2;lr>, <sip:192.0.2.1;lr>"]
    );
    assert!(items.get(5).is_some_and(|rest| rest.starts_with("Via: ") && rest.ends_with("Content-Length: 0\r\n\r\n")), "{items:?}");
}

#[test]
fn a_strict_router_takes_the_place_of_the_target() {
    let reply = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContact: <sip:c@d>\r\nRecord-Route: <sip:one;lr>, <sip:two>\r\n\r\n";
    let reply = Message::from_bytes(reply.as_bytes()).expect("a reply");
    assert_eq!(texts(&Reply::many(dialog_items(&reply))), ["sip:two", "sip:two", "Route: <sip:one;lr>, <sip:c@d>"]);
}

#[test]
fn a_failure_has_no_dialog_items_and_a_blocking_call_gets_code_and_text() {
    let mut worker = worker(MODULES);
    for (name, wanted) in [("tm.t_uac_wait", 3), ("tm.t_uac_wait_block", 1)] {
        call(&mut worker, name, "OPTIONS").expect("sent");
        let request = sent(&mut worker).first().map(|(_, text)| text.clone()).expect("the request");
        reply_to(&mut worker, &request, "404 Nobody", "");
        let (_, reply) = answered(&worker).expect("an answer");
        assert_eq!(reply.items.len(), wanted);
        if name.ends_with("_block") {
            let fields = vec![(Cow::Borrowed("code"), Item::Integer(404)), (Cow::Borrowed("text"), Item::text("Nobody"))];
            assert_eq!(reply.items, [Item::Structure(fields)]);
        }
        sent(&mut worker);
    }
}

#[test]
fn a_request_nobody_answers_is_told_as_408_with_empty_items() {
    let mut worker = worker(MODULES);
    call(&mut worker, "tm.t_uac_wait", "OPTIONS").expect("sent");
    worker.now.time = sip::time::Time(worker.now.time.0 + 40_000);
    let mut due = Vec::new();
    worker.node.transactions.due(worker.now.time, &mut due);
    for id in due {
        super::super::on_due(&mut worker, id);
    }
    let (_, reply) = answered(&worker).expect("an answer");
    assert_eq!(texts(&reply), ["408", "Request Timeout", "", "", "", ""]);
}

#[test]
fn a_door_that_cannot_wait_is_told_so() {
    let mut worker = worker(MODULES);
    let refused = run(&mut worker, "tm.t_uac_wait", &["OPTIONS", "sip:b@192.0.2.9", ".", ".", HEADERS], false);
    assert_eq!(refused.map_err(|fault| fault.code), Err(600));
    assert!(sent(&mut worker).is_empty());
}

#[test]
fn faults_name_what_is_wrong() {
    let mut worker = worker(MODULES);
    let mut fault = |values: &[&str]| run(&mut worker, "tm.t_uac_start", values, true).map_err(|fault| fault.text).expect_err("a fault");
    let uri = "sip:bob@192.0.2.9";
    assert_eq!(fault(&["OPTIONS", uri, "."]), "too few parameters (-3/5)");
    assert_eq!(fault(&["", uri, ".", ".", HEADERS]), "Empty method");
    assert_eq!(fault(&["OPTIONS", "bla", ".", ".", HEADERS]), "Invalid request uri \"bla\"");
    assert_eq!(fault(&["OPTIONS", uri, "xx", ".", HEADERS]), "Invalid next-hop uri \"xx\"");
    assert_eq!(fault(&["OPTIONS", uri, ".", "zz", HEADERS]), "No local socket for \"zz\"");
    assert_eq!(fault(&["OPTIONS", uri, ".", ".", "Foo: 1"]), "Invalid headers");
    assert_eq!(fault(&["OPTIONS", uri, ".", ".", "To: <sip:b@y>\r\n"]), "From missing");
    assert_eq!(fault(&["OPTIONS", uri, ".", ".", "From: <sip:b@y>\r\n"]), "To missing");
    assert_eq!(fault(&["MESSAGE", uri, ".", ".", HEADERS, "hi"]), "Content-Type missing");
    assert_eq!(fault(&["OPTIONS", uri, ".", ".", &format!("{HEADERS}CSeq: 5 INVITE\r\n")]), "CSeq method mismatch");
}

#[test]
fn a_hexadecimal_body_goes_out_as_bytes() {
    let mut worker = worker(MODULES);
    let headers = format!("{HEADERS}Content-Type: text/plain\r\n");
    run(&mut worker, "tm.t_uac_start_hex", &["MESSAGE", "sip:b@192.0.2.9", ".", ".", &headers, "68 69\n0a"], true).expect("sent");
    let request = sent(&mut worker).first().map(|(_, text)| text.clone()).expect("the request");
    assert!(request.contains("\nContent-Length: 3\n") && request.ends_with("\n\nhi\n"), "{request}");
    let odd = run(&mut worker, "tm.t_uac_start_hex", &["MESSAGE", "sip:b@192.0.2.9", ".", ".", &headers, "6"], true);
    assert_eq!(odd.map_err(|fault| fault.code), Err(400));
}

#[test]
fn an_invite_is_acknowledged_unless_the_command_says_no() {
    for (name, wanted) in [("tm.t_uac_start", 1), ("tm.t_uac_start_noack", 0)] {
        let mut worker = worker(MODULES);
        call(&mut worker, name, "INVITE").expect("sent");
        let request = sent(&mut worker).first().map(|(_, text)| text.clone()).expect("the request");
        reply_to(&mut worker, &request, "200 OK", "Contact: <sip:bob@192.0.2.9>\n");
        assert_eq!(sent(&mut worker).iter().filter(|(_, text)| text.starts_with("ACK ")).count(), wanted);
    }
}

#[test]
fn attributes_choose_mode_and_timers() {
    assert_eq!(attributes(b"mode=wait;cbflags=noack;rpflags=1").map(|(mode, _)| mode), Ok(hexadecimal(without_ack(WAIT))));
    assert_eq!(attributes(b"mode=block; fr_timeout=700;fr_inv_timeout=900;"), Ok((BLOCK, (700, 900))));
    assert_eq!(attributes(b""), Ok((START, (0, 0))));
    assert!(attributes(b"mode=never").is_err());
    assert!(attributes(b"loud").is_err());
}

#[test]
fn the_route_of_local_requests_edits_and_redirects_them() {
    let route = "event_route[tm:local-request] { append_hf(\"X-Added: 1\\r\\n\"); remove_hf(\"X-Own\"); $ru = \"sip:other@192.0.2.9\"; $du = \"sip:192.0.2.8:5099\"; $fs = \"udp:127.0.0.1:5070\"; }\n";
    let mut worker = worker(&format!("{MODULES}{route}"));
    call(&mut worker, "tm.t_uac_start", "OPTIONS").expect("sent");
    let sent = sent(&mut worker);
    let (to, request) = sent.first().expect("the request");
    assert_eq!(to.to_string(), "192.0.2.8:5099");
    assert!(request.starts_with("OPTIONS sip:other@192.0.2.9 SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch="), "{request}");
    assert!(request.contains("\nX-Added: 1\n") && !request.contains("X-Own"), "{request}");
}

#[test]
fn the_route_of_local_requests_can_drop_one() {
    let mut worker = worker(&format!("{MODULES}event_route[tm:local-request] {{ drop; }}\n"));
    assert!(call(&mut worker, "tm.t_uac_start", "OPTIONS").is_err());
    assert!(sent(&mut worker).is_empty());
    assert_eq!(worker.node.transactions.statistics().reading().current, 1, "on wait, as after any failure to send");
}

#[test]
fn a_failure_route_of_a_local_request_tries_another_destination() {
    let routes = "modparam(\"tm\", \"enable_uac_fr\", 1)\nevent_route[tm:local-request] { t_on_failure(\"F\"); }\nfailure_route[F] { $ru = \"sip:next@192.0.2.7\"; t_relay(); }\n";
    let mut worker = worker(&MODULES.replace("request_route", &format!("{routes}request_route")));
    call(&mut worker, "tm.t_uac_wait", "OPTIONS").expect("sent");
    let request = sent(&mut worker).first().map(|(_, text)| text.clone()).expect("the request");
    reply_to(&mut worker, &request, "404 Nobody", "");
    assert_eq!(answered(&worker), None);
    let sent = sent(&mut worker);
    let (to, second) = sent.first().expect("the second request");
    assert_eq!(to.to_string(), "192.0.2.7:5060");
    assert_eq!(second.matches("\nVia: ").count(), 1, "{second}");
    reply_to(&mut worker, second, "200 OK", "");
    assert_eq!(answered(&worker).map(|(_, reply)| texts(&reply).first().cloned()), Some(Some("200".to_owned())));
}
