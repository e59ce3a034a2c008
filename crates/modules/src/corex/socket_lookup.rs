//! `$lsock(which/value/field)`, `$cfg(key)`, `$atkv(key)`.

use script::exports::{Index, Inner};
use script::syntax::ast::RouteKind;
use script::value::{Value, parse_integer};

use crate::sockets::Socket;
use crate::worker::Worker;

/// `$lsock(which/value/field)`: the listening socket with a name (`n`), as listened on (`l`), as advertised (`a`) or by its
/// number from 0 (`i`); fields `listen`, `name`, `advertise`, `index`.
pub(super) fn socket(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let mut parts = inner.word().splitn(3, |byte| *byte == b'/');
    let (Some(which), Some(value), Some(field)) = (parts.next(), parts.next(), parts.next()) else { return Value::Null };
    let sockets = &worker.node.sockets;
    let found = match which {
        b"n" => sockets.find_named(value),
        b"l" => sockets.find_text(value),
        b"a" => sockets.list.iter().position(|socket| advertised(socket).is_some_and(|text| text.as_bytes() == value)).map(place_of),
        b"i" => parse_integer(value).and_then(|number| u16::try_from(number).ok()),
        _ => None,
    };
    let Some((index, socket)) = found.and_then(|index| Some((index, sockets.at(index)?))) else { return Value::Null };
    match field {
        b"listen" => Value::Text(socket.text.clone()),
        b"name" => socket.name.as_deref().map_or(Value::Null, Value::text),
        b"advertise" => advertised(socket).map_or(Value::Null, Value::text),
        b"index" => Value::Integer(i64::from(index)),
        _ => Value::Null,
    }
}

fn place_of(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

/// `udp:host:port` as the socket advertises itself.
fn advertised(socket: &Socket) -> Option<String> {
    let (host, port) = socket.advertise.as_ref()?;
    Some(format!("{}:{host}:{}", crate::sockets::word(socket.protocol), port.unwrap_or_else(|| socket.address.port())))
}

/// Keys of `$cfg`.
pub(super) const PLACE_KEYS: &[&str] = &["line", "name", "file", "route"];

/// Where the script is: line and file of the action, name of its route block.
pub(super) fn place(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let program = &worker.node.program;
    let position = worker.run.position;
    match (inner, program.source_at(position)) {
        (Inner::Choice(0), Some((_, line))) => Value::Integer(i64::from(line)),
        (Inner::Choice(1 | 2), Some((file, _))) => Value::text(file),
        (Inner::Choice(3), _) => match program.route_at(position).and_then(|route| program.route_name(route)) {
            Some((kind, "")) => Value::text(unnamed(kind)),
            Some((_, name)) => Value::text(name),
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

/// What `$cfg(route)` calls a block without a name.
fn unnamed(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Request => "DEFAULT_ROUTE",
        RouteKind::CoreReply | RouteKind::OnReply => "DEFAULT_ONREPLY",
        RouteKind::Failure => "DEFAULT_FAILURE",
        RouteKind::Branch => "DEFAULT_BRANCH",
        RouteKind::OnSend => "DEFAULT_SEND",
        RouteKind::Event => "DEFAULT_EVENT",
    }
}

/// The facts of `event_route[core:tkv]`; null elsewhere, and that route has no event here.
pub(super) fn task(_worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::Null
}
