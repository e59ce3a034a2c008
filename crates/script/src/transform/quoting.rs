//! `val.json`, `val.jsonqe`, `json.encode`, `sql.*`: values written into other languages.

use super::{Entry, output};
use crate::value::{Value, parse_integer};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("val.json", 0, &[], |value, _| output(json_escaped(value))),
    Entry::new("val.jsonqe", 0, &[], |value, _| {
        let mut out = vec![b'"'];
        out.extend_from_slice(&json_escaped(value));
        out.push(b'"');
        output(out)
    }),
    Entry::new("json.encode", 0, &[], |value, _| output(json_escaped(value))),
    Entry::new("sql.val", 0, &[], |value, _| match value {
        Value::Null => output(b"NULL"),
        Value::Integer(_) | Value::Number(..) => output(value.to_integer().to_string()),
        Value::Text(text) | Value::Symbol(_, text) => output(sql_quoted(text)),
    }),
    Entry::new("sql.val.int", 0, &[], |value, _| match value {
        Value::Text(text) => output(parse_integer(text).unwrap_or(0).to_string()),
        other => output(other.to_integer().to_string()),
    }),
    Entry::new("sql.val.str", 0, &[], |value, _| output(sql_quoted(&value.to_text()))),
];

fn json_escaped(value: &Value) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let text = value.to_text();
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter().copied() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=31 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            other => out.push(other),
        }
    }
    out
}

/// Safe in every database: a doubled quote is a quote everywhere, a backslash before it is none in SQLite and PostgreSQL.
fn sql_quoted(text: &[u8]) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in text {
        match byte {
            b'\'' => out.extend_from_slice(b"''"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0 => out.extend_from_slice(b"\\0"),
            other => out.push(*other),
        }
    }
    out.push(b'\'');
    out
}
