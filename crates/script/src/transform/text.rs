//! `s.` transformations of a whole text: lengths, numbers, case, trimming, replacing.

use super::{Entry, RESULT_BYTES_MAX, Shape, byte_parameter, input, length, number_parameter, output, text_parameter};
use crate::value::{Text, Value, parse_integer};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("s.len", 0, &[], |value, _| length(input(value)?.len())),
    Entry::new("s.int", 0, &[], int),
    Entry::new("s.intv", 0, &[], |value, _| super::integer(parsed(value)?)),
    Entry::new("s.numeric", 0, &[], |value, _| keep(value, |byte| byte.is_ascii_digit())),
    Entry::new("s.tolower", 0, &[], |value, _| output(input(value)?.to_ascii_lowercase())),
    Entry::new("s.toupper", 0, &[], |value, _| output(input(value)?.to_ascii_uppercase())),
    Entry::new("s.trim", 0, &[], |value, _| output(trim_end(trim_start(&input(value)?)))),
    Entry::new("s.ltrim", 0, &[], |value, _| output(trim_start(&input(value)?))),
    Entry::new("s.rtrim", 0, &[], |value, _| output(trim_end(&input(value)?))),
    Entry::new("s.rmws", 0, &[], |value, _| keep(value, |byte| !is_blank(byte))),
    Entry::new("s.rmhdws", 0, &[], |value, _| unfold(value, b" ")),
    Entry::new("s.rmhlws", 0, &[], |value, _| unfold(value, b"")),
    Entry::new("s.replace", 2, &[Shape::Text, Shape::Text], replace),
    Entry::new("s.rm", 1, &[Shape::Text], remove),
    Entry::new("s.unquote", 0, &[], |value, _| strip_pair(value, &[(b'"', b'"'), (b'\'', b'\'')])),
    Entry::new("s.unbracket", 0, &[], |value, _| strip_pair(value, &[(b'(', b')'), (b'[', b']'), (b'{', b'}'), (b'<', b'>')])),
    Entry::new("s.count", 1, &[Shape::Character], count),
    Entry::new("s.prefixes", 0, &[Shape::Number], |value, parameters| prefixes(value, parameters, false)),
    Entry::new("s.prefixes.quoted", 0, &[Shape::Number], |value, parameters| prefixes(value, parameters, true)),
    Entry::new("s.fmtlines", 2, &[Shape::Number, Shape::Number], |value, parameters| format_lines(value, parameters, b' ')),
    Entry::new("s.fmtlinet", 2, &[Shape::Number, Shape::Number], |value, parameters| format_lines(value, parameters, b'\t')),
    Entry::new("s.charat", 1, &[Shape::Number], |value, parameters| output([byte_at(value, parameters)?])),
    Entry::new("s.byteat", 1, &[Shape::Number], |value, parameters| super::integer(i64::from(byte_at(value, parameters)?))),
];

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn parsed(value: &Value) -> Option<i64> {
    match value {
        Value::Null => None,
        Value::Integer(number) | Value::Number(number, _) => Some(*number),
        Value::Text(text) | Value::Symbol(_, text) if text.is_empty() => None,
        Value::Text(text) | Value::Symbol(_, text) => parse_integer(text),
    }
}

/// The integer, keeping its text: decimal only, the empty text is 0.
fn int(value: &Value, _: &[Value]) -> Option<Value> {
    let text = input(value)?;
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(&text);
    let number = if text.is_empty() { 0 } else { Some(value.to_integer()).filter(|_| digits.iter().all(u8::is_ascii_digit))? };
    Some(Value::Number(number, text))
}

fn keep(value: &Value, is_kept: impl Fn(u8) -> bool) -> Option<Value> {
    let text = input(value)?;
    output(text.iter().copied().filter(|byte| is_kept(*byte)).collect::<Vec<u8>>())
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text {
        if !is_blank(*first) {
            break;
        }
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., last] = text {
        if !is_blank(*last) {
            break;
        }
        text = rest;
    }
    text
}

