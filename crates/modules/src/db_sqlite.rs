//! The `db_sqlite` module: lets URLs that begin with `sqlite://` be used.

use script::exports::{Parameter, ParameterKind};

use crate::registry::Module;

const URL: &str = "accepted without effect: options of a file stand behind its URL, as in sqlite:///path?synchronous=full";

/// Everything `db_sqlite` declares.
pub static MODULE: Module = Module {
    name: "db_sqlite",
    checks: &[],
    functions: &[],
    variables: &[],
    parameters: &[
        Parameter::unset("db_set_readonly", ParameterKind::Texts).note("accepted without effect"),
        Parameter::unset("db_set_journal_mode", ParameterKind::Texts).note(URL),
        Parameter::unset("db_set_busy_timeout", ParameterKind::Texts)
            .note("accepted without effect: a locked file is waited for as long as the statement may take"),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
