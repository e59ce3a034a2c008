//! RPC commands `system.*` and `core.*` that need no more than the program (spec proxy-core 14.1).

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use crate::outbox::Effect;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// What the product calls itself in RPC answers.
pub const NAME: &str = "duolog";
/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds a structure field.
pub(super) fn field(name: &'static str, item: Item) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), item)
}

pub(super) fn list_methods(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::many(worker.node.loaded.commands().into_iter().map(|command| Item::text(command.name)).collect()))
}

pub(super) fn method_help(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let name = parameters.text().map_err(|_| Fault::new(400, "Method Name Expected"))?;
    let commands = worker.node.loaded.commands();
    let Some(command) = commands.iter().find(|command| command.name.as_bytes() == name) else {
        return Err(Fault::new(400, "command not found"));
    };
    let help = if command.help.is_empty() { "undocumented" } else { command.help };
    Ok(Reply::one(Item::text(help)))
}

pub(super) fn method_signature(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "Not Implemented Yet"))
}

pub(super) fn version(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::text(format!("{NAME} {VERSION}"))))
}

const FLAGS: &str = "USE_TCP, USE_TLS, RUST";

pub(super) fn flags(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::text(FLAGS)))
}

pub(super) fn info(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::Structure(vec![
        field("version", Item::text(format!("{NAME} {VERSION}"))),
        field("id", Item::text(VERSION)),
        field("compiler", Item::text("rustc")),
        field("compiled", Item::text("")),
        field("flags", Item::text(FLAGS)),
    ])))
}

/// `core.echo`: the parameters as texts.
pub(super) fn echo(_worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    parameters.each(|parameters| parameters.text_converted().map(Item::Text))
}

/// `core.prints`: the parameters while they are texts.
pub(super) fn print_texts(_worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    parameters.each(|parameters| parameters.text().map(Item::Text))
}

/// `core.printi`: the parameters while they are integers.
pub(super) fn print_integers(_worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    parameters.each(|parameters| parameters.integer().map(Item::Integer))
}

/// Default signal of `core.kill`: SIGTERM.
const SIGNAL_TERMINATE: i64 = 15;

pub(super) fn kill(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let signal = parameters.integer().unwrap_or(SIGNAL_TERMINATE);
    let signal = i32::try_from(signal).map_err(|_| Fault::new(400, "Invalid signal"))?;
    worker.node.states.core.stop_signal.store(signal, Ordering::Relaxed);
    worker.outbox.effects.push(Effect::Stop);
    Ok(Reply::empty())
}

pub(super) fn modules(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let names = worker.node.settings.loaded().iter().rev();
    Ok(Reply::many(names.map(Item::text).collect()))
}

pub(super) fn defines(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::many(worker.node.defines.iter().map(|(name, _)| Item::text(name)).collect()))
}

pub(super) fn defines_full(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let one = |(name, value): &(String, Option<script::value::Text>)| {
        Item::Structure(vec![
            field("name", Item::text(name)),
            field("type", Item::Integer(0)),
            field("value", value.as_ref().map_or_else(|| Item::text("none"), Item::text)),
        ])
    };
    Ok(Reply::many(worker.node.defines.iter().map(one).collect()))
}
