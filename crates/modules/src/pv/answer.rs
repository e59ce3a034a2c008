//! Short ways to make the value a variable answers.

use script::value::{Text, Value};

/// Text, null when it is empty.
pub fn non_empty(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::Null } else { Value::text(bytes) }
}

/// Text, null when absent or empty.
pub fn optional(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, non_empty)
}

/// An integer from a length or index.
pub fn length(count: usize) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// An integer that keeps its decimal text.
pub fn number(number: i64) -> Value {
    Value::Number(number, Text::from(number.to_string()))
}

/// Eight hexadecimal digits, as `$mF` prints flags.
pub fn hexadecimal(flags: u32) -> Value {
    Value::text(format!("{flags:08x}"))
}
