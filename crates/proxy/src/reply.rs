//! A received reply: core reply route, transaction, or stateless by its second Via (spec proxy-core 1.1, 3.6).

use std::sync::Arc;

use modules::tm::Received;
use modules::{Worker, core, tm};
use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::vm;

/// Takes the reply in the run where it belongs.
pub(crate) fn receive(worker: &mut Worker) {
    modules::dialog::cseq::restore_in_reply(worker);
    let node = Arc::clone(&worker.node);
    let counters = &node.states.core.counters;
    counters.received_reply(worker.run.message.status(), worker.run.message.method());
    if !core::events::passes_before_routing(worker) || is_dropped_by_script(worker) {
        counters.dropped_reply();
        return;
    }
    if node.core.check_via && !is_for_us(worker) {
        worker.log(1, "core", "a reply is dropped: its first Via is not ours (check_via)");
        counters.dropped_reply();
        return;
    }
    if tm::receive_reply(worker) != Received::Stateless {
        return;
    }
    if !tm::stray_reply_goes_on(worker) || !core::forward::reply(worker) {
        counters.dropped_reply();
    }
}

/// Does the first Via name this proxy?
fn is_for_us(worker: &Worker) -> bool {
    let via = worker.run.message.top_via();
    via.is_some_and(|via| worker.node.sockets.is_myself(via.host, via.port))
}

/// `reply_route`: 0 or `drop` at its end discards the reply.
fn is_dropped_by_script(worker: &mut Worker) -> bool {
    let Some(route) = worker.node.program.route(RouteKind::CoreReply, b"") else { return false };
    worker.run.route = RouteKind::CoreReply;
    worker.run.route_set = Routes::CORE_ONREPLY;
    worker.run_route_id(route).is_some_and(|finish| finish.how == vm::Ended::Drop || finish.code == 0)
}
