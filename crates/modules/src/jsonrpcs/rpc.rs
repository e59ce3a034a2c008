//! RPC commands of `jsonrpcs`.

use crate::rpc::{Fault, Item, Parameter, Parameters, Reply};
use crate::worker::Worker;

/// `jsonrpc.echo`: the parameters, each with its type.
pub(super) fn echo(_worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let mut items = Vec::new();
    while let Some(parameter) = parameters.any() {
        items.push(match parameter {
            Parameter::Integer(number) => Item::Integer(number),
            Parameter::Double(number) => Item::Double(number),
            Parameter::Text(text) => Item::Text(text),
        });
    }
    Ok(Reply::many(items))
}
