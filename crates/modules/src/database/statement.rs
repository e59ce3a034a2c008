//! Text of statements: values in quotes, and whether a statement is asked for its rows.

use super::Driver;

/// Words that begin a statement that gives rows and changes nothing.
const READING: [&str; 9] = ["select", "with", "show", "explain", "describe", "desc", "pragma", "values", "table"];

/// Is the statement asked for its rows? One that is not may be carried out later.
pub fn reads(statement: &[u8]) -> bool {
    let start = statement.iter().position(u8::is_ascii_alphabetic).unwrap_or(statement.len());
    let rest = statement.get(start..).unwrap_or_default();
    let end = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default();
    READING.iter().any(|reading| word.eq_ignore_ascii_case(reading.as_bytes()))
}

/// A text as it stands in a statement, with its quotes. A backslash means something to MySQL, and to PostgreSQL where the
/// server's settings or the quotes say so. No database but MySQL takes a NUL byte there: it is replaced.
pub fn quoted(driver: Driver, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    if driver == Driver::Postgres && text.contains(&b'\\') {
        out.extend_from_slice(b" E");
    }
    out.push(b'\'');
    for byte in text {
        match byte {
            b'\'' => out.extend_from_slice(b"''"),
            b'\\' if driver != Driver::Sqlite => out.extend_from_slice(b"\\\\"),
            0 if driver != Driver::Mysql => out.extend_from_slice("\u{fffd}".as_bytes()),
            other => out.push(*other),
        }
    }
    out.push(b'\'');
    out
}
