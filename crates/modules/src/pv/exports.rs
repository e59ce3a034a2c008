//! The export table of `pv`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};
use script::value::Value;
use sip::HeaderId;

use super::address::{self, Field, Side};
use super::flags::{self, Set};
use super::list_functions::{self as list, List};
use super::uri::{self, Part};
use super::via::{self, Which};
use super::{branch, credentials, functions, header, identity, lists, message, network, process, rpc, script_variables, shared, time};
use crate::registry::{Function, Module, Variable};
use crate::rpc::Command;

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

static VARIABLES: &[Variable] = &[
    Variable::new("rm", message::method),
    Variable::new("rmid", message::method_number),
    Variable::new("rs", message::status),
    Variable::new("rsi", message::status_integer),
    Variable::new("rr", message::reason),
    Variable::new("rv", message::version),
    Variable::new("mt", message::kind),
    Variable::new("mts", message::kind_text),
    Variable::new("mi", message::identifier),
    Variable::new("ml", message::message_length),
    Variable::new("mb", message::buffer),
    Variable::new("mbu", message::buffer_with_edits),
    Variable::new("rb", message::body),
    Variable::new("bs", message::body_size),
    Variable::new("ci", message::call_id),
    Variable::new("cs", message::cseq_number),
    Variable::new("cl", message::content_length),
    Variable::new("csb", |worker, _, _| message::header(worker, HeaderId::CSeq)),
    Variable::new("cT", |worker, _, _| message::header(worker, HeaderId::ContentType)),
    Variable::new("ct", |worker, _, _| message::header(worker, HeaderId::Contact)),
    Variable::new("ua", |worker, _, _| message::header(worker, HeaderId::UserAgent)),
    Variable::new("ctu", message::contact_uri),
    Variable::new("cts", message::contact_star),
    Variable::new("msg", message::message_key).inner(InnerKind::OneOf(message::MESSAGE_KEYS)),
    Variable::new("msgbuf", message::byte_at).inner(InnerKind::Format).writable(message::write_byte_at),
    Variable::new("ru", |worker, _, _| uri::part(worker, uri::current(worker), Part::Whole)).writable(uri::write_whole),
    Variable::new("ruri", |worker, _, _| uri::part(worker, uri::current(worker), Part::Whole)).writable(uri::write_whole),
    Variable::new("rU", |worker, _, _| uri::part(worker, uri::current(worker), Part::User)).writable(uri::write_user),
    Variable::new("ruri.user", |worker, _, _| uri::part(worker, uri::current(worker), Part::User)).writable(uri::write_user),
    Variable::new("rd", |worker, _, _| uri::part(worker, uri::current(worker), Part::Host)).writable(uri::write_host),
    Variable::new("ruri.domain", |worker, _, _| uri::part(worker, uri::current(worker), Part::Host)).writable(uri::write_host),
    Variable::new("rp", |worker, _, _| uri::part(worker, uri::current(worker), Part::Port)).writable(uri::write_port),
    Variable::new("rP", |worker, _, _| uri::part(worker, uri::current(worker), Part::Transport)),
    Variable::new("rz", |worker, _, _| uri::part(worker, uri::current(worker), Part::Scheme)),
    Variable::new("rul", |worker, _, _| uri::part(worker, uri::current(worker), Part::Length)),
    Variable::new("rUl", |worker, _, _| uri::part(worker, uri::current(worker), Part::UserLength)),
    Variable::new("ou", |worker, _, _| uri::part(worker, uri::original(worker), Part::Whole)),
    Variable::new("ouri", |worker, _, _| uri::part(worker, uri::original(worker), Part::Whole)),
    Variable::new("oU", |worker, _, _| uri::part(worker, uri::original(worker), Part::User)),
    Variable::new("od", |worker, _, _| uri::part(worker, uri::original(worker), Part::Host)),
    Variable::new("op", |worker, _, _| uri::part(worker, uri::original(worker), Part::Port)),
    Variable::new("oP", |worker, _, _| uri::part(worker, uri::original(worker), Part::Transport)),
    Variable::new("oUl", |worker, _, _| uri::part(worker, uri::original(worker), Part::UserLength)),
    Variable::new("du", |worker, _, _| uri::part(worker, uri::next_hop(worker), Part::Whole)).writable(uri::write_next_hop),
    Variable::new("duri", |worker, _, _| uri::part(worker, uri::next_hop(worker), Part::Whole)).writable(uri::write_next_hop),
    Variable::new("dd", |worker, _, _| uri::next_hop_part(worker, Part::Host)),
    Variable::new("dp", |worker, _, _| uri::next_hop_part(worker, Part::Port)),
    Variable::new("dP", |worker, _, _| uri::next_hop_part(worker, Part::Transport)),
    Variable::new("nh", uri::next_hop_key).inner(InnerKind::OneOf(uri::NEXT_HOP_KEYS)),
    Variable::new("fu", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::Whole))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::Uri, &value)),
    Variable::new("from", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::Whole))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::Uri, &value)),
    Variable::new("fU", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::User))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::User, &value)),
    Variable::new("from.user", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::User))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::User, &value)),
    Variable::new("fd", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::Host))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::Host, &value)),
    Variable::new("from.domain", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::Host))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::Host, &value)),
    Variable::new("fn", |worker, _, _| address::display(worker, Side::From))
        .writable(|worker, _, _, value| address::write(worker, Side::From, Field::Display, &value)),
    Variable::new("ft", |worker, _, _| address::tag(worker, Side::From)),
    Variable::new("fUl", |worker, _, _| uri::part(worker, address::uri(worker, Side::From), Part::UserLength)),
    Variable::new("tu", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::Whole))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::Uri, &value)),
    Variable::new("to", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::Whole))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::Uri, &value)),
    Variable::new("tU", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::User))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::User, &value)),
    Variable::new("to.user", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::User))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::User, &value)),
    Variable::new("td", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::Host))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::Host, &value)),
    Variable::new("to.domain", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::Host))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::Host, &value)),
    Variable::new("tn", |worker, _, _| address::display(worker, Side::To))
        .writable(|worker, _, _, value| address::write(worker, Side::To, Field::Display, &value)),
    Variable::new("tt", |worker, _, _| address::tag(worker, Side::To)),
    Variable::new("tUl", |worker, _, _| uri::part(worker, address::uri(worker, Side::To), Part::UserLength)),
    Variable::new("ful", |worker, _, _| address::uri_length(worker, Side::From)),
    Variable::new("tts", |worker, _, _| address::tag_state(worker, Side::To)),
    Variable::new("hdr", header::header).inner(InnerKind::Format).indexed(),
    Variable::new("hdrc", header::header_count).inner(InnerKind::Format),
    Variable::new("hfl", header::element).inner(InnerKind::Format).indexed(),
    Variable::new("hflc", header::element_count).inner(InnerKind::Format),
    Variable::new("expires", header::expires).inner(InnerKind::OneOf(header::EXPIRES_KEYS)),
    Variable::new("si", |worker, _, _| network::ip(Some(network::source(worker)))),
    Variable::new("src_ip", |worker, _, _| network::ip(Some(network::source(worker)))),
    Variable::new("siz", |worker, _, _| network::ip_bracketed(Some(network::source(worker)))),
    Variable::new("sp", |worker, _, _| network::port(Some(network::source(worker)))),
    Variable::new("su", |worker, _, _| network::uri(Some(network::source(worker)))),
    Variable::new("sut", |worker, _, _| network::full_uri(Some(network::source(worker)))),
    Variable::new("sas", |worker, _, _| network::socket_text(Some(network::source(worker)))),
    Variable::new("Ri", |worker, _, _| network::ip(network::received_at(worker))),
    Variable::new("Rp", |worker, _, _| network::port(network::received_at(worker))),
    Variable::new("Ru", |worker, _, _| network::uri(network::received_at(worker))),
    Variable::new("Rut", |worker, _, _| network::full_uri(network::received_at(worker))),
    Variable::new("Ras", |worker, _, _| network::socket_text(network::received_at(worker))),
    Variable::new("Rn", network::socket_name),
    Variable::new("RAi", network::advertised_ip),
    Variable::new("RAp", network::advertised_port),
    Variable::new("RAu", network::advertised_uri),
    Variable::new("RAut", network::advertised_full_uri),
    Variable::new("pr", network::protocol),
    Variable::new("proto", network::protocol),
    Variable::new("prid", network::protocol_identifier),
    Variable::new("conid", network::connection),
    Variable::new("af", network::address_family).inner(InnerKind::OneOf(network::FAMILY_KEYS)),
    Variable::new("fs", network::forced_socket).writable(network::write_forced_socket),
    Variable::new("fsn", network::forced_name).writable(network::write_forced_name),
    Variable::new("fsp", network::forced_port),
    Variable::new("rcv", network::received)
        .inner(InnerKind::OneOf(network::RECEIVED_KEYS))
        .indexed()
        .writable(network::write_received)
        .note("bufat and hexat take an index, as in $(rcv(bufat)[3]); evtype is null"),
    Variable::new("recv", network::received)
        .inner(InnerKind::OneOf(network::RECEIVED_KEYS))
        .indexed()
        .writable(network::write_received)
        .note("bufat and hexat take an index, as in $(rcv(bufat)[3]); evtype is null"),
    Variable::new("snd", network::sending_to).inner(InnerKind::OneOf(network::SENDING_KEYS)),
    Variable::new("sndto", network::sending_to).inner(InnerKind::OneOf(network::SENDING_KEYS)),
    Variable::new("sndfrom", network::sending_from).inner(InnerKind::OneOf(network::SENDING_KEYS)),
    Variable::new("rpl", network::reply_key).inner(InnerKind::OneOf(network::REPLY_KEYS)),
    Variable::new("via0", |worker, inner, _| via::key(worker, Which::First, inner)).inner(InnerKind::OneOf(via::KEYS)),
    Variable::new("via1", |worker, inner, _| via::key(worker, Which::Second, inner)).inner(InnerKind::OneOf(via::KEYS)),
    Variable::new("viaZ", |worker, inner, _| via::key(worker, Which::Last, inner)).inner(InnerKind::OneOf(via::KEYS)),
    Variable::new("branch", branch::read).inner(InnerKind::OneOf(branch::KEYS)).indexed().writable(branch::write),
    Variable::new("sbranch", branch::read_static).inner(InnerKind::OneOf(branch::KEYS)).writable(branch::write_static),
    Variable::new("br", branch::first).writable(branch::write_first),
    Variable::new("bR", branch::all),
    Variable::new("ds", branch::destination_set),
    Variable::new("ruid", process::record_identifier),
    Variable::new("location_ua", process::location_user_agent),
    Variable::new("mf", |worker, _, _| flags::number(worker, Set::Message))
        .writable(|worker, _, _, value| flags::write(worker, Set::Message, &value)),
    Variable::new("mF", |worker, _, _| flags::digits(worker, Set::Message))
        .writable(|worker, _, _, value| flags::write(worker, Set::Message, &value)),
    Variable::new("Mf", |worker, inner, index| flags::one(worker, Set::Message, inner, index))
        .inner(InnerKind::Format)
        .writable(|worker, inner, _, value| flags::write_one(worker, Set::Message, inner, &value)),
    Variable::new("sf", |worker, _, _| flags::number(worker, Set::Script))
        .writable(|worker, _, _, value| flags::write(worker, Set::Script, &value)),
    Variable::new("sF", |worker, _, _| flags::digits(worker, Set::Script))
        .writable(|worker, _, _, value| flags::write(worker, Set::Script, &value)),
    Variable::new("Sf", |worker, inner, index| flags::one(worker, Set::Script, inner, index))
        .inner(InnerKind::Format)
        .writable(|worker, inner, _, value| flags::write_one(worker, Set::Script, inner, &value)),
    Variable::new("bf", |worker, _, _| flags::number(worker, Set::Branch))
        .writable(|worker, _, _, value| flags::write(worker, Set::Branch, &value)),
    Variable::new("bF", |worker, _, _| flags::digits(worker, Set::Branch))
        .writable(|worker, _, _, value| flags::write(worker, Set::Branch, &value)),
    Variable::new("Bf", |worker, inner, index| flags::one(worker, Set::Branch, inner, index))
        .inner(InnerKind::Format)
        .writable(|worker, inner, _, value| flags::write_one(worker, Set::Branch, inner, &value)),
    Variable::new("avp", lists::avp).inner(InnerKind::Format).indexed().writable(lists::write_avp),
    Variable::new("xavp", lists::xavp).inner(InnerKind::Xavp).writable(lists::write_xavp),
    Variable::new("xavu", lists::xavu).inner(InnerKind::Xavp).writable(lists::write_xavu),
    Variable::new("xavi", lists::xavi).inner(InnerKind::Xavp).writable(lists::write_xavi),
    Variable::new("cnt", lists::count).inner(InnerKind::Word),
    Variable::new("var", script_variables::read)
        .inner(InnerKind::Word)
        .writable(script_variables::write)
        .note("starts anew for each message"),
    Variable::new("vz", script_variables::read)
        .inner(InnerKind::Word)
        .writable(script_variables::write)
        .note("starts anew for each message"),
    Variable::new("vn", script_variables::read_null)
        .inner(InnerKind::Word)
        .writable(script_variables::write_null)
        .note("starts anew for each message"),
    Variable::new("shv", shared::read).inner(InnerKind::Word).writable(shared::write),
    Variable::new("shvinc", shared::increment).inner(InnerKind::Word),
    Variable::new("au", |worker, _, _| credentials::user(worker)),
    Variable::new("ad", |worker, _, _| credentials::domain(worker)),
    Variable::new("aU", |worker, _, _| credentials::field(worker, |credentials| credentials.username)),
    Variable::new("ar", |worker, _, _| credentials::field(worker, |credentials| credentials.realm)),
    Variable::new("adu", |worker, _, _| credentials::field(worker, |credentials| credentials.uri)),
    Variable::new("aa", |worker, _, _| credentials::field(worker, |credentials| credentials.algorithm)),
    Variable::new("adn", |worker, _, _| credentials::field(worker, |credentials| credentials.nonce)),
    Variable::new("adc", |worker, _, _| credentials::field(worker, |credentials| credentials.cnonce)),
    Variable::new("adr", |worker, _, _| credentials::field(worker, |credentials| credentials.response)),
    Variable::new("ado", |worker, _, _| credentials::field(worker, |credentials| credentials.opaque)),
    Variable::new("Au", |worker, _, _| credentials::accounting(worker, true)),
    Variable::new("AU", |worker, _, _| credentials::accounting(worker, false)),
    Variable::new("ai", identity::asserted).indexed(),
    Variable::new("pu", |worker, _, index| identity::preferred(worker, index, Part::Whole)).indexed(),
    Variable::new("pU", |worker, _, index| identity::preferred(worker, index, Part::User)).indexed(),
    Variable::new("pd", |worker, _, index| identity::preferred(worker, index, Part::Host)).indexed(),
    Variable::new("pn", identity::preferred_display).indexed(),
    Variable::new("re", |worker, _, _| identity::uri(worker, HeaderId::RemotePartyId)),
    Variable::new("rt", |worker, _, _| identity::uri(worker, HeaderId::ReferTo)),
    Variable::new("di", |worker, _, _| identity::uri(worker, HeaderId::Diversion)),
    Variable::new("dir", |worker, _, _| identity::diversion_param(worker, b"reason")),
    Variable::new("dip", |worker, _, _| identity::diversion_param(worker, b"privacy")),
    Variable::new("dic", |worker, _, _| identity::diversion_param(worker, b"counter")),
    Variable::new("Ts", time::seconds),
    Variable::new("TS", time::seconds),
    Variable::new("Tf", time::text),
    Variable::new("TF", time::text),
    Variable::new("Tb", time::started),
    Variable::new("TV", time::value_key).inner(InnerKind::OneOf(time::VALUE_KEYS)),
    Variable::new("time", time::local_key).inner(InnerKind::OneOf(time::CALENDAR_KEYS)),
    Variable::new("utime", time::universal_key).inner(InnerKind::OneOf(time::CALENDAR_KEYS)),
    Variable::new("timef", time::local_format).inner(InnerKind::Word),
    Variable::new("utimef", time::universal_format).inner(InnerKind::Word),
    Variable::new("pp", process::identifier),
    Variable::new("sid", process::server_identifier),
    Variable::new("version", process::version).inner(InnerKind::OneOf(process::VERSION_KEYS)),
    Variable::new("ksr", process::state).inner(InnerKind::OneOf(process::STATE_KEYS)),
    Variable::new("stat", process::statistic).inner(InnerKind::Word),
    Variable::new("sel", process::select).inner(InnerKind::Word),
    Variable::new("K", process::symbol).inner(InnerKind::OneOf(process::SYMBOL_KEYS)),
    Variable::new("ccp", process::custom).inner(InnerKind::Word).writable(process::write_custom),
    Variable::new("err.class", process::never).note("null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    Variable::new("err.level", process::never).note("null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    Variable::new("err.info", process::never).note("null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    Variable::new("err.rcode", process::never).note("null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    Variable::new("err.rreason", process::never).note("null, also in event_route[core:receive-parse-error], as in 5.6.3"),
    Variable::new("true", |_, _, _| Value::Integer(1)),
    Variable::new("_s", |_, inner, _| Value::text(inner.word())).inner(InnerKind::Format),
    Variable::new("En", |_, _, _| Value::text("\n")),
    Variable::new("Er", |_, _, _| Value::text("\r")),
    Variable::new("Es", |_, _, _| Value::text(" ")),
    Variable::new("Et", |_, _, _| Value::text("\t")),
    Variable::new("Ec", |_, _, _| Value::text(",")),
    Variable::new("Eq", |_, _, _| Value::text("\"")),
    Variable::new("Ek", |_, _, _| Value::text("'")),
    Variable::new("Ei", |_, _, _| Value::text(":")),
    Variable::new("Ej", |_, _, _| Value::text(";")),
    Variable::new("Eb", |_, _, _| Value::text("\\")),
    Variable::new("Ev", |_, _, _| Value::text("`")),
];

static FUNCTIONS: &[Function] = &[
    Function::new("pv_isset", 1..=1, &[Kind::Variable], functions::is_set),
    Function::new("pv_unset", 1..=1, &[Kind::Variable], functions::unset),
    Function::new("is_int", 1..=1, &[Kind::Variable], functions::is_integer),
    Function::new("typeof", 2..=2, &[Kind::Variable, Kind::Plain], functions::type_of),
    Function::new("not_empty", 1..=1, &[Kind::Variable], functions::not_empty),
    Function::new("pv_evalx", 2..=2, &[Kind::Variable, Kind::Format], functions::evaluate_twice),
    Function::new("pv_xavp_print", 0..=0, &[], list::print_xavp),
    Function::new("pv_xavu_print", 0..=0, &[], list::print_xavu),
    Function::new("pv_xavi_print", 0..=0, &[], list::print_xavi),
    Function::new("pv_var_to_xavp", 2..=2, &[Kind::Format, Kind::Format], list::variables_to_list),
    Function::new("pv_xavp_to_var", 1..=1, &[Kind::Format], list::list_to_variables),
    Function::new("xavp_copy", 3..=3, &[Kind::Format, Kind::Integer, Kind::Format], list::copy),
    Function::new("xavp_copy", 4..=4, &[Kind::Format, Kind::Integer, Kind::Format, Kind::Integer], list::copy),
    Function::new("xavp_slist_explode", 4..=4, &[Kind::Format, Kind::Format, Kind::Format, Kind::Format], list::list_explode),
    Function::new("xavp_params_explode", 2..=2, &[Kind::Format, Kind::Format], list::params_explode),
    Function::new("xavp_xparams_explode", 3..=3, &[Kind::Format, Kind::Format, Kind::Format], list::separated_params_explode),
    Function::new("xavp_params_implode", 2..=2, &[Kind::Format, Kind::Plain], list::params_implode),
    Function::new("xavp_params_implode_qval", 2..=2, &[Kind::Format, Kind::Plain], list::params_implode_quoted),
    Function::new("xavu_params_explode", 2..=2, &[Kind::Format, Kind::Format], list::unique_explode),
    Function::new("xavu_params_implode", 2..=2, &[Kind::Format, Kind::Plain], list::unique_implode),
    Function::new("xavp_child_seti", 3..=3, &[Kind::Format, Kind::Format, Kind::Integer], |worker, arguments| {
        list::set_integer(worker, arguments, List::Exact)
    }),
    Function::new("xavp_child_sets", 3..=3, &[Kind::Format, Kind::Format, Kind::Format], |worker, arguments| {
        list::set_text(worker, arguments, List::Exact)
    }),
    Function::new("xavp_rm", 1..=1, &[Kind::Format], |worker, arguments| list::remove(worker, arguments, List::Exact)),
    Function::new("xavp_rm_all", 1..=1, &[Kind::Format], |worker, arguments| list::remove_all(worker, arguments, List::Exact)),
    Function::new("xavp_child_rm", 2..=2, &[Kind::Format, Kind::Format], |worker, arguments| {
        list::remove_child(worker, arguments, List::Exact)
    }),
    Function::new("xavi_child_seti", 3..=3, &[Kind::Format, Kind::Format, Kind::Integer], |worker, arguments| {
        list::set_integer(worker, arguments, List::IgnoreCase)
    }),
    Function::new("xavi_child_sets", 3..=3, &[Kind::Format, Kind::Format, Kind::Format], |worker, arguments| {
        list::set_text(worker, arguments, List::IgnoreCase)
    }),
    Function::new("xavi_rm", 1..=1, &[Kind::Format], |worker, arguments| list::remove(worker, arguments, List::IgnoreCase)),
    Function::new("xavi_rm_all", 1..=1, &[Kind::Format], |worker, arguments| list::remove_all(worker, arguments, List::IgnoreCase)),
    Function::new("xavi_child_rm", 2..=2, &[Kind::Format, Kind::Format], |worker, arguments| {
        list::remove_child(worker, arguments, List::IgnoreCase)
    }),
    Function::new("xavp_lshift", 2..=2, &[Kind::Format, Kind::Integer], list::shift_left),
    Function::new("sbranch_set_ruri", 0..=0, &[], branch::set_request_uri),
    Function::new("sbranch_append", 0..=0, &[], branch::append_static),
    Function::new("sbranch_reset", 0..=0, &[], branch::reset_static),
    Function::new("xavp_push_dst", 1..=1, &[Kind::Format], list::push_destinations)
        .routes(Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE)),
];

static PARAMETERS: &[Parameter] = &[
    Parameter::unset("shvset", ParameterKind::Texts),
    Parameter::unset("varset", ParameterKind::Texts),
    Parameter::unset("avp_aliases", ParameterKind::Texts),
];

static COMMANDS: &[Command] = &[
    Command::new("pv.shvGet", "Shared variables, or one of them.", rpc::get),
    Command::new("pv.shvSet", "Sets a shared variable: name, type (int or str), value.", rpc::set),
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
