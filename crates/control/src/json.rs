//! The JSON-RPC 2.0 wire format as Kamailio's `jsonrpcs` speaks it (spec proxy-core 13.1, 13.2).

use modules::rpc::{Fault, Item, Parameter, Parameters, Reply, Wire};
use serde_json::{Map, Value, json};

use crate::Caller;

/// A request taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub method: String,
    pub parameters: Vec<Parameter>,
    pub id: Option<Value>,
    /// FIFO only: where the answer is written.
    pub reply_name: Option<String>,
}

/// The answer and the HTTP status that goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub text: String,
    pub http_status: u16,
    pub http_reason: String,
}

/// Reads a request; the error is a JSON-RPC error code with its message.
pub fn decode(text: &[u8]) -> Result<Request, (i32, &'static str)> {
    let value: Value = serde_json::from_slice(text).map_err(|_| (-32700, "Parse Error"))?;
    let Value::Object(object) = value else { return Err((-32600, "Invalid Request")) };
    let method = match object.get("method") {
        Some(Value::String(method)) => method.clone(),
        _ => return Err((-32600, "Invalid Request")),
    };
    let parameters = match object.get("params") {
        Some(Value::Array(values)) => values.iter().map(parameter).collect(),
        Some(Value::Object(named)) => named.values().map(parameter).collect(),
        _ => Vec::new(),
    };
    let reply_name = object.get("reply_name").and_then(Value::as_str).map(str::to_owned);
    Ok(Request { method, parameters, id: object.get("id").cloned(), reply_name })
}

fn parameter(value: &Value) -> Parameter {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Parameter::Integer(integer),
            None => Parameter::Double(number.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => Parameter::Text(text.clone().into_bytes()),
        Value::Bool(is_true) => Parameter::Integer(i64::from(*is_true)),
        other => Parameter::Text(other.to_string().into_bytes()),
    }
}

/// Runs a request and writes its answer.
pub fn answer(caller: &dyn Caller, text: &[u8], is_pretty: bool) -> Answer {
    match decode(text) {
        Err((code, message)) => error(None, code, message, is_pretty),
        Ok(request) => answer_request(caller, &request, is_pretty),
    }
}

/// Runs a request that was read and writes its answer.
pub fn answer_request(caller: &dyn Caller, request: &Request, is_pretty: bool) -> Answer {
    let id = request.id.clone();
    let Some(is_array) = caller.is_array(&request.method) else { return error(id, 500, "Method Not Found", is_pretty) };
    let mut parameters = Parameters::new(Wire::Json, request.parameters.clone());
    match caller.call(&request.method, &mut parameters) {
        Ok(reply) => {
            let mut object = Map::new();
            object.insert("jsonrpc".to_owned(), json!("2.0"));
            object.insert("result".to_owned(), result(reply, is_array));
            if let Some(id) = id {
                object.insert("id".to_owned(), id);
            }
            Answer { text: write(&Value::Object(object), is_pretty), http_status: 200, http_reason: "OK".to_owned() }
        }
        Err(Fault { code: 0, .. }) => error(id, -32000, "Execution Error", is_pretty),
        Err(Fault { code, text }) => error(id, code, &text, is_pretty),
    }
}

/// All items as an array, or the last one; nothing gives `{}`.
fn result(reply: Reply, is_array: bool) -> Value {
    let mut items = reply.items;
    if is_array {
        return Value::Array(items.into_iter().map(value).collect());
    }
    items.pop().map_or_else(|| Value::Object(Map::new()), value)
}

fn value(item: Item) -> Value {
    match item {
        Item::Integer(number) | Item::Long(number) => json!(number),
        Item::Double(number) => json!(number),
        Item::Text(text) => Value::String(String::from_utf8_lossy(&text).into_owned()),
        Item::Null => Value::Null,
        Item::Structure(fields) => {
            // Names may repeat (profiles); the last one wins, as in any JSON reader.
            let mut object = Map::new();
            for (name, field) in fields {
                object.insert(name.into_owned(), value(field));
            }
            Value::Object(object)
        }
        Item::Array(items) => Value::Array(items.into_iter().map(value).collect()),
    }
}

fn error(id: Option<Value>, code: i32, message: &str, is_pretty: bool) -> Answer {
    let mut object = Map::new();
    object.insert("jsonrpc".to_owned(), json!("2.0"));
    object.insert("error".to_owned(), json!({ "code": code, "message": message }));
    if let Some(id) = id {
        object.insert("id".to_owned(), id);
    }
    let http_status = u16::try_from(code).ok().filter(|code| (101..1000).contains(code)).unwrap_or(500);
    Answer { text: write(&Value::Object(object), is_pretty), http_status, http_reason: message.to_owned() }
}

/// `pretty_format=1`: tab-indented, a tab between key and value, arrays of scalars on one line.
fn write(value: &Value, is_pretty: bool) -> String {
    if !is_pretty {
        return value.to_string();
    }
    let mut out = String::new();
    write_pretty(value, 0, &mut out);
    out.push('\n');
    out
}

fn write_pretty(value: &Value, depth: usize, out: &mut String) {
    let indent = |out: &mut String, depth: usize| out.extend(std::iter::repeat_n('\t', depth));
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str("{\n}"),
        Value::Object(fields) => {
            out.push_str("{\n");
            for (number, (name, field)) in fields.iter().enumerate() {
                indent(out, depth + 1);
                out.push_str(&Value::String(name.clone()).to_string());
                out.push_str(":\t");
                write_pretty(field, depth + 1, out);
                out.push_str(if number + 1 < fields.len() { ",\n" } else { "\n" });
            }
            indent(out, depth);
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                write_pretty(item, depth + 1, out);
                if number + 1 < items.len() {
                    out.push_str(", ");
                }
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    impl Caller for Echo {
        fn call(&self, name: &str, parameters: &mut Parameters) -> Result<Reply, Fault> {
            match name {
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
                        })
                        .collect(),
                )),
            }
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
        answer(&Echo, request.as_bytes(), false).text
    }

    #[test]
    fn an_array_command_answers_all_items_and_others_the_last() {
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"echo","params":[5,"a"],"id":1}"#), r#"{"jsonrpc":"2.0","result":[5,"a"],"id":1}"#);
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"last","params":[5,"a"],"id":"x"}"#), r#"{"jsonrpc":"2.0","result":"a","id":"x"}"#);
        assert_eq!(compact(r#"{"jsonrpc":"2.0","method":"nothing"}"#), r#"{"jsonrpc":"2.0","result":{}}"#);
    }

    #[test]
    fn faults_and_unknown_methods_are_error_objects() {
        assert_eq!(compact(r#"{"method":"fail","id":2}"#), r#"{"jsonrpc":"2.0","error":{"code":404,"message":"Not found"},"id":2}"#);
        let unknown = answer(&Echo, br#"{"method":"no.such","id":3}"#, false);
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
        let text = answer(&Echo, br#"{"method":"echo","params":[1,2],"id":7}"#, true).text;
        assert_eq!(text, "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[1, 2],\n\t\"id\":\t7\n}\n");
    }
}
