//! The export table of `textops`.

use script::exports::{Argument, Flow, Function, Kind, Routes};

use super::{body, date, headers, hold, literals, message_tests, parts, replace, search, substitute, text_tests, via};
use crate::registry::Module;
use crate::worker::Worker;

const ANY: Routes = Routes::ANY;
const SENDING: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::BRANCH);
const SENDING_AND_REPLY: Routes = SENDING.or(Routes::ONREPLY);

const REGEX: &[Kind] = &[Kind::Regex];
const REGEX_TEXT: &[Kind] = &[Kind::Regex, Kind::Plain];
const FORMAT: &[Kind] = &[Kind::Format];
const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];
const PLAIN: &[Kind] = &[Kind::Plain, Kind::Plain];

type Call = fn(&mut Worker, &[Argument]) -> Flow;

const fn function(name: &'static str, arity: (u8, u8), arguments: &'static [Kind], routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

/// Everything `textops` declares.
pub static MODULE: Module = Module {
    name: "textops",
    checks: literals::CHECKS,
    functions: &[
        function("search", (1, 1), REGEX, ANY, search::search),
        function("search_body", (1, 1), REGEX, ANY, search::search_body),
        function("search_hf", (3, 3), &[Kind::Format, Kind::Regex, Kind::Plain], ANY, search::search_hf),
        function("search_append", (2, 2), REGEX_TEXT, ANY, search::search_append),
        function("search_append_body", (2, 2), REGEX_TEXT, ANY, search::search_append_body),
        function("replace", (2, 2), REGEX_TEXT, ANY, replace::replace),
        function("replace_str", (3, 3), FORMATS, ANY, replace::replace_str),
        function("replace_body", (2, 2), REGEX_TEXT, ANY, replace::replace_body),
        function("replace_body_str", (3, 3), FORMATS, ANY, replace::replace_body_str),
        function("replace_hdrs", (2, 2), REGEX_TEXT, ANY, replace::replace_hdrs),
        function("replace_hdrs_str", (3, 3), FORMATS, ANY, replace::replace_hdrs_str),
        function("replace_all", (2, 2), REGEX_TEXT, ANY, replace::replace_all),
        function("replace_body_all", (2, 2), REGEX_TEXT, ANY, replace::replace_body_all),
        function("replace_body_atonce", (2, 2), REGEX_TEXT, ANY, replace::replace_body_atonce),
        Function {
            name: "append_to_reply",
            arity: (1, 1),
            arguments: FORMAT,
            routes: SENDING,
            call: headers::append_to_reply,
            note: "a missing line end is added",
        },
        Function {
            name: "append_hf",
            arity: (1, 2),
            arguments: &[Kind::Format, Kind::Plain],
            routes: ANY,
            call: headers::append_hf,
            note: "a missing line end is added",
        },
        Function {
            name: "insert_hf",
            arity: (1, 2),
            arguments: &[Kind::Format, Kind::Plain],
            routes: ANY,
            call: headers::insert_hf,
            note: "a missing line end is added",
        },
        Function {
            name: "append_urihf",
            arity: (2, 2),
            arguments: PLAIN,
            routes: SENDING,
            call: headers::append_urihf,
            note: "a missing line end is added",
        },
        function("remove_hf", (1, 1), &[Kind::Plain], ANY, headers::remove_hf),
        function("remove_hf_idx", (2, 2), &[Kind::Format, Kind::Integer], ANY, headers::remove_hf_idx),
        function("remove_hf_re", (1, 1), REGEX, ANY, headers::remove_hf_re),
        function("remove_hf_exp", (2, 2), &[Kind::Regex, Kind::Regex], ANY, headers::remove_hf_exp),
        function("is_present_hf", (1, 1), &[Kind::Plain], ANY, headers::is_present_hf),
        function("is_present_hf_re", (1, 1), REGEX, ANY, headers::is_present_hf_re),
        function("remove_hf_pv", (1, 1), FORMAT, ANY, headers::remove_hf_pv),
        function("remove_hf_re_pv", (1, 1), FORMAT, ANY, headers::remove_hf_re),
        function("remove_hf_exp_pv", (2, 2), FORMATS, ANY, headers::remove_hf_exp),
        function("remove_hf_match", (3, 3), FORMATS, ANY, headers::remove_hf_match),
        function("is_present_hf_pv", (1, 1), FORMAT, ANY, headers::is_present_hf),
        function("is_present_hf_re_pv", (1, 1), FORMAT, ANY, headers::is_present_hf_re),
        function("subst", (1, 1), &[Kind::Substitution], ANY, substitute::subst),
        function("subst_uri", (1, 1), &[Kind::Substitution], SENDING_AND_REPLY, substitute::subst_uri),
        function("subst_user", (1, 1), &[Kind::Substitution], SENDING_AND_REPLY, substitute::subst_user),
        function("subst_body", (1, 1), &[Kind::Substitution], ANY, substitute::subst_body),
        function("subst_hf", (3, 3), &[Kind::Format, Kind::Substitution, Kind::Plain], ANY, substitute::subst_hf),
        function("subst_v", (3, 3), &[Kind::Format, Kind::Format, Kind::Variable], ANY, substitute::subst_v),
        function("filter_body", (1, 1), &[Kind::Plain], ANY, parts::filter_body),
        function("append_time", (0, 0), &[], SENDING, date::append_time),
        function("set_body", (2, 2), FORMATS, SENDING_AND_REPLY, body::set_body),
        function("set_body_hex", (2, 2), FORMATS, ANY, body::set_body_hex),
        function("set_reply_body", (2, 2), FORMATS, SENDING, body::set_reply_body),
        function("set_reply_body_hex", (2, 2), FORMATS, SENDING, body::set_reply_body_hex),
        function("is_method", (1, 1), &[Kind::Plain], ANY, message_tests::is_method),
        function("has_body", (0, 1), &[Kind::Plain], ANY, message_tests::has_body),
        function("is_privacy", (1, 1), &[Kind::Plain], ANY, message_tests::is_privacy),
        function("in_list", (3, 3), FORMATS, ANY, text_tests::in_list),
        function("in_list_prefix", (3, 3), FORMATS, ANY, text_tests::in_list_prefix),
        function("cmp_str", (2, 2), FORMATS, ANY, text_tests::cmp_str),
        function("cmp_istr", (2, 2), FORMATS, ANY, text_tests::cmp_istr),
        function("search_str", (2, 2), FORMATS, ANY, search::search_str),
        function("starts_with", (2, 2), FORMATS, ANY, text_tests::starts_with),
        function("ends_with", (2, 2), FORMATS, ANY, text_tests::ends_with),
        function("str_find", (2, 2), FORMATS, ANY, text_tests::str_find),
        function("str_ifind", (2, 2), FORMATS, ANY, text_tests::str_ifind),
        function("str_any_in", (2, 2), FORMATS, ANY, text_tests::str_any_in),
        function("str_all_in", (2, 2), FORMATS, ANY, text_tests::str_all_in),
        function("is_audio_on_hold", (0, 0), &[], ANY, hold::is_audio_on_hold),
        function("append_time_to_request", (0, 0), &[], ANY, date::append_time_to_request),
        function("via_param_rm", (2, 2), &[Kind::Format, Kind::Integer], ANY, via::via_param_rm),
        function("set_body_multipart", (0, 3), FORMATS, SENDING, parts::set_body_multipart),
        function("append_body_part", (2, 3), FORMATS, SENDING, parts::append_body_part),
        function("append_body_part_hex", (2, 3), FORMATS, SENDING, parts::append_body_part_hex),
        function("remove_body_part", (1, 1), FORMAT, SENDING, parts::remove_body_part),
        function("get_body_part_raw", (2, 2), &[Kind::Format, Kind::Variable], SENDING_AND_REPLY, parts::get_body_part_raw),
        function("get_body_part", (2, 2), &[Kind::Format, Kind::Variable], SENDING_AND_REPLY, parts::get_body_part),
        function(
            "regex_substring",
            (5, 5),
            &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer, Kind::Variable],
            SENDING_AND_REPLY,
            search::regex_substring,
        ),
    ],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
