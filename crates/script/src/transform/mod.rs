//! Transformations `{class.name,parameters}`: tables of what exists, the parser, and the door to apply one (spec cfg-language 12).

mod address;
mod base;
mod digest;
mod escape;
mod line;
mod number;
mod parameter;
mod parse;
mod quoting;
mod socket;
mod text;
mod text_parts;
pub mod time;
mod uri;

pub(crate) use parse::parse;

use std::sync::Arc;

use crate::regex::Substitution;
use crate::value::{Text, Value};
use crate::variable::Reference;

/// Longest result a transformation may make, bytes; beyond it the transformation fails.
pub const RESULT_BYTES_MAX: usize = 1 << 20;

/// Takes the input and the evaluated parameters; `None` makes the whole read undefined.
pub(crate) type Apply = fn(&Value, &[Value]) -> Option<Value>;

/// How one parameter is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An integer or a variable.
    Number,
    /// Text up to `,` or `}`, or a variable.
    Text,
    /// One byte as it stands (a comma too), or `\\ \n \r \t`, or a variable.
    Character,
    /// Everything up to the closing brace, or a variable.
    Rest,
}

/// What has to be done.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    Pure(Apply),
    /// `{re.subst,...}`
    Substitute,
    /// `{s.ftime,...}`: needs the offset of local time.
    FormatTime,
}

/// One line of a table.
pub(crate) struct Entry {
    /// `class.name`, lower case.
    pub name: &'static str,
    /// How many of `shapes` must be given.
    pub required: usize,
    pub shapes: &'static [Shape],
    pub work: Work,
}

impl Entry {
    const fn new(name: &'static str, required: usize, shapes: &'static [Shape], apply: Apply) -> Entry {
        Entry { name, required, shapes, work: Work::Pure(apply) }
    }
}

/// A prepared parameter.
#[derive(Clone, Debug)]
pub(crate) enum Parameter {
    Constant(Value),
    Variable(Box<Reference>),
}

/// A parsed transformation.
#[derive(Clone)]
pub struct Transformation {
    pub(crate) entry: &'static Entry,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) substitution: Option<Arc<Substitution>>,
}

impl std::fmt::Debug for Transformation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{{{}}} {:?}", self.entry.name, self.parameters)
    }
}

const SUBSTITUTE: [Entry; 1] = [Entry { name: "re.subst", required: 1, shapes: &[Shape::Rest], work: Work::Substitute }];
const FORMAT_TIME: [Entry; 1] = [Entry { name: "s.ftime", required: 1, shapes: &[Shape::Rest], work: Work::FormatTime }];
static SPECIAL: [&[Entry]; 2] = [&SUBSTITUTE, &FORMAT_TIME];

/// Every table.
fn tables() -> impl Iterator<Item = &'static Entry> {
    let pure: [&'static [Entry]; 13] = [
        text::TABLE,
        text_parts::TABLE,
        digest::TABLE,
        base::TABLE,
        escape::TABLE,
        uri::TABLE,
        parameter::TABLE,
        address::TABLE,
        line::TABLE,
        number::TABLE,
        quoting::TABLE,
        socket::TABLE,
        &[],
    ];
    pure.into_iter().chain(SPECIAL).flatten()
}

/// Every transformation, for documentation and completion.
pub fn names() -> Vec<&'static str> {
    tables().map(|entry| entry.name).collect()
}

/// The text input of a transformation that refuses null.
pub(crate) fn input(value: &Value) -> Option<Text> {
    match value {
        Value::Null => None,
        other => Some(other.to_text()),
    }
}

/// A text result from bytes, within the bound.
pub(crate) fn output(bytes: impl AsRef<[u8]>) -> Option<Value> {
    let bytes = bytes.as_ref();
    (bytes.len() <= RESULT_BYTES_MAX).then(|| Value::text(bytes))
}

/// An integer result with its text.
pub(crate) fn integer(number: i64) -> Option<Value> {
    Some(Value::Number(number, Text::from(number.to_string())))
}

/// An integer result from a length.
pub(crate) fn length(count: usize) -> Option<Value> {
    integer(i64::try_from(count).ok()?)
}

/// The text of parameter `at`.
pub(crate) fn text_parameter(parameters: &[Value], at: usize) -> Option<Text> {
    parameters.get(at).map(Value::to_text)
}

/// The number of parameter `at`.
pub(crate) fn number_parameter(parameters: &[Value], at: usize) -> Option<i64> {
    parameters.get(at).map(Value::to_integer)
}

/// The first byte of parameter `at`.
pub(crate) fn byte_parameter(parameters: &[Value], at: usize) -> Option<u8> {
    text_parameter(parameters, at)?.first().copied()
}

#[cfg(test)]
mod tests;
