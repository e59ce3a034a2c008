//! Hints about connections and transports for this message: `set_forward_close`, `udp_mtu_try_proto` and so on.

use script::exports::{Argument, Flow};
use transaction::Protocol;

use crate::outbox::{Connecting, Effect};
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
}

impl Hints {
    /// How a request uses its connection.
    pub fn of_request(&self) -> Connecting {
        Connecting { may_connect: !self.forward_no_connect, then_close: self.forward_close }
    }

    /// How a reply made here uses its connection; only a final one closes it.
    pub fn of_reply(&self, code: u16) -> Connecting {
        Connecting { may_connect: !self.reply_no_connect, then_close: code >= 200 && self.reply_close }
    }

    /// How a reply that is forwarded without a transaction uses its connection: either kind of wish counts.
    pub fn of_relayed_reply(&self) -> Connecting {
        Connecting { may_connect: !(self.forward_no_connect || self.reply_no_connect), then_close: self.forward_close || self.reply_close }
    }
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

/// `force_tcp_alias([port])`: what is sent to the peer's address and this port may use the connection the message came on
/// (RFC 5923). Without a port, or with 0, it is that of the top Via.
pub fn alias(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.source.connection == 0 {
        return Flow::Code(1);
    }
    let given = arguments.first().map(Argument::integer).filter(|port| *port != 0);
    let port = match given {
        Some(port) => u16::try_from(port).ok(),
        None => worker.run.message.top_via().map(|via| via.port_or_default()),
    };
    let Some(port) = port else {
        worker.log(-1, "core", "force_tcp_alias: the alias is no port");
        return Flow::Code(-1);
    };
    worker.outbox.effects.push(Effect::StreamAlias { connection: worker.run.source.connection, port });
    Flow::Code(1)
}

pub(super) fn force_rport(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.force_rport = true;
    Flow::Code(1)
}

pub(super) fn local_rport(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.run.local_rport = true;
    Flow::Code(1)
}
