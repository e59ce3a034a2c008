//! Taking out expired items, and running event routes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use script::value::{Text, Value};
use sip::message::Message;

use super::EXPIRIES_PER_TICK_MAX;
use crate::worker::Worker;

/// The message that event routes without one see.
const FAKED: &[u8] = b"OPTIONS sip:you@invalid SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bKinternal\r\nFrom: <sip:you@invalid>;tag=internal\r\nTo: <sip:you@invalid>\r\nCall-ID: internal\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// Runs an event route on a made-up message.
pub(super) fn run_event(worker: &mut Worker, route: script::RouteId, record: Option<(Text, Value)>) {
    let mut run = worker.fresh_run();
    if let Ok(message) = Message::from_bytes(FAKED) {
        run.message = message;
    }
    run.is_faked = true;
    run.route = RouteKind::Event;
    run.route_set = Routes::EVENT_ROUTE;
    run.htable.record = record;
    let (_, used) = worker.with_run(run, |worker| worker.run_route_id(route));
    worker.recycle(used);
}

/// Called once a second: every `timer_interval` seconds expired items are taken out and their event routes run.
pub fn on_timer(worker: &mut Worker) {
    super::started(worker);
    let node = Arc::clone(&worker.node);
    let state = &node.states.htable;
    if state.tables.is_empty() {
        return;
    }
    let now = worker.now.time;
    let last = state.last_look.load(Ordering::Relaxed);
    if now.0.saturating_sub(last) < state.interval.saturating_mul(1000) {
        return;
    }
    if state.last_look.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return;
    }
    let mut left = EXPIRIES_PER_TICK_MAX;
    for table in &state.tables {
        let expired = table.take_expired(now, left);
        left = left.saturating_sub(expired.len());
        let Some(route) = table.expired_route else { continue };
        for record in expired {
            run_event(worker, route, Some(record));
        }
    }
    if left == 0 {
        state.last_look.store(last, Ordering::Relaxed);
    }
}
