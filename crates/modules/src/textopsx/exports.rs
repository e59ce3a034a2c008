//! The export table of `textopsx`.

use script::exports::{InnerKind, Kind, Routes};

use super::{apply, body_lines, glob, header_values, headers, keep, literals, status};
use crate::registry::{Function, Module, Variable};

const CHANGING: Routes = Routes::REQUEST.or(Routes::ONREPLY);
const EDITING: Routes = CHANGING.or(Routes::FAILURE).or(Routes::BRANCH);

const FORMAT: &[Kind] = &[Kind::Format];
const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];

/// Everything `textopsx` declares.
pub static MODULE: Module = Module {
    name: "textopsx",
    checks: literals::CHECKS,
    functions: &[
        Function::new("msg_apply_changes", 0..=0, &[], apply::msg_apply_changes).routes(CHANGING),
        Function::new("msg_changed_route", 1..=1, FORMAT, apply::msg_changed_route),
        Function::new("msg_set_buffer", 1..=1, FORMAT, apply::msg_set_buffer).routes(CHANGING),
        Function::new("change_reply_status", 2..=2, FORMATS, status::change_reply_status).routes(Routes::ONREPLY),
        Function::new("change_reply_status_code", 1..=1, &[Kind::Integer], status::change_reply_status_code).routes(Routes::ONREPLY),
        Function::new("remove_body", 0..=0, &[], keep::remove_body),
        Function::new("keep_hf", 0..=1, &[Kind::Regex], keep::keep_hf),
        Function::new("fnmatch", 2..=3, FORMATS, glob::fnmatch),
        Function::new("append_hf_value", 2..=2, FORMATS, header_values::append_hf_value).routes(EDITING),
        Function::new("insert_hf_value", 2..=2, FORMATS, header_values::insert_hf_value).routes(EDITING),
        Function::new("remove_hf_value", 1..=1, FORMAT, header_values::remove_hf_value).routes(EDITING),
        Function::new("assign_hf_value", 2..=2, FORMATS, header_values::assign_hf_value).routes(EDITING),
        Function::new("remove_hf_value2", 1..=1, FORMAT, header_values::remove_hf_value2).routes(EDITING),
        Function::new("assign_hf_value2", 2..=2, FORMATS, header_values::assign_hf_value2).routes(EDITING),
        Function::new("include_hf_value", 2..=2, FORMATS, header_values::include_hf_value).routes(EDITING),
        Function::new("exclude_hf_value", 2..=2, FORMATS, header_values::exclude_hf_value).routes(EDITING),
        Function::new("hf_value_exists", 2..=2, FORMATS, header_values::hf_value_exists).routes(EDITING),
        Function::new("hf_iterator_start", 1..=1, FORMAT, headers::start),
        Function::new("hf_iterator_next", 1..=1, FORMAT, headers::next),
        Function::new("hf_iterator_prev", 1..=1, FORMAT, headers::previous),
        Function::new("hf_iterator_end", 1..=1, FORMAT, headers::end),
        Function::new("hf_iterator_rm", 1..=1, FORMAT, headers::remove),
        Function::new("hf_iterator_append", 2..=2, FORMATS, headers::append),
        Function::new("hf_iterator_insert", 2..=2, FORMATS, headers::insert),
        Function::new("bl_iterator_start", 1..=1, FORMAT, body_lines::start),
        Function::new("bl_iterator_next", 1..=1, FORMAT, body_lines::next),
        Function::new("bl_iterator_end", 1..=1, FORMAT, body_lines::end),
        Function::new("bl_iterator_rm", 1..=1, FORMAT, body_lines::remove),
        Function::new("bl_iterator_append", 2..=2, FORMATS, body_lines::append),
        Function::new("bl_iterator_insert", 2..=2, FORMATS, body_lines::insert),
    ],
    variables: &[
        Variable::new("hfitname", headers::header_name).inner(InnerKind::Word),
        Variable::new("hfitbody", headers::header_value).inner(InnerKind::Word),
        Variable::new("blitval", body_lines::value).inner(InnerKind::Word),
    ],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &["textopsx:msg-changed-route"],
};
