//! The export table of `textopsx`.

use script::exports::{Argument, Flow, Function, InnerKind, Kind, Routes, Variable};

use super::{apply, body_lines, glob, header_values, headers, keep, literals, status};
use crate::registry::Module;
use crate::worker::Worker;

const ANY: Routes = Routes::ANY;
const CHANGING: Routes = Routes::REQUEST.or(Routes::ONREPLY);
const EDITING: Routes = CHANGING.or(Routes::FAILURE).or(Routes::BRANCH);

const FORMAT: &[Kind] = &[Kind::Format];
const FORMATS: &[Kind] = &[Kind::Format, Kind::Format, Kind::Format];

type Call = fn(&mut Worker, &[Argument]) -> Flow;

const fn function(name: &'static str, arity: (u8, u8), arguments: &'static [Kind], routes: Routes, call: Call) -> Function<Worker> {
    Function { name, arity, arguments, routes, call, note: "" }
}

const fn variable(
    name: &'static str,
    read: fn(&mut Worker, &script::exports::Inner, Option<script::exports::Index>) -> script::value::Value,
) -> Variable<Worker> {
    Variable { name, inner: InnerKind::Word, indexed: false, read, write: None, note: "" }
}

/// Everything `textopsx` declares.
pub static MODULE: Module = Module {
    name: "textopsx",
    checks: literals::CHECKS,
    functions: &[
        function("msg_apply_changes", (0, 0), &[], CHANGING, apply::msg_apply_changes),
        function("msg_changed_route", (1, 1), FORMAT, ANY, apply::msg_changed_route),
        function("msg_set_buffer", (1, 1), FORMAT, CHANGING, apply::msg_set_buffer),
        function("change_reply_status", (2, 2), FORMATS, Routes::ONREPLY, status::change_reply_status),
        function("change_reply_status_code", (1, 1), &[Kind::Integer], Routes::ONREPLY, status::change_reply_status_code),
        function("remove_body", (0, 0), &[], ANY, keep::remove_body),
        function("keep_hf", (0, 1), &[Kind::Regex], ANY, keep::keep_hf),
        function("fnmatch", (2, 3), FORMATS, ANY, glob::fnmatch),
        function("append_hf_value", (2, 2), FORMATS, EDITING, header_values::append_hf_value),
        function("insert_hf_value", (2, 2), FORMATS, EDITING, header_values::insert_hf_value),
        function("remove_hf_value", (1, 1), FORMAT, EDITING, header_values::remove_hf_value),
        function("assign_hf_value", (2, 2), FORMATS, EDITING, header_values::assign_hf_value),
        function("remove_hf_value2", (1, 1), FORMAT, EDITING, header_values::remove_hf_value2),
        function("assign_hf_value2", (2, 2), FORMATS, EDITING, header_values::assign_hf_value2),
        function("include_hf_value", (2, 2), FORMATS, EDITING, header_values::include_hf_value),
        function("exclude_hf_value", (2, 2), FORMATS, EDITING, header_values::exclude_hf_value),
        function("hf_value_exists", (2, 2), FORMATS, EDITING, header_values::hf_value_exists),
        function("hf_iterator_start", (1, 1), FORMAT, ANY, headers::start),
        function("hf_iterator_next", (1, 1), FORMAT, ANY, headers::next),
        function("hf_iterator_prev", (1, 1), FORMAT, ANY, headers::previous),
        function("hf_iterator_end", (1, 1), FORMAT, ANY, headers::end),
        function("hf_iterator_rm", (1, 1), FORMAT, ANY, headers::remove),
        function("hf_iterator_append", (2, 2), FORMATS, ANY, headers::append),
        function("hf_iterator_insert", (2, 2), FORMATS, ANY, headers::insert),
        function("bl_iterator_start", (1, 1), FORMAT, ANY, body_lines::start),
        function("bl_iterator_next", (1, 1), FORMAT, ANY, body_lines::next),
        function("bl_iterator_end", (1, 1), FORMAT, ANY, body_lines::end),
        function("bl_iterator_rm", (1, 1), FORMAT, ANY, body_lines::remove),
        function("bl_iterator_append", (2, 2), FORMATS, ANY, body_lines::append),
        function("bl_iterator_insert", (2, 2), FORMATS, ANY, body_lines::insert),
    ],
    variables: &[
        variable("hfitname", headers::header_name),
        variable("hfitbody", headers::header_value),
        variable("blitval", body_lines::value),
    ],
    parameters: &[],
    commands: &[],
    statistics: &[],
    events: &["textopsx:msg-changed-route"],
};
