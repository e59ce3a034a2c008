//! `event_route[corex:reply-out]`: a script sees every SIP reply that leaves, as the documentation of 6.x says.

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use sip::limits::Limits;
use transaction::{Endpoint, Protocol};

use crate::core::Sending;
use crate::outbox::Effect;
use crate::worker::Worker;

/// Runs the route on each reply in the outbox from `first` on. `$snd(...)` tells where it goes; what the route does to the
/// message changes nothing.
pub fn shown(worker: &mut Worker, first: usize) {
    let Some(route) = worker.node.states.corex.reply_out else { return };
    for at in first..worker.outbox.effects.len() {
        let (to, range) = match worker.outbox.effects.get(at) {
            Some(Effect::Send { socket, destination, bytes }) => {
                (Endpoint { protocol: Protocol::Udp, address: *destination, socket: *socket, connection: 0 }, bytes.clone())
            }
            Some(Effect::StreamSend { protocol, socket, connection, destination, bytes, .. }) => {
                (Endpoint { protocol: *protocol, address: *destination, socket: *socket, connection: *connection }, bytes.clone())
            }
            _ => continue,
        };
        let Some(bytes) = worker.outbox.bytes.get(range).filter(|bytes| bytes.starts_with(b"SIP/2.0 ")) else { continue };
        let bytes = bytes.to_vec();
        let mut run = worker.fresh_run();
        if run.message.parse(&bytes, &Limits::default()).is_err() {
            worker.recycle(run);
            continue;
        }
        run.is_faked = true;
        run.route = RouteKind::Event;
        run.route_set = Routes::EVENT_ROUTE;
        run.core.sending = Some(Sending { to, bytes });
        let (_, used) = worker.with_run(run, |worker| worker.run_route_id(route));
        worker.recycle(used);
    }
}
