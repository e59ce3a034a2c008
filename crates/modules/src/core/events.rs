//! Event routes of the core: raw bytes received, what does not parse, before the main routes, after the start.

use std::sync::atomic::{AtomicBool, Ordering};

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::vm::Ended;
use script::{Program, RouteId};
use transaction::Endpoint;

use super::made_up;
use crate::worker::Worker;

/// The routes a configuration has.
#[derive(Debug, Default)]
pub struct EventRoutes {
    received: Option<RouteId>,
    parse_error: Option<RouteId>,
    before_routing: Option<RouteId>,
    started: Option<RouteId>,
    is_started: AtomicBool,
}

impl EventRoutes {
    /// Looks the routes up.
    pub fn new(program: &Program<Worker>) -> EventRoutes {
        let route = |name: &str| program.route(RouteKind::Event, name);
        EventRoutes {
            received: route("core:msg-received"),
            parse_error: route("core:receive-parse-error"),
            before_routing: route("core:pre-routing"),
            started: route("core:worker-one-init"),
            is_started: AtomicBool::new(false),
        }
    }
}

/// Bytes as they came, before they are a message: `$rcv` in `event_route[core:msg-received]`.
#[derive(Debug, Clone)]
pub struct ReceivedBytes {
    pub bytes: Vec<u8>,
    pub from: Endpoint,
}

/// `event_route[core:worker-one-init]`, once in the life of the node, before the first message.
pub fn started(worker: &mut Worker) {
    let events = &worker.node.states.core.events;
    let Some(route) = events.started else { return };
    if events.is_started.swap(true, Ordering::Relaxed) {
        return;
    }
    let run = made_up::run(worker, made_up::INTERNAL);
    let (_, used) = worker.with_run(run, |worker| worker.run_route_id(route));
    worker.recycle(used);
}

/// `event_route[core:msg-received]` with `received_route_mode`: what the script wrote to `$rcv(buf)`, to be read in place of the
/// bytes; None: they stay.
pub fn bytes_received(worker: &mut Worker, bytes: &[u8], from: Endpoint) -> Result<Option<Vec<u8>>, Dropped> {
    let node = &worker.node;
    let Some(route) = node.states.core.events.received.filter(|_| node.core.received_route_mode != 0) else { return Ok(None) };
    let mut run = made_up::run(worker, made_up::INTERNAL);
    run.core.received = Some(ReceivedBytes { bytes: bytes.to_vec(), from });
    let (finish, mut used) = worker.with_run(run, |worker| worker.run_route_id(route));
    let received = used.core.received.take();
    worker.recycle(used);
    if finish.is_some_and(|finish| finish.how == Ended::Drop) {
        return Err(Dropped);
    }
    Ok(received.map(|received| received.bytes).filter(|now| now[..] != *bytes))
}

/// The script does not want what was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped;

/// `event_route[core:receive-parse-error]` on the bytes in the run.
pub fn parse_failed(worker: &mut Worker) {
    let Some(route) = worker.node.states.core.events.parse_error else { return };
    worker.run.route = RouteKind::Event;
    worker.run.route_set = Routes::EVENT_ROUTE;
    worker.run.is_faked = true;
    worker.run_route_id(route);
}

/// `event_route[core:pre-routing]` on the run's message, which keeps what the route sets. False: the script drops it.
pub fn passes_before_routing(worker: &mut Worker) -> bool {
    let Some(route) = worker.node.states.core.events.before_routing else { return true };
    let outer = (worker.run.route, worker.run.route_set);
    worker.run.route = RouteKind::Event;
    worker.run.route_set = Routes::EVENT_ROUTE;
    let finish = worker.run_route_id(route);
    (worker.run.route, worker.run.route_set) = outer;
    !finish.is_some_and(|finish| finish.how == Ended::Drop)
}

#[cfg(test)]
mod tests {
    use sip::limits::Limits;

    use super::*;
    use crate::fixture::{receive, request, sent, worker};

    const MODULES: &str = "loadmodule \"pv\"\nloadmodule \"sl\"\nloadmodule \"tm\"\nloadmodule \"textops\"\n";

    #[test]
    fn a_script_cannot_forward_what_does_not_parse() {
        let calls = "sl_send_reply(\"200\", \"OK\"); forward(); t_newtran(); t_relay(); append_to_reply(\"X: y\\r\\n\"); remove_hf(\"Via\"); msg_apply_changes(); $ru = \"sip:a@192.0.2.1\"; $fU = \"x\"; $shv(n) = $ml;";
        let modules = format!("{MODULES}loadmodule \"textopsx\"\n");
        for bytes in [&b"junk"[..], b"OPTIONS sip:a SIP/2.0\r\nVia: ???\r\n\r\n", b"SIP/2.0 999999 x\r\n\r\n", b"\0\0\0\0\0\0"] {
            let mut worker = worker(&format!("{modules}event_route[core:receive-parse-error] {{ {calls} }}\nrequest_route {{ exit; }}"));
            worker.run.clear();
            let _ = worker.run.message.parse(bytes, &Limits::default());
            parse_failed(&mut worker);
            let sent = sent(&mut worker);
            assert!(sent.iter().all(|(_, text)| text.starts_with("SIP/2.0 200 OK\n")), "{sent:?}");
        }
    }

    #[test]
    fn what_the_route_before_routing_sets_stays_with_the_message() {
        let mut worker =
            worker(&format!("{MODULES}event_route[core:pre-routing] {{ setflag(4); $avp(x) = \"y\"; }}\nrequest_route {{ exit; }}"));
        receive(&mut worker, &request("OPTIONS", "sip:bob@192.0.2.9", "", ""));
        let before = worker.run.route;
        assert!(passes_before_routing(&mut worker));
        assert_eq!((worker.run.flags, worker.run.route), (1 << 4, before));
        assert_eq!(worker.run.attributes.avps.count(b"x"), 1);
    }

    #[test]
    fn bytes_are_rewritten_or_dropped_before_they_are_a_message() {
        let route = "event_route[core:msg-received] { if ($(rcv(buf){s.substr,0,4}) == \"drop\") drop; if ($(rcv(len)) == 4) $(rcv(buf)) = \"other\"; }";
        let mut worker = worker(&format!("received_route_mode=1\n{MODULES}{route}\nrequest_route {{ exit; }}"));
        let from = worker.run.source;
        assert_eq!(bytes_received(&mut worker, b"drop it", from), Err(Dropped));
        assert_eq!(bytes_received(&mut worker, b"four", from), Ok(Some(b"other".to_vec())));
        assert_eq!(bytes_received(&mut worker, b"fifth", from), Ok(None));
    }

    #[test]
    fn the_start_route_runs_once() {
        let mut worker =
            worker(&format!("{MODULES}event_route[core:worker-one-init] {{ $shv(n) = $shv(n) + 1; }}\nrequest_route {{ exit; }}"));
        started(&mut worker);
        started(&mut worker);
        assert_eq!(worker.node.states.pv.shared.read(b"n").to_integer(), 1);
    }
}
