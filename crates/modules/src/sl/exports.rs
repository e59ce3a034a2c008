//! The export table of `sl`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::{forward, functions, statistics, tag};
use crate::literals::{self, Check};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

const REPLYING: Routes = Routes::REQUEST.or(Routes::ONREPLY).or(Routes::FAILURE);
const STATUS: &[Kind] = &[Kind::Format, Kind::Format];

/// Everything `sl` declares.
pub static MODULE: Module = Module {
    name: "sl",
    checks: &[
        Check { function: "sl_send_reply", examine: literals::status_code::<0> },
        Check { function: "send_reply", examine: literals::status_code::<0> },
    ],
    functions: &[
        Function::new("sl_send_reply", 2..=2, STATUS, functions::sl_send_reply).routes(Routes::REQUEST),
        Function::new("sl_reply", 2..=2, STATUS, functions::sl_send_reply).routes(Routes::REQUEST),
        Function::new("send_reply", 2..=2, STATUS, functions::send_reply).routes(REPLYING),
        Function::new("send_reply_mode", 3..=3, &[Kind::Format, Kind::Format, Kind::Format], functions::send_reply_mode).routes(REPLYING),
        Function::new("send_reply_error", 0..=0, &[], functions::send_reply_error).routes(REPLYING),
        Function::new("sl_reply_error", 0..=0, &[], functions::sl_reply_error).routes(Routes::REQUEST),
        Function::new("sl_forward_reply", 0..=2, STATUS, forward::sl_forward_reply)
            .routes(Routes::ONREPLY)
            .note("the next Via must carry an address, names are not looked up"),
    ],
    variables: &[Variable::new("ltt", tag::variable).inner(InnerKind::OneOf(&["s", "t", "x"]))],
    parameters: &[
        Parameter::integer("default_code", 500),
        Parameter::text("default_reason", "Internal Server Error"),
        Parameter::integer("bind_tm", 1),
        Parameter::integer("rich_redirect", 0),
        Parameter::unset("event_callback_fl_ack", ParameterKind::Text).note("accepted without effect: there are no KEMI scripts"),
        Parameter::unset("event_callback_lres_sent", ParameterKind::Text).note("accepted without effect: there are no KEMI scripts"),
    ],
    commands: &[Command::new("sl.stats", "Counters of stateless replies by status code.", statistics::command)],
    statistics: statistics::STATISTICS,
    events: &["sl:filtered-ack", "sl:local-response"],
};
