//! The export table of `textops`.

use script::exports::{Kind, Routes};

use super::{body, date, headers, hold, literals, message_tests, parts, replace, search, substitute, text_tests, via};
use crate::registry::{Function, Module};

const SENDING: Routes = Routes::REQUEST.or(Routes::FAILURE).or(Routes::BRANCH);
const SENDING_AND_REPLY: Routes = SENDING.or(Routes::ONREPLY);

const REGEX: &[Kind] = &[Kind::Regex];
const REGEX_TEXT: &[Kind] = &[Kind::Regex, Kind::Plain];
const FORMAT: &[Kind] = &[Kind::Format];
const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];
const PLAIN: &[Kind] = &[Kind::Plain, Kind::Plain];

/// Everything `textops` declares.
pub static MODULE: Module = Module {
    name: "textops",
    checks: literals::CHECKS,
    functions: &[
        Function::new("search", 1..=1, REGEX, search::search),
        Function::new("search_body", 1..=1, REGEX, search::search_body),
        Function::new("search_hf", 3..=3, &[Kind::Format, Kind::Regex, Kind::Plain], search::search_hf),
        Function::new("search_append", 2..=2, REGEX_TEXT, search::search_append),
        Function::new("search_append_body", 2..=2, REGEX_TEXT, search::search_append_body),
        Function::new("replace", 2..=2, REGEX_TEXT, replace::replace),
        Function::new("replace_str", 3..=3, FORMATS, replace::replace_str),
        Function::new("replace_body", 2..=2, REGEX_TEXT, replace::replace_body),
        Function::new("replace_body_str", 3..=3, FORMATS, replace::replace_body_str),
        Function::new("replace_hdrs", 2..=2, REGEX_TEXT, replace::replace_hdrs),
        Function::new("replace_hdrs_str", 3..=3, FORMATS, replace::replace_hdrs_str),
        Function::new("replace_all", 2..=2, REGEX_TEXT, replace::replace_all),
        Function::new("replace_body_all", 2..=2, REGEX_TEXT, replace::replace_body_all),
        Function::new("replace_body_atonce", 2..=2, REGEX_TEXT, replace::replace_body_atonce),
        Function::new("append_to_reply", 1..=1, FORMAT, headers::append_to_reply).routes(SENDING).note("a missing line end is added"),
        Function::new("append_hf", 1..=2, &[Kind::Format, Kind::Plain], headers::append_hf).note("a missing line end is added"),
        Function::new("insert_hf", 1..=2, &[Kind::Format, Kind::Plain], headers::insert_hf).note("a missing line end is added"),
        Function::new("append_urihf", 2..=2, PLAIN, headers::append_urihf).routes(SENDING).note("a missing line end is added"),
        Function::new("remove_hf", 1..=1, &[Kind::Plain], headers::remove_hf),
        Function::new("remove_hf_idx", 2..=2, &[Kind::Format, Kind::Integer], headers::remove_hf_idx),
        Function::new("remove_hf_re", 1..=1, REGEX, headers::remove_hf_re),
        Function::new("remove_hf_exp", 2..=2, &[Kind::Regex, Kind::Regex], headers::remove_hf_exp),
        Function::new("is_present_hf", 1..=1, &[Kind::Plain], headers::is_present_hf),
        Function::new("is_present_hf_re", 1..=1, REGEX, headers::is_present_hf_re),
        Function::new("remove_hf_pv", 1..=1, FORMAT, headers::remove_hf_pv),
        Function::new("remove_hf_re_pv", 1..=1, FORMAT, headers::remove_hf_re),
        Function::new("remove_hf_exp_pv", 2..=2, FORMATS, headers::remove_hf_exp),
        Function::new("remove_hf_match", 3..=3, FORMATS, headers::remove_hf_match),
        Function::new("is_present_hf_pv", 1..=1, FORMAT, headers::is_present_hf),
        Function::new("is_present_hf_re_pv", 1..=1, FORMAT, headers::is_present_hf_re),
        Function::new("subst", 1..=1, &[Kind::Substitution], substitute::subst),
        Function::new("subst_uri", 1..=1, &[Kind::Substitution], substitute::subst_uri).routes(SENDING_AND_REPLY),
        Function::new("subst_user", 1..=1, &[Kind::Substitution], substitute::subst_user).routes(SENDING_AND_REPLY),
        Function::new("subst_body", 1..=1, &[Kind::Substitution], substitute::subst_body),
        Function::new("subst_hf", 3..=3, &[Kind::Format, Kind::Substitution, Kind::Plain], substitute::subst_hf),
        Function::new("subst_v", 3..=3, &[Kind::Format, Kind::Format, Kind::Variable], substitute::subst_v),
        Function::new("filter_body", 1..=1, &[Kind::Plain], parts::filter_body),
        Function::new("append_time", 0..=0, &[], date::append_time).routes(SENDING),
        Function::new("set_body", 2..=2, FORMATS, body::set_body).routes(SENDING_AND_REPLY),
        Function::new("set_body_hex", 2..=2, FORMATS, body::set_body_hex),
        Function::new("set_reply_body", 2..=2, FORMATS, body::set_reply_body).routes(SENDING),
        Function::new("set_reply_body_hex", 2..=2, FORMATS, body::set_reply_body_hex).routes(SENDING),
        Function::new("is_method", 1..=1, &[Kind::Plain], message_tests::is_method),
        Function::new("has_body", 0..=1, &[Kind::Plain], message_tests::has_body),
        Function::new("is_privacy", 1..=1, &[Kind::Plain], message_tests::is_privacy),
        Function::new("in_list", 3..=3, FORMATS, text_tests::in_list),
        Function::new("in_list_prefix", 3..=3, FORMATS, text_tests::in_list_prefix),
        Function::new("cmp_str", 2..=2, FORMATS, text_tests::cmp_str),
        Function::new("cmp_istr", 2..=2, FORMATS, text_tests::cmp_istr),
        Function::new("search_str", 2..=2, FORMATS, search::search_str),
        Function::new("starts_with", 2..=2, FORMATS, text_tests::starts_with),
        Function::new("ends_with", 2..=2, FORMATS, text_tests::ends_with),
        Function::new("str_find", 2..=2, FORMATS, text_tests::str_find),
        Function::new("str_ifind", 2..=2, FORMATS, text_tests::str_ifind),
        Function::new("str_any_in", 2..=2, FORMATS, text_tests::str_any_in),
        Function::new("str_all_in", 2..=2, FORMATS, text_tests::str_all_in),
        Function::new("is_audio_on_hold", 0..=0, &[], hold::is_audio_on_hold),
        Function::new("append_time_to_request", 0..=0, &[], date::append_time_to_request),
        Function::new("via_param_rm", 2..=2, &[Kind::Format, Kind::Integer], via::via_param_rm),
        Function::new("set_body_multipart", 0..=3, FORMATS, parts::set_body_multipart).routes(SENDING),
        Function::new("append_body_part", 2..=3, FORMATS, parts::append_body_part).routes(SENDING),
        Function::new("append_body_part_hex", 2..=3, FORMATS, parts::append_body_part_hex).routes(SENDING),
        Function::new("remove_body_part", 1..=1, FORMAT, parts::remove_body_part).routes(SENDING),
        Function::new("get_body_part_raw", 2..=2, &[Kind::Format, Kind::Variable], parts::get_body_part_raw).routes(SENDING_AND_REPLY),
        Function::new("get_body_part", 2..=2, &[Kind::Format, Kind::Variable], parts::get_body_part).routes(SENDING_AND_REPLY),
        Function::new(
            "regex_substring",
            5..=5,
            &[Kind::Format, Kind::Format, Kind::Integer, Kind::Integer, Kind::Variable],
            search::regex_substring,
        )
        .routes(SENDING_AND_REPLY),
    ],
    variables: &[],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &[],
};
