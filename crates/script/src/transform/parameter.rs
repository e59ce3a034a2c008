//! `param.` transformations: lists such as `a=1;b=2;c`.

use super::{Entry, Shape, byte_parameter, input, integer, length, number_parameter, output, text_parameter};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("param.value", 1, &[Shape::Text, Shape::Character], value_of),
    Entry::new("param.in", 1, &[Shape::Text, Shape::Character], is_in),
    Entry::new("param.valueat", 1, &[Shape::Number, Shape::Character], |value, parameters| at(value, parameters, true)),
    Entry::new("param.name", 1, &[Shape::Number, Shape::Character], |value, parameters| at(value, parameters, false)),
    Entry::new("param.count", 0, &[Shape::Character], |value, parameters| {
        length(pairs(&input(value)?, byte_parameter(parameters, 0).unwrap_or(b';')).len())
    }),
];

type Pair<'a> = (&'a [u8], &'a [u8]);

/// Names and values; a quoted value may hold the delimiter and loses its quotes; empty parts do not count.
fn pairs(text: &[u8], delimiter: u8) -> Vec<Pair<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    for position in 0..=text.len() {
        let byte = text.get(position).copied();
        if byte == Some(b'"') {
            is_quoted = !is_quoted;
        }
        if byte.is_none() || (byte == Some(delimiter) && !is_quoted) {
            let part = text.get(start..position).unwrap_or_default().trim_ascii();
            start = position + 1;
            if part.is_empty() {
                continue;
            }
            let equals = part.iter().position(|byte| *byte == b'=');
            let name = part.get(..equals.unwrap_or(part.len())).unwrap_or_default().trim_ascii();
            let value = equals.and_then(|at| part.get(at + 1..)).unwrap_or_default().trim_ascii();
            let value = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value);
            found.push((name, value));
        }
    }
    found
}

fn find<'a>(text: &'a [u8], parameters: &[Value]) -> Option<Option<&'a [u8]>> {
    let name = text_parameter(parameters, 0)?;
    let delimiter = byte_parameter(parameters, 1).unwrap_or(b';');
    let found = pairs(text, delimiter).into_iter().find(|(found, _)| found.eq_ignore_ascii_case(&name));
    Some(found.map(|(_, value)| value))
}

fn value_of(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    output(find(&text, parameters)?.unwrap_or_default())
}

fn is_in(value: &Value, parameters: &[Value]) -> Option<Value> {
    let text = input(value)?;
    integer(i64::from(find(&text, parameters)?.is_some()))
}

/// The parameter at an index, negative from the end; empty when there is none.
fn at(value: &Value, parameters: &[Value], is_value: bool) -> Option<Value> {
    let text = input(value)?;
    let index = number_parameter(parameters, 0)?;
    let list = pairs(&text, byte_parameter(parameters, 1).unwrap_or(b';'));
    let position = if index < 0 { index.checked_add(i64::try_from(list.len()).ok()?)? } else { index };
    let pair = usize::try_from(position).ok().and_then(|position| list.get(position));
    output(pair.map(|(name, value)| if is_value { *value } else { *name }).unwrap_or_default())
}
