//! The export table of `sl`.

use script::exports::{Default as ParameterDefault, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{forward, functions, statistics, tag};
use crate::literals::{self, Check};
use crate::registry::Module;
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
        Function {
            name: "sl_send_reply",
            arity: (2, 2),
            arguments: STATUS,
            routes: Routes::REQUEST,
            call: functions::sl_send_reply,
            note: "",
        },
        Function { name: "sl_reply", arity: (2, 2), arguments: STATUS, routes: Routes::REQUEST, call: functions::sl_send_reply, note: "" },
        Function { name: "send_reply", arity: (2, 2), arguments: STATUS, routes: REPLYING, call: functions::send_reply, note: "" },
        Function {
            name: "send_reply_mode",
            arity: (3, 3),
            arguments: &[Kind::Format, Kind::Format, Kind::Format],
            routes: REPLYING,
            call: functions::send_reply_mode,
            note: "",
        },
        Function { name: "send_reply_error", arity: (0, 0), arguments: &[], routes: REPLYING, call: functions::send_reply_error, note: "" },
        Function {
            name: "sl_reply_error",
            arity: (0, 0),
            arguments: &[],
            routes: Routes::REQUEST,
            call: functions::sl_reply_error,
            note: "",
        },
        Function {
            name: "sl_forward_reply",
            arity: (0, 2),
            arguments: STATUS,
            routes: Routes::ONREPLY,
            call: forward::sl_forward_reply,
            note: "the next Via must carry an address, names are not looked up",
        },
    ],
    variables: &[Variable {
        name: "ltt",
        inner: InnerKind::OneOf(&["s", "t", "x"]),
        indexed: false,
        read: tag::variable,
        write: None,
        note: "",
    }],
    parameters: &[
        Parameter { name: "default_code", kind: ParameterKind::Integer, default: ParameterDefault::Integer(500), note: "" },
        Parameter { name: "default_reason", kind: ParameterKind::Text, default: ParameterDefault::Text("Internal Server Error"), note: "" },
        Parameter { name: "bind_tm", kind: ParameterKind::Integer, default: ParameterDefault::Integer(1), note: "" },
        Parameter { name: "rich_redirect", kind: ParameterKind::Integer, default: ParameterDefault::Integer(0), note: "" },
        Parameter {
            name: "event_callback_fl_ack",
            kind: ParameterKind::Text,
            default: ParameterDefault::Unset,
            note: "accepted without effect: there are no KEMI scripts",
        },
        Parameter {
            name: "event_callback_lres_sent",
            kind: ParameterKind::Text,
            default: ParameterDefault::Unset,
            note: "accepted without effect: there are no KEMI scripts",
        },
    ],
    commands: &[Command {
        name: "sl.stats",
        help: "Counters of stateless replies by status code.",
        is_array: false,
        run: statistics::command,
    }],
    statistics: statistics::STATISTICS,
    events: &["sl:filtered-ack", "sl:local-response"],
};
