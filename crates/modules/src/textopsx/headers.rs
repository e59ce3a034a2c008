//! Iterators over header lines: `hf_iterator_*`, `$hfitname`, `$hfitbody`.

use script::exports::{Argument, Flow, Index, Inner};
use script::value::{Text, Value};
use sip::header::Header;

use super::ITERATORS_MAX;
use crate::worker::Worker;

/// A named position among the headers.
#[derive(Debug)]
pub(super) struct Iterator {
    name: Text,
    /// None: before the first header.
    at: Option<usize>,
}

impl Iterator {
    /// Goes before the first one, where every iterator starts.
    pub(super) fn reset(&mut self) {
        self.at = None;
    }
}

fn name(arguments: &[Argument]) -> Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

/// The header an iterator stands on.
fn current(worker: &Worker, name: &[u8]) -> Option<Header> {
    let iterator = worker.run.textopsx.headers.iter().find(|iterator| &*iterator.name == name)?;
    worker.run.message.headers().get(iterator.at?).copied()
}

/// `hf_iterator_start(name)`: before the first header.
pub(super) fn start(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    let iterators = &mut worker.run.textopsx.headers;
    if let Some(iterator) = iterators.iter_mut().find(|iterator| iterator.name == name) {
        iterator.reset();
        return Flow::Code(1);
    }
    if iterators.len() >= ITERATORS_MAX {
        worker.log(-1, "textopsx", "too many header iterators at a time");
        return Flow::Code(-1);
    }
    iterators.push(Iterator { name, at: None });
    Flow::Code(1)
}

/// `hf_iterator_end(name)`: before the first header again.
pub(super) fn end(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    match worker.run.textopsx.headers.iter_mut().find(|iterator| iterator.name == name) {
        Some(iterator) => {
            iterator.reset();
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `hf_iterator_next(name)`: false behind the last header.
pub(super) fn next(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    let count = worker.run.message.headers().len();
    let Some(iterator) = worker.run.textopsx.headers.iter_mut().find(|iterator| iterator.name == name) else {
        return Flow::Code(-1);
    };
    let following = iterator.at.map_or(0, |at| at.saturating_add(1));
    if following >= count {
        return Flow::Code(-1);
    }
    iterator.at = Some(following);
    Flow::Code(1)
}

/// `hf_iterator_prev(name)`: before the first header it stays.
pub(super) fn previous(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = name(arguments);
    match worker.run.textopsx.headers.iter_mut().find(|iterator| iterator.name == name) {
        Some(iterator) => {
            iterator.at = iterator.at.and_then(|at| at.checked_sub(1));
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `hf_iterator_rm(name)`: queues the removal of the current header.
pub(super) fn remove(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(header) => {
            worker.run.edits.remove(header.line);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

fn text(arguments: &[Argument]) -> Vec<u8> {
    let mut text = arguments.get(1).map(Argument::text).unwrap_or_default().to_vec();
    if !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// `hf_iterator_append(name, text)`: behind the current header.
pub(super) fn append(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(header) => {
            worker.run.edits.insert_after(header.line.end, &text(arguments));
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `hf_iterator_insert(name, text)`: before the current header.
pub(super) fn insert(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    match current(worker, &name(arguments)) {
        Some(header) => {
            worker.run.edits.insert_before(header.line.start, &text(arguments));
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `$hfitname(name)`.
pub(super) fn header_name(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    current(worker, inner.word()).map_or(Value::Null, |header| Value::text(worker.run.message.text(header.name)))
}

/// `$hfitbody(name)`.
pub(super) fn header_value(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    current(worker, inner.word()).map_or(Value::Null, |header| Value::text(worker.run.message.text(header.value)))
}
