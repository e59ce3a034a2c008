//! `param.` transformations: lists such as `a=1;b=2;c`.

use super::{Entry, Shape, byte_parameter, input, integer, length, number_parameter, output, text_parameter};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("param.value", 1, &[Shape::Text, Shape::Character], value_of),
    Entry::new("param.in", 1, &[Shape::Text, Shape::Character], is_in),
    Entry::new("param.valueat", 1, &[Shape::Number, Shape::Character], |value, parameters| at(value, parameters, true)),
    Entry::new("param.name", 1, &[Shape::Number, Shape::Character], |value, parameters| at(value, parameters, false)),
    Entry::new("param.count", 0, &[Shape::Character], |value, parameters| {
        length(pairs(&input(value)?, byte_parameter(parameters, 0).unwrap_or(b';'))?.len())
    }),
];

pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

const BLANKS: &[u8] = b" \t\r\n";

/// Names and values up to the end, or to a comma or bracket behind one, as Kamailio reads lists of parameters: a quoted value may
/// hold anything but its quote, one closing delimiter does not count. `None`: empty, an unfinished quote, a missing value, or
/// words without a delimiter between them.
pub(super) fn pairs(text: &[u8], delimiter: u8) -> Option<Vec<Pair<'_>>> {
    let ends_word = |byte: &u8| BLANKS.contains(byte) || *byte == b',' || *byte == delimiter;
    let mut rest = text.strip_suffix(&[delimiter]).unwrap_or(text);
    let mut found = Vec::new();
    if rest.is_empty() {
        return None;
    }
    loop {
        let (name, after) = cut(rest, |byte| ends_word(byte) || *byte == b'=');
        rest = without_blanks(after);
        let mut value: &[u8] = b"";
        if let Some(after) = rest.strip_prefix(b"=") {
            (value, rest) = read_value(without_blanks(after), ends_word)?;
            rest = without_blanks(rest);
        }
        found.push((name, value));
        match rest.split_first() {
            Some((byte, after)) if *byte == delimiter => rest = Some(without_blanks(after)).filter(|after| !after.is_empty())?,
            None | Some((b',' | b'>', _)) => return Some(found),
            Some(_) => return None,
        }
    }
}

/// A value in quotes or a word; only at the end of the text may it be missing.
fn read_value(text: &[u8], ends_word: impl Fn(&u8) -> bool) -> Option<(&[u8], &[u8])> {
    match text.split_first() {
        None => Some((b"", b"")),
        Some((quote @ (b'"' | b'\''), inner)) => {
            let end = inner.iter().position(|byte| byte == quote)?;
            Some((inner.get(..end)?, inner.get(end + 1..)?))
        }
        Some(_) => Some(cut(text, ends_word)).filter(|(value, _)| !value.is_empty()),
    }
}

fn cut(text: &[u8], ends: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(ends).unwrap_or(text.len()))
}

fn without_blanks(text: &[u8]) -> &[u8] {
    cut(text, |byte| !BLANKS.contains(byte)).1
}

/// The last value of a name, which ignores case.
fn find<'a>(text: &'a [u8], parameters: &[Value]) -> Option<Option<&'a [u8]>> {
    let name = text_parameter(parameters, 0)?;
    let delimiter = byte_parameter(parameters, 1).unwrap_or(b';');
    let found = pairs(text, delimiter)?.into_iter().rfind(|(found, _)| found.eq_ignore_ascii_case(&name));
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
    let list = pairs(&text, byte_parameter(parameters, 1).unwrap_or(b';'))?;
    let position = if index < 0 { index.checked_add(i64::try_from(list.len()).ok()?)? } else { index };
    let pair = usize::try_from(position).ok().and_then(|position| list.get(position));
    output(pair.map(|(name, value)| if is_value { *value } else { *name }).unwrap_or_default())
}
