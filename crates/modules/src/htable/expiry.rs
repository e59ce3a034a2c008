//! Taking out expired items, and running event routes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::value::{Text, Value};

use super::EXPIRIES_PER_TICK_MAX;
use crate::core::made_up;
use crate::worker::Worker;

/// Runs an event route on a made-up message.
pub(super) fn run_event(worker: &mut Worker, route: script::RouteId, record: Option<(Text, Value)>) {
    let mut run = made_up::run(worker, made_up::INTERNAL);
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
