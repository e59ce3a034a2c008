//! Functions of corex run as a configuration runs them: files, what the Via shows, messages rewritten on their way.

use script::exports::Flow;
use script::syntax::ast::RouteKind;
use script::vm;

use crate::fixture::{request, run, sent, worker};
use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;

const MODULES: &str = "loadmodule \"pv\"\nloadmodule \"sl\"\nloadmodule \"corex\"\nloadmodule \"textops\"\n";

fn message() -> String {
    request("MESSAGE", "sip:bob@192.0.2.9", "", "")
}

/// Runs the main route up to the function that waits; its effects are in the outbox.
fn run_and_wait(worker: &mut Worker) -> vm::Frame {
    crate::fixture::receive(worker, &message());
    let node = std::sync::Arc::clone(&worker.node);
    let route = node.program.route(RouteKind::Request, "").expect("a main route");
    match vm::run(&node.program, worker, route) {
        vm::Run::Parked(frame) => frame,
        vm::Run::Done(finish) => panic!("the script does not wait: {finish:?}"),
    }
}

fn answer(worker: &mut Worker, answer: Answer) -> i32 {
    let continuation = worker.run.continuation.take().expect("a continuation");
    match continuation(worker, answer) {
        Flow::Code(code) => code,
        Flow::Wait => panic!("waits again"),
    }
}

#[test]
fn a_script_waits_for_a_file_and_goes_on_with_its_content() {
    let body = "request_route { if (file_read(\"/some/file\", \"$var(text)\")) append_hf(\"X-Text: $var(text)\\r\\n\"); forward(); }";
    let mut worker = worker(&format!("{MODULES}{body}"));
    let frame = run_and_wait(&mut worker);
    let ticket = worker.run.ticket;
    let asked = Effect::ReadFile { ticket, path: "/some/file".to_owned(), bytes_max: super::files::FILE_BYTES_MAX };
    assert!(worker.outbox.effects.contains(&asked));
    let code = answer(&mut worker, Answer::FileRead(Ok(b"content".to_vec())));
    assert_eq!(code, 1);
    let node = std::sync::Arc::clone(&worker.node);
    vm::resume(&node.program, &mut worker, frame, code);
    assert!(sent(&mut worker)[0].1.contains("X-Text: content\n"));
}

#[test]
fn a_file_that_cannot_be_read_or_asked_for_fails_the_function() {
    for answered in [Answer::FileRead(Err("gone".to_owned())), Answer::Awake] {
        let mut worker = worker(&format!("{MODULES}request_route {{ file_read(\"/some/file\", \"$var(text)\"); }}"));
        run_and_wait(&mut worker);
        assert_eq!(answer(&mut worker, answered), -1);
    }
}

#[test]
fn where_a_script_cannot_wait_files_are_written_behind_it_and_not_read() {
    let body = "event_route[core:pre-routing] { if (file_write(\"/some/file\", \"text\")) setflag(1); if (file_read(\"/some/file\", \"$var(t)\")) setflag(2); }\nrequest_route { exit; }";
    let mut worker = worker(&format!("{MODULES}{body}"));
    crate::fixture::receive(&mut worker, &message());
    assert!(crate::core::events::passes_before_routing(&mut worker));
    assert_eq!(worker.run.flags, 0b10);
    let written = Effect::WriteFile { ticket: 0, path: "/some/file".to_owned(), bytes: b"text".to_vec() };
    assert!(worker.outbox.effects.contains(&written));
    assert!(!worker.outbox.effects.iter().any(|effect| matches!(effect, Effect::ReadFile { .. })));
}

#[test]
fn an_empty_path_or_content_is_refused_at_once() {
    for call in ["file_read(\"$var(none)\", \"$var(t)\")", "file_write(\"\", \"text\")", "file_write(\"/some/file\", \"\")"] {
        let mut worker = worker(&format!("{MODULES}request_route {{ {call}; }}"));
        assert_eq!(run(&mut worker, &message()), -1, "{call}");
        assert!(worker.outbox.effects.iter().all(|effect| matches!(effect, Effect::Log { .. })), "{call}");
    }
}

#[test]
fn a_client_forward_hides_every_via_in_one_header_or_several() {
    let mut worker = worker(&format!("{MODULES}request_route {{ forward_uac(5); }}"));
    let more = "Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKb\nv: SIP/2.0/TCP 192.0.2.5\n";
    assert_eq!(run(&mut worker, &request("MESSAGE", "sip:bob@192.0.2.9", "", more)), 1);
    let (destination, text) = sent(&mut worker).remove(0);
    assert_eq!(destination, "192.0.2.9:5060".parse().unwrap());
    let vias: Vec<&str> = text.lines().filter(|line| line.to_ascii_lowercase().starts_with('v')).collect();
    assert_eq!(vias.len(), 1, "{text}");
    assert!(
        vias[0].starts_with("Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK") || vias[0].starts_with("Via: SIP/2.0/UDP 127.0.0.1;"),
        "{text}"
    );
    assert!(vias[0].ends_with(".5"), "{text}");
}

#[test]
fn a_branch_index_below_zero_is_refused() {
    let mut worker = worker(&format!("{MODULES}request_route {{ forward_uac(-1); }}"));
    assert_eq!(run(&mut worker, &message()), -1);
    assert!(sent(&mut worker).is_empty());
}

#[test]
fn interception_shows_what_is_sent_once_and_keeps_the_order() {
    let route = "event_route[network:msg] { if (!is_incoming() && $mb =~ \"^SIP\") $avp(s:wire) = \"coded reply to \" + $ci; }";
    let top = "modparam(\"corex\", \"nio_intercept\", 1)\nmodparam(\"corex\", \"nio_min_msg_len\", 20)\nmodparam(\"corex\", \"nio_msg_avp\", \"$avp(s:wire)\")\n";
    let main = "request_route { sl_send_reply(\"200\", \"OK\"); forward(); send_data(\"sip:192.0.2.7\", \"SIP short\"); }";
    let mut worker = worker(&format!("{MODULES}{top}{route}\n{main}"));
    run(&mut worker, &message());
    super::interception::sending(&mut worker, 0);
    let sent = sent(&mut worker);
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].1, "coded reply to call1");
    assert!(sent[1].1.starts_with("MESSAGE sip:bob@192.0.2.9"));
    assert_eq!(sent[2].1, "SIP short", "shorter than nio_min_msg_len");
    let from = worker.run.source;
    assert_eq!(super::interception::received(&mut worker, b"SIP/2.0 200 OK, long enough", from), None);
}

#[test]
fn interception_without_its_route_is_a_fault_of_the_configuration() {
    let settings = crate::settings::Settings::new(
        vec!["corex".to_owned()],
        &[script::syntax::ast::ModuleParameter {
            module: "corex".to_owned(),
            name: "nio_intercept".to_owned(),
            value: script::syntax::ast::Literal::Integer(1),
            span: script::source::Span::default(),
        }],
    );
    let worker = worker(&format!("{MODULES}request_route {{ exit; }}"));
    assert!(super::State::start(&settings, &worker.node.program).is_err());
}
