//! JSON-RPC 2.0 as text: requests taken apart, answers written (spec proxy-core 13.1, 13.2). One piece for every door.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::listing::Listing;
use crate::rpc::{Fault, Item, Parameter, Parameters, Reply, Wire};

/// A request taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub parameters: Vec<Parameter>,
    /// What the parameters are called, when they came as an object.
    pub names: Vec<String>,
    pub id: Option<Value>,
    /// FIFO only: where the answer is written.
    pub reply_name: Option<String>,
    /// `store_path`: the answer should go into a file. No command writes files, so such a request is refused.
    pub wants_file: bool,
}

impl Request {
    /// Why this request is not run at all, if so.
    pub fn refusal(&self) -> Option<Fault> {
        self.wants_file.then(|| Fault::new(500, "Storing failed"))
    }
}

impl Request {
    /// The parameters for the command.
    pub fn take_parameters(&mut self) -> Parameters {
        Parameters::new(Wire::Json, std::mem::take(&mut self.parameters)).named(std::mem::take(&mut self.names))
    }
}

/// Reads a request; the fault carries a JSON-RPC error code.
pub fn decode(text: &[u8]) -> Result<Request, Fault> {
    let value: Value = serde_json::from_slice(text).map_err(|_| Fault::new(-32_700, "Parse Error"))?;
    let invalid = || Fault::new(-32_600, "Invalid Request");
    let object = value.as_object().ok_or_else(invalid)?;
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid());
    }
    let method = object.get("method").and_then(Value::as_str).ok_or_else(invalid)?.to_owned();
    let (parameters, names) = match object.get("params") {
        Some(Value::Array(values)) => (values.iter().map(parameter).collect(), Vec::new()),
        Some(Value::Object(named)) => (named.values().map(parameter).collect(), named.keys().cloned().collect()),
        _ => (Vec::new(), Vec::new()),
    };
    let reply_name = object.get("reply_name").and_then(Value::as_str).map(str::to_owned);
    let wants_file = object.contains_key("store_path");
    Ok(Request { method, parameters, names, id: object.get("id").cloned(), reply_name, wants_file })
}

fn parameter(value: &Value) -> Parameter {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Parameter::Integer(integer),
            None => Parameter::Double(number.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => Parameter::Text(text.clone().into_bytes()),
        Value::Bool(is_true) => Parameter::Integer(i64::from(*is_true)),
        Value::Null => Parameter::Unreadable("null"),
        Value::Array(_) => Parameter::Unreadable("array"),
        Value::Object(_) => Parameter::Unreadable("structure"),
    }
}

/// An answer as text, with the code and text that HTTP and `$jsonrpl` show of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// 200, or the error's code.
    pub code: i32,
    /// `OK`, or the error's message.
    pub text: String,
    /// The whole JSON answer.
    pub body: String,
}

/// The code of a fault that carries none.
const EXECUTION_ERROR: i32 = -32_000;

/// The answer to a call. `is_array`: whether the command answers arrays; None: there is no such command.
pub fn answer(id: Option<Value>, outcome: Result<Reply, Fault>, is_array: Option<bool>, is_pretty: bool) -> Answered {
    let outcome = match outcome {
        Err(fault) if fault.is_unread => Ok(Reply::empty()),
        other => other,
    };
    match (outcome, is_array) {
        (Ok(reply), Some(is_array)) => Answered { code: 200, text: "OK".to_owned(), body: result(id, reply, is_array, is_pretty) },
        (_, None) => failed(id, Fault::new(500, "Method Not Found"), is_pretty),
        (Err(Fault { code: 0, .. }), _) => failed(id, Fault::new(EXECUTION_ERROR, "Execution Error"), is_pretty),
        (Err(fault), _) => failed(id, fault, is_pretty),
    }
}

fn failed(id: Option<Value>, fault: Fault, is_pretty: bool) -> Answered {
    Answered { code: fault.code, body: error(id, &fault, is_pretty), text: fault.text }
}

/// The answer with a result: all items as an array, or the last one; nothing gives `{}`.
pub fn result(id: Option<Value>, reply: Reply, is_array: bool, is_pretty: bool) -> String {
    let mut items = reply.items;
    let result = if is_array { Item::Array(items) } else { items.pop().unwrap_or_else(|| Item::Structure(Vec::new())) };
    envelope("result", result, id, is_pretty)
}

