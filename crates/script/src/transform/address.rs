//! `nameaddr.` and `tobody.` transformations: `"display" <uri>;parameters` (RFC 3261 §20.10).

use super::uri::Parts;
use super::{Entry, input, length, output};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("nameaddr.name", 0, &[], |value, _| part(value, |address| address.name)),
    Entry::new("nameaddr.uri", 0, &[], |value, _| part(value, |address| address.uri)),
    Entry::new("nameaddr.len", 0, &[], |value, _| {
        let text = input(value)?;
        length(Address::parse(&text)?.bytes)
    }),
    Entry::new("tobody.uri", 0, &[], |value, _| part(value, |address| address.uri)),
    Entry::new("tobody.display", 0, &[], |value, _| part(value, |address| address.name.trim_ascii_end())),
    Entry::new("tobody.params", 0, &[], |value, _| part(value, |address| address.parameters)),
    Entry::new("tobody.tag", 0, &[], |value, _| part(value, |address| address.tag())),
    Entry::new("tobody.user", 0, &[], |value, _| uri_part(value, |uri| uri.user)),
    Entry::new("tobody.host", 0, &[], |value, _| uri_part(value, |uri| uri.host)),
];

struct Address<'a> {
    /// As found: with quotes and the blank before `<`.
    name: &'a [u8],
    uri: &'a [u8],
    /// After the `>`, or of the bare URI, without the leading `;`.
    parameters: &'a [u8],
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
            let semicolon = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
            let uri = text.get(..semicolon)?.trim_ascii();
            let parameters = text.get(semicolon + 1..).unwrap_or_default().trim_ascii();
            return (!uri.is_empty()).then_some(Address { name: b"", uri, parameters, bytes: semicolon });
        };
        let close = open + text.get(open..)?.iter().position(|byte| *byte == b'>')?;
        let after = text.get(close + 1..)?.trim_ascii();
        Some(Address {
            name: text.get(..open)?.trim_ascii_start(),
            uri: text.get(open + 1..close)?,
            parameters: after.strip_prefix(b";").unwrap_or(after).trim_ascii(),
            bytes: close + 1,
        })
    }

    fn tag(&self) -> &'a [u8] {
        self.parameters
            .split(|byte| *byte == b';')
            .find_map(|parameter| {
                let parameter = parameter.trim_ascii();
                let at = parameter.iter().position(|byte| *byte == b'=')?;
                let is_tag = parameter.get(..at)?.trim_ascii().eq_ignore_ascii_case(b"tag");
                is_tag.then(|| parameter.get(at + 1..).unwrap_or_default().trim_ascii())
            })
            .unwrap_or_default()
    }
}

fn part(value: &Value, of: impl for<'a> Fn(&Address<'a>) -> &'a [u8]) -> Option<Value> {
    let text = input(value)?;
    output(of(&Address::parse(&text)?))
}

fn uri_part(value: &Value, of: impl for<'a> Fn(&Parts<'a>) -> &'a [u8]) -> Option<Value> {
    let text = input(value)?;
    let address = Address::parse(&text)?;
    output(of(&Parts::parse(address.uri)?))
}
