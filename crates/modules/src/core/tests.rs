//! Core functions run as a configuration runs them.

use crate::dns::record::Reply;
use crate::outbox::Effect;
use crate::rpc::Item;
use crate::run::Answer;
use crate::trial::{call, run, worker};
use script::exports::Flow;
use script::syntax::ast::RouteKind;
use script::vm;

fn lines(body: &str) -> Vec<String> {
    let all = run(&mut worker("", body));
    all.into_iter().filter_map(|line| line.trim_start_matches("<script>: ").strip_prefix("@@ ").map(str::to_owned)).collect()
}

#[test]
fn uri_functions_change_what_their_names_say() {
    let body = r#"sethostport("h:5"); xlog("L_ERR", "@@ $ru"); sethost("hh"); xlog("L_ERR", "@@ $ru"); setport(""); xlog("L_ERR", "@@ $ru");
        setuserpass("u:p"); xlog("L_ERR", "@@ $ru"); setuser("v"); xlog("L_ERR", "@@ $ru"); setuser(""); xlog("L_ERR", "@@ $ru");
        setuser("12345"); strip(2); xlog("L_ERR", "@@ $ru"); strip_tail(9); xlog("L_ERR", "@@ $ru");
        seturi("sip:a@b:1;transport=tcp;x=1?h=1"); userphone(); xlog("L_ERR", "@@ $ru"); sethostporttrans("q:9"); xlog("L_ERR", "@@ $ru");
        setuser("$var(x)"); xlog("L_ERR", "@@ $rU"); revert_uri(); xlog("L_ERR", "@@ $ru");"#;
    assert_eq!(
        lines(body),
        [
            "sip:bob:pw@h:5;transport=udp;foo=bar",
            "sip:bob:pw@hh:5;transport=udp;foo=bar",
            "sip:bob:pw@hh;transport=udp;foo=bar",
            "sip:u:p@hh;transport=udp;foo=bar",
            "sip:v:p@hh;transport=udp;foo=bar",
            "sip:hh;transport=udp;foo=bar",
            "sip:345@hh;transport=udp;foo=bar",
            "sip:hh;transport=udp;foo=bar",
            "sip:a@b:1;transport=tcp;x=1;user=phone?h=1",
            "sip:a@q:9;x=1;user=phone?h=1",
            "$var(x)",
            "sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar"
        ]
    );
}

fn sent(worker: &crate::Worker) -> Option<(std::net::SocketAddr, String)> {
    worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::Send { destination, bytes, .. } => {
            Some((*destination, String::from_utf8_lossy(worker.outbox.bytes.get(bytes.clone())?).into_owned()))
        }
        _ => None,
    })
}

#[test]
fn forward_sends_the_request_with_our_via_and_marks_the_received_one() {
    let mut worker = worker("", r#"$var(x) = forward("127.0.0.1", 5970); xlog("L_ERR", "@@ $var(x)");"#);
    assert_eq!(run(&mut worker), ["<script>: @@ 1"]);
    let (destination, text) = sent(&worker).expect("something was sent");
    assert_eq!(destination, "127.0.0.1:5970".parse().unwrap());
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("OPTIONS sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar SIP/2.0"));
    assert!(lines.next().unwrap().starts_with("Via: SIP/2.0/UDP 127.0.0.1:5966;branch=z9hG4bK"), "{text}");
    assert_eq!(lines.next(), Some("Via: SIP/2.0/UDP 127.0.0.1:5967;received=127.0.0.1;branch=z9hG4bKabc;rport=5967"));
    assert!(worker.run.is_target_consumed);
    assert_eq!(worker.node.states.core.counters.value(super::statistics::place::FORWARDED_REQUESTS), 1);
}

#[test]
fn forwarding_the_same_request_twice_gives_the_same_bytes() {
    let text = |_: u8| {
        let mut worker = worker("", "forward(\"127.0.0.1\", 5970);");
        run(&mut worker);
        sent(&worker).expect("something was sent").1
    };
    assert_eq!(text(0), text(1));
}

