//! `event_route[tm:local-request]`: the script's say about what is sent from here (spec proxy-core 7.11, 7.13).

use std::sync::Arc;

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::value::Text;
use script::vm;
use sip::message::Message;
use transaction::{ArmedRoutes, Endpoint};

use super::state::PendingTimers;
use crate::attributes::Attributes;
use crate::worker::Worker;

/// A request as the route left it.
pub struct Routed {
    pub bytes: Vec<u8>,
    /// Another next hop (`$du`).
    pub next_hop: Option<Vec<u8>>,
    /// Another local socket (`$fs`).
    pub socket: Option<u16>,
    pub timers: PendingTimers,
    pub armed: ArmedRoutes,
    pub attributes: Attributes,
    pub flags: u32,
    /// `t_set_no_auto_ack`
    pub no_auto_ack: Option<bool>,
}

/// Runs the route on a request about to leave for `to`. None: the route dropped it.
pub fn run(worker: &mut Worker, bytes: Vec<u8>, hop_uri: &[u8], to: Endpoint) -> Option<Routed> {
    let unchanged = |bytes| Routed {
        bytes,
        next_hop: None,
        socket: None,
        timers: PendingTimers::default(),
        armed: ArmedRoutes::default(),
        attributes: Attributes::default(),
        flags: 0,
        no_auto_ack: None,
    };
    let Some(route) = worker.node.states.tm.local_request_route else { return Some(unchanged(bytes)) };
    let Ok(message) = Message::from_bytes(&bytes) else { return Some(unchanged(bytes)) };
    let mut copy = worker.fresh_run();
    copy.message = message;
    copy.is_faked = true;
    copy.route = RouteKind::Event;
    copy.route_set = Routes::LOCAL.or(Routes::EVENT);
    copy.source = own_address(worker, to);
    copy.target.next_hop = Some(Text::from(hop_uri));
    let (finish, mut used) = worker.with_run(copy, |worker| worker.run_route_id(route));
    let is_dropped = finish.is_some_and(|finish| finish.how == vm::Ended::Drop);
    let routed = Routed {
        bytes: if used.edits.is_empty() && used.target.uri.is_none() { bytes } else { written(&used, to) },
        next_hop: used.target.next_hop.take().filter(|uri| **uri != *hop_uri).map(|uri| uri.to_vec()),
        socket: used.target.socket.filter(|socket| *socket != to.socket),
        timers: used.tm.timers,
        armed: used.tm.armed,
        attributes: std::mem::take(&mut used.attributes),
        flags: used.flags,
        no_auto_ack: used.tm.no_auto_ack,
    };
    worker.recycle(used);
    (!is_dropped).then_some(routed)
}

/// The request comes from the socket it leaves by.
fn own_address(worker: &Worker, to: Endpoint) -> Endpoint {
    let node = Arc::clone(&worker.node);
    let address = node.sockets.at(to.socket).map_or(to.address, |socket| socket.address);
    Endpoint { address, ..to }
}

fn written(run: &crate::run::Run, to: Endpoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(run.message.bytes().len() + 256);
    let head = sip::RequestHead { uri: run.request_uri(), ..sip::RequestHead::default() };
    sip::write_request(&mut out, &run.message, &[&run.edits], &head, to.protocol.is_reliable());
    out
}
