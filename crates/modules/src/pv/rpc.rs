//! RPC commands on shared variables: `pv.shvGet`, `pv.shvSet`.

use std::borrow::Cow;

use script::value::{Text, Value};

use crate::rpc::{Fault, Item, Parameters, Reply};
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
    if let Some(name) = parameters.text_or_none() {
        let value = shared.find(&name).ok_or_else(not_found)?;
        return Ok(Reply::one(structure(&Text::from(name), &value)));
    }
    // Each variable is a field of the same name.
    let items = shared.all().iter().map(|(name, value)| (Cow::Borrowed("shv"), structure(name, value))).collect();
    Ok(Reply::one(Item::Structure(vec![(Cow::Borrowed("items"), Item::Structure(items))])))
}

/// `pv.shvSet name type value`: type `int` or `str`; only a variable that exists.
pub(super) fn set(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let missing = |what: &str| Fault::new(500, format!("Missing {what} (Parameters: varname type value)"));
    let name = parameters.text().map_err(|_| missing("parameter varname"))?;
    let kind = parameters.text().map_err(|_| missing("parameter type"))?;
    let value = match kind.as_slice() {
        b"int" => Value::Integer(parameters.integer().map_err(|_| missing("integer parameter value"))?),
        b"str" => Value::text(parameters.text().map_err(|_| missing("parameter value"))?),
        _ => return Err(Fault::new(500, "Unknown parameter type (Types: int or str)")),
    };
    let shared = &worker.node.states.pv.shared;
    shared.find(&name).ok_or_else(not_found)?;
    shared.set(&name, value).map_err(|error| Fault::new(500, error))?;
    Ok(Reply::one(Item::text("Ok. Variable set to new value.")))
}
