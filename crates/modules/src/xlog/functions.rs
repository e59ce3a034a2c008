//! `xlog` and its short forms.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::exports::{Argument, Evaluate, Flow};
use script::value::Text;

use super::level;
use crate::outbox::{Effect, LogSource};
use crate::worker::Worker;

/// Level when none is given.
const LEVEL_ERROR: i32 = -1;
pub(super) const LEVEL_DEBUG: i32 = 3;

fn text(arguments: &[Argument], at: usize) -> Text {
    arguments.get(at).map(Argument::text).unwrap_or_default()
}

/// What stands before the text of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Prefix,
    /// Also the place in the configuration: `xlogl`, `xdbgl`.
    PrefixAndPlace,
}

/// Is nothing written at this level?
pub(super) fn is_silent(worker: &Worker, level: i32) -> bool {
    level > worker.node.core.debug()
}

/// Is nothing written at the level that stands before the text? A level that is unknown or computed says no.
pub(super) fn is_level_silent(worker: &Worker, arguments: &mut dyn Iterator<Item = Option<&Argument>>) -> bool {
    let (mut before, mut last) = (None, arguments.next());
    for argument in arguments {
        before = last.replace(argument);
    }
    let level = match before {
        None => Some(LEVEL_ERROR),
        Some(argument) => argument.and_then(|argument| level::level(&argument.text())),
    };
    level.is_some_and(|level| is_silent(worker, level))
}

/// Writes a line at a level, unless the threshold is lower. Always 1.
fn write(worker: &mut Worker, level: i32, facility: Option<u8>, text: &[u8], lead: Lead) -> Flow {
    if is_silent(worker, level) {
        return Flow::Code(1);
    }
    let node = Arc::clone(&worker.node);
    let state = &node.states.xlog;
    let mut line = Vec::with_capacity(text.len() + 16);
    if let Some(prefix) = crate::core::log_prefix::text(worker) {
        line.extend_from_slice(&prefix);
    }
    match &state.prefix_format {
        Some(format) => line.extend_from_slice(&worker.format(format)),
        None => line.extend_from_slice(&state.prefix),
    }
    if lead == Lead::PrefixAndPlace
        && let Some((file, number)) = node.program.source_at(worker.run.position)
    {
        let place = if state.has_long_format { format!("{file}:{number}:") } else { format!("{number}:") };
        line.extend_from_slice(place.as_bytes());
    }
    line.extend_from_slice(text);
    line.truncate(state.line_bytes_max);
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    worker.outbox.effects.push(Effect::Log { level, facility: facility.or(state.facility), source: LogSource::Script, text: line });
    Flow::Code(1)
}

fn level_of(worker: &mut Worker, text: &[u8]) -> i32 {
    level::level(text).unwrap_or_else(|| {
        let line = format!("xlog: unknown level {}", String::from_utf8_lossy(text));
        worker.log(LEVEL_ERROR, "xlog", &line);
        LEVEL_ERROR
    })
}

fn with_lead(worker: &mut Worker, arguments: &[Argument], lead: Lead) -> Flow {
    match arguments.len() {
        0 | 1 => write(worker, LEVEL_ERROR, None, &text(arguments, 0), lead),
        2 => {
            let level = level_of(worker, &text(arguments, 0));
            write(worker, level, None, &text(arguments, 1), lead)
        }
        _ => {
            let level = level_of(worker, &text(arguments, 1));
            write(worker, level, level::facility(&text(arguments, 0)), &text(arguments, 2), lead)
        }
    }
}

/// `xlog([[facility,] level,] text)`.
pub(super) fn xlog(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_lead(worker, arguments, Lead::Prefix)
}

/// `xlogl([[facility,] level,] text)`: with the line of the configuration, and its file by `long_format`.
pub(super) fn with_place(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    with_lead(worker, arguments, Lead::PrefixAndPlace)
}

/// `xdbg`, `xerr` and the like.
pub(super) fn at_level(worker: &mut Worker, arguments: &[Argument], level: i32) -> Flow {
    write(worker, level, None, &text(arguments, 0), Lead::Prefix)
}

/// `xdbgl(text)`.
pub(super) fn debug_with_place(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    write(worker, LEVEL_DEBUG, None, &text(arguments, 0), Lead::PrefixAndPlace)
}

/// `xlogm(level, text)`: silent for the methods of `methods_filter`.
pub(super) fn unless_filtered(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let silent = worker.node.states.xlog.silent_methods.load(Ordering::Relaxed);
    if silent & crate::core::symbol_of_method(worker.run.message.method()) != 0 {
        return Flow::Code(1);
    }
    xlog(worker, arguments)
}