/// The answer with an error.
pub fn error(id: Option<Value>, fault: &Fault, is_pretty: bool) -> String {
    let fields = vec![("code".into(), Item::Integer(i64::from(fault.code))), ("message".into(), Item::text(&fault.text))];
    envelope("error", Item::Structure(fields), id, is_pretty)
}

/// The text of a long answer, piece by piece: the head with the first items, then the items of a page each, then the end.
pub struct Pieces {
    listing: Listing,
    id: Option<Value>,
    is_pretty: bool,
    stage: Stage,
}

enum Stage {
    /// The items of the first page are known.
    Head(Vec<Item>),
    Items,
    Over,
}

impl Pieces {
    /// The answer to a call of an array command. `first`: what [`Listing::begin`] gave.
    pub fn new(id: Option<Value>, listing: Listing, first: Vec<Item>, is_pretty: bool) -> Pieces {
        Pieces { listing, id, is_pretty, stage: Stage::Head(first) }
    }

    /// The request's id.
    pub fn id(&self) -> Option<Value> {
        self.id.clone()
    }

    fn end(&mut self) -> String {
        self.stage = Stage::Over;
        let mut writer = Writer { out: "]".to_owned(), is_pretty: self.is_pretty };
        writer.close_envelope(self.id.take());
        writer.out
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut writer = Writer { out: String::new(), is_pretty: self.is_pretty };
        match std::mem::replace(&mut self.stage, Stage::Items) {
            Stage::Over => {
                self.stage = Stage::Over;
                return None;
            }
            Stage::Head(first) => {
                writer.open_envelope("result");
                writer.out.push('[');
                writer.elements(&first, 1, true);
                if first.is_empty() {
                    writer.out.push_str(&self.end());
                }
            }
            Stage::Items => match self.listing.next_filled_page() {
                Some(page) => writer.elements(&page, 1, false),
                None => return Some(self.end()),
            },
        }
        Some(writer.out)
    }
}

/// One item as JSON on one line.
pub fn line(item: &Item) -> String {
    let mut writer = Writer { out: String::new(), is_pretty: false };
    writer.item(item, 0);
    writer.out.push('\n');
    writer.out
}

fn envelope(name: &'static str, content: Item, id: Option<Value>, is_pretty: bool) -> String {
    let mut writer = Writer { out: String::new(), is_pretty };
    writer.open_envelope(name);
    writer.item(&content, 1);
    writer.close_envelope(id);
    writer.out
}

/// Writes items; a structure may have several fields of one name. Pretty: tab-indented, a tab between key and value, arrays
/// inside one line.
struct Writer {
    out: String,
    is_pretty: bool,
}

impl Writer {
    fn open_envelope(&mut self, name: &str) {
        self.begin();
        self.field(1, true, "jsonrpc");
        self.out.push_str("\"2.0\"");
        self.field(1, false, name);
    }

    fn close_envelope(&mut self, id: Option<Value>) {
        if let Some(id) = id {
            self.field(1, false, "id");
            self.out.push_str(&id.to_string());
        }
        self.end(0);
        if self.is_pretty {
            self.out.push('\n');
        }
    }

    /// Values of an array at this depth; `is_first`: none stand before them.
    fn elements(&mut self, items: &[Item], depth: usize, is_first: bool) {
        for (number, value) in items.iter().enumerate() {
            if number > 0 || !is_first {
                self.out.push_str(if self.is_pretty { ", " } else { "," });
            }
            self.item(value, depth + 1);
        }
    }

    fn begin(&mut self) {
        self.out.push('{');
    }

