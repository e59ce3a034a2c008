//! The core's own `log` and the functions of the grammar that do nothing here.

use script::exports::{Argument, Flow};

use crate::worker::Worker;

/// Level of `log("text")`.
const LEVEL_DEBUG: i32 = 3;

fn write(worker: &mut Worker, level: i32, argument: Option<&Argument>) -> Flow {
    let text = argument.map(Argument::text).unwrap_or_default();
    let line = text.to_string();
    worker.log(level, "script", line.trim_end_matches('\n'));
    Flow::Code(1)
}

pub(super) fn log(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    write(worker, LEVEL_DEBUG, arguments.first())
}

pub(super) fn log_at(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let level = arguments.first().map_or(LEVEL_DEBUG, |level| i32::try_from(level.integer()).unwrap_or(LEVEL_DEBUG));
    write(worker, level, arguments.get(1))
}

pub(super) fn error(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let texts: Vec<String> = arguments.iter().map(|argument| argument.text().to_string()).collect();
    let line = format!("error({}) does nothing", texts.join(", "));
    worker.log(1, "script", &line);
    Flow::Code(1)
}

pub(super) fn exec(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    worker.log(-1, "script", "exec() is refused: the proxy runs no shell commands");
    Flow::Code(-1)
}
