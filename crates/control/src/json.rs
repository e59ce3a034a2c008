//! JSON-RPC calls: a request's text in, the answer's text and HTTP status out (spec proxy-core 13.2, 13.6).

use modules::json_rpc::{self, Pieces, Request};
use modules::listing::too_long;
use modules::rpc::{Fault, Reply};

use crate::{Caller, Outcome};

/// The answer and the HTTP status that goes with it.
pub struct Answer {
    pub body: Body,
    pub http_status: u16,
    pub http_reason: String,
}

/// The text of an answer.
pub enum Body {
    Whole(String),
    /// Made while it is written.
    InPieces(Box<Pieces>),
}

impl Body {
    /// The text as one: only as far as it is not longer than `bytes_max`, else a fault instead.
    pub fn whole(self, bytes_max: usize, is_pretty: bool) -> String {
        let pieces = match self {
            Body::Whole(text) => return text,
            Body::InPieces(pieces) => pieces,
        };
        let id = pieces.id();
        let mut text = String::new();
        for piece in *pieces {
            text.push_str(&piece);
            if text.len() > bytes_max {
                return json_rpc::error(id, &too_long(&format!("the {bytes_max} bytes this door carries")), is_pretty);
            }
        }
        text
    }

    /// Gives every piece in order to `write` until that fails.
    pub fn pour<E>(self, mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Body::Whole(text) => write(text.as_bytes()),
            Body::InPieces(mut pieces) => pieces.try_for_each(|piece| write(piece.as_bytes())),
        }
    }
}

/// Runs a request and writes its answer.
pub fn answer(caller: &dyn Caller, text: &[u8], is_pretty: bool) -> Outcome<Answer> {
    match json_rpc::decode(text) {
        Ok(request) => answer_request(caller, request, is_pretty),
        Err(fault) => Outcome::Done(Answer {
            body: Body::Whole(json_rpc::error(None, &fault, is_pretty)),
            http_status: http_status(fault.code),
            http_reason: fault.text,
        }),
    }
}

/// Runs a request that was read and writes its answer.
pub fn answer_request(caller: &dyn Caller, mut request: Request, is_pretty: bool) -> Outcome<Answer> {
    let is_array = caller.is_array(&request.method);
    let mut parameters = request.take_parameters();
    let outcome = match request.refusal() {
        Some(fault) => Outcome::Done(Err(fault)),
        None => caller.call(&request.method, &mut parameters),
    };
    outcome.with_listings_apart().map(move |outcome| write(request, outcome, is_array, is_pretty))
}

fn write(request: Request, outcome: Result<Reply, Fault>, is_array: Option<bool>, is_pretty: bool) -> Answer {
    let outcome = match outcome {
        Ok(Reply { listing: Some(listing), .. }) => match listing.begin() {
            Ok(first) => {
                let body = Body::InPieces(Box::new(Pieces::new(request.id, listing, first, is_pretty)));
                return Answer { body, http_status: 200, http_reason: "OK".to_owned() };
            }
            Err(fault) => Err(fault),
        },
        other => other,
    };
    let answered = json_rpc::answer(request.id, outcome, is_array, is_pretty);
    Answer { body: Body::Whole(answered.body), http_status: http_status(answered.code), http_reason: answered.text }
}

/// The code when it is an HTTP status, else 500 (spec proxy-core 13.6).
fn http_status(code: i32) -> u16 {
    u16::try_from(code).ok().filter(|code| (101..1000).contains(code)).unwrap_or(500)
}

#[cfg(test)]
mod tests {
    use modules::listing::{Listing, Pages};
    use modules::rpc::{Item, Parameter, Parameters};

    use super::*;

    struct Echo;

    impl Caller for Echo {
        fn call(&self, name: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>> {
            Outcome::Done(match name {
                "fail" => Err(Fault::new(404, "Not found")),
                "nothing" => Ok(Reply::empty()),
                "long" => Ok(Reply::listing(Listing::new(Hundred(0)))),
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
                "echo" | "long" => Some(true),
                "last" | "fail" | "nothing" => Some(false),
                _ => None,
            }
        }

        fn log(&self, _: i32, _: &str) {}
    }

    fn text(outcome: Outcome<Answer>) -> String {
        outcome.wait().body.whole(usize::MAX, false)
    }

    /// A hundred pages.
    struct Hundred(i64);

    impl Pages for Hundred {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.0 += 1;
            (self.0 <= 100).then(|| vec![Item::Integer(self.0)])
        }
    }

    #[test]
    fn a_long_answer_comes_in_pieces_and_off_the_door() {
        let ask = || answer(&Echo, br#"{"jsonrpc":"2.0","method":"long","id":4}"#, false);
        assert!(matches!(ask(), Outcome::Waiting(_)), "the door is not held while the first page is made");
        let mut pieces = 0;
        let poured = ask().wait().body.pour(|piece| {
            pieces += 1;
            if piece.is_empty() { Err("an empty piece would end a chunked answer") } else { Ok(()) }
        });
        assert_eq!((poured, pieces), (Ok(()), 101));
        let whole = text(ask());
        assert!(whole.starts_with(r#"{"jsonrpc":"2.0","result":[1,2,"#) && whole.ends_with(r#",100],"id":4}"#));
        let cut = ask().wait().body.whole(200, false);
        assert!(cut.contains(r#""error":{"code":500"#) && cut.contains("limit") && cut.contains("after") && cut.ends_with(r#""id":4}"#));
    }

    fn compact(request: &str) -> String {
        text(answer(&Echo, request.as_bytes(), false))
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
        assert_eq!(unknown.http_status, 500);
        let unknown = unknown.body.whole(usize::MAX, false);
        assert_eq!(unknown, r#"{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":3}"#);
    }

    #[test]
    fn garbage_is_a_parse_error() {
        assert!(compact("{").contains("-32700"));
        assert!(compact("[]").contains("-32600"));
    }

    #[test]
    fn pretty_text_has_one_key_a_line() {
        let text = answer(&Echo, br#"{"jsonrpc":"2.0","method":"echo","params":[1,2],"id":7}"#, true).wait().body.whole(usize::MAX, true);
        assert_eq!(text, "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[1, 2],\n\t\"id\":\t7\n}\n");
    }
}
