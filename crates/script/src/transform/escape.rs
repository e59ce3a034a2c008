//! `s.escape.*`, `s.unescape.*`, `s.urlencode.param`, `s.urldecode.param`: making text safe for where it goes.

use super::{Entry, RESULT_BYTES_MAX, input, output};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("s.escape.common", 0, &[], |value, _| escape_common(value)),
    Entry::new("s.unescape.common", 0, &[], |value, _| {
        unescape(value, |byte| match byte {
            b'\'' | b'"' | b'\\' => Some(byte),
            b'0' => Some(0),
            _ => None,
        })
    }),
    Entry::new("s.escape.crlf", 0, &[], |value, _| escape_line_ends(value)),
    Entry::new("s.unescape.crlf", 0, &[], |value, _| {
        unescape(value, |byte| match byte {
            b'r' => Some(b'\r'),
            b'n' => Some(b'\n'),
            _ => None,
        })
    }),
    Entry::new("s.escape.user", 0, &[], |value, _| percent_encode(value, |byte| is_unreserved(byte) || b"&=+$,;?/".contains(&byte))),
    Entry::new("s.unescape.user", 0, &[], |value, _| percent_decode(value, false)),
    Entry::new("s.escape.param", 0, &[], |value, _| percent_encode(value, |byte| is_unreserved(byte) || b"[]/:&+$".contains(&byte))),
    Entry::new("s.unescape.param", 0, &[], |value, _| percent_decode(value, false)),
    Entry::new("s.escape.csv", 0, &[], |value, _| escape_csv(value)),
    Entry::new("s.urlencode.param", 0, &[], |value, _| url_encode(value)),
    Entry::new("s.urldecode.param", 0, &[], |value, _| percent_decode(value, true)),
];

/// RFC 3261 §25.1 `unreserved`.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

fn escape_common(value: &Value) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter() {
        match byte {
            b'\'' | b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0 => out.extend_from_slice(b"\\0"),
            other => out.push(*other),
        }
    }
    output(out)
}

/// Replaces `\x` where `of` knows x; other backslashes stay.
fn unescape(value: &Value, of: impl Fn(u8) -> Option<u8>) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek().copied().and_then(&of) {
            Some(plain) if byte == b'\\' => {
                out.push(plain);
                bytes.next();
            }
            _ => out.push(byte),
        }
    }
    output(out)
}

fn escape_line_ends(value: &Value) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter() {
        match byte {
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\n' => out.extend_from_slice(b"\\n"),
            other => out.push(*other),
        }
    }
    output(out)
}

fn push_percent(out: &mut Vec<u8>, byte: u8, digits: &[u8; 16]) {
    out.extend_from_slice(&[b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
}

fn percent_encode(value: &Value, is_plain: impl Fn(u8) -> bool) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter().copied() {
        if !(32..=126).contains(&byte) {
            // Upstream refuses what has no place in a header.
            return None;
        }
        if is_plain(byte) {
            out.push(byte);
        } else {
            push_percent(&mut out, byte, b"0123456789abcdef");
        }
    }
    output(out)
}

fn percent_decode(value: &Value, is_plus_blank: bool) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len());
    let mut position = 0;
    while let Some(byte) = text.get(position).copied() {
        match byte {
            b'%' => {
                let pair = text.get(position + 1..position + 3)?;
                out.extend_from_slice(&super::base::from_hexadecimal(pair)?);
                position += 3;
                continue;
            }
            b'+' if is_plus_blank => out.push(b' '),
            other => out.push(other),
        }
        position += 1;
    }
    output(out)
}

fn url_encode(value: &Value) -> Option<Value> {
    let text = input(value)?;
    if text.len() > RESULT_BYTES_MAX {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    for byte in text.iter().copied() {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) => out.push(byte),
            _ => push_percent(&mut out, byte, b"0123456789abcdef"),
        }
    }
    output(out)
}

/// Quoted, with quotes doubled (RFC 4180).
fn escape_csv(value: &Value) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len() + 2);
    out.push(b'"');
    for byte in text.iter() {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
    output(out)
}
