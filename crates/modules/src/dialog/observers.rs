//! What observers of dialogs ask of a worker: calls to end; and the complaint about those that panic (spec dialog 12).

use std::sync::atomic::Ordering;

use ::dialog::{TerminateError, Wish};

use super::ending;
use crate::worker::Worker;

/// Most wishes carried out after one input; the rest follow after the next, which is due at once.
pub const WISHES_PER_INPUT_MAX: usize = 256;

/// Carries out what observers wished for. Called when an input is done: no transaction is held and no script runs.
pub fn carry_out_wishes(worker: &mut Worker) {
    for _ in 0..WISHES_PER_INPUT_MAX {
        let Some(wish) = worker.node.dialogs.take_wish() else { return };
        let run = worker.fresh_run();
        let ((), used) = worker.with_run(run, |worker| carry_out(worker, &wish));
        worker.recycle(used);
    }
}

fn carry_out(worker: &mut Worker, wish: &Wish) {
    let Wish::End { dialog, leg, headers } = wish;
    match ending::end(worker, *dialog, *leg, ::dialog::EndReason::Application, headers) {
        // What could not be sent was logged where it failed.
        Ok(_) => {}
        Err(TerminateError::UnknownDialog | TerminateError::AlreadyOver | TerminateError::Pending) => {}
        Err(error @ TerminateError::Incomplete(_)) => {
            worker.log(-1, "dialog", &format!("an observer wants dialog [{dialog}] to end, no BYE can be made: {error:?}"));
        }
    }
}

/// Once a second: observers that panicked are complained about.
pub fn watch_observers(worker: &mut Worker) {
    let panics = worker.node.dialogs.observer_panics();
    let told = worker.node.states.dialog.observer_panics.swap(panics, Ordering::Relaxed);
    if panics != told {
        let line = format!("observers of dialogs panicked {} times, what they were told then is lost to them", panics - told.min(panics));
        worker.log(-1, "dialog", &line);
    }
}
