//! Iterators over lines of the body: `bl_iterator_*`, `$blitval`.

use script::exports::{Argument, Flow, Index, Inner};
use script::value::{Text, Value};
use sip::message::Message;
use sip::span::Span;

use super::ITERATORS_MAX;
use crate::worker::Worker;

/// A named position in the body.
#[derive(Debug)]
pub(super) struct Iterator {
    name: Text,
    /// The current line with its end; None before the first one.
    line: Option<Span>,
}

impl Iterator {
    /// Goes before the first one, where every iterator starts.
    pub(super) fn reset(&mut self) {
        self.line = None;
    }
}

fn name(arguments: &[Argument]) -> Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

fn text(arguments: &[Argument]) -> Text {
    arguments.get(1).map(Argument::text).unwrap_or_default()
}

fn current(worker: &Worker, name: &[u8]) -> Option<Span> {
    worker.run.textopsx.lines.iter().find(|iterator| &*iterator.name == name)?.line
}

/// The line behind another one. None: the body has ended.
fn following(message: &Message, line: Option<Span>) -> Option<Span> {
    let body = message.body_span();
    let start = line.map_or(body.start, |line| line.end);
    let rest = message.text(Span { start, end: body.end });
    if rest.is_empty() {
        return None;
    }
    let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
    Some(Span { start, end: start.saturating_add(u32::try_from(length).ok()?) })
}

/// `bl_iterator_start(name)`: before the first line.
pub(super) fn start(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    let iterators = &mut worker.run.textopsx.lines;
    if let Some(iterator) = iterators.iter_mut().find(|iterator| iterator.name == name) {
        iterator.reset();
        return Flow::Code(1);
    }
    if iterators.len() >= ITERATORS_MAX {
        worker.log(-1, "textopsx", "too many body line iterators at a time");
        return Flow::Code(-1);
    }
    iterators.push(Iterator { name, line: None });
    Flow::Code(1)
}

/// `bl_iterator_end(name)`: before the first line again.
pub(super) fn end(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    match worker.run.textopsx.lines.iter_mut().find(|iterator| iterator.name == name) {
        Some(iterator) => {
            iterator.reset();
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `bl_iterator_next(name)`: false behind the last line.
pub(super) fn next(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    let run = &mut worker.run;
    let Some(iterator) = run.textopsx.lines.iter_mut().find(|iterator| iterator.name == name) else {
        return Flow::Code(-1);
    };
    match following(&run.message, iterator.line) {
        Some(line) => {
            iterator.line = Some(line);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `bl_iterator_rm(name)`: queues the removal of the current line.
pub(super) fn remove(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(line) => {
            worker.run.edits.remove(line);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `bl_iterator_append(name, text)`: behind the current line.
pub(super) fn append(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(line) => {
            worker.run.edits.insert_after(line.end, &text(arguments));
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `bl_iterator_insert(name, text)`: before the current line.
pub(super) fn insert(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(line) => {
            worker.run.edits.insert_before(line.start, &text(arguments));
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `$blitval(name)`: the current line with its end.
pub(super) fn value(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    current(worker, inner.word()).map_or(Value::Null, |line| Value::text(worker.run.message.text(line)))
}
