//! RPC calls made by scripts.

use script::syntax::ast::RouteKind;

use crate::Worker;
use crate::fixture::{receive, request, worker};

const MODULES: &str = "loadmodule \"jsonrpcs.so\"\nloadmodule \"pv.so\"\nmodparam(\"jsonrpcs\", \"pretty_format\", 0)\n";

fn run(worker: &mut Worker) -> i64 {
    receive(worker, &request("OPTIONS", "sip:bob@192.0.2.9", "", ""));
    worker.run_route(RouteKind::Request, "").expect("a main route").code
}

fn body_after(call: &str) -> (i64, Option<(i32, String)>) {
    let mut worker = worker(&format!("{MODULES}request_route {{ $var(x) = 0; jsonrpc_exec('{call}'); return $rc; }}\n"));
    let code = run(&mut worker);
    (code, worker.run.jsonrpcs.executed.as_ref().map(|executed| (executed.code, executed.body.to_string())))
}

#[test]
fn a_script_calls_a_command_and_reads_its_answer() {
    let (code, executed) = body_after(r#"{"jsonrpc":"2.0","method":"jsonrpc.echo","params":["one",2,"more"],"id":1}"#);
    assert_eq!((code, executed), (1, Some((200, r#"{"jsonrpc":"2.0","result":["one",2],"id":1}"#.to_owned()))));
}

#[test]
fn an_unknown_command_is_answered_with_an_error() {
    let (code, executed) = body_after(r#"{"jsonrpc":"2.0","method":"no.such","id":"x"}"#);
    let body = r#"{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":"x"}"#;
    assert_eq!((code, executed), (1, Some((500, body.to_owned()))));
}

#[test]
fn text_that_is_no_request_fails() {
    assert_eq!(body_after("zzz"), (-1, None));
}

#[test]
fn the_answer_is_read_through_its_variable() {
    let call = r#"jsonrpc_exec('{"jsonrpc":"2.0","method":"jsonrpc.echo","id":1}');"#;
    let test = r#"if ($jsonrpl(code) == 200 && $jsonrpl(text) == "OK" && $jsonrpl(body) =~ "result") return 5;"#;
    let mut worker = worker(&format!("{MODULES}request_route {{ if ($jsonrpl(code) != $null) return 4; {call} {test} return 3; }}\n"));
    assert_eq!(run(&mut worker), 5);
}
