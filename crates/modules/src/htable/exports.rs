//! The export table of `htable`.

use script::exports::{
    Argument, Default as ParameterDefault, Flow, Function, Index, Inner, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable,
};
use script::value::Value;

use super::{functions, iterators, literals, rpc, variables};
use crate::registry::Module;
use crate::worker::Worker;

const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];
const NO_DATABASE: &str = "accepted without effect: tables are not loaded from or stored to a database";
const NO_REPLICATION: &str = "accepted without effect: tables are not replicated";

type Call = fn(&mut Worker, &[Argument]) -> Flow;
type Read = fn(&mut Worker, &Inner, Option<Index>) -> Value;
type Write = fn(&mut Worker, &Inner, Option<Index>, Value) -> Result<(), String>;

const fn function(name: &'static str, arguments: u8, kinds: &'static [Kind], call: Call) -> Function<Worker> {
    Function { name, arity: (arguments, arguments), arguments: kinds, routes: Routes::ANY, call, note: "" }
}

const fn lock(name: &'static str, call: Call) -> Function<Worker> {
    let note = "guards script against script: reading and writing items does not wait, and the lock ends with the run";
    Function { name, arity: (1, 1), arguments: FORMATS, routes: Routes::ANY, call, note }
}

const fn variable(name: &'static str, read: Read, write: Option<Write>) -> Variable<Worker> {
    Variable { name, inner: InnerKind::Format, indexed: false, read, write, note: "" }
}

const fn text(name: &'static str, default: &'static str, note: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: ParameterDefault::Text(default), note }
}

const fn number(name: &'static str, default: i64, note: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Integer, default: ParameterDefault::Integer(default), note }
}

/// Everything `htable` declares.
pub static MODULE: Module = Module {
    name: "htable",
    checks: literals::CHECKS,
    functions: &[
        function("sht_print", 0, &[], functions::sht_print),
        function("sht_rm", 2, FORMATS, functions::sht_rm),
        function("sht_rm_name_re", 1, FORMATS, functions::sht_rm_name_re),
        function("sht_rm_value_re", 1, FORMATS, functions::sht_rm_value_re),
        function("sht_rm_name", 3, FORMATS, functions::sht_rm_name),
        function("sht_rm_value", 3, FORMATS, functions::sht_rm_value),
        function("sht_match_name", 3, FORMATS, functions::sht_match_name),
        function("sht_has_name", 3, FORMATS, functions::sht_match_name),
        function("sht_match_str_value", 3, FORMATS, functions::sht_match_str_value),
        function("sht_has_str_value", 3, FORMATS, functions::sht_match_str_value),
        lock("sht_lock", functions::sht_lock),
        lock("sht_unlock", functions::sht_unlock),
        function("sht_reset", 1, FORMATS, functions::sht_reset),
        function("sht_iterator_start", 2, FORMATS, iterators::start),
        function("sht_iterator_next", 1, FORMATS, iterators::next),
        function("sht_iterator_end", 1, FORMATS, iterators::end),
        function("sht_iterator_rm", 1, FORMATS, iterators::remove),
        function("sht_iterator_sets", 2, FORMATS, iterators::set_text),
        function("sht_iterator_seti", 2, &[Kind::Format, Kind::Integer], iterators::set_integer),
        function("sht_iterator_setex", 2, &[Kind::Format, Kind::Integer], iterators::set_expire),
        function("sht_setxs", 4, &[Kind::Format, Kind::Format, Kind::Format, Kind::Integer], functions::sht_setxs),
        function("sht_setxi", 4, &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer], functions::sht_setxi),
        function("sht_is_null", 2, FORMATS, functions::sht_is_null),
        function("sht_inc", 2, FORMATS, functions::sht_inc),
        function("sht_dec", 2, FORMATS, functions::sht_dec),
    ],
    variables: &[
        variable("sht", variables::item, Some(variables::set_item)),
        variable("shtex", variables::expire, Some(variables::set_expire)),
        variable("shtcn", variables::count_names, None),
        variable("shtcv", variables::count_values, None),
        variable("shtinc", variables::increment, None),
        variable("shtdec", variables::decrement, None),
        Variable {
            name: "shtrecord",
            inner: InnerKind::OneOf(&["key", "value"]),
            indexed: false,
            read: variables::record,
            write: None,
            note: "",
        },
        variable("shtitkey", iterators::key, None),
        variable("shtitval", iterators::value, None),
    ],
    parameters: &[
        Parameter {
            name: "htable",
            kind: ParameterKind::Texts,
            default: ParameterDefault::Unset,
            note: "dbtable and dmqreplicate have no effect",
        },
        Parameter { name: "db_url", kind: ParameterKind::Text, default: ParameterDefault::Unset, note: NO_DATABASE },
        text("key_name_column", "key_name", NO_DATABASE),
        text("key_type_column", "key_type", NO_DATABASE),
        text("value_type_column", "value_type", NO_DATABASE),
        text("key_value_column", "key_value", NO_DATABASE),
        text("expires_column", "expires", NO_DATABASE),
        text("array_size_suffix", "::size", NO_DATABASE),
        number("fetch_rows", 100, NO_DATABASE),
        number("timer_interval", 20, ""),
        number("db_expires", 0, NO_DATABASE),
        number("enable_dmq", 0, NO_REPLICATION),
        number("dmq_init_sync", 0, NO_REPLICATION),
        number("timer_procs", 0, "accepted without effect: the proxy's timer does the work"),
        Parameter {
            name: "event_callback",
            kind: ParameterKind::Text,
            default: ParameterDefault::Unset,
            note: "accepted without effect: there are no KEMI scripts",
        },
        number("event_callback_mode", 0, "accepted without effect: there are no KEMI scripts"),
        text("dmq_peer_id", "htable", NO_REPLICATION),
    ],
    commands: rpc::COMMANDS,
    statistics: &[],
    events: &["htable:mod-init", "htable:init", "htable:expired:"],
};
