//! `s.` transformations that take a part of a text: fields, substrings, before and after a character.

use super::{Entry, Shape, byte_parameter, input, number_parameter, output};
use crate::transform::text::is_blank;
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("s.substr", 2, &[Shape::Number, Shape::Number], substring),
    Entry::new("s.select", 2, &[Shape::Number, Shape::Character], select),
    Entry::new("s.selectsw", 1, &[Shape::Number], select_by_blanks),
    Entry::new("s.strip", 1, &[Shape::Number], strip),
    Entry::new("s.striptail", 1, &[Shape::Number], strip_tail),
    Entry::new("s.stripto", 1, &[Shape::Character], strip_to),
    Entry::new("s.before", 1, &[Shape::Character], |value, parameters| cut(value, parameters, false, true)),
    Entry::new("s.after", 1, &[Shape::Character], |value, parameters| cut(value, parameters, false, false)),
    Entry::new("s.rbefore", 1, &[Shape::Character], |value, parameters| cut(value, parameters, true, true)),
    Entry::new("s.rafter", 1, &[Shape::Character], |value, parameters| cut(value, parameters, true, false)),
];

/// Negative offset from the end, length 0 or too long: to the end; a start beyond the end fails.
fn substring(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let size = i64::try_from(text.len()).ok()?;
    let offset = number_parameter(parameters, 0)?;
    let length = number_parameter(parameters, 1)?;
    let start = if offset < 0 { size.checked_add(offset)? } else { offset };
    if start < 0 || start >= size || length < 0 {
        return None;
    }
    let end = if length == 0 { size } else { start.saturating_add(length).min(size) };
    output(text.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?)
}

/// The field at `index` (negative: from the end), empty when there is none.
pub(super) fn field<'a>(mut fields: impl DoubleEndedIterator<Item = &'a [u8]>, index: i64) -> &'a [u8] {
    let found = if index < 0 {
        usize::try_from(index.saturating_neg() - 1).ok().and_then(|at| fields.nth_back(at))
    } else {
        usize::try_from(index).ok().and_then(|at| fields.nth(at))
    };
    found.unwrap_or_default()
}

fn select(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let separator = byte_parameter(parameters, 1)?;
    output(field(text.split(|byte| *byte == separator), number_parameter(parameters, 0)?))
}

fn select_by_blanks(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let fields: Vec<&[u8]> = text.split(|byte| is_blank(*byte)).filter(|field| !field.is_empty()).collect();
    output(field(fields.into_iter(), number_parameter(parameters, 0)?))
}

fn strip(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let count = usize::try_from(number_parameter(parameters, 0)?.max(0)).ok()?;
    output(text.get(count..).unwrap_or_default())
}

fn strip_tail(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let count = usize::try_from(number_parameter(parameters, 0)?.max(0)).ok()?;
    output(text.get(..text.len().saturating_sub(count)).unwrap_or_default())
}

/// Drops everything before the first occurrence, which stays; all of the text when there is none.
fn strip_to(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let wanted = byte_parameter(parameters, 0)?;
    match text.iter().position(|byte| *byte == wanted) {
        Some(at) => output(text.get(at..)?),
        None => output(b""),
    }
}

fn cut(value: &Value, parameters: &[Value], is_last: bool, is_before: bool) -> Option<Value> {
    let text = input(value)?;
    let wanted = byte_parameter(parameters, 0)?;
    let found = if is_last { text.iter().rposition(|byte| *byte == wanted) } else { text.iter().position(|byte| *byte == wanted) };
    match (found, is_before) {
        (Some(at), true) => output(text.get(..at)?),
        (Some(at), false) => output(text.get(at + 1..)?),
        (None, true) => output(&text),
        (None, false) => output(b""),
    }
}
