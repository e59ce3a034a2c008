//! Hints about connections and transports for this message: `set_forward_close`, `udp_mtu_try_proto` and so on.

use script::exports::{Argument, Flow};
use transaction::Protocol;

use crate::worker::Worker;

/// What the script asked for this message (spec proxy-core 2.9, 6.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hints {
    /// Forward only on a connection that is open.
    pub forward_no_connect: bool,
    /// Reply only on a connection that is open.
    pub reply_no_connect: bool,
    /// Close the connection after forwarding.
    pub forward_close: bool,
    /// Close the connection after replying.
    pub reply_close: bool,
    /// Transport to take when the request is longer than `udp_mtu`.
    pub mtu_protocol: Option<Protocol>,
    /// Port that further requests to this peer may reuse the connection for: `force_tcp_alias`.
    pub alias_port: Option<u16>,
}

pub(super) fn forward_no_connect(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.core.hints.forward_no_connect = true;
    Flow::Code(1)
}

pub(super) fn reply_no_connect(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.core.hints.reply_no_connect = true;
    Flow::Code(1)
}

pub(super) fn forward_close(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.core.hints.forward_close = true;
    Flow::Code(1)
}

pub(super) fn reply_close(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.core.hints.reply_close = true;
    Flow::Code(1)
}

pub(super) fn mtu_protocol(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = arguments.first().map(Argument::text).unwrap_or_default();
    match Protocol::from_bytes(&name) {
        Some(protocol) => {
            worker.run.core.hints.mtu_protocol = Some(protocol);
            Flow::Code(1)
        }
        None => {
            let text = format!("udp_mtu_try_proto: unknown protocol {name}");
            worker.log(-1, "core", &text);
            Flow::Code(-1)
        }
    }
}

/// `force_tcp_alias([port])`: the port is the argument, else that of the top Via.
pub fn alias(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if !worker.run.source.protocol.is_reliable() {
        return Flow::Code(-1);
    }
    let given = arguments.first().map(Argument::integer).and_then(|port| u16::try_from(port).ok());
    let port = given.or_else(|| worker.run.message.top_via().map(|via| via.port_or_default()));
    worker.run.core.hints.alias_port = port;
    Flow::from(port.is_some())
}

pub(super) fn force_rport(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.force_rport = true;
    Flow::Code(1)
}

pub(super) fn local_rport(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.local_rport = true;
    Flow::Code(1)
}
