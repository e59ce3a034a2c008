//! The export table of `sanity`.

use script::exports::{Kind, Parameter, Routes};

use super::functions;
use crate::registry::{Function, Module};

const CHECKING: Routes = Routes::REQUEST.or(Routes::ONREPLY);

/// Everything `sanity` declares.
pub static MODULE: Module = Module {
    name: "sanity",
    checks: &[],
    functions: &[
        Function::new("sanity_check", 0..=2, &[Kind::Integer, Kind::Integer], functions::sanity_check).routes(CHECKING),
        Function::new("sanity_reply", 0..=0, &[], functions::sanity_reply).routes(CHECKING),
    ],
    variables: &[],
    parameters: &[
        Parameter::integer("default_checks", 3047),
        Parameter::integer("uri_checks", 7),
        Parameter::integer("size_checks", 0),
        Parameter::integer("size_message", 16384),
        Parameter::integer("size_method", 32),
        Parameter::integer("size_ruri", 256),
        Parameter::integer("size_from_uri", 256),
        Parameter::integer("size_to_uri", 256),
        Parameter::integer("size_contact_uri", 256),
        Parameter::integer("size_route_uri", 256),
        Parameter::integer("size_path_uri", 256),
        Parameter::integer("size_pai_uri", 256),
        Parameter::integer("size_header", 2048),
        Parameter::integer("size_headers", 8192),
        Parameter::integer("size_body", 8192),
        Parameter::text("proxy_require", ""),
        Parameter::integer("autodrop", 1),
        Parameter::integer("noreply", 0),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
