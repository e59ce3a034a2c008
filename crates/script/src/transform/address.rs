//! `nameaddr.` and `tobody.` transformations: `"display" <uri>;parameters` (RFC 3261 §20.10).

use super::uri::Parts;
use super::{Entry, input, length, output};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("nameaddr.name", 0, &[], |value, _| output(Address::parse(&input(value)?)?.name)),
    Entry::new("nameaddr.uri", 0, &[], |value, _| output(Address::parse(&input(value)?)?.uri)),
    Entry::new("nameaddr.len", 0, &[], |value, _| length(Address::parse(&input(value)?)?.bytes)),
    Entry::new("tobody.uri", 0, &[], |value, _| body(value, |body| body.uri)),
    Entry::new("tobody.display", 0, &[], |value, _| body(value, |body| body.name)),
    Entry::new("tobody.params", 0, &[], |value, _| body(value, |body| body.parameters)),
    Entry::new("tobody.tag", 0, &[], |value, _| body(value, |body| body.tag())),
    Entry::new("tobody.user", 0, &[], |value, _| body(value, |body| body.parts.user)),
    Entry::new("tobody.host", 0, &[], |value, _| body(value, |body| body.parts.host)),
];

struct Address<'a> {
    /// As found: with quotes and the blank before `<`.
    name: &'a [u8],
    uri: &'a [u8],
    /// After the `>`.
    after: &'a [u8],
    /// Name and address without what follows.
    bytes: usize,
}

impl<'a> Address<'a> {
    fn parse(text: &'a [u8]) -> Option<Address<'a>> {
        let mut is_quoted = false;
        let mut is_escaped = false;
        let open = text.iter().position(|byte| {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_quoted => is_escaped = true,
                b'"' => is_quoted = !is_quoted,
                b'<' => return !is_quoted,
                _ => {}
            }
            false
        });
        let Some(open) = open else {
            return (!text.is_empty()).then_some(Address { name: b"", uri: text, after: b"", bytes: text.len() });
        };
        let close = open + text.get(open..)?.iter().position(|byte| *byte == b'>')?;
        Some(Address {
            name: text.get(..open)?.trim_ascii_start(),
            uri: text.get(open + 1..close)?,
            after: text.get(close + 1..)?.trim_ascii(),
            bytes: close + 1,
        })
    }
}

/// The body of a To or From header: its URI is one, and nothing but parameters follows.
struct ToBody<'a> {
    name: &'a [u8],
    uri: &'a [u8],
    parts: Parts<'a>,
    /// After the `>`, or of the bare URI, without the leading `;`.
    parameters: &'a [u8],
}

impl<'a> ToBody<'a> {
    fn parse(text: &'a [u8]) -> Option<ToBody<'a>> {
        let address = Address::parse(text)?;
        let (uri, parameters) = if address.uri.len() < text.len() {
            let parameters = if address.after.is_empty() { address.after } else { address.after.strip_prefix(b";")? };
            (address.uri, parameters)
        } else {
            let semicolon = address.uri.iter().position(|byte| *byte == b';').unwrap_or(address.uri.len());
            (address.uri.get(..semicolon)?.trim_ascii(), address.uri.get(semicolon + 1..).unwrap_or_default())
        };
        Some(ToBody { name: address.name.trim_ascii_end(), uri, parts: Parts::parse(uri)?, parameters: parameters.trim_ascii() })
    }

    fn tag(&self) -> &'a [u8] {
        self.parameters
            .split(|byte| *byte == b';')
            .find_map(|parameter| {
                let parameter = parameter.trim_ascii();
                let at = parameter.iter().position(|byte| *byte == b'=')?;
                let is_tag = parameter.get(..at)?.trim_ascii().eq_ignore_ascii_case(b"tag");
                is_tag.then(|| unquoted(parameter.get(at + 1..).unwrap_or_default().trim_ascii()))
            })
            .unwrap_or_default()
    }
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(text)
}

fn body(value: &Value, of: impl for<'a> Fn(&ToBody<'a>) -> &'a [u8]) -> Option<Value> {
    let text = input(value)?;
    output(of(&ToBody::parse(&text)?))
}
