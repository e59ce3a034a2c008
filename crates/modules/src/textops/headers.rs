//! Adding, removing and testing headers.

use script::exports::{Argument, Flow};
use script::regex::{Flags, Pattern};
use sip::header::Header;
use sip::message::Message;
use sip::span::Span;

use super::search::{pattern, text};
use crate::run::Run;
use crate::worker::Worker;

/// The text with a line end, so that it cannot run into the next header.
fn line(text: &[u8]) -> Vec<u8> {
    let mut line = text.to_vec();
    if !line.ends_with(b"\r\n") {
        line.extend_from_slice(b"\r\n");
    }
    line
}

/// Queues a header line behind the last header (or behind the last one with a name).
pub(crate) fn append_line(run: &mut Run, text: &[u8], behind: Option<&[u8]>) {
    let end = run.message.headers_end();
    let at = behind.and_then(|name| run.message.headers_named(name).last()).map_or(end, |header| header.line.end);
    run.edits.insert_after(at, &line(text));
}

/// Queues a header line before the first header (or before the first one with a name).
pub(crate) fn insert_line(run: &mut Run, text: &[u8], before: Option<&[u8]>) {
    let start = run.message.headers().first().map_or(run.message.headers_end(), |header| header.line.start);
    let at = before.and_then(|name| run.message.headers_named(name).next()).map_or(start, |header| header.line.start);
    run.edits.insert_before(at, &line(text));
}

/// `append_hf(text[, name])`.
pub(super) fn append_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let anchor = arguments.get(1).map(Argument::text);
    append_line(&mut worker.run, &text(arguments, 0), anchor.as_deref());
    Flow::Code(1)
}

/// `insert_hf(text[, name])`.
pub(super) fn insert_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let anchor = arguments.get(1).map(Argument::text);
    insert_line(&mut worker.run, &text(arguments, 0), anchor.as_deref());
    Flow::Code(1)
}

/// `append_urihf(prefix, suffix)`: a header with the received request URI in the middle.
pub(super) fn append_urihf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let made = [&text(arguments, 0)[..], worker.run.message.request_uri(), &text(arguments, 1)].concat();
    append_line(&mut worker.run, &made, None);
    Flow::Code(1)
}

/// `append_to_reply(text)`: for the reply made here for this request.
pub(super) fn append_to_reply(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let made = line(&text(arguments, 0));
    worker.run.reply_headers.extend_from_slice(&made);
    Flow::Code(1)
}

/// Queues the removal of every header that `is_chosen`; true when there was one.
fn remove(worker: &mut Worker, is_chosen: impl Fn(&Message, &Header) -> bool) -> Flow {
    let run = &mut worker.run;
    let mut is_any = false;
    for header in run.message.headers() {
        if is_chosen(&run.message, header) {
            run.edits.remove(header.line);
            is_any = true;
        }
    }
    Flow::from(is_any)
}

/// Has the header this name, in any case, compact or not?
fn has_name(message: &Message, header: &Header, name: &[u8]) -> bool {
    use sip::header::HeaderId;
    message.text(header.name).eq_ignore_ascii_case(name) || (header.id != HeaderId::Other && header.id == HeaderId::from_name(name))
}

/// `remove_hf_pv(name)`: true also when there is no such header.
pub(super) fn remove_hf_pv(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if text(arguments, 0).is_empty() {
        return Flow::Code(-1);
    }
    remove_hf(worker, arguments);
    Flow::Code(1)
}

/// `remove_hf(name)`.
pub(super) fn remove_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    remove(worker, |message, header| has_name(message, header, &name))
}

/// `remove_hf_re(re)` and `remove_hf_re_pv(re)`: by expression on the name.
pub(super) fn remove_hf_re(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(pattern) = pattern(arguments, 0) else { return Flow::Code(-1) };
    remove(worker, |message, header| pattern.is_match(message.text(header.name)))
}

/// `remove_hf_exp(match, skip)`: names that match the first and not the second.
pub(super) fn remove_hf_exp(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (Some(matching), Some(skipping)) = (pattern(arguments, 0), pattern(arguments, 1)) else { return Flow::Code(-1) };
    remove(worker, |message, header| {
        let name = message.text(header.name);
        matching.is_match(name) && !skipping.is_match(name)
    })
}

/// `remove_hf_idx(name, index)`: from 0; negative counts from the last. An index behind the last header gives 2, one before the
/// first header 1.
pub(super) fn remove_hf_idx(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let index = arguments.get(1).map_or(0, Argument::integer);
    if name.is_empty() {
        return Flow::Code(-1);
    }
    let run = &mut worker.run;
    let lines: Vec<Span> = run.message.headers_named(&name).map(|header| header.line).collect();
    let position = if index < 0 { i64::try_from(lines.len()).unwrap_or(0).saturating_add(index) } else { index };
    match usize::try_from(position).ok().and_then(|position| lines.get(position)) {
        Some(line) => {
            run.edits.remove(*line);
            Flow::Code(1)
        }
        None => Flow::Code(if index < 0 { 1 } else { 2 }),
    }
}

/// A way to compare a text, as `remove_hf_match`, `sht_rm_name` and others name it with two letters.
pub(crate) enum Comparison {
    Equal,
    Different,
    StartsWith,
    EndsWith,
    Contains,
    Matches(std::sync::Arc<Pattern>),
    Glob,
}

impl Comparison {
    /// From the two letters and, for `re`, the expression. None: unknown letters or a bad expression.
    pub(crate) fn new(operator: &[u8], operand: &[u8]) -> Option<Comparison> {
        Some(match operator {
            b"eq" => Comparison::Equal,
            b"ne" => Comparison::Different,
            b"sw" => Comparison::StartsWith,
            b"ew" => Comparison::EndsWith,
            b"in" => Comparison::Contains,
            b"re" => Comparison::Matches(Pattern::dynamic(operand, Flags { ignore_case: false, newline: false }).ok()?),
            b"fm" => Comparison::Glob,
            _ => return None,
        })
    }

    /// Does the text compare so with the operand?
    pub(crate) fn holds(&self, text: &[u8], operand: &[u8]) -> bool {
        match self {
            Comparison::Equal => text == operand,
            Comparison::Different => text != operand,
            Comparison::StartsWith => text.starts_with(operand),
            Comparison::EndsWith => text.ends_with(operand),
            Comparison::Contains => memchr::memmem::find(text, operand).is_some(),
            Comparison::Matches(pattern) => pattern.is_match(text),
            Comparison::Glob => crate::textopsx::glob(operand, text, false),
        }
    }
}

/// `remove_hf_match(name, operator, text)`: headers of the name whose value compares so. -2: there is none.
pub(super) fn remove_hf_match(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, operator, operand) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    let Some(comparison) = Comparison::new(&operator, &operand) else {
        worker.log(-1, "textops", "remove_hf_match: unknown operator or bad expression");
        return Flow::Code(-1);
    };
    match remove(worker, |message, header| has_name(message, header, &name) && comparison.holds(message.text(header.value), &operand)) {
        Flow::Code(-1) => Flow::Code(-2),
        removed => removed,
    }
}

/// `is_present_hf(name)` and `is_present_hf_pv(name)`.
pub(super) fn is_present_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(worker.run.message.headers_named(&text(arguments, 0)).next().is_some())
}

/// `is_present_hf_re(re)` and `is_present_hf_re_pv(re)`.
pub(super) fn is_present_hf_re(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(pattern) = pattern(arguments, 0) else { return Flow::Code(-1) };
    let message = &worker.run.message;
    Flow::from(message.headers().iter().any(|header| pattern.is_match(message.text(header.name))))
}
