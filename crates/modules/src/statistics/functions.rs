//! `update_stat` and `reset_stat`.

use script::exports::{Argument, Flow};
use script::value::parse_integer;

use super::registry::{Entry, Selection, select};
use crate::worker::Worker;

fn text(arguments: &[Argument], at: usize) -> String {
    arguments.get(at).map(Argument::text).unwrap_or_default().to_string()
}

fn unknown(worker: &mut Worker, name: &str) -> Flow {
    let line = format!("unknown statistic {name}");
    worker.log(-1, "statistics", &line);
    Flow::Code(-1)
}

/// `update_stat(name, value)`: `+1` and `-1` add, a bare number sets.
pub(super) fn update(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let value = text(arguments, 1);
    let is_relative = value.starts_with(['+', '-']);
    let Some(number) = parse_integer(value.strip_prefix('+').unwrap_or(&value).as_bytes()) else {
        let line = format!("update_stat: {value} is not a number");
        worker.log(-1, "statistics", &line);
        return Flow::Code(-1);
    };
    let node = std::sync::Arc::clone(&worker.node);
    for entry in select(&node, Selection::parse(&name)) {
        if let Entry::Defined(variable) = entry {
            if is_relative {
                variable.add(number);
            } else {
                variable.set(number);
            }
            return Flow::Code(1);
        }
    }
    unknown(worker, &name)
}

pub(super) fn reset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let node = std::sync::Arc::clone(&worker.node);
    match select(&node, Selection::parse(&name)).first() {
        Some(entry) => {
            entry.reset(&node);
            Flow::Code(1)
        }
        None => unknown(worker, &name),
    }
}
