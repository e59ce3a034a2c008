//! Next hop, "is it me", formatted assignment, log threshold.

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::value::{Text, Value};
use sip::uri::Uri;

use crate::core::words::{is_own_host, is_own_uri};
use crate::worker::Worker;

fn first(arguments: &[Argument]) -> Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

pub(super) fn set_next_hop(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let uri = first(arguments);
    if Uri::parse(&uri).is_err() {
        let line = format!("setdsturi: not a URI: {uri}");
        worker.log(-1, "kex", &line);
        return Flow::Code(-1);
    }
    worker.run.set_next_hop(Some(uri));
    Flow::Code(1)
}

pub(super) fn reset_next_hop(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.set_next_hop(None);
    Flow::Code(1)
}

pub(super) fn has_next_hop(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    Flow::from(worker.run.target.next_hop.is_some())
}

/// `is_myself(uri)`: a URI, or a bare host with optional port.
pub(super) fn is_myself(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    if Uri::parse(&text).is_ok() {
        return Flow::from(is_own_uri(worker, &text));
    }
    let with_scheme = [b"sip:", &text[..]].concat();
    Flow::from(is_own_uri(worker, &with_scheme))
}

/// `is_myhost(uri or host)`: the port does not count.
pub(super) fn is_my_host(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let with_scheme = [b"sip:", &text[..]].concat();
    let host = match Uri::parse(&text).or_else(|_| Uri::parse(&with_scheme)) {
        Ok(uri) => uri.host,
        Err(_) => return Flow::Code(-1),
    };
    let is_socket = is_own_host(worker, host, None)
        || worker.node.sockets.list.iter().any(|socket| is_own_host(worker, host, Some(socket.address.port())))
        || worker.node.sockets.aliases.iter().any(|alias| host.eq_ignore_ascii_case(alias.host.as_bytes()));
    Flow::from(is_socket)
}

/// `pv_printf(variable, text)`.
pub(super) fn print_to(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (Some(Argument::Variable(reference)), Some(text)) = (arguments.first(), arguments.get(1)) else { return Flow::Code(-1) };
    let reference = Arc::clone(reference);
    match script::exports::Evaluate::write(worker, &reference, Value::Text(text.text())) {
        Ok(()) => Flow::Code(1),
        Err(error) => {
            let line = format!("pv_printf: {}: {error}", reference.text());
            worker.log(-1, "kex", &line);
            Flow::Code(-1)
        }
    }
}

pub(super) fn set_debug(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let level = arguments.first().map_or(0, Argument::integer);
    let Ok(level) = i32::try_from(level) else { return Flow::Code(-1) };
    worker.node.states.kex.threshold.get_or_init(|| worker.node.core.debug());
    worker.node.core.set_debug(level.clamp(-5, 3));
    Flow::Code(1)
}

pub(super) fn reset_debug(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    if let Some(level) = worker.node.states.kex.threshold.get() {
        worker.node.core.set_debug(*level);
    }
    Flow::Code(1)
}