#[test]
fn forward_to_a_name_parks_and_goes_on_with_its_addresses() {
    let mut worker =
        worker("", r#"$du = "sip:next.example.org:5080"; if (forward()) xlog("L_ERR", "@@ forwarded"); else xlog("L_ERR", "@@ failed");"#);
    let node = std::sync::Arc::clone(&worker.node);
    let route = node.program.route(RouteKind::Request, "").unwrap();
    let vm::Run::Parked(frame) = vm::run(&node.program, &mut worker, route) else { panic!("the run does not wait") };
    let asked = worker.outbox.effects.iter().any(|effect| {
        matches!(effect, Effect::Resolve { ticket, question } if *ticket == worker.run.ticket && &*question.name == "next.example.org")
    });
    assert!(asked);
    let continuation = worker.run.continuation.take().unwrap();
    let answer = Answer::Records(Reply::of_address("next.example.org", "192.0.2.7".parse().unwrap()));
    let Flow::Code(code) = continuation(&mut worker, answer) else { panic!("waits again") };
    assert_eq!(code, 1);
    assert!(matches!(vm::resume(&node.program, &mut worker, frame, code), vm::Run::Done(_)));
    assert_eq!(sent(&worker).unwrap().0, "192.0.2.7:5080".parse().unwrap());
}

#[test]
fn a_name_that_does_not_resolve_fails_the_forward() {
    let mut worker = worker("", "forward();");
    worker.run.set_next_hop(Some(script::value::Text::from("sip:gone.example.org")));
    let hop = crate::next_hop::of_uri(b"sip:gone.example.org", None).unwrap();
    assert_eq!(super::forward::request(&mut worker, hop), Flow::Wait);
    let continuation = worker.run.continuation.take().unwrap();
    assert_eq!(continuation(&mut worker, Answer::Records(Reply::default())), Flow::Wait, "no server: the address is asked for");
    let continuation = worker.run.continuation.take().unwrap();
    assert_eq!(continuation(&mut worker, Answer::Records(Reply::default())), Flow::Code(-1));
    assert_eq!(worker.run.last_error, crate::next_hop::error::BAD_ADDRESS);
    assert!(sent(&worker).is_none());
}

#[test]
fn onsend_route_sees_where_a_message_goes_and_may_drop_it() {
    let top = r#"onsend_route { xlog("L_ERR", "@@ $snd(ip) $snd(port) $sndfrom(port) $snd(sproto)"); if (to_port == 5971) drop; }"#;
    let mut passing = worker(top, r#"forward("127.0.0.1", 5970);"#);
    assert_eq!(run(&mut passing), ["<script>: @@ 127.0.0.1 5970 5966 udp"]);
    assert!(sent(&passing).is_some());
    let mut dropping = worker(top, r#"forward("127.0.0.1", 5971);"#);
    run(&mut dropping);
    assert!(sent(&dropping).is_none());
}

#[test]
fn log_keeps_to_its_level() {
    let mut worker = worker("debug=1", r#"log(1, "shown"); log("hidden"); log(2, "hidden too");"#);
    assert_eq!(run(&mut worker), ["script: shown"]);
}

#[test]
fn branches_stop_at_max_branches() {
    let body =
        r#"$var(i) = 0; while ($var(i) < 5) { append_branch("sip:x@y"); $var(i) = $var(i) + 1; } xlog("L_ERR", "@@ $branch(count)");"#;
    let mut worker = worker("max_branches=3", body);
    assert!(run(&mut worker).contains(&"<script>: @@ 2".to_owned()));
}

#[test]
fn defines_and_selects_are_read() {
    let body = r#"xlog("L_ERR", "@@ $def(FOO) $defn(FOO) $def(NONE) $defn(NONE) $def(BARE) $sel(from.tag) $sel(via[2].host) $sel(ruri.params.foo) $sel(hf_value.x_a)");"#;
    let mut worker = worker("#!define FOO 5\n#!define BARE", body);
    assert_eq!(run(&mut worker), ["<script>: @@ 5 5 <null> 0 1 ft1 10.0.0.9 bar one,two,three"]);
}

#[test]
fn core_commands_answer_in_the_known_shapes() {
    let mut worker = worker("", ";");
    let names = call(&mut worker, "system.listMethods", &[]).unwrap().items;
    assert!(names.contains(&Item::text("core.uptime")));
    let texts: Vec<&[u8]> = names.iter().filter_map(|name| if let Item::Text(text) = name { Some(&text[..]) } else { None }).collect();
    assert!(texts.is_sorted() && texts.len() == names.len());
    let Item::Structure(fields) = call(&mut worker, "core.uptime", &[]).unwrap().items.remove(0) else { panic!("not a structure") };
    assert_eq!(fields[0], ("now".into(), Item::text("Mon Nov 23 00:00:34 2026")));
    assert_eq!(fields[2], ("uptime".into(), Item::Integer(2)));
    assert_eq!(call(&mut worker, "system.methodHelp", &["no.such"]).unwrap_err().text, "command not found");
    assert_eq!(call(&mut worker, "core.shmmem", &["x"]).unwrap_err().code, 500);
    assert_eq!(call(&mut worker, "core.modules", &[]).unwrap().items.first(), Some(&Item::text("cfg_rpc")));
    call(&mut worker, "core.kill", &[]).unwrap();
    assert!(worker.outbox.effects.contains(&Effect::Stop));
}

#[test]
fn the_spellings_of_configurations_are_accepted() {
    let body = r#"force_rport; add_local_rport(); set_advertised_address("1.2.3.4"); set_advertised_port(5099); udp_mtu_try_proto(TCP);
        force_send_socket(udp:127.0.0.1:5966); xlog("L_ERR", "@@ $fs"); set_reply_no_connect(); set_forward_close();
        $var(f) = 4; setbflag($var(f)); setbflag("$var(f)"); xlog("L_ERR", "@@ $bf"); setflag(NAMED); if (isflagset(NAMED)) xlog("L_ERR", "@@ named");
        $var(l) = "L_ERR"; xlog("$var(l)", "@@ level"); append_branch($ru); append_branch("sip:$rU@z"); remove_branch(0); xlog("L_ERR", "@@ $br");
        if (!strip(99)) xlog("L_ERR", "@@ strip failed"); rewriteuser("x"); rewritehostport("y:5"); xlog("L_ERR", "@@ $rU $rd $rp");"#;
    let mut worker = worker("flags NAMED:3;", body);
    let lines: Vec<String> =
        run(&mut worker).into_iter().filter_map(|line| line.strip_prefix("<script>: @@ ").map(str::to_owned)).collect();
    assert_eq!(lines, ["udp:127.0.0.1:5966", "16", "named", "level", "sip:bob@z", "x y 5"]);
    assert!(worker.run.force_rport && worker.run.local_rport);
    assert_eq!(worker.run.advertised_port, Some(5099));
    let hints = worker.run.core.hints;
    assert!(hints.reply_no_connect && hints.forward_close && !hints.reply_close);
    assert_eq!(hints.mtu_protocol, Some(transaction::Protocol::Tcp));
}

#[test]
fn forward_takes_the_hosts_of_the_grammar() {
    let destination = |call: &str| {
        let mut worker = worker("", call);
        run(&mut worker);
        sent(&worker).map(|(destination, _)| destination.to_string())
    };
    assert_eq!(destination("forward(uri:host, uri:port);").as_deref(), Some("127.0.0.1:5966"));
    assert_eq!(destination("forward(10.0.0.1);").as_deref(), Some("10.0.0.1:5060"));
    assert_eq!(destination("forward(\"10.0.0.1\", 5070);").as_deref(), Some("10.0.0.1:5070"));
    assert_eq!(destination("forward();").as_deref(), Some("127.0.0.1:5966"));
    assert_eq!(destination("forward_tcp(10.0.0.1, 5070);"), None, "there is no TCP socket");
}

#[test]
fn a_forward_too_long_for_udp_goes_by_tcp() {
    let mut worker = crate::fixture::worker("udp_mtu = 100\nudp_mtu_try_proto = TCP\nrequest_route {\nforward(\"192.0.2.9\");\n}\n");
    crate::fixture::run(&mut worker, &crate::fixture::request("OPTIONS", "sip:bob@example.com", "", ""));
    let sent = worker.outbox.effects.iter().find_map(|effect| match effect {
        Effect::StreamSend { destination, bytes, .. } => Some((*destination, bytes.clone())),
        _ => None,
    });
    let (destination, bytes) = sent.expect("something sent on a stream");
    assert_eq!(destination, "192.0.2.9:5060".parse().unwrap());
    let text = String::from_utf8_lossy(worker.outbox.bytes.get(bytes).unwrap()).into_owned();
    assert!(text.contains("Via: SIP/2.0/TCP 127.0.0.1"), "{text}");
}
