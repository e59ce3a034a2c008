//! The `pv` module: the variables of messages, network, time and lists, and functions on lists (spec cfg-language 11.3).

mod address;
mod answer;
mod branch;
mod credentials;
mod exports;
mod flags;
mod functions;
mod header;
mod identity;
mod list_functions;
mod lists;
mod message;
mod network;
mod process;
mod rpc;
mod script_variables;
mod shared;
mod time;
mod uri;
mod via;

pub use exports::MODULE;
pub use shared::Shared;

use script::value::{Text, Value};

use crate::run::Target;
use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    /// `$shv`.
    pub shared: Shared,
    /// First values of `$var`, from the parameter `varset`.
    initial_variables: Vec<(Text, Value)>,
    /// Aliases of avp names: alias, name.
    aliases: Vec<(Text, Text)>,
}

impl State {
    /// Reads the module's parameters.
    pub fn start(settings: &Settings, _program: &script::Program<Worker>) -> Result<State, String> {
        let state = State {
            initial_variables: script_variables::definitions("varset", &settings.texts("pv", "varset"))?,
            aliases: lists::aliases(&settings.texts("pv", "avp_aliases"))?,
            ..State::default()
        };
        for (name, value) in script_variables::definitions("shvset", &settings.texts("pv", "shvset"))? {
            state.shared.set(&name, value)?;
        }
        Ok(state)
    }
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// `$sbranch`: a branch being assembled.
    static_branch: Target,
    /// Parts of From and To that were assigned.
    from: address::Assigned,
    to: address::Assigned,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.static_branch = Target::default();
        self.from = address::Assigned::default();
        self.to = address::Assigned::default();
    }
}

/// The non-empty elements of a comma list; commas in quotes and angle brackets do not count.
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    sip::scan::Elements::new(value)
}

/// Reads a variable given by its text, as `$avp(x)` or `avp(x)`; null when it does not parse.
pub fn read_text(worker: &mut Worker, text: &[u8]) -> Value {
    match parse(worker, text) {
        Ok(reference) => script::exports::Evaluate::read(worker, &reference),
        Err(error) => {
            worker.log(-1, "pv", &error);
            Value::Null
        }
    }
}

/// Parses a variable given by its text, with or without `$`.
pub fn parse(worker: &Worker, text: &[u8]) -> Result<script::variable::Reference, String> {
    let dictionary = script::variable::Known(&worker.node.loaded);
    if text.first() == Some(&b'$') {
        return script::variable::parse(text, &dictionary);
    }
    script::variable::parse(&[b"$", text].concat(), &dictionary)
}

#[cfg(test)]
mod tests;
