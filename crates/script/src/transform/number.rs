//! `val.n0`, `val.ne`, `num.` and `urialias.` transformations.

use super::uri::Parts;
use super::{Entry, input, integer, output};
use crate::value::Value;

pub(super) const TABLE: &[Entry] = &[
    Entry::new("val.n0", 0, &[], |value, _| if value.is_null() { integer(0) } else { Some(value.clone()) }),
    Entry::new("val.ne", 0, &[], |value, _| if value.is_null() { output(b"") } else { Some(value.clone()) }),
    Entry::new("num.fdigit", 0, &[], |value, _| digit(input(value)?.iter().copied().find(u8::is_ascii_digit)?)),
    Entry::new("num.ldigit", 0, &[], |value, _| digit(input(value)?.iter().copied().rev().find(u8::is_ascii_digit)?)),
    Entry::new("urialias.encode", 0, &[], |value, _| alias_encode(value)),
    Entry::new("urialias.decode", 0, &[], |value, _| alias_decode(value)),
];

fn digit(byte: u8) -> Option<Value> {
    integer(i64::from(byte.checked_sub(b'0')?))
}

/// `sip:host:port;transport=x` becomes `host~port~n`, n being the transport number (udp 1, tcp 2, tls 3, sctp 4, ws 5, wss 6).
fn alias_encode(value: &Value) -> Option<Value> {
    let text = input(value)?;
    let parts = Parts::parse(&text)?;
    let transport = parts.parameter(b"transport").unwrap_or_default().to_ascii_lowercase();
    let is_secure = parts.scheme.eq_ignore_ascii_case(b"sips");
    let number: &[u8] = match transport.as_slice() {
        b"" if is_secure => b"3",
        b"" | b"udp" => b"1",
        b"tcp" => b"2",
        b"tls" => b"3",
        b"sctp" => b"4",
        b"ws" => b"5",
        b"wss" => b"6",
        _ => return None,
    };
    let port: &[u8] = match (parts.port.is_empty(), number) {
        (false, _) => parts.port,
        (true, b"3") => b"5061",
        (true, _) => b"5060",
    };
    output([parts.host, b"~", port, b"~", number].concat())
}

/// The inverse; the text may be the parameter alone or its value.
fn alias_decode(value: &Value) -> Option<Value> {
    let text = input(value)?;
    let value = text.strip_prefix(b"alias=").unwrap_or(&text);
    let mut fields = value.split(|byte| *byte == b'~');
    let (host, port, number) = (fields.next()?, fields.next()?, fields.next()?);
    let transport: &[u8] = match number {
        b"1" => b"",
        b"2" => b";transport=tcp",
        b"3" => b";transport=tls",
        b"4" => b";transport=sctp",
        b"5" => b";transport=ws",
        b"6" => b";transport=wss",
        _ => return None,
    };
    output([b"sip:", host, b":", port, transport].concat())
}
