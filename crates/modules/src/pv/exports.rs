//! The export table of `pv`.

use script::exports::{Argument, Default, Flow, Function, Index, Inner, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};
use script::value::Value;
use sip::HeaderId;

use super::address::{self, Field, Side};
use super::flags::{self, Set};
use super::list_functions::{self as list, List};
use super::uri::{self, Part};
use super::via::{self, Which};
use super::{branch, credentials, functions, header, identity, lists, message, network, process, rpc, script_variables, shared, time};
use crate::registry::Module;
use crate::rpc::Command;
use crate::worker::Worker;

/// Everything `pv` declares.
pub static MODULE: Module = Module {
    name: "pv",
    checks: &[],
    functions: FUNCTIONS,
    variables: VARIABLES,
    parameters: PARAMETERS,
    commands: COMMANDS,
    statistics: &[],
    events: &[],
};

type Read = fn(&mut Worker, &Inner, Option<Index>) -> Value;
type Write = fn(&mut Worker, &Inner, Option<Index>, Value) -> Result<(), String>;

const fn plain(name: &'static str, read: Read) -> Variable<Worker> {
    Variable { name, inner: InnerKind::None, indexed: false, read, write: None, note: "" }
}

const fn assignable(name: &'static str, read: Read, write: Write) -> Variable<Worker> {
    Variable { name, inner: InnerKind::None, indexed: false, read, write: Some(write), note: "" }
}

const fn constant(name: &'static str, read: Read) -> Variable<Worker> {
    plain(name, read)
}

const fn indexed(name: &'static str, read: Read) -> Variable<Worker> {
    Variable { name, inner: InnerKind::None, indexed: true, read, write: None, note: "" }
}

const fn keyed(name: &'static str, inner: InnerKind, indexed: bool, read: Read, write: Option<Write>) -> Variable<Worker> {
    Variable { name, inner, indexed, read, write, note: "" }
}

const fn noted(name: &'static str, inner: InnerKind, read: Read, write: Option<Write>, note: &'static str) -> Variable<Worker> {
    Variable { name, inner, indexed: false, read, write, note }
}

