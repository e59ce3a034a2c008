//! Replacing what matches an expression or equals a text.

use script::exports::{Argument, Flow};
use script::regex::{Flags, Pattern};

use super::MATCHES_MAX;
use super::search::{Region, absolute, pattern, text};
use crate::worker::Worker;

fn replace_matches(worker: &mut Worker, pattern: &Pattern, replacement: &[u8], region: Region, limit: usize) -> Flow {
    let run = &mut worker.run;
    let span = region.span(&run.message);
    let mut position = 0;
    let mut count = 0;
    while count < limit {
        let subject = run.message.text(span);
        let Some((start, end)) = pattern.find_at(subject, position).filter(|_| position <= subject.len()) else { break };
        run.edits.replace(absolute(span, (start, end)), replacement);
        count += 1;
        position = if end > start { end } else { end.saturating_add(1) };
    }
    Flow::from(count > 0)
}

fn replace_in(worker: &mut Worker, arguments: &[Argument], region: Region, limit: usize) -> Flow {
    let Some(pattern) = pattern(arguments, 0) else { return Flow::Code(-1) };
    let replacement = text(arguments, 1);
    replace_matches(worker, &pattern, &replacement, region, limit)
}

/// `replace(re, text)`: the first match behind the first line.
pub(super) fn replace(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_in(worker, arguments, Region::All, 1)
}

/// `replace_body(re, text)`.
pub(super) fn replace_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_in(worker, arguments, Region::Body, 1)
}

/// `replace_hdrs(re, text)`.
pub(super) fn replace_hdrs(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_in(worker, arguments, Region::Headers, 1)
}

/// `replace_all(re, text)`.
pub(super) fn replace_all(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_in(worker, arguments, Region::All, MATCHES_MAX)
}

/// `replace_body_all(re, text)`.
pub(super) fn replace_body_all(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_in(worker, arguments, Region::Body, MATCHES_MAX)
}

/// `replace_body_atonce(re, text)`: as above, but `^` and `$` stand for the ends of the body, not of lines.
pub(super) fn replace_body_atonce(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(by_line) = pattern(arguments, 0) else { return Flow::Code(-1) };
    let Ok(pattern) = Pattern::dynamic(by_line.source(), Flags { newline: false, ..Flags::ARGUMENT }) else {
        return Flow::Code(-1);
    };
    let replacement = text(arguments, 1);
    replace_matches(worker, &pattern, &replacement, Region::Body, MATCHES_MAX)
}

fn replace_text(worker: &mut Worker, arguments: &[Argument], region: Region) -> Flow {
    let (wanted, replacement, mode) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    if wanted.is_empty() {
        return Flow::Code(1);
    }
    let limit = if mode.first() == Some(&b'a') { MATCHES_MAX } else { 1 };
    let run = &mut worker.run;
    let span = region.span(&run.message);
    let found: Vec<usize> = memchr::memmem::find_iter(run.message.text(span), &wanted[..]).take(limit).collect();
    for start in &found {
        run.edits.replace(absolute(span, (*start, start.saturating_add(wanted.len()))), &replacement);
    }
    Flow::Code(1)
}

/// `replace_str(text, replacement, mode)`: mode `a` all, `f` the first. True also when there was nothing to replace.
pub(super) fn replace_str(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_text(worker, arguments, Region::All)
}

/// `replace_body_str(text, replacement, mode)`: false only without a body.
pub(super) fn replace_body_str(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if worker.run.message.body().is_empty() {
        return Flow::Code(-1);
    }
    replace_text(worker, arguments, Region::Body)
}

/// `replace_hdrs_str(text, replacement, mode)`.
pub(super) fn replace_hdrs_str(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    replace_text(worker, arguments, Region::Headers)
}