/// Replaces each line end followed by blanks.
fn unfold(value: &Value, replacement: &[u8]) -> Option<Value> {
    let text = input(value)?;
    let mut out = Vec::with_capacity(text.len());
    let mut position = 0;
    while let Some(byte) = text.get(position).copied() {
        let rest = text.get(position..).unwrap_or_default();
        let line_end = if rest.starts_with(b"\r\n") { 2 } else { usize::from(byte == b'\n') };
        let blanks = rest.iter().skip(line_end).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if line_end > 0 && blanks > 0 {
            out.extend_from_slice(replacement);
            position += line_end + blanks;
        } else {
            out.push(byte);
            position += 1;
        }
    }
    output(out)
}

fn replace_all(text: &[u8], from: &[u8], to: &[u8]) -> Option<Value> {
    if from.is_empty() {
        return output(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(from) {
            out.extend_from_slice(to);
            position += from.len();
        } else {
            out.extend(rest.first());
            position += 1;
        }
        if out.len() > RESULT_BYTES_MAX {
            return None;
        }
    }
    output(out)
}

fn replace(value: &Value, parameters: &[Value]) -> Option<Value> {
    replace_all(&input(value)?, &text_parameter(parameters, 0)?, &text_parameter(parameters, 1)?)
}

fn remove(value: &Value, parameters: &[Value]) -> Option<Value> {
    replace_all(&input(value)?, &text_parameter(parameters, 0)?, b"")
}

fn strip_pair(value: &Value, pairs: &[(u8, u8)]) -> Option<Value> {
    let text = input(value)?;
    match &*text {
        [first, inner @ .., last] if pairs.contains(&(*first, *last)) => output(inner),
        _ => output(&text),
    }
}

fn count(value: &Value, parameters: &[Value]) -> Option<Value> {
    let wanted = byte_parameter(parameters, 0)?;
    length(input(value)?.iter().filter(|byte| **byte == wanted).count())
}

/// `h,he,hel`: every prefix, at most `max` of them.
fn prefixes(value: &Value, parameters: &[Value], is_quoted: bool) -> Option<Value> {
    let text = input(value)?;
    let most = match number_parameter(parameters, 0) {
        Some(most) if most > 0 => usize::try_from(most).ok()?.min(text.len()),
        _ => text.len(),
    };
    let mut out = Vec::new();
    for end in 1..=most {
        if end > 1 {
            out.push(b',');
        }
        if is_quoted {
            out.push(b'\'');
        }
        out.extend_from_slice(text.get(..end)?);
        if is_quoted {
            out.push(b'\'');
        }
        if out.len() > RESULT_BYTES_MAX {
            return None;
        }
    }
    output(out)
}

/// Wraps after every `n` bytes; following lines start with `m` blanks.
fn format_lines(value: &Value, parameters: &[Value], indent: u8) -> Option<Value> {
    let text = input(value)?;
    let width = usize::try_from(number_parameter(parameters, 0)?).ok().filter(|width| *width > 0)?;
    let blanks = usize::try_from(number_parameter(parameters, 1)?).ok()?;
    if text.len().div_ceil(width).checked_mul(blanks.checked_add(2)?)? > RESULT_BYTES_MAX {
        return None;
    }
    let mut out = Vec::new();
    for (number, line) in text.chunks(width).enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\r\n");
            out.resize(out.len() + blanks, indent);
        }
        out.extend_from_slice(line);
    }
    output(out)
}

fn byte_at(value: &Value, parameters: &[Value]) -> Option<u8> {
    let text: Text = input(value)?;
    let at = number_parameter(parameters, 0)?;
    let at = if at < 0 { at.checked_add(i64::try_from(text.len()).ok()?)? } else { at };
    text.get(usize::try_from(at).ok()?).copied()
}
