//! The interpreter: resumable, on an explicit stack, bounded in steps and depth (invariants A5, A6).

mod arguments;
mod calls;
mod core_match;
mod evaluate;
mod machine;
mod operate;

pub(crate) use core_match::{is_address, is_number};
pub use evaluate::{format, format_text, read, substitute, write};

pub use self::machine::Stacks;
use self::machine::{Machine, Step};
use crate::bytecode::{Program, RouteId};
use crate::exports::Host;

/// Level of error lines (spec cfg-language 4.3 `debug`).
const ERROR: i32 = -1;

/// Longest text that `+`, a format string or a substitution makes, bytes.
pub const TEXT_BYTES_MAX: usize = crate::transform::RESULT_BYTES_MAX;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// At the end of the block, or by `return` in it.
    Return,
    /// By `exit`, or by a code of 0.
    Exit,
    Drop,
}

/// The result of a finished run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finish {
    /// What was returned, or the code of the last action.
    pub code: i64,
    pub how: Ended,
}

/// What `run` and `resume` give back.
#[derive(Debug)]
pub enum Run {
    Done(Finish),
    /// A function waits; keep the frame and give it to [`resume`] with the function's code.
    Parked(Frame),
}

/// A run in the middle of a function call. Dropping it abandons the run.
#[derive(Debug)]
pub struct Frame(Box<Machine>);

/// Runs a route from its beginning.
pub fn run<H: Host>(program: &Program<H>, host: &mut H, route: RouteId) -> Run {
    let Some(start) = program.routes.get(route.0 as usize).map(|route| route.start) else {
        return Run::Done(Finish { code: -1, how: Ended::Return });
    };
    let limits = host.limits();
    let machine = Machine {
        position: start as usize,
        code: 1,
        stacks: host.spare_stacks().unwrap_or_default(),
        limits,
        steps: limits.steps_max,
        waits_for_core: false,
    };
    machine.execute(program, host)
}

/// Goes on after the function that waited has its code.
pub fn resume<H: Host>(program: &Program<H>, host: &mut H, frame: Frame, code: i32) -> Run {
    let mut machine = *frame.0;
    let is_core = machine.waits_for_core;
    match machine.called(host, i64::from(code), is_core) {
        Step::Done(finish) => machine.finish(host, finish),
        _ => machine.execute(program, host),
    }
}

#[cfg(test)]
mod tests;
