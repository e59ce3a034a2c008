//! From a configuration file to a node: load, compile, start every module, make the tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use modules::core_settings::CoreSettings;
use modules::node::{Node, Process, States};
use modules::registry::{Known, Loaded, Module};
use modules::settings::Settings;
use modules::sockets::Sockets;
use script::diagnostic::{Diagnostic, render_all};
use script::load::LoadOptions;
use script::source::{Files, Sources};
use script::syntax::ast::{Configuration, Literal, ModuleParameter};
use script::value::Text;
use sip::time::Now;
use transaction::{SecretKey, Table};

/// Shards of the transaction table.
const TRANSACTION_SHARDS: usize = 256;

/// A configuration that loads and compiles.
pub struct Checked {
    pub configuration: Configuration,
    pub sources: Sources,
    pub core: CoreSettings,
    pub settings: Settings,
    pub loaded: Loaded,
    pub program: script::Program<modules::Worker>,
    /// Warnings and notes, rendered.
    pub warnings: String,
}

/// Why a start stops. The text is complete: place, reason, remedy.
#[derive(Debug)]
pub enum StartError {
    /// The configuration has errors.
    Configuration(String),
    /// A module refuses its parameters.
    Module(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StartError::Configuration(text) => formatter.write_str(text),
            StartError::Module(text) => write!(formatter, "module start failed: {text}"),
        }
    }
}

/// Loads and compiles a configuration: everything `-c` checks.
pub fn check(path: &str, files: &mut dyn Files, options: &LoadOptions) -> Result<Checked, StartError> {
    check_with(path, files, options, &[])
}

/// The same for a proxy that has modules of its own: their functions, variables, commands and statistics are there without
/// `loadmodule`.
pub fn check_with(path: &str, files: &mut dyn Files, options: &LoadOptions, own: &[&'static Module]) -> Result<Checked, StartError> {
    let loaded_file = script::load::load(path, files, options, &Known).map_err(|failure| StartError::Configuration(failure.to_string()))?;
    let mut configuration = loaded_file.configuration;
    read_record_files(&mut configuration, files)?;
    let names: Vec<String> = configuration.modules.iter().map(|module| module.name.clone()).collect();
    let settings = Settings::new(names.clone(), &configuration.module_parameters).with_groups(&configuration.custom_parameters);
    let loaded = Loaded::new(&names).with(own).examining(settings.clone());
    let compiled = script::compile::compile(&configuration, &loaded_file.sources, Arc::new(loaded.clone()))
        .map_err(|errors| StartError::Configuration(render(&errors, &loaded_file.sources)))?;
    let mut warnings = loaded_file.warnings;
    warnings.extend(compiled.warnings);
    Ok(Checked {
        core: CoreSettings::new(&configuration.parameters),
        settings,
        warnings: render_all(&warnings, &loaded_file.sources),
        sources: loaded_file.sources,
        program: compiled.program,
        configuration,
        loaded,
    })
}

/// The records in each `dns_file` of corex become values of its `dns_cache`.
fn read_record_files(configuration: &mut Configuration, files: &mut dyn Files) -> Result<(), StartError> {
    let mut read = Vec::new();
    for parameter in &configuration.module_parameters {
        if (parameter.module.as_str(), parameter.name.as_str()) != ("corex", "dns_file") {
            continue;
        }
        let Literal::Text(path) = &parameter.value else { continue };
        let bytes = files
            .read(&path.to_string())
            .map_err(|error| StartError::Configuration(format!("corex: dns_file {path} cannot be read: {error}")))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        read.extend(modules::dns::lines(&text).map(|line| ModuleParameter {
            name: "dns_cache".to_owned(),
            value: Literal::Text(Text::from(line)),
            ..parameter.clone()
        }));
    }
    configuration.module_parameters.extend(read);
    Ok(())
}

fn render(errors: &[Diagnostic], sources: &Sources) -> String {
    format!("{}bad config file ({} errors)\n", render_all(errors, sources), errors.len())
}

/// What the server adds to a checked configuration.
pub struct Prepared {
    pub checked: Checked,
    pub sockets: Sockets,
    pub process: Process,
    pub environment: BTreeMap<String, String>,
}

/// Starts every module and makes the tables.
pub fn start(prepared: Prepared, now: Now) -> Result<Node, StartError> {
    let Prepared { checked, sockets, process, environment } = prepared;
    let mut states = States::start(&checked.settings, &checked.program).map_err(StartError::Module)?;
    states.cfg_rpc.custom_presets = checked.configuration.custom_parameters.clone();
    let key = secret_key(&process.secret);
    let dialogs = modules::dialog::engine(&checked.settings, checked.core.server_id, &process, now).map_err(StartError::Module)?;
    Ok(Node {
        program: checked.program,
        core: checked.core,
        settings: checked.settings,
        loaded: checked.loaded,
        sockets,
        transactions: Table::new(key, TRANSACTION_SHARDS, now.time),
        dialogs,
        custom: Mutex::new(checked.configuration.custom_parameters),
        defines: checked.configuration.defines,
        environment,
        process,
        states,
    })
}

fn secret_key(secret: &[u8; 32]) -> SecretKey {
    let half =
        |range: std::ops::Range<usize>| secret.get(range).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()).map_or(0, u64::from_le_bytes);
    SecretKey(half(0..8), half(8..16))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration and a file of records.
    struct Two;

    impl Files for Two {
        fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
            match path {
                "proxy.cfg" => Ok(configuration("records").into_bytes()),
                "missing.cfg" => Ok(configuration("nowhere").into_bytes()),
                path if path.ends_with("records") => {
                    Ok(b"# hosts\ntype=A;name=a.test;addr=192.0.2.1\n\ntype=A;name=b.test;addr=192.0.2.2\n".to_vec())
                }
                _ => Err("no such file".to_owned()),
            }
        }

        fn environment(&self, _: &str) -> Option<String> {
            None
        }
    }

    fn configuration(records: &str) -> String {
        format!("loadmodule \"corex\"\nmodparam(\"corex\", \"dns_file\", \"{records}\")\nrequest_route {{\ndrop;\n}}\n")
    }

    #[test]
    fn the_records_of_a_dns_file_count_as_dns_cache() {
        let Ok(checked) = check("proxy.cfg", &mut Two, &LoadOptions::default()) else { panic!("the configuration is right") };
        let records: Vec<String> = checked.settings.texts("corex", "dns_cache").iter().map(ToString::to_string).collect();
        assert_eq!(records, ["type=A;name=a.test;addr=192.0.2.1", "type=A;name=b.test;addr=192.0.2.2"]);
        assert!(States::start(&checked.settings, &checked.program).is_ok());
    }

    #[test]
    fn a_dns_file_that_cannot_be_read_stops_the_start() {
        let Err(error) = check("missing.cfg", &mut Two, &LoadOptions::default()) else { panic!("it starts") };
        assert!(error.to_string().contains("dns_file nowhere cannot be read: no such file"), "{error}");
    }
}
