//! Predicates on the current message.

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use sip::uri::Uri;

use crate::worker::Worker;

/// `has_totag()`.
pub(super) fn has_totag(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(!worker.run.message.to_tag().is_empty())
}

/// `is_request()`.
pub(super) fn is_request(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(worker.run.message.is_request())
}

/// `is_reply()`.
pub(super) fn is_reply(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(worker.run.message.is_reply())
}

/// `is_sip()`.
pub(super) fn is_sip(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(worker.run.message.version().get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"SIP/")))
}

/// `is_http()`.
pub(super) fn is_http(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(worker.run.message.version().get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP/")))
}

/// `sip_parse_headers()`: headers are always parsed.
pub(super) fn sip_parse_headers(_: &mut Worker, _: &[Argument]) -> Flow {
    Flow::Code(1)
}

/// `is_user(name)`: the user of credentials that an authentication function has verified. No module here verifies any, so nobody is.
pub(super) fn is_user(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.log(-1, "siputils", "is_user: no credentials were verified; call an authentication function before");
    Flow::Code(-1)
}

/// `is_supported(option)`: an option tag of Supported.
pub(super) fn is_supported(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let wanted = arguments.first().map(Argument::text).unwrap_or_default();
    let message = &worker.run.message;
    let is_named = message
        .headers_of(HeaderId::Supported)
        .flat_map(|header| message.text(header.value).split(|byte| *byte == b','))
        .any(|tag| tag.trim_ascii().eq_ignore_ascii_case(&wanted));
    Flow::from(is_named)
}

/// `is_first_hop([mode])`: a request with one Via only; a reply whose top Record-Route is ours or missing.
///
/// Mode 1 compares the port too.
pub(super) fn is_first_hop(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let with_port = arguments.first().map_or(0, Argument::integer) == 1;
    let message = &worker.run.message;
    if message.is_request() {
        return Flow::from(message.vias().nth(1).is_none());
    }
    let Some(route) = message.record_routes().next() else { return Flow::Code(1) };
    let Ok(uri) = Uri::parse(route.address.uri) else { return Flow::Code(-1) };
    let sockets = &worker.node.sockets;
    let is_own = sockets.is_myself(uri.host, uri.port)
        || (!with_port && sockets.list.iter().any(|socket| crate::sockets::parse_address(uri.host) == Some(socket.address.ip())));
    Flow::from(is_own)
}
