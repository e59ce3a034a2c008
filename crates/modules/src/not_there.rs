//! Names of Kamailio's modules that the modules here do not declare, each with the reason. COMPAT.md shows them.

/// A name the specification lists for a module we have.
pub struct NotThere {
    pub module: &'static str,
    pub name: &'static str,
    pub reason: &'static str,
}

const C_INTERFACE: &str = "door for other C modules, no script function";
const SCAN: &str = "the module's own symbol, no name for scripts";
const EMBEDDED: &str = "event name given to embedded languages only";

const REGISTRATION: &str = "no registering at other servers yet";

const fn name(module: &'static str, name: &'static str, reason: &'static str) -> NotThere {
    NotThere { module, name, reason }
}

/// Every one.
pub static NOT_THERE: &[NotThere] = &[
    name("tm", "tm:continue", EMBEDDED),
    name("tm", "tm:local-response-sent", EMBEDDED),
    name("tmx", "bind_tmx", C_INTERFACE),
    name("tmx", "tmx:continue", EMBEDDED),
    name("sl", "bind_sl", C_INTERFACE),
    name("rr", "load_rr", C_INTERFACE),
    name("maxfwd", "bind_maxfwd", C_INTERFACE),
    name("textops", "bind_textops", C_INTERFACE),
    name("textopsx", "bind_textopsx", C_INTERFACE),
    name("siputils", "bind_siputils", C_INTERFACE),
    name("sanity", "bind_sanity", C_INTERFACE),
    name("kex", "bind_kex", C_INTERFACE),
    name("cfgutils", "bind_cfgutils", C_INTERFACE),
    name("counters", "counters", SCAN),
    name("htable", "bind_htable", C_INTERFACE),
    name("ctl", "ctl", SCAN),
    name("jsonrpcs", "jsonrpcs", SCAN),
    name("uac", "bind_uac", C_INTERFACE),
    name("uac", "uac_reg_disable", REGISTRATION),
    name("uac", "uac_reg_enable", REGISTRATION),
    name("uac", "uac_reg_lookup", REGISTRATION),
    name("uac", "uac_reg_lookup_uri", REGISTRATION),
    name("uac", "uac_reg_refresh", REGISTRATION),
    name("uac", "uac_reg_request_to", REGISTRATION),
    name("uac", "uac_reg_send_register", REGISTRATION),
    name("uac", "uac_reg_send_unregister", REGISTRATION),
    name("uac", "uac_reg_status", REGISTRATION),
    name("uac", "default_socket", REGISTRATION),
    name("uac", "reg_active", REGISTRATION),
    name("uac", "reg_contact_addr", REGISTRATION),
    name("uac", "reg_db_table", REGISTRATION),
    name("uac", "reg_db_url", REGISTRATION),
    name("uac", "reg_gc_interval", REGISTRATION),
    name("uac", "reg_hash_size", REGISTRATION),
    name("uac", "reg_keep_callid", REGISTRATION),
    name("uac", "reg_random_delay", REGISTRATION),
    name("uac", "reg_retry_interval", REGISTRATION),
    name("uac", "reg_timer_interval", REGISTRATION),
    name("uac", "reg_use_domain", REGISTRATION),
    name("uac", "reload_delta", REGISTRATION),
    name("db_mysql", "db_ctx", C_INTERFACE),
    name("db_mysql", "db_con", C_INTERFACE),
    name("db_mysql", "db_uri", C_INTERFACE),
    name("db_mysql", "db_cmd", C_INTERFACE),
    name("db_mysql", "db_put", C_INTERFACE),
    name("db_mysql", "db_del", C_INTERFACE),
    name("db_mysql", "db_get", C_INTERFACE),
    name("db_mysql", "db_upd", C_INTERFACE),
    name("db_mysql", "db_sql", C_INTERFACE),
    name("db_mysql", "db_res", C_INTERFACE),
    name("db_mysql", "db_fld", C_INTERFACE),
    name("db_mysql", "db_first", C_INTERFACE),
    name("db_mysql", "db_next", C_INTERFACE),
    name("db_mysql", "db_setopt", C_INTERFACE),
    name("db_mysql", "db_getopt", C_INTERFACE),
    name("db_mysql", "db_bind_api", C_INTERFACE),
    name("db_mysql", "db_mysql", SCAN),
    name("db_postgres", "db_ctx", C_INTERFACE),
    name("db_postgres", "db_con", C_INTERFACE),
    name("db_postgres", "db_uri", C_INTERFACE),
    name("db_postgres", "db_cmd", C_INTERFACE),
    name("db_postgres", "db_put", C_INTERFACE),
    name("db_postgres", "db_del", C_INTERFACE),
    name("db_postgres", "db_get", C_INTERFACE),
    name("db_postgres", "db_upd", C_INTERFACE),
    name("db_postgres", "db_sql", C_INTERFACE),
    name("db_postgres", "db_res", C_INTERFACE),
    name("db_postgres", "db_fld", C_INTERFACE),
    name("db_postgres", "db_first", C_INTERFACE),
    name("db_postgres", "db_next", C_INTERFACE),
    name("db_postgres", "db_setopt", C_INTERFACE),
    name("db_postgres", "db_getopt", C_INTERFACE),
    name("db_postgres", "db_bind_api", C_INTERFACE),
    name("db_postgres", "db_postgres", SCAN),
    name("db_sqlite", "db_bind_api", C_INTERFACE),
    name("db_sqlite", "db_sqlite", SCAN),
    name("sqlops", "bind_sqlops", C_INTERFACE),
    name("dialog", "load_dlg", "door for other C modules; here the observers of docs/building-on-dialogs.md"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::NOT_THERE;
    use crate::registry::{ALL, Module};

    fn declares(module: &Module, name: &str) -> bool {
        module.functions.iter().any(|function| function.name == name)
            || module.parameters.iter().any(|parameter| parameter.name == name)
            || module.variables.iter().any(|variable| variable.name == name)
            || module.events.contains(&name)
    }

    /// The specification's table of names, when it lies beside the project: module and name of each line.
    fn table(kind: &str) -> Vec<(String, String)> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../../shared/spec/kamailio-{kind}.tsv"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line =
            |line: &str| line.split_once('\t').map(|(module, rest)| (module.to_owned(), rest.split('\t').next().unwrap_or("").to_owned()));
        text.lines().filter_map(line).filter(|(module, _)| module != "module").collect()
    }

    #[test]
    fn nothing_that_is_declared_is_listed_as_missing_and_nothing_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for missing in NOT_THERE {
            let module = ALL.iter().find(|module| module.name == missing.module);
            assert!(module.is_some_and(|module| !declares(module, missing.name)), "{} {}", missing.module, missing.name);
            assert!(seen.insert((missing.module, missing.name)), "{} {} stands twice", missing.module, missing.name);
        }
    }

    #[test]
    fn every_name_of_our_modules_is_declared_or_listed() {
        // A variable may be declared by another of our modules than in Kamailio: all are always there together; so is `core`.
        let anywhere = |name: &str| ALL.iter().any(|module| module.variables.iter().any(|variable| variable.name == name));
        let mut unknown = Vec::new();
        for kind in ["functions", "modparams", "pvs", "event-routes"] {
            for (module_name, name) in table(kind) {
                let Some(module) = ALL.iter().find(|module| module.name == module_name) else { continue };
                let is_listed = NOT_THERE.iter().any(|missing| missing.module == module_name && missing.name == name);
                let is_elsewhere = kind == "pvs" && anywhere(&name) || declares(&crate::core::MODULE, &name);
                if !declares(module, &name) && !is_listed && !is_elsewhere {
                    unknown.push(format!("{module_name} {name}"));
                }
            }
        }
        assert!(unknown.is_empty(), "neither declared nor listed in NOT_THERE: {unknown:?}");
    }
}
