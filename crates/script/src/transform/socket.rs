//! `sock.` and `url.` transformations: `proto:host:port` and HTTP paths.

use super::{Entry, input, integer, output};
use crate::value::{Text, Value};

pub(super) const TABLE: &[Entry] = &[
    Entry::new("sock.host", 0, &[], |value, _| part(value, |socket| output(socket.host))),
    Entry::new("sock.proto", 0, &[], |value, _| part(value, |socket| output(socket.protocol))),
    Entry::new("sock.port", 0, &[], |value, _| {
        part(value, |socket| {
            if socket.port.is_empty() {
                return Some(Value::Number(0, Text::empty()));
            }
            integer(std::str::from_utf8(socket.port).ok()?.parse().ok()?)
        })
    }),
    Entry::new("sock.touri", 0, &[], |value, _| {
        part(value, |socket| {
            let mut out = b"sip:".to_vec();
            out.extend_from_slice(socket.host);
            if !socket.port.is_empty() {
                out.push(b':');
                out.extend_from_slice(socket.port);
            }
            if !socket.protocol.is_empty() {
                out.extend_from_slice(b";transport=");
                out.extend_from_slice(socket.protocol);
            }
            output(out)
        })
    }),
    Entry::new("url.path", 0, &[], |value, _| {
        let text = input(value)?;
        output(text.split(|byte| *byte == b'?').next().unwrap_or_default())
    }),
    Entry::new("url.querystring", 0, &[], |value, _| {
        let text = input(value)?;
        let at = text.iter().position(|byte| *byte == b'?').map_or(text.len(), |at| at + 1);
        output(text.get(at..)?)
    }),
];

struct Socket<'a> {
    protocol: &'a [u8],
    host: &'a [u8],
    port: &'a [u8],
}

/// `[proto:]host[:port]`, IPv6 in brackets.
fn part(value: &Value, of: impl Fn(&Socket<'_>) -> Option<Value>) -> Option<Value> {
    const PROTOCOLS: [&[u8]; 6] = [b"udp", b"tcp", b"tls", b"sctp", b"ws", b"wss"];
    let text = input(value)?;
    let first = text.iter().position(|byte| *byte == b':');
    let protocol = first.and_then(|at| text.get(..at)).filter(|word| PROTOCOLS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    let rest = text.get(protocol.map_or(0, |word| word.len() + 1)..)?;
    let host_end = if rest.first() == Some(&b'[') {
        rest.iter().position(|byte| *byte == b']')? + 1
    } else {
        rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len())
    };
    let host = rest.get(..host_end)?;
    let after = rest.get(host_end..)?;
    let port = if after.is_empty() { after } else { after.strip_prefix(b":")? };
    if host.is_empty() || !port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    of(&Socket { protocol: protocol.unwrap_or_default(), host, port })
}
