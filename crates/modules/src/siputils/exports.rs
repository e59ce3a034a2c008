//! The export table of `siputils`.

use script::exports::{InnerKind, Kind, Parameter, Routes};

use super::{
    charging_vector, contact_encoding, contact_parameter, date, identity, message_tests, options, telephone, text_tests, uri_parameters,
    uri_tests,
};
use crate::literals::{self, Check};
use crate::registry::{Function, Module, Variable};

const REQUEST: Routes = Routes::REQUEST;
const SENDING: Routes = Routes::REQUEST.or(Routes::BRANCH).or(Routes::FAILURE);
const WITH_REPLY: Routes = Routes::REQUEST.or(Routes::ONREPLY);
const LOCAL: Routes = Routes::REQUEST.or(Routes::LOCAL);

const ONE: &[Kind] = &[Kind::Format];
const TWO: &[Kind] = &[Kind::Format, Kind::Format];

/// Everything `siputils` declares.
pub static MODULE: Module = Module {
    name: "siputils",
    checks: &[
        Check { function: "get_uri_param", examine: literals::destination::<1> },
        Check { function: "tel2sip", examine: literals::destination::<2> },
    ],
    functions: &[
        Function::new("options_reply", 0..=0, &[], options::options_reply).routes(REQUEST),
        Function::new("is_user", 1..=1, ONE, message_tests::is_user).routes(LOCAL),
        Function::new("has_totag", 0..=0, &[], message_tests::has_totag),
        Function::new("uri_param", 1..=2, TWO, uri_parameters::uri_param).routes(SENDING),
        Function::new("uri_param_any", 1..=1, ONE, uri_parameters::uri_param_any).routes(SENDING),
        Function::new("add_uri_param", 1..=1, &[Kind::Plain], uri_parameters::add_uri_param).routes(REQUEST),
        Function::new("get_uri_param", 2..=2, &[Kind::Plain, Kind::Variable], uri_parameters::get_uri_param).routes(LOCAL),
        Function::new("uri_param_rm", 1..=1, ONE, uri_parameters::uri_param_rm).routes(SENDING),
        Function::new("tel2sip", 3..=3, &[Kind::Format, Kind::Format, Kind::Variable], telephone::tel2sip)
            .routes(SENDING.or(Routes::ONREPLY)),
        Function::new("tel2sip2", 3..=3, &[Kind::Format, Kind::Format, Kind::Variable], telephone::tel2sip)
            .routes(SENDING.or(Routes::ONREPLY)),
        Function::new("is_uri", 1..=1, ONE, uri_tests::is_uri),
        Function::new("is_e164", 1..=1, &[Kind::Variable], uri_tests::is_e164).routes(LOCAL.or(Routes::FAILURE)),
        Function::new("is_uri_user_e164", 1..=1, &[Kind::Variable], uri_tests::is_uri_user_e164),
        Function::new("encode_contact", 2..=2, &[Kind::Plain, Kind::Plain], contact_encoding::encode_contact).routes(WITH_REPLY),
        Function::new("decode_contact", 0..=0, &[], contact_encoding::decode_contact).routes(REQUEST),
        Function::new("decode_contact_header", 0..=0, &[], contact_encoding::decode_contact_header).routes(WITH_REPLY.or(Routes::FAILURE)),
        Function::new("cmp_uri", 2..=2, TWO, uri_tests::cmp_uri),
        Function::new("cmp_aor", 2..=2, TWO, uri_tests::cmp_aor),
        Function::new("cmp_hdr_name", 2..=2, TWO, text_tests::cmp_hdr_name),
        Function::new("is_rpid_user_e164", 0..=0, &[], identity::is_rpid_user_e164).routes(REQUEST),
        Function::new("append_rpid_hf", 0..=0, &[], identity::append_rpid_hf).routes(SENDING),
        Function::new("append_rpid_hf", 2..=2, &[Kind::Plain, Kind::Plain], identity::append_rpid_hf).routes(SENDING),
        Function::new("set_uri_user", 2..=2, &[Kind::Variable, Kind::Format], uri_tests::set_uri_user),
        Function::new("set_uri_host", 2..=2, &[Kind::Variable, Kind::Format], uri_tests::set_uri_host),
        Function::new("is_request", 0..=0, &[], message_tests::is_request),
        Function::new("is_reply", 0..=0, &[], message_tests::is_reply),
        Function::new("is_sip", 0..=0, &[], message_tests::is_sip),
        Function::new("is_http", 0..=0, &[], message_tests::is_http),
        Function::new("is_gruu", 0..=1, ONE, uri_tests::is_gruu),
        Function::new("is_supported", 1..=1, &[Kind::Plain], message_tests::is_supported),
        Function::new("is_first_hop", 0..=1, &[Kind::Integer], message_tests::is_first_hop),
        Function::new("is_tel_number", 1..=1, ONE, text_tests::is_tel_number),
        Function::new("is_numeric", 1..=1, ONE, text_tests::is_numeric),
        Function::new("is_alphanum", 1..=1, ONE, text_tests::is_alphanum),
        Function::new("is_alphanumex", 2..=2, TWO, text_tests::is_alphanumex),
        Function::new("sip_p_charging_vector", 1..=1, ONE, charging_vector::sip_p_charging_vector),
        Function::new("contact_param_encode", 2..=2, TWO, contact_parameter::contact_param_encode).routes(WITH_REPLY),
        Function::new("contact_param_encode_alias", 2..=2, TWO, contact_parameter::contact_param_encode_alias).routes(WITH_REPLY),
        Function::new("contact_param_decode", 1..=1, ONE, contact_parameter::contact_param_decode).routes(WITH_REPLY),
        Function::new("contact_param_decode_ruri", 1..=1, ONE, contact_parameter::contact_param_decode_ruri).routes(REQUEST),
        Function::new("contact_param_rm", 1..=1, ONE, contact_parameter::contact_param_rm).routes(WITH_REPLY),
        Function::new("contact_param_check", 1..=1, ONE, contact_parameter::contact_param_check),
        Function::new("hdr_date_check", 1..=1, &[Kind::Integer], date::hdr_date_check),
        Function::new("sip_parse_headers", 0..=0, &[], message_tests::sip_parse_headers),
    ],
    variables: &[
        Variable::new("pcv", charging_vector::variable).inner(InnerKind::OneOf(&["all", "value", "genaddr", "orig", "term", "status"]))
    ],
    parameters: &[
        Parameter::text("options_accept", "*/*"),
        Parameter::text("options_accept_encoding", ""),
        Parameter::text("options_accept_language", "en"),
        Parameter::text("options_support", ""),
        Parameter::text("contact_flds_separator", "*"),
        Parameter::text("rpid_prefix", ""),
        Parameter::text("rpid_suffix", ";party=calling;id-type=subscriber;screen=yes"),
        Parameter::text("rpid_avp", "$avp(s:rpid)"),
        Parameter::integer("e164_max_len", 16),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
