//! The modules that exist, what each declares, and the catalogue of those a configuration has loaded.

use std::sync::Arc;

use script::exports::{Argument, Parameter, ParameterKind, Refusal};

use crate::literals::{Check, Literals};
use crate::node::Node;
use crate::rpc::Command;
use crate::settings::Settings;
use crate::worker::Worker;

/// A script function that runs on a worker.
pub type Function = script::exports::Function<Worker>;

/// A variable that is read from a worker.
pub type Variable = script::exports::Variable<Worker>;

/// What a module declares, once (invariant A10).
pub struct Module {
    pub name: &'static str,
    /// What is examined of calls while the configuration is loaded.
    pub checks: &'static [Check],
    pub functions: &'static [Function],
    pub variables: &'static [Variable],
    pub parameters: &'static [Parameter],
    pub commands: &'static [Command],
    pub statistics: &'static [Statistic],
    pub events: &'static [&'static str],
}

/// A statistic `group:name`, read where it is kept.
pub struct Statistic {
    pub group: &'static str,
    pub name: &'static str,
    pub read: fn(&Node) -> i64,
    /// None: resets are ignored, as for gauges.
    pub reset: Option<fn(&Node)>,
}

impl Statistic {
    /// A gauge.
    pub const fn new(group: &'static str, name: &'static str, read: fn(&Node) -> i64) -> Statistic {
        Statistic { group, name, read, reset: None }
    }

    /// The same as a counter that can be set back to 0.
    pub const fn resettable(self, reset: fn(&Node)) -> Statistic {
        Statistic { reset: Some(reset), ..self }
    }
}

/// Every module, `core` first: it is always loaded.
pub static ALL: &[&Module] = &[
    &crate::core::MODULE,
    &crate::tm::MODULE,
    &crate::tmx::MODULE,
    &crate::sl::MODULE,
    &crate::rr::MODULE,
    &crate::maxfwd::MODULE,
    &crate::textops::MODULE,
    &crate::textopsx::MODULE,
    &crate::siputils::MODULE,
    &crate::sanity::MODULE,
    &crate::pv::MODULE,
    &crate::xlog::MODULE,
    &crate::kex::MODULE,
    &crate::corex::MODULE,
    &crate::cfgutils::MODULE,
    &crate::statistics::MODULE,
    &crate::counters::MODULE,
    &crate::htable::MODULE,
    &crate::ctl::MODULE,
    &crate::cfg_rpc::MODULE,
    &crate::jsonrpcs::MODULE,
    &crate::dialog::MODULE,
    &crate::uac::MODULE,
    &crate::sqlops::MODULE,
    &crate::db_sqlite::MODULE,
    &crate::db_postgres::MODULE,
    &crate::db_mysql::MODULE,
];

/// The module with this name.
pub fn module(name: &str) -> Option<&'static Module> {
    ALL.iter().copied().find(|module| module.name == name)
}

/// A module's parameter.
pub fn parameter(module_name: &str, name: &str) -> Option<&'static Parameter> {
    module(module_name)?.parameters.iter().find(|parameter| parameter.name == name)
}

/// The modules a configuration has loaded: where the compiler looks names up.
#[derive(Clone)]
pub struct Loaded {
    pub modules: Vec<&'static Module>,
    /// What literal arguments are examined against; None: they are not.
    settings: Option<Arc<Settings>>,
}

impl Loaded {
    /// `core`, then the named modules in order of loading.
    pub fn new(names: &[String]) -> Loaded {
        let mut modules: Vec<&'static Module> = vec![&crate::core::MODULE];
        modules.extend(names.iter().filter_map(|name| module(name)));
        Loaded { modules, settings: None }
    }

    /// The same with modules of an extended proxy: there without `loadmodule`, looked up after the others.
    pub fn with(mut self, own: &[&'static Module]) -> Loaded {
        self.modules.extend(own);
        self
    }

    /// The same, examining literal arguments against these parameters.
    pub fn examining(self, settings: Settings) -> Loaded {
        Loaded { settings: Some(Arc::new(settings)), ..self }
    }

    /// Is this module loaded?
    pub fn has(&self, name: &str) -> bool {
        self.modules.iter().any(|module| module.name == name)
    }

    /// Every RPC command, sorted by name.
    pub fn commands(&self) -> Vec<&'static Command> {
        let mut commands: Vec<&'static Command> = self.modules.iter().flat_map(|module| module.commands.iter()).collect();
        commands.sort_by_key(|command| command.name);
        commands
    }
}

fn accepts(function: &Function, arguments: usize) -> bool {
    (usize::from(function.arity.0)..=usize::from(function.arity.1)).contains(&arguments)
}

impl script::exports::Catalogue<Worker> for Loaded {
    fn function(&self, name: &str, arguments: usize) -> Option<&'static Function> {
        self.modules
            .iter()
            .flat_map(|module| module.functions.iter())
            .find(|function| function.name == name && accepts(function, arguments))
    }

    fn functions_named(&self, name: &str) -> Vec<(&'static str, &'static Function, bool)> {
        ALL.iter()
            .flat_map(|module| module.functions.iter().map(move |function| (module.name, function, self.has(module.name))))
            .filter(|(_, function, _)| function.name == name)
            .collect()
    }

    fn variable(&self, name: &str) -> Option<&'static Variable> {
        self.modules.iter().flat_map(|module| module.variables.iter()).find(|variable| variable.name == name)
    }

    fn home_of(&self, name: &str) -> Option<&'static str> {
        ALL.iter()
            .find(|module| {
                module.functions.iter().any(|function| function.name == name)
                    || module.variables.iter().any(|variable| variable.name == name)
            })
            .map(|module| module.name)
    }

    fn check(&self, function: &'static Function, arguments: &[Option<&Argument>]) -> Result<(), Refusal> {
        let Some(settings) = &self.settings else { return Ok(()) };
        let is_home = |module: &&&Module| module.functions.iter().any(|own| std::ptr::eq(own, function));
        let checks = self.modules.iter().find(is_home).map_or(&[][..], |module| module.checks);
        checks.iter().filter(|check| check.function == function.name).try_for_each(|check| (check.examine)(settings, Literals(arguments)))
    }

    fn names(&self) -> Vec<&'static str> {
        self.modules.iter().flat_map(|module| module.functions.iter().map(|function| function.name)).collect()
    }
}

/// What the front end asks while it reads `loadmodule` and `modparam`.
pub struct Known;

/// Modules of Kamailio that may be loaded and do nothing here: drivers and frameworks whose work is done elsewhere.
const ACCEPTED_WITHOUT_EFFECT: &[&str] = &["mi_fifo", "mi_rpc", "outbound"];

impl script::load::ModuleCatalogue for Known {
    fn module_exists(&self, name: &str) -> bool {
        module(name).is_some() || ACCEPTED_WITHOUT_EFFECT.contains(&name)
    }

    fn parameter(&self, module_name: &str, name: &str) -> Option<ParameterKind> {
        parameter(module_name, name).map(|parameter| parameter.kind)
    }

    fn known_modules(&self) -> Vec<&str> {
        ALL.iter().map(|module| module.name).collect()
    }

    fn parameters(&self, module_name: &str) -> Vec<&str> {
        module(module_name).map_or_else(Vec::new, |module| module.parameters.iter().map(|parameter| parameter.name).collect())
    }
}
