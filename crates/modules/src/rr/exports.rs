//! The export table of `rr`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::{direction, loose, record, variables};
use crate::literals::Check;
use crate::registry::{Function, Module, Variable};

const RECORDING: Routes = Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE);

/// Everything `rr` declares.
pub static MODULE: Module = Module {
    name: "rr",
    checks: &[Check { function: "is_direction", examine: direction::known_direction }],
    functions: &[
        Function::new("loose_route", 0..=0, &[], loose::loose_route)
            .routes(Routes::REQUEST)
            .note("flow tokens of RFC 5626 are not used: never answers 2 or -2"),
        Function::new("loose_route_preloaded", 0..=0, &[], loose::loose_route_preloaded).routes(Routes::REQUEST),
        Function::new("loose_route_mode", 1..=1, &[Kind::Integer], loose::loose_route_mode).routes(Routes::REQUEST),
        Function::new("record_route", 0..=1, &[Kind::Format], record::record_route).routes(RECORDING),
        Function::new("record_route_preset", 1..=2, &[Kind::Format], record::record_route_preset).routes(RECORDING),
        Function::new("record_route_advertised_address", 1..=1, &[Kind::Format], record::record_route_advertised_address).routes(RECORDING),
        Function::new("add_rr_param", 1..=1, &[Kind::Format], record::add_rr_param).routes(RECORDING),
        Function::new("check_route_param", 1..=1, &[Kind::Regex], loose::check_route_param).routes(Routes::REQUEST),
        Function::new("is_direction", 1..=1, &[Kind::Plain], direction::is_direction).routes(Routes::REQUEST),
        Function::new("remove_record_route", 0..=0, &[], record::remove_record_route).routes(Routes::REQUEST.or(Routes::FAILURE)),
        Function::new("rr_next_hop_route", 0..=0, &[], loose::rr_next_hop_route),
    ],
    variables: &[
        Variable::new("route_uri", variables::route_uri),
        Variable::new("fti", variables::initiator_tag),
        Variable::new("tti", variables::answerer_tag),
        Variable::new("rdir", variables::route_direction).inner(InnerKind::OneOf(&["id", "name"])),
    ],
    parameters: &[
        Parameter::integer("append_fromtag", 1),
        Parameter::integer("enable_double_rr", 1),
        Parameter::integer("enable_full_lr", 0),
        Parameter::integer("add_username", 0),
        Parameter::integer("enable_socket_mismatch_warning", 1),
        Parameter::unset("custom_user_avp", ParameterKind::Text),
        Parameter::integer("force_send_socket", 0),
        Parameter::integer("ignore_sips", 0),
        Parameter::integer("sockname_mode", 0),
        Parameter::integer("loose_route_mode", 0),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
