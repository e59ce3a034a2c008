//! JSON-RPC 2.0 as text: requests taken apart, answers written (spec proxy-core 13.1, 13.2). One piece for every door.

use serde_json::{Value, json};

use crate::rpc::{Fault, Item, Parameter, Reply};

/// A request taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub parameters: Vec<Parameter>,
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

/// Reads a request; the fault carries a JSON-RPC error code.
pub fn decode(text: &[u8]) -> Result<Request, Fault> {
    let value: Value = serde_json::from_slice(text).map_err(|_| Fault::new(-32_700, "Parse Error"))?;
    let invalid = || Fault::new(-32_600, "Invalid Request");
    let object = value.as_object().ok_or_else(invalid)?;
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid());
    }
    let method = object.get("method").and_then(Value::as_str).ok_or_else(invalid)?.to_owned();
    let parameters = match object.get("params") {
        Some(Value::Array(values)) => values.iter().map(parameter).collect(),
        Some(Value::Object(named)) => named.values().map(parameter).collect(),
        _ => Vec::new(),
    };
    let reply_name = object.get("reply_name").and_then(Value::as_str).map(str::to_owned);
    let wants_file = object.contains_key("store_path");
    Ok(Request { method, parameters, id: object.get("id").cloned(), reply_name, wants_file })
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

fn envelope(name: &'static str, content: Item, id: Option<Value>, is_pretty: bool) -> String {
    let mut writer = Writer { out: String::new(), is_pretty };
    writer.begin();
    writer.field(1, true, "jsonrpc");
    writer.out.push_str("\"2.0\"");
    writer.field(1, false, name);
    writer.item(&content, 1);
    if let Some(id) = id {
        writer.field(1, false, "id");
        writer.out.push_str(&id.to_string());
    }
    writer.end(0);
    if is_pretty {
        writer.out.push('\n');
    }
    writer.out
}

/// Writes items; a structure may have several fields of one name. Pretty: tab-indented, a tab between key and value, arrays
/// inside one line.
struct Writer {
    out: String,
    is_pretty: bool,
}

impl Writer {
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
        self.out.push_str(&Value::from(text).to_string());
    }

    fn item(&mut self, item: &Item, depth: usize) {
        match item {
            Item::Integer(number) | Item::Long(number) => self.out.push_str(&number.to_string()),
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
                for (number, value) in items.iter().enumerate() {
                    if number > 0 {
                        self.out.push_str(if self.is_pretty { ", " } else { "," });
                    }
                    self.item(value, depth + 1);
                }
                self.out.push(']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_method_parameters_and_id() {
        let request = decode(br#"{"jsonrpc":"2.0","method":"a.b","params":{"x":1,"y":"t"},"id":"n"}"#);
        let wanted = Request {
            method: "a.b".to_owned(),
            parameters: vec![Parameter::Integer(1), Parameter::Text(b"t".to_vec())],
            id: Some(json!("n")),
            reply_name: None,
            wants_file: false,
        };
        assert_eq!(request, Ok(wanted));
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
