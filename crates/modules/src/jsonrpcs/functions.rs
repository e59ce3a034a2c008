//! `jsonrpc_exec`, `jsonrpc_dispatch` and `$jsonrpl` (spec proxy-core 13.6).

use script::exports::{Argument, Flow, Index, Inner};
use script::value::{Text, Value};

use crate::json_rpc;
use crate::listing::{ITEMS_OF_SCRIPT_MAX, PAGES_OF_SCRIPT_MAX};
use crate::rpc::{Command, Fault, Reply};
use crate::worker::Worker;

/// Longest request a script may execute, in bytes.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// The outcome of a call made by a script.
#[derive(Debug, Clone)]
pub struct ExecutedCall {
    pub code: i32,
    pub text: Text,
    /// The whole JSON answer.
    pub body: Text,
}

/// `jsonrpc_dispatch()`: there is no HTTP request in a route.
pub(super) fn dispatch(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.log(-1, "jsonrpcs", "jsonrpc_dispatch() serves nothing here; set modparam(\"jsonrpcs\", \"http_address\", ...)");
    Flow::Code(-1)
}

/// `jsonrpc_exec(request)`: 1 when there is an answer, even an error; -1 when the text is no request.
pub(super) fn execute(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = arguments.first().map(Argument::text).unwrap_or_default();
    if text.len() > REQUEST_BYTES_MAX {
        worker.log(-1, "jsonrpcs", "the JSON request is too long");
        return Flow::Code(-1);
    }
    let Ok(mut request) = json_rpc::decode(&text) else {
        worker.log(-1, "jsonrpcs", "the text is no JSON-RPC request");
        return Flow::Code(-1);
    };
    let is_pretty = worker.node.states.jsonrpcs.is_pretty;
    let command = find(worker, &request.method);
    let outcome = match (command, request.refusal()) {
        (Some(_), Some(refusal)) => Err(refusal),
        (Some(command), None) => (command.run)(worker, &mut request.take_parameters()).and_then(whole),
        (None, _) => {
            worker.log(-1, "jsonrpcs", &format!("no such RPC command: {}", request.method));
            Ok(Reply::empty())
        }
    };
    let answered = json_rpc::answer(request.id, outcome, command.map(|command| command.is_array), is_pretty);
    worker.run.jsonrpcs.executed =
        Some(ExecutedCall { code: answered.code, text: Text::from(answered.text), body: Text::from(answered.body) });
    Flow::Code(1)
}

/// Scripts take whole answers.
fn whole(reply: Reply) -> Result<Reply, Fault> {
    match &reply.listing {
        Some(listing) => listing.gathered(ITEMS_OF_SCRIPT_MAX, PAGES_OF_SCRIPT_MAX),
        None => Ok(reply),
    }
}

fn find(worker: &Worker, name: &str) -> Option<&'static Command> {
    worker.node.loaded.modules.iter().flat_map(|module| module.commands.iter()).find(|command| command.name == name)
}

/// `$jsonrpl(code|text|body)` of the last `jsonrpc_exec`.
pub(super) fn reply_field(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Some(executed) = &worker.run.jsonrpcs.executed else { return Value::Null };
    match inner {
        Inner::Choice(0) => Value::Integer(i64::from(executed.code)),
        Inner::Choice(1) => Value::Text(executed.text.clone()),
        Inner::Choice(2) => Value::Text(executed.body.clone()),
        _ => Value::Null,
    }
}
