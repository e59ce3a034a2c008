//! `options_reply()`: the answer to OPTIONS for the proxy itself (RFC 3261 §11.2).

use std::sync::Arc;

use script::exports::{Argument, Flow};
use sip::method::Method;
use sip::uri::Uri;

use crate::worker::Worker;

/// `options_reply()`: 200 with what is accepted, if the request is OPTIONS and its URI has no user. Whether the host is
/// this proxy is for the script to ask.
pub(super) fn options_reply(worker: &mut Worker, _: &[Argument]) -> Flow {
    if worker.run.message.method() != Method::Options {
        worker.log(-1, "siputils", "options_reply is for OPTIONS only");
        return Flow::Code(-1);
    }
    let node = Arc::clone(&worker.node);
    if !Uri::parse(worker.run.request_uri()).is_ok_and(|uri| uri.user.is_empty()) {
        worker.log(-1, "siputils", "options_reply: the request URI has a user");
        return Flow::Code(-1);
    }
    let state = &node.states.siputils;
    for (name, value) in [
        ("Accept", &state.options_accept),
        ("Accept-Encoding", &state.options_accept_encoding),
        ("Accept-Language", &state.options_accept_language),
        ("Supported", &state.options_supported),
    ] {
        let headers = &mut worker.run.reply_headers;
        headers.extend_from_slice(name.as_bytes());
        headers.extend_from_slice(b": ");
        headers.extend_from_slice(value);
        headers.extend_from_slice(b"\r\n");
    }
    if crate::tm::has_transaction(worker) {
        return Flow::from(crate::tm::reply(worker, 200, b"OK"));
    }
    Flow::from(crate::sl::reply(worker, 200, b"OK"))
}
