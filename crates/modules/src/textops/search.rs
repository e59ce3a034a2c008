//! Searching the message, and inserting behind what was found.

use std::sync::Arc;

use script::exports::{Argument, Evaluate, Flow};
use script::regex::{Flags, Pattern};
use script::value::{Text, Value};
use sip::message::Message;
use sip::span::Span;

use crate::worker::Worker;

/// A part of a message that functions work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// Everything behind the first line.
    All,
    Headers,
    Body,
}

impl Region {
    /// Where the region lies.
    pub(super) fn span(self, message: &Message) -> Span {
        let start = message.first_line().end;
        match self {
            Region::All => Span { start, end: message.body_span().end },
            Region::Headers => Span { start, end: message.headers_end() },
            Region::Body => message.body_span(),
        }
    }
}

/// A range relative to the start of a region, as a span of the message.
pub(super) fn absolute(region: Span, range: (usize, usize)) -> Span {
    let base = region.start as usize;
    Span::new(base.saturating_add(range.0), base.saturating_add(range.1))
}

/// The pattern of an argument of kind `Regex`.
pub(super) fn pattern(arguments: &[Argument], index: usize) -> Option<Arc<Pattern>> {
    match arguments.get(index)? {
        Argument::Regex(pattern) => Some(Arc::clone(pattern)),
        other => Pattern::dynamic(&other.text(), Flags::ARGUMENT).ok(),
    }
}

pub(super) fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

fn search_in(worker: &Worker, arguments: &[Argument], region: Region) -> Flow {
    let Some(pattern) = pattern(arguments, 0) else { return Flow::Code(-1) };
    let message = &worker.run.message;
    Flow::from(pattern.is_match(message.text(region.span(message))))
}

/// `search(re)`: anywhere behind the first line.
pub(super) fn search(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    search_in(worker, arguments, Region::All)
}

/// `search_body(re)`.
pub(super) fn search_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    search_in(worker, arguments, Region::Body)
}

fn append_in(worker: &mut Worker, arguments: &[Argument], region: Region) -> Flow {
    let Some(pattern) = pattern(arguments, 0) else { return Flow::Code(-1) };
    let text = text(arguments, 1);
    let run = &mut worker.run;
    let span = region.span(&run.message);
    match pattern.find(run.message.text(span)) {
        Some(found) => {
            let end = absolute(span, found).end;
            run.edits.insert_after(end, &text);
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}

/// `search_append(re, text)`: the text goes behind the first match.
pub(super) fn search_append(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    append_in(worker, arguments, Region::All)
}

/// `search_append_body(re, text)`.
pub(super) fn search_append_body(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    append_in(worker, arguments, Region::Body)
}

/// Value spans of the headers with this name that the flags choose: `a` all, `f` the first, `l` the last.
pub(super) fn chosen_headers(message: &Message, name: &[u8], flags: &[u8]) -> Vec<Span> {
    let mut spans: Vec<Span> = message.headers_named(name).map(|header| header.value).collect();
    match flags.first().map(u8::to_ascii_lowercase) {
        Some(b'f') => spans.truncate(1),
        Some(b'l') => spans = spans.pop().into_iter().collect(),
        _ => {}
    }
    spans
}

/// `search_hf(name, re, flags)`.
pub(super) fn search_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (name, flags) = (text(arguments, 0), text(arguments, 2));
    let Some(pattern) = pattern(arguments, 1) else { return Flow::Code(-1) };
    let message = &worker.run.message;
    let is_found = chosen_headers(message, &name, &flags).into_iter().any(|span| pattern.is_match(message.text(span)));
    Flow::from(is_found)
}

/// `search_str(text, re)`: 1 found, 2 with an empty expression, -1 not found, -2 without a text or with a bad expression.
pub(super) fn search_str(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (subject, expression) = (text(arguments, 0), text(arguments, 1));
    if subject.is_empty() {
        return Flow::Code(-2);
    }
    if expression.is_empty() {
        return Flow::Code(2);
    }
    match Pattern::dynamic(&expression, Flags::ARGUMENT) {
        Ok(pattern) => Flow::from(pattern.is_match(&subject)),
        Err(error) => {
            worker.log(-1, "textops", &format!("search_str: {error}"));
            Flow::Code(-2)
        }
    }
}

/// `regex_substring(text, re, index, count, $result)`: one group of the match, 0 the whole of it; of `count` groups at most.
/// -2: there is no match. -1: the group took no part in it, or the index is not below the count.
pub(super) fn regex_substring(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (subject, expression) = (text(arguments, 0), text(arguments, 1));
    let number = |index: usize| arguments.get(index).map_or(0, Argument::integer);
    let (wanted, count) = (number(2), number(3));
    let Some(Argument::Variable(result)) = arguments.get(4) else { return Flow::Code(-1) };
    if wanted >= count || count < 0 {
        worker.log(-1, "textops", "regex_substring: the index must be less than the count");
        return Flow::Code(-1);
    }
    let Ok(pattern) = Pattern::dynamic(&expression, Flags { ignore_case: false, newline: false }) else {
        return Flow::Code(-1);
    };
    let Some(groups) = pattern.groups(&subject) else { return Flow::Code(-2) };
    let group = usize::try_from(wanted).ok().and_then(|wanted| groups.get(wanted).copied().flatten());
    match group.and_then(|(start, end)| subject.get(start..end)) {
        Some(found) => Flow::from(worker.write(result, Value::text(found)).is_ok()),
        None => Flow::Code(-1),
    }
}
