//! `via_param_rm(name, index)`.

use script::exports::{Argument, Flow};
use sip::params::Params;
use sip::span::Span;

use super::search::text;
use crate::worker::Worker;

/// `via_param_rm(name, index)`: from the first (1) or the second (2) Via.
pub(super) fn via_param_rm(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let index = match arguments.get(1).map_or(0, Argument::integer) {
        1 => 0,
        2 => 1,
        _ => return Flow::Code(-1),
    };
    let run = &mut worker.run;
    let found = run.message.vias().nth(index).and_then(|via| {
        let parameter = Params::new(via.params).find(|parameter| parameter.name.eq_ignore_ascii_case(&name))?;
        run.message.span_of(parameter.whole)
    });
    match found {
        Some(span) => {
            // The semicolon stands before the parameter, maybe with blanks between.
            let before = run.message.text(Span { start: 0, end: span.start });
            let start = before.iter().rposition(|byte| *byte == b';').map_or(span.start, |at| Span::new(at, at).start);
            run.edits.remove(Span { start, end: span.end });
            Flow::Code(1)
        }
        None => Flow::Code(-1),
    }
}
