//! A received request: what is absorbed before the script, the main route, and what happens after it (spec proxy-core 1.1).

use std::sync::Arc;

use modules::core::events;
use modules::{Worker, dialog, sl, tm, tmx};
use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::vm;
use sip::method::Method;

use crate::Proxy;

/// Takes the request in the run through the script.
pub(crate) fn receive(proxy: &Proxy, worker: &mut Worker) {
    let node = Arc::clone(&proxy.node);
    let method = worker.run.message.method();
    node.states.core.counters.received_request(method);
    if method == Method::Ack {
        if sl::is_filtered_ack(worker) || tm::absorb_ack(worker) {
            return;
        }
    } else if tm::absorb_retransmission(worker) {
        // A retransmission ends here, without the script (invariant T1).
        return;
    }
    if !events::passes_before_routing(worker) {
        node.states.core.counters.dropped_request();
        return;
    }
    let Some(route) = node.program.route(RouteKind::Request, b"") else {
        node.states.core.counters.dropped_request();
        return;
    };
    worker.run.route = RouteKind::Request;
    worker.run.route_set = Routes::REQUEST;
    let run = vm::run(&node.program, worker, route);
    if proxy.drive(worker, run).is_some() {
        finish(worker);
    }
}

/// After the main route: the dialog module looks whether its call leads anywhere, then the transaction is settled.
pub(crate) fn finish(worker: &mut Worker) {
    dialog::request_ended(worker);
    tm::finish_request(worker);
    tmx::request_ended(worker);
}
