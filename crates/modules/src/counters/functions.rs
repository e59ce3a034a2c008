//! `cnt_inc`, `cnt_add`, `cnt_reset`.

use std::sync::Arc;

use script::exports::{Argument, Flow};

use crate::statistics::Variable;
use crate::worker::Worker;

fn change(worker: &mut Worker, arguments: &[Argument], work: impl Fn(&Variable)) -> Flow {
    let written = arguments.first().map(Argument::text).unwrap_or_default().to_string();
    let node = Arc::clone(&worker.node);
    let state = &node.states.counters;
    let (group, name) = written.split_once('.').unwrap_or((&state.group, &written));
    match state.variables.find(Some(group), name) {
        Some(variable) => {
            work(variable);
            Flow::Code(1)
        }
        None => {
            let line = format!("unknown counter {written}");
            worker.log(-1, "counters", &line);
            Flow::Code(-1)
        }
    }
}

pub(super) fn increment(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, arguments, |variable| variable.add(1))
}

pub(super) fn add(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let number = arguments.get(1).map_or(0, Argument::integer);
    change(worker, arguments, move |variable| variable.add(number))
}

pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    change(worker, arguments, Variable::reset)
}
