//! The export table of `siputils`.

use script::exports::{Argument, Default as ParameterDefault, Flow, Function, InnerKind, Kind, Parameter, ParameterKind, Routes, Variable};

use super::{
    charging_vector, contact_encoding, contact_parameter, date, identity, message_tests, options, telephone, text_tests, uri_parameters,
    uri_tests,
};
use crate::literals::{self, Check};
use crate::registry::Module;
use crate::worker::Worker;

const ANY: Routes = Routes::ANY;
const REQUEST: Routes = Routes::REQUEST;
const SENDING: Routes = Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE);
const WITH_REPLY: Routes = Routes::REQUEST.or(Routes::ONREPLY);
const LOCAL: Routes = Routes::REQUEST.or(Routes::LOCAL);

const ONE: &[Kind] = &[Kind::Format];
const TWO: &[Kind] = &[Kind::Format, Kind::Format];

type Call = fn(&mut Worker, &[Argument]) -> Flow;

const fn none(name: &'static str, routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity: (0, 0), arguments: &[], routes, call, note: "" }
}

const fn one(name: &'static str, routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity: (1, 1), arguments: ONE, routes, call, note: "" }
}

const fn two(name: &'static str, routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity: (2, 2), arguments: TWO, routes, call, note: "" }
}

const fn with(name: &'static str, arity: (u8, u8), arguments: &'static [Kind], routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

const fn text(name: &'static str, default: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, default: ParameterDefault::Text(default), note: "" }
}

/// Everything `siputils` declares.
pub static MODULE: Module = Module {
    name: "siputils",
    checks: &[
        Check { function: "get_uri_param", examine: literals::destination::<1> },
        Check { function: "tel2sip", examine: literals::destination::<2> },
    ],
    functions: &[
        none("options_reply", REQUEST, options::options_reply),
        one("is_user", LOCAL, message_tests::is_user),
        none("has_totag", ANY, message_tests::has_totag),
        with("uri_param", (1, 2), TWO, SENDING, uri_parameters::uri_param),
        one("uri_param_any", SENDING, uri_parameters::uri_param_any),
        with("add_uri_param", (1, 1), &[Kind::Plain], REQUEST, uri_parameters::add_uri_param),
        with("get_uri_param", (2, 2), &[Kind::Plain, Kind::Variable], LOCAL, uri_parameters::get_uri_param),
        one("uri_param_rm", SENDING, uri_parameters::uri_param_rm),
        with("tel2sip", (3, 3), &[Kind::Format, Kind::Format, Kind::Variable], SENDING.or(Routes::ONREPLY), telephone::tel2sip),
        with("tel2sip2", (3, 3), &[Kind::Format, Kind::Format, Kind::Variable], SENDING.or(Routes::ONREPLY), telephone::tel2sip),
        one("is_uri", ANY, uri_tests::is_uri),
        with("is_e164", (1, 1), &[Kind::Variable], LOCAL.or(Routes::FAILURE), uri_tests::is_e164),
        with("is_uri_user_e164", (1, 1), &[Kind::Variable], ANY, uri_tests::is_uri_user_e164),
        with("encode_contact", (2, 2), &[Kind::Plain, Kind::Plain], WITH_REPLY, contact_encoding::encode_contact),
        none("decode_contact", REQUEST, contact_encoding::decode_contact),
        none("decode_contact_header", WITH_REPLY.or(Routes::FAILURE), contact_encoding::decode_contact_header),
        two("cmp_uri", ANY, uri_tests::cmp_uri),
        two("cmp_aor", ANY, uri_tests::cmp_aor),
        two("cmp_hdr_name", ANY, text_tests::cmp_hdr_name),
        none("is_rpid_user_e164", REQUEST, identity::is_rpid_user_e164),
        none("append_rpid_hf", SENDING, identity::append_rpid_hf),
        with("append_rpid_hf", (2, 2), &[Kind::Plain, Kind::Plain], SENDING, identity::append_rpid_hf),
        with("set_uri_user", (2, 2), &[Kind::Variable, Kind::Format], ANY, uri_tests::set_uri_user),
        with("set_uri_host", (2, 2), &[Kind::Variable, Kind::Format], ANY, uri_tests::set_uri_host),
        none("is_request", ANY, message_tests::is_request),
        none("is_reply", ANY, message_tests::is_reply),
        none("is_sip", ANY, message_tests::is_sip),
        none("is_http", ANY, message_tests::is_http),
        with("is_gruu", (0, 1), ONE, ANY, uri_tests::is_gruu),
        with("is_supported", (1, 1), &[Kind::Plain], ANY, message_tests::is_supported),
        with("is_first_hop", (0, 1), &[Kind::Integer], ANY, message_tests::is_first_hop),
        one("is_tel_number", ANY, text_tests::is_tel_number),
        one("is_numeric", ANY, text_tests::is_numeric),
        one("is_alphanum", ANY, text_tests::is_alphanum),
        two("is_alphanumex", ANY, text_tests::is_alphanumex),
        one("sip_p_charging_vector", ANY, charging_vector::sip_p_charging_vector),
        two("contact_param_encode", WITH_REPLY, contact_parameter::contact_param_encode),
        two("contact_param_encode_alias", WITH_REPLY, contact_parameter::contact_param_encode_alias),
        one("contact_param_decode", WITH_REPLY, contact_parameter::contact_param_decode),
        one("contact_param_decode_ruri", REQUEST, contact_parameter::contact_param_decode_ruri),
        one("contact_param_rm", WITH_REPLY, contact_parameter::contact_param_rm),
        one("contact_param_check", ANY, contact_parameter::contact_param_check),
        with("hdr_date_check", (1, 1), &[Kind::Integer], ANY, date::hdr_date_check),
        none("sip_parse_headers", ANY, message_tests::sip_parse_headers),
    ],
    variables: &[Variable {
        name: "pcv",
        inner: InnerKind::OneOf(&["all", "value", "genaddr", "orig", "term", "status"]),
        indexed: false,
        read: charging_vector::variable,
        write: None,
        note: "",
    }],
    parameters: &[
        text("options_accept", "*/*"),
        text("options_accept_encoding", ""),
        text("options_accept_language", "en"),
        text("options_support", ""),
        text("contact_flds_separator", "*"),
        text("rpid_prefix", ""),
        text("rpid_suffix", ";party=calling;id-type=subscriber;screen=yes"),
        text("rpid_avp", "$avp(s:rpid)"),
        Parameter { name: "e164_max_len", kind: ParameterKind::Integer, default: ParameterDefault::Integer(16), note: "" },
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
