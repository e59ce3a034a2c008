//! Byte scanning that every field parser shares: trimming, numbers, quoted strings, comma lists.

use crate::limits::LIST_ELEMENTS_MAX;

/// Linear white space, line ends included, because a folded value keeps them.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether two names are the same in any case; the usual spelling costs one comparison.
pub fn same_name(name: &[u8], known: &[u8]) -> bool {
    name.len() == known.len() && (name == known || name.eq_ignore_ascii_case(known))
}

/// `text` without white space at its start.
pub fn trim_start(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if !is_space(*first) {
            break;
        }
        rest = tail;
    }
    rest
}

/// `text` without white space at its end.
pub fn trim_end(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [head @ .., last] = rest {
        if !is_space(*last) {
            break;
        }
        rest = head;
    }
    rest
}

/// `text` without white space at both ends.
pub fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// `text[..at]`, or all of it when `at` lies beyond.
pub fn before(text: &[u8], at: usize) -> &[u8] {
    text.get(..at).unwrap_or(text)
}

/// `text[at..]`, or empty when `at` lies beyond.
pub fn from(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or(b"")
}

/// `text[at + 1..]`: what follows the byte at `at`.
pub fn after(text: &[u8], at: usize) -> &[u8] {
    from(text, at.saturating_add(1))
}

/// Splits at the first `byte`: what is before it, and what is after it if it was there.
pub fn split_once(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(byte, text) {
        Some(at) => (before(text, at), Some(after(text, at))),
        None => (text, None),
    }
}

/// Decimal digits only, no sign, at least one; `None` on anything else or beyond `u32`.
pub fn decimal(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    let mut number: u32 = 0;
    for &byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u32::from(byte.wrapping_sub(b'0')))?;
    }
    Some(number)
}

/// At least one byte and all of them digits.
pub fn is_decimal(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Offset just behind the closing quote of the quoted string that opens at `open`; `None` when it never closes.
/// A backslash takes the next byte along (RFC 3261 §25.1 quoted-pair).
pub fn quoted_end(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open.checked_add(1)?;
    loop {
        let found = at.checked_add(memchr::memchr2(b'"', b'\\', text.get(at..)?)?)?;
        match text.get(found) {
            Some(b'"') => return found.checked_add(1),
            _ => at = found.checked_add(2)?,
        }
    }
}

/// Offset of the first `wanted` outside quoted strings and angle brackets.
/// A quote or bracket that never closes is taken as an ordinary byte.
pub fn find_outside(text: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let found = at.checked_add(memchr::memchr3(wanted, b'"', b'<', text.get(at..)?)?)?;
        let byte = *text.get(found)?;
        if byte == wanted {
            return Some(found);
        }
        let closed = if byte == b'"' {
            quoted_end(text, found)
        } else {
            memchr::memchr(b'>', from(text, found)).and_then(|width| found.checked_add(width)?.checked_add(1))
        };
        at = match closed {
            Some(end) => end,
            None => found.checked_add(1)?,
        };
    }
}

/// The non-empty, trimmed elements of a comma list; commas in quotes and angle brackets do not count.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Elements<'a> {
    pub fn new(value: &'a [u8]) -> Elements<'a> {
        Elements { rest: value, left: LIST_ELEMENTS_MAX }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while self.left > 0 && !self.rest.is_empty() {
            self.left = self.left.saturating_sub(1);
            let element = match find_outside(self.rest, b',') {
                Some(at) => {
                    let element = before(self.rest, at);
                    self.rest = after(self.rest, at);
                    element
                }
                None => std::mem::take(&mut self.rest),
            };
            let element = trim(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}
