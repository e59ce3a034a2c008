//! The export table of `rr`.

use script::exports::{Default as ParameterDefault, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{direction, loose, record, variables};
use crate::literals::Check;
use crate::registry::Module;

const RECORDING: Routes = Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE);

const fn number(name: &'static str, default: i64) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: ParameterDefault::Integer(default), note: "" }
}

/// Everything `rr` declares.
pub static MODULE: Module = Module {
    name: "rr",
    checks: &[Check { function: "is_direction", examine: direction::known_direction }],
    functions: &[
        Function {
            name: "loose_route",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::REQUEST,
            call: loose::loose_route,
            note: "flow tokens of RFC 5626 are not used: never answers 2 or -2",
        },
        Function {
            name: "loose_route_preloaded",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::REQUEST,
            call: loose::loose_route_preloaded,
            note: "",
        },
        Function {
            name: "loose_route_mode",
            arity: (1, 1),
            arguments: &[Kind::Integer],
            routes: Routes::REQUEST,
            call: loose::loose_route_mode,
            note: "",
        },
        Function {
            name: "record_route",
            arity: (0, 1),
            arguments: &[Kind::Format],
            routes: RECORDING,
            call: record::record_route,
            note: "",
        },
        Function {
            name: "record_route_preset",
            arity: (1, 2),
            arguments: &[Kind::Format],
            routes: RECORDING,
            call: record::record_route_preset,
            note: "",
        },
        Function {
            name: "record_route_advertised_address",
            arity: (1, 1),
            arguments: &[Kind::Format],
            routes: RECORDING,
            call: record::record_route_advertised_address,
            note: "",
        },
        Function {
            name: "add_rr_param",
            arity: (1, 1),
            arguments: &[Kind::Format],
            routes: RECORDING,
            call: record::add_rr_param,
            note: "",
        },
        Function {
            name: "check_route_param",
            arity: (1, 1),
            arguments: &[Kind::Regex],
            routes: Routes::REQUEST,
            call: loose::check_route_param,
            note: "",
        },
        Function {
            name: "is_direction",
            arity: (1, 1),
            arguments: &[Kind::Plain],
            routes: Routes::REQUEST,
            call: direction::is_direction,
            note: "",
        },
        Function {
            name: "remove_record_route",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::REQUEST.or(Routes::FAILURE),
            call: record::remove_record_route,
            note: "",
        },
        Function {
            name: "rr_next_hop_route",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::ANY,
            call: loose::rr_next_hop_route,
            note: "",
        },
    ],
    variables: &[
        Variable { name: "route_uri", inner: InnerKind::None, indexed: false, read: variables::route_uri, write: None, note: "" },
        Variable { name: "fti", inner: InnerKind::None, indexed: false, read: variables::initiator_tag, write: None, note: "" },
        Variable { name: "tti", inner: InnerKind::None, indexed: false, read: variables::answerer_tag, write: None, note: "" },
        Variable {
            name: "rdir",
            inner: InnerKind::OneOf(&["id", "name"]),
            indexed: false,
            read: variables::route_direction,
            write: None,
            note: "",
        },
    ],
    parameters: &[
        number("append_fromtag", 1),
        number("enable_double_rr", 1),
        number("enable_full_lr", 0),
        number("add_username", 0),
        number("enable_socket_mismatch_warning", 1),
        Parameter { name: "custom_user_avp", kind: ParameterKind::Text, default: ParameterDefault::Unset, note: "" },
        number("force_send_socket", 0),
        number("ignore_sips", 0),
        number("sockname_mode", 0),
        number("loose_route_mode", 0),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
