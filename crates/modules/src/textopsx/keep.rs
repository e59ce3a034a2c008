//! Removing what is not needed: `keep_hf`, `remove_body`.

use script::exports::{Argument, Flow};
use script::regex::{Flags, Pattern};
use sip::header::HeaderId;

use crate::worker::Worker;

/// Headers that no call removes.
const MANDATORY: [HeaderId; 11] = [
    HeaderId::Via,
    HeaderId::From,
    HeaderId::To,
    HeaderId::CallId,
    HeaderId::CSeq,
    HeaderId::Contact,
    HeaderId::MaxForwards,
    HeaderId::ContentLength,
    HeaderId::ContentType,
    HeaderId::Route,
    HeaderId::RecordRoute,
];

/// `keep_hf([re])`: removes every header but the mandatory ones and those whose name matches.
pub(super) fn keep_hf(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let pattern = match arguments.first() {
        Some(Argument::Regex(pattern)) => Some(pattern.clone()),
        Some(other) => match Pattern::dynamic(&other.text(), Flags::ARGUMENT) {
            Ok(pattern) => Some(pattern),
            Err(_) => return Flow::Code(-1),
        },
        None => None,
    };
    let run = &mut worker.run;
    for header in run.message.headers() {
        let is_kept =
            MANDATORY.contains(&header.id) || pattern.as_ref().is_some_and(|pattern| pattern.is_match(run.message.text(header.name)));
        if !is_kept {
            run.edits.remove(header.line);
        }
    }
    // Its answer has never said anything else.
    Flow::Code(-1)
}

/// `remove_body()`: the body alone; its Content-Type stays.
pub(super) fn remove_body(worker: &mut Worker, _: &[Argument]) -> Flow {
    let run = &mut worker.run;
    let body = run.message.body_span();
    if body.is_empty() {
        return Flow::Code(1);
    }
    run.edits.remove(body);
    Flow::Code(1)
}
