//! What somebody's own binary adds to the proxy: observers of dialogs, and modules with functions, variables and commands.

use std::sync::Arc;

use dialog::Observer;
use dialog::limits::OBSERVERS_MAX;
use modules::node::Node;
use modules::registry::Module;

/// Additions to the proxy; none by default.
#[derive(Default)]
pub struct Extension {
    /// Told of every dialog; those that come later here are told first. [`OBSERVERS_MAX`] at most.
    pub observers: Vec<Arc<dyn Observer>>,
    /// There without `loadmodule`. Their names have to be their own: those of loaded modules are found first. Parameters are
    /// not looked at, so `modparam` does not know them.
    pub modules: Vec<&'static Module>,
}

impl Extension {
    /// Adds the observers to a node before it serves.
    pub(crate) fn join(&self, node: &Node) -> Result<(), String> {
        let is_taken = self.observers.iter().all(|observer| node.dialogs.observe(Arc::clone(observer)));
        if is_taken { Ok(()) } else { Err(format!("ERROR: {} observers of dialogs, {OBSERVERS_MAX} can be", self.observers.len())) }
    }
}
