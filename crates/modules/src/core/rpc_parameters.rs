//! RPC commands `modparam.*` (6.x): parameters of the loaded modules.

use script::exports::{Parameter, ParameterKind};
use script::syntax::ast::Literal;

use super::rpc::field;
use crate::registry;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

fn word(kind: ParameterKind) -> &'static str {
    match kind {
        ParameterKind::Integer => "int",
        ParameterKind::Any => "any",
        _ => "string",
    }
}

/// `modparam.list [module]`: names and kinds by module.
pub(super) fn list(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let wanted = parameters.text_or_none();
    let modules = worker
        .node
        .loaded
        .modules
        .iter()
        .filter(|module| !module.parameters.is_empty() && wanted.as_ref().is_none_or(|wanted| *wanted == module.name.as_bytes()));
    let one = |parameter: &Parameter| {
        Item::Structure(vec![field("name", Item::text(parameter.name)), field("type", Item::text(word(parameter.kind)))])
    };
    let items = modules.map(|module| {
        let parameters = module.parameters.iter().map(one).collect();
        Item::Structure(vec![field("name", Item::text(module.name)), field("params", Item::Array(parameters))])
    });
    Ok(Reply::many(items.collect()))
}

/// The module and parameter a call names.
fn named(worker: &Worker, parameters: &mut Parameters) -> Result<(String, &'static Parameter), Fault> {
    let missing = |_| Fault::new(400, "Module and parameter name expected");
    let module = String::from_utf8_lossy(&parameters.text().map_err(missing)?).into_owned();
    let name = String::from_utf8_lossy(&parameters.text().map_err(missing)?).into_owned();
    match registry::parameter(&module, &name) {
        Some(parameter) if worker.has_module(&module) => Ok((module, parameter)),
        _ => Err(Fault::new(404, "Module parameter not found")),
    }
}

/// `modparam.getn module name`: an integer.
pub(super) fn integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (module, parameter) = named(worker, parameters)?;
    if parameter.kind != ParameterKind::Integer {
        return Err(Fault::new(400, "The module parameter is no integer"));
    }
    let now = crate::cfg_rpc::integer(&worker.node, &module, parameter.name);
    Ok(Reply::one(Item::Integer(now.unwrap_or_else(|| worker.node.settings.integer(&module, parameter.name)))))
}

/// `modparam.gets module name`: a text; null when it is not set.
pub(super) fn text(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (module, parameter) = named(worker, parameters)?;
    if parameter.kind == ParameterKind::Integer {
        return Err(Fault::new(400, "The module parameter is no string"));
    }
    Ok(Reply::one(worker.node.settings.text(&module, parameter.name).map_or(Item::Null, Item::text)))
}

/// `modparam.setn module name value`: an integer that can change at run time, as `cfg.seti` does.
pub(super) fn set_integer(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (module, parameter) = named(worker, parameters)?;
    let value = parameters.integer().map_err(|_| Fault::new(400, "Integer value expected"))?;
    if crate::cfg_rpc::set(&worker.node, &module, parameter.name, Literal::Integer(value)) {
        Ok(Reply::empty())
    } else {
        Err(Fault::new(400, "The module parameter cannot be set at run time to this value"))
    }
}
