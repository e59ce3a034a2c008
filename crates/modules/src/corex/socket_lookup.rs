//! `$lsock(field:value/key)`, `$cfg(key)`, `$atkv(key)`.

use script::exports::{Index, Inner};
use script::value::Value;

use crate::worker::Worker;

/// `$lsock(listen[N]/field)` and `$lsock(NAME/field)`: fields `name`, `proto`, `sproto`, `address`, `port`, `advertise`.
pub(super) fn socket(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let word = inner.word();
    let Some(at) = word.iter().rposition(|byte| *byte == b'/') else { return Value::Null };
    let (which, field) = (word.get(..at).unwrap_or(b""), word.get(at + 1..).unwrap_or(b""));
    let position = which.strip_prefix(b"listen[").and_then(|rest| rest.strip_suffix(b"]")).and_then(script::value::parse_integer);
    let index = match position {
        Some(number) => u16::try_from(number).ok(),
        None => worker.node.sockets.find_named(which),
    };
    let Some(socket) = index.and_then(|index| worker.node.sockets.at(index)) else { return Value::Null };
    match field {
        b"name" => socket.name.as_deref().map_or(Value::Null, Value::text),
        b"proto" | b"sproto" => Value::text(crate::sockets::word(socket.protocol)),
        b"address" => Value::text(crate::sockets::bracketed(socket.address.ip())),
        b"port" => Value::Integer(i64::from(socket.address.port())),
        b"sock" => Value::Text(socket.text.clone()),
        b"advertise" => socket.advertise.as_ref().map_or(Value::Null, |(host, _)| Value::text(host.as_str())),
        _ => Value::Null,
    }
}

/// Keys of `$cfg`.
pub(super) const PLACE_KEYS: &[&str] = &["line", "name", "file", "route"];

/// Where the script is; the file is known, the place in it is not.
pub(super) fn place(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    match inner {
        Inner::Choice(1 | 2) => Value::text(worker.node.process.configuration_path.as_str()),
        _ => Value::Null,
    }
}

/// There are no keyed tasks.
pub(super) fn task(_worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Null
}
