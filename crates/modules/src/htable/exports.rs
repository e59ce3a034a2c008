//! The export table of `htable`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind};

use super::{functions, iterators, literals, rpc, variables};
use crate::registry::{Function, Module, Variable};

const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];
const WHOLE_TABLES: &str = "accepted without effect: a table is read at one time, in parts as large as the database sends them";
const SCRIPTS_ONLY: &str = "guards script against script: reading and writing items does not wait, and the lock ends with the run";
const NO_REPLICATION: &str = "accepted without effect: tables are not replicated";

/// Everything `htable` declares.
pub static MODULE: Module = Module {
    name: "htable",
    checks: literals::CHECKS,
    functions: &[
        Function::new("sht_print", 0..=0, &[], functions::sht_print),
        Function::new("sht_rm", 2..=2, FORMATS, functions::sht_rm),
        Function::new("sht_rm_name_re", 1..=1, FORMATS, functions::sht_rm_name_re),
        Function::new("sht_rm_value_re", 1..=1, FORMATS, functions::sht_rm_value_re),
        Function::new("sht_rm_name", 3..=3, FORMATS, functions::sht_rm_name),
        Function::new("sht_rm_value", 3..=3, FORMATS, functions::sht_rm_value),
        Function::new("sht_match_name", 3..=3, FORMATS, functions::sht_match_name),
        Function::new("sht_has_name", 3..=3, FORMATS, functions::sht_match_name),
        Function::new("sht_match_str_value", 3..=3, FORMATS, functions::sht_match_str_value),
        Function::new("sht_has_str_value", 3..=3, FORMATS, functions::sht_match_str_value),
        Function::new("sht_lock", 1..=1, FORMATS, functions::sht_lock).note(SCRIPTS_ONLY),
        Function::new("sht_unlock", 1..=1, FORMATS, functions::sht_unlock).note(SCRIPTS_ONLY),
        Function::new("sht_reset", 1..=1, FORMATS, functions::sht_reset),
        Function::new("sht_iterator_start", 2..=2, FORMATS, iterators::start),
        Function::new("sht_iterator_next", 1..=1, FORMATS, iterators::next),
        Function::new("sht_iterator_end", 1..=1, FORMATS, iterators::end),
        Function::new("sht_iterator_rm", 1..=1, FORMATS, iterators::remove),
        Function::new("sht_iterator_sets", 2..=2, FORMATS, iterators::set_text),
        Function::new("sht_iterator_seti", 2..=2, &[Kind::Format, Kind::Integer], iterators::set_integer),
        Function::new("sht_iterator_setex", 2..=2, &[Kind::Format, Kind::Integer], iterators::set_expire),
        Function::new("sht_setxs", 4..=4, &[Kind::Format, Kind::Format, Kind::Format, Kind::Integer], functions::sht_setxs),
        Function::new("sht_setxi", 4..=4, &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer], functions::sht_setxi),
        Function::new("sht_is_null", 2..=2, FORMATS, functions::sht_is_null),
        Function::new("sht_inc", 2..=2, FORMATS, functions::sht_inc),
        Function::new("sht_dec", 2..=2, FORMATS, functions::sht_dec),
    ],
    variables: &[
        Variable::new("sht", variables::item).inner(InnerKind::Format).writable(variables::set_item),
        Variable::new("shtex", variables::expire).inner(InnerKind::Format).writable(variables::set_expire),
        Variable::new("shtcn", variables::count_names).inner(InnerKind::Format),
        Variable::new("shtcv", variables::count_values).inner(InnerKind::Format),
        Variable::new("shtinc", variables::increment).inner(InnerKind::Format),
        Variable::new("shtdec", variables::decrement).inner(InnerKind::Format),
        Variable::new("shtrecord", variables::record).inner(InnerKind::OneOf(&["key", "value"])),
        Variable::new("shtitkey", iterators::key).inner(InnerKind::Format),
        Variable::new("shtitval", iterators::value).inner(InnerKind::Format),
    ],
    parameters: &[
        Parameter::unset("htable", ParameterKind::Texts).note("dmqreplicate has no effect; a table is stored in one transaction"),
        Parameter::unset("db_url", ParameterKind::Text),
        Parameter::text("key_name_column", "key_name"),
        Parameter::text("key_type_column", "key_type"),
        Parameter::text("value_type_column", "value_type"),
        Parameter::text("key_value_column", "key_value"),
        Parameter::text("expires_column", "expires"),
        Parameter::text("array_size_suffix", "::size"),
        Parameter::integer("fetch_rows", 100).note(WHOLE_TABLES),
        Parameter::integer("timer_interval", 20),
        Parameter::integer("db_expires", 0),
        Parameter::integer("enable_dmq", 0).note(NO_REPLICATION),
        Parameter::integer("dmq_init_sync", 0).note(NO_REPLICATION),
        Parameter::integer("timer_procs", 0).note("accepted without effect: the proxy's timer does the work"),
        Parameter::unset("event_callback", ParameterKind::Text).note("accepted without effect: there are no KEMI scripts"),
        Parameter::integer("event_callback_mode", 0).note("accepted without effect: there are no KEMI scripts"),
        Parameter::text("dmq_peer_id", "htable").note(NO_REPLICATION),
    ],
    commands: rpc::COMMANDS,
    statistics: &[],
    events: &["htable:mod-init", "htable:init", "htable:expired:", "htable:reloaded:"],
};
