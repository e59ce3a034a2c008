//! `dlg_db_load_callid` and `dlg_db_load_extra`: the script waits while stored dialogs are taken into the engine (spec dialog 8.6).

use script::Program;
use script::exports::{Argument, Flow};

use super::variables::number_of_route;
use crate::outbox::{Effect, StoredDialogs};
use crate::run::Answer;
use crate::worker::Worker;

/// The number of a timeout route that a stored dialog names; None: the configuration has no such route.
pub fn timeout_route_number(program: &Program<Worker>, name: &[u8]) -> Option<i32> {
    Some(number_of_route(program, name)).filter(|number| *number > 0)
}

/// `dlg_db_load_callid(callid)`.
pub(super) fn load_call_id(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let call_id = arguments.first().map(Argument::text).unwrap_or_default();
    if call_id.is_empty() {
        worker.log(-1, "dialog", "dlg_db_load_callid: the Call-ID is empty");
        return Flow::Code(-1);
    }
    let dialogs = &worker.node.dialogs;
    let entry = dialogs.slot_of(&call_id);
    // At the start its slot is on the way anyway: it only comes first.
    let which = if dialogs.slot_is_loaded(entry) { StoredDialogs::OfCallId(call_id.to_vec()) } else { StoredDialogs::OfSlot(entry) };
    load(worker, which)
}

/// `dlg_db_load_extra()`.
pub(super) fn load_extra(worker: &mut Worker, _: &[Argument]) -> Flow {
    load(worker, StoredDialogs::All)
}

fn load(worker: &mut Worker, which: StoredDialogs) -> Flow {
    if worker.node.settings.integer("dialog", "db_mode") == 0 {
        worker.log(-1, "dialog", "dialogs are loaded from a database only where db_mode is not 0");
        return Flow::Code(-1);
    }
    if !worker.can_wait() {
        worker.log(-1, "dialog", "loading dialogs waits for the database: it works in a request route only");
        return Flow::Code(-1);
    }
    worker.run.continuation = Some(loaded);
    let ticket = worker.take_ticket();
    worker.outbox.effects.push(Effect::LoadDialogs { ticket, which });
    Flow::Wait
}

/// 1 also when nothing was found.
fn loaded(worker: &mut Worker, answer: Answer) -> Flow {
    let reason = match answer {
        Answer::DialogsLoaded(Ok(_)) => return Flow::Code(1),
        Answer::DialogsLoaded(Err(reason)) => reason,
        _ => String::from("nobody loads dialogs here at this time"),
    };
    worker.log(-1, "dialog", &format!("no dialogs were loaded: {reason}"));
    Flow::Code(-1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn worker(mode: i64) -> Worker {
        fixture::worker(&format!(
            "loadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"dialog\"\nmodparam(\"dialog\", \"db_mode\", {mode})\nrequest_route {{\ndrop;\n}}\n"
        ))
    }

    #[test]
    fn the_script_waits_for_the_answer() {
        let mut worker = worker(1);
        assert_eq!(load_extra(&mut worker, &[]), Flow::Wait);
        let ticket = worker.run.ticket;
        assert!(worker.outbox.effects.contains(&Effect::LoadDialogs { ticket, which: StoredDialogs::All }));
        let continuation = worker.run.continuation.take().expect("somebody goes on");
        assert_eq!(continuation(&mut worker, Answer::DialogsLoaded(Ok(0))), Flow::Code(1), "also when nothing was found");
        assert_eq!(continuation(&mut worker, Answer::DialogsLoaded(Err(String::from("away")))), Flow::Code(-1));
        assert_eq!(continuation(&mut worker, Answer::Awake), Flow::Code(-1));
    }

    #[test]
    fn without_a_database_nothing_is_loaded() {
        let mut worker = worker(0);
        assert_eq!(load_extra(&mut worker, &[]), Flow::Code(-1));
        assert!(worker.run.continuation.is_none());
    }

    #[test]
    fn where_a_script_cannot_wait_nothing_is_loaded() {
        let mut worker = worker(1);
        worker.run.is_faked = true;
        assert_eq!(load_extra(&mut worker, &[]), Flow::Code(-1));
    }
}