static VARIABLES: &[Variable<Worker>] = &[
    plain("rm", message::method),
    plain("rmid", message::method_number),
    plain("rs", message::status),
    plain("rsi", message::status_integer),
    plain("rr", message::reason),
    plain("rv", message::version),
    plain("mt", message::kind),
    plain("mts", message::kind_text),
    plain("mi", message::identifier),
    plain("ml", message::message_length),
    plain("mb", message::buffer),
    plain("mbu", message::buffer_with_edits),
    plain("rb", message::body),
    plain("bs", message::body_size),
    plain("ci", message::call_id),
    plain("cs", message::cseq_number),
    plain("cl", message::content_length),
    plain("csb", |worker, _, _| message::header(worker, HeaderId::CSeq)),
    plain("cT", |worker, _, _| message::header(worker, HeaderId::ContentType)),
    plain("ct", |worker, _, _| message::header(worker, HeaderId::Contact)),
    plain("ua", |worker, _, _| message::header(worker, HeaderId::UserAgent)),
    plain("ctu", message::contact_uri),
    plain("cts", message::contact_star),
    keyed("msg", InnerKind::OneOf(message::MESSAGE_KEYS), false, message::message_key, None),
    keyed("msgbuf", InnerKind::Format, false, message::byte_at, Some(message::write_byte_at)),
    assignable("ru", |worker, _, _| uri::part(uri::current(worker), Part::Whole), uri::write_whole),
    assignable("ruri", |worker, _, _| uri::part(uri::current(worker), Part::Whole), uri::write_whole),
    assignable("rU", |worker, _, _| uri::part(uri::current(worker), Part::User), uri::write_user),
    assignable("ruri.user", |worker, _, _| uri::part(uri::current(worker), Part::User), uri::write_user),
    assignable("rd", |worker, _, _| uri::part(uri::current(worker), Part::Host), uri::write_host),
    assignable("ruri.domain", |worker, _, _| uri::part(uri::current(worker), Part::Host), uri::write_host),
    assignable("rp", |worker, _, _| uri::part(uri::current(worker), Part::Port), uri::write_port),
    plain("rP", |worker, _, _| uri::part(uri::current(worker), Part::Transport)),
    plain("rz", |worker, _, _| uri::part(uri::current(worker), Part::Scheme)),
    plain("rul", |worker, _, _| uri::part(uri::current(worker), Part::Length)),
    plain("rUl", |worker, _, _| uri::part(uri::current(worker), Part::UserLength)),
    plain("ou", |worker, _, _| uri::part(uri::original(worker), Part::Whole)),
    plain("ouri", |worker, _, _| uri::part(uri::original(worker), Part::Whole)),
    plain("oU", |worker, _, _| uri::part(uri::original(worker), Part::User)),
    plain("od", |worker, _, _| uri::part(uri::original(worker), Part::Host)),
    plain("op", |worker, _, _| uri::part(uri::original(worker), Part::Port)),
    plain("oP", |worker, _, _| uri::part(uri::original(worker), Part::Transport)),
    plain("oUl", |worker, _, _| uri::part(uri::original(worker), Part::UserLength)),
    assignable("du", |worker, _, _| uri::part(uri::next_hop(worker), Part::Whole), uri::write_next_hop),
    assignable("duri", |worker, _, _| uri::part(uri::next_hop(worker), Part::Whole), uri::write_next_hop),
    plain("dd", |worker, _, _| uri::next_hop_part(worker, Part::Host)),
    plain("dp", |worker, _, _| uri::next_hop_part(worker, Part::Port)),
    plain("dP", |worker, _, _| uri::next_hop_part(worker, Part::Transport)),
    keyed("nh", InnerKind::OneOf(uri::NEXT_HOP_KEYS), false, uri::next_hop_key, None),
    assignable(
        "fu",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::Whole),
        |worker, _, _, value| address::write(worker, Side::From, Field::Uri, &value),
    ),
    assignable(
        "from",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::Whole),
        |worker, _, _, value| address::write(worker, Side::From, Field::Uri, &value),
    ),
    assignable(
        "fU",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::User),
        |worker, _, _, value| address::write(worker, Side::From, Field::User, &value),
    ),
    assignable(
        "from.user",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::User),
        |worker, _, _, value| address::write(worker, Side::From, Field::User, &value),
    ),
    assignable(
        "fd",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::Host),
        |worker, _, _, value| address::write(worker, Side::From, Field::Host, &value),
    ),
    assignable(
        "from.domain",
        |worker, _, _| uri::part(address::uri(worker, Side::From), Part::Host),
        |worker, _, _, value| address::write(worker, Side::From, Field::Host, &value),
    ),
    assignable(
        "fn",
        |worker, _, _| address::display(worker, Side::From),
        |worker, _, _, value| address::write(worker, Side::From, Field::Display, &value),
    ),
    plain("ft", |worker, _, _| address::tag(worker, Side::From)),
    plain("fUl", |worker, _, _| uri::part(address::uri(worker, Side::From), Part::UserLength)),
    assignable(
        "tu",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::Whole),
        |worker, _, _, value| address::write(worker, Side::To, Field::Uri, &value),
    ),
    assignable(
        "to",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::Whole),
        |worker, _, _, value| address::write(worker, Side::To, Field::Uri, &value),
    ),
    assignable(
        "tU",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::User),
        |worker, _, _, value| address::write(worker, Side::To, Field::User, &value),
    ),
    assignable(
        "to.user",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::User),
        |worker, _, _, value| address::write(worker, Side::To, Field::User, &value),
    ),
    assignable(
        "td",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::Host),
        |worker, _, _, value| address::write(worker, Side::To, Field::Host, &value),
    ),
    assignable(
        "to.domain",
        |worker, _, _| uri::part(address::uri(worker, Side::To), Part::Host),
        |worker, _, _, value| address::write(worker, Side::To, Field::Host, &value),
    ),
    assignable(
        "tn",
        |worker, _, _| address::display(worker, Side::To),
        |worker, _, _, value| address::write(worker, Side::To, Field::Display, &value),
    ),
    plain("tt", |worker, _, _| address::tag(worker, Side::To)),
    plain("tUl", |worker, _, _| uri::part(address::uri(worker, Side::To), Part::UserLength)),
    plain("ful", |worker, _, _| address::uri_length(worker, Side::From)),
    plain("tts", |worker, _, _| address::tag_state(worker, Side::To)),
    keyed("hdr", InnerKind::Format, true, header::header, None),
    keyed("hdrc", InnerKind::Format, false, header::header_count, None),
    keyed("hfl", InnerKind::Format, true, header::element, None),
    keyed("hflc", InnerKind::Format, false, header::element_count, None),
    keyed("expires", InnerKind::OneOf(header::EXPIRES_KEYS), false, header::expires, None),
    plain("si", |worker, _, _| network::ip(Some(network::source(worker)))),
    plain("src_ip", |worker, _, _| network::ip(Some(network::source(worker)))),
    plain("siz", |worker, _, _| network::ip_bracketed(Some(network::source(worker)))),
    plain("sp", |worker, _, _| network::port(Some(network::source(worker)))),
    plain("su", |worker, _, _| network::uri(Some(network::source(worker)))),
    plain("sut", |worker, _, _| network::full_uri(Some(network::source(worker)))),
    plain("sas", |worker, _, _| network::socket_text(Some(network::source(worker)))),
    plain("Ri", |worker, _, _| network::ip(network::received_at(worker))),
    plain("Rp", |worker, _, _| network::port(network::received_at(worker))),
    plain("Ru", |worker, _, _| network::uri(network::received_at(worker))),
    plain("Rut", |worker, _, _| network::full_uri(network::received_at(worker))),
    plain("Ras", |worker, _, _| network::socket_text(network::received_at(worker))),
    plain("Rn", network::socket_name),
    plain("RAi", network::advertised_ip),
    plain("RAp", network::advertised_port),
    plain("RAu", network::advertised_uri),
    plain("RAut", network::advertised_full_uri),
    plain("pr", network::protocol),
    plain("proto", network::protocol),
    plain("prid", network::protocol_identifier),
    plain("conid", network::connection),
    keyed("af", InnerKind::OneOf(network::FAMILY_KEYS), false, network::address_family, None),
    assignable("fs", network::forced_socket, network::write_forced_socket),
    assignable("fsn", network::forced_name, network::write_forced_name),
    plain("fsp", network::forced_port),
    Variable {
        name: "rcv",
        inner: InnerKind::OneOf(network::RECEIVED_KEYS),
        indexed: true,
        read: network::received,
        write: Some(network::write_received),
        note: "bufat and hexat take an index, as in $(rcv(bufat)[3]); evtype is null",
    },
    Variable {
        name: "recv",
        inner: InnerKind::OneOf(network::RECEIVED_KEYS),
        indexed: true,
        read: network::received,
        write: Some(network::write_received),
        note: "bufat and hexat take an index, as in $(rcv(bufat)[3]); evtype is null",
    },
    keyed("snd", InnerKind::OneOf(network::SENDING_KEYS), false, network::sending_to, None),
    keyed("sndto", InnerKind::OneOf(network::SENDING_KEYS), false, network::sending_to, None),
    keyed("sndfrom", InnerKind::OneOf(network::SENDING_KEYS), false, network::sending_from, None),
    keyed("rpl", InnerKind::OneOf(network::REPLY_KEYS), false, network::reply_key, None),
    keyed("via0", InnerKind::OneOf(via::KEYS), false, |worker, inner, _| via::key(worker, Which::First, inner), None),
    keyed("via1", InnerKind::OneOf(via::KEYS), false, |worker, inner, _| via::key(worker, Which::Second, inner), None),
    keyed("viaZ", InnerKind::OneOf(via::KEYS), false, |worker, inner, _| via::key(worker, Which::Last, inner), None),
    keyed("branch", InnerKind::OneOf(branch::KEYS), true, branch::read, Some(branch::write)),
    keyed("sbranch", InnerKind::OneOf(branch::KEYS), false, branch::read_static, Some(branch::write_static)),
    assignable("br", branch::first, branch::write_first),
    plain("bR", branch::all),
    plain("ds", branch::destination_set),
    plain("ruid", process::record_identifier),
    plain("location_ua", process::location_user_agent),
    assignable("mf", |worker, _, _| flags::number(worker, Set::Message), |worker, _, _, value| flags::write(worker, Set::Message, &value)),
    assignable("mF", |worker, _, _| flags::digits(worker, Set::Message), |worker, _, _, value| flags::write(worker, Set::Message, &value)),
    keyed(
        "Mf",
        InnerKind::Format,
        false,
        |worker, inner, index| flags::one(worker, Set::Message, inner, index),
        Some(|worker, inner, _, value| flags::write_one(worker, Set::Message, inner, &value)),
    ),
    assignable("sf", |worker, _, _| flags::number(worker, Set::Script), |worker, _, _, value| flags::write(worker, Set::Script, &value)),
    assignable("sF", |worker, _, _| flags::digits(worker, Set::Script), |worker, _, _, value| flags::write(worker, Set::Script, &value)),
    keyed(
        "Sf",
        InnerKind::Format,
        false,
        |worker, inner, index| flags::one(worker, Set::Script, inner, index),
        Some(|worker, inner, _, value| flags::write_one(worker, Set::Script, inner, &value)),
    ),
    assignable("bf", |worker, _, _| flags::number(worker, Set::Branch), |worker, _, _, value| flags::write(worker, Set::Branch, &value)),
    assignable("bF", |worker, _, _| flags::digits(worker, Set::Branch), |worker, _, _, value| flags::write(worker, Set::Branch, &value)),
    keyed(
        "Bf",
        InnerKind::Format,
        false,
        |worker, inner, index| flags::one(worker, Set::Branch, inner, index),
        Some(|worker, inner, _, value| flags::write_one(worker, Set::Branch, inner, &value)),
    ),
    keyed("avp", InnerKind::Format, true, lists::avp, Some(lists::write_avp)),
    keyed("xavp", InnerKind::Xavp, false, lists::xavp, Some(lists::write_xavp)),
    keyed("xavu", InnerKind::Xavp, false, lists::xavu, Some(lists::write_xavu)),
    keyed("xavi", InnerKind::Xavp, false, lists::xavi, Some(lists::write_xavi)),
    keyed("cnt", InnerKind::Word, false, lists::count, None),
    noted("var", InnerKind::Word, script_variables::read, Some(script_variables::write), "starts anew for each message"),
    noted("vz", InnerKind::Word, script_variables::read, Some(script_variables::write), "starts anew for each message"),
    noted("vn", InnerKind::Word, script_variables::read_null, Some(script_variables::write_null), "starts anew for each message"),
    keyed("shv", InnerKind::Word, false, shared::read, Some(shared::write)),
    keyed("shvinc", InnerKind::Word, false, shared::increment, None),
    plain("au", |worker, _, _| credentials::user(worker)),
    plain("ad", |worker, _, _| credentials::domain(worker)),
    plain("aU", |worker, _, _| credentials::field(worker, |credentials| credentials.username)),
    plain("ar", |worker, _, _| credentials::field(worker, |credentials| credentials.realm)),
    plain("adu", |worker, _, _| credentials::field(worker, |credentials| credentials.uri)),
    plain("aa", |worker, _, _| credentials::field(worker, |credentials| credentials.algorithm)),
    plain("adn", |worker, _, _| credentials::field(worker, |credentials| credentials.nonce)),
    plain("adc", |worker, _, _| credentials::field(worker, |credentials| credentials.cnonce)),
    plain("adr", |worker, _, _| credentials::field(worker, |credentials| credentials.response)),
    plain("ado", |worker, _, _| credentials::field(worker, |credentials| credentials.opaque)),
    plain("Au", |worker, _, _| credentials::accounting(worker, true)),
    plain("AU", |worker, _, _| credentials::accounting(worker, false)),
    indexed("ai", identity::asserted),
    indexed("pu", |worker, _, index| identity::preferred(worker, index, Part::Whole)),
    indexed("pU", |worker, _, index| identity::preferred(worker, index, Part::User)),
    indexed("pd", |worker, _, index| identity::preferred(worker, index, Part::Host)),
    indexed("pn", identity::preferred_display),
    plain("re", |worker, _, _| identity::uri(worker, HeaderId::RemotePartyId)),
    plain("rt", |worker, _, _| identity::uri(worker, HeaderId::ReferTo)),
    plain("di", |worker, _, _| identity::uri(worker, HeaderId::Diversion)),
    plain("dir", |worker, _, _| identity::diversion_param(worker, b"reason")),
    plain("dip", |worker, _, _| identity::diversion_param(worker, b"privacy")),
    plain("dic", |worker, _, _| identity::diversion_param(worker, b"counter")),
    plain("Ts", time::seconds),
    plain("TS", time::seconds),
    plain("Tf", time::text),
    plain("TF", time::text),
    plain("Tb", time::started),
    keyed("TV", InnerKind::OneOf(time::VALUE_KEYS), false, time::value_key, None),
    keyed("time", InnerKind::OneOf(time::CALENDAR_KEYS), false, time::local_key, None),
    keyed("utime", InnerKind::OneOf(time::CALENDAR_KEYS), false, time::universal_key, None),
    keyed("timef", InnerKind::Word, false, time::local_format, None),
    keyed("utimef", InnerKind::Word, false, time::universal_format, None),
    plain("pp", process::identifier),
    plain("sid", process::server_identifier),
    keyed("version", InnerKind::OneOf(process::VERSION_KEYS), false, process::version, None),
    keyed("ksr", InnerKind::OneOf(process::STATE_KEYS), false, process::state, None),
    keyed("stat", InnerKind::Word, false, process::statistic, None),
    keyed("sel", InnerKind::Word, false, process::select, None),
    keyed("K", InnerKind::OneOf(process::SYMBOL_KEYS), false, process::symbol, None),
    keyed("ccp", InnerKind::Word, false, process::custom, Some(process::write_custom)),
    noted("err.class", InnerKind::None, process::never, None, "null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    noted("err.level", InnerKind::None, process::never, None, "null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    noted("err.info", InnerKind::None, process::never, None, "null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    noted("err.rcode", InnerKind::None, process::never, None, "null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    noted("err.rreason", InnerKind::None, process::never, None, "null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    plain("true", |_, _, _| Value::Integer(1)),
    keyed("_s", InnerKind::Format, false, |_, inner, _| Value::text(inner.word()), None),
    constant("En", |_, _, _| Value::text("\n")),
    constant("Er", |_, _, _| Value::text("\r")),
    constant("Es", |_, _, _| Value::text(" ")),
    constant("Et", |_, _, _| Value::text("\t")),
    constant("Ec", |_, _, _| Value::text(",")),
    constant("Eq", |_, _, _| Value::text("\"")),
    constant("Ek", |_, _, _| Value::text("'")),
    constant("Ei", |_, _, _| Value::text(":")),
    constant("Ej", |_, _, _| Value::text(";")),
    constant("Eb", |_, _, _| Value::text("\\")),
    constant("Ev", |_, _, _| Value::text("`")),
];

const fn function(name: &'static str, arguments: &'static [Kind], call: fn(&mut Worker, &[Argument]) -> Flow) -> Function<Worker> {
    let count = arguments.len() as u8;
    Function { name, arity: (count, count), arguments, routes: Routes::ANY, call, note: "" }
}

static FUNCTIONS: &[Function<Worker>] = &[
    function("pv_isset", &[Kind::Variable], functions::is_set),
    function("pv_unset", &[Kind::Variable], functions::unset),
    function("is_int", &[Kind::Variable], functions::is_integer),
    function("typeof", &[Kind::Variable, Kind::Plain], functions::type_of),
    function("not_empty", &[Kind::Variable], functions::not_empty),
    function("pv_evalx", &[Kind::Variable, Kind::Format], functions::evaluate_twice),
    function("pv_xavp_print", &[], list::print_xavp),
    function("pv_xavu_print", &[], list::print_xavu),
    function("pv_xavi_print", &[], list::print_xavi),
    function("pv_var_to_xavp", &[Kind::Format, Kind::Format], list::variables_to_list),
    function("pv_xavp_to_var", &[Kind::Format], list::list_to_variables),
    function("xavp_copy", &[Kind::Format, Kind::Integer, Kind::Format], list::copy),
    function("xavp_copy", &[Kind::Format, Kind::Integer, Kind::Format, Kind::Integer], list::copy),
    function("xavp_slist_explode", &[Kind::Format, Kind::Format, Kind::Format, Kind::Format], list::list_explode),
    function("xavp_params_explode", &[Kind::Format, Kind::Format], list::params_explode),
    function("xavp_xparams_explode", &[Kind::Format, Kind::Format, Kind::Format], list::separated_params_explode),
    function("xavp_params_implode", &[Kind::Format, Kind::Plain], list::params_implode),
    function("xavp_params_implode_qval", &[Kind::Format, Kind::Plain], list::params_implode_quoted),
    function("xavu_params_explode", &[Kind::Format, Kind::Format], list::unique_explode),
    function("xavu_params_implode", &[Kind::Format, Kind::Plain], list::unique_implode),
    function("xavp_child_seti", &[Kind::Format, Kind::Format, Kind::Integer], |worker, arguments| {
        list::set_integer(worker, arguments, List::Exact)
    }),
    function("xavp_child_sets", &[Kind::Format, Kind::Format, Kind::Format], |worker, arguments| {
        list::set_text(worker, arguments, List::Exact)
    }),
    function("xavp_rm", &[Kind::Format], |worker, arguments| list::remove(worker, arguments, List::Exact)),
    function("xavp_rm_all", &[Kind::Format], |worker, arguments| list::remove_all(worker, arguments, List::Exact)),
    function("xavp_child_rm", &[Kind::Format, Kind::Format], |worker, arguments| list::remove_child(worker, arguments, List::Exact)),
    function("xavi_child_seti", &[Kind::Format, Kind::Format, Kind::Integer], |worker, arguments| {
        list::set_integer(worker, arguments, List::IgnoreCase)
    }),
    function("xavi_child_sets", &[Kind::Format, Kind::Format, Kind::Format], |worker, arguments| {
        list::set_text(worker, arguments, List::IgnoreCase)
    }),
    function("xavi_rm", &[Kind::Format], |worker, arguments| list::remove(worker, arguments, List::IgnoreCase)),
    function("xavi_rm_all", &[Kind::Format], |worker, arguments| list::remove_all(worker, arguments, List::IgnoreCase)),
    function("xavi_child_rm", &[Kind::Format, Kind::Format], |worker, arguments| list::remove_child(worker, arguments, List::IgnoreCase)),
    function("xavp_lshift", &[Kind::Format, Kind::Integer], list::shift_left),
    function("sbranch_set_ruri", &[], branch::set_request_uri),
    function("sbranch_append", &[], branch::append_static),
    function("sbranch_reset", &[], branch::reset_static),
    Function {
        name: "xavp_push_dst",
        arity: (1, 1),
        arguments: &[Kind::Format],
        routes: Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE),
        call: list::push_destinations,
        note: "",
    },
];

static PARAMETERS: &[Parameter] = &[
    Parameter { name: "shvset", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "varset", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
    Parameter { name: "avp_aliases", kind: ParameterKind::Texts, default: Default::Unset, note: "" },
];

static COMMANDS: &[Command] = &[
    Command { name: "pv.shvGet", help: "Shared variables, or one of them.", is_array: false, run: rpc::get },
    Command { name: "pv.shvSet", help: "Sets a shared variable: name, type (int or str), value.", is_array: false, run: rpc::set },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_declared_twice() {
        let mut names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