    fn line(&mut self, depth: usize) {
        if self.is_pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n('\t', depth));
        }
    }

    fn field(&mut self, depth: usize, is_first: bool, name: &str) {
        if !is_first {
            self.out.push(',');
        }
        self.line(depth);
        self.text(name);
        self.out.push_str(if self.is_pretty { ":\t" } else { ":" });
    }

    fn end(&mut self, depth: usize) {
        self.line(depth);
        self.out.push('}');
    }

    fn text(&mut self, text: &str) {
        let is_plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
        if is_plain {
            self.out.extend(["\"", text, "\""]);
        } else {
            self.out.push_str(&Value::from(text).to_string());
        }
    }

    fn item(&mut self, item: &Item, depth: usize) {
        match item {
            Item::Integer(number) | Item::Long(number) => {
                // Writing into a string cannot fail.
                let _ = write!(self.out, "{number}");
            }
            // Not a number is no JSON number.
            Item::Double(number) => self.out.push_str(&json!(number).to_string()),
            Item::Text(text) => self.text(&String::from_utf8_lossy(text)),
            Item::Null => self.out.push_str("null"),
            Item::Structure(fields) => {
                self.begin();
                for (number, (name, value)) in fields.iter().enumerate() {
                    self.field(depth + 1, number == 0, name);
                    self.item(value, depth + 1);
                }
                self.end(depth);
            }
            Item::Array(items) => {
                self.out.push('[');
                self.elements(items, depth, true);
                self.out.push(']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::Pages;

    #[test]
    fn a_request_keeps_method_parameters_and_id() {
        let request = decode(br#"{"jsonrpc":"2.0","method":"a.b","params":{"x":1,"y":"t"},"id":"n"}"#);
        let wanted = Request {
            method: "a.b".to_owned(),
            parameters: vec![Parameter::Integer(1), Parameter::Text(b"t".to_vec())],
            names: vec!["x".to_owned(), "y".to_owned()],
            id: Some(json!("n")),
            reply_name: None,
            wants_file: false,
        };
        assert_eq!(request, Ok(wanted));
    }

    /// Pages of the items 0, 1 and 2.
    struct Three(i64);

    impl Pages for Three {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.0 += 1;
            let item = || Item::Structure(vec![("number".into(), Item::Integer(self.0 - 1))]);
            (self.0 <= 3).then(|| vec![item()])
        }
    }

    #[test]
    fn an_answer_in_pieces_is_the_same_text_as_a_whole_one() {
        for is_pretty in [true, false] {
            let whole = result(Some(json!(1)), Listing::new(Three(0)).gathered(9, 9).expect("all items"), true, is_pretty);
            let listing = Listing::new(Three(0));
            let first = listing.begin().expect("a page");
            let pieces: Vec<String> = super::Pieces::new(Some(json!(1)), listing, first, is_pretty).collect();
            assert_eq!((pieces.len(), pieces.concat()), (4, whole));
            let none = Listing::new(Three(3));
            let text: String = super::Pieces::new(None, none.clone(), none.begin().expect("no page"), is_pretty).collect();
            assert_eq!(text, result(None, Reply::empty(), true, is_pretty));
        }
    }

    #[test]
    fn a_structure_may_repeat_a_name_and_an_empty_one_has_two_lines() {
        let fields = vec![("shv".into(), Item::Integer(1)), ("shv".into(), Item::Null)];
        assert_eq!(result(None, Reply::one(Item::Structure(fields)), false, false), r#"{"jsonrpc":"2.0","result":{"shv":1,"shv":null}}"#);
        let empty = result(None, Reply::empty(), false, true);
        assert_eq!(empty, "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t{\n\t}\n}\n");
    }

    #[test]
    fn a_request_that_wants_its_answer_in_a_file_is_refused() {
        let request = decode(br#"{"jsonrpc":"2.0","method":"core.uptime","store_path":"/etc/passwd"}"#).expect("a request");
        assert_eq!(request.refusal(), Some(Fault::new(500, "Storing failed")));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for text in [
            &b"zzz"[..],
            b"[]",
            b"{}",
            br#"{"jsonrpc":"2.0","method":5}"#,
            br#"{"method":"a"}"#,
            br#"{"jsonrpc":"1.0","method":"a"}"#,
            b"\xff",
        ] {
            assert!(decode(text).is_err());
        }
    }

    #[test]
    fn an_answer_has_one_key_a_line_when_pretty() {
        let reply = Reply::many(vec![Item::Integer(5), Item::text("a")]);
        assert_eq!(
            result(Some(json!(1)), reply.clone(), true, true),
            "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[5, \"a\"],\n\t\"id\":\t1\n}\n"
        );
        assert_eq!(result(None, reply, false, false), r#"{"jsonrpc":"2.0","result":"a"}"#);
        assert_eq!(error(None, &Fault::new(404, "No"), false), r#"{"jsonrpc":"2.0","error":{"code":404,"message":"No"}}"#);
    }
}
