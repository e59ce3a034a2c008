//! Generic `;name=value` parameters as they stand in headers and URIs.

use crate::limits::LIST_ELEMENTS_MAX;
use crate::scan::{after, before, from, is_space, quoted_end, same_name, trim, trim_end, trim_start};

/// One parameter. `value` is `None` for a bare name, keeps its quotes, and is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    pub name: &'a [u8],
    pub value: Option<&'a [u8]>,
    /// Name to value as in the message, without the leading semicolon.
    pub whole: &'a [u8],
}

impl<'a> Param<'a> {
    /// The value without surrounding quotes; empty for a bare name. Escapes inside are kept.
    pub fn unquoted(&self) -> &'a [u8] {
        unquote(self.value.unwrap_or(b""))
    }
}

/// `text` without one pair of surrounding double quotes.
pub fn unquote(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] => inner,
        _ => text,
    }
}

/// The parameters of a list such as `;a=1;b;c="x;y"`; the leading separator may be absent.
/// Empty parameters are skipped. White space around names and values is not part of them.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    rest: &'a [u8],
    separator: u8,
    left: usize,
}

impl<'a> Params<'a> {
    /// Parameters separated by semicolons.
    pub fn new(text: &'a [u8]) -> Params<'a> {
        Params { rest: text.strip_prefix(b";").unwrap_or(text), separator: b';', left: LIST_ELEMENTS_MAX }
    }

    /// Parameters separated by another byte: `,` in credentials, `&` in URI headers.
    pub fn separated(text: &'a [u8], separator: u8) -> Params<'a> {
        Params { rest: text, separator, left: LIST_ELEMENTS_MAX }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        while self.left > 0 && !self.rest.is_empty() {
            self.left = self.left.saturating_sub(1);
            let (whole, equals, rest) = cut(self.rest, self.separator);
            self.rest = rest;
            let shown = trim_start(whole);
            let lead = whole.len().saturating_sub(shown.len());
            let whole = trim_end(shown);
            let param = match equals {
                Some(at) => {
                    let at = at.saturating_sub(lead);
                    Param { name: trim_end(before(whole, at)), value: Some(trim_start(after(whole, at))), whole }
                }
                None => Param { name: whole, value: None, whole },
            };
            if !param.whole.is_empty() {
                return Some(param);
            }
        }
        None
    }
}

/// Shorter values are scanned byte by byte.
const VECTOR_SEARCH_BYTES_MIN: usize = 24;

/// The bytes at which `cut` stops, one bit each: all are below 64, letters are not.
#[inline]
fn stops(separator: u8) -> u64 {
    stop(separator) | stop(b'=') | stop(b'"')
}

#[inline]
fn stop(byte: u8) -> u64 {
    1u64.wrapping_shl(u32::from(byte))
}

/// The text up to the first separator outside quotes, where its equals sign is, and what follows the separator.
#[inline]
fn cut(text: &[u8], separator: u8) -> (&[u8], Option<usize>, &[u8]) {
    let stops = stops(separator);
    let Some(at) = text.iter().position(|&byte| byte < 64 && stops & stop(byte) != 0) else {
        return (text, None, b"");
    };
    let (equals, stop) = match text.get(at) {
        Some(b'=') => (Some(at), value_end(after(text, at), separator).map(|width| at.saturating_add(1).saturating_add(width))),
        _ => (None, Some(at)),
    };
    match stop {
        None => (text, equals, b""),
        Some(stop) if text.get(stop) == Some(&separator) => (before(text, stop), equals, after(text, stop)),
        Some(quote) => cut_quoted(text, separator, quote, equals),
    }
}

/// Width of a value up to its separator or first quote. Only long texts (branches) are worth setting up a vector search.
#[inline]
fn value_end(text: &[u8], separator: u8) -> Option<usize> {
    if text.len() >= VECTOR_SEARCH_BYTES_MIN {
        return memchr::memchr2(separator, b'"', text);
    }
    text.iter().position(|byte| *byte == separator || *byte == b'"')
}

/// Goes on with `cut` at the first quote. An equals sign behind it belongs to the quoted text.
fn cut_quoted(text: &[u8], separator: u8, quote: usize, equals: Option<usize>) -> (&[u8], Option<usize>, &[u8]) {
    let mut found = Some(quote);
    while let Some(at) = found {
        if text.get(at) == Some(&separator) {
            return (before(text, at), equals, after(text, at));
        }
        let behind = quoted_end(text, at).unwrap_or(at.saturating_add(1));
        found = memchr::memchr2(separator, b'"', from(text, behind)).map(|width| behind.saturating_add(width));
    }
    (text, equals, b"")
}

/// The value of the first parameter called `name` (any case): `Some(b"")` when it is bare, `None` when absent.
pub fn find<'a>(params: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    Params::new(params).find(|param| same_name(param.name, name)).map(|param| param.value.unwrap_or(b""))
}

/// Whether every parameter has a name, every quoted string closes and no separator stands alone.
pub fn is_well_formed(params: &[u8]) -> bool {
    if memchr::memchr(b'"', params).is_some() {
        return is_well_formed_quoted(params);
    }
    let mut rest = trim_start(params);
    if !matches!(rest.first(), None | Some(b';')) {
        return false;
    }
    while let Some(at) = memchr::memchr(b';', rest) {
        rest = trim_start(after(rest, at));
        if matches!(rest.first(), None | Some(b';' | b'=')) {
            return false;
        }
    }
    true
}

fn is_well_formed_quoted(params: &[u8]) -> bool {
    let mut rest = params;
    let mut left = LIST_ELEMENTS_MAX;
    while let [b';', tail @ ..] = rest {
        let (whole, equals, _) = cut(tail, b';');
        let name = trim(before(whole, equals.unwrap_or(whole.len())));
        if name.is_empty() || left == 0 || !quotes_close(whole) {
            return false;
        }
        left = left.saturating_sub(1);
        rest = from(tail, whole.len());
    }
    rest.iter().all(|byte| is_space(*byte))
}

/// Whether every double quote that opens in `text` closes.
pub fn quotes_close(text: &[u8]) -> bool {
    let mut at = 0usize;
    while let Some(width) = memchr::memchr(b'"', from(text, at)) {
        match quoted_end(text, at.saturating_add(width)) {
            Some(end) => at = end,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_separators_and_white_space_do_not_split() {
        let params: Vec<_> = Params::new(b"; tag = a1 ;; q=\"x;\\\"y\" ;lr\r\n ;last=").collect();
        let names: Vec<_> = params.iter().map(|param| param.name).collect();
        assert_eq!(names, [&b"tag"[..], b"q", b"lr", b"last"]);
        assert_eq!(params[0].value, Some(&b"a1"[..]));
        assert_eq!(params[1].unquoted(), b"x;\\\"y");
        assert_eq!(params[2].value, None);
        assert_eq!(params[3].value, Some(&b""[..]));
        assert_eq!(find(b";a;TAG=x", b"tag"), Some(&b"x"[..]));
        assert_eq!(find(b";a", b"a"), Some(&b""[..]));
        assert_eq!(find(b";ab", b"a"), None);
    }

    #[test]
    fn well_formed_refuses_lonely_separators_and_open_quotes() {
        assert!(is_well_formed(b""));
        assert!(is_well_formed(b";a=1;b ; c=\"x;\""));
        assert!(!is_well_formed(b";;a"));
        assert!(!is_well_formed(b";a;"));
        assert!(!is_well_formed(b";=x"));
        assert!(!is_well_formed(b"a;b"));
        assert!(!is_well_formed(b"; ;a"));
        assert!(!is_well_formed(b";; a=\"b\""));
        assert!(is_well_formed(b" ;a = 1\r\n ;b"));
        assert!(is_well_formed(b" "));
        assert!(!is_well_formed(b";x=\"abc"));
    }
}
