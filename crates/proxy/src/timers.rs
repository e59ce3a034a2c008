//! Due timers: transactions at once, dialogs and tables once a second.

use std::sync::atomic::Ordering;

use modules::core::events;
use modules::{Worker, blocklist, dialog, dns, htable, tm};

use crate::Proxy;

/// One second in milliseconds.
pub(crate) const SECOND: u64 = 1_000;

impl Proxy {
    pub(crate) fn tick(&self, worker: &mut Worker) {
        let now = worker.now.time;
        worker.spares.let_go_unused(now);
        if self.node.transactions.next_deadline().is_some_and(|deadline| deadline <= now) {
            let mut due = std::mem::take(&mut worker.scratch.due);
            self.node.transactions.due(now, &mut due);
            for id in due.drain(..) {
                tm::on_due(worker, id);
            }
            worker.scratch.due = due;
        }
        let second = now.0 / SECOND;
        let last = self.second.load(Ordering::Relaxed);
        // Only one worker does the work of a second.
        if second > last && self.second.compare_exchange(last, second, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            worker.run.clear();
            events::started(worker);
            self.give_up_late_slots(worker);
            self.watch_overload(worker);
            dialog::on_timer(worker);
            dialog::watch_observers(worker);
            htable::on_timer(worker);
            dns::on_timer(worker);
            blocklist::on_timer(worker);
        }
    }
}
