//! The export table of `sanity`.

use script::exports::{Default as ParameterDefault, Function, Kind, Parameter, ParameterKind, Routes};

use super::functions;
use crate::registry::Module;

const CHECKING: Routes = Routes::REQUEST.or(Routes::ONREPLY);

const fn number(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: ParameterDefault::Integer(default), note: "" }
}

/// Everything `sanity` declares.
pub static MODULE: Module = Module {
    name: "sanity",
    checks: &[],
    functions: &[
        Function {
            name: "sanity_check",
            arity: (0, 2),
            arguments: &[Kind::Integer, Kind::Integer],
            routes: CHECKING,
            call: functions::sanity_check,
            note: "",
        },
        Function { name: "sanity_reply", arity: (0, 0), arguments: &[], routes: CHECKING, call: functions::sanity_reply, note: "" },
    ],
    variables: &[],
    parameters: &[
        number("default_checks", 3047),
        number("uri_checks", 7),
        number("size_checks", 0),
        number("size_message", 16384),
        number("size_method", 32),
        number("size_ruri", 256),
        number("size_from_uri", 256),
        number("size_to_uri", 256),
        number("size_contact_uri", 256),
        number("size_route_uri", 256),
        number("size_path_uri", 256),
        number("size_pai_uri", 256),
        number("size_header", 2048),
        number("size_headers", 8192),
        number("size_body", 8192),
        Parameter { name: "proxy_require", kind: ParameterKind::Text, default: ParameterDefault::Text(""), note: "" },
        number("autodrop", 1),
        number("noreply", 0),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
