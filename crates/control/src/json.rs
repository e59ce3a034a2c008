//! JSON-RPC calls: a request's text in, the answer's text and HTTP status out (spec proxy-core 13.2, 13.6).

use modules::json_rpc::{self, Request};
use modules::rpc::{Parameters, Wire};

use crate::{Caller, Outcome};

/// The answer and the HTTP status that goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    pub http_status: u16,
    pub http_reason: String,
}

/// Runs a request and writes its answer.
pub fn answer(caller: &dyn Caller, text: &[u8], is_pretty: bool) -> Outcome<Answer> {
    match json_rpc::decode(text) {
        Ok(request) => answer_request(caller, request, is_pretty),
        Err(fault) => Outcome::Done(Answer {
            text: json_rpc::error(None, &fault, is_pretty),
            http_status: http_status(fault.code),
            http_reason: fault.text,
        }),
    }
}

/// Runs a request that was read and writes its answer.
pub fn answer_request(caller: &dyn Caller, request: Request, is_pretty: bool) -> Outcome<Answer> {
    let is_array = caller.is_array(&request.method);
    let outcome = match request.refusal() {
        Some(fault) => Outcome::Done(Err(fault)),
        None => caller.call(&request.method, &mut Parameters::new(Wire::Json, request.parameters)),
    };
    outcome.map(move |outcome| {
        let answered = json_rpc::answer(request.id, outcome, is_array, is_pretty);
        Answer { text: answered.body, http_status: http_status(answered.code), http_reason: answered.text }
    })
}

/// The code when it is an HTTP status, else 500 (spec proxy-core 13.6).
fn http_status(code: i32) -> u16 {
    u16::try_from(code).ok().filter(|code| (101..1000).contains(code)).unwrap_or(500)
}

#[cfg(test)]
mod tests {
    use modules::rpc::{Fault, Item, Parameter, Reply};

    use super::*;

    struct Echo;

    impl Caller for Echo {
        fn call(&self, name: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>> {
            Outcome::Done(match name {
                "fail" => Err(Fault::new(404, "Not found")),
                "nothing" => Ok(Reply::empty()),
                _ => Ok(Reply::many(
                    parameters
                        .values
                        .iter()
                        .map(|value| match value {
                            Parameter::Integer(number) => Item::Integer(*number),
                            Parameter::Double(number) => Item::Double(*number),
                            Parameter::Text(text) => Item::text(text),
                            Parameter::Unreadable(kind) => Item::text(kind),
                        })
                        .collect(),
                )),
            })
        }

        fn is_array(&self, name: &str) -> Option<bool> {
            match name {
                "echo" => Some(true),
                "last" | "fail" | "nothing" => Some(false),
                _ => None,
            }
        }

        fn log(&self, _: i32, _: &str) {}
    }

    fn compact(request: &str) -> String {
        answer(&Echo, request.as_bytes(), false).wait().text
    }

    #[test]
    fn an_array_command_answers_all_items_and_others_the_last() {
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"echo","params":[5,"a"],"id":1}"#), r#"{"jsonrpc":"2.0","result":[5,"a"],"id":1}"#);
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"last","params":[5,"a"],"id":"x"}"#), r#"{"jsonrpc":"2.0","result":"a","id":"x"}"#);
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"nothing"}"#), r#"{"jsonrpc":"2.0","result":{}}"#);
    }

    #[test]
    fn faults_and_unknown_methods_are_error_objects() {
        assert_eq!(
            compact(r#"{"jsonrpc":"2.0","method":"fail","id":2}"#),
            r#"{"jsonrpc":"2.0","error":{"code":404,"message":"Not found"},"id":2}"#
        );
        let unknown = answer(&Echo, br#"{"jsonrpc":"2.0","method":"no.such","id":3}"#, false).wait();
        assert_eq!(unknown.text, r#"{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":3}"#);
        assert_eq!(unknown.http_status, 500);
    }

    #[test]
    fn garbage_is_a_parse_error() {
        assert!(compact("{").contains("-32700"));
        assert!(compact("[]").contains("-32600"));
    }

    #[test]
    fn pretty_text_has_one_key_a_line() {
        let text = answer(&Echo, br#"{"jsonrpc":"2.0","method":"echo","params":[1,2],"id":7}"#, true).wait().text;
        assert_eq!(text, "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[1, 2],\n\t\"id\":\t7\n}\n");
    }
}
