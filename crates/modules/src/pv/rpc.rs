//! RPC commands on shared variables: `pv.shvGet`, `pv.shvSet`.

use std::borrow::Cow;

use script::value::{Text, Value};

use crate::rpc::{Fault, Item, Parameter, Parameters, Reply};
use crate::worker::Worker;

fn not_found() -> Fault {
    Fault::new(404, "Variable not found")
}

fn structure(name: &Text, value: &Value) -> Item {
    let (kind, item) = match value {
        Value::Integer(number) => ("int", Item::Integer(*number)),
        other => ("string", Item::text(other.to_text())),
    };
    Item::Structure(vec![
        (Cow::Borrowed("name"), Item::text(name)),
        (Cow::Borrowed("type"), Item::text(kind)),
        (Cow::Borrowed("value"), item),
    ])
}

pub(super) fn get(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let shared = &worker.node.states.pv.shared;
    if let Some(name) = parameters.text_if_given()? {
        let value = shared.find(&name).ok_or_else(not_found)?;
        return Ok(Reply::one(structure(&Text::from(name), &value)));
    }
    let items = shared.all().iter().map(|(name, value)| Item::Structure(vec![(Cow::Borrowed("shv"), structure(name, value))])).collect();
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("items"), Item::Array(items))])))
}

/// `pv.shvSet name type value`: type `int` or `str`; only a variable that exists.
pub(super) fn set(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let name = parameters.text_converted()?;
    let kind = parameters.text_converted()?;
    let shared = &worker.node.states.pv.shared;
    shared.find(&name).ok_or_else(not_found)?;
    let given = parameters.any().ok_or_else(|| Fault::new(400, "Value missing"))?;
    let is_integer = kind.eq_ignore_ascii_case(b"int") || kind.eq_ignore_ascii_case(b"i");
    let value = match given {
        Parameter::Integer(number) if is_integer => Value::Integer(number),
        Parameter::Text(text) if is_integer => {
            Value::Integer(script::value::parse_integer(&text).ok_or_else(|| Fault::new(400, "Value is not an integer"))?)
        }
        Parameter::Double(number) if is_integer => Value::Integer(number as i64),
        Parameter::Integer(number) => Value::text(number.to_string()),
        Parameter::Double(number) => Value::text(number.to_string()),
        Parameter::Text(text) => Value::text(text),
    };
    shared.set(&name, value).map_err(|error| Fault::new(500, error))?;
    Ok(Reply::one(Item::text("Ok. Variable set to new value.")))
}
